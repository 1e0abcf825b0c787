/**
 * A unit on paper, for when nothing works: its beds and who has them, roles, numbers, what is open. Of what whoever prints may see,
 * and laid out by count, so that no page is longer than its paper.
 */

import type { BedRow } from '../care/contract.ts';
import type { At, Id, Snapshot } from '../snapshot.ts';

/** Rows of 8 mm under the head of a page: 24 beds and what a unit has besides are two pages, on A4 as on US Letter. */
export const BEDS_OF_PAGE = 26;
const ROLES_MAX = 10;
const STATS_MAX = 4;
const TASKS_MAX = 6;
/** After a shift the sheet is wrong, and is about patients all the same. */
const LIVES = 12 * 3_600_000;

export interface PaperBed {
  readonly bed: string;
  /** A name, an alias, or nothing: free, or not to be named to whoever prints. */
  readonly patient: string;
  readonly taken: boolean;
  readonly flags: BedRow['flags'];
  readonly holders: readonly string[];
}

export interface Sheet {
  readonly unit: string;
  readonly facility: string;
  readonly by: string;
  readonly at: At;
  readonly destroyBy: At;
  /** Each one page of beds; the last page has everything else. */
  readonly bedPages: readonly (readonly PaperBed[])[];
  readonly pages: number;
  readonly whole: readonly string[];
  /** Called when nobody answers a STAT; empty: none is set. */
  readonly dial: string;
  readonly roles: readonly { readonly name: string; readonly holders: readonly string[] }[];
  readonly stats: readonly { readonly title: string; readonly bed: string; readonly text: string; readonly at: At }[];
  readonly tasks: readonly { readonly title: string; readonly text: string; readonly whose: string; readonly due: At }[];
  /** What found no room, of each. */
  readonly left: { readonly roles: number; readonly stats: number; readonly tasks: number };
}

/** `null`: the unit's beds are not here, or not by name. */
export function sheetOf(snapshot: Snapshot, unit: Id, dial: string, at: At): Sheet | null {
  const ward = snapshot.care?.wards.find((one) => one.id === unit);
  if (ward === undefined || ward.state !== 'there' || ward.names !== 'there' || snapshot.me === null || snapshot.care === null) return null;
  const beds = ward.rows.map((row): PaperBed => ({ bed: row.bed, patient: row.name, taken: row.taken, flags: row.flags, holders: row.holders.map((one) => one.name) }));
  const bedPages = pagesOf(beds, BEDS_OF_PAGE);
  const roles = (snapshot.roles ?? []).filter((role) => role.unit === ward.name || role.unit === '').map((role) => ({ name: role.name, holders: role.holders.map((one) => one.name) }));
  const stats = snapshot.inbox
    .filter((item) => item.stat !== null && (item.stat.state === 'open' || item.stat.state === 'held') && (item.patient === null || item.patient.unit === ward.name))
    .map((item) => ({ title: item.title, bed: item.patient?.bed ?? '', text: item.lastText, at: item.lastAt }));
  const tasks = snapshot.care.tasks.list.map(({ title, text, whose, due }) => ({ title, text, whose, due }));
  return {
    unit: ward.name,
    facility: snapshot.line.facility,
    by: snapshot.me.name,
    at,
    destroyBy: at + LIVES,
    bedPages,
    pages: bedPages.length + 1,
    whole: ward.whole.map((one) => one.name),
    dial,
    roles: roles.slice(0, ROLES_MAX),
    stats: stats.slice(0, STATS_MAX),
    tasks: tasks.slice(0, TASKS_MAX),
    left: { roles: Math.max(roles.length - ROLES_MAX, 0), stats: Math.max(stats.length - STATS_MAX, 0), tasks: Math.max(tasks.length - TASKS_MAX, 0) },
  };
}

/** At least one, since a unit without patients is worth knowing, too. */
function pagesOf<T>(all: readonly T[], size: number): T[][] {
  const count = Math.max(Math.ceil(all.length / size), 1);
  return Array.from({ length: count }, (_, page) => all.slice(page * size, (page + 1) * size));
}
