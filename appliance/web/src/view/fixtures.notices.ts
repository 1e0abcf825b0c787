import type { NoticeItem, OpenConversation, Snapshot } from '../domain/snapshot.ts';
import { NOW, scenes } from './fixtures.ts';

/** Made-up screens of what moves in a patient's thread. Everybody in here is invented. */

const base = scenes['conversation'] as Snapshot;
const thread = base.conversation as OpenConversation;
const DAY = 86_400_000;

let count = 0;
function told(over: Partial<NoticeItem> & Pick<NoticeItem, 'kind'>): NoticeItem {
  count += 1;
  return { number: count, at: NOW - 40 * 60_000 + count * 10_000, person: '', by: '', reason: null, unit: '', bed: '', until: 0, ...over };
}

const early: readonly NoticeItem[] = [
  told({ kind: 'admitted', at: NOW - 2 * DAY, unit: '4 West', bed: '412-B', by: 'Dana Whitfield' }),
  told({ kind: 'attending', at: NOW - 2 * DAY + 60_000, person: 'Ben Okafor' }),
  told({ kind: 'entered', at: NOW - 2 * DAY + 60_000, person: 'Ana Ruiz', reason: 'bed', until: NOW - 2 * DAY + 8 * 3_600_000 }),
  told({ kind: 'emergencyBegan', at: NOW - DAY, person: 'Carla Méndez', until: NOW - DAY + 3_600_000 }),
  told({ kind: 'emergencyEnded', at: NOW - DAY + 3_600_000, person: 'Carla Méndez' }),
];
const between: readonly NoticeItem[] = [
  told({ kind: 'moved', unit: 'ICU', bed: '2', by: 'Dana Whitfield' }),
  told({ kind: 'hasBed', person: 'Carla Méndez', until: NOW + 4 * 3_600_000 }),
  told({ kind: 'stays', person: 'Ana Ruiz', until: NOW + 3_600_000 }),
  told({ kind: 'recordsMerged', by: 'Ana Ruiz' }),
];
const late: readonly NoticeItem[] = [
  told({ kind: 'familyConsented', by: 'Ana Ruiz' }),
  told({ kind: 'familyAsked' }),
  told({ kind: 'entered', person: `\u202e<b>Viktor</b> ${'x'.repeat(90)}`, reason: 'byHand', by: 'Ana Ruiz' }),
  told({ kind: 'discharged', by: 'Ben Okafor' }),
];

const visit = { waiting: 1, until: NOW + 3_600_000 };
const messages = thread.messages.map((message, at, all) => (at === 1 ? { ...message, notices: between } : at === all.length - 1 ? { ...message, notices: late } : message));
const conversation: OpenConversation = { ...thread, older: 'none', before: early, messages };

export const noticeScenes: Record<string, Snapshot> = {
  notices: { ...base, conversation },
  noticesAlone: { ...base, conversation: { ...conversation, messages: [], item: { ...thread.item, unread: 0 } } },
  noticesVisit: { ...base, conversation: { ...conversation, item: { ...conversation.item, visit } } },
  noticesInbox: { ...base, conversation: null, inbox: base.inbox.map((item, at) => (at === 0 ? { ...item, visit } : at === 1 ? { ...item, visit: { ...visit, waiting: 2 } } : item)) },
};
