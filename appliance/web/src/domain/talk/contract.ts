/** Acts in a conversation that the device signs, and orders by text. A part of the contract in `../snapshot.ts`, under the same rules. */

import type { Id } from '../snapshot.ts';

export type OrderDeed = 'give' | 'correct' | 'cancel' | 'readBack';

export type TalkAct =
  /** An order by text, or the read-back of one: `of` is the order that it is about, 0 of one that is given; `to`: whom it is for, `null`: the care team. */
  | { readonly act: 'order'; readonly conversation: Id; readonly text: string; readonly deed: OrderDeed; readonly of: number; readonly to: Id | null }
  /** What its author says to the read-back in that message. */
  | { readonly act: 'answerOrder'; readonly conversation: Id; readonly sequence: number; readonly readBack: number; readonly right: boolean }
  /** Somebody was reached by telephone about a STAT, so many minutes ago. */
  | { readonly act: 'callNote'; readonly conversation: Id; readonly sequence: number; readonly ago: number; readonly readBack: boolean; readonly reached: Id | null; readonly role: string; readonly name: string };

/** An order by text, as its message shows it. */
export interface OrderShown {
  readonly sort: 'give' | 'correct' | 'cancel' | 'readBack';
  /** `sending`: the box has not taken it. */
  readonly state: 'sending' | 'given' | 'readBack' | 'confirmed' | 'wrong';
  /** Whom it is for; empty: anybody of the care team. */
  readonly to: string;
  /** Who read it back last, in which message, and in which words. */
  readonly by: string;
  readonly readBack: number;
  readonly readBackText: string;
  /** A later order corrects or cancels it: it is not to be done. */
  readonly replaced: boolean;
  readonly filed: boolean;
  readonly may: readonly ('readBack' | 'answer' | 'correct' | 'cancel' | 'file')[];
}
