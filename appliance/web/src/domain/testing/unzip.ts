/** Reads an archive of stored files by its directory, as any program does: for tests. Throws where its parts contradict each other. */

import { crc32 } from '../export/zip.ts';

export function unpack(zip: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.length);
  const end = zip.length - 22;
  if (view.getUint32(end, true) !== 0x06_05_4b_50) throw new Error('no end of an archive');
  const files = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
    if (view.getUint32(at, true) !== 0x02_01_4b_50) throw new Error('no entry of its directory');
    const [method, crc, size, length] = [view.getUint16(at + 10, true), view.getUint32(at + 16, true), view.getUint32(at + 24, true), view.getUint16(at + 28, true)];
    const begins = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(zip.subarray(at + 46, at + 46 + length));
    if (method !== 0 || view.getUint32(begins, true) !== 0x04_03_4b_50) throw new Error(`${name} is not where it should be`);
    const from = begins + 30 + view.getUint16(begins + 26, true) + view.getUint16(begins + 28, true);
    const bytes = zip.slice(from, from + size);
    if (crc32([bytes]) !== crc) throw new Error(`${name} is another`);
    files.set(name, bytes);
    at += 46 + length;
  }
  return files;
}
