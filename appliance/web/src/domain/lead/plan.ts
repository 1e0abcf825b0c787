/** A unit's whole shift on one page: who has which beds, and what each is to have (README.md, section 7a). */

import type { BedPage, Holder } from '../../gen/wardline_pb.js';
import { type BedsFault, compareBeds, meantBeds } from '../care/beds.ts';
import type { Ask } from '../frames.ts';
import { idOf, momentOf, parseId, type PersonId, type ShiftId, type StayId, type UnitId, wireId } from '../ids.ts';
import type { At, Id } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';

/** Beds of a unit that are listed. */
export const BEDS_MAX = 1_000;

export interface PlannedBed {
  readonly bed: string;
  /** The stay of whoever lies there. */
  readonly stay: Id | null;
  readonly shifts: readonly Id[];
}

/** Beds that somebody has, with one end. */
export interface Given {
  readonly shift: Id;
  readonly person: Id;
  /** Empty: the whole unit. */
  readonly beds: readonly string[];
  readonly until: At;
}

export interface Plan {
  readonly beds: readonly PlannedBed[];
  readonly given: readonly Given[];
}

/** What was typed for one person, read. */
export interface Share {
  readonly person: Id;
  readonly beds: readonly string[];
  readonly unknown: readonly string[];
  readonly fault: BedsFault | null;
}

/** Pages of one unit's beds together. */
export function readPlan(pages: readonly BedPage[]): Plan {
  const given = new Map<Id, { readonly person: Id; readonly beds: string[]; readonly until: At }>();
  const hold = (wire: Holder, bed: string | null): Id[] => {
    const [shift, person] = [idOf<ShiftId>(wire.assignment), idOf<PersonId>(wire.person)];
    if (shift === null || person === null) return [];
    const known = given.get(shift) ?? { person, beds: [], until: momentOf(wire.until) };
    if (bed !== null) known.beds.push(bed);
    given.set(shift, known);
    return [shift];
  };
  for (const holder of pages[0]?.whole ?? []) hold(holder, null);
  const beds = pages
    .flatMap((page) => page.beds)
    .slice(0, BEDS_MAX)
    .map((wire) => {
      const bed = cleanLine(wire.bed);
      return { bed, stay: idOf<StayId>(wire.encounter), shifts: wire.holders.flatMap((holder) => hold(holder, bed)) };
    });
  return { beds, given: [...given].map(([shift, one]) => ({ shift, ...one })) };
}

/** Beds in which somebody lies, and which nobody has. */
export function unheld({ beds, given }: Plan): readonly string[] {
  if (given.some((one) => one.beds.length === 0)) return [];
  return beds.filter((bed) => bed.stay !== null && bed.shifts.length === 0).map((bed) => bed.bed);
}

/** Everybody's share, read before any of it is given. Whoever is to have nothing is left out. */
export function shares(plan: Plan, typed: ReadonlyMap<Id, string>): readonly Share[] {
  const known = plan.beds.map((bed) => bed.bed);
  return [...typed].flatMap(([person, text]): Share[] => {
    if (text.trim() === '') return [];
    const meant = meantBeds(text, known);
    return 'fault' in meant ? [{ person, beds: [], unknown: [], fault: meant }] : [{ person, beds: [...meant.beds].sort(compareBeds), unknown: meant.unknown, fault: null }];
  });
}

/** Beds that several of them are to have. */
export function twice(all: readonly Share[]): readonly string[] {
  const seen = new Map<string, number>();
  for (const bed of all.flatMap((share) => share.beds)) seen.set(bed, (seen.get(bed) ?? 0) + 1);
  return [...seen].filter(([, count]) => count > 1).map(([bed]) => bed);
}

export function listBeds(unit: Id, after: string): Ask | null {
  const id = parseId<UnitId>(unit);
  return id === null ? null : { case: 'listBeds', value: { unit: wireId(id), after } };
}

export function endShift(shift: Id): Ask | null {
  const id = parseId<ShiftId>(shift);
  return id === null ? null : { case: 'endAssignment', value: { assignment: wireId(id) } };
}
