/** A STAT that calls somebody who is not in its conversation: that one message, as the box shows it while it calls them. */

import type { Ask, Told } from './frames.ts';
import { type ConversationId, parseId, parseSequence, wireId, wireSequence } from './ids.ts';
import type { At, Id } from './snapshot.ts';
import { readMessage } from './wire.ts';

export interface CalledMessage {
  readonly sender: Id;
  readonly at: At;
  /** Empty where it was recalled. */
  readonly text: string;
}

/** `null` where what is named is no STAT. Each look is on record at the box. */
export function askCalled(conversation: Id, sequence: number): Ask | null {
  const [place, number] = [parseId<ConversationId>(conversation), parseSequence(sequence)];
  if (place === null || number === null) return null;
  return { case: 'readStat', value: { conversation: wireId(place), sequence: wireSequence(number) } };
}

/** `null`: no such message. Throws a `WireFault`. */
export function readCalled(told: Told): CalledMessage | null {
  const [wire] = told.case === 'historyPage' ? told.value.messages : [];
  if (wire === undefined) return null;
  const { sender, at, text, recalled } = readMessage(wire);
  return { sender, at, text: recalled ? '' : text };
}
