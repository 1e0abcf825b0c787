/**
 * The whole app but its edges: who is in front of it, what they may see, and the way to the box.
 *
 * ```text
 * starting -> joining -> open <-> locked          ended (from anywhere)
 * ```
 *
 * Pure: each input comes with the time, effects come out, and {@link Phone.snapshot} says how things look. What a connection's
 * messages mean is `session.ts`'s, what the person has before them `desk.ts`'s.
 */

import type { SignedIn } from '../gen/wardline_pb.js';
import { RefusalCode } from '../gen/wardline_pb.js';
import { type Next, CLOSE } from './backoff.ts';
import { act } from './acts.ts';
import { type Bytes, toHex } from './bytes.ts';
import type { Call } from './calls.ts';
import { Desk, type Now, type SignedLater, submitOf } from './desk.ts';
import { Devices } from './devices.ts';
import type { Command, Effect, Identity, Input, LineNumber } from './effects.ts';
import type { Ask } from './frames.ts';
import { type DeviceId, type MessageName, momentOf, type PersonId } from './ids.ts';
import { type Line, Lines } from './lines.ts';
import { Outbox } from './outbox.ts';
import { choosePin, parseDeviceName, parsePin, type Pin } from './pins.ts';
import { Presence } from './presence.ts';
import { type DeviceKey, type Hash, type JoinCode, parseJoinCode } from './proofs.ts';
import { type Declined, type OwnCode, ownRefusal, refusalOf, verdictOf } from './refusals.ts';
import type { Asked, Out } from './session.ts';
import type { Refusal, Snapshot } from './snapshot.ts';
import { cleanLine } from './texts.ts';
import { readId, WireFault } from './wire.ts';

/** What the domain has not by itself. */
export interface Chance {
  /** From 0 up to 1. */
  number(): number;
  bytes(count: number): Bytes;
}

type Stage =
  | { readonly is: 'starting' }
  | { readonly is: 'joining' }
  /** `here`: the box's session may be open all the same. */
  | { readonly is: 'locked'; readonly by: 'box' | 'here' }
  | { readonly is: 'open' }
  | { readonly is: 'ended'; readonly why: NonNullable<Snapshot['ended']> };

/** A join under way. The PIN is held for it, and no longer. */
interface Joining {
  readonly code: JoinCode;
  readonly pin: Pin;
  readonly deviceName: string;
  readonly key: { readonly key: DeviceKey; readonly codeHash: Hash } | null;
  readonly attempts: number;
}

/** The same join goes so often before the person is asked again. */
const JOIN_ATTEMPTS = 3;
/** What rang is not shown for longer than this without the box. */
const RINGS_OFFLINE_MAX = 60_000;
/** Wrong PINs that are compared here before only the box is asked. */
const WRONG_HERE_MAX = 5;

export class Phone {
  readonly #chance: Chance;
  readonly #lines: Lines;
  readonly #outbox = new Outbox();
  #desk: Desk;
  #now: Now = { steady: 0, wall: 0 };
  #effects: Effect[] = [];
  #stage: Stage = { is: 'starting' };
  #identity: Identity | null = null;
  #facility: Hash | null = null;
  #refusal: Refusal | null = null;
  #joining: Joining | null = null;
  /** Wrong PINs have locked the device: a code clears that, and its own key joins again. */
  #isLockedOut = false;
  #pendingPin: Pin | null = null;
  #isChecking = false;
  #wrongHere = 0;
  readonly #devices = new Devices();
  readonly #presence = new Presence();
  #tokens = 0;
  readonly #signing = new Map<number, LineNumber | SignedLater>();
  /** The box's clock is so much ahead of the device's. */
  #ahead = 0;

  constructor(binding: Hash, client: string, chance: Chance) {
    this.#chance = chance;
    this.#lines = new Lines(binding, client);
    this.#desk = this.#newDesk();
  }

  handle(now: Now, input: Input): Effect[] {
    this.#now = now;
    if (this.#stage.is !== 'ended') {
      this.#take(input);
      this.#push();
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** When a `tick` is due, by the steady clock. */
  nextAt(): number {
    const { steady, wall } = this.#now;
    if (this.#stage.is === 'ended') return Infinity;
    const session = this.#lines.line?.session;
    const rings = this.#lines.lostAt !== null && this.#desk.rings.calling().length > 0 ? this.#lines.lostAt + RINGS_OFFLINE_MAX : Infinity;
    const receipts = session?.isOpen === true ? this.#desk.receipts.nextAt() : Infinity;
    const idle = this.#stage.is === 'open' ? this.#presence.idleAt(this.#now, this.#ahead) : Infinity;
    return Math.min(session?.nextAt() ?? Infinity, this.#lines.retryAt(), this.#outbox.nextAt(steady, wall), receipts, this.#presence.hereAt(), idle, rings);
  }

  get snapshot(): Snapshot {
    const { screen, book } = this.#desk;
    const me = this.#stage.is === 'open' ? (this.#identity?.person ?? null) : null;
    const { open } = this.#desk;
    return {
      stage: this.#stage.is,
      line: this.#lines.shown,
      ended: this.#stage.is === 'ended' ? this.#stage.why : null,
      busy: this.#joining !== null || this.#pendingPin !== null || this.#isChecking || this.#lines.line?.session.isUnlocking === true,
      refusal: this.#refusal,
      waiting: this.#stage.is === 'ended' ? 0 : this.#outbox.count,
      ringing: this.#stage.is === 'open' || this.#stage.is === 'locked' ? screen.ringing() : [],
      me: me === null ? null : screen.person(me, null),
      caughtUp: me !== null && book.isCaughtUp,
      inbox: me === null ? [] : screen.inbox(me),
      conversation: me === null || open === null ? null : screen.conversation(open, me, this.#desk.draftOfOpen),
      people: me === null ? [] : screen.people(),
      roles: me === null ? null : screen.roles(me),
      devices: me === null ? [] : this.#shownDevices(),
    };
  }

  #take(input: Input): void {
    switch (input.input) {
      case 'loaded':
        this.#identity = input.identity;
        this.#facility = input.facility;
        this.#outbox.load(input.waiting, input.highest);
        if (input.identity === null) this.#rest({ is: 'joining' });
        else this.#connect();
        return;
      case 'storageFailed':
        return this.#end('storage');
      case 'opened':
        return this.#on(input.line, (line) => line.session.opened(this.#now.steady));
      case 'bytes':
        return this.#bytes(input.line, input.bytes);
      case 'closed':
        return this.#closed(input.line, input.code);
      case 'signed':
        return this.#signed(input.token, input.signature);
      case 'keyReady':
        if (this.#joining === null) return;
        this.#joining = { ...this.#joining, key: { key: input.key, codeHash: input.codeHash } };
        return this.#connect();
      case 'kept':
        for (const { name, version } of input.kept) this.#outbox.kept(name, version);
        return;
      case 'pinChecked':
        return this.#pinChecked(input.isRight);
      case 'network':
        if (this.#lines.line !== null) return this.#on(this.#lines.line.number, (line) => line.session.probe(this.#now.steady));
        if (this.#lines.hurries(this.#now)) this.#tick();
        return;
      case 'foreground':
        this.#presence.foreground(input.isVisible, this.#now);
        return this.#tick();
      case 'tick':
        return this.#tick();
      case 'command':
        return this.#command(input.command);
    }
  }

  #command(command: Command): void {
    switch (command.command) {
      case 'join':
        return this.#join(...command.with);
      case 'unlock':
        return this.#unlock(...command.with);
      case 'dismissRefusal':
        this.#refusal = null;
        return;
      default: {
        // Whoever may see nothing may do nothing, but come.
        const isComing = command.command === 'answerStat' && command.with[2] === 'coming';
        if (this.#stage.is !== 'open' && !(this.#stage.is === 'locked' && isComing)) return;
      }
    }
    // What was on the screen is told by the app itself, and nobody may be there.
    if (command.command !== 'seen') this.#acted();
    switch (command.command) {
      case 'lock':
        return this.#lockHere();
      case 'touched':
        return;
      case 'devicesShown':
        return this.#keep({ told: this.#devices.ids() });
      case 'discard':
        return this.#outbox.discard(command.with[0] as MessageName);
      default:
        break;
    }
    if (command.command !== 'draft' && command.command !== 'seen') this.#refusal = null;
    if (this.#identity === null) return;
    const name = (): MessageName => toHex(this.#chance.bytes(16)) as MessageName;
    const { device } = this.#identity;
    act(this.#desk, command, { now: this.#now, boxAhead: this.#ahead, device, facility: this.#facility, name });
  }

  #join(typed: string, pin: string, named: string): void {
    if (this.#stage.is !== 'joining' || this.#joining !== null) return;
    const [code, chosen, deviceName] = [parseJoinCode(typed), choosePin(pin), parseDeviceName(named)];
    if (code === null) return this.#refuse('JOIN_CODE_INVALID');
    if (typeof chosen !== 'string') return this.#refuse(chosen.fault);
    if (deviceName === null) return this.#refuse('DEVICE_NAME');
    this.#refusal = null;
    this.#joining = { code, pin: chosen, deviceName, key: null, attempts: 0 };
    this.#effects.push({ effect: 'prepareKey', code, own: this.#isLockedOut });
  }

  #unlock(typed: string): void {
    if (this.#stage.is !== 'locked') return;
    const pin = parsePin(typed);
    if (pin === null) return this.#refuse('PIN_TOO_SHORT');
    const session = this.#lines.line?.session;
    if (this.#isChecking || this.#pendingPin !== null || session?.isUnlocking === true) return;
    this.#refusal = null;
    if (session?.isBarred === true) return this.#run(session.unlock(this.#now.steady, pin));
    if (session?.isOpen === true) {
      this.#isChecking = true;
      this.#effects.push({ effect: 'checkPin', pin });
      return;
    }
    // Held for the attempt under way, not for whenever the box is back.
    if (session === undefined && !this.#lines.hurries(this.#now)) return this.#refuse('OFFLINE');
    this.#pendingPin = pin;
    this.#tick();
  }

  #pinChecked(isRight: boolean | null): void {
    this.#isChecking = false;
    if (this.#stage.is !== 'locked') return;
    if (isRight === true) {
      return this.#open();
    }
    this.#wrongHere += isRight === false ? 1 : 0;
    const isOver = isRight === null || this.#wrongHere >= WRONG_HERE_MAX;
    // The box asks for the PIN itself once its session has been idle for long enough.
    const retryAfter = Math.max(Math.ceil((this.#presence.idleAt(this.#now, this.#ahead) - this.#now.steady) / 1000), 1);
    if (isOver) this.#effects.push({ effect: 'forgetPin' });
    this.#refusal = isOver ? ownRefusal('LOCK_LASTS', { retryAfter }) : ownRefusal('PIN_WRONG', { triesLeft: WRONG_HERE_MAX - this.#wrongHere });
  }

  #tick(): void {
    const { steady } = this.#now;
    const session = this.#lines.line?.session;
    if (session === undefined && steady >= this.#lines.retryAt()) this.#connect();
    else if (session !== undefined) this.#run(session.tick(steady));
    if (this.#stage.is === 'open' && steady >= this.#presence.idleAt(this.#now, this.#ahead)) this.#lockHere();
    const { lostAt } = this.#lines;
    if (lostAt !== null && steady >= lostAt + RINGS_OFFLINE_MAX) this.#desk.rings.clear();
    if (this.#presence.isHere(this.#now) && this.#stage.is === 'open') this.#send({ case: 'here', value: {} });
  }

  /** The next attempt, for whoever is to be signed in. */
  #connect(): void {
    const joining = this.#joining;
    if (joining !== null && joining.key === null) return;
    const key = joining?.key;
    if (joining !== null && key != null) {
      this.#joining = { ...joining, attempts: joining.attempts + 1 };
      const line = this.#lines.connect({ purpose: 'join', ...joining, ...key }, this.#now);
      this.#effects.push({ effect: 'connect', line });
    } else if (this.#identity !== null && this.#stage.is !== 'joining') {
      const line = this.#lines.connect({ purpose: 'signIn', device: this.#identity.device }, this.#now);
      this.#effects.push({ effect: 'connect', line });
    }
  }

  #bytes(number: LineNumber, bytes: Uint8Array): void {
    const line = this.#lines.of(number);
    if (line === null) return;
    const { frames, fault } = line.decoder.push(bytes);
    try {
      for (const frame of frames) if (this.#lines.of(number) !== null) this.#run(line.session.frame(this.#now.steady, frame));
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      this.#run(line.session.broken());
    }
    if (fault !== null && this.#lines.of(number) !== null) this.#run(line.session.broken());
  }

  #on(number: LineNumber, act: (line: Line) => Out<Call>[]): void {
    const line = this.#lines.of(number);
    if (line !== null) this.#run(act(line));
  }

  #run(outs: readonly Out<Call>[] | null): void {
    for (const out of outs ?? []) this.#out(out);
  }

  #out(out: Out<Call>): void {
    const { line } = this.#lines;
    if (line === null) return;
    switch (out.out) {
      case 'send':
        this.#effects.push({ effect: 'send', line: line.number, bytes: out.bytes });
        return;
      case 'close':
        this.#effects.push({ effect: 'close', line: line.number });
        return;
      case 'sign':
        return this.#sign(out.bytes, line.number, line.isJoin && !this.#isLockedOut ? 'joining' : 'device');
      case 'welcomed':
        this.#ahead = momentOf(out.boxTime) - this.#now.wall;
        this.#facility = out.root ?? this.#facility;
        this.#lines.welcomed(cleanLine(out.facility));
        return;
      case 'barred':
        return this.#barred(out.hasLocked, out.dropped);
      case 'signedIn':
        return this.#signedIn(out.signedIn, out.pin);
      case 'refused':
        return this.#refused(out.asked, out.declined);
      case 'answer':
        if (out.asked.ask === 'call') this.#desk.answered(out.asked.call, out.body);
        return;
      case 'accepted':
        this.#lines.accepted();
        return this.#desk.accepted(out.accepted, this.#now);
      case 'told':
        return this.#desk.told(out.body);
      case 'syncStarted':
        return this.#desk.book.syncStarted(out.snapshot);
      case 'delivered': {
        const applied = this.#desk.book.apply(out.cursor, out.event);
        if (applied.applied === 'message') this.#desk.delivered(applied.message, this.#now);
        if (applied.applied === 'device') this.#devices.joined(applied.device);
        return;
      }
      case 'synced':
        this.#desk.book.synced(out.cursor);
        return this.#desk.caughtUp(this.#now);
      case 'draining':
        return this.#lost(this.#lines.draining(out.retryAfter, this.#now, this.#chance.number()), line);
      case 'dead':
        return this.#lost(this.#lines.closed(out.why === 'protocol' ? CLOSE.malformed : null, this.#now, this.#chance.number()), line);
    }
  }

  #barred(hasLocked: boolean, dropped: readonly Asked<Call>[]): void {
    // A join says who it is with its PIN: where one is asked for all the same, the same join again brings the device.
    if (this.#joining !== null) {
      this.#joining = null;
      this.#refuse('PIN_WRONG');
      return this.#rest({ is: 'joining' });
    }
    this.#lines.up(this.#now);
    for (const asked of dropped) if (asked.ask === 'call') this.#desk.unanswered(asked.call);
    this.#desk.book.interrupted();
    if (!hasLocked) this.#desk.rings.clear();
    this.#stage = { is: 'locked', by: 'box' };
    this.#effects.push({ effect: 'forgetPin' });
    const pin = this.#pendingPin;
    this.#pendingPin = null;
    if (pin !== null) this.#run(this.#lines.line?.session.unlock(this.#now.steady, pin) ?? null);
  }

  #signedIn(wire: SignedIn, pin: Pin | null): void {
    const [device, person] = [readId<DeviceId>(wire.device), readId<PersonId>(wire.person)];
    const joining = this.#joining;
    if (joining !== null) this.#joined(device, person, joining.deviceName);
    else if (device !== this.#identity?.device) return this.#run(this.#lines.line?.session.broken() ?? null);
    this.#lines.up(this.#now);
    this.#presence.session(momentOf(wire.idleLock), momentOf(wire.sessionEnds), this.#now);
    this.#list(wire);
    this.#desk.rings.clear();
    this.#outbox.signedIn(wire.lastNumber);
    this.#desk.signedIn(person, this.#now);
    const proven = pin ?? joining?.pin ?? null;
    if (proven !== null) this.#effects.push({ effect: 'rememberPin', pin: proven });
    // Who locked it here is asked here, whatever the box still holds open.
    if (proven !== null || this.#identity?.locked !== true) this.#open();
    else this.#stage = { is: 'locked', by: 'here' };
    if (this.#pendingPin !== null) {
      const pending = this.#pendingPin;
      this.#pendingPin = null;
      if (this.#stage.is === 'locked') this.#unlock(pending);
    }
    if (wire.station === 0n) this.#run(this.#lines.line?.session.sync(this.#now.steady, this.#desk.book.cursor) ?? null);
  }

  #joined(device: DeviceId, person: PersonId, deviceName: string): void {
    const before = this.#identity;
    this.#joining = null;
    // What waits is whoever's who composed it: another person's is not sent as this one's.
    if (before?.person !== person) this.#outbox.clear();
    else if (before?.device !== device) this.#outbox.renumber();
    if (before?.device !== device) this.#desk = this.#newDesk();
    const told = before?.device === device ? before.told : [device];
    this.#identity = { device, person, deviceName, facility: this.#lines.shown.facility, told, locked: false };
    this.#effects.push({ effect: 'keepIdentity', identity: this.#identity, joined: !this.#isLockedOut });
    this.#isLockedOut = false;
  }

  #refused(asked: Asked<Call>, declined: Declined): void {
    switch (asked.ask) {
      case 'hello':
      case 'prove':
      case 'join':
        return this.#turnedAway(declined);
      case 'unlock':
        if (verdictOf(declined.code) !== 'again') return this.#turnedAway(declined);
        this.#refusal = refusalOf(declined);
        return;
      case 'sync':
        if (declined.code === RefusalCode.CURSOR_INVALID) {
          this.#desk.book.anotherPast();
          this.#desk.receipts.forget();
          return this.#run(this.#lines.line?.session.sync(this.#now.steady, new Uint8Array(0)) ?? null);
        }
        return this.#leave(this.#lines.refused(declined.retryAfter, this.#now, this.#chance.number()));
      case 'submit':
        return this.#outbox.declined(asked.name, declined, this.#now.steady, this.#chance.number());
      case 'call':
        this.#desk.unanswered(asked.call);
        this.#refusal = refusalOf(declined);
        return;
      case 'echo':
        return;
    }
  }

  /** A sign-in, a join or a PIN was refused. */
  #turnedAway(declined: Declined): void {
    const isJoin = this.#joining !== null;
    this.#refusal = refusalOf(declined);
    this.#joining = null;
    this.#pendingPin = null;
    const verdict = verdictOf(declined.code);
    if (verdict === 'suspended' || verdict === 'tooOld') return this.#end(verdict);
    if (isJoin || verdict === 'unknown' || verdict === 'lockedOut') {
      this.#isLockedOut = verdict === 'lockedOut' || (isJoin && this.#isLockedOut);
      if (verdict === 'unknown') this.#desk = this.#newDesk();
      return this.#rest({ is: 'joining' });
    }
    if (this.#stage.is === 'starting') this.#stage = { is: 'locked', by: 'box' };
    this.#leave(this.#lines.refused(declined.retryAfter, this.#now, this.#chance.number()));
  }

  #closed(number: LineNumber, code: number | null): void {
    const line = this.#lines.of(number);
    if (line === null) return;
    const { lastWords } = line.session;
    if (code === CLOSE.numberReused) this.#outbox.suspectNumbers(line.session.submits());
    if (code === CLOSE.refused && lastWords !== null) {
      this.#abandon(line);
      return this.#turnedAway(lastWords);
    }
    this.#lost(this.#lines.closed(code, this.#now, this.#chance.number()), line);
  }

  /** Ends the connection from here; another one follows. */
  #leave(next: Next): void {
    const { line } = this.#lines;
    if (line !== null) this.#run(line.session.close());
    this.#lost(next, line);
  }

  #lost(next: Next, line: Line | null): void {
    if (line !== null) this.#abandon(line);
    if (next.next === 'stop') return this.#end(next.why === 'faulty' ? 'tooOld' : next.why);
    if (this.#joining !== null && this.#joining.attempts >= JOIN_ATTEMPTS) {
      this.#joining = null;
      this.#refuse('OFFLINE');
      return this.#rest({ is: 'joining' });
    }
    if (this.#pendingPin !== null) this.#refuse('OFFLINE');
    this.#pendingPin = null;
    if (this.#stage.is === 'starting') this.#stage = { is: 'locked', by: 'box' };
  }

  /** What waits for answers hears that none comes. */
  #abandon(line: Line): void {
    this.#desk.book.interrupted();
    this.#signing.clear();
    this.#isChecking = false;
    for (const asked of line.session.underWay()) {
      if (asked.ask === 'unlock') this.#refuse('INTERRUPTED');
      if (asked.ask !== 'call') continue;
      this.#desk.unanswered(asked.call);
      if (asked.call.call !== 'history' && asked.call.call !== 'roles') this.#refuse('INTERRUPTED');
    }
  }

  #rest(stage: Stage): void {
    const { line } = this.#lines;
    if (line !== null) this.#run(line.session.close());
    this.#lines.rest(this.#now);
    this.#stage = stage;
  }

  /** Nothing of it stays before anybody's eyes. */
  #end(why: NonNullable<Snapshot['ended']>): void {
    this.#joining = null;
    this.#pendingPin = null;
    this.#rest({ is: 'ended', why });
    this.#desk = this.#newDesk();
    this.#effects.push({ effect: 'forgetPin' });
  }

  #open(): void {
    this.#stage = { is: 'open' };
    this.#wrongHere = 0;
    this.#refusal = null;
    this.#acted();
    if (this.#identity?.locked === true) this.#keep({ locked: false });
  }

  #lockHere(): void {
    this.#stage = { is: 'locked', by: 'here' };
    this.#refusal = null;
    this.#keep({ locked: true });
  }

  #sign(bytes: Bytes, then: LineNumber | SignedLater, key: 'device' | 'joining'): void {
    this.#tokens += 1;
    this.#signing.set(this.#tokens, then);
    this.#effects.push({ effect: 'sign', token: this.#tokens, bytes, key });
  }

  #signed(token: number, signature: Parameters<Desk['signed']>[1] | null): void {
    const then = this.#signing.get(token);
    this.#signing.delete(token);
    if (then === undefined) return;
    if (signature === null) return this.#end('storage');
    if (typeof then === 'number') this.#on(then, (line) => line.session.signed(this.#now.steady, signature));
    else this.#desk.signed(then, signature);
  }

  /** Writes what is to be written, sends what may go. */
  #push(): void {
    if (this.#stage.is === 'starting' || this.#stage.is === 'ended') return;
    const { steady, wall } = this.#now;
    this.#outbox.giveUpLate(wall);
    const session = this.#lines.line?.session;
    if (session?.isOpen === true) {
      for (const waiting of this.#outbox.pick(session.submits(), steady)) {
        this.#run(session.ask(steady, { ask: 'submit', name: waiting.name }, submitOf(waiting)));
      }
      this.#desk.flushReceipts(this.#now);
    }
    const writes = this.#outbox.flush();
    if (writes !== null) this.#effects.push({ effect: 'write', writes });
  }

  #acted(): void {
    if (this.#presence.acted(this.#now) && this.#stage.is === 'open') this.#send({ case: 'active', value: {} });
  }

  #send(body: Ask): void {
    this.#run(this.#lines.line?.session.tell(this.#now.steady, body) ?? null);
  }

  #refuse(code: OwnCode): void {
    this.#refusal = ownRefusal(code);
  }

  #list(wire: SignedIn): void {
    const devices = wire.devices.filter((one) => !one.revoked).map((one) => ({ id: readId<DeviceId>(one.device), name: cleanLine(one.name) }));
    const before = this.#identity?.told ?? [];
    const told = this.#devices.list(devices, before);
    if (told.length !== before.length) this.#keep({ told });
  }

  #keep(changed: Partial<Pick<Identity, 'told' | 'locked'>>): void {
    if (this.#identity === null) return;
    this.#identity = { ...this.#identity, ...changed };
    this.#effects.push({ effect: 'keepIdentity', identity: this.#identity, joined: false });
  }

  #shownDevices(): Snapshot['devices'] {
    return this.#identity === null ? [] : this.#devices.shown(this.#identity.device, this.#identity.told);
  }

  #newDesk(): Desk {
    return new Desk(this.#outbox, {
      ask: (call, body) => {
        const outs = this.#lines.line?.session.ask(this.#now.steady, { ask: 'call', call }, body) ?? null;
        this.#run(outs);
        return outs !== null;
      },
      tell: (body) => this.#send(body),
      sign: (bytes, later) => {
        if (this.#lines.line?.session.isOpen === true) this.#sign(bytes, later, 'device');
        else this.#refuse('OFFLINE');
      },
      refuse: (refusal) => {
        this.#refusal = refusal;
      },
    });
  }
}
