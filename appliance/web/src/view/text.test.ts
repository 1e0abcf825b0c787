import { describe, expect, it } from 'vitest';
import { beginning, clean, line } from './text.ts';

describe('clean', () => {
  it('drops whatever turns the text around', () => {
    expect(clean('a\u202eb\u2066c\u061cd\u200ee')).toBe('abcde');
    expect(clean('\u3164An\u115f\uffa0a\u034f\u2060 T\u180eorres\u3164')).toBe('Ana Torres');
  });
  it('drops control characters and keeps lines', () => {
    expect(clean('a\u0000b\u001b[31mc\r\nd\u2028e\tf')).toBe('ab[31mc\nd\ne f');
  });
  it('caps piled marks, and keeps those that languages use', () => {
    expect(clean(`e${'\u0301'.repeat(64_000)}x`)).toBe(`e${'\u0301'.repeat(6)}x`);
    expect(clean('ǟ שָׁלוֹם ที่ เ́')).toBe('ǟ שָׁלוֹם ที่ เ́');
  });
  it('leaves markup as it is', () => {
    expect(clean('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>');
  });
  it('keeps joined emoji, and mends halves of pairs', () => {
    expect(clean('👩‍⚕️ \ud83d')).toBe('👩‍⚕️ \ufffd');
  });
  it('is done soon with 64 kB of anything', () => {
    const before = performance.now();
    for (const s of ['\u0301', '\n', '\u202e', 'a\u0301', '\ud800', ' ']) clean(s.repeat(65_536));
    expect(performance.now() - before).toBeLessThan(500);
  });
});

describe('line', () => {
  it('is one line, cut between letters', () => {
    expect(line('a\nb  c')).toBe('a b c');
    expect(line('😀'.repeat(10), 3)).toBe('😀😀😀…');
  });
});

describe('beginning', () => {
  it('says whether it was cut', () => {
    expect(beginning('abc')).toEqual({ short: 'abc', cut: false });
    expect(beginning('a\n'.repeat(100)).cut).toBe(true);
    expect(beginning('a'.repeat(5000)).short).toHaveLength(1200);
  });
});
