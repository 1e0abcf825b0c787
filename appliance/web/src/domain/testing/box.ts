/** A box for tests: one facility, one device of Ana's, one conversation with Ben. As much of the protocol as a client is held against. */

import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';

import {
  type ClientFrame,
  ClientFrameSchema,
  ConversationKind,
  type EventSchema,
  RefusalCode,
  ServerFrameSchema,
  type Submit,
  type SubmitSealed,
  SubmitSchema,
} from '../../gen/wardline_pb.js';
import { concat, toHex } from '../bytes.ts';

export type Body = NonNullable<MessageInitShape<typeof ServerFrameSchema>['body']>;
export type EventKind = NonNullable<MessageInitShape<typeof EventSchema>['kind']>;

export const [ANA, BEN] = [0xan, 0xbn] as const;
export const WARD = 0x77n;
export const DEVICE = 0x0123456789abcdefn;
export const PIN = '739154';

export interface Said {
  readonly sequence: bigint;
  readonly sender: bigint;
  readonly name: string;
  readonly text: string;
}

/** What the box was asked, for a test to look at. */
export interface Heard {
  readonly frames: ClientFrame['body'][];
}

export class Box {
  readonly log: Said[] = [];
  readonly #changes: EventKind[] = [];
  /** What was accepted under which number: name, and place in the log. */
  readonly #numbers = new Map<bigint, { readonly name: string; readonly at: number }>();
  #lastNumber = 0n;
  isPinWanted = false;
  /** The device has a passkey, and the hours in which it does are not over. */
  passkey = false;
  /** Whether a new submission is declined for a moment. */
  declines = (): boolean => false;
  triesLeft = 10;
  deviceKey: string | null = null;
  code = 'ABCDEFGHJK';
  devices = [{ device: DEVICE, name: "Ana's phone" }];
  idleLock = 300_000n;
  /** The device is a screen of this unit. */
  station = 0n;
  /** Gives a lease with each sign-in. */
  leases = false;
  /** Comes with each lease. */
  draftsKey = new Uint8Array(32).fill(7);
  /** The newest lease; one of before this is too old for a locked session. */
  lease = { number: 0n, oldest: 0n };
  /** Whoever signs in is of a patient's family. */
  visitor = false;
  boxTime = 0n;
  readonly heard: ClientFrame['body'][] = [];
  /** Answers in place of the usual ones, by the request's case: used up one by one. */
  readonly instead = new Map<string, Body[]>();
  /** Of a snapshot, besides the conversation with Ben. */
  snapshotAlso: readonly EventKind[] = [];
  /** Section 3: the last that was used, and one that was given out since. Hexadecimal; empty: none. */
  readonly login = { current: '', offered: '', given: 0 };
  /** The one connection that counts. */
  current: BoxConnection | null = null;

  connect(send: (bytes: Uint8Array) => void, close: (code: number) => void): BoxConnection {
    return new BoxConnection(this, send, close);
  }

  /** Ben says something. */
  say(text: string): void {
    this.log.push({ sequence: BigInt(this.log.length + 1), sender: BEN, name: toHex(crypto(this.log.length)), text });
    this.#changes.push(this.message(this.log.length - 1));
    this.current?.deliver(this.#changes.length);
  }

  message(at: number): EventKind {
    const said = this.log[at];
    if (said === undefined) throw new Error('nothing said');
    const { sequence, sender, text } = said;
    return { case: 'message', value: { conversation: WARD, sequence, message: bytesOf(said.name), sender, at: sequence, text } };
  }

  /** Another change, to whoever is caught up. */
  change(kind: EventKind): void {
    this.#changes.push(kind);
    this.current?.deliver(this.#changes.length);
  }

  get position(): number {
    return this.#changes.length;
  }

  changesBehind(position: number): readonly EventKind[] {
    return this.#changes.slice(position);
  }

  conversation(): EventKind {
    const members = [ANA, BEN].map((person) => ({ person, delivered: 0n, read: 0n }));
    const value = { conversation: WARD, kind: ConversationKind.DIRECT, members, lastSequence: BigInt(this.log.length), firstSequence: 1n };
    return { case: 'conversation', value };
  }

  /** Whether whoever proves the device holds what it was given last, or the one before where the answer may have been lost. */
  isHolder(presented: Uint8Array): boolean {
    const { login } = this;
    const hex = toHex(presented);
    if (login.offered !== '' && hex === login.offered) this.confirm();
    return hex === login.current;
  }

  /** What was given out is what counts from now on. */
  confirm(): void {
    if (this.login.offered !== '') this.login.current = this.login.offered;
    this.login.offered = '';
  }

  #offer(): Uint8Array {
    this.login.given += 1;
    const secret = new Uint8Array(32).fill(this.login.given);
    this.login.offered = toHex(secret);
    return secret;
  }

  /** `first`: of its connection. */
  signedIn(first = true): Body {
    this.isPinWanted = false;
    const loginSecret = first ? this.#offer() : new Uint8Array(0);
    const devices = this.devices.map((one) => ({ ...one }));
    const { idleLock, station, visitor } = this;
    const name = station === 0n ? 'Ana' : 'Desk, Hall A';
    if (this.leases) this.lease = { ...this.lease, number: this.lease.number + 1n };
    const lease = this.leases ? { number: this.lease.number, key: new Uint8Array(32).fill(Number(this.lease.number)), draftsKey: this.draftsKey } : undefined;
    return { case: 'signedIn', value: { lease, device: DEVICE, person: ANA, name, lastNumber: this.#lastNumber, devices, idleLock, station, visitor, loginSecret } };
  }

  /** Section 5: what a submission is answered with; `null` closes with *number reused*. */
  submit(submit: Submit, isCaughtUp: boolean): Body | null {
    const name = toHex(submit.message);
    if (submit.number <= this.#lastNumber) {
      const under = this.#numbers.get(submit.number);
      if (under === undefined) return refused(RefusalCode.NUMBER_PASSED);
      if (under.name !== name) return null;
      return this.#accepted(submit.number, under.at, false);
    }
    if (this.declines()) return refused(RefusalCode.SLOW_DOWN, 0, 300n);
    // A client that gives a fresh number to what was taken has a fault: the message then stands there twice.
    this.log.push({ sequence: BigInt(this.log.length + 1), sender: ANA, name, text: submit.text });
    this.#lastNumber = submit.number;
    this.#numbers.set(submit.number, { name, at: this.log.length - 1 });
    this.#changes.push(this.message(this.log.length - 1));
    return this.#accepted(submit.number, this.log.length - 1, isCaughtUp);
  }

  /** Section 5: what was composed before the lock. The cipher is left out: nonce, the submission, tag. */
  submitSealed(sealed: SubmitSealed, isLocked: boolean, isCaughtUp: boolean): Body | null {
    const submit = fromBinary(SubmitSchema, sealed.sealed.subarray(12, -16));
    if (toHex(submit.message) !== toHex(sealed.message)) return refused(RefusalCode.SEALED_OTHERWISE);
    if (isLocked && (submit.number !== sealed.number || sealed.lease < this.lease.oldest)) return refused(RefusalCode.LOCKED);
    return this.submit({ ...submit, number: sealed.number }, isCaughtUp);
  }

  #accepted(number: bigint, at: number, withCursor: boolean): Body {
    const said = this.log[at];
    const cursor = withCursor ? cursorOf(this.#changes.length) : new Uint8Array(0);
    const sequence = said?.sequence ?? 0n;
    return { case: 'accepted', value: { number, message: bytesOf(said?.name ?? ''), conversation: WARD, sequence, at: sequence, cursor } };
  }
}

export class BoxConnection {
  readonly #box: Box;
  readonly #write: (bytes: Uint8Array) => void;
  readonly #close: (code: number) => void;
  #held: Uint8Array = new Uint8Array(0);
  state: 'connected' | 'welcomed' | 'barred' | 'open' = 'connected';
  #hasSignedIn = false;
  /** Delivered up to this change; `null`: nothing is delivered. */
  #at: number | null = null;

  constructor(box: Box, send: (bytes: Uint8Array) => void, close: (code: number) => void) {
    this.#box = box;
    this.#write = send;
    this.#close = close;
  }

  take(bytes: Uint8Array): void {
    this.#held = concat([this.#held, bytes]);
    while (this.#held.length >= 4) {
      const length = new DataView(this.#held.buffer, this.#held.byteOffset).getUint32(0);
      if (this.#held.length < 4 + length) return;
      const frame = fromBinary(ClientFrameSchema, this.#held.subarray(4, 4 + length));
      this.#held = this.#held.slice(4 + length);
      this.#frame(frame);
    }
  }

  send(request: bigint, body: Body): void {
    const bytes = toBinary(ServerFrameSchema, create(ServerFrameSchema, { request, body }));
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, bytes.length);
    this.#write(concat([length, bytes]));
  }

  close(code: number): void {
    if (this.#box.current === this) this.#box.current = null;
    this.#close(code);
  }

  lock(): void {
    this.state = 'barred';
    this.#at = null;
    this.#box.isPinWanted = true;
    this.send(0n, { case: 'locked', value: { triesLeft: this.#box.triesLeft, passkey: this.#box.passkey } });
  }

  deliver(upTo: number): void {
    if (this.#at === null) return;
    const from = this.#at;
    this.#at = upTo;
    this.#box.changesBehind(from).forEach((kind, index) => {
      this.send(0n, { case: 'delivery', value: { cursor: cursorOf(from + index + 1), event: { kind } } });
    });
  }

  #frame(frame: ClientFrame): void {
    const { request, body } = frame;
    const box = this.#box;
    box.heard.push(body);
    const instead = box.instead.get(body.case ?? '')?.shift();
    if (instead !== undefined) return this.send(request, instead);
    switch (body.case) {
      case 'hello':
        this.state = 'welcomed';
        this.send(request, { case: 'welcome', value: { version: 1, challenge: new Uint8Array(32).fill(7), facility: 'Lindenhof', facilityRoot: new Uint8Array(32).fill(9), boxTime: box.boxTime } });
        return;
      case 'prove':
        if (body.value.device !== DEVICE) return this.send(request, refused(RefusalCode.DEVICE_UNKNOWN));
        if (!box.isHolder(body.value.loginSecret)) return this.send(request, refused(RefusalCode.DEVICE_COPIED));
        if (!box.isPinWanted) return this.#signIn(request);
        this.state = 'barred';
        box.current?.close(0x12);
        box.current = this;
        this.send(request, { case: 'pinNeeded', value: { triesLeft: box.triesLeft, passkey: box.passkey } });
        return;
      case 'join': {
        const key = toHex(body.value.deviceKey);
        const isKnown = box.deviceKey === key;
        if (body.value.code !== box.code && !isKnown) return this.send(request, refused(RefusalCode.JOIN_CODE_INVALID));
        if (isKnown && body.value.pin !== PIN) return this.send(request, refused(RefusalCode.PIN_WRONG, 9));
        box.deviceKey = key;
        box.code = '';
        return this.#signIn(request);
      }
      case 'unlock':
        if (this.state !== 'barred') return this.close(0x102);
        if (body.value.pin === PIN) return this.#signIn(request);
        box.triesLeft -= 1;
        this.send(request, refused(box.triesLeft > 0 ? RefusalCode.PIN_WRONG : RefusalCode.PIN_LOCKED_OUT, box.triesLeft));
        return;
      case 'askPasskeyChallenge':
        if (this.state === 'barred' && !box.passkey) return this.send(request, refused(RefusalCode.PIN_DUE));
        return this.send(request, { case: 'passkeyChallenge', value: { challenge: new Uint8Array(32).fill(3), credentials: [new Uint8Array(16).fill(4)] } });
      case 'unlockByPasskey':
        if (this.state !== 'barred') return this.close(0x102);
        if (body.value.signature[0] !== 0x30) return this.send(request, refused(RefusalCode.PASSKEY_WRONG));
        return this.#signIn(request);
      case 'echo':
        return this.send(request, { case: 'done', value: {} });
      case 'answerStat':
        if (this.state !== 'open' && body.value.answer.case !== 'coming') return this.send(request, refused(RefusalCode.LOCKED));
        return this.send(request, { case: 'done', value: {} });
      case 'submitSealed': {
        if (this.state === 'connected' || this.state === 'welcomed') return this.close(0x102);
        const answer = box.submitSealed(body.value, this.state === 'barred', this.#at !== null);
        if (answer === null) return this.close(0x104);
        if (this.#at !== null) this.#at = box.position;
        return this.send(request, answer);
      }
      default:
        if (this.state === 'connected' || this.state === 'welcomed') return this.close(0x102);
        if (this.state === 'barred') return request === 0n ? undefined : this.send(request, refused(RefusalCode.LOCKED));
        return this.#asked(request, body);
    }
  }

  #asked(request: bigint, body: ClientFrame['body']): void {
    if (body.case !== 'echo') this.#box.confirm();
    const box = this.#box;
    if (box.station !== 0n && body.case !== 'here') return this.send(request, refused(RefusalCode.STATION_ONLY));
    switch (body.case) {
      case 'sync':
        return this.#sync(request, body.value.cursor);
      case 'submit': {
        const answer = box.submit(body.value, this.#at !== null);
        if (answer === null) return this.close(0x104);
        // Its place among the deliveries is the acceptance.
        if (this.#at !== null) this.#at = box.position;
        return this.send(request, answer);
      }
      case 'history': {
        const before = body.value.before === 0n ? BigInt(box.log.length + 1) : body.value.before;
        const places = box.log.map((_, at) => at).filter((at) => BigInt(at + 1) < before);
        const page = places.slice(-body.value.limit).reverse();
        const messages = page.map((at) => box.message(at)).flatMap((kind) => (kind.case === 'message' ? [kind.value] : []));
        return this.send(request, { case: 'historyPage', value: { conversation: WARD, messages, end: page.length === places.length } });
      }
      case 'lock':
        return this.lock();
      case 'receipt':
      case 'active':
      case 'here':
        return;
      default:
        return this.send(request, { case: 'done', value: {} });
    }
  }

  #signIn(request: bigint): void {
    const { current } = this.#box;
    if (current !== null && current !== this) current.close(0x12);
    this.#box.current = this;
    this.state = 'open';
    this.send(request, this.#box.signedIn(!this.#hasSignedIn));
    this.#hasSignedIn = true;
  }

  #sync(request: bigint, cursor: Uint8Array): void {
    const box = this.#box;
    const isSnapshot = cursor.length === 0;
    const from = isSnapshot ? 0 : positionOf(cursor);
    this.send(request, { case: 'syncStarted', value: { snapshot: isSnapshot } });
    const events: EventKind[] = [];
    if (isSnapshot) {
      events.push({ case: 'unit', value: { unit: 1n, name: '4 West' } });
      events.push({ case: 'person', value: { person: ANA, name: 'Ana', title: 'RN', posts: [{ unit: 1n }] } });
      events.push({ case: 'person', value: { person: BEN, name: 'Ben', title: 'MD' } });
      events.push(box.conversation(), ...box.snapshotAlso);
      for (let at = Math.max(box.log.length - 30, 0); at < box.log.length; at += 1) events.push(box.message(at));
    } else {
      events.push(...box.changesBehind(from));
    }
    events.forEach((kind, index) => {
      this.send(0n, { case: 'delivery', value: { cursor: isSnapshot ? new Uint8Array(0) : cursorOf(from + index + 1), event: { kind } } });
    });
    this.#at = box.position;
    this.send(request, { case: 'synced', value: { cursor: cursorOf(box.position) } });
  }
}

export function refused(code: RefusalCode, triesLeft = 0, retryAfter = 0n): Body {
  return { case: 'refused', value: { code, triesLeft, retryAfter } };
}

function cursorOf(position: number): Uint8Array {
  const cursor = new Uint8Array(16).fill(0xcc);
  new DataView(cursor.buffer).setUint32(0, position);
  return cursor;
}

function positionOf(cursor: Uint8Array): number {
  return new DataView(cursor.buffer, cursor.byteOffset).getUint32(0);
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function crypto(at: number): Uint8Array {
  const name = new Uint8Array(16).fill(0xbe);
  new DataView(name.buffer).setUint32(0, at);
  return name;
}
