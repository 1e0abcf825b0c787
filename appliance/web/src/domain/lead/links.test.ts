import { describe, expect, it } from 'vitest';
import { linkOf, readAddress, readLink } from './links.ts';

const ORIGIN = 'https://box.example:8443';

describe('a code that was scanned', () => {
  it('is read out of what this box shows', () => {
    for (const to of ['join', 'visit'] as const) expect(readLink(linkOf(ORIGIN, to, 'ABCDEFGHJK'), ORIGIN)).toEqual({ to, code: 'ABCDEFGHJK' });
  });
  it('is read out of what the terminal program prints, and as it is typed', () => {
    expect(readLink('wardline://10.0.0.1:4433/visit?code=ABCDE-FGHJK&root=x_-y', ORIGIN)).toEqual({ to: 'visit', code: 'ABCDEFGHJK' });
    expect(readLink(' abcde fghjk ', ORIGIN)).toEqual({ to: 'join', code: 'ABCDEFGHJK' });
  });
  it('of another box is not for this one', () => {
    expect(readLink(linkOf('https://other.example', 'join', 'ABCDEFGHJK'), ORIGIN)).toBe('elsewhere');
    expect(readLink(linkOf('https://box.example:8444', 'join', 'ABCDEFGHJK'), ORIGIN)).toBe('elsewhere');
  });
  it('is nothing else', () => {
    for (const text of ['', 'hello', 'https://box.example:8443/', `${ORIGIN}/#join?code=ABC`, `javascript:alert(1)//#join?code=ABCDEFGHJK`, `${ORIGIN}/#drop?code=ABCDEFGHJK`, 'x'.repeat(2_000)]) {
      expect(readLink(text, ORIGIN)).toBeNull();
    }
  });
});

describe('the address of the page', () => {
  it('may have a code, best behind the #', () => {
    expect(readAddress('#visit?code=ABCDEFGHJK', '')).toEqual({ to: 'visit', code: 'ABCDEFGHJK' });
    expect(readAddress('#join?code=ABCDE-FGHJK', '')).toEqual({ to: 'join', code: 'ABCDEFGHJK' });
    expect(readAddress('#code=ABCDEFGHJK', '')).toEqual({ to: 'join', code: 'ABCDEFGHJK' });
    expect(readAddress('', '?code=ABCDEFGHJK')).toEqual({ to: 'join', code: 'ABCDEFGHJK' });
  });
  it('mostly has none', () => {
    for (const [hash, search] of [['', ''], ['#join', ''], ['#visit?code=ABC', '?x=1']] as const) expect(readAddress(hash, search)).toBeNull();
  });
});
