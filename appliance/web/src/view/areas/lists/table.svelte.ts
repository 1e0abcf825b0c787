import { recallColumns, rememberColumns, matchColumns, type Columns, type Usual } from '../../../domain/lists/columns.ts';
import { parseTable, type Table, type TableFault } from '../../../domain/lists/csv.ts';
import { keep, kept } from '../admin/kept.ts';

/** A file that somebody chose, and which of its columns is what. */
export class TableFile<Field extends string> {
  table = $state.raw<Table | null>(null);
  fault = $state.raw<TableFault | null>(null);
  columns = $state.raw<Columns<Field>>({});
  private readonly name: string;
  private readonly usual: Usual<Field>;

  constructor(name: string, usual: Usual<Field>) {
    this.name = name;
    this.usual = usual;
  }

  async read(file: File): Promise<void> {
    const table = parseTable(decode(await file.arrayBuffer()));
    this.fault = 'fault' in table ? table : null;
    this.table = 'fault' in table ? null : table;
    if (this.table === null) return;
    const heads = this.table.columns;
    this.columns = matchColumns(heads, this.usual, recallColumns(kept(this.name), heads, this.usual));
  }

  choose(field: Field, at: number | null): void {
    const columns = { ...this.columns };
    if (at === null) delete columns[field];
    else columns[field] = at;
    this.columns = columns;
    const remembered = this.table === null ? null : rememberColumns(this.table.columns, columns);
    if (remembered !== null) keep(this.name, remembered);
  }
}

/** UTF-8; what is none is taken for what spreadsheets on older systems write. */
export function decode(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
