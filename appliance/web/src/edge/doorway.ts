/**
 * The doorway for browsers: WebSocket over TLS. The stream's bytes come in binary messages, in any runs; the protocol's close codes
 * come 4000 higher.
 */

import { closeCodeOf, CLOSE, WEBSOCKET_CLOSE_BASE } from '../domain/backoff.ts';
import type { Bytes } from '../domain/bytes.ts';
import type { LineNumber } from '../domain/effects.ts';

const PATH = '/wardline/1';
const SUBPROTOCOL = 'wardline.1';
/** Bytes that wait to be sent: 64 submissions of 8.3 kB and as much of everything else. A box that reads less is none. */
const BUFFERED_MAX = 1 << 20;

/** What becomes of a line. After `closed` nothing more. */
export interface Happens {
  opened(line: LineNumber): void;
  bytes(line: LineNumber, bytes: Uint8Array): void;
  /** `null`: the transport's own end. */
  closed(line: LineNumber, code: number | null): void;
}

/** One line at most; what is left of an earlier one is heard of no more. */
export class Doorway {
  readonly #host: string;
  readonly #happens: Happens;
  #current: { readonly line: LineNumber; readonly socket: WebSocket } | null = null;

  /** `host` with its port where that is not 443: `location.host`. */
  constructor(host: string, happens: Happens) {
    this.#host = host;
    this.#happens = happens;
  }

  open(line: LineNumber): void {
    this.#leave();
    let socket: WebSocket;
    try {
      socket = new WebSocket(`wss://${this.#host}${PATH}`, SUBPROTOCOL);
    } catch {
      // A page that may not connect at all: as if nothing answered, and not from within this call.
      setTimeout(() => this.#happens.closed(line, null), 0);
      return;
    }
    socket.binaryType = 'arraybuffer';
    this.#current = { line, socket };
    const isCurrent = (): boolean => this.#current?.socket === socket;
    socket.onopen = () => {
      if (!isCurrent()) return;
      if (socket.protocol === SUBPROTOCOL) this.#happens.opened(line);
      else this.#fail(line);
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (!isCurrent()) return;
      if (data instanceof ArrayBuffer) this.#happens.bytes(line, new Uint8Array(data));
      else this.#fail(line);
    };
    socket.onclose = ({ code }) => {
      if (!isCurrent()) return;
      this.#current = null;
      this.#happens.closed(line, closeCodeOf(code));
    };
  }

  send(line: LineNumber, bytes: Bytes): void {
    const current = this.#current;
    if (current?.line !== line || current.socket.readyState !== WebSocket.OPEN) return;
    if (current.socket.bufferedAmount + bytes.length > BUFFERED_MAX) this.#fail(line);
    else current.socket.send(bytes);
  }

  close(line: LineNumber): void {
    if (this.#current?.line === line) this.#leave();
  }

  #leave(): void {
    this.#current?.socket.close(WEBSOCKET_CLOSE_BASE + CLOSE.done);
    this.#current = null;
  }

  #fail(line: LineNumber): void {
    this.#leave();
    // Not from within `send`: whoever sends is in the middle of something.
    setTimeout(() => this.#happens.closed(line, null), 0);
  }
}
