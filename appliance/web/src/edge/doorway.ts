/**
 * The way to the box: over WebTransport where that works within a moment, else over a WebSocket, and back when it can. Which way is
 * worth trying is `domain/doorways.ts`'s.
 */

import type { Bytes } from '../domain/bytes.ts';
import { Doorways, leavesText, parseCertificates, parseLeaves } from '../domain/doorways.ts';
import type { LineNumber } from '../domain/effects.ts';
import type { Hash } from '../domain/proofs.ts';
import type { Line } from '../domain/snapshot.ts';
import { keep, recall } from './kept.ts';
import { filesName, leafBinding, originBinding } from './keys.ts';
import { hasWebTransport, openWebSocket, openWebTransport, type Stream, type Wire } from './wires.ts';

/** Until the other way is gone instead, however many leaves are tried. */
const QUIC_MAX = 1_500;
/** For the page of certificates. */
const ASKING_MAX = 1_000;
const CERTIFICATES = '/wardline/1/certificates';
/** The leaves that were told of last; no secret. Where that cannot be kept, they are asked for again. */
const KEPT = 'wardline.leaves';

/** What becomes of a line. After `closed` nothing more. */
export interface LineHappens {
  opened(line: LineNumber, by: NonNullable<Line['by']>, binding: Hash): void;
  bytes(line: LineNumber, bytes: Uint8Array): void;
  /** `null`: the transport's own end. */
  closed(line: LineNumber, code: number | null): void;
  /** WebTransport works, and this line is none. */
  better(line: LineNumber): void;
}

/** What came of an attempt. */
interface Found {
  readonly wire: Wire;
  readonly binding: Hash;
}

/** One line at most; what is left of an earlier one is heard of no more. */
export class Doorway {
  readonly #host: string;
  readonly #origin: string;
  readonly #happens: LineHappens;
  readonly #doorways = new Doorways(parseLeaves(recall(KEPT) ?? ''));
  #line: LineNumber = 0;
  #wire: Wire | null = null;
  #session: Promise<Hash> | null = null;
  #looking: ReturnType<typeof setTimeout> | undefined;
  /** Of files, under way on this line: a socket of its own does not notice that its line is gone. */
  readonly #streams = new Set<Stream>();

  /** `host` with its port where that is not 443: `location.host`. */
  constructor({ host, origin }: { readonly host: string; readonly origin: string }, happens: LineHappens) {
    this.#host = host;
    this.#origin = origin;
    this.#happens = happens;
  }

  open(line: LineNumber): void {
    this.#leave();
    this.#line = line;
    void this.#find(line).then((found) => {
      if (this.#line !== line) return found?.wire.close();
      if (found === null) return this.#ended(line, null);
      this.#wire = found.wire;
      this.#happens.opened(line, found.wire.by, found.binding);
      if (found.wire.by === 'WebSocket') this.#lookLater(line);
    });
  }

  send(line: LineNumber, bytes: Bytes): void {
    if (this.#line === line) this.#wire?.send(bytes);
  }

  close(line: LineNumber): void {
    if (this.#line === line) this.#leave();
  }

  /** The box said by which leaves it is known, and what this line's proof is over. */
  met(line: LineNumber, leaves: readonly Hash[], challenge: Hash): void {
    this.#learn(leaves);
    if (this.#line === line) this.#session = filesName(challenge);
  }

  /** The network may be another one. */
  networkChanged(): void {
    this.#doorways.networkChanged();
    if (this.#wire?.by === 'WebSocket') this.#lookLater(this.#line);
  }

  /** A stream of this line for a file, and what its first frame names the session by; `null`: not now. */
  async file(): Promise<{ readonly stream: Stream; readonly session: Uint8Array } | null> {
    const [wire, session] = [this.#wire, await this.#session];
    const stream = (await wire?.file()) ?? null;
    if (wire === null || stream === null) return null;
    if (session === null || this.#wire !== wire) {
      stream.abort();
      return null;
    }
    this.#streams.add(stream);
    const abort = (): void => {
      this.#streams.delete(stream);
      stream.abort();
    };
    return { stream: { ...stream, abort }, session: wire.by === 'WebSocket' ? session : new Uint8Array(0) };
  }

  async #find(line: LineNumber): Promise<Found | null> {
    const quic = hasWebTransport() && this.#doorways.triesQuic(performance.now()) ? await this.#overQuic(line) : null;
    if (quic !== null || this.#line !== line) return quic;
    const wire = await openWebSocket(this.#host, this.#of(line));
    return wire === null ? null : { wire, binding: await originBinding(this.#origin) };
  }

  async #overQuic(line: LineNumber): Promise<Found | null> {
    const deadline = performance.now() + QUIC_MAX;
    const tried = new Set<string>();
    for (let asked = false; ; asked = true) {
      if (asked || this.#doorways.leaves.length === 0) await this.#ask(Math.min(ASKING_MAX, deadline - performance.now()));
      for (const leaf of this.#doorways.leaves) {
        const left = deadline - performance.now();
        if (left <= 0 || tried.has(leavesText([leaf]))) continue;
        tried.add(leavesText([leaf]));
        const wire = await openWebTransport(this.#host, leaf, left, this.#of(line));
        if (wire !== null) {
          this.#doorways.worked();
          return { wire, binding: await leafBinding(this.#origin, leaf) };
        }
      }
      if (asked || performance.now() >= deadline) break;
    }
    this.#doorways.missed(performance.now());
    return null;
  }

  /** By which leaves the box is known: over HTTPS, where the browser has checked who says so. */
  async #ask(within: number): Promise<void> {
    try {
      const answer = await fetch(CERTIFICATES, { cache: 'no-store', signal: AbortSignal.timeout(Math.max(within, 1)) });
      this.#learn(answer.ok ? (parseCertificates(await answer.json()) ?? []) : []);
    } catch {
      // What is known already will do, or the other way.
    }
  }

  #learn(leaves: readonly Hash[]): void {
    if (this.#doorways.learn(leaves)) keep(KEPT, leavesText(this.#doorways.leaves));
  }

  /** Whether QUIC works by now; the line goes on meanwhile. */
  #lookLater(line: LineNumber): void {
    clearTimeout(this.#looking);
    if (!hasWebTransport()) return;
    const wait = Math.max(this.#doorways.looksAt() - performance.now(), 0);
    this.#looking = setTimeout(() => void this.#look(line), wait);
  }

  async #look(line: LineNumber): Promise<void> {
    const found = this.#line === line ? await this.#overQuic(line) : null;
    found?.wire.close();
    if (this.#line !== line) return;
    if (found === null) return this.#lookLater(line);
    this.#happens.better(line);
    if (this.#line !== line) return;
    // Something is under way on the line: again a little later.
    this.#doorways.busy(performance.now());
    this.#lookLater(line);
  }

  #of(line: LineNumber) {
    return {
      bytes: (bytes: Uint8Array) => {
        if (this.#line === line) this.#happens.bytes(line, bytes);
      },
      closed: (code: number | null) => this.#ended(line, code),
    };
  }

  #ended(line: LineNumber, code: number | null): void {
    if (this.#line !== line) return;
    this.#forget();
    this.#happens.closed(line, code);
  }

  #leave(): void {
    this.#wire?.close();
    this.#forget();
  }

  #forget(): void {
    clearTimeout(this.#looking);
    for (const stream of this.#streams) stream.abort();
    this.#streams.clear();
    this.#wire = null;
    this.#session = null;
    this.#line = 0;
  }
}
