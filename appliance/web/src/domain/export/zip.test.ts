import { describe, expect, it } from 'vitest';
import { ascii, concat } from '../bytes.ts';
import { unpack } from '../testing/unzip.ts';
import { crc32, Zip } from './zip.ts';

describe('an archive', () => {
  it('has the checksum that everybody has', () => {
    expect(crc32([ascii('12345'), ascii('6789')]).toString(16)).toBe('cbf43926');
    expect(crc32([])).toBe(0);
  });
  it('gives back what was put into it, file by file', () => {
    const zip = new Zip();
    const at = new Date(Date.UTC(2026, 10, 28, 21, 40, 2));
    zip.add('a/one.txt', [ascii('on'), ascii('e')], at);
    zip.add('a/none.txt', [], at);
    const whole = concat(zip.finish());
    const files = unpack(whole);
    expect([...files.keys()]).toEqual(['a/one.txt', 'a/none.txt']);
    expect(new TextDecoder().decode(files.get('a/one.txt'))).toBe('one');
    expect(files.get('a/none.txt')).toHaveLength(0);
  });
  it('is not read when a byte of it is another', () => {
    const zip = new Zip();
    zip.add('a/one.txt', [ascii('one')], new Date(0));
    const whole = concat(zip.finish());
    const at = whole.indexOf(ascii('o')[0] ?? 0, 38);
    whole[at] = 0x4f;
    expect(() => unpack(whole)).toThrow();
  });
});
