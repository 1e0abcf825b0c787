/** The certificate for the names that people type: how it stands, what is asked, what is brought. What is in a file the box reads. */

import type { WebCertificate, WebCertificateInUse } from '../../gen/wardline_pb.js';
import { toHex } from '../bytes.ts';
import { momentOf } from '../ids.ts';
import type { At } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';
import { answer, type Asks } from './asking.ts';

/** What the box takes of one file, in bytes. */
export const PEM_MAX = 16_000;
/** What this app reads of one: what is around the certificates in it is left out. */
export const FILE_MAX = 256 * 1024;
export const NAMES_MAX = 8;

/** What a certificate says. */
export interface Read {
  readonly names: readonly string[];
  readonly issuer: string;
  readonly from: At;
  readonly until: At;
  /** 64 hexadecimal digits, small. */
  readonly sha256: string;
}

export interface InUse extends Read {
  readonly hasKey: boolean;
  readonly isServed: boolean;
}

export interface Waiting {
  readonly names: readonly string[];
  /** For the certificate authority. */
  readonly pem: string;
}

export interface Certificate {
  readonly inUse: InUse | null;
  readonly waiting: Waiting | null;
  /** Of the box's own certificate. */
  readonly ownNames: readonly string[];
  /** The box's clock. */
  readonly at: At;
}

export async function askCertificate(asks: Asks): Promise<Certificate> {
  return certificateOf(await answer(asks, { case: 'askWebCertificate', value: {} }, 'webCertificate'));
}

export async function requestCertificate(asks: Asks, names: readonly string[]): Promise<Waiting> {
  const told = await answer(asks, { case: 'requestWebCertificate', value: { names: [...names] } }, 'webCertificateRequest');
  return { names: told.names.map((name) => cleanLine(name)), pem: told.pem };
}

/** What the box reads in it, and would take; nothing changes. */
export async function readCertificate(asks: Asks, pem: string): Promise<Read | null> {
  const told = await answer(asks, { case: 'importWebCertificate', value: { pem, onlyLook: true } }, 'webCertificate');
  return told.read === undefined ? null : inUseOf(told.read);
}

export async function importCertificate(asks: Asks, pem: string): Promise<Certificate> {
  return certificateOf(await answer(asks, { case: 'importWebCertificate', value: { pem } }, 'webCertificate'));
}

export async function dropCertificate(asks: Asks): Promise<Certificate> {
  return certificateOf(await answer(asks, { case: 'dropWebCertificate', value: {} }, 'webCertificate'));
}

function certificateOf(told: WebCertificate): Certificate {
  return {
    inUse: told.inUse === undefined ? null : inUseOf(told.inUse),
    waiting: told.waiting === undefined ? null : { names: told.waiting.names.map((name) => cleanLine(name)), pem: told.waiting.pem },
    ownNames: told.ownNames.map((name) => cleanLine(name)),
    at: momentOf(told.at),
  };
}

function inUseOf(told: WebCertificateInUse): InUse {
  return {
    names: told.names.map((name) => cleanLine(name)),
    issuer: cleanLine(told.issuer),
    from: momentOf(told.notBefore),
    until: momentOf(told.notAfter),
    sha256: toHex(told.sha256),
    hasKey: told.hasKey,
    isServed: told.served,
  };
}

const DAY = 86_400_000;

/** How a certificate stands: the words of each say what to do. */
export type Standing = 'good' | 'month' | 'fortnight' | 'days' | 'ended' | 'early' | 'keyless';

export function standing(of: InUse, at: At): Standing {
  if (!of.hasKey) return 'keyless';
  if (at < of.from) return 'early';
  const left = of.until - at;
  if (left < 0) return 'ended';
  return left < 3 * DAY ? 'days' : left < 14 * DAY ? 'fortnight' : left < 30 * DAY ? 'month' : 'good';
}

export function daysLeft(of: Read, at: At): number {
  return Math.max(0, Math.floor((of.until - at) / DAY));
}

/** The names that somebody typed, one on each line or with commas between. `null`: one of them is none, or there are too many. */
export function parseNames(text: string): readonly string[] | null {
  const said = text.split(/[\s,;]+/).filter((name) => name !== '');
  // Whoever copies it from a browser has more than the name.
  const names = said.map((name) => name.replace(/^https?:\/\//i, '').replace(/[/:].*$/, '').replace(/\.$/, '').toLowerCase());
  const different = [...new Set(names)];
  return different.length > 0 && different.length <= NAMES_MAX && different.every(isName) ? different : null;
}

function isName(name: string): boolean {
  const labels = name.split('.');
  const good = labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  return good && labels.length > 1 && name.length <= 253 && !/^\d+$/.test(labels.at(-1) ?? '');
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g;

/**
 * What a file brings: text as it is; one certificate in DER as PEM. What stands around the blocks is left out. A private key is not taken
 * off this device: only that there is one is said to the box, which refuses it in its own words.
 */
export function pemOf(bytes: Uint8Array): string {
  // In DER; what is longer is no certificate that the box takes.
  if (bytes[0] === 0x30 && bytes.length <= PEM_MAX) return block('CERTIFICATE', bytes);
  const text = new TextDecoder('utf-8').decode(bytes);
  return tidy(text);
}

export function tidy(text: string): string {
  const blocks = [...text.matchAll(BLOCK)].map(([whole, label = '']) => (label.includes('PRIVATE KEY') ? `-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----` : whole));
  return blocks.length === 0 ? text.trim() : `${blocks.join('\n')}\n`;
}

function block(label: string, bytes: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...bytes)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
