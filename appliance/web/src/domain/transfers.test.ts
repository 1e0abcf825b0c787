import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { MediaType, RefusalCode, TransferHeadSchema, TransferRequestSchema, TransferTailSchema } from '../gen/wardline_pb.js';
import { ascii, concat, toHex } from './bytes.ts';
import { isRefusal } from './refusals.ts';
import { FILE_MAX, fileName, fitted, judgeFile, kindOf, mediaOf, parseHead, parseTail, TransferReader, transferRequest, typeOf } from './transfers.ts';

/** Says these, one after the other, then its end. */
function says(...parts: readonly Uint8Array[]): () => Promise<Uint8Array | null> {
  const rest = [...parts];
  return async () => rest.shift() ?? null;
}
const bytesOf = (...bytes: number[]) => Uint8Array.from(bytes);
const latin = (text: string) => Uint8Array.from(text, (one) => one.charCodeAt(0));

describe('the first frame', () => {
  it('names the request, from which byte on, and the session', () => {
    const bytes = transferRequest(7, 131_072, bytesOf(1, 2));
    expect(new DataView(bytes.buffer).getUint32(0)).toBe(bytes.length - 4);
    expect(fromBinary(TransferRequestSchema, bytes.subarray(4))).toMatchObject({ request: 7n, offset: 131_072n, session: bytesOf(1, 2) });
  });
});

describe('what the box says', () => {
  it('is from where on, or why not', () => {
    const head = (value: object) => toBinary(TransferHeadSchema, create(TransferHeadSchema, value));
    expect(parseHead(head({ open: true, offset: 9n }))).toEqual({ offset: 9 });
    expect(parseHead(head({ refused: { code: RefusalCode.NO_SUCH_ATTACHMENT, advice: 'gone\u202e' } }))).toEqual({ refused: { code: 'NO_SUCH_ATTACHMENT', advice: 'gone' } });
    expect(parseHead(head({ offset: 9n }))).toBeNull();
    expect(parseHead(head({ open: true, offset: BigInt(FILE_MAX) + 1n }))).toBeNull();
    expect(parseHead(bytesOf(0xff, 0xff))).toBeNull();
  });

  it('is that all is there, or why not', () => {
    const tail = (value: object) => toBinary(TransferTailSchema, create(TransferTailSchema, value));
    expect(parseTail(tail({ whole: true }))).toEqual({ whole: true });
    expect(parseTail(tail({ refused: { code: RefusalCode.UPLOAD_NOT_AS_SAID } }))).toMatchObject({ refused: { code: 'UPLOAD_NOT_AS_SAID' } });
    expect(parseTail(tail({}))).toBeNull();
    expect(parseTail(bytesOf(0x0a))).toBeNull();
  });
});

describe('the reader', () => {
  const whole = concat([bytesOf(0, 0, 0, 3, 1, 2, 3), ascii('the file')]);

  it('has frame and file, wherever the bytes were parted', async () => {
    for (let at = 0; at <= whole.length; at += 1) {
      const reader = new TransferReader(says(whole.subarray(0, at), whole.subarray(at)));
      expect(await reader.frame()).toEqual(bytesOf(1, 2, 3));
      const come: Uint8Array[] = [];
      for (let next = await reader.bytes(); next !== null; next = await reader.bytes()) come.push(next);
      expect(toHex(concat(come))).toBe(toHex(ascii('the file')));
    }
  });

  it('takes no frame that is cut, empty or large', async () => {
    for (const bytes of [bytesOf(), bytesOf(0, 0, 0), bytesOf(0, 0, 0, 3, 1, 2), bytesOf(0, 0, 0, 0, 1), bytesOf(0, 0, 0x10, 1), bytesOf(0xff, 0xff, 0xff, 0xff)]) {
      expect(await new TransferReader(says(bytes)).frame()).toBeNull();
    }
  });
});

describe('what a file is', () => {
  const KNOWN: readonly (readonly [string, MediaType, string, string])[] = [
    ['\xff\xd8\xff\xe0', MediaType.JPEG, 'image/jpeg', 'photo'],
    ['\x89PNG\r\n\x1a\n', MediaType.PNG, 'image/png', 'photo'],
    ['RIFF....WEBP', MediaType.WEBP, 'image/webp', 'photo'],
    ['....ftypheic', MediaType.HEIC, 'image/heic', 'photo'],
    ['%PDF-1.7', MediaType.PDF, 'application/pdf', 'pdf'],
    ['OggS', MediaType.OGG, 'audio/ogg', 'audio'],
    ['\x1a\x45\xdf\xa3', MediaType.WEBM, 'audio/webm', 'audio'],
    ['....ftypM4A ', MediaType.M4A, 'audio/mp4', 'audio'],
    ['RIFF....WAVE', MediaType.WAV, 'audio/wav', 'audio'],
  ];

  it('its first bytes say', () => {
    for (const [bytes, media, type, kind] of KNOWN) {
      expect([mediaOf(latin(bytes)), typeOf(latin(bytes)), kindOf(media)]).toEqual([media, type, kind]);
      expect(mediaOf(latin(`x${bytes}`)), bytes).toBeNull();
    }
  });

  it('never something that a browser would run', () => {
    for (const text of ['<svg xmlns=', '<?xml version="1.0"?><svg', '<!DOCTYPE html>', '<script>', 'GIF89a', 'MZ', 'PK\x03\x04', '', '\xff\xd8', '....ftypqt  ']) {
      expect([mediaOf(latin(text)), typeOf(latin(text))], text).toEqual([null, null]);
    }
  });

  it('is judged before it is sent', () => {
    expect(judgeFile(latin('%PDF-'), 5)).toBe(MediaType.PDF);
    expect(judgeFile(latin('<svg'), 4)).toMatchObject({ code: 'ATTACHMENT_MISTYPED' });
    expect(judgeFile(latin(''), 0)).toMatchObject({ code: 'ATTACHMENT_MISTYPED' });
    expect(judgeFile(latin('%PDF-'), FILE_MAX)).toBe(MediaType.PDF);
    expect(judgeFile(latin('%PDF-'), FILE_MAX + 1)).toMatchObject({ code: 'ATTACHMENT_TOO_LARGE' });
  });
});

describe('a name', () => {
  it('has no control characters and at most 120 bytes, whole characters', () => {
    expect(fileName(' heel\u0000 day\n3.jpg ')).toBe('heel day3.jpg');
    expect(fileName('\u0007')).toBe('file');
    const long = fileName('é'.repeat(100));
    expect(long).toBe('é'.repeat(60));
    expect(fileName('👩'.repeat(40))).toBe('👩'.repeat(30));
    expect(fileName(`a${'👩'.repeat(40)}`)).toBe(`a${'👩'.repeat(29)}`);
  });
});

describe('a picture', () => {
  it('is made smaller, never larger, and never nothing', () => {
    expect(fitted(4_000, 3_000, 2_048)).toEqual({ width: 2_048, height: 1_536 });
    expect(fitted(300, 400, 2_048)).toEqual({ width: 300, height: 400 });
    expect(fitted(10_000, 1, 160)).toEqual({ width: 160, height: 1 });
    expect(fitted(0, 0, 160)).toEqual({ width: 1, height: 1 });
  });
});

describe('what came of a file', () => {
  it('is a refusal or is none', () => {
    expect(isRefusal({ code: 'OFFLINE', advice: '' })).toBe(true);
    expect(isRefusal(new Blob([]))).toBe(false);
    expect(isRefusal({ upload: '00', name: 'x' })).toBe(false);
  });
});
