import { describe, expect, it } from 'vitest';

import { asideOf } from './asides.ts';

describe('an address of its own', () => {
  it('is one of a few; every other is the app', () => {
    expect(['/check', '/check/', '/trust'].map(asideOf)).toEqual(['/check', '/check', '/trust']);
    for (const path of ['/', '', '/checks', '/check/x', '//check', '/constructor', '/join']) expect(asideOf(path)).toBeNull();
  });
});
