/**
 * A ZIP archive of files as they are, uncompressed: photos and recordings are compressed already, and texts are small beside them. Pure: the
 * parts are what a file on the disk is made of.
 */

import { type Bytes, concat } from '../bytes.ts';

/** An archive without ZIP64 has so many files, at most, and ends before 4 GiB. */
export const ZIP_FILES_MAX = 65_535;

const TABLE = Uint32Array.from({ length: 256 }, (_, number) => {
  let value = number;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xed_b8_83_20 : value >>> 1;
  return value;
});

/** CRC-32 of all parts, one behind the other. */
export function crc32(parts: readonly Uint8Array[]): number {
  let crc = 0xff_ff_ff_ff;
  for (const part of parts) for (const byte of part) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xff_ff_ff_ff) >>> 0;
}

export class Zip {
  readonly parts: Bytes[] = [];
  readonly #directory: Bytes[] = [];
  #size = 0;

  /** `path` is ours, and ASCII. */
  add(path: string, parts: readonly Bytes[], at: Date): void {
    const name = new TextEncoder().encode(path);
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    // Version 2.0, nothing special, stored.
    const about = concat([u16(20), u16(0), u16(0), moment(at), u32(crc32(parts)), u32(size), u32(size), u16(name.length), u16(0)]);
    this.#directory.push(concat([u32(0x02_01_4b_50), u16(20), about, u16(0), u16(0), u16(0), u32(0), u32(this.#size), name]));
    this.#push(concat([u32(0x04_03_4b_50), about, name]), ...parts);
  }

  finish(): readonly Bytes[] {
    const [begins, count] = [this.#size, this.#directory.length];
    this.#push(...this.#directory);
    this.#push(concat([u32(0x06_05_4b_50), u16(0), u16(0), u16(count), u16(count), u32(this.#size - begins), u32(begins), u16(0)]));
    return this.parts;
  }

  #push(...parts: readonly Bytes[]): void {
    for (const part of parts) {
      this.parts.push(part);
      this.#size += part.length;
    }
  }
}

/** Time and day as MS-DOS had them; UTC, as everything in a record. */
function moment(at: Date): Bytes {
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  const day = ((Math.min(Math.max(at.getUTCFullYear(), 1980), 2107) - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  return concat([u16(time), u16(day)]);
}

function u16(value: number): Bytes {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

function u32(value: number): Bytes {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}
