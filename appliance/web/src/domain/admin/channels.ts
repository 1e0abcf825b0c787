/** The channels of all units, as whoever administers sees them: what they are called, how many are in them, and no word of what is said. */

import { type ConversationId, parseId, type UnitId, wireId } from '../ids.ts';
import { archiveAsk, type Channel, openChannelAsk, readChannels, renameAsk } from '../talk/groups.ts';
import { answer, type Asks } from './asking.ts';

export interface ChannelsPage {
  readonly channels: readonly Channel[];
  readonly end: boolean;
}

/** The page behind `after`; of one unit, or of all. */
export async function listAllChannels(asks: Asks, unit: UnitId | null, after: Channel | null): Promise<ChannelsPage> {
  const value = { unit: wireId(unit), after: wireId(after === null ? null : parseId<ConversationId>(after.id)) };
  const page = await answer(asks, { case: 'listAllChannels', value }, 'channelPage');
  // A box that says neither "end" nor anything else would be asked for ever.
  return { channels: readChannels(page), end: page.end || page.channels.length === 0 };
}

/** One for whoever works there: an administrator who works elsewhere is not in it. */
export async function openChannel(asks: Asks, unit: UnitId, title: string): Promise<void> {
  const reply = await asks(openChannelAsk(unit, title));
  // Whoever works there is in it, and is shown it.
  if (reply.reply === 'answer' && reply.body.case === 'opened') return;
  await answer(() => Promise.resolve(reply), openChannelAsk(unit, title), 'done');
}

export async function renameChannel(asks: Asks, channel: Channel, title: string): Promise<void> {
  await answer(asks, renameAsk(channel.id, title), 'done');
}

export async function archiveChannel(asks: Asks, channel: Channel, archived: boolean): Promise<void> {
  await answer(asks, archiveAsk(channel.id, archived), 'done');
}
