/**
 * Which column of a file is which field. What somebody chose is remembered by a mark of the columns' heads alone: no word of the file is
 * ever kept. Some files have no heads, and then their first row is somebody.
 */

import { plainName } from '../admin/directory.ts';

/** By field, the number of its column; absent: there is none. */
export type Columns<Field extends string> = Partial<Record<Field, number>>;

/** By field, what its column is usually called, in plain letters. */
export type Usual<Field extends string> = Record<Field, readonly string[]>;

/** The first column that is called so; what was chosen for such heads before comes first. */
export function matchColumns<Field extends string>(heads: readonly string[], usual: Usual<Field>, remembered: Columns<Field> | null): Columns<Field> {
  if (remembered !== null) return remembered;
  const plain = heads.map(plainName);
  const columns: Columns<Field> = {};
  for (const field of fieldsOf(usual)) {
    const at = plain.findIndex((head) => usual[field].includes(head));
    if (at >= 0) columns[field] = at;
  }
  return columns;
}

/** Whether a first row names columns, by what they are usually called. Where it does not, it may be somebody, who would be left out. */
export function namesColumns<Field extends string>(heads: readonly string[], usual: Usual<Field>): boolean {
  return heads.map(plainName).some((head) => fieldsOf(usual).some((field) => usual[field].includes(head)));
}

/** What may be written to the disk; `null`: nothing, since a row with a number, a bed or a day in it is hardly one of heads. */
export function rememberColumns<Field extends string>(heads: readonly string[], columns: Columns<Field>): string | null {
  return heads.some((head) => /\d/.test(head)) ? null : JSON.stringify({ mark: markOf(heads), columns });
}

/** What was written before, if it was for a file with these heads. */
export function recallColumns<Field extends string>(kept: string | null, heads: readonly string[], usual: Usual<Field>): Columns<Field> | null {
  const read = parsed(kept);
  if (read === null || read.mark !== markOf(heads)) return null;
  const columns: Columns<Field> = {};
  for (const field of fieldsOf(usual)) {
    const at: unknown = Reflect.get(read.columns, field);
    if (typeof at === 'number' && Number.isInteger(at) && at >= 0 && at < heads.length) columns[field] = at;
  }
  return columns;
}

export function cellOf<Field extends string>(cells: readonly string[], columns: Columns<Field>, field: Field): string {
  const at = columns[field];
  return at === undefined ? '' : (cells[at] ?? '');
}

function fieldsOf<Field extends string>(usual: Usual<Field>): readonly Field[] {
  return Object.keys(usual) as Field[];
}

/** Of 16 bits (FNV-1a, folded): knows the same heads again, and is too little to tell any word by. */
function markOf(heads: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(JSON.stringify(heads.map(plainName)))) hash = Math.imul(hash ^ byte, 0x01000193);
  return ((hash >>> 16) ^ hash) & 0xffff;
}

function parsed(kept: string | null): { mark: unknown; columns: object } | null {
  try {
    const read: unknown = JSON.parse(kept ?? 'null');
    if (typeof read !== 'object' || read === null || !('mark' in read) || !('columns' in read)) return null;
    return typeof read.columns === 'object' && read.columns !== null ? { mark: read.mark, columns: read.columns } : null;
  } catch {
    return null;
  }
}
