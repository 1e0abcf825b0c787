/** What the parts of a phone stand on: the time of what happens, what is to be done about it, and what they all change. */

import type { Bytes } from './bytes.ts';
import type { Call } from './calls.ts';
import type { Desk, Now, SignedLater } from './desk.ts';
import { Drafts } from './drafts.ts';
import type { Effect, LineNumber } from './effects.ts';
import type { Ask } from './frames.ts';
import { Lines } from './lines.ts';
import { Outbox } from './outbox.ts';
import type { Out, Session } from './session.ts';
import type { Hashed, TalkLater } from './talk/talk.ts';

/** What the domain has not by itself. */
export interface Chance {
  /** From 0 up to 1. */
  number(): number;
  bytes(count: number): Bytes;
}

export class Ground {
  readonly chance: Chance;
  readonly lines: Lines;
  readonly outbox = new Outbox();
  readonly drafts = new Drafts();
  now: Now = { steady: 0, wall: 0 };
  desk: Desk;
  readonly #newDesk: (ground: Ground) => Desk;
  readonly #out: (out: Out<Call>) => void;
  #effects: Effect[] = [];
  #tokens = 0;
  /** What waits for a signature: the proof of a line, or an answer. A line has one proof; a person gives few answers at a time. */
  readonly #signing = new Map<number, LineNumber | SignedLater | TalkLater>();

  constructor(chance: Chance, lines: Lines, newDesk: (ground: Ground) => Desk, out: (out: Out<Call>) => void) {
    this.chance = chance;
    this.lines = lines;
    this.#newDesk = newDesk;
    this.#out = out;
    this.desk = newDesk(this);
  }

  static with(client: string, chance: Chance, newDesk: (ground: Ground) => Desk, out: (out: Out<Call>) => void): Ground {
    return new Ground(chance, new Lines(client), newDesk, out);
  }

  get session(): Session<Call> | null {
    return this.lines.line?.session ?? null;
  }

  do(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** All that is to be done, once. */
  done(): Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  sign(bytes: Bytes, then: LineNumber | SignedLater | TalkLater, key: 'device' | 'joining', hashed: Hashed | null = null): void {
    this.#tokens += 1;
    this.#signing.set(this.#tokens, then);
    this.do({ effect: 'sign', token: this.#tokens, bytes, key, ...(hashed === null ? {} : { hashed }) });
  }

  /** What this signature was for; `null`: nobody waits for it any more. */
  signed(token: number): LineNumber | SignedLater | TalkLater | null {
    const then = this.#signing.get(token) ?? null;
    this.#signing.delete(token);
    return then;
  }

  forgetSigning(): void {
    this.#signing.clear();
  }

  run(outs: readonly Out<Call>[] | null): void {
    for (const out of outs ?? []) this.#out(out);
  }

  /** Not answered; nothing where there is no session. */
  tell(body: Ask): void {
    this.run(this.session?.tell(body) ?? null);
  }

  /** What was typed goes to the disk: once a second, or before it is too late. */
  keepDrafts(atOnce: boolean): void {
    const kept = this.drafts.take(this.now.steady, atOnce);
    if (kept !== null) this.do({ effect: 'keepDrafts', ...kept });
  }

  /** Nothing of what was known stays: it was somebody else's, or is not to be seen any more. */
  clearDesk(): void {
    this.keepDrafts(true);
    this.drafts.forget();
    this.desk = this.#newDesk(this);
  }
}
