/**
 * Whether somebody is there: when the app locks by itself, when it says `Here` and `Active` (README.md, sections 3 and 13).
 * Times as in `desk.ts`.
 */

import type { Now } from './desk.ts';

const HERE_EVERY = 8_000;
const ACTIVE_EVERY = 5_000;

export class Presence {
  #isVisible = false;
  #hereAt = Infinity;
  #activeAt = -Infinity;
  #actedAt: Now | null = null;
  #idleLock = Infinity;
  #sessionEnds = Infinity;

  /** The app is open in front of somebody, or not any more. */
  foreground(isVisible: boolean, now: Now): void {
    this.#isVisible = isVisible;
    this.#hereAt = isVisible ? now.steady : Infinity;
  }

  /** What the box says of the session; 0: nothing. `ends` is by its clock, milliseconds since 1970. */
  session(idleLock: number, ends: number, now: Now): void {
    this.#idleLock = idleLock || Infinity;
    this.#sessionEnds = ends || Infinity;
    this.#actedAt ??= now;
    if (this.#isVisible) this.#hereAt = now.steady;
  }

  /** The person did something. True: the box is to be told. */
  acted(now: Now): boolean {
    this.#actedAt = now;
    if (now.steady < this.#activeAt + ACTIVE_EVERY) return false;
    this.#activeAt = now.steady;
    return true;
  }

  /** True once every 8 s while somebody has the app before them. */
  isHere(now: Now): boolean {
    if (now.steady < this.#hereAt) return false;
    this.#hereAt = this.#isVisible ? now.steady + HERE_EVERY : Infinity;
    return true;
  }

  hereAt(): number {
    return this.#hereAt;
  }

  /** When the session has been idle for long enough, or is over. A device that slept may have a steady clock that slept as well. */
  idleAt({ steady, wall }: Now, boxAhead: number): number {
    const acted = this.#actedAt ?? { steady, wall };
    const slept = Math.max(wall - acted.wall - (steady - acted.steady), 0);
    const ends = steady + Math.max(this.#sessionEnds - (wall + boxAhead), 0);
    return Math.min(acted.steady + this.#idleLock - slept, ends);
  }
}
