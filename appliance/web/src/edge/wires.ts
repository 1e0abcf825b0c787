/**
 * What frames pass over: a stream of bytes both ways, over WebTransport (QUIC) or a WebSocket (TLS). Each is opened once and ends once.
 * The protocol's close codes come as they are over WebTransport, and 4000 higher over a WebSocket.
 */

import { CLOSE, closeCodeOf, WEBSOCKET_CLOSE_BASE } from '../domain/backoff.ts';
import type { Bytes } from '../domain/bytes.ts';
import { CLIENT_FRAME_MAX } from '../domain/limits.ts';
import type { Hash } from '../domain/proofs.ts';
import type { Line } from '../domain/snapshot.ts';

const PATH = '/wardline/1';
const FILE_PATH = '/wardline/1/file';
const SUBPROTOCOL = 'wardline.1';
const FILE_SUBPROTOCOL = 'wardline.1.file';
/** Bytes that wait to be sent: 64 submissions of 8.3 kB and as much of everything else. A box that reads less is none. */
const BUFFERED_MAX = 1 << 20;
/** From the end of what the box said to why it ended: Chromium needs both ends to have hung up. */
const REASON_MAX = 1_000;

/** What becomes of a wire. After `closed` nothing more, and nothing at all from within a call. */
export interface Happens {
  bytes(bytes: Uint8Array): void;
  /** `null`: the transport's own end. */
  closed(code: number | null): void;
}

export interface Wire {
  readonly by: NonNullable<Line['by']>;
  send(bytes: Bytes): void;
  /** From this end: nothing more happens. */
  close(): void;
  /** A stream beside, for a file; `null`: not now. */
  file(): Promise<Stream | null>;
}

/** One stream of a file. */
export interface Stream {
  readonly by: NonNullable<Line['by']>;
  /** What comes next; `null` once the box has ended it. Rejected when it was broken off, from this end too: then it was not all. */
  read(): Promise<Uint8Array | null>;
  /** Resolves once there is room for more. */
  write(bytes: Bytes): Promise<void>;
  /** All was written. */
  finish(): Promise<void>;
  /** Not to the end. */
  abort(): void;
}

/** `null`: nothing answers there, or no box of ours. */
export function openWebSocket(host: string, happens: Happens): Promise<Wire | null> {
  return new Promise((resolve) => {
    let socket: WebSocket;
    try {
      socket = new WebSocket(`wss://${host}${PATH}`, SUBPROTOCOL);
    } catch {
      // A page that may not connect at all.
      resolve(null);
      return;
    }
    let isOver = false;
    const leave = (): void => {
      isOver = true;
      socket.close(WEBSOCKET_CLOSE_BASE + CLOSE.done);
    };
    const fail = (): void => {
      leave();
      // Not from within `send`: whoever sends is in the middle of something.
      setTimeout(() => happens.closed(null), 0);
    };
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      if (socket.protocol !== SUBPROTOCOL) {
        leave();
        return resolve(null);
      }
      resolve({
        by: 'WebSocket',
        send: (bytes) => {
          if (isOver || socket.readyState !== WebSocket.OPEN) return;
          if (socket.bufferedAmount + bytes.length > BUFFERED_MAX) fail();
          else socket.send(bytes);
        },
        close: leave,
        file: () => openFileSocket(host),
      });
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (isOver) return;
      if (data instanceof ArrayBuffer) happens.bytes(new Uint8Array(data));
      else fail();
    };
    socket.onclose = ({ code }) => {
      resolve(null);
      if (isOver) return;
      isOver = true;
      happens.closed(closeCodeOf(code));
    };
  });
}

function openFileSocket(host: string): Promise<Stream | null> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`wss://${host}${FILE_PATH}`, FILE_SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    let isAborted = false;
    const come = new ReadableStream<Uint8Array>({
      start(control) {
        socket.onmessage = ({ data }: MessageEvent<unknown>) => {
          if (data instanceof ArrayBuffer) control.enqueue(new Uint8Array(data));
        };
        socket.onclose = ({ code }) => {
          resolve(null);
          if (closeCodeOf(code) === CLOSE.done && !isAborted) control.close();
          else control.error(brokenOff());
        };
      },
    });
    socket.onopen = () => {
      const reader = come.getReader();
      resolve({
        by: 'WebSocket',
        read: async () => (await reader.read()).value ?? null,
        // A socket tells of no room: what is asked for here is that little waits. The box takes no message that is longer than a frame.
        write: async (bytes) => {
          while (socket.readyState === WebSocket.OPEN && socket.bufferedAmount > BUFFERED_MAX) await new Promise((next) => setTimeout(next, 20));
          for (let at = 0; at < bytes.length; at += CLIENT_FRAME_MAX) {
            if (socket.readyState !== WebSocket.OPEN) throw brokenOff();
            socket.send(bytes.subarray(at, at + CLIENT_FRAME_MAX));
          }
        },
        // The box knows how long the file is.
        finish: () => Promise.resolve(),
        abort: () => {
          isAborted = true;
          socket.close(WEBSOCKET_CLOSE_BASE + CLOSE.done);
        },
      });
    };
  });
}

function brokenOff(): Error {
  return new Error('the file was broken off');
}

/** Whether this browser has it at all. */
export function hasWebTransport(): boolean {
  return typeof WebTransport === 'function';
}

/** With a box that has this leaf. `null`: no answer within the time, another leaf, or something that is no box. */
export async function openWebTransport(host: string, leaf: Hash, within: number, happens: Happens): Promise<Wire | null> {
  let transport: WebTransport;
  try {
    const serverCertificateHashes = [{ algorithm: 'sha-256', value: leaf }];
    transport = new WebTransport(`https://${host}${PATH}`, { serverCertificateHashes, congestionControl: 'low-latency' });
  } catch {
    return null;
  }
  const closed = transport.closed.then(
    ({ closeCode }) => closeCode ?? null,
    () => null,
  );
  const opened = transport.ready.then(
    () => true,
    () => false,
  );
  const isOpen = await Promise.race([opened, after(within, false)]);
  const stream = isOpen ? await transport.createBidirectionalStream().catch(() => null) : null;
  if (stream === null) {
    transport.close();
    return null;
  }
  return new TransportWire(transport, stream, closed, happens);
}

class TransportWire implements Wire {
  readonly by = 'WebTransport';
  readonly #transport: WebTransport;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #closed: Promise<number | null>;
  readonly #happens: Happens;
  #waits = 0;
  #isOver = false;

  constructor(transport: WebTransport, stream: WebTransportBidirectionalStream, closed: Promise<number | null>, happens: Happens) {
    this.#transport = transport;
    this.#writer = stream.writable.getWriter() as WritableStreamDefaultWriter<Uint8Array>;
    this.#closed = closed;
    this.#happens = happens;
    void this.#read(stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>);
  }

  send(bytes: Bytes): void {
    if (this.#isOver) return;
    this.#waits += bytes.length;
    if (this.#waits > BUFFERED_MAX) {
      this.close();
      setTimeout(() => this.#happens.closed(null), 0);
      return;
    }
    this.#writer.write(bytes).then(
      () => (this.#waits -= bytes.length),
      // Its end is told by the reading half.
      () => undefined,
    );
  }

  close(): void {
    this.#isOver = true;
    hangUp(this.#transport, CLOSE.done);
  }

  async file(): Promise<Stream | null> {
    const stream = await this.#transport.createBidirectionalStream().catch(() => null);
    if (stream === null) return null;
    const writer = stream.writable.getWriter() as WritableStreamDefaultWriter<Uint8Array>;
    const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    let isAborted = false;
    return {
      by: 'WebTransport',
      read: async () => {
        const { value } = await reader.read();
        if (isAborted) throw brokenOff();
        return value ?? null;
      },
      write: (bytes) => writer.write(bytes),
      finish: () => writer.close(),
      abort: () => {
        isAborted = true;
        writer.abort().catch(() => undefined);
        reader.cancel().catch(() => undefined);
      },
    };
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done || this.#isOver) break;
        this.#happens.bytes(value);
      }
    } catch {
      // Whatever was the matter, the session has ended.
    }
    if (this.#isOver) return;
    // The box says why it ends the session once both halves of the stream are over.
    this.#writer.close().catch(() => undefined);
    const code = await Promise.race([this.#closed, after(REASON_MAX, null)]);
    if (this.#isOver) return;
    this.#isOver = true;
    hangUp(this.#transport, CLOSE.done);
    this.#happens.closed(code === 0 ? null : code);
  }
}

function hangUp(transport: WebTransport, closeCode: number): void {
  try {
    transport.close({ closeCode });
  } catch {
    // It is over already.
  }
}

function after<Value>(wait: number, value: Value): Promise<Value> {
  return new Promise((resolve) => setTimeout(() => resolve(value), wait));
}
