/**
 * What moved in a patient's thread, told between its messages (README.md, section 7a). A notice has a number of its own and no sequence:
 * nothing that counts messages counts it.
 */

import { NoticeKind as Kind, NoticeReason as Reason, type ThreadNotice } from '../gen/wardline_pb.js';
import { type ConversationId, idOf, momentOf, type PersonId, type Sequence, type UnitId } from './ids.ts';
import { NOTICES_KEPT } from './limits.ts';
import type { NoticeKind, NoticeReason, VisitAsked } from './snapshot.ts';
import { cleanLine } from './texts.ts';
import { readId, readSequence, WireFault } from './wire.ts';

export interface KnownNotice {
  readonly conversation: ConversationId;
  /** 1, 2, 3 … in its thread. */
  readonly number: number;
  /** Behind this message, and in front of the next; 0: before the first. */
  readonly after: Sequence;
  readonly at: number;
  readonly kind: NoticeKind;
  /** Whose act it was; `null`: the box's, or time's. */
  readonly by: PersonId | null;
  readonly person: PersonId | null;
  readonly reason: NoticeReason | null;
  readonly unit: UnitId | null;
  readonly bed: string;
  /** 0: not known. */
  readonly until: number;
}

/** As long as whoever asks at the bed waits: then the box forgets them. Milliseconds. */
const VISIT_WAITS = 4 * 3_600_000;

const KINDS = new Map<Kind, NoticeKind>([
  [Kind.ADMITTED, 'admitted'],
  [Kind.MOVED, 'moved'],
  [Kind.LEAVE_BEGAN, 'leaveBegan'],
  [Kind.LEAVE_ENDED, 'leaveEnded'],
  [Kind.DISCHARGED, 'discharged'],
  [Kind.CLOSED, 'closed'],
  [Kind.ATTENDING, 'attending'],
  [Kind.ENTERED, 'entered'],
  [Kind.LEFT, 'left'],
  [Kind.HAS_BED, 'hasBed'],
  [Kind.STAYS, 'stays'],
  [Kind.BED_UNHELD, 'bedUnheld'],
  [Kind.EMERGENCY_BEGAN, 'emergencyBegan'],
  [Kind.EMERGENCY_ENDED, 'emergencyEnded'],
  [Kind.RESTRICTED, 'restricted'],
  [Kind.UNRESTRICTED, 'unrestricted'],
  [Kind.RECORDS_MERGED, 'recordsMerged'],
  [Kind.RECORDS_UNMERGED, 'recordsUnmerged'],
  [Kind.FAMILY_CONSENTED, 'familyConsented'],
  [Kind.FAMILY_CONSENT_ENDED, 'familyConsentEnded'],
  [Kind.FAMILY_ASKED, 'familyAsked'],
  [Kind.FAMILY_ENTERED, 'familyEntered'],
  [Kind.FAMILY_LEFT, 'familyLeft'],
]);

const REASONS = new Map<Reason, NoticeReason>([
  [Reason.ATTENDING, 'attending'],
  [Reason.BY_HAND, 'byHand'],
  [Reason.BED, 'bed'],
  [Reason.EMERGENCY, 'emergency'],
  [Reason.NAMED, 'named'],
  [Reason.MERGED, 'merged'],
]);

/** `null`: of a kind or a reason that a later version brought, which is passed over. Throws a `WireFault`. */
export function readNotice(wire: ThreadNotice): KnownNotice | null {
  const number = Number(wire.number);
  if (!Number.isSafeInteger(number) || number <= 0) throw new WireFault("a notice's number");
  const [kind, reason] = [KINDS.get(wire.kind), REASONS.get(wire.reason) ?? null];
  if (kind === undefined || (kind === 'entered' && reason === null)) return null;
  return {
    conversation: readId(wire.conversation),
    number,
    after: readSequence(wire.after),
    at: momentOf(wire.at),
    kind,
    by: idOf(wire.by),
    person: idOf(wire.person),
    reason,
    unit: idOf(wire.unit),
    bed: cleanLine(wire.bed),
    until: momentOf(wire.until),
  };
}

export function readNotices(wire: readonly ThreadNotice[]): readonly KnownNotice[] {
  return wire.flatMap((one) => readNotice(one) ?? []);
}

/** Those of one thread. The same one may come twice: its number tells. */
export class Notices {
  /** In order of their numbers, which is that of their places. */
  #list: readonly KnownNotice[] = [];
  /** What the page about the family said last: so many wait, of those who had asked by then. */
  #looked: (VisitAsked & { readonly behind: number }) | null = null;
  /** Where what is here may begin too late: asked about once. */
  #askedFrom = 0;

  get list(): readonly KnownNotice[] {
    return this.#list;
  }

  /** False: it was there, or is older than what is kept. */
  take(notice: KnownNotice): boolean {
    const place = this.#list.findLastIndex((one) => one.number <= notice.number) + 1;
    if (this.#list[place - 1]?.number === notice.number) return false;
    if (place === 0 && this.#list.length >= NOTICES_KEPT) return false;
    this.#list = this.#list.toSpliced(place, 0, notice).slice(-NOTICES_KEPT);
    return true;
  }

  /** Those in front of this message go: history brings them back with the messages behind which they stand. */
  dropBefore(sequence: number): void {
    if (this.#list.some((one) => one.after < sequence)) this.#list = this.#list.filter((one) => one.after >= sequence);
  }

  /** The first that can be read is this one: a notice goes with the first message behind it. */
  expire(first: number): void {
    this.dropBefore(first - 1);
  }

  clear(): void {
    this.#list = [];
    this.#looked = null;
  }

  /**
   * A snapshot brings the newest alone, which may be fewer than stand among its messages, and whoever comes in is told none of those
   * before: behind which message others may be missing, of those from `oldest` on. Says so once.
   */
  takeMissing(oldest: number): Sequence | null {
    const cut = this.#list.findLast((one, at) => one.number - 1 !== (this.#list[at - 1]?.number ?? 0));
    if (cut === undefined || cut.after < oldest || cut.number === this.#askedFrom) return null;
    this.#askedFrom = cut.number;
    return cut.after;
  }

  /** Somebody has looked who waits. */
  looked(waiting: number, until: number): void {
    this.#looked = { waiting, until, behind: this.#list.at(-1)?.number ?? 0 };
  }

  /** Who waits at the bed to be let in, as far as it was told: nothing is told of who was turned away. `null`: nobody. */
  get visit(): VisitAsked | null {
    let { waiting, until } = this.#looked ?? { waiting: 0, until: 0 };
    for (const one of this.#list) {
      if (one.number <= (this.#looked?.behind ?? 0)) continue;
      if (one.kind === 'familyAsked') [waiting, until] = [waiting + 1, one.at + VISIT_WAITS];
      else if (one.kind === 'familyEntered') waiting = Math.max(waiting - 1, 0);
      else if (one.kind === 'familyConsentEnded' || one.kind === 'discharged') waiting = 0;
    }
    return waiting === 0 ? null : { waiting, until };
  }
}
