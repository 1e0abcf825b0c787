/** What the browser does for an export: hashes, signatures, files of the record, and the wait before another try. Nothing of it is kept. */

import { type Bytes, fromHex } from '../domain/bytes.ts';
import type { ExportEdge } from '../domain/export/exporting.ts';
import type { FileOf } from '../domain/export/record.ts';
import type { Ask } from '../domain/frames.ts';
import type { Refusal } from '../domain/snapshot.ts';
import { root } from './probes.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;

export class BrowserExport implements ExportEdge {
  readonly file: (ask: Ask, file: FileOf, stop: AbortSignal) => Promise<Bytes | Refusal>;

  constructor(file: BrowserExport['file']) {
    this.file = file;
  }

  async facility(): ReturnType<ExportEdge['facility']> {
    const said = await root();
    const sha256 = said === null ? null : fromHex(said.sha256);
    return said === null || sha256 === null ? null : { name: said.facility, root: sha256 };
  }

  async sha256(bytes: Bytes): Promise<Bytes> {
    return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  }

  async isSignedBy(key: Bytes, signature: Bytes, bytes: Bytes): Promise<boolean> {
    try {
      const point = await crypto.subtle.importKey('raw', key, CURVE, false, ['verify']);
      return await crypto.subtle.verify({ ...CURVE, hash: 'SHA-256' }, point, signature, bytes);
    } catch {
      // No point of the curve: nobody can have signed by it.
      return false;
    }
  }

  pause(seconds: number, stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      stop.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
