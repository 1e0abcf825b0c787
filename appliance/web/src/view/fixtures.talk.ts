import type { MessageItem, OpenConversation, Snapshot } from '../domain/snapshot.ts';
import { NOW, scenes } from './fixtures.ts';

/** Made-up screens of acts in a conversation. Everybody in here is invented. */

const base = scenes['conversation'] as Snapshot;
const thread = base.conversation as OpenConversation;
const own = thread.messages.find((one) => one.mine) as MessageItem;

/** A message of one's own that is two minutes old. */
const fresh: MessageItem = { ...own, key: 'fresh', sequence: 400, text: 'Chest tube output 250 ml since midnight, serous.', at: NOW - 120_000, fate: 'delivered', edited: false, edits: 0, replyTo: null };

const group = { ...thread.item, patient: null, stat: null, kind: 'group', title: 'Tracheostomy round', subtitle: '', section: 'rest' } as const;

const within = (over: Partial<OpenConversation>): Snapshot => ({ ...base, conversation: { ...thread, ...over } });

export const talkScenes: Record<string, Snapshot> = {
  talkOwn: within({ messages: [...thread.messages, fresh] }),
  talkGroup: within({ item: group, messages: thread.messages.slice(0, 3) }),
  talkChannel: within({ item: { ...group, kind: 'channel', title: '4 West nights', subtitle: '4 West' }, people: thread.people.slice(0, 2), messages: thread.messages.slice(0, 3) }),
  talkArchived: within({ item: group, messages: thread.messages.slice(0, 3), writable: false }),
};
