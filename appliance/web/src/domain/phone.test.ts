import { describe, expect, it } from 'vitest';

import { ConversationKind, EscalationState, Reach, RefusalCode } from '../gen/wardline_pb.js';
import { type ConversationId, type MessageName, NONE } from './ids.ts';
import type { Snapshot } from './snapshot.ts';
import { ANAS, Bench, hex, need, seeded } from './testing/bench.ts';
import { Box, DEVICE, PIN, refused, WARD } from './testing/box.ts';

function started(prepare: (box: Box) => void = () => undefined): Bench {
  const box = new Box();
  prepare(box);
  const bench = new Bench(box);
  bench.start();
  bench.settle();
  return bench;
}

function locked(): Bench {
  return started((box) => {
    box.isPinWanted = true;
  });
}

/** A phone of nobody's yet. */
function unjoined(): Bench {
  const bench = new Bench(new Box(), seeded(1), null);
  bench.start();
  return bench;
}

/** How often the box was asked. */
function heard(bench: Bench, what: string): number {
  return bench.box.heard.filter((body) => body.case === what).length;
}

/** Nothing of anybody's is in it. */
function expectNothingSeen(snapshot: Snapshot): void {
  expect(snapshot).toMatchObject({ me: null, inbox: [], conversation: null, people: [], roles: null, devices: [], caughtUp: false });
}

const RING = { conversation: WARD, sequence: 4n, state: EscalationState.RINGING, unit: 1n, senderTitle: 'RN', opened: 9n } as const;

describe('joining', () => {
  it('keeps who this device is, and is open', () => {
    const bench = unjoined();
    expect(bench.snapshot.stage).toBe('joining');
    bench.command('join', 'abcde-fghjk', PIN, " Ana's phone ");
    expect(bench.snapshot.busy).toBe(true);
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'open', busy: false, me: { name: 'Ana' }, line: { state: 'online', by: 'WebSocket', facility: 'Lindenhof' } });
    expect(bench.disk.identity).toMatchObject({ device: ANAS.device, person: ANAS.person, deviceName: "Ana's phone" });
    expect(bench.box.heard.find((body) => body.case === 'join')?.value).toMatchObject({ code: 'ABCDEFGHJK', deviceName: "Ana's phone", pin: PIN });
  });

  it('says what is wrong before anything is sent', () => {
    const bench = unjoined();
    for (const [code, typed, pin, name] of [
      ['JOIN_CODE_INVALID', 'ABCDE', PIN, 'x'],
      ['PIN_TOO_SHORT', 'ABCDEFGHJK', '12345', 'x'],
      ['PIN_TOO_COMMON', 'ABCDEFGHJK', '123456', 'x'],
      ['DEVICE_NAME', 'ABCDEFGHJK', PIN, ' '],
    ] as const) {
      bench.command('join', typed, pin, name);
      expect(bench.snapshot).toMatchObject({ stage: 'joining', busy: false, refusal: { code } });
    }
    expect(bench.effects).toEqual([]);
  });

  it('goes again with the same code and key when the answer is lost', () => {
    const bench = unjoined();
    bench.command('join', 'ABCDEFGHJK', PIN, 'x');
    while (bench.box.deviceKey === null) bench.step();
    bench.drop();
    expect(bench.disk.identity).toBeNull();
    bench.pass(2_000);
    expect(bench.snapshot.stage).toBe('open');
    expect(heard(bench, 'join')).toBe(2);
  });

  it('is given up after three attempts, and forgets the PIN', () => {
    const bench = unjoined();
    bench.isReachable = false;
    bench.command('join', 'ABCDEFGHJK', PIN, 'x');
    bench.pass(120_000);
    expect(bench.snapshot).toMatchObject({ stage: 'joining', busy: false, refusal: { code: 'OFFLINE' } });
    expect(bench.effects.filter((effect) => effect.effect === 'connect').length).toBe(3);
    expect(bench.phone.nextAt()).toBe(Infinity);
  });

  it('that is refused asks for another code', () => {
    const bench = unjoined();
    bench.command('join', 'ZZZZZFGHJK', PIN, 'x');
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'joining', busy: false, refusal: { code: 'JOIN_CODE_INVALID' } });
    bench.command('join', 'ABCDEFGHJK', PIN, 'x');
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'open', refusal: null });
  });
});

describe('somebody at a bed', () => {
  function asked(): Bench {
    const bench = unjoined();
    bench.box.instead.set('askToVisit', [{ case: 'visitAsked', value: { device: DEVICE } }]);
    bench.command('visit', 'ABCDEFGHJK', PIN, 'My phone', ' Dora Doe ', 'daughter');
    while (heard(bench, 'askToVisit') === 0) bench.step();
    bench.box.instead.set('hello', [refused(RefusalCode.FAMILY_WAITING)]);
    bench.settle();
    return bench;
  }

  it('asks to be let in with the code that hangs there, and waits', () => {
    const bench = asked();
    expect(bench.snapshot).toMatchObject({ stage: 'asked', busy: false, refusal: null });
    expectNothingSeen(bench.snapshot);
    expect(bench.box.heard.find((body) => body.case === 'askToVisit')?.value).toMatchObject({ code: 'ABCDEFGHJK', name: 'Dora Doe', relation: 'daughter', pin: PIN });
    expect(bench.effects).toContainEqual(expect.objectContaining({ effect: 'prepareKey', bedside: true, own: false }));
    expect(bench.disk.identity).toMatchObject({ device: ANAS.device, person: null });
  });

  it('who cannot be called by a name asks nothing', () => {
    const bench = unjoined();
    bench.command('visit', 'ABCDEFGHJK', PIN, 'My phone', ' ', '');
    expect(bench.snapshot).toMatchObject({ stage: 'joining', refusal: { code: 'VISITOR_NAME' } });
  });

  it('is looked for again by itself, not too often, and wants the PIN once they are let in', () => {
    const bench = asked();
    bench.box.isPinWanted = true;
    const before = heard(bench, 'hello');
    bench.pass(14_000);
    expect(heard(bench, 'hello')).toBe(before);
    bench.pass(6_000);
    expect(bench.snapshot.stage).toBe('locked');
    bench.command('unlock', PIN);
    bench.settle();
    expect(bench.snapshot.stage).toBe('open');
    expect(bench.disk.identity).toMatchObject({ person: ANAS.person });
  });

  it('may ask at once what became of it, and is told when they are not let in', () => {
    const bench = asked();
    bench.box.instead.set('hello', [refused(RefusalCode.FAMILY_DECLINED)]);
    bench.command('lookAgain');
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'joining', refusal: { code: 'FAMILY_DECLINED' } });
  });

  it('waits on after the app was started again', () => {
    const bench = asked();
    bench.box.instead.set('hello', [refused(RefusalCode.FAMILY_WAITING)]);
    bench.restart();
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'asked', refusal: null });
  });

  it('is shown as a visitor, and told when the visit is over', () => {
    const bench = asked();
    bench.box.visitor = true;
    bench.command('lookAgain');
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'open', visitor: true, me: { name: 'Ana' } });
    bench.drop(0x13);
    expect(bench.snapshot).toMatchObject({ stage: 'joining', refusal: { code: 'FAMILY_OVER' } });
    expectNothingSeen(bench.snapshot);
  });
});

describe('a PIN', () => {
  it('opens, and a wrong one says how many are left', () => {
    const bench = locked();
    expect(bench.snapshot).toMatchObject({ stage: 'locked', line: { state: 'online' } });
    expectNothingSeen(bench.snapshot);
    bench.command('unlock', '111112');
    expect(bench.snapshot.busy).toBe(true);
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'locked', busy: false, refusal: { code: 'PIN_WRONG', triesLeft: 9 } });
    bench.command('unlock', PIN);
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'open', busy: false, refusal: null, caughtUp: true });
    expect(bench.snapshot.inbox.length).toBe(1);
  });

  it('is put out of the conversation before them, and let in again: it does not come up by itself', () => {
    const bench = started();
    bench.command('openConversation', hex(WARD));
    bench.settle();
    expect(bench.snapshot.conversation?.item.id).toBe(hex(WARD));
    bench.box.change({ case: 'gone', value: { conversation: WARD } });
    bench.settle();
    expect(bench.snapshot.conversation).toBeNull();
    bench.box.change(bench.box.conversation());
    bench.settle();
    expect(bench.snapshot.inbox.map((item) => item.id)).toContain(hex(WARD));
    expect(bench.snapshot.conversation).toBeNull();
  });

  it('is asked for when the session locks: everything is hidden, and comes back', () => {
    const bench = started();
    bench.command('openConversation', hex(WARD));
    bench.box.say('hello');
    bench.settle();
    expect(bench.snapshot.conversation?.messages.length).toBe(1);
    need(bench.box.current).lock();
    bench.settle();
    expect(bench.snapshot.stage).toBe('locked');
    expectNothingSeen(bench.snapshot);
    bench.box.say('while locked');
    bench.command('unlock', PIN);
    bench.settle();
    expect(bench.snapshot.conversation?.messages.map((one) => one.text)).toEqual(['hello', 'while locked']);
  });

  it('that is typed while it connects waits for that attempt, and for no later one', () => {
    const bench = new Bench(new Box());
    bench.box.isPinWanted = true;
    bench.isReachable = false;
    bench.start();
    bench.pass(15_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', line: { state: 'offline' } });
    bench.command('unlock', PIN);
    expect(bench.snapshot.busy).toBe(true);
    bench.pass(15_000);
    expect(bench.snapshot).toMatchObject({ busy: false, refusal: { code: 'OFFLINE' } });
    bench.isReachable = true;
    bench.pass(30_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', line: { state: 'online' } });
    bench.drop();
    bench.command('unlock', PIN);
    bench.settle();
    expect(bench.snapshot.stage).toBe('open');
  });

  it('that was wrong ten times wants a code, which joins with the same key', () => {
    const bench = locked();
    bench.box.triesLeft = 1;
    bench.command('unlock', '111112');
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'joining', refusal: { code: 'PIN_LOCKED_OUT' } });
    bench.command('join', 'ABCDEFGHJK', PIN, 'x');
    bench.settle();
    expect(bench.snapshot.stage).toBe('open');
    expect(bench.effects.find((effect) => effect.effect === 'prepareKey')).toMatchObject({ own: true });
    expect(bench.effects.filter((effect) => effect.effect === 'sign').every((effect) => effect.key === 'device')).toBe(true);
  });
});

describe('a passkey', () => {
  const assertion = (first: number) => ({ credential: new Uint8Array(16).fill(4), clientData: new Uint8Array(1), authenticatorData: new Uint8Array(37), signature: Uint8Array.of(first) });

  it('is offered where the box says that it would do, and opens', () => {
    const bench = locked();
    expect(bench.snapshot.passkey).toBe(false);
    bench.command('unlock', PIN);
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'open', passkey: false });
    bench.box.passkey = true;
    bench.command('lock');
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'locked', passkey: true });
    expectNothingSeen(bench.snapshot);
    bench.give({ input: 'ask', number: 7, body: { case: 'askPasskeyChallenge', value: {} } });
    bench.settle();
    expect(bench.effects.find((effect) => effect.effect === 'replied')).toMatchObject({ number: 7, reply: { reply: 'answer', body: { case: 'passkeyChallenge' } } });
    bench.command('unlockByPasskey', assertion(0x30));
    expect(bench.snapshot.busy).toBe(true);
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'open', refusal: null });
    expect(heard(bench, 'unlock')).toBe(1);
  });

  it('that is refused leaves the PIN, and costs no try', () => {
    const bench = locked();
    bench.box.passkey = true;
    bench.drop();
    bench.pass(30_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', passkey: true });
    bench.command('unlockByPasskey', assertion(0));
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'locked', passkey: true, refusal: { code: 'PASSKEY_WRONG' } });
    expect(bench.box.triesLeft).toBe(10);
    bench.box.instead.set('unlockByPasskey', [{ case: 'refused', value: { code: RefusalCode.PIN_DUE } }]);
    bench.command('unlockByPasskey', assertion(0x30));
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'locked', passkey: false, refusal: { code: 'PIN_DUE' } });
    bench.command('unlock', PIN);
    bench.settle();
    expect(bench.snapshot.stage).toBe('open');
  });

  it('is not offered without the box, and nothing else is answered while locked', () => {
    const bench = locked();
    bench.box.passkey = true;
    bench.drop();
    bench.isReachable = false;
    bench.pass(30_000);
    expect(bench.snapshot.passkey).toBe(false);
    bench.command('unlockByPasskey', assertion(0x30));
    expect(bench.snapshot.refusal?.code).toBe('OFFLINE');
    bench.give({ input: 'ask', number: 8, body: { case: 'listPasskeys', value: {} } });
    expect(bench.effects.find((effect) => effect.effect === 'replied')).toMatchObject({ number: 8, reply: { reply: 'refused', refusal: { code: 'LOCKED' } } });
  });
});

describe('locking here', () => {
  it('hides at once, and the box locks the session: the PIN is its to look at', () => {
    const bench = locked();
    bench.command('unlock', PIN);
    bench.settle();
    bench.command('lock');
    expect(bench.snapshot.stage).toBe('locked');
    expectNothingSeen(bench.snapshot);
    bench.settle();
    expect(heard(bench, 'lock')).toBe(1);
    expect(need(bench.box.current).state).toBe('barred');
    bench.command('unlock', '111112');
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'locked', refusal: { code: 'PIN_WRONG', triesLeft: 9 } });
    bench.command('unlock', PIN);
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'open', refusal: null });
    expect(heard(bench, 'unlock')).toBe(3);
  });

  it('holds over a connection that breaks and a start of the app: the box is told on the next one', () => {
    const bench = locked();
    bench.command('unlock', PIN);
    bench.settle();
    bench.drop();
    bench.isReachable = false;
    bench.command('lock');
    bench.restart();
    bench.isReachable = true;
    bench.pass(60_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', line: { state: 'online' } });
    expect(heard(bench, 'lock')).toBe(1);
    bench.command('unlock', PIN);
    bench.settle();
    expect(bench.snapshot.stage).toBe('open');
    expect(bench.disk.identity?.locked).toBe(false);
  });

  it('lets what was composed leave first, over the session that is open still, and reads nothing on it', () => {
    const bench = started();
    bench.drop();
    bench.isReachable = false;
    bench.command('openConversation', hex(WARD));
    bench.command('send', hex(WARD), 'written offline', 'routine', 0);
    bench.command('lock');
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'locked', waiting: 1 });
    const syncs = heard(bench, 'sync');
    bench.isReachable = true;
    bench.pass(60_000);
    expect(bench.box.log.filter((one) => one.text === 'written offline')).toHaveLength(1);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', waiting: 0 });
    expect([heard(bench, 'lock'), heard(bench, 'sync')]).toEqual([1, syncs]);
  });

  it('waits five seconds for what does not leave, and no longer', () => {
    const bench = started();
    bench.box.instead.set('submit', Array.from({ length: 100 }, () => ({ case: 'refused' as const, value: { code: RefusalCode.SLOW_DOWN, retryAfter: 60_000n } })) as never);
    bench.command('openConversation', hex(WARD));
    bench.command('send', hex(WARD), 'not now', 'routine', 0);
    bench.settle();
    bench.command('lock');
    bench.pass(4_999);
    expect(heard(bench, 'lock')).toBe(0);
    bench.pass(1);
    expect(heard(bench, 'lock')).toBe(1);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', waiting: 1 });
  });

  it('happens by itself after the time that the box named, without it too', () => {
    const bench = started();
    bench.pass(299_000);
    expect(bench.snapshot.stage).toBe('open');
    bench.command('touched');
    bench.drop();
    bench.isReachable = false;
    bench.pass(299_999);
    expect(bench.snapshot.stage).toBe('open');
    bench.pass(1);
    expect(bench.snapshot.stage).toBe('locked');
    expectNothingSeen(bench.snapshot);
  });

  it('is not put off by a connection that comes back: that is no act of anybody', () => {
    const bench = started();
    bench.pass(100_000);
    const before = heard(bench, 'active');
    bench.drop();
    bench.pass(199_999);
    expect(bench.snapshot).toMatchObject({ stage: 'open', line: { state: 'online' } });
    bench.pass(1);
    expect(bench.snapshot.stage).toBe('locked');
    expect(heard(bench, 'active')).toBe(before);
  });

  it('counts the time that the device slept', () => {
    const bench = started();
    bench.now = { ...bench.now, wall: bench.now.wall + 300_000 };
    bench.give({ input: 'foreground', isVisible: true });
    expect(bench.snapshot.stage).toBe('locked');
  });

  it('lets nothing be done but come', () => {
    const bench = started();
    bench.command('lock');
    bench.settle();
    const before = bench.box.heard.length;
    bench.command('send', hex(WARD), 'hello', 'routine', 0);
    bench.command('openConversation', hex(WARD));
    bench.command('answerStat', hex(WARD), 4, 'accept');
    bench.settle();
    expect([bench.box.heard.length, bench.snapshot.waiting]).toEqual([before, 0]);
    bench.command('answerStat', hex(WARD), 4, 'coming');
    bench.settle();
    expect(heard(bench, 'answerStat')).toBe(1);
  });
});

describe('a STAT', () => {
  it('rings on a locked phone without a name or a text, and one is coming from there', () => {
    const bench = locked();
    need(bench.box.current).send(0n, { case: 'ring', value: RING });
    bench.settle();
    expect(bench.snapshot.ringing).toEqual([
      { conversation: hex(WARD), sequence: 4, unit: '', senderTitle: 'RN', opened: 9, dial: '', outside: true, coming: false, held: false },
    ]);
    bench.command('answerStat', hex(WARD), 4, 'coming');
    bench.settle();
    expect(bench.snapshot.ringing).toMatchObject([{ coming: true }]);
    need(bench.box.current).send(0n, { case: 'ring', value: { ...RING, state: EscalationState.HELD } });
    bench.settle();
    expect(bench.snapshot.ringing).toMatchObject([{ coming: true, held: true }]);
    need(bench.box.current).send(0n, { case: 'silence', value: { conversation: WARD, sequence: 4n } });
    bench.settle();
    expect(bench.snapshot.ringing).toEqual([]);
  });

  it('is forgotten with the next sign-in unless the box says it again, and without the box after a minute', () => {
    const bench = started();
    need(bench.box.current).send(0n, { case: 'ring', value: RING });
    bench.settle();
    bench.drop();
    expect(bench.snapshot.ringing.length).toBe(1);
    bench.pass(5_000);
    expect(bench.snapshot.ringing).toEqual([]);
    need(bench.box.current).send(0n, { case: 'ring', value: RING });
    bench.settle();
    bench.isReachable = false;
    bench.drop();
    bench.pass(59_999);
    expect(bench.snapshot.ringing.length).toBe(1);
    bench.pass(1);
    expect(bench.snapshot.ringing).toEqual([]);
  });

  it('is forgotten where the PIN is asked for on a new connection, and not where the session just locks', () => {
    const bench = started();
    need(bench.box.current).send(0n, { case: 'ring', value: RING });
    need(bench.box.current).lock();
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'locked', ringing: [{ senderTitle: 'RN', unit: '4 West' }] });
    bench.drop();
    bench.pass(5_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', ringing: [], line: { state: 'online' } });
  });

  it('is answered with the signature of the device', () => {
    const bench = started();
    bench.command('answerStat', hex(WARD), 4, 'cannot', 'notMine');
    expect(heard(bench, 'answerStat')).toBe(0);
    bench.settle();
    expect(bench.box.heard.find((body) => body.case === 'answerStat')?.value).toMatchObject({
      conversation: WARD,
      sequence: 4n,
      at: 1_800_000_000_000n,
      signature: new Uint8Array(64).fill(5),
      answer: { case: 'decline', value: { reason: 2 } },
    });
  });

  it('is shown whom it would reach, of the conversation that is open', () => {
    const called = [{ person: 0xbn, reach: Reach.BELL_ONLY, silentUntil: 9n, cover: 0xan, offSite: '555' }, { person: 0xcn, reach: 77 as Reach }];
    const value = { called, calledCount: 2, firstWait: 60, steps: [{ people: 3, reachable: 1 }], stations: 2, stationsReachable: 1, dial: '112' };
    const bench = started((box) => box.instead.set('askProspect', [{ case: 'prospect', value }, refused(RefusalCode.SLOW_DOWN)]));
    bench.command('openConversation', hex(WARD));
    bench.command('askProspect');
    bench.settle();
    expect(bench.snapshot.conversation?.prospect).toEqual({
      at: 1_800_000_000_000,
      called: [
        { name: 'Ben', title: 'MD', reach: 'bell', silent: true, cover: 'Ana', offSite: '555' },
        { name: '', title: '', reach: 'none', silent: false, cover: '', offSite: '' },
      ],
      calledCount: 2,
      firstWait: 60,
      steps: [{ people: 3, reachable: 1 }],
      stations: 2,
      stationsReachable: 1,
      dial: '112',
    });
    bench.box.change({ case: 'conversation', value: { conversation: 0x78n, kind: ConversationKind.GROUP, title: 'Other' } });
    bench.settle();
    bench.command('openConversation', hex(0x78n));
    expect(bench.snapshot.conversation).toMatchObject({ item: { title: 'Other' }, prospect: null });
    bench.command('openConversation', hex(WARD));
    expect(bench.snapshot.conversation?.prospect?.calledCount).toBe(2);
    bench.command('askProspect');
    bench.settle();
    expect(bench.snapshot).toMatchObject({ conversation: { prospect: null }, refusal: { code: 'SLOW_DOWN' } });
  });

  it('that is refused says why', () => {
    const bench = started((box) => box.instead.set('answerStat', [refused(RefusalCode.STAT_TAKEN)]));
    bench.command('answerStat', hex(WARD), 4, 'accept');
    bench.settle();
    expect(bench.snapshot.refusal).toMatchObject({ code: 'STAT_TAKEN' });
    bench.command('dismissRefusal');
    expect(bench.snapshot.refusal).toBeNull();
    bench.drop();
    bench.command('answerStat', hex(WARD), 4, 'close');
    expect(bench.snapshot.refusal).toMatchObject({ code: 'OFFLINE' });
  });
});

describe('the end', () => {
  it.each([
    [0x12, 'superseded'],
    [0x13, 'revoked'],
  ] as const)('of code %i is final, and leaves nothing on the screen', (code, why) => {
    const bench = started();
    bench.drop(code);
    bench.pass(60_000);
    expect(bench.snapshot).toMatchObject({ stage: 'ended', ended: why, line: { state: 'offline' } });
    expectNothingSeen(bench.snapshot);
    expect(bench.effects.filter((effect) => effect.effect === 'connect').length).toBe(1);
    expect(bench.phone.nextAt()).toBe(Infinity);
  });

  it.each([
    [RefusalCode.PERSON_SUSPENDED, 'suspended'],
    [RefusalCode.VERSION_UNSUPPORTED, 'tooOld'],
  ] as const)('is what refusal %i is', (code, why) => {
    expect(started((box) => box.instead.set('hello', [refused(code)])).snapshot).toMatchObject({ stage: 'ended', ended: why });
  });

  it('is none where the box does not know the device: a new code, and what waits is kept for the same person', () => {
    const bench = started();
    bench.isReachable = false;
    bench.drop();
    bench.command('send', hex(WARD), 'later', 'routine', 0);
    bench.pass(60_000);
    bench.box.instead.set('hello', [refused(RefusalCode.DEVICE_UNKNOWN)]);
    bench.isReachable = true;
    bench.pass(30_000);
    expect(bench.snapshot).toMatchObject({ stage: 'joining', refusal: { code: 'DEVICE_UNKNOWN' }, waiting: 1 });
    expectNothingSeen(bench.snapshot);
    bench.command('join', 'ABCDEFGHJK', PIN, 'x');
    bench.settle();
    expect(bench.box.log.map((one) => one.text)).toEqual(['later']);
  });

  it('of what waits is another person who joins here', () => {
    const bench = new Bench(new Box(), seeded(1), { ...ANAS, person: hex(0xbn) as typeof ANAS.person });
    bench.box.instead.set('hello', [refused(RefusalCode.DEVICE_UNKNOWN)]);
    const name = 'aa'.repeat(16) as MessageName;
    const to = hex(WARD) as ConversationId;
    bench.disk.waiting.set(name, { name, conversation: to, text: "Ben's", priority: 'routine', replyTo: NONE, people: [], roles: [], files: [], composed: 1, number: null, failed: null });
    bench.start();
    bench.settle();
    bench.command('join', 'ABCDEFGHJK', PIN, 'x');
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'open', waiting: 0 });
    expect([bench.box.log, bench.disk.waiting.size]).toEqual([[], 0]);
  });

  it('comes after five faults of this app in a row', () => {
    const bench = started();
    for (let times = 0; times < 5; times += 1) {
      bench.drop(0x102);
      bench.pass(9_000);
    }
    expect(bench.snapshot).toMatchObject({ stage: 'ended', ended: 'tooOld' });
  });

  it('comes when the disk fails', () => {
    const bench = started();
    bench.give({ input: 'storageFailed' });
    expect(bench.snapshot).toMatchObject({ stage: 'ended', ended: 'storage' });
  });
});

describe('without the box', () => {
  it('what is known stays to be read, and what is written waits', () => {
    const bench = started();
    bench.box.say('hello');
    bench.settle();
    bench.command('openConversation', hex(WARD));
    bench.isReachable = false;
    bench.drop();
    expect(bench.snapshot).toMatchObject({ stage: 'open', caughtUp: false, line: { state: 'connecting' } });
    bench.pass(20_000);
    bench.command('send', hex(WARD), 'on my way', 'routine', 1);
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'open', line: { state: 'offline' }, waiting: 1 });
    expect(bench.snapshot.conversation?.messages).toMatchObject([
      { text: 'hello', fate: null },
      { text: 'on my way', fate: 'waiting', sequence: 0, mine: true, replyTo: { author: 'Ben', text: 'hello' } },
    ]);
    const key = bench.snapshot.conversation?.messages[1]?.key;
    bench.isReachable = true;
    bench.pass(30_000);
    expect(bench.snapshot).toMatchObject({ stage: 'open', caughtUp: true, waiting: 0 });
    expect(bench.snapshot.conversation?.messages[1]).toMatchObject({ key, fate: 'sent', sequence: 2 });
  });

  it('a start waits three seconds for it, and then asks for the PIN', () => {
    const bench = new Bench(new Box());
    bench.isReachable = false;
    bench.start();
    bench.pass(2_999);
    expect(bench.snapshot).toMatchObject({ stage: 'starting', line: { state: 'connecting' } });
    bench.pass(1);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', line: { state: 'connecting' } });
    bench.isReachable = true;
    bench.pass(20_000);
    expect(bench.snapshot).toMatchObject({ stage: 'open', line: { state: 'online' } });
  });

  it('a sign-in that is declined for a moment is said, until it is let in', () => {
    const bench = started();
    bench.box.instead.set('prove', [refused(RefusalCode.SLOW_DOWN, 0, 4_000n)]);
    bench.drop();
    bench.pass(2_000);
    expect(bench.snapshot).toMatchObject({ stage: 'open', refusal: { code: 'SLOW_DOWN', retryAfter: 4 } });
    bench.pass(10_000);
    expect(bench.snapshot).toMatchObject({ stage: 'open', refusal: null, line: { state: 'online' } });
    expect(bench.snapshot.line.since).toBeGreaterThan(1_800_000_000_000);
  });

  it('a network that comes back is tried at once, unless the box said how long to wait', () => {
    const bench = started();
    bench.isReachable = false;
    bench.drop();
    bench.pass(40_000);
    bench.isReachable = true;
    while (bench.wire !== null) bench.wait(1_000);
    bench.give({ input: 'network' });
    bench.settle();
    expect(bench.snapshot.line.state).toBe('online');
    need(bench.box.current).send(0n, { case: 'draining', value: { retryAfter: 5_000n } });
    bench.settle();
    bench.give({ input: 'network' });
    bench.settle();
    expect(bench.snapshot.line.state).toBe('connecting');
    bench.pass(10_000);
    expect(bench.snapshot.line.state).toBe('online');
  });
});

describe('what the box is told', () => {
  it('is who is here, every 8 s while the app is open in front of somebody', () => {
    const bench = started();
    bench.pass(20_000);
    expect(heard(bench, 'here')).toBe(0);
    bench.give({ input: 'foreground', isVisible: true });
    bench.settle();
    expect(heard(bench, 'here')).toBe(1);
    bench.pass(16_000);
    expect(heard(bench, 'here')).toBe(3);
    bench.give({ input: 'foreground', isVisible: false });
    bench.pass(16_000);
    expect(heard(bench, 'here')).toBe(3);
    bench.give({ input: 'foreground', isVisible: true });
    bench.command('lock');
    bench.pass(16_000);
    expect(heard(bench, 'here')).toBe(4);
  });

  it('is that the person does something, at most every few seconds', () => {
    const bench = started();
    const before = heard(bench, 'active');
    for (let times = 0; times < 20; times += 1) {
      bench.command('touched');
      bench.pass(1_000);
    }
    expect(heard(bench, 'active') - before).toBeLessThanOrEqual(4);
    expect(heard(bench, 'active') - before).toBeGreaterThanOrEqual(3);
  });

  it('is what was delivered, and what was seen', () => {
    const bench = started();
    bench.box.say('one');
    bench.box.say('two');
    bench.pass(500);
    const receipts = (): unknown[] => bench.box.heard.flatMap((body) => (body.case === 'receipt' ? [[body.value.delivered, body.value.read]] : []));
    expect(receipts()).toEqual([[2n, 0n]]);
    expect(bench.snapshot.inbox[0]).toMatchObject({ unread: 2, lastText: 'two', lastAuthor: 'Ben' });
    bench.command('openConversation', hex(WARD));
    bench.command('seen', 2);
    bench.command('seen', 9);
    bench.pass(500);
    expect(receipts()).toEqual([[2n, 0n], [2n, 2n]]);
    expect(bench.snapshot.inbox[0]?.unread).toBe(0);
    bench.drop();
    bench.pass(5_000);
    expect(receipts().at(-1)).toEqual([2n, 2n]);
    // Whoever leaves says it before.
    bench.box.say('three');
    bench.settle();
    bench.give({ input: 'foreground', isVisible: false });
    bench.settle();
    expect(receipts().at(-1)).toEqual([3n, 2n]);
  });
});

describe('numbers that the box took for reused', () => {
  it('are given anew: nothing is lost by a disk from a copy', () => {
    const bench = started();
    bench.command('send', hex(WARD), 'before', 'routine', 0);
    bench.settle();
    // A copy of the disk from before, on which the number goes to another message.
    const name = 'aa'.repeat(16) as MessageName;
    const to = hex(WARD) as ConversationId;
    bench.disk.waiting.set(name, { name, conversation: to, text: 'after', priority: 'routine', replyTo: NONE, people: [], roles: [], files: [], composed: 2, number: 1n, failed: null });
    bench.restart();
    bench.pass(20_000);
    expect(bench.box.log.map((one) => one.text)).toEqual(['before', 'after']);
    expect(bench.snapshot).toMatchObject({ stage: 'open', waiting: 0 });
  });
});

describe('the last word of the box', () => {
  it('is why it closed, and is tried again from another network', () => {
    const bench = started();
    need(bench.box.current).send(0n, refused(RefusalCode.ZONE));
    need(bench.box.current).close(0x14);
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'open', refusal: { code: 'ZONE' } });
    bench.pass(5_000);
    expect(bench.snapshot).toMatchObject({ refusal: null, line: { state: 'online' } });
  });
});

describe('devices', () => {
  it('that the person does not know are told of, once they were shown no more', () => {
    const bench = started((box) => box.devices.push({ device: 5n, name: 'Tablet' }));
    const devices = (): unknown[] => bench.snapshot.devices.map((one) => [one.name, one.isThis, one.isNew]);
    expect(devices()).toEqual([["Ana's phone", true, false], ['Tablet', false, true]]);
    bench.command('devicesShown');
    expect(devices()).toEqual([["Ana's phone", true, false], ['Tablet', false, false]]);
    bench.box.change({ case: 'deviceJoined', value: { device: 6n, name: 'Desk' } });
    bench.settle();
    expect(devices()[2]).toEqual(['Desk', false, true]);
    bench.restart();
    bench.settle();
    expect(devices()).toEqual([["Ana's phone", true, false], ['Tablet', false, false]]);
  });
});

describe('a box that is none', () => {
  it('is left when it sends what is no frame, or no identifier', () => {
    const bench = started();
    const line = need(bench.wire).line;
    bench.give({ input: 'bytes', line, bytes: Uint8Array.of(0, 0, 0, 0) });
    expect(bench.wire).toBeNull();
    bench.pass(2_000);
    need(bench.box.current).send(0n, { case: 'ring', value: { ...RING, conversation: 0n } });
    bench.settle();
    expect(bench.wire).toBeNull();
    bench.pass(5_000);
    expect(bench.snapshot).toMatchObject({ stage: 'open', line: { state: 'online' } });
  });

  it('has another past: everything is taken anew', () => {
    const bench = started();
    bench.box.say('before');
    bench.box.say('and before');
    bench.settle();
    bench.command('openConversation', hex(WARD));
    bench.drop();
    bench.box.log.splice(0, 2, { sequence: 1n, sender: 0xbn, name: '00'.repeat(16), text: 'after' });
    bench.box.instead.set('sync', [refused(RefusalCode.CURSOR_INVALID)]);
    bench.pass(5_000);
    expect(bench.snapshot.conversation?.messages.map((one) => one.text)).toEqual(['after']);
  });
});
