import type { Ask } from '../domain/frames.ts';
import type { MessageItem, OpenConversation, Reply, Snapshot } from '../domain/snapshot.ts';
import { NOW, scenes } from './fixtures.ts';

/** Made-up screens of acts in a conversation, and the answers of a made-up box. Everybody in here is invented. */

const base = scenes['conversation'] as Snapshot;
const thread = base.conversation as OpenConversation;
const own = thread.messages.find((one) => one.mine) as MessageItem;

/** A message of one's own that is two minutes old. */
const fresh: MessageItem = { ...own, key: 'fresh', sequence: 400, text: 'Chest tube output 250 ml since midnight, serous.', at: NOW - 120_000, fate: 'delivered', edited: false, edits: 0, replyTo: null };

const within = (over: Partial<OpenConversation>): Snapshot => ({ ...base, conversation: { ...thread, ...over } });

export const talkScenes: Record<string, Snapshot> = {
  talkOwn: within({ messages: [...thread.messages, fresh] }),
};

/** What the made-up box answers. */
export function talkAnswers(body: Ask): Reply | null {
  switch (body.case) {
    case 'editMessage':
      return { reply: 'refused', refusal: { code: 'EDIT_TOO_LATE', advice: '' } };
    default:
      return null;
  }
}
