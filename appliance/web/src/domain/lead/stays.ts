/** Patients by hand: who comes, moves, is away, goes (README.md, section 7a). */

import { Sex } from '../../gen/wardline_pb.js';
import type { Ask } from '../frames.ts';
import { parseId, type StayId, type UnitId, wireId } from '../ids.ts';
import type { Id } from '../snapshot.ts';

export const SEXES = { female: Sex.FEMALE, male: Sex.MALE, other: Sex.OTHER, unknown: Sex.UNKNOWN } as const;
export type SexName = keyof typeof SEXES;

/** What identifies a patient, as it is typed. */
export interface Typed {
  readonly recordNumber: string;
  readonly name: string;
  /** "1947-03-09", as a date field gives it. */
  readonly born: string;
  readonly sex: SexName;
}

/** What of it cannot be taken. */
export type Missing = 'recordNumber' | 'name' | 'born' | 'bed';

const RECORD_NUMBER = /^[\x21-\x7e]{1,32}$/;
const BED = /^[\x20-\x7e]{1,16}$/;
const NAME_MAX = 64;
const YEAR_MIN = 1800;

export function missingOf({ recordNumber, name, born }: Typed, today: string): Missing | null {
  if (!RECORD_NUMBER.test(recordNumber.trim())) return 'recordNumber';
  const said = name.trim();
  if (said === '' || new TextEncoder().encode(said).length > NAME_MAX || /\p{Cc}/u.test(said)) return 'name';
  return isBirthDate(born, today) ? null : 'born';
}

export function isBed(typed: string): boolean {
  return BED.test(typed.trim()) && typed.trim() !== '';
}

export function isRecordNumber(typed: string): boolean {
  return RECORD_NUMBER.test(typed.trim());
}

/** A day of the calendar, not ahead. */
function isBirthDate(born: string, today: string): boolean {
  const [, year = '', month = '', day = ''] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(born) ?? [];
  const date = new Date(`${born}T00:00:00Z`);
  return Number(year) >= YEAR_MIN && date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day) && born <= today;
}

function particulars({ recordNumber, name, born, sex }: Typed) {
  return { recordNumber: recordNumber.trim(), name: name.trim(), birthDate: born, sex: SEXES[sex] };
}

/** `null` where an identifier is none. */
export const askStays = {
  /** Of a patient whom the box knows, by record number alone. */
  admitKnown: (recordNumber: string, unit: Id, bed: string): Ask | null => ofUnit(unit, (wire) => ({ case: 'admit', value: { recordNumber: recordNumber.trim(), unit: wire, bed: bed.trim() } })),
  admitNew: (typed: Typed, unit: Id, bed: string): Ask | null => ofUnit(unit, (wire) => ({ case: 'admit', value: { newPatient: particulars(typed), unit: wire, bed: bed.trim() } })),
  transfer: (stay: Id, unit: Id, bed: string): Ask | null => ofUnit(unit, (wire) => ofStay(stay, (encounter) => ({ case: 'transfer', value: { encounter, unit: wire, bed: bed.trim() } }))),
  leave: (stay: Id, away: boolean): Ask | null => ofStay(stay, (encounter) => ({ case: 'setLeave', value: { encounter, away } })),
  discharge: (stay: Id): Ask | null => ofStay(stay, (encounter) => ({ case: 'discharge', value: { encounter } })),
};

function ofStay(stay: Id, of: (encounter: bigint) => Ask): Ask | null {
  const id = parseId<StayId>(stay);
  return id === null ? null : of(wireId(id));
}

function ofUnit(unit: Id, of: (unit: bigint) => Ask | null): Ask | null {
  const id = parseId<UnitId>(unit);
  return id === null ? null : of(wireId(id));
}
