/** What is told in a patient's thread between messages, as a record has it. */

import { NoticeKind as Kind, NoticeReason as Reason, type ThreadNotice } from '../../gen/wardline_pb.js';
import { idOf, type PersonId, type Sequence, type UnitId } from '../ids.ts';
import { readSequence } from '../wire.ts';

export interface Notice {
  readonly number: Sequence;
  /** Behind this message. */
  readonly after: Sequence;
  readonly at: bigint;
  readonly told: NoticeWord;
  readonly by: PersonId | null;
  readonly person: PersonId | null;
  readonly reason: ReasonWord | null;
  readonly unit: UnitId | null;
  readonly bed: string | null;
  readonly until: bigint | null;
}

type Part = 'person' | 'somebody' | 'reason' | 'place' | 'until' | 'end';
/** Which parts a kind has; `somebody`: or nobody; `until`: or for ever. */
const TOLD = {
  admitted: [Kind.ADMITTED, 'place'],
  moved: [Kind.MOVED, 'place'],
  leave_began: [Kind.LEAVE_BEGAN],
  leave_ended: [Kind.LEAVE_ENDED],
  discharged: [Kind.DISCHARGED],
  closed: [Kind.CLOSED],
  attending: [Kind.ATTENDING, 'somebody'],
  entered: [Kind.ENTERED, 'person', 'reason', 'until'],
  left: [Kind.LEFT, 'person'],
  has_bed: [Kind.HAS_BED, 'person', 'end'],
  stays: [Kind.STAYS, 'person', 'end'],
  bed_unheld: [Kind.BED_UNHELD],
  emergency_began: [Kind.EMERGENCY_BEGAN, 'person', 'end'],
  emergency_ended: [Kind.EMERGENCY_ENDED, 'person'],
  restricted: [Kind.RESTRICTED],
  unrestricted: [Kind.UNRESTRICTED],
  records_merged: [Kind.RECORDS_MERGED],
  records_unmerged: [Kind.RECORDS_UNMERGED],
  family_consented: [Kind.FAMILY_CONSENTED],
  family_consent_ended: [Kind.FAMILY_CONSENT_ENDED],
  family_asked: [Kind.FAMILY_ASKED],
  family_entered: [Kind.FAMILY_ENTERED, 'person'],
  family_left: [Kind.FAMILY_LEFT, 'person'],
} as const satisfies Record<string, readonly [Kind, ...Part[]]>;

export type NoticeWord = keyof typeof TOLD;
export const NOTICE_WORDS = Object.keys(TOLD) as NoticeWord[];

const REASONS = {
  attending: Reason.ATTENDING,
  by_hand: Reason.BY_HAND,
  bed: Reason.BED,
  emergency: Reason.EMERGENCY,
  named: Reason.NAMED,
  merged: Reason.MERGED,
} as const satisfies Record<string, Reason>;

export type ReasonWord = keyof typeof REASONS;

/** `null`: of a kind that a later version brought. */
export function readNotice(wire: ThreadNotice): Notice | null {
  const told = NOTICE_WORDS.find((word) => TOLD[word][0] === wire.kind);
  if (told === undefined) return null;
  const parts: readonly (Kind | Part)[] = TOLD[told];
  const has = (...any: Part[]): boolean => any.some((part) => parts.includes(part));
  const person = has('person', 'somebody') ? idOf<PersonId>(wire.person) : null;
  const unit = has('place') ? idOf<UnitId>(wire.unit) : null;
  const reason = has('reason') ? ((Object.keys(REASONS) as ReasonWord[]).find((word) => REASONS[word] === wire.reason) ?? null) : null;
  const until = has('until', 'end') && wire.until !== 0n ? wire.until : null;
  const lacks = (has('person') && person === null) || (has('place') && unit === null) || (has('reason') && reason === null) || (has('end') && until === null);
  if (lacks) return null;
  return { number: readSequence(wire.number), after: readSequence(wire.after), at: wire.at, told, by: idOf<PersonId>(wire.by), person, reason, unit, bed: has('place') ? wire.bed : null, until };
}
