/**
 * What a person means by the beds that they write: names, ranges, or both, among the beds that a unit is known to have. The box takes
 * beds by name alone; a range is spelled out here, as the terminal client does, and shown before it is asked for.
 *
 * ```text
 * 7  B-12            that bed; where the unit calls exactly one so but for case and leading zeros, that one
 * 20-34  B-20-34     every known bed with such a number, with a letter or without; and by its number alone each
 *                    that is not known, unless the beds there have letters
 * 12A-12D            the beds of that number from the one letter to the other
 * 1-4,7              both
 * ```
 */

/** Beds that one assignment names. */
export const BEDS_OF_SHIFT_MAX = 64;
/** A bed's name, in bytes: what prints in ASCII. */
const BED_MAX = 16;
/** What is typed: 64 names of 16 with what divides them. */
export const TYPED_MAX = 1_200;

export interface Meant {
  /** In the order in which people count them, each once: 1 to 64. */
  readonly beds: readonly string[];
  /** Those of them in which nobody lies and which nobody holds: the box does not know them yet. */
  readonly unknown: readonly string[];
  /** Numbers of a range for which no bed was taken: the beds there have letters, and none with this number is known. */
  readonly leftOut: readonly string[];
}

/** Why what was written names no beds; `text` is the part, `instead` what to write. */
export interface BedsFault {
  readonly fault: 'noName' | 'backwards' | 'letters' | 'twoWays' | 'noneKnown' | 'tooMany';
  readonly text: string;
  readonly instead: string;
}

/** In the order in which people count: 1, 2, 10, 11A; a number whatever zeros lead it, letters without their case. */
export function compareBeds(one: string, other: string): number {
  const [mine, theirs] = [parts(one), parts(other)];
  for (let at = 0; at < Math.max(mine.length, theirs.length); at += 1) {
    const [a, b] = [mine[at] ?? '', theirs[at] ?? ''];
    const areNumbers = /^\d/.test(a) && /^\d/.test(b);
    const differ = areNumbers ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0;
    if (differ !== 0) return differ;
  }
  return one < other ? -1 : one > other ? 1 : 0;
}

function parts(bed: string): readonly string[] {
  return bed.toLowerCase().match(/\d+|\D+/g) ?? [];
}

/** Spells out what somebody wrote. `known` are the beds of the unit in which somebody lies, or which somebody holds. */
export function meantBeds(typed: string, known: readonly string[]): Meant | BedsFault {
  const written = typed.slice(0, TYPED_MAX).trim();
  const [names, beds, leftOut] = [new Set(known), new Set<string>(), new Set<string>()];
  const words = names.has(written) ? [written] : written.split(/\s+/);
  for (const word of words) {
    // A comma may be part of a name that is known.
    for (const part of names.has(word) ? [word] : word.split(',')) {
      const fault = part === '' ? null : read(part, known, beds, leftOut);
      if (fault !== null) return fault;
    }
  }
  if (beds.size === 0) return { fault: 'noName', text: written, instead: '' };
  if (beds.size > BEDS_OF_SHIFT_MAX) return { fault: 'tooMany', text: String(beds.size), instead: '' };
  const sorted = [...beds].sort(compareBeds);
  return { beds: sorted, unknown: sorted.filter((bed) => !names.has(bed)), leftOut: [...leftOut] };
}

interface Name {
  readonly prefix: string;
  readonly digits: string;
  readonly number: number;
  readonly letter: string;
}

/** "B-", 12, "A"; `null` for what does not end with a number, or with a number and one letter. */
function nameOf(text: string): Name | null {
  const [, prefix = '', digits = '', letter = ''] = /^(.*?)(\d+)([a-z]?)$/is.exec(text) ?? [];
  // No ward counts further, and nothing that is longer fits into a bed's name beside its prefix.
  if (digits.length < 1 || digits.length > 6) return null;
  return { prefix, digits, number: Number(digits), letter: letter.toUpperCase() };
}

interface Range {
  /** The first with the hyphen behind it, as it is written. */
  readonly stem: string;
  readonly from: Name;
  readonly to: Name;
}

function rangeOf(text: string): Range | null {
  for (let at = text.indexOf('-'); at >= 0; at = text.indexOf('-', at + 1)) {
    const [from, to] = [nameOf(text.slice(0, at)), nameOf(text.slice(at + 1))];
    if (from === null || to === null) continue;
    if (to.prefix === '' || same(to.prefix, from.prefix)) return { stem: text.slice(0, at + 1), from, to };
  }
  return null;
}

function read(part: string, known: readonly string[], beds: Set<string>, leftOut: Set<string>): BedsFault | null {
  // As phones write it.
  const text = part.replace(/[–—]/g, '-');
  const range = rangeOf(text);
  if (range === null) {
    if (!isName(text)) return { fault: 'noName', text, instead: '' };
    const alike = known.filter((bed) => plain(bed) === plain(text));
    beds.add(known.includes(text) || alike.length !== 1 ? text : (alike[0] ?? text));
    return null;
  }
  const { from, to } = range;
  const within = known.flatMap((bed) => {
    const name = nameOf(bed);
    return name !== null && isWithin(name, range) ? [{ bed, name }] : [];
  });
  if (known.includes(text)) {
    if (within.length > 0) return { fault: 'twoWays', text, instead: '' };
    beds.add(text);
    return null;
  }
  const fault = faultOf(text, range, known, within.length === 0);
  if (fault !== null) return fault;
  for (const { bed } of within) beds.add(bed);
  // Zeros as the unit writes them.
  const like = within.find(({ name }) => name.digits.startsWith('0'))?.name ?? within[0]?.name ?? from;
  const width = like.digits.startsWith('0') ? like.digits.length : 1;
  const called = (number: number): string => `${like.prefix}${String(number).padStart(width, '0')}`;
  if (from.letter !== '') {
    for (let code = from.letter.charCodeAt(0); code <= to.letter.charCodeAt(0); code += 1) {
      const letter = String.fromCharCode(code);
      if (!within.some(({ name }) => name.letter === letter)) beds.add(`${called(from.number)}${letter}`);
    }
    return null;
  }
  const hasLetters = within.some(({ name }) => name.letter !== '');
  for (let number = from.number; number <= to.number; number += 1) {
    if (within.some(({ name }) => name.number === number)) continue;
    (hasLetters ? leftOut : beds).add(called(number));
  }
  return null;
}

/** Whether it can be a range, and the only thing that can be meant. */
function faultOf(text: string, { stem, from, to }: Range, known: readonly string[], isEmpty: boolean): BedsFault | null {
  const whole = (first: Name, last: Name): string => `${from.prefix}${first.digits}-${last.digits}`;
  // Where rooms and beds are numbered 3-1, 3-2.
  if (known.some((bed) => same(bed.slice(0, stem.length), stem))) return { fault: 'twoWays', text, instead: '' };
  const isRoom = from.letter !== '' && to.letter !== '' && from.number === to.number;
  if (isRoom && from.letter > to.letter) {
    const room = `${from.prefix}${from.digits}`;
    return { fault: 'backwards', text, instead: `${room}${to.letter}-${room}${from.letter}` };
  }
  if (!isRoom && (from.letter !== '' || to.letter !== '')) {
    return { fault: 'letters', text, instead: from.number <= to.number ? whole(from, to) : whole(to, from) };
  }
  if (from.number > to.number) return { fault: 'backwards', text, instead: whole(to, from) };
  const count = to.number - from.number + 1;
  if (count > BEDS_OF_SHIFT_MAX) return { fault: 'tooMany', text: String(count), instead: '' };
  if (!isName(whole(from, to).replace(/-\d+$/, ''))) return { fault: 'noName', text, instead: '' };
  // A unit of which nothing is known contradicts nothing.
  if (isEmpty && known.length > 0) return { fault: 'noneKnown', text, instead: known[0] ?? '' };
  return null;
}

/** Of this range: an end without a letter has every letter. */
function isWithin(name: Name, { from, to }: Range): boolean {
  const hasLetters = from.letter !== '' && to.letter !== '';
  const fits = !hasLetters || (name.letter >= from.letter && name.letter <= to.letter && name.letter !== '');
  return same(name.prefix, from.prefix) && name.number >= from.number && name.number <= to.number && fits;
}

function isName(text: string): boolean {
  return /^[\x20-\x7e]+$/.test(text) && text.trim() !== '' && text.length <= BED_MAX;
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Without case and leading zeros. */
function plain(bed: string): string {
  return bed.toLowerCase().replace(/(^|\D)0+(?=\d)/g, '$1');
}
