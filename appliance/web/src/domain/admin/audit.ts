/** The audit log, as a privacy officer reads it: a page at a time, newest first. What a kind of act is called is for the words. */

import { AuditActor, ConversationKind as WireKind } from '../../gen/wardline_pb.js';
import type { AuditName, AuditPart } from '../../gen/wardline_pb.js';
import { type AnyId, type DeviceId, idOf, momentOf, type PersonId, wireId } from '../ids.ts';
import type { At } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';
import { answer, type Asks } from './asking.ts';

/** Kinds of acts by what they are about; every one that the box has is in one of these. */
export const ACT_GROUPS = {
  access: [5, 6, 7, 8, 9, 10, 11, 20, 21, 23, 340, 341, 342, 350, 360, 361, 362, 363, 390, 391, 392],
  people: [0, 1, 2, 3, 4, 22, 24, 25, 26, 27, 43, 130, 131, 132, 133, 135, 136, 137],
  reading: [17, 18, 41, 74, 81, 90, 152, 184, 222, 223, 253, 260, 327, 344, 345, 370, 371],
  messages: [12, 13, 14, 15, 16, 17, 18, 19, 28, 29, 30, 110, 111, 160, 161, 180, 181, 182, 183, 184, 300, 301, 302],
  stats: [31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 127, 202, 260, 327],
  patients: [60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 74, 220, 221, 222, 370],
  emergencies: [78, 79, 80, 81, 140, 141, 142, 143, 144, 145, 146],
  shifts: [72, 73, 75, 76, 77, 120, 121, 122, 123, 124, 125, 126, 134, 200, 201, 303, 320, 321, 322, 323, 324, 325, 326],
  work: [280, 281, 282, 283, 290, 291, 292, 293, 294, 295],
  family: [240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253],
  policies: [42, 150, 151, 152, 153, 162, 185, 295, 305, 306, 326, 343, 344, 345, 346, 371, 400, 401, 402, 410, 411, 412],
} as const;
export type ActGroup = keyof typeof ACT_GROUPS;

/** Pages of one file: below what the box lets one ask at once. */
export const FILE_PAGES_MAX = 50;
/** Entries of one file. */
export const FILE_MAX = FILE_PAGES_MAX * 100;

export interface AuditFilter {
  readonly person: PersonId | null;
  /** Empty: any. */
  readonly recordNumber: string;
  readonly group: ActGroup | null;
  /** From then on, and before then; 0: whenever. */
  readonly since: At;
  readonly until: At;
}

export const EVERYTHING: AuditFilter = { person: null, recordNumber: '', group: null, since: 0, until: 0 };

export type Part =
  | { readonly part: 'person' | 'device' | 'unit' | 'role' | 'patient' | 'encounter' | 'conversation'; readonly id: string }
  | { readonly part: 'number' | 'sequence' | 'at'; readonly value: number }
  | { readonly part: 'none' | 'thing' };

export interface Entry {
  readonly index: number;
  readonly at: At;
  readonly actor: 'box' | 'person' | 'service' | 'unproven';
  readonly person: PersonId | null;
  readonly device: DeviceId | null;
  readonly act: number;
  readonly parts: readonly Part[];
}

export type PlaceKind = 'direct' | 'group' | 'channel' | 'patient' | 'family' | 'role' | 'broadcast' | 'other';

/** What an identifier stands for. `about`: the patient of a stay or a thread, the person of a device. */
export interface Known {
  readonly name: string;
  readonly about: string | null;
  readonly kind: PlaceKind;
}

export interface AuditPage {
  readonly entries: readonly Entry[];
  /** What is before it is another page. */
  readonly before: number;
  readonly end: boolean;
  readonly lookedBackTo: At;
  /** By sort and identifier: {@link nameKey}. */
  readonly names: ReadonlyMap<string, Known>;
}

export const nameKey = (sort: string, id: string | null): string => `${sort} ${id ?? ''}`;

const ACTORS: Partial<Record<AuditActor, Entry['actor']>> = { [AuditActor.BOX]: 'box', [AuditActor.PERSON]: 'person', [AuditActor.SERVICE]: 'service' };
const KINDS: Partial<Record<WireKind, PlaceKind>> = {
  [WireKind.DIRECT]: 'direct',
  [WireKind.GROUP]: 'group',
  [WireKind.CHANNEL]: 'channel',
  [WireKind.PATIENT]: 'patient',
  [WireKind.FAMILY]: 'family',
  [WireKind.ROLE]: 'role',
  [WireKind.BROADCAST]: 'broadcast',
};

/** `before` 0: from the newest. */
export async function readAudit(asks: Asks, filter: AuditFilter, before: number): Promise<AuditPage> {
  const value = {
    before: BigInt(before),
    person: wireId(filter.person),
    recordNumber: filter.recordNumber.trim(),
    acts: filter.group === null ? [] : [...ACT_GROUPS[filter.group]],
    since: BigInt(filter.since),
    until: BigInt(filter.until),
  };
  const page = await answer(asks, { case: 'readAudit', value }, 'auditPage');
  return {
    entries: page.entries.map((one): Entry => ({
      index: Number(one.index),
      at: momentOf(one.at),
      actor: ACTORS[one.actor] ?? 'unproven',
      person: idOf(one.person),
      device: idOf(one.device),
      act: one.act,
      parts: one.parts.map(readPart),
    })),
    before: Number(page.before),
    end: page.end,
    lookedBackTo: momentOf(page.lookedBackTo),
    names: new Map(page.names.flatMap(readName)),
  };
}

function readPart({ part }: AuditPart): Part {
  if (part.case === 'number' || part.case === 'sequence') return { part: part.case, value: Number(part.value) };
  if (part.case === 'at') return { part: 'at', value: momentOf(part.value) };
  if (part.case === undefined || part.case === 'none') return { part: 'none' };
  const id = part.case === 'thing' ? null : idOf<AnyId>(part.value);
  return part.case === 'thing' || id === null ? { part: 'thing' } : { part: part.case, id };
}

function readName(one: AuditName): [string, Known][] {
  if (one.of.case === undefined) return [];
  const id = idOf<AnyId>(one.of.value);
  return [[nameKey(one.of.case, id), { name: cleanLine(one.name), about: idOf<AnyId>(one.about), kind: KINDS[one.kind] ?? 'other' }]];
}

/** What fits, page by page, as far as one file goes. */
export async function readForFile(asks: Asks, filter: AuditFilter, progress: (entries: number) => void): Promise<{ entries: readonly Entry[]; names: ReadonlyMap<string, Known>; isWhole: boolean }> {
  const entries: Entry[] = [];
  const names = new Map<string, Known>();
  for (let [before, count] = [0, 0]; count < FILE_PAGES_MAX; count++) {
    const page = await readAudit(asks, filter, before);
    entries.push(...page.entries);
    for (const [key, known] of page.names) names.set(key, known);
    progress(entries.length);
    // A box that does not lead on would be asked for ever.
    if (page.end || (before !== 0 && page.before >= before)) return { entries, names, isWhole: true };
    before = page.before;
  }
  return { entries, names, isWhole: false };
}

/** Where a cell begins as some spreadsheet reads it, and a formula in it: their lists have semicolons or tabs where a country's do. */
const FORMULA = /(^|[;\t])(?=[\s"]*[=+\-@＝＋－＠])/g;

/** A cell of a table, on one line: quoted where it has to be, and never a formula of a spreadsheet. */
export function csvCell(text: string): string {
  const safe = text.replace(/[\r\n]+/g, ' ').replace(FORMULA, "$1'");
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
