/**
 * What a person has begun to write and not sent, by conversation. In memory while the app is open; on the disk sealed under a key that the box
 * gives with each lease (README.md, "Drafts"), so that neither a new version nor a killed app loses it, and nobody reads it without the box.
 *
 * Nothing is written before what the disk has was read: it would take its place.
 */

import type { Bytes } from './bytes.ts';
import type { ConversationId } from './ids.ts';
import { DRAFTS_MAX, TEXT_MAX } from './limits.ts';

/** How long what is typed may be in memory alone. Milliseconds. */
const KEEP_AFTER = 1_000;

export type DraftsKept = readonly (readonly [ConversationId, string])[];

export class Drafts {
  /** The newest last. */
  #texts = new Map<ConversationId, string>();
  #key: Bytes | null = null;
  /** Whether what the disk has is in memory too: not yet, asked for, yes. */
  #read: 'no' | 'asked' | 'yes' = 'no';
  /** Since when memory has what the disk has not. */
  #changed: number | null = null;

  of(conversation: ConversationId): string {
    return this.#texts.get(conversation) ?? '';
  }

  set(conversation: ConversationId, text: string, steady: number): void {
    if (text === '' && !this.#texts.has(conversation)) return;
    this.#texts.delete(conversation);
    // What is too long to be sent is cut where it could still be: in code units, which are never more than bytes.
    if (text !== '') this.#texts.set(conversation, text.slice(0, TEXT_MAX));
    const [oldest] = this.#texts.keys();
    if (this.#texts.size > DRAFTS_MAX && oldest !== undefined) this.#texts.delete(oldest);
    this.#changed ??= steady;
  }

  /** A session is open, and this is its lease's; `null`: the box has none to give. True: the disk is to be read. */
  open(key: Bytes | null): boolean {
    this.#key = key;
    if (key === null || this.#read !== 'no') return false;
    this.#read = 'asked';
    return true;
  }

  /** What the disk had. What was typed meanwhile is newer. */
  restored(kept: DraftsKept): void {
    if (this.#read !== 'asked') return;
    this.#read = 'yes';
    const typed = this.#texts;
    this.#texts = new Map(kept.slice(-DRAFTS_MAX));
    for (const [conversation, text] of typed) {
      this.#texts.delete(conversation);
      this.#texts.set(conversation, text);
    }
  }

  nextAt(): number {
    return this.#changed !== null && this.#key !== null && this.#read === 'yes' ? this.#changed + KEEP_AFTER : Infinity;
  }

  /** What is to be written now, under which key; `atOnce`: the page may be gone the next moment. */
  take(steady: number, atOnce: boolean): { readonly key: Bytes; readonly drafts: DraftsKept } | null {
    const due = this.nextAt();
    if (this.#key === null || due === Infinity || (!atOnce && steady < due)) return null;
    this.#changed = null;
    return { key: this.#key, drafts: [...this.#texts] };
  }

  /** Nothing of it stays in memory. */
  forget(): void {
    this.#texts.clear();
    this.#key = null;
    this.#read = 'no';
    this.#changed = null;
  }
}
