/** Groups and channels (README.md, section 7): what is typed, how it is asked, and which channels there are. */

import type { ChannelPage } from '../../gen/wardline_pb.js';
import { utf8Length } from '../bytes.ts';
import type { Ask, Told } from '../frames.ts';
import { type AnyId, type ConversationId, idOf, parseId, type PersonId, type UnitId, wireId } from '../ids.ts';
import { MEMBERS_MAX } from '../limits.ts';
import { ownRefusal } from '../refusals.ts';
import type { Id, Refusal } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';
import { readId } from '../wire.ts';

const TITLE_MAX = 80;
/** Channels that a person is shown: 200 of a unit, of units that somebody works in. */
export const CHANNELS_MAX = 2_000;

export interface Channel {
  readonly id: Id;
  readonly unit: Id;
  readonly title: string;
  readonly members: number;
  /** This person is in it. */
  readonly mine: boolean;
  readonly archived: boolean;
}

/** What a group or channel is called: one line that is neither empty nor too long. */
export function parseTitle(typed: string): { readonly title: string } | { readonly fault: Refusal } {
  const title = cleanLine(typed).trim();
  if (title === '') return { fault: ownRefusal('TITLE_EMPTY') };
  return utf8Length(title) > TITLE_MAX ? { fault: ownRefusal('TOO_LARGE') } : { title };
}

/** `null`: nobody is in it, or too many are. */
export function openGroupAsk(title: string, people: readonly Id[]): Ask | null {
  const ids = wireIds<PersonId>(people);
  return ids.length === 0 || ids.length >= MEMBERS_MAX ? null : { case: 'openGroup', value: { title, people: ids } };
}

export function addAsk(conversation: Id, people: readonly Id[]): Ask {
  return { case: 'changeMembers', value: { conversation: wired<ConversationId>(conversation), add: wireIds<PersonId>(people) } };
}

/** Oneself: to leave. */
export function removeAsk(conversation: Id, people: readonly Id[]): Ask {
  return { case: 'changeMembers', value: { conversation: wired<ConversationId>(conversation), remove: wireIds<PersonId>(people) } };
}

export function renameAsk(conversation: Id, title: string): Ask {
  return { case: 'rename', value: { conversation: wired<ConversationId>(conversation), title } };
}

export function archiveAsk(conversation: Id, archived: boolean): Ask {
  return { case: 'archive', value: { conversation: wired<ConversationId>(conversation), archived } };
}

export function openChannelAsk(unit: Id, title: string): Ask {
  return { case: 'openChannel', value: { unit: wired<UnitId>(unit), title } };
}

export function joinAsk(conversation: Id): Ask {
  return { case: 'joinChannel', value: { conversation: wired<ConversationId>(conversation) } };
}

export function channelsAsk(behind: Channel | null): Ask {
  return { case: 'listChannels', value: { after: behind === null ? 0n : wired<ConversationId>(behind.id) } };
}

/** Throws a `WireFault`. */
export function readChannels(page: ChannelPage): readonly Channel[] {
  return page.channels.map((channel) => ({
    id: readId<ConversationId>(channel.conversation),
    unit: readId<UnitId>(channel.unit),
    title: cleanLine(channel.title),
    members: channel.members,
    mine: channel.member,
    archived: channel.archived,
  }));
}

/** The conversation that an answer opens; `null` for any other answer. */
export function openedBy(told: Told | null): ConversationId | null {
  return told?.case === 'opened' ? idOf<ConversationId>(told.value.conversation?.conversation ?? 0n) : null;
}

function wired<I extends AnyId>(id: Id): bigint {
  return wireId(parseId<I>(id));
}

function wireIds<I extends AnyId>(ids: readonly Id[]): bigint[] {
  return ids.map((id) => wired<I>(id)).filter((id) => id !== 0n);
}
