import { describe, expect, it } from 'vitest';

import { fingerprint, parseRoot } from './root.ts';

const SHA = '0123456789abcdef'.repeat(4);

describe('the facility root', () => {
  it('is what the box says of it', () => {
    expect(parseRoot(JSON.stringify({ sha256: SHA.toUpperCase(), facility: 'Lindenhof', more: 1 }))).toEqual({ sha256: SHA, facility: 'Lindenhof', isNamed: false });
    expect(parseRoot(JSON.stringify({ sha256: SHA }))).toEqual({ sha256: SHA, facility: '', isNamed: false });
    expect(parseRoot(JSON.stringify({ sha256: SHA, named: true }))?.isNamed).toBe(true);
  });

  it('is nothing else', () => {
    const bad = ['', '<!doctype html>', 'null', '[]', '"x"', '{}', JSON.stringify({ sha256: SHA.slice(1) }), JSON.stringify({ sha256: `${SHA}0` }), JSON.stringify({ sha256: 7 }), JSON.stringify({ sha256: SHA.replace('0', 'g') })];
    for (const json of bad) expect(parseRoot(json)).toBeNull();
  });

  it('has a name that turns no line around', () => {
    expect(parseRoot(JSON.stringify({ sha256: SHA, facility: '\u202eLinden\u0000hof' }))?.facility).not.toMatch(/[\u202e\u0000]/);
  });

  it('is shown in rows of eight pairs', () => {
    expect(fingerprint(SHA)).toEqual(Array.from({ length: 4 }, () => '01 23 45 67 89 AB CD EF'));
  });
});
