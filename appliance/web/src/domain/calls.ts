/** What the app asks of the box beside signing in and submitting, and what each was for. */

import type { ConversationId, RoleId, Sequence, StayId, UnitId } from './ids.ts';

export type StatAnswer = 'accept' | 'coming' | 'cannot' | 'close' | 'handBack';

/** What is only looked at: nothing is lost where no answer comes. */
export type Look =
  | { readonly at: 'beds' | 'patients'; readonly unit: UnitId }
  | { readonly at: 'search' | 'lookUp'; readonly number: number }
  | { readonly at: 'tasks' }
  | { readonly at: 'taskText' | 'around'; readonly conversation: ConversationId; readonly sequence: Sequence };

export type CareCall = { readonly of: 'shift'; readonly unit: UnitId } | { readonly of: 'task' | 'availability' };

export type Call =
  | { readonly call: 'history'; readonly conversation: ConversationId }
  | { readonly call: 'prospect'; readonly conversation: ConversationId }
  /** A conversation that is shown once it is there. */
  | { readonly call: 'open' }
  | { readonly call: 'roles' }
  | { readonly call: 'role'; readonly role: RoleId }
  | { readonly call: 'stat'; readonly conversation: ConversationId; readonly sequence: Sequence; readonly answer: StatAnswer }
  | { readonly call: 'react' }
  /** An answer to an order, or a call note. */
  | { readonly call: 'talk' }
  /** By a page that keeps what it knows itself: {@link App.ask}. */
  | { readonly call: 'page'; readonly number: number; /** Whose family it asks about. */ readonly stay?: StayId | null }
  | ({ readonly call: 'look' } & Look)
  | ({ readonly call: 'care' } & CareCall);
