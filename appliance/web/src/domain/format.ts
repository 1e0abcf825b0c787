/** Formatted text: a small part of Markdown (README.md, section 15; the reference is `client/src/format.rs`). Marks that form nothing stand for themselves. */

import { hasMarks } from './marks.ts';

export interface Span {
  readonly text: string;
  readonly bold: boolean;
  readonly italic: boolean;
  readonly code: boolean;
}

export type Line =
  | { readonly is: 'words'; readonly words: readonly Span[] }
  /** Its level from 0; its number, `null`: a dot. */
  | { readonly is: 'item'; readonly level: number; readonly number: number | null; readonly words: readonly Span[] }
  | { readonly is: 'code'; readonly text: string };

const LEVEL_MAX = 2;
const INDENT = 2;
const FENCE = '```';

/** Takes time and memory in proportion to the text. */
export function format(text: string): readonly Line[] {
  const lines = text.split(/\r?\n/);
  const formed: Line[] = [];
  // The last fence there is: one that none follows stands for itself.
  const lastFence = lines.findLastIndex(isFence);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (isFence(line) && lastFence > at) {
      for (at += 1; !isFence(lines[at] ?? FENCE); at += 1) formed.push({ is: 'code', text: lines[at] ?? '' });
    } else formed.push(lineOf(line));
  }
  return formed;
}

/** Words alone, without marks: for a place of one line. */
export function plain(text: string): string {
  if (!hasMarks(text)) return text;
  const said = (words: readonly Span[]) => words.map((span) => span.text).join('');
  const lines = format(text).map((line) => (line.is === 'code' ? line.text : line.is === 'words' ? said(line.words) : `${line.number === null ? '•' : `${line.number}.`} ${said(line.words)}`));
  return lines.join('\n');
}

function isFence(line: string): boolean {
  return line.trim() === FENCE;
}

function lineOf(line: string): Line {
  const [, blanks = '', mark, number, rest = ''] = /^( *)(?:([-*])|(\d{1,3})\.) (.*)$/s.exec(line) ?? [];
  const level = Math.min(Math.floor(blanks.length / INDENT), LEVEL_MAX);
  if (mark !== undefined) return { is: 'item', level, number: null, words: spans(rest) };
  if (number !== undefined) return { is: 'item', level, number: Number(number), words: spans(rest) };
  return { is: 'words', words: spans(line) };
}

type Mark = '**' | '*' | '_';
interface Found {
  readonly at: number;
  /** `null`: code, up to `end`. */
  readonly mark: Mark | null;
  readonly begins: boolean;
  readonly end: number;
}

function spans(line: string): readonly Span[] {
  const out: Span[] = [];
  let [bold, italic, at] = [false, false, 0];
  const push = (text: string, code = false) => {
    if (text !== '') out.push({ text, bold, italic, code });
  };
  for (const found of pairs(line)) {
    push(line.slice(at, found.at));
    at = found.end;
    if (found.mark === null) push(line.slice(found.at + 1, found.end - 1), true);
    else if (found.mark === '**') bold = found.begins;
    else italic = found.begins;
  }
  push(line.slice(at));
  return out;
}

/** Which marks of a line form something, in order, nested in one another. */
function pairs(line: string): readonly Found[] {
  const found: Found[] = [];
  const open: { at: number; mark: Mark }[] = [];
  for (let at = 0; at < line.length; ) {
    const letter = line[at];
    if (letter === '`') {
      const end = line.indexOf('`', at + 1);
      if (end > at + 1) found.push({ at, mark: null, begins: true, end: end + 1 });
      at = end > at + 1 ? end + 1 : end < 0 ? at + 1 : at + 2;
      continue;
    }
    if (letter !== '*' && letter !== '_') {
      at += 1;
      continue;
    }
    // What is innermost ends first: `***both***`.
    const innermost = letter === '*' && open.at(-1)?.mark === '*' && (open.at(-1)?.at ?? at) + 1 < at && closesAt(line, at, at + 1);
    const mark: Mark = letter === '*' && !innermost && line[at + 1] === '*' ? '**' : letter;
    const end = at + mark.length;
    const opened = open.findLastIndex((one) => one.mark === mark);
    const begin = open[opened];
    // Something between the two, and nothing that it would cross.
    if (begin !== undefined && closesAt(line, at, end) && begin.at + mark.length < at) {
      open.length = opened;
      found.push({ at: begin.at, mark, begins: true, end: begin.at + mark.length }, { at, mark, begins: false, end });
    } else if (opensAt(line, at, end) && !open.some((one) => one.mark === mark || (one.mark !== '**' && mark !== '**'))) open.push({ at, mark });
    at = end;
  }
  return found.sort((one, other) => one.at - other.at);
}

const LETTER = /[\p{Alphabetic}\p{N}]/u;
const BLANK = /^\s?$/;

/** A mark opens before something that is no blank and not within a word, and closes behind something that is no blank and not within one. */
function opensAt(line: string, at: number, end: number): boolean {
  return !BLANK.test(behind(line, end)) && !LETTER.test(before(line, at));
}

function closesAt(line: string, at: number, end: number): boolean {
  return !BLANK.test(before(line, at)) && !LETTER.test(behind(line, end));
}

function before(line: string, at: number): string {
  const isPair = /[\udc00-\udfff]/.test(line[at - 1] ?? '');
  return line.slice(Math.max(0, at - (isPair ? 2 : 1)), at);
}

function behind(line: string, end: number): string {
  const code = line.codePointAt(end);
  return code === undefined ? '' : String.fromCodePoint(code);
}
