import type { InboxItem, MessageItem } from '../domain/snapshot.ts';

/** Whether a STAT may be offered here: it would ring for family, for all readers of an announcement, or for a role by itself. */
export function takesStat(item: InboxItem): boolean {
  return item.kind !== 'family' && item.kind !== 'broadcast' && item.kind !== 'roleInbox';
}

/** Announcements take no reactions; a STAT that is open takes answers, so that nobody mistakes one for the other. */
export function canReact(item: InboxItem, message: MessageItem): boolean {
  return item.kind !== 'broadcast' && (message.stat === null || message.stat.state === 'closed' || message.stat.state === 'accepted');
}
