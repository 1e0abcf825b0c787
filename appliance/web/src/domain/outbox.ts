/**
 * What this device has composed and the box has not yet accepted (README.md, section 5).
 *
 * A message is on the disk before anything else becomes of it, and its number is before it leaves: whatever is to be written comes
 * out of {@link Outbox.flush} and counts once {@link Outbox.kept} says so. Of one conversation one message is under way at a time, so
 * that none that is declined for a moment is overtaken by the next, which may be its correction. Only a STAT overtakes.
 */

import { RefusalCode } from '../gen/wardline_pb.js';
import { utf8Length } from './bytes.ts';
import type { ConversationId, MessageName, PersonId, RoleId, Sequence } from './ids.ts';
import { OUTBOX_MAX, SUBMITS_MAX, TEXT_MAX } from './limits.ts';
import { type Declined, isTransient, ownRefusal, refusalOf } from './refusals.ts';
import type { FileSent, Priority, Refusal } from './snapshot.ts';

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
  /** By the steady clock: not sooner. */
  notBefore: number;
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
  /** Rises with every change. */
  revision = 0;

  /** What the disk had, in the order in which it was composed. */
  load(kept: readonly Waiting[], highest: bigint): void {
    this.revision += 1;
    this.#highest = kept.reduce((most, one) => (one.number !== null && one.number > most ? one.number : most), highest);
    for (const waiting of kept) this.#items.set(waiting.name, { waiting, version: 1, flushed: 1, kept: 1, notBefore: 0 });
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

  /** Takes a message in; what cannot be sent is refused before it is kept. */
  compose(draft: Draft, name: MessageName, composed: number): Refusal | null {
    if (draft.text.length === 0) return ownRefusal('TEXT_EMPTY');
    if (utf8Length(draft.text) > TEXT_MAX) return ownRefusal('TOO_LARGE');
    if (this.#items.size >= OUTBOX_MAX) return ownRefusal('OUTBOX_FULL');
    this.revision += 1;
    const waiting = { ...draft, name, composed, number: null, failed: null };
    this.#items.set(name, { waiting, version: 1, flushed: 0, kept: 0, notBefore: 0 });
    return null;
  }

  /** The box's own count of this device's numbers. */
  signedIn(lastNumber: bigint): void {
    this.#takenBefore = lastNumber;
    if (lastNumber > this.#highest) this.#highest = lastNumber;
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
      if (item.waiting.number === null) {
        this.#highest += 1n;
        this.#change(item, { number: this.#highest });
      }
      // A lower number behind a higher one would count as passed.
      isHeld ||= item.kept < item.version;
      if (!isHeld) ready.push(item.waiting);
    }
    return ready;
  }

  /** The box has it. `null`: it was none of ours, or is answered twice. */
  accepted(name: MessageName): Waiting | null {
    const waiting = this.get(name);
    if (waiting !== null) this.#forget(name);
    if (this.count === 0) this.#isCareful = false;
    return waiting;
  }

  /** The box declined it: for a moment, or for good. */
  declined(name: MessageName, declined: Declined, now: number, chance: number): void {
    const item = this.#items.get(name);
    // Given up already: its author knows.
    if (item === undefined || item.waiting.failed !== null) return;
    if (!isTransient(declined.code)) {
      this.#change(item, { failed: refusalOf(declined) });
      return;
    }
    const { number } = item.waiting;
    const isPassed = declined.code === RefusalCode.NUMBER_PASSED;
    // What the box may have taken before goes again as what it was: under a fresh number it would be taken twice.
    if (isPassed || (number !== null && number > this.#takenBefore)) this.#change(item, { number: null });
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
    for (const item of this.#stats()) {
      if (wall - item.waiting.composed < STAT_PATIENCE) continue;
      this.#change(item, { failed: ownRefusal(item.waiting.number === null ? 'STAT_NOT_SENT' : 'STAT_NOT_SURE') });
    }
  }

  /** What is to be written since the last time; `null`: nothing. */
  flush(): Writes | null {
    const changed = [...this.#items.values()].filter((item) => item.flushed < item.version);
    if (changed.length === 0 && this.#deletes.length === 0) return null;
    for (const item of changed) item.flushed = item.version;
    const puts = changed.map(({ waiting, version }) => ({ waiting, version }));
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
    for (const item of this.#stats()) next = Math.min(next, now + item.waiting.composed + STAT_PATIENCE - wall);
    return next;
  }

  #stats(): Item[] {
    return [...this.#items.values()].filter(({ waiting }) => waiting.priority === 'stat' && waiting.failed === null);
  }

  /** By number, those without one last, and of these STATs first. */
  #inTurn(): Item[] {
    const items = [...this.#items.values()].filter((item) => item.waiting.failed === null);
    const rank = ({ waiting }: Item): number => (waiting.number !== null ? 0 : waiting.priority === 'stat' ? 1 : 2);
    return items.sort((one, other) => {
      const [first, second] = [one.waiting.number, other.waiting.number];
      if (first !== null && second !== null) return first < second ? -1 : 1;
      return rank(one) - rank(other);
    });
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
