/** Keys that never leave the browser, hashes and signatures: WebCrypto. */

import { concat, type Bytes } from '../domain/bytes.ts';
import type { ToSeal } from '../domain/composing.ts';
import {
  bedsidePreimage,
  codePreimage,
  filesPreimage,
  leafPreimage,
  type DeviceKey,
  deviceKeyOf,
  type Hash,
  hashOf,
  type JoinCode,
  originPreimage,
  type Signature,
  signatureOf,
} from '../domain/proofs.ts';
import type { Hashed } from '../domain/talk/talk.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** A device's key: a script can sign with it and never read it. */
export interface SigningKey {
  readonly secret: CryptoKey;
  readonly point: DeviceKey;
}

/** What this browser gave is not what WebCrypto says it gives. */
export class KeyFault extends Error {
  override readonly name = 'KeyFault';
}

export async function makeSigningKey(): Promise<SigningKey> {
  const pair = await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify']);
  const point = deviceKeyOf(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)));
  if (point === null) throw new KeyFault('a point');
  return { secret: pair.privateKey, point };
}

export async function sign(key: SigningKey, bytes: Bytes): Promise<Signature> {
  const signature = signatureOf(new Uint8Array(await crypto.subtle.sign(SIGNING, key.secret, bytes)));
  if (signature === null) throw new KeyFault('a signature');
  return signature;
}

/** What takes the exporter's place where the connection is a WebSocket of this page; `origin` as the browser writes it. */
export function originBinding(origin: string): Promise<Hash> {
  return sha256(originPreimage(origin));
}

/** The same where it is a WebTransport session with this leaf. */
export function leafBinding(origin: string, leaf: Hash): Promise<Hash> {
  return sha256(leafPreimage(origin, leaf));
}

/** What a file on a socket of its own names its session by. */
export function filesName(challenge: Hash): Promise<Hash> {
  return sha256(filesPreimage(challenge));
}

export function codeHash(code: JoinCode, isBedside: boolean): Promise<Hash> {
  return sha256((isBedside ? bedsidePreimage : codePreimage)(code));
}

/** What is signed, with the SHA-256 of a text in its place. */
export async function withHash(bytes: Bytes, { at, text }: Hashed): Promise<Bytes> {
  const whole = bytes.slice();
  whole.set(await sha256(new TextEncoder().encode(text)), at);
  return whole;
}

async function sha256(bytes: Bytes): Promise<Hash> {
  const hash = hashOf(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
  if (hash === null) throw new KeyFault('a hash');
  return hash;
}

/** What was composed, for the box alone (README.md, section 5); `nonce` is a test's: drawn otherwise. */
export async function sealComposed({ key, context, plain }: Pick<ToSeal, 'key' | 'context' | 'plain'>, nonce: Bytes = crypto.getRandomValues(new Uint8Array(12))): Promise<Bytes> {
  const lease = await crypto.subtle.importKey('raw', key, 'HKDF', false, ['deriveKey']);
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: context };
  const own = await crypto.subtle.deriveKey(derivation, lease, { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: context }, own, plain);
  return concat([nonce, new Uint8Array(sealed)]);
}

/** Seals what is on the disk, each bound to what it is. */
export class Sealing {
  readonly #key: CryptoKey;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** By a key that came from the box. */
  static async under(key: Bytes): Promise<Sealing> {
    return new Sealing(await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']));
  }

  /** A random one that no script can read. */
  static makeKey(): Promise<CryptoKey> {
    return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  }

  /** 12 random bytes, then the ciphertext: 2^32 of them may be sealed under one key, and a device composes thousands. */
  async seal(what: string, plain: string): Promise<Bytes> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt(this.#algorithm(iv, what), this.#key, new TextEncoder().encode(plain));
    return concat([iv, new Uint8Array(sealed)]);
  }

  /** Rejects what was not sealed as this under this key. */
  async open(what: string, sealed: Bytes): Promise<string> {
    const plain = await crypto.subtle.decrypt(this.#algorithm(sealed.slice(0, 12), what), this.#key, sealed.slice(12));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
  }

  #algorithm(iv: Bytes, what: string): AesGcmParams {
    return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(what) };
  }
}
