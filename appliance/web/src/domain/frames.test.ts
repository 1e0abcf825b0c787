import { readFileSync } from 'node:fs';

import { create, fromBinary, fromJson, toBinary, toJson, type JsonValue } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { ClientFrameSchema, ServerFrameSchema } from '../gen/wardline_pb.js';
import { concat, fromHex, toHex } from './bytes.ts';
import { encodeFrame, FrameDecoder } from './frames.ts';
import { SERVER_FRAME_MAX } from './limits.ts';

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly means: JsonValue;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../core/vectors/frames.json', import.meta.url), 'utf8'),
) as readonly Vector[];

function bytesOf(vector: Vector): Uint8Array {
  const bytes = fromHex(vector.hex);
  if (bytes === null) throw new Error(vector.name);
  return bytes;
}

function framed(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat([length, bytes]);
}

/** `size` bytes that are a frame: an answer to nothing with one field of a later version. */
function padded(size: number): Uint8Array {
  const head = [0xfa, 0x3f, ...[0, 7, 14].map((shift) => ((size - 5) >> shift) & 0x7f)];
  head[2] = (head[2] ?? 0) | 0x80;
  head[3] = (head[3] ?? 0) | 0x80;
  return concat([Uint8Array.from(head), new Uint8Array(size - 5)]);
}

describe('the vectors of the box', () => {
  const ours = vectors.filter((vector) => vector.name.startsWith('ClientFrame.'));
  const theirs = vectors.filter((vector) => !vector.name.startsWith('ClientFrame.'));

  it('are of both directions', () => {
    expect(ours.length).toBeGreaterThan(100);
    expect(theirs.length).toBeGreaterThan(60);
  });

  it.each(ours)('$name of a client, both ways', (vector) => {
    const frame = fromBinary(ClientFrameSchema, bytesOf(vector));
    expect(toJson(ClientFrameSchema, frame)).toEqual(vector.means);
    expect(toHex(toBinary(ClientFrameSchema, fromJson(ClientFrameSchema, vector.means)))).toBe(vector.hex);
  });

  it.each(theirs)('$name of the box, both ways', (vector) => {
    const { frames, fault } = new FrameDecoder().push(framed(bytesOf(vector)));
    expect(fault).toBeNull();
    expect(frames.map((frame) => toJson(ServerFrameSchema, frame))).toEqual([vector.means]);
    expect(toHex(toBinary(ServerFrameSchema, fromJson(ServerFrameSchema, vector.means)))).toBe(vector.hex);
  });

  it.each(ours)('$name goes out as the box reads it', (vector) => {
    const frame = fromBinary(ClientFrameSchema, bytesOf(vector));
    if (frame.body.case === undefined) throw new Error('no body');
    const encoded = encodeFrame(Number(frame.request), frame.body);
    expect(encoded && toHex(encoded)).toBe(toHex(framed(bytesOf(vector))));
  });
});

describe('what is written', () => {
  it('is the example of the page', () => {
    const hello = encodeFrame(1, {
      case: 'hello',
      value: { versionMin: 1, versionMax: 1, client: 'example 1.0', device: 0x0123456789abcdefn },
    });
    expect(hello && toHex(hello)).toBe('0000001e0801121a080110011a0b6578616d706c6520312e3021efcdab8967452301');
    const message = Uint8Array.from({ length: 16 }, (_, at) => at);
    const submit = encodeFrame(7, {
      case: 'submit',
      value: { number: 42n, message, conversation: 0x77n, text: 'Bed 12: on my way' },
    });
    expect(submit && toHex(submit)).toBe(
      '0000003408073a30082a1210000102030405060708090a0b0c0d0e0f19770000000000000022114265642031323a206f6e206d7920776179',
    );
  });

  it('is nothing when it is above the limit', () => {
    const padding = (size: number): Uint8Array | null => encodeFrame(1, { case: 'echo', value: { padding: new Uint8Array(size) } });
    expect(padding(16_384 - 9)?.length).toBe(16_384 + 4 - 1);
    expect(padding(16_384)).toBeNull();
  });
});

describe('what is read', () => {
  const done = toBinary(ServerFrameSchema, create(ServerFrameSchema, { request: 3n, body: { case: 'done', value: {} } }));
  const welcome = toBinary(
    ServerFrameSchema,
    create(ServerFrameSchema, { request: 1n, body: { case: 'welcome', value: { version: 1, facility: 'Lindenhof' } } }),
  );
  const stream = concat([framed(done), framed(welcome), framed(done)]);

  it('is the same in whatever runs it comes', () => {
    for (let size = 1; size <= stream.length; size += 1) {
      const decoder = new FrameDecoder();
      const cases: unknown[] = [];
      for (let at = 0; at < stream.length; at += size) {
        const decoded = decoder.push(stream.subarray(at, at + size));
        expect(decoded.fault).toBeNull();
        cases.push(...decoded.frames.map((frame) => frame.body.case));
      }
      expect(cases).toEqual(['done', 'welcome', 'done']);
      expect(decoder.heldBytes).toBe(0);
    }
  });

  it('passes over what a later version says', () => {
    const { frames, fault } = new FrameDecoder().push(framed(padded(64)));
    expect(fault).toBeNull();
    expect(frames.map((frame) => frame.body.case)).toEqual([undefined]);
  });

  it('ends at what is no frame, keeping the frames before it', () => {
    const cases = [
      ['empty', Uint8Array.of(0, 0, 0, 0)],
      ['oversize', Uint8Array.of(0, 2, 0, 1)],
      ['oversize', Uint8Array.of(255, 255, 255, 255)],
      ['malformed', framed(Uint8Array.of(0x0a))],
      ['malformed', framed(Uint8Array.of(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))],
    ] as const;
    for (const [fault, bytes] of cases) {
      const decoder = new FrameDecoder();
      const decoded = decoder.push(concat([framed(done), bytes, framed(done)]));
      expect([decoded.frames.length, decoded.fault]).toEqual([1, fault]);
      expect(decoder.push(framed(done)).frames).toEqual([]);
      expect(decoder.heldBytes).toBe(0);
    }
  });

  it('ends at a length that cannot be, before anything comes behind it', () => {
    expect(new FrameDecoder().push(Uint8Array.of(0, 0, 0, 0)).fault).toBe('empty');
    expect(new FrameDecoder().push(Uint8Array.of(0, 2, 0, 1)).fault).toBe('oversize');
  });

  it('takes the largest frame and holds no more than that', () => {
    const decoder = new FrameDecoder();
    const largest = framed(padded(SERVER_FRAME_MAX));
    expect(decoder.push(largest.subarray(0, largest.length - 1)).frames).toEqual([]);
    expect(decoder.heldBytes).toBe(SERVER_FRAME_MAX + 3);
    expect(decoder.push(largest.subarray(largest.length - 1)).frames.length).toBe(1);
  });
});
