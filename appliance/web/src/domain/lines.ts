/** The way to the box over time: one connection or attempt at most, when the next one is due, and how that looks to the person. */

import { Backoff, type Next, STEADY } from './backoff.ts';
import type { Call } from './calls.ts';
import type { Now } from './desk.ts';
import type { LineNumber } from './effects.ts';
import { FrameDecoder } from './frames.ts';
import { type Purpose, Session } from './session.ts';
import type { Line as Shown } from './snapshot.ts';

export interface Line {
  readonly number: LineNumber;
  readonly session: Session<Call>;
  readonly decoder: FrameDecoder;
  readonly isJoin: boolean;
  /** By what it came, once it is open. */
  by: NonNullable<Shown['by']> | null;
  /** Signed in, or asked for the PIN, since; `null`: not yet. */
  since: number | null;
}

/** Milliseconds. */
const HEARD_STEP = 10_000;

export class Lines {
  readonly #backoff = new Backoff();
  readonly #client: string;
  #line: Line | null = null;
  #count = 0;
  #retry: { readonly until: number; readonly imposed: boolean } | null = null;
  #hasFailed = false;
  #shown: Shown = { state: 'connecting', by: null, since: 0, facility: '' };
  /** Since when there is no connection, by the steady clock. */
  #lostAt: number | null = null;

  constructor(client: string) {
    this.#client = client;
  }

  get line(): Line | null {
    return this.#line;
  }

  get shown(): Shown {
    return this.#shown;
  }

  get lostAt(): number | null {
    return this.#lostAt;
  }

  /** When the next attempt is due. */
  retryAt(): number {
    return this.#retry?.until ?? Infinity;
  }

  /** The line of this number, unless it is given up. */
  of(number: LineNumber): Line | null {
    return this.#line?.number === number ? this.#line : null;
  }

  connect(purpose: Purpose, now: Now): LineNumber {
    this.#count += 1;
    this.#retry = null;
    const session = new Session<Call>(purpose, this.#client, now.steady);
    this.#line = { number: this.#count, session, decoder: new FrameDecoder(), isJoin: purpose.purpose === 'join', by: null, since: null };
    if (!this.#hasFailed) this.#show('connecting', now);
    return this.#count;
  }

  welcomed(facility: string): void {
    this.#shown = { ...this.#shown, facility };
  }

  /** Something came. */
  heard(now: Now): void {
    // Shown by the minute: no new picture for each frame.
    if (Math.abs(now.wall - (this.#shown.heardAt ?? 0)) < HEARD_STEP) return;
    this.#shown = { ...this.#shown, heardAt: now.wall };
  }

  /** The box knows the device. */
  up(now: Now): void {
    if (this.#line === null) return;
    this.#line.since ??= now.steady;
    this.#hasFailed = false;
    this.#lostAt = null;
    this.#show('online', now);
  }

  accepted(): void {
    this.#backoff.accepted();
  }

  /** The connection ended, with a code of the protocol or without. */
  closed(code: number | null, now: Now, chance: number): Next {
    return this.#ended(this.#backoff.closed(code, this.#held(now), now.steady, chance), now);
  }

  /** The box refused a sign-in, and may have said when to come again. */
  refused(retryAfter: number, now: Now, chance: number): Next {
    if (this.#held(now) >= STEADY) this.#backoff.accepted();
    return this.#ended(this.#backoff.refused(retryAfter, now.steady, chance), now);
  }

  draining(retryAfter: number, now: Now, chance: number): Next {
    return this.#ended(this.#backoff.draining(retryAfter, now.steady, chance), now);
  }

  /** Nothing is to be tried any more by itself. */
  rest(now: Now): void {
    this.#line = null;
    this.#retry = null;
    this.#show('offline', now);
  }

  /** There is a better way than the one that is open: the next attempt is at once. */
  changes(now: Now): Next {
    const next: Next = { next: 'wait', until: now.steady, imposed: false };
    return this.#ended(next, now);
  }

  /** Something speaks for trying now: whether that is so, unless the box said how long to wait. */
  hurries(now: Now): boolean {
    if (this.#retry === null || this.#retry.imposed) return false;
    this.#retry = { until: now.steady, imposed: false };
    return true;
  }

  #held(now: Now): number {
    const since = this.#line?.since ?? null;
    return since === null ? 0 : now.steady - since;
  }

  #ended(next: Next, now: Now): Next {
    const wasUp = this.#line?.since != null;
    this.#line = null;
    this.#lostAt ??= now.steady;
    this.#retry = next.next === 'wait' ? next : null;
    // The first attempt after a connection that was is still connecting; after one that failed there is none for now.
    this.#hasFailed = this.#hasFailed || !wasUp;
    this.#show(this.#hasFailed || next.next === 'stop' ? 'offline' : 'connecting', now);
    return next;
  }

  #show(state: Shown['state'], now: Now): void {
    const by = state === 'online' ? (this.#line?.by ?? null) : null;
    if (this.#shown.state === state && this.#shown.by === by && this.#shown.since > 0) return;
    this.#shown = { ...this.#shown, state, by, since: now.wall };
  }
}
