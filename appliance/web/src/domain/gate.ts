/**
 * Who may see: joining, locking, unlocking, and what becomes of the device when the box says so.
 *
 * ```text
 * starting -> joining -> open <-> locked          ended (from anywhere)
 * ```
 *
 * A PIN is held for the join or the attempt under way, never longer, and never tried twice by itself.
 */

import { RefusalCode, type SignedIn, type VisitAsked } from '../gen/wardline_pb.js';
import type { Next } from './backoff.ts';
import type { Call } from './calls.ts';
import { draftsKeyOf, leaseOf } from './composing.ts';
import { Devices } from './devices.ts';
import type { Now } from './desk.ts';
import type { Identity } from './effects.ts';
import type { Ground } from './ground.ts';
import { shortName } from './handset.ts';
import { type DeviceId, momentOf, type PersonId } from './ids.ts';
import type { Line } from './lines.ts';
import { choosePin, parseDeviceName, parsePin, parseVisit, type Pin } from './pins.ts';
import { Presence } from './presence.ts';
import { type DeviceKey, type Hash, type JoinCode, parseJoinCode } from './proofs.ts';
import { type Declined, type OwnCode, ownRefusal, refusalOf, verdictOf } from './refusals.ts';
import type { Asked, Visit } from './session.ts';
import type { Assertion, Refusal, Snapshot } from './snapshot.ts';
import { cleanLine } from './texts.ts';
import { readId } from './wire.ts';

export type Stage =
  | { readonly is: 'starting' }
  | { readonly is: 'joining' }
  /** At a bed: somebody of the team is to answer. */
  | { readonly is: 'asked' }
  /** `here`: the box's session may be open all the same. */
  | { readonly is: 'locked'; readonly by: 'box' | 'here' }
  | { readonly is: 'open' }
  | { readonly is: 'station' }
  | { readonly is: 'ended'; readonly why: NonNullable<Snapshot['ended']> };

interface Joining {
  readonly code: JoinCode;
  readonly pin: Pin;
  readonly deviceName: string;
  readonly visit: Visit | null;
  readonly key: { readonly key: DeviceKey; readonly codeHash: Hash } | null;
  readonly attempts: number;
}

/** Whoever waits at a bed is looked for so often by itself. */
const ASKED_AGAIN = 15_000;
/** The same join goes so often before the person is asked again. */
const JOIN_ATTEMPTS = 3;
/** For so long what waits to be sent may leave over the session of whoever locked it, before the box locks it too. */
const LAST_SENDS_MAX = 5_000;
/** How long a start waits for the box's first word before the PIN is asked for all the same. */
const START_MAX = 3_000;
/** Without the box nothing of anybody's is held for longer than this: it may have said meanwhile that this device is not to have it. */
const LEASE = 600_000;

export class Gate {
  readonly #ground: Ground;
  /** Login secrets: the device's, and of a key that joins. Empty: none. */
  readonly #secrets: Record<'device' | 'joining', Uint8Array> = { device: new Uint8Array(0), joining: new Uint8Array(0) };
  readonly presence = new Presence();
  readonly devices = new Devices();
  /** Why the last thing that the person asked for was not done. */
  refusal: Refusal | null = null;
  /** The box's clock is so much ahead of the device's. */
  boxAhead = 0;
  #stage: Stage = { is: 'starting' };
  #startedAt = Infinity;
  #identity: Identity | null = null;
  #joining: Joining | null = null;
  /** Wrong PINs have locked the device: a code clears that, and its own key joins again. */
  #isLockedOut = false;
  #pendingPin: Pin | null = null;
  /** A passkey opens what is locked, the box says. */
  #passkeyDoes = false;
  /** Locked here: when the box is told at the latest, and the line it was told on. */
  #lockBy = Infinity;
  #lockToldOn: Line | null = null;
  /** When the box was last there, as far as anything of its is held; `null`: nothing is. */
  #heardAt: Now | null = null;
  #hasLapsed = false;
  /** What a visitor is called; `null`: somebody of the staff. */
  visitor: string | null = null;
  /** What is shown as refused is a sign-in. */
  #hasTurnedAway = false;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  get stage(): Stage {
    return this.#stage;
  }

  get isOpen(): boolean {
    return this.#stage.is === 'open';
  }

  get identity(): Identity | null {
    return this.#identity;
  }

  /** The key that proves a line of now. */
  get provingKey(): 'device' | 'joining' {
    return this.#joining !== null && !this.#isLockedOut ? 'joining' : 'device';
  }

  /** A join or a PIN is under way. */
  get isBusy(): boolean {
    return this.#joining !== null || this.#pendingPin !== null || this.#ground.session?.isUnlocking === true;
  }

  /** What the disk had. */
  loaded(identity: Identity | null, secret: Uint8Array): void {
    this.#secrets.device = secret;
    this.#identity = identity;
    this.#startedAt = this.#ground.now.steady;
    if (identity === null) return this.rest({ is: 'joining' });
    if (identity.station != null) this.#stage = { is: 'station' };
    this.connect();
  }

  keyReady(key: DeviceKey, codeHash: Hash, secret: Uint8Array): void {
    if (this.#joining === null) return;
    this.#secrets.joining = secret;
    this.#joining = { ...this.#joining, key: { key, codeHash } };
    this.connect();
  }

  /** What the key of now is to present the next time is on the disk. */
  secretKept(secret: Uint8Array): void {
    this.#secrets[this.provingKey] = secret;
  }

  /** When a start has waited for long enough. */
  startsUntil(): number {
    return this.#stage.is === 'starting' ? this.#startedAt + START_MAX : Infinity;
  }

  /** What time alone does. */
  tick(): void {
    const { steady } = this.#ground.now;
    if (steady >= this.startsUntil()) this.#stage = this.#unlet();
    if (steady >= this.idleAt()) this.lockHere();
  }

  /** Something came from the box, which knows this device; it may want the PIN. */
  heard(): void {
    const { session, now } = this.#ground;
    if (session?.isOpen === true || (session?.isBarred === true && this.#heardAt !== null)) this.#heardAt = now;
  }

  /** When what is held is forgotten for want of the box. A device that slept may have a steady clock that slept as well. */
  leaseEnds(): number {
    if (this.#heardAt === null) return Infinity;
    const { now } = this.#ground;
    const [gone, slept] = [now.steady - this.#heardAt.steady, now.wall - this.#heardAt.wall];
    return this.#heardAt.steady + LEASE - Math.max(slept - gone, 0);
  }

  /** Locked for want of the box. */
  get lapsed(): boolean {
    return this.#hasLapsed && this.#stage.is === 'locked';
  }

  /** Whatever else says that the app may stay open. */
  expire(): void {
    const { now, lines, chance } = this.#ground;
    if (now.steady < this.leaseEnds()) return;
    this.#heardAt = null;
    // Nothing goes on with what is forgotten: a new connection brings everything.
    if (lines.line !== null) this.leave(lines.closed(null, now, chance.number()));
    if (this.#stage.is !== 'open' && this.#stage.is !== 'locked') return;
    this.#ground.clearDesk();
    this.lockHere();
    this.#hasLapsed = true;
  }

  /** When the app locks by itself. */
  idleAt(): number {
    return this.isOpen ? this.presence.idleAt(this.#ground.now, this.boxAhead) : Infinity;
  }

  devicesShown(): void {
    this.#keep({ told: this.devices.ids() });
  }

  join(typed: string, pin: string, named: string): void {
    if (this.#stage.is !== 'joining' || this.#joining !== null) return;
    const [code, chosen, deviceName] = [parseJoinCode(typed), choosePin(pin), parseDeviceName(named)];
    if (code === null) return this.refuse('JOIN_CODE_INVALID');
    if (typeof chosen !== 'string') return this.refuse(chosen.fault);
    if (deviceName === null) return this.refuse('DEVICE_NAME');
    this.refusal = null;
    this.#joining = { code, pin: chosen, deviceName, visit: null, key: null, attempts: 0 };
    this.#ground.do({ effect: 'prepareKey', code, own: this.#isLockedOut, bedside: false });
  }

  visit(typed: string, pin: string, named: string, name: string, relation: string): void {
    if (this.#stage.is !== 'joining' || this.#joining !== null) return;
    const [code, chosen, deviceName, visit] = [parseJoinCode(typed), choosePin(pin), parseDeviceName(named), parseVisit(name, relation)];
    if (code === null) return this.refuse('JOIN_CODE_INVALID');
    if (typeof chosen !== 'string') return this.refuse(chosen.fault);
    if (deviceName === null) return this.refuse('DEVICE_NAME');
    if (visit === null) return this.refuse('VISITOR_NAME');
    this.refusal = null;
    this.#joining = { code, pin: chosen, deviceName, visit, key: null, attempts: 0 };
    this.#isLockedOut = false;
    this.#ground.do({ effect: 'prepareKey', code, own: false, bedside: true });
  }

  /** The box has somebody's wish to be let in: from now on this device asks what became of it. */
  visitAsked({ device }: VisitAsked): void {
    const joining = this.#joining;
    if (joining === null) return;
    const id = readId<DeviceId>(device);
    this.#joining = null;
    this.#ground.outbox.clear();
    this.#ground.clearDesk();
    this.#identity = { device: id, person: null, deviceName: joining.deviceName, facility: this.#ground.lines.shown.facility, told: [id], locked: false };
    this.#ground.do({ effect: 'keepIdentity', identity: this.#identity, joined: true });
    this.rest({ is: 'asked' });
    this.connect();
  }

  /** Whoever waits asks by themselves. */
  lookAgain(): void {
    if (this.#stage.is === 'asked' && this.#ground.session === null) this.connect();
  }

  unlock(typed: string): void {
    if (this.#stage.is !== 'locked') return;
    const pin = parsePin(typed);
    if (pin === null) return this.refuse('PIN_TOO_SHORT');
    const { session } = this.#ground;
    if (this.#pendingPin !== null || session?.isUnlocking === true) return;
    this.refusal = null;
    if (session?.isBarred === true) return this.#ground.run(session.unlock(this.#ground.now.steady, pin));
    // Held for the attempt under way, not for whenever the box is back.
    if (session === null && !this.#ground.lines.hurries(this.#ground.now)) return this.refuse('OFFLINE');
    this.#pendingPin = pin;
    // A PIN is the box's to look at: where its session is open still, it locks that first.
    this.#lockBy = this.#ground.now.steady;
    if (session === null) this.connect();
  }

  /** Whether a passkey opens it now. */
  get passkeyDoes(): boolean {
    return this.#passkeyDoes && this.#stage.is === 'locked' && this.#ground.session?.isBarred === true;
  }

  /** By what a passkey has signed for this connection. */
  unlockByPasskey(assertion: Assertion): void {
    if (this.#stage.is !== 'locked' || this.isBusy) return;
    this.refusal = null;
    const { session, now } = this.#ground;
    if (session?.isBarred !== true) return this.refuse('OFFLINE');
    this.#ground.run(session.unlockByPasskey(now.steady, assertion));
  }

  /** A PIN or a passkey was refused, and another may be tried. */
  notUnlocked(declined: Declined): void {
    // Its time is over: only a PIN opens.
    if (declined.code === RefusalCode.PIN_DUE) this.#passkeyDoes = false;
    this.refusal = refusalOf(declined);
  }

  /** The next attempt, for whoever is to be signed in. */
  connect(): void {
    const joining = this.#joining;
    if (joining !== null && joining.key === null) return;
    const key = joining?.key;
    if (joining !== null && key != null) {
      this.#joining = { ...joining, attempts: joining.attempts + 1 };
      const line = this.#ground.lines.connect({ purpose: 'join', ...joining, ...key, secret: this.#secrets[this.provingKey] }, this.#ground.now);
      this.#ground.do({ effect: 'connect', line });
    } else if (this.#identity !== null && this.#stage.is !== 'joining') {
      const line = this.#ground.lines.connect({ purpose: 'signIn', device: this.#identity.device, secret: this.#secrets.device }, this.#ground.now);
      this.#ground.do({ effect: 'connect', line });
    }
  }

  /** The PIN is wanted. */
  barred(hasLocked: boolean, dropped: readonly Asked<Call>[], passkey: boolean): void {
    this.#passkeyDoes = passkey;
    // A join says who it is with its PIN: where one is asked for all the same, the same join again brings the device.
    if (this.#joining !== null) {
      this.#joining = null;
      this.refuse('PIN_WRONG');
      return this.rest({ is: 'joining' });
    }
    this.#ground.lines.up(this.#ground.now);
    for (const asked of dropped) if (asked.ask === 'call') this.#ground.desk.unanswered(asked.call);
    this.#ground.desk.book.interrupted();
    if (!hasLocked) this.#ground.desk.rings.clear();
    this.#stage = { is: 'locked', by: 'box' };
    this.#ground.outbox.lease = null;
    if (this.#identity?.locked === true || this.#identity?.station != null) this.#keep({ locked: false, station: null });
    const pin = this.#pendingPin;
    this.#pendingPin = null;
    if (pin !== null) this.#ground.run(this.#ground.session?.unlock(this.#ground.now.steady, pin) ?? null);
  }

  signedIn(wire: SignedIn, unlocked: boolean): void {
    const [device, person] = [readId<DeviceId>(wire.device), readId<PersonId>(wire.person)];
    const joining = this.#joining;
    if (joining !== null) this.#joined(device, person, joining.deviceName);
    else if (device === this.#identity?.device && this.#identity.person === null) this.#keep({ person });
    else if (device !== this.#identity?.device) return this.#ground.run(this.#ground.session?.broken() ?? null);
    this.#ground.lines.up(this.#ground.now);
    this.#heardAt = this.#ground.now;
    this.presence.session(momentOf(wire.idleLock), momentOf(wire.sessionEnds), this.#ground.now);
    const name = shortName(cleanLine(wire.name));
    if (this.#identity?.name !== name) this.#keep({ name });
    this.visitor = wire.visitor ? cleanLine(wire.name) : null;
    this.#list(wire);
    this.#ground.desk.rings.clear();
    this.#ground.outbox.signedIn(wire.lastNumber);
    this.#ground.desk.signedIn(person, this.#ground.now);
    if (wire.station !== 0n) return this.#watch(cleanLine(wire.name));
    if (this.#identity?.station != null) this.#keep({ station: null });
    const isProven = unlocked || joining !== null;
    // Who locked it here is asked for the PIN, though the box still holds the session open. That a connection came back is no act of anybody's.
    const wasOpen = this.isOpen;
    if (isProven) this.#open();
    else this.#stage = this.#identity?.locked === true ? { is: 'locked', by: 'here' } : { is: 'open' };
    // Why it was not let in before is nothing to say any more.
    if (this.#hasTurnedAway || (this.isOpen && !wasOpen)) this.refusal = null;
    this.#hasTurnedAway = false;
    if (this.#stage.is === 'locked') this.#lockBy = this.#ground.now.steady + (this.#pendingPin === null ? LAST_SENDS_MAX : 0);
    else this.#pendingPin = null;
    this.#ground.outbox.lease = this.isOpen ? leaseOf(wire, device) : null;
    const draftsKey = this.isOpen ? draftsKeyOf(wire) : null;
    if (draftsKey !== null && this.#ground.drafts.open(draftsKey)) this.#ground.do({ effect: 'readDrafts', key: draftsKey });
    if (this.isOpen) this.#ground.run(this.#ground.session?.sync(this.#ground.now.steady, this.#ground.desk.book.cursor) ?? null);
  }

  /** A sign-in, a join or a PIN was refused. */
  turnedAway(declined: Declined): void {
    const isJoin = this.#joining !== null;
    this.refusal = refusalOf(declined);
    this.#joining = null;
    this.#pendingPin = null;
    const verdict = verdictOf(declined.code);
    if (verdict === 'suspended' || verdict === 'tooOld') return this.end(verdict);
    if (verdict === 'waiting') {
      this.refusal = null;
      this.#stage = { is: 'asked' };
      return this.leave(this.#ground.lines.refused(ASKED_AGAIN, this.#ground.now, this.#ground.chance.number()));
    }
    if (isJoin || verdict === 'unknown' || verdict === 'lockedOut') {
      this.#isLockedOut = verdict === 'lockedOut' || (isJoin && this.#isLockedOut);
      if (verdict === 'unknown') this.#ground.clearDesk();
      return this.rest({ is: 'joining' });
    }
    if (this.#stage.is === 'starting') this.#stage = this.#unlet();
    this.#hasTurnedAway = true;
    this.leave(this.#ground.lines.refused(declined.retryAfter, this.#ground.now, this.#ground.chance.number()));
  }

  /** Ends the connection from here; another one follows. */
  leave(next: Next): void {
    const { line } = this.#ground.lines;
    if (line !== null) this.#ground.run(line.session.close());
    this.lost(next, line);
  }

  /** The connection is no more; what follows is settled. */
  lost(next: Next, line: Line | null): void {
    if (line !== null) this.abandon(line);
    if (next.next === 'stop' && next.why === 'revoked' && this.visitor !== null) return this.#visitOver();
    if (next.next === 'stop') return this.end(next.why === 'faulty' ? 'tooOld' : next.why);
    if (this.#joining !== null && this.#joining.attempts >= JOIN_ATTEMPTS) {
      this.#joining = null;
      this.refuse('OFFLINE');
      return this.rest({ is: 'joining' });
    }
    if (this.#pendingPin !== null) this.refuse('OFFLINE');
    this.#pendingPin = null;
    if (this.#stage.is === 'starting') this.#stage = this.#unlet();
  }

  /** What waits for answers hears that none comes. */
  abandon(line: Line): void {
    this.#ground.desk.book.interrupted();
    this.#ground.forgetSigning();
    for (const asked of line.session.underWay()) {
      if (asked.ask === 'unlock') this.refuse('INTERRUPTED');
      if (asked.ask !== 'call') continue;
      this.#ground.desk.unanswered(asked.call);
      if (!['history', 'roles', 'prospect', 'look', 'page'].includes(asked.call.call)) this.refuse('INTERRUPTED');
    }
  }

  /** Nothing is tried by itself any more. */
  rest(stage: Stage): void {
    const { line } = this.#ground.lines;
    if (line !== null) this.#ground.run(line.session.close());
    this.#ground.lines.rest(this.#ground.now);
    this.#ground.outbox.lease = null;
    this.#stage = stage;
  }

  /** Nothing of it stays before anybody's eyes. */
  end(why: NonNullable<Snapshot['ended']>): void {
    this.#joining = null;
    this.#pendingPin = null;
    this.rest({ is: 'ended', why });
    this.#ground.clearDesk();
  }

  /** By the person, or since nobody has been there for long enough. */
  lockHere(): void {
    this.#stage = { is: 'locked', by: 'here' };
    this.#lockBy = this.#ground.now.steady + LAST_SENDS_MAX;
    this.#hasLapsed = false;
    this.refusal = null;
    this.#ground.outbox.lease = null;
    this.#keep({ locked: true });
  }

  /** When the box is to be told of a lock, at the latest. */
  lockDue(): number {
    const isDue = this.#stage.is === 'locked' && this.#stage.by === 'here' && this.#ground.session?.isOpen === true;
    return isDue && this.#lockToldOn !== this.#ground.lines.line ? this.#lockBy : Infinity;
  }

  /** Tells the box of a lock, once what its person composed has left, or is sealed and leaves from the locked session. */
  settleLock(): void {
    const due = this.lockDue();
    if (due === Infinity || (this.#ground.outbox.staying > 0 && this.#ground.now.steady < due)) return;
    this.#lockToldOn = this.#ground.lines.line;
    this.#ground.tell({ case: 'lock', value: {} });
  }

  /** The person did something. */
  acted(): void {
    if (this.presence.acted(this.#ground.now) && this.#stage.is === 'open') this.#ground.tell({ case: 'active', value: {} });
  }

  refuse(code: OwnCode): void {
    this.refusal = ownRefusal(code);
  }

  /** Before the box has said more. */
  #unlet(): Stage {
    return this.#identity?.person === null ? { is: 'asked' } : { is: 'locked', by: 'box' };
  }

  /** A visitor is out: who comes again asks again. */
  #visitOver(): void {
    this.visitor = null;
    this.rest({ is: 'joining' });
    this.#ground.clearDesk();
    this.refuse('FAMILY_OVER');
  }

  #joined(device: DeviceId, person: PersonId, deviceName: string): void {
    const before = this.#identity;
    this.#joining = null;
    // What waits is whoever's who composed it: another person's is not sent as this one's.
    if (before?.person !== person) this.#ground.outbox.clear();
    else if (before?.device !== device) this.#ground.outbox.renumber();
    if (before?.device !== device) this.#ground.clearDesk();
    const told = before?.device === device ? before.told : [device];
    this.#identity = { device, person, deviceName, facility: this.#ground.lines.shown.facility, told, locked: false };
    this.#ground.do({ effect: 'keepIdentity', identity: this.#identity, joined: !this.#isLockedOut });
    if (!this.#isLockedOut) this.#secrets.device = this.#secrets.joining;
    this.#isLockedOut = false;
  }

  #open(): void {
    this.#stage = { is: 'open' };
    this.#hasLapsed = false;
    // The next lock on this connection is told as well.
    this.#lockToldOn = null;
    this.refusal = null;
    this.acted();
    if (this.#identity?.locked === true) this.#keep({ locked: false });
  }

  /** A unit's screen needs its key and nothing else, and is sent what rings, unasked. */
  #watch(name: string): void {
    [this.#stage, this.refusal, this.#hasTurnedAway, this.#pendingPin] = [{ is: 'station' }, null, false, null];
    if (this.#identity?.station !== name) this.#keep({ station: name });
  }

  #list(wire: SignedIn): void {
    const devices = wire.devices.filter((one) => !one.revoked).map((one) => ({ id: readId<DeviceId>(one.device), name: cleanLine(one.name) }));
    const before = this.#identity?.told ?? [];
    const told = this.devices.list(devices, before);
    if (told.length !== before.length) this.#keep({ told });
  }

  #keep(changed: Partial<Pick<Identity, 'told' | 'locked' | 'station' | 'person' | 'name'>>): void {
    if (this.#identity === null) return;
    this.#identity = { ...this.#identity, ...changed };
    this.#ground.do({ effect: 'keepIdentity', identity: this.#identity, joined: false });
  }
}
