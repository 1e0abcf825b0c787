/** A made-up box for files, in memory: what it is asked, what it has of an upload, and where it breaks a stream off. */

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';

import { type Bytes, concat, toHex } from '../../domain/bytes.ts';
import type { Ask, Told } from '../../domain/frames.ts';
import { ownRefusal } from '../../domain/refusals.ts';
import type { Reply } from '../../domain/snapshot.ts';
import { DoneSchema, RefusalCode, TransferHeadSchema, TransferRequestSchema, TransferTailSchema, UploadBegunSchema } from '../../gen/wardline_pb.js';
import type { Stream } from '../wires.ts';

export const SESSION = new Uint8Array([7, 7, 7]);

type Out = Uint8Array | 'end' | 'broken';

export class FileBox {
  /** What every message has. */
  file: Bytes = new Uint8Array(0);
  picture: Bytes = new Uint8Array(0);
  /** Of the streams to come: after how many bytes, frames and all, each is broken off. */
  cuts: number[] = [];
  /** What asking is refused with, of the requests to come. */
  refusals: string[] = [];
  headRefused: RefusalCode | null = null;
  tailRefused: RefusalCode | null = null;
  isLocked = false;
  /** Called with each byte count that came in on a stream. */
  heard: (bytes: number) => void = () => undefined;
  readonly asked: Ask[] = [];
  readonly offsets: number[] = [];
  /** By their names: what it has of each. */
  readonly uploads = new Map<string, { have: Bytes; readonly length: number; done: boolean }>();
  streams = 0;
  open = 0;
  #request = 0;
  readonly #tickets = new Map<number, Ask>();

  ask = async (body: Ask): Promise<Reply> => {
    this.asked.push(body);
    if (this.isLocked) return { reply: 'refused', refusal: ownRefusal('LOCKED') };
    const code = this.refusals.shift();
    if (code !== undefined) return { reply: 'refused', refusal: { code, advice: '' } };
    this.#request += 1;
    this.#tickets.set(this.#request, body);
    return { reply: 'answer', request: this.#request, body: this.#answer(body) };
  };

  doorway = {
    file: async (): Promise<{ stream: Stream; session: Uint8Array }> => {
      this.streams += 1;
      this.open += 1;
      return { stream: this.#stream(this.cuts.shift() ?? Infinity), session: SESSION };
    },
  };

  #answer(body: Ask): Told {
    if (body.case === 'beginUpload') {
      const name = toHex(body.value.upload ?? new Uint8Array(0));
      const known = this.uploads.get(name) ?? { have: new Uint8Array(0), length: Number(body.value.length), done: false };
      this.uploads.set(name, known);
      return { case: 'uploadBegun', value: create(UploadBegunSchema, { done: known.done }) };
    }
    if (body.case === 'finishUpload') {
      const known = this.uploads.get(toHex(body.value.upload ?? new Uint8Array(0)));
      if (known !== undefined) known.done = true;
    }
    return { case: 'done', value: create(DoneSchema) };
  }

  #stream(cut: number): Stream {
    const out: Out[] = [];
    let [wake, left, isBroken, isClosed] = [() => undefined as void, cut, false, false];
    let held: Bytes = new Uint8Array(0);
    let upload: { have: Bytes; readonly length: number } | null = null;
    const say = (one: Out): void => {
      if (one instanceof Uint8Array) {
        const part = one.subarray(0, left);
        left -= part.length;
        if (part.length > 0) out.push(part.slice());
        if (part.length < one.length) breakOff();
      } else out.push(one);
      wake();
    };
    const breakOff = (): void => {
      isBroken = true;
      out.push('broken');
      wake();
    };
    const begin = (): void => {
      const request = frameOf(held);
      if (request === null) return;
      held = held.slice(request.length + 4);
      const { request: number, offset, session } = fromBinary(TransferRequestSchema, request);
      if (toHex(session) !== toHex(SESSION)) throw new Error('another session');
      const asked = this.#tickets.get(Number(number));
      this.#tickets.delete(Number(number));
      const refused = asked === undefined ? RefusalCode.UNAVAILABLE : this.headRefused;
      if (refused !== null) {
        say(framed(toBinary(TransferHeadSchema, create(TransferHeadSchema, { refused: { code: refused } }))));
        return say('end');
      }
      if (asked?.case === 'openAttachment') {
        this.offsets.push(Number(offset));
        say(framed(toBinary(TransferHeadSchema, create(TransferHeadSchema, { open: true, offset }))));
        say((asked.value.thumbnail === true ? this.picture : this.file).subarray(Number(offset)));
        if (!isBroken) say('end');
        return;
      }
      if (asked?.case !== 'beginUpload') throw new Error('a stream for nothing');
      upload = this.uploads.get(toHex(asked.value.upload ?? new Uint8Array(0))) ?? null;
      this.offsets.push(upload?.have.length ?? 0);
      say(framed(toBinary(TransferHeadSchema, create(TransferHeadSchema, { open: true, offset: BigInt(upload?.have.length ?? 0) }))));
      take(held);
    };
    const take = (bytes: Uint8Array): void => {
      if (upload === null || isBroken) return;
      upload.have = concat([upload.have, bytes]);
      this.heard(upload.have.length);
      if (this.isLocked) return breakOff();
      if (upload.have.length < upload.length && this.tailRefused === null) return;
      const tail = this.tailRefused === null ? { whole: true } : { refused: { code: this.tailRefused } };
      say(framed(toBinary(TransferTailSchema, create(TransferTailSchema, tail))));
      say('end');
      upload = null;
    };
    return {
      by: 'WebSocket',
      write: async (bytes) => {
        if (isBroken || isClosed) throw new Error('broken off');
        const part = bytes.slice(0, left);
        left -= part.length;
        if (upload !== null) take(part);
        else {
          held = concat([held, part]);
          begin();
        }
        if (part.length < bytes.length) breakOff();
      },
      read: async () => {
        while (out.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        const next = out[0] instanceof Uint8Array ? out.shift() : out[0];
        if (next === 'broken') throw new Error('broken off');
        return next instanceof Uint8Array ? next : null;
      },
      finish: async () => undefined,
      abort: () => {
        if (!isClosed) this.open -= 1;
        isClosed = true;
        breakOff();
      },
    };
  }
}

function frameOf(bytes: Bytes): Uint8Array | null {
  if (bytes.length < 4) return null;
  const length = new DataView(bytes.buffer).getUint32(0);
  return bytes.length < 4 + length ? null : bytes.subarray(4, 4 + length);
}

function framed(bytes: Uint8Array): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat([length, bytes]);
}
