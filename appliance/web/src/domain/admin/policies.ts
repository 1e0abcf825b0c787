/** What holds for the whole facility: how long messages are kept, which files are taken, who announces. */

import type { MessageInitShape } from '@bufbuild/protobuf';

import { ConversationKind, type RetentionRulesSchema } from '../../gen/wardline_pb.js';
import { idOf, type PersonId, wireId } from '../ids.ts';
import { answer, type Asks } from './asking.ts';

export const KEPT_KINDS = ['direct', 'group', 'channel', 'patient'] as const;
export type KeptKind = (typeof KEPT_KINDS)[number];
/** Hours, by kind of conversation. */
export type Retention = Readonly<Record<KeptKind, number>>;

/** What would go of one kind. */
export interface WouldGo {
  readonly kind: KeptKind | 'other';
  readonly messages: number;
  readonly conversations: number;
  readonly held: number;
}

const HOURS_MAX = 87_600;
const UNEVEN_MAX = 128;

export async function readRetention(asks: Asks): Promise<{ rules: Retention; standard: boolean }> {
  const { rules, standard } = await answer(asks, { case: 'listRetention', value: {} }, 'retentionPolicy');
  return { rules: { direct: rules?.direct ?? 0, group: rules?.group ?? 0, channel: rules?.channel ?? 0, patient: rules?.patient ?? 0 }, standard };
}

/** What would go if these rules held; nothing is changed. */
export async function previewRetention(asks: Asks, rules: Retention): Promise<readonly WouldGo[]> {
  const { kinds } = await answer(asks, { case: 'previewRetention', value: { rules: wireRules(rules) } }, 'retentionPreview');
  return kinds.map((one) => ({ kind: KINDS.get(one.kind) ?? 'other', messages: Number(one.messages), conversations: one.conversations, held: one.held }));
}

export async function setRetention(asks: Asks, rules: Retention): Promise<void> {
  await answer(asks, { case: 'setRetention', value: { rules: wireRules(rules) } }, 'done');
}

export function retentionFault(rules: Retention): 'range' | 'uneven' | null {
  const hours = KEPT_KINDS.map((kind) => rules[kind]);
  if (hours.some((one) => !Number.isInteger(one) || one < 1 || one > HOURS_MAX)) return 'range';
  return Math.max(...hours) > UNEVEN_MAX * Math.min(...hours) ? 'uneven' : null;
}

/** "30", days, or with `h` hours; `null` for what is neither. */
export function hoursOf(text: string): number | null {
  const [, number = '', unit = ''] = /^\s*(\d{1,5})\s*([dh]?)\s*$/i.exec(text) ?? [];
  if (number === '') return null;
  return Number(number) * (unit.toLowerCase() === 'h' ? 1 : 24);
}

export function daysText(hours: number): string {
  return hours % 24 === 0 ? String(hours / 24) : `${hours}h`;
}

const KINDS = new Map<ConversationKind, KeptKind>([
  [ConversationKind.DIRECT, 'direct'],
  [ConversationKind.GROUP, 'group'],
  [ConversationKind.CHANNEL, 'channel'],
  [ConversationKind.PATIENT, 'patient'],
]);

function wireRules(rules: Retention): MessageInitShape<typeof RetentionRulesSchema> {
  return { direct: rules.direct, group: rules.group, channel: rules.channel, patient: rules.patient };
}

/** The largest file of each sort, in bytes; 0: none is taken. */
export interface FileLimits {
  readonly photo: number;
  readonly document: number;
  readonly audio: number;
}

export const MEBIBYTE = 1_048_576;
export const FILE_MIB_MAX = 64;

export async function readFileLimits(asks: Asks): Promise<FileLimits> {
  const { photo, document: paper, audio } = await answer(asks, { case: 'listAttachmentPolicy', value: {} }, 'attachmentPolicy');
  return { photo: Number(photo), document: Number(paper), audio: Number(audio) };
}

export async function setFileLimits(asks: Asks, limits: FileLimits): Promise<void> {
  const value = { photo: BigInt(limits.photo), document: BigInt(limits.document), audio: BigInt(limits.audio) };
  await answer(asks, { case: 'setAttachmentPolicy', value }, 'done');
}

export interface Announcements {
  readonly announcers: readonly PersonId[];
  readonly unitUrgent: boolean;
  readonly facilityUrgent: boolean;
}

export async function readAnnouncements(asks: Asks): Promise<Announcements> {
  const { announcers, unitUrgent, facilityUrgent } = await answer(asks, { case: 'listBroadcasts', value: {} }, 'broadcastList');
  return { announcers: announcers.flatMap((one) => idOf<PersonId>(one) ?? []), unitUrgent, facilityUrgent };
}

export async function setAnnouncer(asks: Asks, person: PersonId, announces: boolean): Promise<void> {
  await answer(asks, { case: 'setAnnouncer', value: { person: wireId(person), announces } }, 'done');
}

export async function setUrgent(asks: Asks, unitUrgent: boolean, facilityUrgent: boolean): Promise<void> {
  await answer(asks, { case: 'setBroadcastPolicy', value: { unitUrgent, facilityUrgent } }, 'done');
}

/** Whether closed apps are rung. */
export interface Bells {
  readonly on: boolean;
  /** The box has a bell, and it runs. */
  readonly isThere: boolean;
}

export async function readBells(asks: Asks): Promise<Bells> {
  const { on, key } = await answer(asks, { case: 'askBell', value: {} }, 'bell');
  return { on, isThere: key.length > 0 };
}

export async function setBells(asks: Asks, on: boolean): Promise<void> {
  await answer(asks, { case: 'setBellPolicy', value: { on } }, 'done');
}
