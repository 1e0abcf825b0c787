/**
 * When to connect again, and when not (README.md, section 9). Times are milliseconds of a steady clock; chance is a number
 * from 0 up to 1 that is passed in.
 */

/** The protocol's close codes. */
export const CLOSE = {
  done: 0x10,
  draining: 0x11,
  superseded: 0x12,
  revoked: 0x13,
  refused: 0x14,
  full: 0x15,
  malformed: 0x100,
  oversize: 0x101,
  outOfTurn: 0x102,
  forged: 0x103,
  numberReused: 0x104,
  tooSlow: 0x105,
  flood: 0x106,
} as const;

/** A WebSocket closes with this much more: codes from 4000 on are an application's own. */
export const WEBSOCKET_CLOSE_BASE = 4_000;

/** The protocol's code in a WebSocket's; `null`: the transport's own end. */
export function closeCodeOf(webSocket: number): number | null {
  return webSocket >= WEBSOCKET_CLOSE_BASE && webSocket < WEBSOCKET_CLOSE_BASE + 0x1000 ? webSocket - WEBSOCKET_CLOSE_BASE : null;
}

const WAIT_MIN = 200;
const BOUND_MIN = 400;
const BOUND_MAX = 10_000;
/** A connection that held so long begins the waits anew, and ends a row of faults. */
export const STEADY = 10_000;
/** Faults of ours in a row after which it is no accident. */
const FAULTS_MAX = 5;

/** What follows the end of a connection. */
export type Next =
  | { readonly next: 'wait'; readonly until: number; /** The box said so: nothing else connects sooner. */ readonly imposed: boolean }
  | { readonly next: 'stop'; readonly why: 'superseded' | 'revoked' | 'faulty' };

/** How attempts went so far. */
export class Backoff {
  #attempt = 0;
  #faults = 0;

  /** The connection was closed with `code` of the protocol, or just ended (`null`), having held for `held`. */
  closed(code: number | null, held: number, now: number, chance: number): Next {
    if (held >= STEADY) {
      this.#attempt = 0;
      this.#faults = 0;
    }
    if (code === CLOSE.superseded) return { next: 'stop', why: 'superseded' };
    if (code === CLOSE.revoked) return { next: 'stop', why: 'revoked' };
    const isOurs = code !== null && code >= 0x100 && code !== CLOSE.tooSlow && code !== CLOSE.numberReused;
    if (isOurs) {
      this.#faults += 1;
      if (this.#faults >= FAULTS_MAX) return { next: 'stop', why: 'faulty' };
    }
    return { next: 'wait', until: now + this.#wait(chance), imposed: false };
  }

  /** A refusal named a time: that, and as much as a quarter longer. */
  refused(retryAfter: number, now: number, chance: number): Next {
    if (retryAfter <= 0) return { next: 'wait', until: now + this.#wait(chance), imposed: false };
    this.#attempt += 1;
    return { next: 'wait', until: now + retryAfter * (1 + chance / 4), imposed: true };
  }

  /** The box restarts: what it said, and as much again at random. */
  draining(retryAfter: number, now: number, chance: number): Next {
    this.#attempt = 0;
    const after = Math.min(Math.max(retryAfter, WAIT_MIN), 60_000);
    return { next: 'wait', until: now + after * (1 + chance), imposed: true };
  }

  /** A submission was accepted: whatever went wrong before was no habit. */
  accepted(): void {
    this.#faults = 0;
  }

  #wait(chance: number): number {
    const bound = Math.min(BOUND_MIN * 2 ** Math.min(this.#attempt, 10), BOUND_MAX);
    this.#attempt += 1;
    return WAIT_MIN + chance * (bound - WAIT_MIN);
  }
}
