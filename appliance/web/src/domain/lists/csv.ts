/**
 * A table as spreadsheets write it: RFC 4180, or with semicolons or tabs, as many of them do. The first row names the columns.
 */

import { cleanLine } from '../texts.ts';

/** Rows that one file may have: more people than any facility lists at once. */
export const ROWS_MAX = 5_000;
/** Characters of a file: 5,000 rows of 200. */
export const FILE_MAX = 1_000_000;
const COLUMNS_MAX = 64;

export interface Row {
  /** Of the file, from 1: the line in which the row begins. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** In which line the columns are named; 0: nowhere, they have numbers. */
  readonly named: number;
}

export type TableFault = { readonly fault: 'empty' | 'tooLong' | 'noRows' } | { readonly fault: 'quote'; readonly line: number };

export function parseTable(file: string): Table | TableFault {
  if (file.length > FILE_MAX) return { fault: 'tooLong' };
  // What spreadsheets put before UTF-8.
  const text = file.replace(/^\ufeff/, '');
  const rows = rowsOf(text, separatorOf(text));
  if ('fault' in rows) return rows;
  const [head, ...rest] = rows.filter((row) => row.cells.some((cell) => cell !== ''));
  if (head === undefined) return { fault: 'empty' };
  if (rest.length === 0) return { fault: 'noRows' };
  if (rest.length > ROWS_MAX) return { fault: 'tooLong' };
  return { columns: head.cells.slice(0, COLUMNS_MAX), rows: rest, named: head.line };
}

/** The same file, where its first row is one like the others and names nothing. */
export function headless(table: Table): Table {
  if (table.named === 0) return table;
  const columns = table.columns.map((_, at) => String(at + 1));
  return { columns, rows: [{ line: table.named, cells: table.columns }, ...table.rows], named: 0 };
}

/** What the first line has most of. */
function separatorOf(text: string): string {
  const first = text.split(/\r?\n/).find((line) => line.trim() !== '') ?? '';
  const count = (one: string) => first.split(one).length;
  return [',', ';', '\t'].reduce((best, one) => (count(one) > count(best) ? one : best));
}

function rowsOf(text: string, separator: string): readonly Row[] | TableFault {
  const rows: Row[] = [];
  let cells: string[] = [];
  let cell = '';
  let line = 1;
  let begun = 1;
  let quoted = 0;
  const endCell = () => {
    cells.push(cleanLine(cell).trim());
    cell = '';
  };
  const endRow = () => {
    endCell();
    rows.push({ line: begun, cells });
    cells = [];
    begun = line;
  };
  for (let at = 0; at < text.length; at += 1) {
    const one = text[at] ?? '';
    if (one === '\n') line += 1;
    if (quoted > 0) {
      if (one !== '"') cell += one;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = 0;
    } else if (one === '"' && cell.trim() === '') {
      quoted = line;
      cell = '';
    } else if (one === separator) endCell();
    else if (one === '\n') endRow();
    else if (one !== '\r') cell += one;
  }
  if (quoted > 0) return { fault: 'quote', line: quoted };
  if (cell !== '' || cells.length > 0) endRow();
  return rows;
}
