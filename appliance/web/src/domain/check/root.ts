/** What the box says of the facility root, for whoever is to trust it by hand: `/trust/root.json`. It proves nothing by itself. */

import { cleanLine } from '../texts.ts';

export interface Root {
  /** 64 hexadecimal digits, small. */
  readonly sha256: string;
  /** The facility's name; may be empty. */
  readonly facility: string;
  /** This page came by a certificate that was imported for the name in the address, rather than by the facility's. */
  readonly isNamed: boolean;
}

/** `null`: this is none. */
export function parseRoot(json: string): Root | null {
  let read: unknown;
  try {
    read = JSON.parse(json);
  } catch {
    return null;
  }
  if (typeof read !== 'object' || read === null) return null;
  const { sha256, facility, named }: { sha256?: unknown; facility?: unknown; named?: unknown } = read;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256)) return null;
  return { sha256: sha256.toLowerCase(), facility: typeof facility === 'string' ? cleanLine(facility) : '', isNamed: named === true };
}

/** As devices show it, pair by pair, in four rows of eight to be compared with a finger on each. */
export function fingerprint(sha256: string): string[] {
  return (sha256.toUpperCase().match(/.{16}/g) ?? []).map((row) => (row.match(/../g) ?? []).join(' '));
}
