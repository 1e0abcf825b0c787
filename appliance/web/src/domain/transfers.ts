/**
 * A file on its way (README.md, section 16): what is asked for on its stream, and what comes. Pure: the bytes are the edge's.
 *
 * It refuses a file that is longer or shorter than its message says; whether it is the right one, its SHA-256 says, before
 * anything of it is shown.
 */

import { fromBinary, toBinary, create } from '@bufbuild/protobuf';

import { MediaType, type Refused, TransferHeadSchema, TransferRequestSchema, TransferTailSchema } from '../gen/wardline_pb.js';
import { type Bytes, concat, utf8Length } from './bytes.ts';
import { declinedOf, ownRefusal, refusalOf } from './refusals.ts';
import type { FileKind, Refusal } from './snapshot.ts';

/** A frame of the box on such a stream: a refusal with its advice. */
const FRAME_MAX = 4_096;
/** The largest file that a box may take: 64 MiB, all of it in memory while it is shown or sent. */
export const FILE_MAX = 67_108_864;
/** The small picture that goes ahead of one. */
export const THUMBNAIL_MAX = 10_240;
/** Of one message. */
export const FILES_MAX = 8;
export const FILE_NAME_MAX = 120;

/** A frame with its length. */
function framed(bytes: Uint8Array): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat([length, bytes]);
}

/** The first frame of a file's stream; `session` is empty where the stream is the session's own. */
export function transferRequest(request: number, offset: number, session: Uint8Array): Bytes {
  const asked = create(TransferRequestSchema, { request: BigInt(request), offset: BigInt(offset), session });
  return framed(toBinary(TransferRequestSchema, asked));
}

/** What the box answers first: from which byte on, or why not. `null`: no answer of a box's. */
export function parseHead(bytes: Uint8Array): { readonly offset: number } | { readonly refused: Refusal } | null {
  try {
    const head = fromBinary(TransferHeadSchema, bytes);
    if (head.refused !== undefined) return { refused: refusalText(head.refused) };
    return head.open && head.offset <= BigInt(FILE_MAX) ? { offset: Number(head.offset) } : null;
  } catch {
    return null;
  }
}

/** Its last word on what it was sent. */
export function parseTail(bytes: Uint8Array): { readonly whole: true } | { readonly refused: Refusal } | null {
  try {
    const tail = fromBinary(TransferTailSchema, bytes);
    if (tail.refused !== undefined) return { refused: refusalText(tail.refused) };
    return tail.whole ? { whole: true } : null;
  } catch {
    return null;
  }
}

function refusalText(refused: Refused): Refusal {
  return refusalOf(declinedOf(refused));
}

/** A stream's bytes: frames first, then the file's own. Holds what came behind a frame. */
export class TransferReader {
  readonly #next: () => Promise<Uint8Array | null>;
  #held: Uint8Array = new Uint8Array(0);

  /** `next`: the bytes that come next, `null` at the end. */
  constructor(next: () => Promise<Uint8Array | null>) {
    this.#next = next;
  }

  /** `null`: the stream ended, or what comes is no frame. */
  async frame(): Promise<Uint8Array | null> {
    if (!(await this.#fill(4))) return null;
    const length = new DataView(this.#held.buffer, this.#held.byteOffset).getUint32(0);
    if (length === 0 || length > FRAME_MAX || !(await this.#fill(4 + length))) return null;
    const frame = this.#held.subarray(4, 4 + length);
    this.#held = this.#held.subarray(4 + length);
    return frame;
  }

  /** What comes next of the file; `null`: no more. */
  async bytes(): Promise<Uint8Array | null> {
    if (this.#held.length === 0) return this.#next();
    const held = this.#held;
    this.#held = new Uint8Array(0);
    return held;
  }

  async #fill(length: number): Promise<boolean> {
    while (this.#held.length < length) {
      const more = await this.#next();
      if (more === null) return false;
      this.#held = concat([this.#held, more]);
    }
    return true;
  }
}

/** What a file is, by its first bytes, as the box looks at them; `null`: none that a box takes. An SVG is none. */
export function mediaOf(head: Uint8Array): MediaType | null {
  const text = Array.from(head.subarray(0, 16), (byte) => String.fromCharCode(byte)).join('');
  const is = (at: number, what: string): boolean => text.startsWith(what, at);
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return MediaType.JPEG;
  if (is(0, '\x89PNG\r\n\x1a\n')) return MediaType.PNG;
  if (is(0, 'RIFF') && is(8, 'WEBP')) return MediaType.WEBP;
  if (is(0, 'RIFF') && is(8, 'WAVE')) return MediaType.WAV;
  if (is(0, '%PDF-')) return MediaType.PDF;
  if (is(0, 'OggS')) return MediaType.OGG;
  if (is(0, '\x1a\x45\xdf\xa3')) return MediaType.WEBM;
  if (!is(4, 'ftyp')) return null;
  if (['heic', 'heix', 'mif1', 'heim', 'heis'].some((brand) => is(8, brand))) return MediaType.HEIC;
  return ['M4A ', 'mp42', 'isom', 'mp41', 'iso2', 'iso5', 'iso6'].some((brand) => is(8, brand)) ? MediaType.M4A : null;
}

/** What a person sees of it. */
export function kindOf(media: MediaType): FileKind {
  if (media === MediaType.PDF) return 'pdf';
  return media >= MediaType.OGG ? 'audio' : 'photo';
}

/** What the browser is told that it is, whatever its name says: of these it runs none. `null`: not to be shown. */
export function typeOf(head: Uint8Array): string | null {
  const types: Partial<Record<MediaType, string>> = {
    [MediaType.JPEG]: 'image/jpeg',
    [MediaType.PNG]: 'image/png',
    [MediaType.WEBP]: 'image/webp',
    [MediaType.HEIC]: 'image/heic',
    [MediaType.PDF]: 'application/pdf',
    [MediaType.OGG]: 'audio/ogg',
    [MediaType.WEBM]: 'audio/webm',
    [MediaType.M4A]: 'audio/mp4',
    [MediaType.WAV]: 'audio/wav',
  };
  const media = mediaOf(head);
  return media === null ? null : (types[media] ?? null);
}

/** A name that the box takes: without control characters, cut to its bound. */
export function fileName(name: string): string {
  const letters = Array.from(name.replace(/[\u0000-\u001f\u007f-\u009f]/g, '').trim());
  while (utf8Length(letters.join('')) > FILE_NAME_MAX) letters.pop();
  return letters.length === 0 ? 'file' : letters.join('');
}

/** Refused before anything is sent. */
export function judgeFile(head: Uint8Array, length: number): MediaType | Refusal {
  const media = mediaOf(head);
  if (length === 0 || media === null) return ownRefusal('ATTACHMENT_MISTYPED');
  return length > FILE_MAX ? ownRefusal('ATTACHMENT_TOO_LARGE') : media;
}

/** A picture's size with its longest side at most that long; never enlarged, and never nothing. */
export function fitted(width: number, height: number, longest: number): { readonly width: number; readonly height: number } {
  const scale = Math.min(1, longest / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
