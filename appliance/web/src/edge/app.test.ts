import 'fake-indexeddb/auto';

import { createHash, createPublicKey, verify } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Bytes } from '../domain/bytes.ts';
import { hashOf, signInBytes, joinBytes, deviceKeyOf } from '../domain/proofs.ts';
import type { DeviceId } from '../domain/ids.ts';
import type { App, Snapshot } from '../domain/snapshot.ts';
import { hex } from '../domain/testing/bench.ts';
import { Box, type BoxConnection, DEVICE, PIN, WARD } from '../domain/testing/box.ts';
import { startApp } from './app.ts';
import { originBinding } from './keys.ts';

/** What the page's address says, and nothing else of a browser. */
const ADDRESS = { host: 'box.example:8443', origin: 'https://box.example:8443', search: '', hash: '' };

let box: Box;
let sockets: FakeSocket[];

/** A WebSocket whose other end is the box. */
class FakeSocket {
  static readonly OPEN = 1;
  readyState = 0;
  bufferedAmount = 0;
  binaryType = '';
  readonly protocol: string;
  readonly url: string;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  closedWith: number | null = null;
  readonly connection: BoxConnection;

  constructor(url: string, protocol: string) {
    this.url = url;
    this.protocol = protocol;
    sockets.push(this);
    const isOpen = (): boolean => this.closedWith === null && this.readyState === 1;
    this.connection = box.connect(
      (bytes) => queueMicrotask(() => isOpen() && this.onmessage?.({ data: Uint8Array.from(bytes).buffer })),
      (code) => queueMicrotask(() => this.end(4_000 + code)),
    );
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(bytes: Uint8Array): void {
    this.connection.take(Uint8Array.from(bytes));
  }

  close(code: number): void {
    this.closedWith = code;
    this.readyState = 3;
    if (box.current === this.connection) box.current = null;
  }

  /** The other end is gone. */
  end(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    if (box.current === this.connection) box.current = null;
    this.onclose?.({ code });
  }
}

/** Once the app looks so. */
function until(app: App, looks: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
  return new Promise((resolve) => {
    const stop = app.subscribe((snapshot) => {
      if (!looks(snapshot)) return;
      stop();
      resolve(snapshot);
    });
    if (looks(app.snapshot)) {
      stop();
      resolve(app.snapshot);
    }
  });
}

function last(): FakeSocket {
  const socket = sockets.at(-1);
  if (socket === undefined) throw new Error('nothing was opened');
  return socket;
}

/** Locks as a browser has them: one holder of a name, whoever waits, and whoever takes it. */
function locks(): { request: (name: string, options: LockOptions, run: (lock: object | null) => unknown) => Promise<unknown> } {
  let lose: ((why: Error) => void) | null = null;
  return {
    request: async (_, options, run) => {
      if (lose !== null && options.ifAvailable === true) return run(null);
      if (lose !== null && options.steal !== true) return new Promise(() => undefined);
      lose?.(new Error('stolen'));
      return new Promise((_resolve, reject) => {
        lose = reject;
        run({});
      });
    },
  };
}

/** What a tab keeps for itself. */
function tabStorage(): Pick<globalThis.Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value), removeItem: (key) => void kept.delete(key) };
}

beforeEach(async () => {
  box = new Box();
  sockets = [];
  const listener = (): void => undefined;
  vi.stubGlobal('location', ADDRESS);
  vi.stubGlobal('document', { visibilityState: 'visible', addEventListener: listener, querySelector: () => null });
  vi.stubGlobal('addEventListener', listener);
  vi.stubGlobal('navigator', { locks: locks() });
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('sessionStorage', tabStorage());
  await new Promise((resolve) => {
    indexedDB.deleteDatabase('wardline').onsuccess = resolve;
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the app of a page', () => {
  it('joins, says something, and is the same device after a reload, with what it had to send', async () => {
    const app = startApp();
    await until(app, (snapshot) => snapshot.stage === 'joining');
    app.join('ABCDE-FGHJK', PIN, "Ana's phone");
    await until(app, (snapshot) => snapshot.stage === 'open' && snapshot.caughtUp);
    expect(last().url).toBe('wss://box.example:8443/wardline/1');
    app.openConversation(hex(WARD));
    app.send(hex(WARD), 'on my way', 'routine', 0);
    await until(app, (snapshot) => snapshot.conversation?.messages[0]?.fate === 'sent');
    expect(box.log.map((one) => one.text)).toEqual(['on my way']);

    // The page goes, and comes back in another one: with the next lock.
    last().close(1_000);
    vi.stubGlobal('navigator', { locks: locks() });
    box.isPinWanted = true;
    const again = startApp();
    await until(again, (snapshot) => snapshot.stage === 'locked' && snapshot.line.state === 'online');
    expect(again.snapshot).toMatchObject({ me: null, inbox: [] });
    again.unlock(PIN);
    const open = await until(again, (snapshot) => snapshot.caughtUp);
    expect(open.inbox[0]).toMatchObject({ lastText: 'on my way', title: 'Ben' });
    expect(box.heard.filter((body) => body.case === 'join').length).toBe(1);
  });

  it('proves itself to this origin, by the key that it joined with', async () => {
    const app = startApp();
    await until(app, (snapshot) => snapshot.stage === 'joining');
    app.join('ABCDE-FGHJK', PIN, 'x');
    await until(app, (snapshot) => snapshot.stage === 'open');
    last().end(1_006);
    await until(app, (snapshot) => snapshot.line.state !== 'online');
    await until(app, (snapshot) => snapshot.line.state === 'online');
    const [challenge, binding] = [hashOf(new Uint8Array(32).fill(7)), await originBinding(ADDRESS.origin)];
    const join = box.heard.find((body) => body.case === 'join')?.value;
    const prove = box.heard.find((body) => body.case === 'prove')?.value;
    const key = deviceKeyOf(join?.deviceKey ?? new Uint8Array(0));
    const code = hashOf(createHash('sha256').update('wardline/1 code\0ABCDEFGHJK').digest());
    if (challenge === null || key === null || code === null) throw new Error('no proof');
    const spki = Buffer.concat([Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'), key]);
    const known = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    const isSigned = (said: Bytes, signature: Uint8Array = new Uint8Array(0)): boolean =>
      verify('sha256', said, { key: known, dsaEncoding: 'ieee-p1363' }, signature);
    expect(isSigned(joinBytes(challenge, binding, code, key), join?.signature)).toBe(true);
    expect(isSigned(signInBytes(challenge, binding, hex(DEVICE) as DeviceId), prove?.signature)).toBe(true);
  });

  it('goes by the close codes of the protocol', async () => {
    const app = startApp();
    await until(app, (snapshot) => snapshot.stage === 'joining');
    app.join('ABCDE-FGHJK', PIN, 'x');
    await until(app, (snapshot) => snapshot.stage === 'open');
    last().end(4_000 + 0x12);
    expect(await until(app, (snapshot) => snapshot.stage === 'ended')).toMatchObject({ ended: 'superseded', me: null });
    expect(sockets.length).toBe(1);
  });

  it('leaves what is not the doorway: another protocol, or a text', async () => {
    const app = startApp();
    await until(app, (snapshot) => snapshot.stage === 'joining');
    app.join('ABCDE-FGHJK', PIN, 'x');
    await until(app, (snapshot) => snapshot.stage === 'open');
    const first = last();
    first.onmessage?.({ data: 'hello' });
    expect(first.closedWith).toBe(4_016);
    await until(app, (snapshot) => snapshot.line.state !== 'online');
    await until(app, (snapshot) => snapshot.line.state === 'online');
    expect(sockets.length).toBe(2);
  });

  it('has one connection: a second tab says that it is superseded', async () => {
    const app = startApp();
    await until(app, (snapshot) => snapshot.stage === 'joining');
    const second = startApp();
    expect(await until(second, (snapshot) => snapshot.stage === 'ended')).toMatchObject({ ended: 'superseded' });
    expect(app.snapshot.stage).toBe('joining');
    // Loaded again, it is the one, and the first gives way.
    app.join('ABCDE-FGHJK', PIN, 'x');
    await until(app, (snapshot) => snapshot.stage === 'open');
    const reloaded = startApp();
    expect(await until(app, (snapshot) => snapshot.stage === 'ended')).toMatchObject({ ended: 'superseded', me: null, inbox: [] });
    expect(sockets[0]?.closedWith).toBe(4_016);
    await until(reloaded, (snapshot) => snapshot.stage === 'open');
  });

  it('shows a snapshot that stays the same until there is another', async () => {
    const app = startApp();
    const joining = await until(app, (snapshot) => snapshot.stage === 'joining');
    expect(app.snapshot).toBe(joining);
    app.join('x', PIN, 'x');
    const refused = await until(app, (snapshot) => snapshot.refusal !== null);
    expect(refused).not.toBe(joining);
    expect(joining.refusal).toBeNull();
  });
});
