import type { MessageItem, OpenConversation, Snapshot } from '../domain/snapshot.ts';
import type { OrderShown } from '../domain/talk/contract.ts';
import { NOW, scenes } from './fixtures.ts';

/** Made-up screens of acts in a conversation. Everybody in here is invented. */

const base = scenes['conversation'] as Snapshot;
const thread = base.conversation as OpenConversation;
const own = thread.messages.find((one) => one.mine) as MessageItem;

/** A message of one's own that is two minutes old. */
const fresh: MessageItem = { ...own, key: 'fresh', sequence: 400, text: 'Chest tube output 250 ml since midnight, serous.', at: NOW - 120_000, fate: 'delivered', edited: false, edits: 0, replyTo: null };

const group = { ...thread.item, patient: null, stat: null, kind: 'group', title: 'Tracheostomy round', subtitle: '', section: 'rest' } as const;

const roleItem = { ...group, id: '0000000000000306', kind: 'roleInbox', title: 'Pharmacist on call', subtitle: 'ICU' } as const;

const alarm = (sequence: number, priority: MessageItem['priority'], said: NonNullable<MessageItem['alarm']>): MessageItem => ({
  ...fresh, key: `alarm${sequence}`, sequence, priority, alarm: said, author: 'Wardline box', authorTitle: '', mine: false, fate: null, text: 'In English.',
});

const order: OrderShown = { sort: 'give', state: 'given', to: '', by: '', readBack: 0, readBackText: '', replaced: false, filed: false, may: ['readBack'] };
const ordered = (sequence: number, text: string, over: Partial<OrderShown>): MessageItem => ({ ...own, key: `o${sequence}`, sequence, text, replyTo: null, edited: false, edits: 0, at: NOW - 600_000, order: { ...order, ...over } });
const orders: readonly MessageItem[] = [
  { ...ordered(401, 'Furosemide 40 mg IV now', { to: 'Ana Ruiz' }), mine: false, fate: null, author: 'Ben Okafor' },
  ordered(402, 'Paracetamol 500 mg by mouth now', { state: 'readBack', by: 'Dana Whitfield', readBack: 403, readBackText: 'Paracetamol, five hundred milligrams by mouth, now', may: ['answer', 'correct', 'cancel'] }),
  ordered(404, 'Heparin 5000 units', { state: 'confirmed', by: 'Dana Whitfield', replaced: true, may: ['file'] }),
  { ...ordered(0, 'Potassium 20 mmol', { state: 'sending', may: [] }), fate: 'failed', refusal: { code: 'ORDER_NOT_SENT', advice: '' } },
];

const within = (over: Partial<OpenConversation>): Snapshot => ({ ...base, conversation: { ...thread, ...over } });

export const talkScenes: Record<string, Snapshot> = {
  talkOwn: within({ messages: [...thread.messages, fresh] }),
  talkGroup: within({ item: group, messages: thread.messages.slice(0, 3) }),
  talkChannel: within({ item: { ...group, kind: 'channel', title: '4 West nights', subtitle: '4 West' }, people: thread.people.slice(0, 2), messages: thread.messages.slice(0, 3) }),
  talkRole: within({ item: roleItem, messages: thread.messages.slice(0, 2), people: thread.people.slice(0, 3) }),
  talkRoleNobody: within({ item: { ...roleItem, title: 'Rapid response nurse', subtitle: '4 West' }, messages: [], people: thread.people.slice(0, 3) }),
  talkAlarms: {
    ...base,
    me: base.me === null ? null : { ...base.me, administrator: true },
    conversation: {
      ...thread,
      item: { ...roleItem, title: 'IT on call', subtitle: 'Wardline box', ofBox: true },
      people: thread.people.slice(0, 1),
      messages: [
        alarm(1, 'routine', { kind: 'name', level: 3, over: true }),
        alarm(2, 'urgent', { kind: 'keeper', level: 1, over: false }),
        { ...alarm(3, 'urgent', { kind: null, level: 1, over: false }), text: 'The fan of the box stands still. Call support today.' },
      ],
    },
  },
  talkRoleDone: within({ item: roleItem, messages: thread.messages.slice(0, 2), writable: false }),
  talkAnnounced: within({ item: { ...group, kind: 'broadcast', title: 'Announcements', subtitle: '4 West' }, messages: [fresh], people: thread.people.slice(0, 1) }),
  talkOrders: within({ messages: orders }),
  talkArchived: within({ item: group, messages: thread.messages.slice(0, 3), writable: false }),
};
