/**
 * What a device signs (README.md, sections 3 and 20), as bytes. The signing itself, and every hash, is the edge's.
 *
 * Where a connection has no TLS exporter, its place is taken by 32 bytes that bind the proof to the page's origin
 * ({@link originPreimage}): a proof that another site obtained is worth nothing here.
 */

import { ascii, bigEndian64, concat, type Bytes } from './bytes.ts';
import { type ConversationId, type DeviceId, type Sequence, wireId, wireSequence } from './ids.ts';
import { JOIN_CODE_CHARACTERS } from './limits.ts';

declare const sort: unique symbol;
/** Ten characters of Crockford's base 32, as the box knows the code. */
export type JoinCode = string & { readonly [sort]: 'code' };
/** 32 bytes. */
export type Hash = Bytes & { readonly [sort]: 'hash' };
/** An uncompressed SEC 1 point: 04, x, y. 65 bytes. */
export type DeviceKey = Bytes & { readonly [sort]: 'key' };
/** ECDSA on P-256, r and s: 64 bytes. */
export type Signature = Bytes & { readonly [sort]: 'signature' };

/** What a {@link Hash} is of 32 bytes; `null` for another length. */
export function hashOf(bytes: Uint8Array): Hash | null {
  return bytes.length === 32 ? (Uint8Array.from(bytes) as Hash) : null;
}

export function deviceKeyOf(bytes: Uint8Array): DeviceKey | null {
  return bytes.length === 65 && bytes[0] === 4 ? (Uint8Array.from(bytes) as DeviceKey) : null;
}

export function signatureOf(bytes: Uint8Array): Signature | null {
  return bytes.length === 64 ? (Uint8Array.from(bytes) as Signature) : null;
}

/** A code as typed or scanned: any case, O for 0, I and L for 1, dashes and blanks anywhere. `null`: it is none. */
export function parseJoinCode(typed: string): JoinCode | null {
  const plain = typed.toUpperCase().replace(/[-\u2010-\u2015\p{White_Space}]/gu, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  const isCode = plain.length === JOIN_CODE_CHARACTERS && /^[0-9A-HJKMNP-TV-Z]*$/.test(plain);
  return isCode ? (plain as JoinCode) : null;
}

/** What the code hash is SHA-256 of. */
export function codePreimage(code: JoinCode): Bytes {
  return concat([ascii('wardline/1 code\0'), ascii(code)]);
}

/** What the code hash of a code that hangs at a bed is SHA-256 of. */
export function bedsidePreimage(code: JoinCode): Bytes {
  return concat([ascii('wardline/1 bedside\0'), ascii(code)]);
}

/** What the binding of a WebSocket is SHA-256 of; `origin` as the browser writes it: "https://box.example:8443". */
export function originPreimage(origin: string): Bytes {
  return concat([ascii('wardline/1 origin\0'), ascii(origin)]);
}

/** The same of WebTransport, where the page knows which leaf it met: the browser was offered no other's hash. */
export function leafPreimage(origin: string, leaf: Hash): Bytes {
  return concat([ascii('wardline/1 origin+leaf\0'), ascii(origin), Uint8Array.of(0), leaf]);
}

/** What a session's files name it by, on a socket of their own, is SHA-256 of. */
export function filesPreimage(challenge: Hash): Bytes {
  return concat([ascii('wardline/1 files\0'), challenge]);
}

/** What the proof of a known device is a signature of. */
export function signInBytes(challenge: Hash, binding: Hash, device: DeviceId): Bytes {
  return concat([ascii('wardline/1 sign-in\0'), challenge, binding, bigEndian64(wireId(device))]);
}

/** What the proof of a joining device is a signature of. */
export function joinBytes(challenge: Hash, binding: Hash, code: Hash, key: DeviceKey): Bytes {
  return concat([ascii('wardline/1 join\0'), challenge, binding, code, key]);
}

/** What the proof of a device that asks to be let in at a bed is a signature of. */
export function visitBytes(challenge: Hash, binding: Hash, code: Hash, key: DeviceKey): Bytes {
  return concat([ascii('wardline/1 visit\0'), challenge, binding, code, key]);
}

/** What is said about a STAT, as it is signed. Times are milliseconds since 1970, by the device's clock. */
export type Said =
  | { readonly say: 'accept' }
  | { readonly say: 'decline'; /** A `DeclineReason`. */ readonly reason: number }
  | {
      readonly say: 'callNote';
      readonly called: number | bigint;
      readonly readBack: boolean;
      /** Somebody of the directory; 0n: nobody. */
      readonly reached: bigint;
      readonly role: string;
      readonly name: string;
    };

export interface Answer {
  /** SHA-256 of the facility root's certificate. */
  readonly facility: Hash;
  readonly device: DeviceId;
  readonly conversation: ConversationId;
  readonly sequence: Sequence;
  readonly at: number | bigint;
  readonly said: Said;
}

/** What a signed answer to a STAT is a signature of. */
export function answerBytes(answer: Answer): Bytes {
  return concat([
    ascii('wardline/1 stat answer\0'),
    answer.facility,
    bigEndian64(wireId(answer.device)),
    bigEndian64(wireId(answer.conversation)),
    bigEndian64(wireSequence(answer.sequence)),
    bigEndian64(BigInt(answer.at)),
    saidBytes(answer.said),
  ]);
}

function saidBytes(said: Said): Bytes {
  switch (said.say) {
    case 'accept':
      return Uint8Array.of(1);
    case 'decline':
      return Uint8Array.of(2, said.reason);
    case 'callNote':
      return concat([
        Uint8Array.of(3),
        bigEndian64(BigInt(said.called)),
        Uint8Array.of(said.readBack ? 1 : 0),
        bigEndian64(said.reached),
        sized(said.role.trim()),
        sized(said.name.trim()),
      ]);
  }
}

/** UTF-8 behind its size, 2 bytes big-endian. */
function sized(text: string): Bytes {
  const bytes = new TextEncoder().encode(text);
  return concat([Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}
