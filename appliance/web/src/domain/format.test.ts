import { describe, expect, it } from 'vitest';
import { format, plain, type Span } from './format.ts';
import { hasMarks } from './marks.ts';

/** Bold as `<b>`, italic as `<i>`, code as `<c>`: the vectors are those of `client/src/format_tests.rs`. */
function shown(text: string): string {
  const one = (span: Span) => [[span.code, 'c'] as const, [span.italic, 'i'] as const, [span.bold, 'b'] as const].reduce((said, [is, tag]) => (is ? `<${tag}>${said}</${tag}>` : said), span.text);
  const words = (all: readonly Span[]) => all.map(one).join('');
  return format(text)
    .map((line) => (line.is === 'code' ? `|${line.text}|` : line.is === 'words' ? words(line.words) : `${line.level}[${line.number ?? '-'}] ${words(line.words)}`))
    .join('/');
}

describe('formatted text', () => {
  it.each([
    ['bed **4** is free', 'bed <b>4</b> is free'],
    ['*now*, _please_', '<i>now</i>, <i>please</i>'],
    ['give `5 mg *iv*`', 'give <c>5 mg *iv*</c>'],
    ['***both***', '<b><i>both</i></b>'],
    ['**all *of* it**', '<b>all </b><b><i>of</i></b><b> it</b>'],
    ['*a **b** c*', '<i>a </i><b><i>b</i></b><i> c</i>'],
    ['(**4 West**)', '(<b>4 West</b>)'],
    ['**Müller**: ok', '<b>Müller</b>: ok'],
    ['- one\n  - two\n    * three\n          - deep', '0[-] one/1[-] two/2[-] three/2[-] deep'],
    ['1. first\n12. twelfth', '0[1] first/0[12] twelfth'],
    ['```\n*as* it is\n\n```\nend', '|*as* it is|/||/end'],
    ['a\r\n\r\nb', 'a//b'],
    // Beyond the reference's own: letters of two code units count as letters.
    ['𐐀*a*𐐀', '𐐀*a*𐐀'],
  ])('marks form what they stand around: %s', (text, form) => {
    expect(shown(text)).toBe(form);
  });

  it.each([
    '', '5*3*2 = 30', 'bed_4_west', '2 * 3', '**', '****', '*', 'a ** b', '**open', '`open', '``', '1987. was a year', '1.5 mg', '-5', '```', '# no heading',
    '[no link](https://example.org)', '<b>no tag</b>', '![no picture](x)', '> no quote',
  ])('what forms nothing stands for itself: %s', (text) => {
    expect(shown(text)).toBe(text);
    expect(plain(text)).toBe(text);
  });

  it('nothing but marks goes, and nothing comes', () => {
    const parts = ['*', '**', '_', '`', '```', ' ', '\n', 'a', 'é', '7', '1. ', '- ', 'ab c', '\u202e', '\r', '😀'];
    let seed = 7;
    const next = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648);
    const letters = (text: string) => [...text].filter((one) => /[\p{L}😀]/u.test(one)).join('');
    for (let run = 0; run < 5_000; run += 1) {
      const text = Array.from({ length: next() % 24 }, () => parts[(next() >> 8) % parts.length]).join('');
      const words = format(text).map((line) => (line.is === 'code' ? line.text : line.words.map((span) => span.text).join(''))).join('\n');
      let at = 0;
      for (const one of text) if (one === [...words.slice(at)][0]) at += one.length;
      expect(at, JSON.stringify(text)).toBe(words.length);
      expect(letters(words), JSON.stringify(text)).toBe(letters(text));
      for (const line of format(text)) if (line.is !== 'code') expect(line.words.every((span) => span.text !== '' && !span.text.includes('\n'))).toBe(true);
      if (!hasMarks(text)) expect(words).toBe(text.replaceAll('\r\n', '\n'));
    }
  });

  it('of marks alone takes no longer than another', () => {
    // Quadratic work would not end within anybody's patience.
    for (const part of ['*', '**', '_a', '`', '*a ', '```\n', '- *', '**_`']) expect(format(part.repeat(400_000 / part.length)).length).toBeGreaterThan(0);
  });

  it('is words alone in a place of one line', () => {
    expect(plain('**Situation**: *fell*\n- no pulse\n2. `CPR`')).toBe('Situation: fell\n• no pulse\n2. CPR');
  });
});
