import type { AlarmKind, MessageItem, OpenConversation, Snapshot } from '../domain/snapshot.ts';
import { NOW, scenes } from './fixtures.ts';

/** Made-up screens of what the box itself says. */

const base = scenes['conversation'] as Snapshot;
const thread = base.conversation as OpenConversation;
const first = thread.messages[0] as MessageItem;

let count = 0;
function alarm(kind: AlarmKind, level: number, over = false): MessageItem {
  count += 1;
  const text = 'What the box says, in English.';
  const said: Partial<MessageItem> = { sequence: count, key: `alarm-${count}`, author: 'Wardline box', authorTitle: '', mine: false, stat: null, replyTo: null, reactions: [], attachments: [], fate: null };
  return { ...first, ...said, at: NOW - (20 - count) * 60_000, text, priority: over ? 'routine' : 'urgent', alarm: { kind, level, over } };
}

const messages = [alarm('issuer', 1), alarm('disk', 1), alarm('disk', 2), alarm('disk', 2, true), alarm('keeper', 1)];
const item = { ...thread.item, kind: 'roleInbox' as const, title: 'IT on call', subtitle: 'Wardline box', patient: null, stat: null, unread: 1, section: 'rest' as const };
const row = { ...item, lastText: 'What the box says, in English.', lastAuthor: 'Wardline box' };

export const alarmScenes: Record<string, Snapshot> = {
  alarms: { ...base, conversation: { ...thread, item, older: 'none', messages } },
  alarmsInbox: { ...base, conversation: null, inbox: [{ ...row, lastAlarm: { over: false } }, { ...row, id: '00000000000003ff', unread: 0, lastAlarm: { over: true } }, ...base.inbox] },
};
