/** Staff that an agency sends for a shift (README.md, section 7c). */

import type { AgencyPage } from '../../gen/wardline_pb.js';
import type { Ask } from '../frames.ts';
import { idOf, momentOf, parseId, type PersonId, type UnitId, wireId } from '../ids.ts';
import type { At, Id } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';

/** The longest stay, and the longest time that one is made longer by. Hours. */
export const AGENCY_HOURS_MAX = 16;
const NAME_MAX = 64;
const GROUNDS_MIN = 10;
const GROUNDS_MAX = 500;
const LISTED_MAX = 1_000;

export interface AgencyStay {
  readonly person: Id;
  readonly since: At;
  readonly until: At;
  /** They are here. */
  readonly here: boolean;
  /** How often the stay was made longer, and why last. */
  readonly extensions: number;
  readonly grounds: string;
  /** Suspended: an administrator says whether they may come back. */
  readonly barred: boolean;
}

/** Who comes, for which beds, until when. */
export interface Coming {
  /** Who was here before; `null`: somebody new. */
  readonly person: Id | null;
  readonly name: string;
  readonly agency: string;
  readonly title: string;
  readonly unit: Id;
  readonly beds: readonly string[] | 'whole';
  readonly until: At;
  /** Of this name and agency somebody was here, and this is somebody else. */
  readonly another: boolean;
}

export function readStays(page: AgencyPage): readonly AgencyStay[] {
  return page.stays.slice(0, LISTED_MAX).flatMap((stay) => {
    const person = idOf<PersonId>(stay.person);
    if (person === null) return [];
    const { extensions, barred } = stay;
    return [{ person, since: momentOf(stay.since), until: momentOf(stay.until), here: stay.ended === 0n, extensions: extensions.length, grounds: cleanLine(extensions.at(-1)?.grounds ?? ''), barred }];
  });
}

/** What is missing before somebody can be admitted. */
export function missing({ name, agency, title }: Pick<Coming, 'name' | 'agency' | 'title'>): 'name' | 'agency' | 'title' | null {
  if (!fits(name, 1)) return 'name';
  if (!fits(agency, 1)) return 'agency';
  return fits(title, 0) ? null : 'title';
}

export const askAgency = {
  /** `null` where something is missing. */
  admit: (coming: Coming): Ask | null => {
    const [unit, person] = [parseId<UnitId>(coming.unit), coming.person === null ? null : parseId<PersonId>(coming.person)];
    if (unit === null || missing(coming) !== null) return null;
    const { beds, another } = coming;
    const said = { name: coming.name.trim(), agency: coming.agency.trim(), title: coming.title.trim() };
    return {
      case: 'admitAgency',
      value: { ...said, person: wireId(person), unit: wireId(unit), beds: beds === 'whole' ? [] : [...beds], wholeUnit: beds === 'whole', until: BigInt(Math.floor(coming.until)), anotherPerson: another },
    };
  },
  extend: (person: Id, until: At, typed: string): Ask | null => {
    const [id, grounds] = [parseId<PersonId>(person), typed.trim()];
    return id === null || !isGrounds(grounds) ? null : { case: 'extendAgency', value: { person: wireId(id), until: BigInt(Math.floor(until)), grounds } };
  },
  end: (person: Id): Ask | null => {
    const id = parseId<PersonId>(person);
    return id === null ? null : { case: 'endAgency', value: { person: wireId(id) } };
  },
  list: (unit: Id, after: Id | null): Ask | null => {
    const id = parseId<UnitId>(unit);
    return id === null ? null : { case: 'listAgency', value: { unit: wireId(id), after: wireId(after === null ? null : parseId<PersonId>(after)) } };
  },
};

/** Whether a stay's extension says enough of why. */
export function isGrounds(typed: string): boolean {
  const said = typed.trim();
  return [...said].length >= GROUNDS_MIN && new TextEncoder().encode(said).length <= GROUNDS_MAX;
}

function fits(text: string, least: number): boolean {
  const said = text.trim();
  return said.length >= least && new TextEncoder().encode(said).length <= NAME_MAX && !/\p{Cc}/u.test(said);
}
