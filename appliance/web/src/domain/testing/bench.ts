/** A phone, its disk, and the network between it and a box: all of it at hand, and with a clock that a test turns. */

import { concat, toHex } from '../bytes.ts';
import type { ToSeal } from '../composing.ts';
import type { DraftsKept } from '../drafts.ts';
import { Phone } from '../phone.ts';
import type { Command, Effect, Identity, Input } from '../effects.ts';
import type { Waiting } from '../outbox.ts';
import { deviceKeyOf, hashOf, signatureOf } from '../proofs.ts';
import type { Commands, Snapshot } from '../snapshot.ts';
import type { MessageName } from '../ids.ts';
import { DEVICE, ANA, type Box, type BoxConnection } from './box.ts';

export function need<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('nothing there');
  return value;
}

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function hex(id: bigint): string {
  return id.toString(16).padStart(16, '0');
}

export const ANAS: Identity = {
  device: hex(DEVICE) as Identity['device'],
  person: hex(ANA) as Identity['person'],
  deviceName: "Ana's phone",
  facility: 'Lindenhof',
  told: [hex(DEVICE) as Identity['device']],
  locked: false,
};

const SIGNATURE = need(signatureOf(new Uint8Array(64).fill(5)));
const KEY = need(deviceKeyOf(Uint8Array.of(4, ...new Uint8Array(64).fill(6))));
const HASH = need(hashOf(new Uint8Array(32).fill(8)));

interface Wire {
  readonly line: number;
  readonly connection: BoxConnection;
  readonly out: Uint8Array[];
  readonly in: (Uint8Array | number)[];
}

export class Bench {
  phone: Phone;
  readonly box: Box;
  readonly random: () => number;
  now = { steady: 0, wall: 1_800_000_000_000 };
  /** What survives a restart of the app. */
  disk: { identity: Identity | null; waiting: Map<MessageName, Waiting>; highest: bigint; secret: Uint8Array; drafts: { readonly key: string; readonly drafts: DraftsKept } | null };
  /** Login secrets that are not on the disk yet; `null`: they are at once. */
  secrets: { readonly line: number; readonly secret: Uint8Array }[] | null = null;
  /** Writes that are not on the disk yet. */
  pending: Extract<Effect, { effect: 'write' }>[] = [];
  /** Messages that are not sealed yet. */
  sealing: ToSeal[] = [];
  /** Signatures that are not made yet. */
  signing: number[] = [];
  wire: Wire | null = null;
  isReachable = true;
  /** The PIN that the edge remembers. */
  readonly effects: Effect[] = [];

  constructor(box: Box, random: () => number = seeded(1), identity: Identity | null = ANAS) {
    this.box = box;
    this.random = random;
    this.disk = { identity, waiting: new Map(), highest: 0n, secret: new Uint8Array(0), drafts: null };
    this.phone = this.#made();
  }

  get snapshot(): Snapshot {
    return this.phone.snapshot;
  }

  /** The app starts, with what the disk has. */
  start(): void {
    const { identity, waiting, highest } = this.disk;
    this.give({ input: 'loaded', identity, waiting: [...waiting.values()].sort((one, other) => one.composed - other.composed), highest, secret: this.disk.secret });
  }

  /** It is killed: whatever was only in memory is gone. */
  restart(): void {
    this.drop();
    this.pending = [];
    this.sealing = [];
    this.signing = [];
    this.phone = this.#made();
    this.start();
  }

  command<Name extends keyof Commands>(command: Name, ...args: Parameters<NonNullable<Commands[Name]>>): void {
    this.give({ input: 'command', command: { command, with: args } as Command });
  }

  give(input: Input): void {
    for (const effect of this.phone.handle(this.now, input)) this.#do(effect);
  }

  /** The connection breaks: what was on its way is gone, in both directions. */
  drop(code: number | null = null): void {
    const { wire } = this;
    if (wire === null) return;
    this.wire = null;
    if (this.box.current === wire.connection) this.box.current = null;
    this.give({ input: 'closed', line: wire.line, code });
  }

  /** Whatever is under way arrives, one thing after the other. */
  settle(): void {
    for (let steps = 0; steps < 10_000; steps += 1) if (!this.step()) return;
    throw new Error('never settles');
  }

  /** One thing that is under way arrives. False: nothing is. */
  step(): boolean {
    const choices: (() => void)[] = [];
    const { wire } = this;
    if (this.pending.length > 0) choices.push(() => this.#write());
    if (this.sealing.length > 0) choices.push(() => this.#seal());
    if (this.signing.length > 0) choices.push(() => this.give({ input: 'signed', token: need(this.signing.shift()), signature: SIGNATURE }));
    if (wire !== null && wire.out.length > 0) choices.push(() => wire.connection.take(need(wire.out.shift())));
    if (wire !== null && wire.in.length > 0) choices.push(() => this.#arrive(wire));
    const choice = choices[Math.floor(this.random() * choices.length)];
    choice?.();
    return choice !== undefined;
  }

  /** A little time goes by, and nothing arrives in it. */
  wait(ms: number): void {
    this.#turn(this.now.steady + ms);
    this.give({ input: 'tick' });
  }

  /** Time goes by, with everything that is due. */
  pass(ms: number): void {
    const end = this.now.steady + ms;
    for (let steps = 0; steps < 10_000; steps += 1) {
      this.settle();
      const next = this.phone.nextAt();
      if (next > end) break;
      this.#turn(Math.max(next, this.now.steady));
      this.give({ input: 'tick' });
      if (steps === 9_999) throw new Error('time stands still');
    }
    this.#turn(end);
    this.settle();
  }

  #turn(steady: number): void {
    this.now = { steady, wall: this.now.wall + steady - this.now.steady };
  }

  #arrive(wire: Wire): void {
    const arrived = need(wire.in.shift());
    if (typeof arrived === 'number') {
      this.wire = null;
      return this.give({ input: 'closed', line: wire.line, code: arrived });
    }
    // A message of a WebSocket holds any run of the stream's bytes.
    const cut = Math.floor(this.random() * arrived.length);
    this.give({ input: 'bytes', line: wire.line, bytes: arrived.subarray(0, cut) });
    if (this.wire === wire) this.give({ input: 'bytes', line: wire.line, bytes: arrived.subarray(cut) });
  }

  /** Without the cipher, which is the edge's: the box of the tests takes it so. */
  #seal(): void {
    const { name, number, key, plain } = need(this.sealing.shift());
    this.give({ input: 'sealed', name, number, bytes: concat([key.subarray(0, 12), plain, new Uint8Array(16)]) });
  }

  #write(): void {
    const { writes } = need(this.pending.shift());
    for (const { waiting } of writes.puts) this.disk.waiting.set(waiting.name, waiting);
    for (const name of writes.deletes) this.disk.waiting.delete(name);
    this.disk.highest = writes.highest;
    this.give({ input: 'kept', kept: writes.puts.map(({ waiting, version }) => ({ name: waiting.name, version })) });
  }

  #do(effect: Effect): void {
    this.effects.push(effect);
    switch (effect.effect) {
      case 'connect':
        return this.#connect(effect.line);
      case 'send':
        if (this.wire?.line === effect.line) this.wire.out.push(effect.bytes);
        return;
      case 'close':
        if (this.wire?.line !== effect.line) return;
        if (this.box.current === this.wire.connection) this.box.current = null;
        this.wire = null;
        return;
      case 'sign':
        this.signing.push(effect.token);
        return;
      case 'prepareKey':
        return this.give({ input: 'keyReady', key: KEY, codeHash: HASH, secret: new Uint8Array(0) });
      case 'keepSecret':
        if (this.secrets !== null) return void this.secrets.push(effect);
        this.disk.secret = effect.secret;
        return this.give({ input: 'secretKept', line: effect.line });
      case 'keepIdentity':
        this.disk.identity = effect.identity;
        return;
      case 'seal':
        this.sealing.push(effect.sealing);
        return;
      case 'readDrafts': {
        const { drafts } = this.disk;
        return this.give({ input: 'draftsRead', drafts: drafts?.key === toHex(effect.key) ? drafts.drafts : [] });
      }
      case 'keepDrafts':
        this.disk.drafts = { key: toHex(effect.key), drafts: effect.drafts };
        return;
      case 'write':
        this.pending.push(effect);
    }
  }

  #connect(line: number): void {
    if (!this.isReachable) {
      this.wire = { line, connection: this.box.connect(() => undefined, () => undefined), out: [], in: [] };
      return;
    }
    const wire: Wire = {
      line,
      connection: this.box.connect((bytes) => wire.in.push(bytes), (code) => wire.in.push(code)),
      out: [],
      in: [],
    };
    this.wire = wire;
    this.give({ input: 'opened', line, by: 'WebSocket', binding: HASH });
  }

  #made(): Phone {
    const bytes = (count: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: count }, () => Math.floor(this.random() * 256));
    return new Phone('wardline-app test', { number: this.random, bytes });
  }
}
