import { type Entry, type Known, nameKey, type Part } from '../../../../domain/admin/audit.ts';
import type { auditEn } from '../../../../words/areas/audit.en.ts';

/** One entry of the audit log as a sentence: the kind's own, with who, whom and what put into it. */
export interface Telling {
  readonly words: typeof auditEn;
  readonly names: ReadonlyMap<string, Known>;
  /** How a name stands in a sentence. */
  readonly named: (name: string) => string;
  readonly moment: (at: number) => string;
}

/** `{who}`, `{0}`, `{0|words for nothing}`, `{0:word for 0|word for 1|…}`. */
const PLACE = /\{(who|\d)(?:([|:])([^}]*))?\}/g;

export function says(entry: Entry, how: Telling): string {
  const sentence = how.words.acts[entry.act] ?? how.words.unknownAct(entry.act);
  return sentence.replaceAll(PLACE, (_, which: string, sort: string | undefined, words: string | undefined) => {
    if (which === 'who') return who(entry, how);
    const part = entry.parts[Number(which)];
    if (part === undefined || part.part === 'none') return sort === '|' ? (words ?? '') : how.words.nothing;
    if (sort === ':' && part.part === 'number') return words?.split('|')[part.value] ?? String(part.value);
    return phrase(part, how);
  });
}

export function who(entry: Entry, how: Telling): string {
  return entry.actor === 'person' ? nameOf('person', entry.person, how) : how.words.actors[entry.actor];
}

/** What the device is called that somebody acted on; empty: none. */
export function deviceName(entry: Entry, how: Telling): string {
  const known = how.names.get(nameKey('device', entry.device));
  return known === undefined ? '' : how.named(known.name);
}

function nameOf(sort: string, id: string | null, { names, named, words }: Telling): string {
  const name = names.get(nameKey(sort, id))?.name ?? '';
  return name === '' ? (sort === 'patient' ? words.somePatient : words.somebody) : named(name);
}

function phrase(part: Part, how: Telling): string {
  switch (part.part) {
    case 'none':
    case 'thing':
      return how.words.nothing;
    case 'number':
    case 'sequence':
      return String(part.value);
    case 'at':
      return how.moment(part.value);
    case 'person':
    case 'unit':
    case 'role':
    case 'patient':
      return nameOf(part.part, part.id, how);
    case 'encounter':
      return nameOf('patient', how.names.get(nameKey('encounter', part.id))?.about ?? null, how);
    case 'device': {
      const known = how.names.get(nameKey('device', part.id));
      return how.words.device(how.named(known?.name ?? part.id), nameOf('person', known?.about ?? null, how));
    }
    case 'conversation': {
      const known = how.names.get(nameKey('conversation', part.id));
      const kind = known?.kind ?? 'other';
      return kind === 'patient' || kind === 'family' ? how.words.places[kind](nameOf('patient', known?.about ?? null, how)) : how.words.places[kind];
    }
  }
}
