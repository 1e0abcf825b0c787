/** Writing to a role (README.md, section 19): who would read it now, before it is written. */

import { type Prospective, Reach } from '../../gen/wardline_pb.js';
import type { Ask, Told } from '../frames.ts';
import { type ConversationId, idOf, momentOf, parseId, type PersonId, type RoleId, wireId } from '../ids.ts';
import type { At, Id, Role } from '../snapshot.ts';
import { readId } from '../wire.ts';

/** As many as a place for names takes; more nobody reads. */
const READERS_MAX = 16;

export interface Reader {
  readonly person: Id;
  readonly reach: 'open' | 'bell' | 'none';
}

/** Who would read what is written to a role, as of when it was asked: no promise. */
export interface RoleReaders {
  readonly role: Id;
  /** In the order in which they are asked. None: nobody else holds it. */
  readonly holders: readonly Reader[];
  /** Where nobody holds it: who reads it until somebody does. None: it waits. */
  readonly cover: readonly Reader[];
  /** Where nobody holds it: when somebody will; 0: not in the next two weeks. */
  readonly next: At;
  /** One's own conversation with it. */
  readonly conversation: Id | null;
  /** Holds it oneself. */
  readonly own: boolean;
}

export function lookAsk(role: Id): Ask {
  return { case: 'lookAtRoleInbox', value: { role: wireId(parseId<RoleId>(role)) } };
}

export function finishAsk(conversation: Id): Ask {
  return { case: 'finishRoleInbox', value: { conversation: wireId(parseId<ConversationId>(conversation)) } };
}

/** `null`: another answer. Throws a `WireFault`. */
export function readReaders(told: Told): RoleReaders | null {
  if (told.case !== 'roleInboxShown') return null;
  const { role, holders, cover, next, conversation, own } = told.value;
  return {
    role: readId<RoleId>(role),
    holders: holders.slice(0, READERS_MAX).map(readReader),
    cover: cover.slice(0, READERS_MAX).map(readReader),
    next: momentOf(next),
    conversation: idOf<ConversationId>(conversation),
    own,
  };
}

/** Which role a conversation is with: it has the role's name, and, for whoever writes, the role's unit below it. */
export function roleOf(title: string, unit: string, roles: readonly Role[]): Role | null {
  const named = roles.filter((role) => role.name === title);
  return named.find((role) => role.unit === unit) ?? (named.length === 1 ? (named[0] ?? null) : null);
}

function readReader(wire: Prospective): Reader {
  return { person: readId<PersonId>(wire.person), reach: wire.reach === Reach.APP_OPEN ? 'open' : wire.reach === Reach.BELL_ONLY ? 'bell' : 'none' };
}
