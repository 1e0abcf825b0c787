/**
 * Which way to try: QUIC where it works, since a phone that roams keeps its connection there; else TCP, at once. Pure: times are
 * milliseconds of a steady clock.
 *
 * It refuses to offer a browser two leaves at a time: a proof is bound to the one that was met, and browsers do not say which of two
 * that was.
 */

import { fromHex, toHex } from './bytes.ts';
import { type Hash, hashOf } from './proofs.ts';

/** The leaf being served, and the next one. */
const LEAVES_MAX = 2;
/** After a first attempt that came to nothing; twice as long after each further one, up to the longest. */
const AGAIN_MIN = 60_000;
const AGAIN_MAX = 1_800_000;
/** A better way was there, and something was under way on the other one. */
const BUSY = 15_000;

export class Doorways {
  #leaves: readonly Hash[];
  #misses = 0;
  #againAt = -Infinity;

  /** With the leaves that an earlier page was told of. */
  constructor(leaves: readonly Hash[] = []) {
    this.#leaves = leaves.slice(0, LEAVES_MAX);
  }

  /** By which leaves the box may be met. */
  get leaves(): readonly Hash[] {
    return this.#leaves;
  }

  /** The box said by which leaves it is known. True: they are others than before. */
  learn(leaves: readonly Hash[]): boolean {
    if (leaves.length === 0) return false;
    const before = this.#leaves.map(toHex).join();
    this.#leaves = leaves.slice(0, LEAVES_MAX);
    return before !== this.#leaves.map(toHex).join();
  }

  /** Whether QUIC is worth the time that it takes to find out that it does not work. */
  triesQuic(now: number): boolean {
    return now >= this.#againAt;
  }

  /** It came to nothing: for a while not again. */
  missed(now: number): void {
    this.#againAt = now + Math.min(AGAIN_MIN * 2 ** Math.min(this.#misses, 10), AGAIN_MAX);
    this.#misses += 1;
  }

  worked(): void {
    this.#misses = 0;
    this.#againAt = -Infinity;
  }

  /** Another network is another question. */
  networkChanged(): void {
    this.worked();
  }

  /** QUIC works, and the app has no time to change over. */
  busy(now: number): void {
    this.#misses = 0;
    this.#againAt = now + BUSY;
  }

  /** When to look whether QUIC works by now, on a connection that came another way. */
  looksAt(): number {
    return this.#againAt;
  }
}

/** As they are kept on the disk: hexadecimal, with blanks between. What is no hash is passed over. */
export function parseLeaves(text: string): Hash[] {
  return text
    .split(' ')
    .slice(0, LEAVES_MAX)
    .flatMap((hex) => hashOf(fromHex(hex) ?? new Uint8Array(0)) ?? []);
}

export function leavesText(leaves: readonly Hash[]): string {
  return leaves.map(toHex).join(' ');
}

/** What the box's page of certificates says; `null`: nothing that can be used. */
export function parseCertificates(page: unknown): Hash[] | null {
  if (typeof page !== 'object' || page === null || !('hashes' in page) || !Array.isArray(page.hashes)) return null;
  const texts = page.hashes.filter((hash): hash is string => typeof hash === 'string');
  const leaves = parseLeaves(texts.join(' '));
  return leaves.length === 0 ? null : leaves;
}
