import { CHANNELS_MAX, channelsAsk, readChannels, type Channel } from '../../../domain/talk/groups.ts';
import type { Doing } from './doing.svelte.ts';

/** The channels of one's units, page by page. */
export class Channels {
  /** `null`: not known yet. */
  list = $state.raw<readonly Channel[] | null>(null);

  async load(doing: Doing): Promise<void> {
    const found: Channel[] = [];
    for (;;) {
      const page = await doing.read(channelsAsk(found.at(-1) ?? null), (told) => (told.case === 'channelPage' ? { channels: readChannels(told.value), end: told.value.end } : null));
      if (page === null) return;
      found.push(...page.channels);
      if (page.end || page.channels.length === 0 || found.length >= CHANNELS_MAX) break;
    }
    this.list = found;
  }
}
