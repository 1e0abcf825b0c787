import type { OpenConversation, Snapshot } from '../domain/snapshot.ts';
import { scenes } from './fixtures.ts';

/** Made-up rows of what the box itself says; how it is read stands in `fixtures.talk.ts`. */

const base = scenes['conversation'] as Snapshot;
const { item } = base.conversation as OpenConversation;
const row = {
  ...item,
  kind: 'roleInbox',
  title: 'IT on call',
  subtitle: 'Wardline box',
  ofBox: true,
  patient: null,
  stat: null,
  lastText: 'What the box says, in English.',
  lastAuthor: 'Wardline box',
} as const;

export const alarmScenes: Record<string, Snapshot> = {
  alarmsInbox: {
    ...base,
    conversation: null,
    inbox: [{ ...row, unread: 1, section: 'mentions', lastAlarm: { over: false } }, { ...row, id: '00000000000003ff', unread: 0, section: 'rest', lastAlarm: { over: true } }, ...base.inbox],
  },
};
