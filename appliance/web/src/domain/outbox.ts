/**
 * What this device has composed and the box has not yet accepted (README.md, section 5).
 *
 * A message is on the disk before anything else becomes of it, and its number is before it leaves: whatever is to be written comes
 * out of {@link Outbox.flush} and counts once {@link Outbox.kept} says so. Under a lease it is kept sealed and not otherwise, with its number
 * within ({@link Outbox.seal}): then it leaves from a locked phone as well. Of one conversation one message is under way at a time, so
 * that none that is declined for a moment is overtaken by the next, which may be its correction. Only a STAT overtakes.
 */

import { RefusalCode } from '../gen/wardline_pb.js';
import { type Bytes, utf8Length } from './bytes.ts';
import { atRest, type Composed, isUnread, type Lease, type ToSeal, toSeal } from './composing.ts';
import type { ConversationId, MessageName, PersonId, RoleId, Sequence } from './ids.ts';
import { OUTBOX_MAX, SUBMITS_MAX, TEXT_MAX } from './limits.ts';
import { type Declined, isTransient, ownRefusal, refusalOf } from './refusals.ts';
import type { FileSent, Priority, Refusal } from './snapshot.ts';
import type { OrderPart } from './talk/orders.ts';

/** What a person composed. */
export interface Draft {
  readonly conversation: ConversationId;
  readonly text: string;
  readonly priority: Priority;
  /** 0: it answers none. */
  readonly replyTo: Sequence;
  readonly people: readonly PersonId[];
  readonly roles: readonly RoleId[];
  /** Files that the box has already. */
  readonly files: readonly FileSent[];
  /** It is an order by text, or the read-back of one. */
  readonly order?: OrderPart;
}

/** A message on its way, as it is on the disk. */
export interface Waiting extends Draft {
  /** The same in every retry. */
  readonly name: MessageName;
  /** Milliseconds since 1970, by the device's clock. */
  readonly composed: number;
  /** What it was, or is about to be, sent under; `null`: it gets a fresh one. */
  readonly number: bigint | null;
  /** Why it will never be sent. */
  readonly failed: Refusal | null;
  /** As it leaves from a locked phone; none of a box that gives no leases. */
  readonly sealed?: Composed | null;
}

/** What is to be written, as one. */
export interface Writes {
  readonly puts: readonly { readonly waiting: Waiting; readonly version: number }[];
  readonly deletes: readonly MessageName[];
  /** The highest number ever given. */
  readonly highest: bigint;
}

interface Item {
  waiting: Waiting;
  /** Rises with every change that is to be written. */
  version: number;
  flushed: number;
  kept: number;
  /** By the steady clock: not sooner. `Infinity`: not before its author is there. */
  notBefore: number;
  /** Under a lease: to be sealed, or at the edge for that. It is not written meanwhile. */
  sealing: 'no' | 'wanted' | Lease;
  /** It was sent, or perhaps: its number is not another one's any more. */
  isSent: boolean;
}

/** How long a STAT waits for the box before its author is told to call. Milliseconds. */
const STAT_PATIENCE = 60_000;
/** How long a message waits that was declined for a moment where the box named no time. */
const DECLINED_WAIT = 1_000;

export class Outbox {
  readonly #items = new Map<MessageName, Item>();
  #deletes: MessageName[] = [];
  #highest = 0n;
  /** Numbers up to this one the box may have taken before this session. */
  #takenBefore = 0n;
  /** The box took a number for reused: one at a time until the outbox is empty. */
  #isCareful = false;
  /** The highest number that was sent. */
  #sentUpTo = 0n;
  #lease: Lease | null = null;
  /** Rises with every change. */
  revision = 0;

  /** What the disk had, in the order in which it was composed. */
  load(kept: readonly Waiting[], highest: bigint): void {
    this.revision += 1;
    this.#highest = kept.reduce((most, one) => (one.number !== null && one.number > most ? one.number : most), highest);
    for (const waiting of kept) this.#items.set(waiting.name, { waiting, version: 1, flushed: 1, kept: 1, notBefore: 0, sealing: 'no', isSent: waiting.number !== null });
  }

  /** In the order in which they were composed, those that failed among them. */
  waiting(): Waiting[] {
    return [...this.#items.values()].map((item) => item.waiting);
  }

  get(name: MessageName): Waiting | null {
    return this.#items.get(name)?.waiting ?? null;
  }

  /** Messages that will be sent. */
  get count(): number {
    return this.waiting().filter((one) => one.failed === null).length;
  }

  /** Of these, those that leave without their author. */
  get leaving(): number {
    return this.#leavingLocked().length;
  }

  /** And those that need them. */
  get staying(): number {
    return this.count - this.leaving;
  }

  /** Under which what is composed from now on is sealed; `null`: locked, or a box that gives none. */
  set lease(lease: Lease | null) {
    this.#lease = lease;
  }

  /** Nothing of what was written is held any more that only its author may see; what was never sealed goes as it is. */
  forgetTexts(): void {
    this.revision += 1;
    for (const item of this.#items.values()) if (item.sealing === 'no') item.waiting = atRest(item.waiting);
  }

  /** Takes a message in; what cannot be sent is refused before it is kept. */
  compose(draft: Draft, name: MessageName, composed: number): Refusal | null {
    if (draft.text.length === 0) return ownRefusal('TEXT_EMPTY');
    if (utf8Length(draft.text) > TEXT_MAX) return ownRefusal('TOO_LARGE');
    if (this.#items.size >= OUTBOX_MAX) return ownRefusal('OUTBOX_FULL');
    this.revision += 1;
    const waiting = { ...draft, name, composed, number: null, failed: null };
    const item: Item = { waiting, version: 1, flushed: 0, kept: 0, notBefore: 0, sealing: 'no', isSent: false };
    if (this.#lease !== null) {
      // A locked phone sends by number: a STAT is before whatever has not left yet.
      const behind = draft.priority === 'stat' ? [...this.#items.values()].filter((one) => one.waiting.failed === null && !one.isSent && !isUnread(one.waiting)) : [];
      for (const one of [item, ...behind]) this.#number(one);
    }
    this.#items.set(name, item);
    return null;
  }

  /** What is to be sealed, each once: {@link Outbox.sealed} has it then. */
  toSeal(): ToSeal[] {
    const lease = this.#lease;
    const wanted = [...this.#items.values()].filter((item) => item.sealing === 'wanted');
    return wanted.flatMap((item) => {
      item.sealing = lease ?? 'no';
      return lease === null || item.waiting.number === null ? [] : [toSeal(item.waiting, item.waiting.number, lease)];
    });
  }

  sealed(name: MessageName, number: bigint, bytes: Bytes): void {
    const item = this.#items.get(name);
    // It has another number by now, and is sealed anew.
    if (item === undefined || typeof item.sealing === 'string' || item.waiting.number !== number) return;
    const lease = item.sealing.number;
    item.sealing = 'no';
    this.revision += 1;
    item.version += 1;
    item.waiting = { ...item.waiting, sealed: { lease, number, bytes } };
  }

  /** The box's own count of this device's numbers. */
  signedIn(lastNumber: bigint): void {
    this.#takenBefore = lastNumber;
    if (lastNumber > this.#highest) this.#highest = lastNumber;
    if (lastNumber > this.#sentUpTo) this.#sentUpTo = lastNumber;
    // What was declined for being locked need not wait.
    for (const item of this.#items.values()) item.notBefore = 0;
  }

  /** The device is another one of the same person's: the box knows none of these numbers. */
  renumber(): void {
    for (const item of this.#items.values()) if (item.waiting.failed === null) this.#change(item, { number: null });
  }

  /**
   * What may go now and is on the disk with its number, given what is under way. Gives numbers: they are to be written, and the
   * messages come out once they are.
   */
  pick(underWay: readonly MessageName[], now: number): Waiting[] {
    const busy = new Set(underWay.flatMap((name) => this.get(name)?.conversation ?? []));
    let room = (this.#isCareful ? 1 : SUBMITS_MAX) - underWay.length;
    const ready: Waiting[] = [];
    let isHeld = false;
    for (const item of this.#inTurn()) {
      if (room <= 0) break;
      const { conversation } = item.waiting;
      if (busy.has(conversation)) continue;
      busy.add(conversation);
      if (item.notBefore > now) continue;
      room -= 1;
      // Given at composing, and passed meanwhile.
      const isPassed = !item.isSent && item.waiting.number !== null && item.waiting.number <= this.#sentUpTo;
      if (isPassed) this.#again(item);
      if (item.waiting.number === null) this.#number(item);
      // A lower number behind a higher one would count as passed.
      isHeld ||= item.kept < item.version;
      if (isHeld) continue;
      this.#sends(item);
      ready.push(item.waiting);
    }
    return ready;
  }

  /** The same of a locked session: one at a time, since no number can be another one there. */
  pickLocked(underWay: readonly MessageName[], now: number): Waiting | null {
    let next: Item | null = null;
    for (const item of heads(this.#leavingLocked())) if (next === null || numberOf(item) < numberOf(next)) next = item;
    if (underWay.length > 0 || next === null || next.notBefore > now || next.kept < next.version) return null;
    this.#sends(next);
    return next.waiting;
  }

  /** The box has it. `null`: it was none of ours, or is answered twice. */
  accepted(name: MessageName): Waiting | null {
    const waiting = this.get(name);
    if (waiting !== null) this.#forget(name);
    if (this.count === 0) this.#isCareful = false;
    return waiting;
  }

  /** The box declined it: for a moment, or for good. `asSealed`: from a locked session. */
  declined(name: MessageName, declined: Declined, now: number, chance: number, asSealed = false): void {
    const item = this.#items.get(name);
    // Given up already: its author knows.
    if (item === undefined || item.waiting.failed !== null) return;
    if (asSealed && this.#waitsForAuthor(item, declined)) {
      item.notBefore = Infinity;
      return;
    }
    if (!isTransient(declined.code)) {
      this.#change(item, { failed: refusalOf(declined) });
      return;
    }
    const { number } = item.waiting;
    const isPassed = declined.code === RefusalCode.NUMBER_PASSED;
    // Sealed, it leaves a phone that has locked as it is or not at all.
    const staysSealed = asSealed || (declined.code === RefusalCode.LOCKED && item.waiting.sealed?.number === number);
    // What the box may have taken before goes again as what it was: under a fresh number it would be taken twice.
    if (!staysSealed && (isPassed || (number !== null && number > this.#takenBefore))) this.#again(item);
    const wait = isPassed ? 0 : declined.retryAfter || DECLINED_WAIT;
    item.notBefore = now + wait * (1 + chance / 4);
  }

  /** Its person knows that it was not sent. */
  discard(name: MessageName): void {
    if (this.get(name)?.failed != null) this.#forget(name);
  }

  /** The messages are somebody else's. */
  clear(): void {
    for (const name of [...this.#items.keys()]) this.#forget(name);
  }

  /**
   * The box closed because a number came with another message than before: the disk was restored from a copy, perhaps. With one
   * under way it is that one, and it gets a fresh number; with more, all go again, one by one.
   */
  suspectNumbers(underWay: readonly MessageName[]): void {
    const [one, ...more] = underWay;
    const item = one === undefined || more.length > 0 ? undefined : this.#items.get(one);
    if (item !== undefined) this.#change(item, { number: null });
    this.#isCareful = true;
  }

  /**
   * Nobody waits longer than a minute to learn that they had better call; and what is given up must not ring hours later. One that was
   * on its way may have arrived: then it is accepted as well, later.
   */
  giveUpLate(wall: number): void {
    for (const item of this.#pressing()) {
      if (wall - item.waiting.composed < STAT_PATIENCE) continue;
      const [isOrder, isUnsent] = [item.waiting.order !== undefined, !item.isSent];
      this.#change(item, { failed: ownRefusal(isOrder ? (isUnsent ? 'ORDER_NOT_SENT' : 'ORDER_NOT_SURE') : isUnsent ? 'STAT_NOT_SENT' : 'STAT_NOT_SURE') });
    }
  }

  /** What is to be written since the last time; `null`: nothing. */
  flush(): Writes | null {
    const changed = [...this.#items.values()].filter((item) => item.flushed < item.version && item.sealing === 'no');
    if (changed.length === 0 && this.#deletes.length === 0) return null;
    for (const item of changed) item.flushed = item.version;
    const puts = changed.map(({ waiting, version }) => ({ waiting: atRest(waiting), version }));
    const deletes = this.#deletes;
    this.#deletes = [];
    return { puts, deletes, highest: this.#highest };
  }

  /** It is on the disk as it was at this version. */
  kept(name: MessageName, version: number): void {
    const item = this.#items.get(name);
    if (item !== undefined) item.kept = Math.max(item.kept, version);
  }

  /** When something is due by the steady clock: one that was declined, or a STAT that waits too long. */
  nextAt(now: number, wall: number): number {
    let next = Infinity;
    for (const item of this.#items.values()) if (item.waiting.failed === null && item.notBefore > now) next = Math.min(next, item.notBefore);
    for (const item of this.#pressing()) next = Math.min(next, now + item.waiting.composed + STAT_PATIENCE - wall);
    return next;
  }

  /** STATs and orders: what is said too late is dangerous. */
  #pressing(): Item[] {
    return [...this.#items.values()].filter(({ waiting }) => (waiting.priority === 'stat' || waiting.order !== undefined) && waiting.failed === null);
  }

  /** Of each conversation the first that was composed, and STATs. What the box may have comes first, by number; then STATs. */
  #inTurn(): Item[] {
    const items = heads([...this.#items.values()].filter((item) => item.waiting.failed === null));
    const rank = ({ isSent, waiting }: Item): number => (isSent && waiting.number !== null ? 0 : waiting.priority === 'stat' ? 1 : 2);
    return items.sort((one, other) => (rank(one) === 0 && rank(other) === 0 ? (numberOf(one) < numberOf(other) ? -1 : 1) : rank(one) - rank(other)));
  }

  /** A fresh one; what is sealed has it within. */
  #number(item: Item): void {
    this.#highest += 1n;
    this.#change(item, { number: this.#highest });
    item.isSent = false;
    if (this.#lease !== null && item.waiting.text !== '') item.sealing = 'wanted';
  }

  /** The box has it not, and so nothing that is behind it in its conversation: all of these go as what they never were. */
  #again(item: Item): void {
    const { conversation } = item.waiting;
    const all = [...this.#items.values()];
    const behind = all.slice(all.indexOf(item) + 1).filter(({ waiting }) => waiting.conversation === conversation && waiting.failed === null && waiting.priority !== 'stat');
    this.#change(item, { number: null });
    for (const one of [item, ...behind]) {
      one.isSent = false;
      // So that it may lock at any moment.
      if (this.#lease !== null && !isUnread(one.waiting)) this.#number(one);
    }
  }

  #sends(item: Item): void {
    item.isSent = true;
    if (numberOf(item) > this.#sentUpTo) this.#sentUpTo = numberOf(item);
  }

  /** As composed. Who waits for their author holds back what is behind: only a STAT overtakes. */
  #leavingLocked(): Item[] {
    const held = new Set<ConversationId>();
    const leaving: Item[] = [];
    for (const item of this.#items.values()) {
      const { waiting, notBefore } = item;
      if (waiting.failed !== null) continue;
      const leaves = waiting.sealed != null && waiting.number === waiting.sealed.number && notBefore !== Infinity;
      if (leaves && (waiting.priority === 'stat' || !held.has(waiting.conversation))) leaving.push(item);
      else held.add(waiting.conversation);
    }
    return leaving;
  }

  /** What no locked session will ever take, and an open one may. */
  #waitsForAuthor({ waiting }: Item, { code }: Declined): boolean {
    const isOtherwise = code === RefusalCode.SEALED_OTHERWISE && !isUnread(waiting);
    return isOtherwise || code === RefusalCode.LOCKED || code === RefusalCode.NUMBER_PASSED;
  }

  #change(item: Item, to: Partial<Pick<Waiting, 'number' | 'failed'>>): void {
    this.revision += 1;
    item.version += 1;
    item.waiting = { ...item.waiting, ...to };
  }

  #forget(name: MessageName): void {
    this.revision += 1;
    this.#items.delete(name);
    this.#deletes.push(name);
  }
}

function numberOf({ waiting }: Item): bigint {
  return waiting.number ?? 0n;
}

/** Whose turn it is: a conversation's messages go in the order in which they were composed, and only a STAT overtakes. */
function heads(items: readonly Item[]): Item[] {
  const begun = new Set<ConversationId>();
  return items.filter(({ waiting: { conversation, priority } }) => {
    if (priority === 'stat') return true;
    const isFirst = !begun.has(conversation);
    begun.add(conversation);
    return isFirst;
  });
}
