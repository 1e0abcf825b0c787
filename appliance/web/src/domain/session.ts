/**
 * One connection, from the doorway's opening to its end (README.md, section 3).
 *
 * ```text
 * opening -> greeting -> signing -> proving -> barred <-> open          over (from anywhere)
 * ```
 *
 * Pure: what happens goes in with the time of a steady clock in milliseconds, what is to be done comes out. It knows which requests
 * are under way and how long, keeps the connection alive, and lets through of deliveries only what belongs to the sync that counts.
 */

import { type Accepted, type Event, type Locked, type PinNeeded, RefusalCode, type ServerFrame, type SignedIn, type VisitAsked, type Welcome } from '../gen/wardline_pb.js';
import { type Bytes } from './bytes.ts';
import { type Ask, encodeFrame, type Told } from './frames.ts';
import { type DeviceId, type MessageName, wireId } from './ids.ts';
import { type Pin } from './pins.ts';
import { type DeviceKey, type Hash, hashOf, joinBytes, type JoinCode, signInBytes, type Signature, visitBytes } from './proofs.ts';
import { type Declined, declinedOf } from './refusals.ts';
import type { Assertion } from './snapshot.ts';

/** Who connects, and how it proves that. */
export type Purpose =
  | { readonly purpose: 'signIn'; readonly device: DeviceId; /** Its login secret; empty: it has none yet. */ readonly secret: Uint8Array }
  | {
      readonly purpose: 'join';
      readonly code: JoinCode;
      readonly codeHash: Hash;
      readonly key: DeviceKey;
      readonly pin: Pin;
      readonly deviceName: string;
      /** At a bed, with its code: who asks to be let in. */
      readonly visit: Visit | null;
      /** The login secret that this key was given; empty: none. */
      readonly secret: Uint8Array;
    };

/** Who somebody at a bed says they are, and what to the patient. */
export interface Visit {
  readonly name: string;
  readonly relation: string;
}

/** What a request was for; `Call` is whatever else the owner of the session asks. */
export type Asked<Call> =
  | { readonly ask: 'hello' | 'prove' | 'join' | 'sync' | 'echo' }
  /** By a PIN or a passkey. */
  | { readonly ask: 'unlock' }
  | { readonly ask: 'submit'; readonly name: MessageName; /** From a locked session. */ readonly asSealed?: boolean }
  | { readonly ask: 'call'; readonly call: Call };

/** What is to be done. */
export type Out<Call> =
  | { readonly out: 'send'; readonly bytes: Bytes }
  | { readonly out: 'sign'; readonly bytes: Bytes }
  | { readonly out: 'close' }
  | { readonly out: 'welcomed'; readonly facility: string; readonly root: Hash | null; readonly boxTime: bigint; readonly challenge: Hash; readonly leaves: readonly Hash[] }
  /** The PIN is wanted: from the beginning, or because the session has just locked. */
  | { readonly out: 'barred'; readonly triesLeft: number; /** A passkey would do as well. */ readonly passkey: boolean; readonly hasLocked: boolean; readonly dropped: readonly Asked<Call>[] }
  /** Somebody of the team is to let this device in. */
  | { readonly out: 'visitAsked'; readonly asked: VisitAsked }
  | { readonly out: 'signedIn'; readonly signedIn: SignedIn; /** By what the person has just done. */ readonly unlocked: boolean }
  | { readonly out: 'refused'; readonly asked: Asked<Call>; readonly declined: Declined }
  | { readonly out: 'answer'; readonly request: number; readonly asked: Asked<Call>; readonly body: Told }
  | { readonly out: 'accepted'; readonly accepted: Accepted }
  | { readonly out: 'told'; readonly body: Told }
  | { readonly out: 'syncStarted'; readonly snapshot: boolean }
  | { readonly out: 'delivered'; readonly cursor: Uint8Array; readonly event: Event | undefined }
  | { readonly out: 'synced'; readonly cursor: Uint8Array }
  | { readonly out: 'draining'; readonly retryAfter: number }
  /** This end gives up: nothing is heard, or what is heard is no answer. */
  | { readonly out: 'dead'; readonly why: 'unreachable' | 'silent' | 'protocol' };

/** The leaf being served, and the next one. */
const LEAVES_MAX = 2;
/** The version that this app speaks. */
const VERSION = 1;
/** A doorway that does not open for so long is none. */
const OPENING_MAX = 15_000;
/** A request without an answer for so long: connect anew. */
const ANSWER_MAX = 20_000;
/** Something was sent that wants an answer, and nothing at all was heard since. */
const SILENCE_MAX = 15_000;
/** After so long without a byte from the box a sign of life is asked for. What is sent says nothing: `Here` goes every 8 s, unanswered. */
const QUIET_MAX = 10_000;
/** The same, where the network has just changed: the answer takes no longer than the worst radio. */
const PROBE_MAX = 3_000;

type Sync = { readonly sync: 'no' } | { readonly sync: 'asked'; readonly request: number } | { readonly sync: 'running' };

type At =
  | { readonly at: 'opening'; readonly since: number }
  | { readonly at: 'greeting' }
  | { readonly at: 'signing' }
  | { readonly at: 'proving' }
  | { readonly at: 'barred'; readonly isUnlocking: boolean }
  | { readonly at: 'open'; readonly sync: Sync }
  | { readonly at: 'over' };

const NO_SYNC: Sync = { sync: 'no' };

export class Session<Call> {
  /** `null` once it has served: it may have a PIN. */
  #purpose: Purpose | null;
  /** What proofs are bound to: known once the doorway is open. */
  #binding: Hash | null = null;
  readonly #client: string;
  #at: At;
  #next = 1;
  readonly #asked = new Map<number, { readonly since: number; readonly asked: Asked<Call> }>();
  #heardAt: number;
  /** Since when an answer is owed and nothing was heard. */
  #silentSince: number | null = null;
  #probeBy: number | null = null;
  #lastWords: Declined | null = null;

  constructor(purpose: Purpose, client: string, now: number) {
    this.#purpose = purpose;
    this.#client = client;
    this.#at = { at: 'opening', since: now };
    this.#heardAt = now;
  }

  get isOpen(): boolean {
    return this.#at.at === 'open';
  }

  get isBarred(): boolean {
    return this.#at.at === 'barred';
  }

  /** The box looks at a PIN. */
  get isUnlocking(): boolean {
    return this.#at.at === 'barred' && this.#at.isUnlocking;
  }

  /** The box's last refusal that answers no request: the reason, should it close now. */
  get lastWords(): Declined | null {
    return this.#lastWords;
  }

  /** Messages that were sent and are not answered. */
  submits(): MessageName[] {
    return this.underWay().flatMap((asked) => (asked.ask === 'submit' ? [asked.name] : []));
  }

  /** Requests without an answer. */
  underWay(): Asked<Call>[] {
    return [...this.#asked.values()].map(({ asked }) => asked);
  }

  /** The doorway is open, and what is proven there is bound to this. */
  opened(now: number, binding: Hash): Out<Call>[] {
    if (this.#at.at !== 'opening') return [];
    this.#binding = binding;
    this.#at = { at: 'greeting' };
    const device = this.#purpose?.purpose === 'signIn' ? wireId(this.#purpose.device) : 0n;
    const hello = { versionMin: VERSION, versionMax: VERSION, client: this.#client, device };
    return this.#ask(now, { ask: 'hello' }, { case: 'hello', value: hello });
  }

  /** What {@link Out} `sign` asked for. */
  signed(now: number, signature: Signature): Out<Call>[] {
    const purpose = this.#purpose;
    if (this.#at.at !== 'signing' || purpose === null) return [];
    this.#at = { at: 'proving' };
    this.#purpose = null;
    if (purpose.purpose === 'signIn') {
      return this.#ask(now, { ask: 'prove' }, { case: 'prove', value: { device: wireId(purpose.device), signature, rotates: true, loginSecret: purpose.secret } });
    }
    const { code, key: deviceKey, pin, deviceName, visit, secret: loginSecret } = purpose;
    if (visit !== null) return this.#ask(now, { ask: 'join' }, { case: 'askToVisit', value: { code, deviceKey, deviceName, pin, signature, ...visit } });
    return this.#ask(now, { ask: 'join' }, { case: 'join', value: { code, deviceKey, deviceName, pin, signature, rotates: true, loginSecret } });
  }

  /** One PIN at a time, and only where one is wanted: anything else closes the connection. False: not now. */
  unlock(now: number, pin: Pin): Out<Call>[] | null {
    return this.#unlock(now, { case: 'unlock', value: { pin } });
  }

  /** The same, by what a passkey has signed. */
  unlockByPasskey(now: number, value: Assertion): Out<Call>[] | null {
    return this.#unlock(now, { case: 'unlockByPasskey', value });
  }

  #unlock(now: number, body: Ask): Out<Call>[] | null {
    if (this.#at.at !== 'barred' || this.#at.isUnlocking) return null;
    this.#at = { at: 'barred', isUnlocking: true };
    return this.#ask(now, { ask: 'unlock' }, body);
  }

  /** Delivery from this cursor on, or, empty, from a snapshot. What was delivered before is over. */
  sync(now: number, cursor: Uint8Array): Out<Call>[] {
    if (this.#at.at !== 'open') return [];
    this.#at = { at: 'open', sync: { sync: 'asked', request: this.#next } };
    return this.#ask(now, { ask: 'sync' }, { case: 'sync', value: { cursor } });
  }

  /** A request that is answered; `null`: not in this state. */
  ask(now: number, asked: Asked<Call>, body: Ask): Out<Call>[] | null {
    const isComing = body.case === 'answerStat' && body.value.answer?.case === 'coming';
    const isFromLocked = isComing || body.case === 'submitSealed' || body.case === 'askPasskeyChallenge';
    if (this.#at.at !== 'open' && !(this.#at.at === 'barred' && isFromLocked)) return null;
    return this.#ask(now, asked, body);
  }

  /** A request that is not answered: `Receipt`, `Active`, `Here`. */
  tell(body: Ask): Out<Call>[] {
    return this.#at.at === 'open' ? this.#send(0, body) : [];
  }

  /** The network may have changed: does the way still work? */
  probe(now: number): Out<Call>[] {
    if (this.#at.at === 'opening' || this.#at.at === 'over') return [];
    this.#probeBy ??= now + PROBE_MAX;
    return this.#ask(now, { ask: 'echo' }, { case: 'echo', value: {} });
  }

  /** What is due. */
  tick(now: number): Out<Call>[] {
    if (this.#at.at === 'over' || now < this.nextAt()) return [];
    if (this.#at.at === 'opening') return this.#dead('unreachable');
    const oldest = this.#oldest();
    const isSilent = this.#silentSince !== null && now >= this.#silentSince + SILENCE_MAX;
    const isProbed = this.#probeBy !== null && now >= this.#probeBy;
    if (isSilent || isProbed || (oldest !== null && now >= oldest + ANSWER_MAX)) return this.#dead('silent');
    if (now < this.#quietAt()) return [];
    return this.#ask(now, { ask: 'echo' }, { case: 'echo', value: {} });
  }

  /** When {@link tick} has something to do. */
  nextAt(): number {
    if (this.#at.at === 'over') return Infinity;
    if (this.#at.at === 'opening') return this.#at.since + OPENING_MAX;
    const silent = this.#silentSince === null ? Infinity : this.#silentSince + SILENCE_MAX;
    return Math.min(this.#quietAt(), silent, this.#probeBy ?? Infinity, (this.#oldest() ?? Infinity) + ANSWER_MAX);
  }

  /** Bytes that are no frame: the stream cannot be read any more. */
  broken(): Out<Call>[] {
    return this.#dead('protocol');
  }

  /** Ends it from here. */
  close(): Out<Call>[] {
    if (this.#at.at === 'over') return [];
    this.#at = { at: 'over' };
    return [{ out: 'close' }];
  }

  frame(now: number, frame: ServerFrame): Out<Call>[] {
    if (this.#at.at === 'over' || this.#at.at === 'opening') return [];
    this.#heardAt = now;
    this.#silentSince = null;
    this.#probeBy = null;
    const request = Number(frame.request);
    const { body } = frame;
    switch (body.case) {
      case 'welcome':
        return this.#welcomed(request, body.value);
      case 'pinNeeded':
        return this.#barred(this.#take(request)?.ask === 'prove' || this.#at.at === 'proving', body.value, false);
      case 'locked':
        return this.#barred(this.#at.at === 'open', body.value, true);
      case 'signedIn':
        return this.#signedIn(request, body.value);
      case 'visitAsked':
        if (this.#at.at !== 'proving' || this.#take(request)?.ask !== 'join') return this.#dead('protocol');
        return [...this.close(), { out: 'visitAsked', asked: body.value }];
      case 'refused':
        return this.#refused(request, declinedOf(body.value));
      case 'syncStarted':
        return this.#syncStarted(request, body.value.snapshot);
      case 'delivery':
        return this.#delivered(body.value.cursor, body.value.event);
      case 'synced':
        this.#take(request);
        return this.#isDelivered() ? [{ out: 'synced', cursor: body.value.cursor }] : [];
      case 'accepted':
        this.#take(request);
        return [{ out: 'accepted', accepted: body.value }];
      case 'draining': {
        const retryAfter = Number(body.value.retryAfter > 60_000n ? 60_000n : body.value.retryAfter);
        return [...this.close(), { out: 'draining', retryAfter }];
      }
      default:
        return this.#answered(request, body);
    }
  }

  #welcomed(request: number, { challenge, facility, facilityRoot, boxTime, leafHashes }: Welcome): Out<Call>[] {
    const [read, purpose, binding] = [hashOf(challenge), this.#purpose, this.#binding];
    const isAnswer = this.#at.at === 'greeting' && this.#take(request)?.ask === 'hello';
    if (!isAnswer || read === null || purpose === null || binding === null) return this.#dead('protocol');
    this.#at = { at: 'signing' };
    const bytes =
      purpose.purpose === 'signIn'
        ? signInBytes(read, binding, purpose.device)
        : (purpose.visit === null ? joinBytes : visitBytes)(read, binding, purpose.codeHash, purpose.key);
    return [
      { out: 'welcomed', facility, root: hashOf(facilityRoot), boxTime, challenge: read, leaves: leafHashes.slice(0, LEAVES_MAX).flatMap((leaf) => hashOf(leaf) ?? []) },
      { out: 'sign', bytes },
    ];
  }

  #barred(isExpected: boolean, { triesLeft, passkey }: PinNeeded | Locked, hasLocked: boolean): Out<Call>[] {
    if (!isExpected) return this.#dead('protocol');
    this.#at = { at: 'barred', isUnlocking: false };
    // Submissions are answered all the same; everything else that was under way may stay without an answer.
    const dropped = [...this.#asked].filter(([, { asked }]) => asked.ask !== 'submit');
    for (const [request] of dropped) this.#asked.delete(request);
    return [{ out: 'barred', triesLeft, passkey, hasLocked, dropped: dropped.map(([, { asked }]) => asked) }];
  }

  #signedIn(request: number, signedIn: SignedIn): Out<Call>[] {
    const asked = this.#take(request);
    const isAnswer = asked?.ask === 'prove' || asked?.ask === 'join' || asked?.ask === 'unlock';
    if (!isAnswer || (this.#at.at !== 'proving' && this.#at.at !== 'barred')) return this.#dead('protocol');
    this.#at = { at: 'open', sync: NO_SYNC };
    return [{ out: 'signedIn', signedIn, unlocked: asked.ask === 'unlock' }];
  }

  #refused(request: number, declined: Declined): Out<Call>[] {
    const asked = this.#take(request);
    if (asked === null) {
      // A receipt of a conversation that has just gone; or why the box is about to close.
      if (request === 0) this.#lastWords = declined;
      return [];
    }
    switch (asked.ask) {
      case 'echo':
        return [];
      case 'hello':
      case 'prove':
      case 'join':
        // What is corrected goes by a new connection: whether the box keeps this one open makes no difference then.
        return [...this.close(), { out: 'refused', asked, declined }];
      case 'unlock':
        if (this.#at.at === 'barred') this.#at = { at: 'barred', isUnlocking: false };
        break;
      case 'sync':
        if (this.#at.at === 'open') this.#at = { at: 'open', sync: NO_SYNC };
        // It has just locked: another sync follows once it is open.
        if (declined.code === RefusalCode.LOCKED) return [];
        break;
      default:
        break;
    }
    return [{ out: 'refused', asked, declined }];
  }

  #syncStarted(request: number, snapshot: boolean): Out<Call>[] {
    if (this.#at.at !== 'open') return [];
    const { sync } = this.#at;
    // Unasked, the box may rather give a snapshot than all that this device missed.
    const isOurs = sync.sync === 'asked' ? sync.request === request : sync.sync === 'running';
    if (!isOurs) return [];
    this.#at = { at: 'open', sync: { sync: 'running' } };
    return [{ out: 'syncStarted', snapshot }];
  }

  #delivered(cursor: Uint8Array, event: Event | undefined): Out<Call>[] {
    // A device that joined is told once, and no sync brings it again.
    const isTold = event?.kind.case === 'deviceJoined' && this.#at.at === 'open';
    if (!this.#isDelivered() && !isTold) return [];
    return [{ out: 'delivered', cursor: this.#isDelivered() ? cursor : new Uint8Array(0), event }];
  }

  #isDelivered(): boolean {
    return this.#at.at === 'open' && this.#at.sync.sync === 'running';
  }

  #answered(request: number, body: Told): Out<Call>[] {
    // Of a later version: passed over, as if it had not come.
    if (body.case === undefined) return [];
    if (request === 0) return [{ out: 'told', body }];
    const asked = this.#take(request);
    if (asked === null || asked.ask === 'echo') return [];
    return asked.ask === 'call' ? [{ out: 'answer', request, asked, body }] : this.#dead('protocol');
  }

  #take(request: number): Asked<Call> | null {
    const found = this.#asked.get(request);
    this.#asked.delete(request);
    return found?.asked ?? null;
  }

  /** When a sign of life is to be asked for; not while one is awaited. */
  #quietAt(): number {
    return this.#silentSince === null ? this.#heardAt + QUIET_MAX : Infinity;
  }

  #oldest(): number | null {
    const first = this.#asked.values().next();
    return first.done === true ? null : first.value.since;
  }

  #ask(now: number, asked: Asked<Call>, body: Ask): Out<Call>[] {
    const request = this.#next;
    this.#next += 1;
    this.#asked.set(request, { since: now, asked });
    this.#silentSince ??= now;
    return this.#send(request, body);
  }

  #send(request: number, body: Ask): Out<Call>[] {
    const bytes = encodeFrame(request, body);
    // What goes into a frame is bounded where it comes in, so that none is above the limit.
    if (bytes === null) return this.#dead('protocol');
    return [{ out: 'send', bytes }];
  }

  #dead(why: 'unreachable' | 'silent' | 'protocol'): Out<Call>[] {
    return [...this.close(), { out: 'dead', why }];
  }
}
