import { matchColumns, namesColumns, recallColumns, rememberColumns, type Columns, type Usual } from '../../../domain/lists/columns.ts';
import { headless, parseTable, type Table, type TableFault } from '../../../domain/lists/csv.ts';
import { keep, kept } from '../admin/kept.ts';

/** A file that somebody chose, and which of its columns is what. */
export class TableFile<Field extends string> {
  table = $state.raw<Table | null>(null);
  fault = $state.raw<TableFault | null>(null);
  columns = $state.raw<Columns<Field>>({});
  /** The first row, where it names no column that is known: it may be somebody. */
  doubtful = $state.raw<readonly string[] | null>(null);
  /** It is: said by whoever chose the file. */
  isHeadless = $state(false);
  private asRead: Table | null = null;
  private readonly name: string;
  private readonly usual: Usual<Field>;

  constructor(name: string, usual: Usual<Field>) {
    this.name = name;
    this.usual = usual;
  }

  async read(file: File): Promise<void> {
    const table = parseTable(decode(await file.arrayBuffer()));
    this.fault = 'fault' in table ? table : null;
    this.asRead = 'fault' in table ? null : table;
    const heads = this.asRead?.columns ?? [];
    const isKnown = namesColumns(heads, this.usual) || recallColumns(kept(this.name), heads, this.usual) !== null;
    this.doubtful = this.asRead === null || isKnown ? null : heads;
    this.take(false);
  }

  /** With its first row as names of columns, or as one of its rows. */
  take(isHeadless: boolean): void {
    this.isHeadless = isHeadless;
    this.table = this.asRead !== null && isHeadless ? headless(this.asRead) : this.asRead;
    const heads = this.table?.columns ?? [];
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
