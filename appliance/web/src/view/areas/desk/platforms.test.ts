import { describe, expect, it } from 'vitest';

import { trustPlatform } from './platforms.ts';

describe('where a certificate is taken in', () => {
  it('is told by what the browser says of itself', () => {
    expect(trustPlatform('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)', 5)).toBe('apple');
    expect(trustPlatform('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari', 5)).toBe('apple');
    expect(trustPlatform('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari', 0)).toBe('mac');
    expect(trustPlatform('Mozilla/5.0 (Linux; Android 15) Chrome/130', 5)).toBe('android');
    expect(trustPlatform('Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 0)).toBe('firefox');
    expect(trustPlatform('Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130', 0)).toBe('windows');
  });
});
