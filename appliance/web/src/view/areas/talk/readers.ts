import type { Person } from '../../../domain/snapshot.ts';
import type { Reader, RoleReaders } from '../../../domain/talk/roles.ts';
import { locale, t } from '../../../words/words.svelte.ts';
import { names } from '../../text.ts';
import { words } from './words.ts';

/** Readers by name; of whom the directory does not know there is nothing to say. */
export function readersLine(readers: readonly Reader[], people: readonly Person[]): string {
  const known = readers.map((reader) => people.find((person) => person.id === reader.person)?.name ?? '').filter((name) => name !== '');
  return names(known, locale(), t().app.and);
}

/** When somebody holds a role that nobody holds. */
export function nextLine(readers: RoleReaders): string {
  return readers.next === 0 ? words().role.noNext : words().role.next(new Intl.DateTimeFormat(locale(), { weekday: 'long', hour: 'numeric', minute: '2-digit' }).format(readers.next));
}

