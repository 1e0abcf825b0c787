/**
 * Watermarks on their way to the box (README.md, section 6). They only rise. Of one conversation they go at most every 200 ms; nobody
 * says that they arrived, so that on a new connection the highest go again. Times are of a steady clock, in milliseconds.
 */

import type { ConversationId, Sequence } from './ids.ts';
import type { Marks } from './known.ts';
import { RECEIPTS_AT_ONCE } from './limits.ts';

const INTERVAL = 200;
const NOTHING: Marks = { delivered: 0 as Sequence, read: 0 as Sequence };

export class Receipts {
  readonly #due = new Map<ConversationId, Marks>();
  /** Sent on this connection. */
  readonly #sent = new Map<ConversationId, Marks>();
  #at: number | null = null;

  raise(conversation: ConversationId, to: Partial<Marks>, now: number): void {
    const known = this.#sent.get(conversation) ?? NOTHING;
    const due = this.#due.get(conversation) ?? known;
    const read = Math.max(due.read, to.read ?? 0) as Sequence;
    const delivered = Math.max(due.delivered, to.delivered ?? 0, read) as Sequence;
    if (delivered <= known.delivered && read <= known.read) return;
    this.#due.set(conversation, { delivered, read });
    this.#at ??= now + INTERVAL;
  }

  /** When the next ones are to go. */
  nextAt(): number {
    return this.#at ?? Infinity;
  }

  /** What goes now: as many as a box takes at once; the others follow. */
  flush(now: number): [ConversationId, Marks][] {
    const going = [...this.#due].slice(0, RECEIPTS_AT_ONCE);
    for (const [conversation, marks] of going) {
      this.#due.delete(conversation);
      this.#sent.set(conversation, marks);
    }
    this.#at = this.#due.size > 0 ? now + INTERVAL : null;
    return going;
  }

  /** A new connection: what the last one may have swallowed goes again. */
  reconnected(now: number): void {
    const sent = [...this.#sent];
    this.#sent.clear();
    for (const [conversation, marks] of sent) this.raise(conversation, marks, now);
  }

  /** The conversation is another's affair now, or all are. */
  forget(conversation?: ConversationId): void {
    if (conversation !== undefined) {
      this.#due.delete(conversation);
      this.#sent.delete(conversation);
      return;
    }
    this.#due.clear();
    this.#sent.clear();
    this.#at = null;
  }
}
