import { describe, expect, it } from 'vitest';
import { normaliseCode, retype, showCode } from './code.ts';

describe('join codes', () => {
  it('reads what looks like digits as digits', () => {
    expect(normaliseCode('ab-oil 9z')).toBe('AB0119Z');
    expect(normaliseCode('  0123456789ABC ')).toBe('0123456789');
  });
  it('shows two groups of five', () => {
    expect(showCode('ABCDE')).toBe('ABCDE');
    expect(showCode('ABCDE1')).toBe('ABCDE 1');
  });
  it('keeps the caret where it was typed', () => {
    expect(retype('abcdef', 6)).toEqual({ text: 'ABCDE F', caret: 7 });
    expect(retype('abxcde f', 3)).toEqual({ text: 'ABXCD EF', caret: 3 });
  });
});
