/** What the app asks of the box beside signing in and submitting, and what each was for. */

import type { ConversationId, RoleId, Sequence } from './ids.ts';

export type StatAnswer = 'accept' | 'coming' | 'cannot' | 'close' | 'handBack';

export type Call =
  | { readonly call: 'history'; readonly conversation: ConversationId }
  | { readonly call: 'prospect'; readonly conversation: ConversationId }
  /** A conversation that is shown once it is there. */
  | { readonly call: 'open' }
  | { readonly call: 'roles' }
  | { readonly call: 'role'; readonly role: RoleId }
  | { readonly call: 'stat'; readonly conversation: ConversationId; readonly sequence: Sequence; readonly answer: StatAnswer }
  | { readonly call: 'react' };
