/**
 * Which column of a file is which field. What somebody chose is remembered by the heads of the columns alone: no row of the file, so no
 * name, is ever kept.
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

/** What may be written to the disk. */
export function rememberColumns<Field extends string>(heads: readonly string[], columns: Columns<Field>): string {
  return JSON.stringify({ heads: heads.map(plainName), columns });
}

/** What was written before, if it was for a file with these heads. */
export function recallColumns<Field extends string>(kept: string | null, heads: readonly string[], usual: Usual<Field>): Columns<Field> | null {
  const read = parsed(kept);
  if (read === null || JSON.stringify(read.heads) !== JSON.stringify(heads.map(plainName))) return null;
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

function parsed(kept: string | null): { heads: unknown; columns: object } | null {
  try {
    const read: unknown = JSON.parse(kept ?? 'null');
    if (typeof read !== 'object' || read === null || !('heads' in read) || !('columns' in read)) return null;
    return typeof read.columns === 'object' && read.columns !== null ? { heads: read.heads, columns: read.columns } : null;
  } catch {
    return null;
  }
}
