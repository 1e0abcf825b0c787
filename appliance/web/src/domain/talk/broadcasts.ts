/** Announcements (README.md, section 19a): which there are, who may write them, and how many have read one. */

import type { Ask, Told } from '../frames.ts';
import { type ConversationId, idOf, parseId, type UnitId, wireId } from '../ids.ts';
import type { Id } from '../snapshot.ts';
import { placeOf } from './changes.ts';

export interface Broadcast {
  /** `null`: the facility's. */
  readonly unit: Id | null;
  /** `null`: nothing was announced yet. */
  readonly conversation: Id | null;
  /** This person may announce there. */
  readonly announces: boolean;
  readonly readers: number;
}

/** Numbers alone, oneself not among them. */
export interface ReadBy {
  readonly readers: number;
  readonly delivered: number;
  readonly read: number;
}

export const BROADCASTS_ASK: Ask = { case: 'listBroadcasts', value: {} };

/** `null`: another answer. */
export function readBroadcasts(told: Told): readonly Broadcast[] | null {
  if (told.case !== 'broadcastList') return null;
  return told.value.broadcasts.map(({ unit, conversation, announces, readers }) => ({ unit: idOf<UnitId>(unit), conversation: idOf<ConversationId>(conversation), announces, readers }));
}

/** Opens them for writing; `null`: the facility's. */
export function openBroadcastAsk(unit: Id | null): Ask {
  return { case: 'openBroadcast', value: { unit: unit === null ? 0n : wireId(parseId<UnitId>(unit)) } };
}

export function readByAsk(conversation: Id, sequence: number): Ask | null {
  const value = placeOf(conversation, sequence);
  return value === null ? null : { case: 'lookAtBroadcast', value };
}

export function readReadBy(told: Told): ReadBy | null {
  if (told.case !== 'broadcastReceipts') return null;
  const { readers, delivered, read } = told.value;
  return { readers, delivered, read };
}
