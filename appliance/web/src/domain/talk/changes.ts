/** Another text for one's own message, and its recall (README.md, section 5): what may be offered, and how it is asked. */

import { utf8Length } from '../bytes.ts';
import type { Ask } from '../frames.ts';
import { parseId, parseSequence, type ConversationId, wireId, wireSequence } from '../ids.ts';
import { TEXT_MAX } from '../limits.ts';
import { ownRefusal } from '../refusals.ts';
import type { At, Id, MessageItem, Refusal } from '../snapshot.ts';

const EDIT_MAX = 15 * 60_000;
const RECALL_MAX = 24 * 3_600_000;
const EDITS_MAX = 10;
/** Devices' clocks differ from the box's, which has the last word: rather offered and refused than not offered. */
const CLOCKS_APART = 120_000;

/** A text that may be sent: `typed` without what is blank around it. */
export type MessageText = { readonly text: string } | { readonly fault: Refusal };

export function parseText(typed: string): MessageText {
  const text = typed.trim();
  if (text === '') return { fault: ownRefusal('TEXT_EMPTY') };
  return utf8Length(text) > TEXT_MAX ? { fault: ownRefusal('TOO_LARGE') } : { text };
}

export function mayEdit(message: MessageItem, writable: boolean, now: At): boolean {
  return isOwn(message) && writable && message.priority !== 'stat' && message.edits < EDITS_MAX && now - message.at < EDIT_MAX + CLOCKS_APART;
}

/** In an archived conversation too. */
export function mayRecall(message: MessageItem, now: At): boolean {
  return isOwn(message) && now - message.at < RECALL_MAX + CLOCKS_APART;
}

/** `edit`: 16 random bytes, the same in every retry of the same text. */
export function editAsk(conversation: Id, message: MessageItem, text: string, edit: Uint8Array): Ask | null {
  const value = placeOf(conversation, message.sequence);
  return value === null ? null : { case: 'editMessage', value: { ...value, version: message.edits + 1, edit, text } };
}

export function recallAsk(conversation: Id, message: MessageItem): Ask | null {
  const value = placeOf(conversation, message.sequence);
  return value === null ? null : { case: 'recallMessage', value };
}

/** Where a message stands, for the wire. */
export function placeOf(conversation: Id, at: number): { readonly conversation: bigint; readonly sequence: bigint } | null {
  const [id, sequence] = [parseId<ConversationId>(conversation), parseSequence(at)];
  return id === null || sequence === null ? null : { conversation: wireId(id), sequence: wireSequence(sequence) };
}

function isOwn(message: MessageItem): boolean {
  return message.mine && message.sequence > 0 && !message.recalled && message.order === null;
}
