/**
 * Frames on the control stream: a length of 4 bytes, big-endian, then one `ClientFrame` or `ServerFrame` of that many bytes.
 *
 * The decoder takes bytes as they come and holds at most one frame that is not whole yet: 131,072 bytes and its length.
 */

import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';

import { ClientFrameSchema, ServerFrameSchema, type ServerFrame } from '../gen/wardline_pb.js';
import { type Bytes } from './bytes.ts';
import { CLIENT_FRAME_MAX, SERVER_FRAME_MAX } from './limits.ts';

/** What a client asks: the body of a frame. */
export type Ask = NonNullable<Extract<MessageInitShape<typeof ClientFrameSchema>['body'], { case: string }>>;
/** What a box answers or tells. */
export type Told = ServerFrame['body'];

/** Why bytes are no frames: nothing behind that can be read. */
export type FrameFault = 'empty' | 'oversize' | 'malformed';

export interface Decoded {
  readonly frames: readonly ServerFrame[];
  /** Behind the frames: the stream is over. */
  readonly fault: FrameFault | null;
}

const LENGTH_BYTES = 4;

/** A frame with its length; `null` when it is above the limit, and so would end the connection. */
export function encodeFrame(request: number, body: Ask): Bytes | null {
  const frame = create(ClientFrameSchema, { request: BigInt(request), body });
  const bytes = toBinary(ClientFrameSchema, frame);
  if (bytes.length === 0 || bytes.length > CLIENT_FRAME_MAX) return null;
  const framed = new Uint8Array(LENGTH_BYTES + bytes.length);
  new DataView(framed.buffer).setUint32(0, bytes.length);
  framed.set(bytes, LENGTH_BYTES);
  return framed;
}

/** Bytes of one connection's stream into the box's frames. After a fault it takes nothing more. */
export class FrameDecoder {
  #held = new Uint8Array(0);
  #fault: FrameFault | null = null;

  push(bytes: Uint8Array): Decoded {
    const frames: ServerFrame[] = [];
    let at = 0;
    while (this.#fault === null) {
      const rest = bytes.subarray(at);
      const wanted = this.#wanted(rest);
      if (wanted === null) break;
      if (this.#held.length + rest.length < wanted) {
        this.#hold(rest);
        break;
      }
      const taken = wanted - this.#held.length;
      this.#hold(rest.subarray(0, taken));
      at += taken;
      if (wanted === LENGTH_BYTES) continue;
      try {
        frames.push(fromBinary(ServerFrameSchema, this.#held.subarray(LENGTH_BYTES)));
      } catch {
        this.#fault = 'malformed';
      }
      this.#held = new Uint8Array(0);
    }
    if (this.#fault !== null) this.#held = new Uint8Array(0);
    return { frames, fault: this.#fault };
  }

  /** Bytes that are held until a frame is whole. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** How many bytes the next step needs: those of the length, or of the whole frame. `null` when there is nothing to read. */
  #wanted(rest: Uint8Array): number | null {
    if (this.#held.length < LENGTH_BYTES) return rest.length === 0 ? null : LENGTH_BYTES;
    const length = new DataView(this.#held.buffer, this.#held.byteOffset).getUint32(0);
    if (length === 0) this.#fault = 'empty';
    else if (length > SERVER_FRAME_MAX) this.#fault = 'oversize';
    return this.#fault === null ? LENGTH_BYTES + length : null;
  }

  #hold(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#held.length + bytes.length);
    joined.set(this.#held);
    joined.set(bytes, this.#held.length);
    this.#held = joined;
  }
}
