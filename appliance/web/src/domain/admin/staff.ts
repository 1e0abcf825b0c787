/**
 * A list of staff against the directory: who would be added, and who would work where. Nobody is taken away, renamed or suspended by a
 * list. What was applied is in the directory, so that the same list applied again does it no second time.
 */

import type { PersonId, UnitId } from '../ids.ts';
import type { KnownUnit } from '../known.ts';
import { cellOf, type Columns, type Usual } from '../lists/columns.ts';
import type { Row } from '../lists/csv.ts';
import { isName, isTitle, type Member, plainName, type Post } from './directory.ts';

export type StaffField = 'name' | 'title' | 'units' | 'chargeNurse';

export const STAFF_COLUMNS: Usual<StaffField> = {
  name: ['name', 'full name', 'employee', 'nombre', 'nombre completo', 'nombre y apellidos'],
  title: ['title', 'job title', 'profession', 'position', 'puesto', 'titulo', 'cargo', 'profesion'],
  units: ['units', 'unit', 'ward', 'wards', 'department', 'unidad', 'unidades', 'planta', 'servicio'],
  chargeNurse: ['charge nurse', 'charge', 'lead', 'leads', 'jefe de enfermeria', 'jefa de enfermeria', 'jefe', 'dirige'],
};

export type StaffFault =
  | 'noName'
  | 'badName'
  | 'badTitle'
  | 'noSuchUnit'
  | 'twiceInFile'
  | 'twiceInDirectory'
  | 'suspended'
  | 'leadsNoUnit'
  | 'unclear'
  | 'agency'
  | 'tooManyUnits';

export interface StaffError {
  readonly line: number;
  readonly fault: StaffFault;
  /** What it is about: a name, a unit. */
  readonly text: string;
}

/** What one row comes to. */
export interface StaffStep {
  readonly line: number;
  readonly name: string;
  readonly title: string;
  /** `null`: to be added. */
  readonly person: PersonId | null;
  readonly posts: readonly { readonly unit: UnitId; readonly unitName: string; readonly post: Post }[];
}

export interface StaffPlan {
  /** Rows that change something. */
  readonly steps: readonly StaffStep[];
  readonly errors: readonly StaffError[];
  /** Rows that say what is so already. */
  readonly unchanged: number;
}

/** Units of a person, at most. */
const POSTS_MAX = 16;

export function planStaff(rows: readonly Row[], columns: Columns<StaffField>, people: readonly Member[], units: readonly KnownUnit[]): StaffPlan {
  const steps: StaffStep[] = [];
  const errors: StaffError[] = [];
  const seen = new Set<string>();
  let unchanged = 0;
  for (const { line, cells } of rows) {
    const name = cellOf(cells, columns, 'name');
    const found = readRow(line, cells, columns, people, units);
    if (!('fault' in found) && seen.has(plainName(name))) errors.push({ line, fault: 'twiceInFile', text: name });
    else if ('fault' in found) errors.push(found);
    else if (found.person !== null && found.posts.length === 0) unchanged += 1;
    else steps.push(found);
    seen.add(plainName(name));
  }
  return { steps, errors, unchanged };
}

function readRow(line: number, cells: readonly string[], columns: Columns<StaffField>, people: readonly Member[], units: readonly KnownUnit[]): StaffStep | StaffError {
  const [name, title] = [cellOf(cells, columns, 'name'), cellOf(cells, columns, 'title')];
  if (name === '') return { line, fault: 'noName', text: '' };
  if (!isName(name)) return { line, fault: 'badName', text: name };
  if (!isTitle(title)) return { line, fault: 'badTitle', text: title };
  const posts = readPosts(line, cellOf(cells, columns, 'units'), cellOf(cells, columns, 'chargeNurse'), units);
  if ('fault' in posts) return posts;
  const known = people.filter((one) => !one.isStation && plainName(one.name) === plainName(name));
  const [person] = known;
  if (known.length > 1) return { line, fault: 'twiceInDirectory', text: name };
  if (person === undefined) return { line, name, title, person: null, posts: posts.posts };
  if (person.agency !== null) return { line, fault: 'agency', text: name };
  if (person.suspended) return { line, fault: 'suspended', text: name };
  const missing = posts.posts.filter(({ unit, post }) => {
    const held = person.posts.find((one) => one.unit === unit);
    return held === undefined || (post === 'chargeNurse' && !held.chargeNurse);
  });
  return { line, name, title: person.title, person: person.id, posts: missing };
}

/** "Hall A; Hall B", and whether they lead: "yes", or which of them. */
function readPosts(line: number, units: string, leads: string, known: readonly KnownUnit[]): { posts: StaffStep['posts'] } | StaffError {
  const works = listed(units, known);
  if (typeof works === 'string') return { line, fault: 'noSuchUnit', text: works };
  const answer = plainName(leads);
  const all = YES.includes(answer);
  const led = all || NO.includes(answer) ? [] : listed(leads, known);
  if (typeof led === 'string') return { line, fault: 'unclear', text: leads };
  const every = [...new Map([...works, ...led].map((unit) => [unit.id, unit])).values()];
  if (all && every.length === 0) return { line, fault: 'leadsNoUnit', text: leads };
  if (every.length > POSTS_MAX) return { line, fault: 'tooManyUnits', text: String(every.length) };
  const posts = every.map((unit) => ({ unit: unit.id, unitName: unit.name, post: all || led.includes(unit) ? ('chargeNurse' as const) : ('staff' as const) }));
  return { posts };
}

const YES = ['yes', 'y', 'x', '1', 'true', 'si', 's', 'charge nurse'];
const NO = ['', 'no', 'n', '0', 'false', '-'];

/** The units named; the first name that is none. A unit may be called with a comma. */
function listed(text: string, known: readonly KnownUnit[]): readonly KnownUnit[] | string {
  const byName = (name: string) => known.find((unit) => plainName(unit.name) === plainName(name));
  const whole = byName(text);
  if (whole !== undefined) return [whole];
  const found: KnownUnit[] = [];
  for (const part of text.split(/[;,|/]/).map((one) => one.trim())) {
    const unit = part === '' ? undefined : byName(part);
    if (unit !== undefined) found.push(unit);
    else if (part !== '') return part;
  }
  return found;
}
