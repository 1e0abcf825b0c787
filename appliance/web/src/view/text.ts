/**
 * Texts by others, made harmless to show. They are shown as text nodes, so markup is inert already; what is left are characters
 * that turn the lines around them, that paint over their neighbours, or that no font can show.
 */

/** More marks than this on one letter belong to no language's everyday writing; they paint over the lines around. */
const MARKS = 6;

const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// Control characters; soft and invisible fillers; tags; interlinear annotations. Joiners stay: scripts and emoji need them.
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u115f\u1160\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;
const PILED = new RegExp(`(\\p{M}{${MARKS}})\\p{M}+`, 'gu');

/** A text of several lines. */
export function clean(text: string): string {
  return wellFormed(text)
    .replace(/\r\n?|\u2028|\u2029/g, '\n')
    .replace(/\t/g, ' ')
    .replace(BIDI, '')
    .replace(CONTROLS, '')
    .replace(PILED, '$1')
    .replace(/\n{4,}/g, '\n\n\n');
}

/** A text for a place of one line: a title, a name, a preview. */
export function line(text: string, longest = 160): string {
  // Cut roughly first, so that the work does not grow with what nobody sees.
  const flat = clean(text.slice(0, longest * 8)).replace(/\s+/g, ' ').trim();
  const letters = Array.from(flat);
  return letters.length > longest ? `${letters.slice(0, longest).join('').trimEnd()}…` : flat;
}

/** Whether a text is too long to be shown whole at once, and its beginning. */
export function beginning(text: string, longest = 1200, lines = 18): { short: string; cut: boolean } {
  const rows = text.split('\n');
  const few = rows.length > lines ? rows.slice(0, lines).join('\n') : text;
  const letters = few.length > longest ? Array.from(few.slice(0, longest * 2)) : null;
  const short = letters !== null && letters.length > longest ? letters.slice(0, longest).join('') : few;
  return { short, cut: short.length < text.length };
}

function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

/** A name inside a sentence of ours: isolated, so that its direction moves nothing around it. */
export function inSentence(name: string, longest = 80): string {
  return `\u2068${line(name, longest)}\u2069`;
}

/** Several names inside a sentence; of many, the first ones and how many more. */
export function names(all: readonly string[], locale: string, andMore: (names: string, more: number) => string, most = 3): string {
  const shown = all.slice(0, most).map((name) => inSentence(name));
  if (all.length > most) return andMore(shown.join(', '), all.length - most);
  return new Intl.ListFormat(locale, { type: 'conjunction' }).format(shown);
}
