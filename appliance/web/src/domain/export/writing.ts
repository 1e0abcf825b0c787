/**
 * The files of an export, as they are written: `record.jsonl`, a page to read, what was attached, the chain of hashes and the manifest, whose
 * own hash is the seal. All of it is in memory, and none of it anywhere else, until whoever exports saves it.
 */

import { ascii, type Bytes, concat, toHex } from '../bytes.ts';
import type { Sequence } from '../ids.ts';
import type { Acts, Sums } from './acts.ts';
import { actLines, FORMAT, headerLine, type Line, messageLine, noticeLine, placeLine, toJson } from './lines.ts';
import type { Notice } from './notices.ts';
import { type FileOf, type Header, type Message, type Page, type Place, time } from './record.ts';
import { Zip } from './zip.ts';

/** How many of what. */
export interface Count {
  lines: number;
  conversations: number;
  messages: number;
  notices: number;
  stats: number;
  orders: number;
  tasks: number;
  signed: number;
  /** Of this, what did not verify. */
  unverified: number;
  files: number;
  /** Files that are named and not here: of another's thread, or gone. */
  files_withheld: number;
  names_hidden: number;
}

/** Writes the page to read, in somebody's language: the view's. */
export interface PageWriter {
  begins(header: Header): string;
  place(header: Header, place: Place, title: string): string;
  message(header: Header, place: Place, message: Message, files: readonly (string | null)[], acts: Acts | null): string;
  notice(header: Header, place: Place, notice: Notice): string;
  placeEnds(): string;
  ends(count: Count): string;
}

interface Listed {
  readonly path: string;
  readonly parts: readonly Bytes[];
  readonly sha256: string;
}

/** Everything, as one archive. */
export interface Written {
  readonly count: Readonly<Count>;
  /** SHA-256 of the manifest. */
  readonly seal: Bytes;
  readonly parts: readonly Bytes[];
}

export class Writing {
  readonly #header: Header;
  readonly #page: PageWriter;
  readonly #sums: Sums;
  readonly #record: Bytes[] = [];
  readonly #html: Bytes[] = [];
  readonly #chain: Bytes[] = [];
  readonly #files: Listed[] = [];
  #link: Bytes = new Uint8Array(32);
  #before: Count = nothing();
  readonly #count = nothing();
  #size = 0;

  private constructor(header: Header, page: PageWriter, sums: Sums) {
    [this.#header, this.#page, this.#sums] = [header, page, sums];
  }

  static async begin(header: Header, page: PageWriter, sums: Sums): Promise<Writing> {
    const writing = new Writing(header, page, sums);
    writing.#link = await sums.sha256(ascii(`${FORMAT}\n`));
    await writing.#line(headerLine(header));
    writing.#show(page.begins(header));
    return writing;
  }

  /** Bytes that it has grown to. */
  get size(): number {
    return this.#size;
  }

  get files(): number {
    return this.#files.length;
  }

  async place(place: Place, title: string): Promise<void> {
    this.#before = { ...this.#count };
    this.#count.conversations += 1;
    await this.#line(placeLine(this.#header, place, title));
    this.#show(this.#page.place(this.#header, place, title));
  }

  /** Where it will lie; what its author called it is no path. */
  file(file: FileOf, bytes: Bytes): string {
    const path = `files/${String(this.#files.length + 1).padStart(6, '0')}.${file.ending}`;
    // Its hash is its message's: whoever fetched it has looked.
    this.#files.push({ path, parts: [bytes], sha256: file.sha256 });
    this.#size += bytes.length;
    return path;
  }

  async page(place: Place, page: Page, files: ReadonlyMap<Sequence, readonly (string | null)[]>): Promise<void> {
    const notices = [...page.notices];
    for (const message of page.messages) {
      while (notices[0] !== undefined && notices[0].after < message.sequence) await this.#notice(place, notices.shift() as Notice);
      await this.#message(place, message, files.get(message.sequence) ?? [], page.acts.get(message.sequence) ?? null);
    }
    for (const notice of notices) await this.#notice(place, notice);
    this.#count.names_hidden += page.hidden;
  }

  async placeEnds(): Promise<void> {
    const [all, before] = [this.#count, this.#before];
    const more = (what: keyof Count): number => all[what] - before[what];
    await this.#line({ record: 'conversation_end', messages: more('messages'), notices: more('notices'), stats: more('stats'), orders: more('orders'), tasks: more('tasks'), signed: more('signed') });
    this.#show(this.#page.placeEnds());
  }

  async finish(): Promise<Written> {
    const count = this.#count;
    count.files = this.#files.length;
    this.#show(this.#page.ends(count));
    const texts = [
      { path: 'record.jsonl', parts: this.#record },
      { path: 'record.html', parts: this.#html },
      { path: 'chain.txt', parts: this.#chain },
    ];
    const all: Listed[] = [];
    for (const text of texts) all.push({ ...text, sha256: toHex(await this.#sums.sha256(concat(text.parts))) });
    all.push(...this.#files);
    const at = time(this.#header.at);
    const files = all.map(({ path, parts, sha256 }) => ({ path, bytes: parts.reduce((sum, part) => sum + part.length, 0), sha256 }));
    const manifest = utf8(`${JSON.stringify({ format: FORMAT, export: this.#header.export, at, count, chain: toHex(this.#link), files }, null, 2)}\n`);
    const [zip, date] = [new Zip(), new Date(Number(this.#header.at))];
    const folder = folderOf(this.#header.export);
    for (const { path, parts } of all) zip.add(`${folder}/${path}`, parts, date);
    zip.add(`${folder}/manifest.json`, [manifest], date);
    return { count, seal: await this.#sums.sha256(manifest), parts: zip.finish() };
  }

  async #message(place: Place, message: Message, files: readonly (string | null)[], acts: Acts | null): Promise<void> {
    const count = this.#count;
    count.messages += 1;
    count.files_withheld += files.filter((file) => file === null).length;
    if (acts !== null) {
      count.stats += acts.stat === null ? 0 : 1;
      count.orders += acts.order === null ? 0 : 1;
      count.tasks += acts.task === null ? 0 : 1;
      for (const { proof } of [...acts.signed, ...acts.orderSigned]) {
        count.signed += 1;
        count.unverified += proof === 'wrong' ? 1 : 0;
      }
    }
    await this.#line(messageLine(this.#header, place, message, files));
    if (acts !== null) for (const line of actLines(this.#header, place, message.sequence, acts)) await this.#line(line);
    this.#show(this.#page.message(this.#header, place, message, files, acts));
  }

  async #notice(place: Place, notice: Notice): Promise<void> {
    this.#count.notices += 1;
    await this.#line(noticeLine(this.#header, place, notice));
    this.#show(this.#page.notice(this.#header, place, notice));
  }

  async #line(line: Line): Promise<void> {
    const bytes = utf8(toJson(line));
    const own = await this.#sums.sha256(bytes);
    // The hash of all lines up to this one: of that up to the one before, and its own.
    this.#link = await this.#sums.sha256(concat([this.#link, own]));
    this.#count.lines += 1;
    const link = ascii(`${toHex(own)} ${toHex(this.#link)}\n`);
    this.#record.push(concat([bytes, ascii('\n')]));
    this.#chain.push(link);
    this.#size += bytes.length + link.length + 1;
  }

  #show(html: string): void {
    const bytes = utf8(html);
    this.#html.push(bytes);
    this.#size += bytes.length;
  }
}

/** What the archive and the folder in it are called: whose record it is, no name of a file says. */
export function folderOf(number: string): string {
  return `wardline-export-${number}`;
}

function utf8(text: string): Bytes {
  return concat([new TextEncoder().encode(text)]);
}

function nothing(): Count {
  return { lines: 0, conversations: 0, messages: 0, notices: 0, stats: 0, orders: 0, tasks: 0, signed: 0, unverified: 0, files: 0, files_withheld: 0, names_hidden: 0 };
}
