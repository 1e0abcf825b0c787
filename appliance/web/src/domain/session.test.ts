import { create, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { type ClientFrame, ClientFrameSchema, RefusalCode, type ServerFrame, ServerFrameSchema } from '../gen/wardline_pb.js';
import { toHex } from './bytes.ts';
import { type DeviceId, type MessageName } from './ids.ts';
import { type Pin } from './pins.ts';
import { deviceKeyOf, hashOf, type JoinCode, signatureOf } from './proofs.ts';
import { type Out, type Purpose, Session } from './session.ts';

type Body = MessageInitShape<typeof ServerFrameSchema>['body'];

function need<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('nothing there');
  return value;
}

const DEVICE = '0123456789abcdef' as DeviceId;
const BINDING = need(hashOf(new Uint8Array(32).fill(2)));
const CHALLENGE = new Uint8Array(32).fill(1);
const SIGNATURE = need(signatureOf(new Uint8Array(64).fill(9)));
const PIN = '739154' as Pin;
const SIGN_IN: Purpose = { purpose: 'signIn', device: DEVICE, secret: new Uint8Array(0) };

function frame(request: number, body: Body): ServerFrame {
  return create(ServerFrameSchema, { request: BigInt(request), ...(body === undefined ? {} : { body }) });
}

function sent(outs: readonly Out<string>[] | null): ClientFrame[] {
  return (outs ?? []).flatMap((out) => (out.out === 'send' ? [fromBinary(ClientFrameSchema, out.bytes.subarray(4))] : []));
}

function names(outs: readonly Out<string>[]): string[] {
  return outs.map((out) => out.out);
}

function welcomed(purpose: Purpose = SIGN_IN): Session<string> {
  const session = new Session<string>(purpose, 'wardline-app 1', 0);
  session.opened(0, BINDING);
  session.frame(0, frame(1, { case: 'welcome', value: { version: 1, challenge: CHALLENGE, facility: 'Lindenhof' } }));
  session.signed(0, SIGNATURE);
  return session;
}

function open(): Session<string> {
  const session = welcomed();
  session.frame(0, frame(2, { case: 'signedIn', value: { device: 1n, person: 2n } }));
  return session;
}

function barred(): Session<string> {
  const session = welcomed();
  session.frame(0, frame(2, { case: 'pinNeeded', value: { triesLeft: 10 } }));
  return session;
}

describe('signing in', () => {
  it('says hello, proves the device by this challenge and binding, and is open', () => {
    const session = new Session<string>(SIGN_IN, 'wardline-app 1', 0);
    const [hello] = sent(session.opened(0, BINDING));
    expect(hello?.body).toMatchObject({ case: 'hello', value: { versionMin: 1, versionMax: 1, device: 0x0123456789abcdefn } });
    const outs = session.frame(0, frame(1, { case: 'welcome', value: { challenge: CHALLENGE, facility: 'Lindenhof' } }));
    expect(names(outs)).toEqual(['welcomed', 'sign']);
    const sign = outs[1];
    expect(sign?.out === 'sign' && toHex(sign.bytes)).toBe(
      `${toHex(new TextEncoder().encode('wardline/1 sign-in\0'))}${'01'.repeat(32)}${'02'.repeat(32)}0123456789abcdef`,
    );
    const [prove] = sent(session.signed(0, SIGNATURE));
    expect(prove?.body).toMatchObject({ case: 'prove', value: { device: 0x0123456789abcdefn, signature: SIGNATURE } });
    expect(prove?.request).toBe(2n);
    expect(names(session.frame(0, frame(2, { case: 'signedIn', value: {} })))).toEqual(['signedIn']);
    expect(session.isOpen).toBe(true);
  });

  it('joins without a device, with the key that the code was hashed for', () => {
    const key = need(deviceKeyOf(Uint8Array.of(4, ...new Uint8Array(64))));
    const session = welcomed({ purpose: 'join', code: 'ABCDEFGHJK' as JoinCode, codeHash: BINDING, key, pin: PIN, deviceName: "Ana's phone", visit: null, secret: new Uint8Array(0) });
    expect(session.underWay()).toEqual([{ ask: 'join' }]);
    expect(names(session.frame(0, frame(2, { case: 'signedIn', value: {} })))).toEqual(['signedIn']);
  });

  it('closes after a refusal, whatever the box does', () => {
    const outs = welcomed().frame(0, frame(2, { case: 'refused', value: { code: RefusalCode.DEVICE_UNKNOWN } }));
    expect(names(outs)).toEqual(['close', 'refused']);
  });

  it('takes no welcome twice, and none without a challenge', () => {
    const session = open();
    expect(names(session.frame(0, frame(0, { case: 'welcome', value: { challenge: CHALLENGE } })))).toEqual(['close', 'dead']);
    const other = new Session<string>(SIGN_IN, 'x', 0);
    other.opened(0, BINDING);
    expect(names(other.frame(0, frame(1, { case: 'welcome', value: { challenge: new Uint8Array(31) } })))).toEqual(['close', 'dead']);
  });
});

describe('a PIN', () => {
  it('is sent once at a time, and only where one is wanted', () => {
    expect(open().unlock(0, PIN)).toBeNull();
    const session = barred();
    expect(sent(session.unlock(0, PIN))[0]?.body).toMatchObject({ case: 'unlock', value: { pin: PIN } });
    expect(session.unlock(0, PIN)).toBeNull();
    const outs = session.frame(0, frame(3, { case: 'refused', value: { code: RefusalCode.PIN_WRONG, triesLeft: 4 } }));
    expect(outs).toMatchObject([{ out: 'refused', asked: { ask: 'unlock' }, declined: { triesLeft: 4 } }]);
    expect(session.unlock(0, PIN)).not.toBeNull();
    expect(names(session.frame(0, frame(4, { case: 'signedIn', value: {} })))).toEqual(['signedIn']);
  });

  it('bars everything but that one is coming', () => {
    const session = barred();
    expect(session.ask(0, { ask: 'call', call: 'x' }, { case: 'listRoles', value: {} })).toBeNull();
    expect(session.ask(0, { ask: 'call', call: 'x' }, { case: 'answerStat', value: { answer: { case: 'accept', value: {} } } })).toBeNull();
    const coming = session.ask(0, { ask: 'call', call: 'x' }, { case: 'answerStat', value: { answer: { case: 'coming', value: {} } } });
    expect(sent(coming).length).toBe(1);
    expect(session.tell({ case: 'here', value: {} })).toEqual([]);
  });

  it('is wanted again when the session locks: what was asked is dropped, what was submitted is not', () => {
    const session = open();
    session.sync(0, new Uint8Array(0));
    session.ask(0, { ask: 'submit', name: 'aa' as MessageName }, { case: 'submit', value: {} });
    session.ask(0, { ask: 'call', call: 'history' }, { case: 'history', value: {} });
    const outs = session.frame(0, frame(0, { case: 'locked', value: { triesLeft: 9 } }));
    expect(outs).toMatchObject([{ out: 'barred', triesLeft: 9, hasLocked: true, dropped: [{ ask: 'sync' }, { ask: 'call', call: 'history' }] }]);
    expect(session.submits()).toEqual(['aa']);
    expect(session.isBarred).toBe(true);
  });
});

describe('delivery', () => {
  const event = { cursor: new Uint8Array(16), event: { kind: { case: 'unit', value: { unit: 1n, name: '4 West' } } } } as const;
  const joined = { event: { kind: { case: 'deviceJoined', value: { device: 5n } } } } as const;

  it('is what belongs to the sync that counts', () => {
    const session = open();
    expect(session.frame(0, frame(0, { case: 'delivery', value: event }))).toEqual([]);
    session.sync(0, new Uint8Array(0));
    expect(session.frame(0, frame(0, { case: 'delivery', value: event }))).toEqual([]);
    expect(session.frame(0, frame(99, { case: 'syncStarted', value: {} }))).toEqual([]);
    expect(names(session.frame(0, frame(3, { case: 'syncStarted', value: { snapshot: true } })))).toEqual(['syncStarted']);
    expect(names(session.frame(0, frame(0, { case: 'delivery', value: event })))).toEqual(['delivered']);
    expect(names(session.frame(0, frame(3, { case: 'synced', value: { cursor: new Uint8Array(16) } })))).toEqual(['synced']);
    expect(names(session.frame(0, frame(0, { case: 'syncStarted', value: { snapshot: true } })))).toEqual(['syncStarted']);
    session.sync(0, new Uint8Array(16));
    expect(session.frame(0, frame(0, { case: 'delivery', value: event }))).toEqual([]);
    expect(session.frame(0, frame(0, { case: 'synced', value: {} }))).toEqual([]);
  });

  it('tells of a device that joined, whatever is synced, and keeps no cursor for it', () => {
    const outs = open().frame(0, frame(0, { case: 'delivery', value: { ...joined, cursor: new Uint8Array(16) } }));
    expect(outs).toMatchObject([{ out: 'delivered', cursor: new Uint8Array(0) }]);
  });
});

describe('a connection lives', () => {
  it('by what it hears: that somebody is here, said every 8 s, is no answer', () => {
    const session = open();
    expect(sent(session.tell({ case: 'here', value: {} })).length).toBe(1);
    expect(session.nextAt()).toBe(10_000);
  });

  it('while it is answered: an echo after 10 s, the end 15 s after that', () => {
    const session = open();
    expect(session.nextAt()).toBe(10_000);
    expect(session.tick(9_999)).toEqual([]);
    expect(sent(session.tick(10_000))[0]?.body.case).toBe('echo');
    expect(session.tick(24_999)).toEqual([]);
    session.frame(24_999, frame(3, { case: 'done', value: {} }));
    expect(session.nextAt()).toBe(34_999);
    session.tick(34_999);
    expect(names(session.tick(49_999))).toEqual(['close', 'dead']);
    expect(session.nextAt()).toBe(Infinity);
  });

  it('not when one request stays without an answer for 20 s, whatever else comes', () => {
    const session = open();
    session.ask(0, { ask: 'call', call: 'x' }, { case: 'listRoles', value: {} });
    session.frame(14_000, frame(0, { case: 'silence', value: {} }));
    expect(session.tick(19_999)).toEqual([]);
    expect(names(session.tick(20_000))).toEqual(['close', 'dead']);
  });

  it('not when the doorway never opens', () => {
    const session = new Session<string>(SIGN_IN, 'x', 5);
    expect(session.tick(15_004)).toEqual([]);
    expect(session.tick(15_005)).toEqual([{ out: 'close' }, { out: 'dead', why: 'unreachable' }]);
  });

  it('not for long where the network changed and nothing is heard', () => {
    const session = open();
    expect(sent(session.probe(1_000))[0]?.body.case).toBe('echo');
    expect(session.tick(3_999)).toEqual([]);
    expect(names(session.tick(4_000))).toEqual(['close', 'dead']);
    const other = open();
    other.probe(1_000);
    other.frame(3_000, frame(0, { case: 'silence', value: {} }));
    expect(other.tick(4_000)).toEqual([]);
  });

  it('passes over a frame of a later version, and ends at what is no answer', () => {
    const session = open();
    expect(session.frame(0, frame(0, undefined))).toEqual([]);
    session.ask(0, { ask: 'call', call: 'x' }, { case: 'listRoles', value: {} });
    expect(session.frame(0, frame(3, undefined))).toEqual([]);
    expect(names(session.frame(0, frame(3, { case: 'rolePage', value: {} })))).toEqual(['answer']);
    session.sync(0, new Uint8Array(0));
    expect(names(session.frame(0, frame(4, { case: 'done', value: {} })))).toEqual(['close', 'dead']);
  });

  it('until the box restarts', () => {
    expect(open().frame(0, frame(0, { case: 'draining', value: { retryAfter: 2_000n } }))).toEqual([
      { out: 'close' },
      { out: 'draining', retryAfter: 2_000 },
    ]);
  });

  it('and keeps the last words of the box', () => {
    const session = open();
    session.frame(0, frame(0, { case: 'refused', value: { code: RefusalCode.ZONE } }));
    expect(session.lastWords?.code).toBe(RefusalCode.ZONE);
  });
});
