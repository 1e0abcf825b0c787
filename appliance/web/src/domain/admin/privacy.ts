/** What a privacy officer reviews and keeps: emergencies, and legal holds. */

import { Finding } from '../../gen/wardline_pb.js';
import type { Patient } from '../../gen/wardline_pb.js';
import { type AnyId, type ConversationId, idOf, momentOf, parseId, type PersonId, type UnitId, wireId } from '../ids.ts';
import type { At } from '../snapshot.ts';
import { cleanLine, cleanText } from '../texts.ts';
import { readId, readPatient } from '../wire.ts';
import { answer, type Asks, pages } from './asking.ts';

/** A reason that is put on record: characters at least, bytes at most. */
export const GROUNDS_MIN = 10;
export const GROUNDS_MAX = 500;
export const MATTER_MAX = 80;

/** Which emergency, or which hold. */
export type CaseId = AnyId;

export interface Emergency {
  readonly id: CaseId;
  readonly person: PersonId;
  /** Name and record number, or an alias. */
  readonly patient: string;
  readonly unit: UnitId | null;
  readonly grounds: string;
  readonly since: At;
  /** `null`: it goes on. */
  readonly ended: At | null;
  readonly finding: 'justified' | 'notJustified' | null;
  readonly second: PersonId | null;
}

export type HoldSubject =
  | { readonly on: 'person'; readonly person: PersonId }
  | { readonly on: 'patient'; readonly recordNumber: string }
  | { readonly on: 'conversation'; readonly conversation: ConversationId };

export interface Hold {
  readonly id: CaseId;
  readonly matter: string;
  readonly since: At;
  readonly by: PersonId | null;
  readonly conversations: number;
  readonly person: PersonId | null;
  /** Of a patient. */
  readonly patient: string;
  readonly conversation: string;
}

export async function listEmergencies(asks: Asks): Promise<readonly Emergency[]> {
  const found = await pages<Emergency, CaseId>(
    async (after) => {
      const page = await answer(asks, { case: 'listEmergencies', value: { after: wireId(after) } }, 'emergencyPage');
      const items = page.emergencies.map((one): Emergency => ({
        id: readId(one.emergency),
        person: readId(one.person),
        patient: patientText(one.patient),
        unit: idOf(one.unit),
        grounds: cleanText(one.grounds),
        since: momentOf(one.since),
        ended: one.ended === 0n ? null : momentOf(one.ended),
        finding: one.finding === Finding.JUSTIFIED ? 'justified' : one.finding === Finding.NOT_JUSTIFIED ? 'notJustified' : null,
        second: idOf(one.second),
      }));
      return { items, end: page.end };
    },
    (one) => one.id,
  );
  // What waits for a finding first, the oldest first.
  return [...found].sort((a, b) => Number(a.finding !== null) - Number(b.finding !== null) || a.since - b.since);
}

export async function reviewEmergency(asks: Asks, emergency: CaseId, justified: boolean): Promise<void> {
  const value = { emergency: wireId(emergency), finding: justified ? Finding.JUSTIFIED : Finding.NOT_JUSTIFIED };
  await answer(asks, { case: 'reviewEmergency', value }, 'done');
}

export async function listHolds(asks: Asks): Promise<readonly Hold[]> {
  const found = await pages<Hold, CaseId>(
    async (after) => {
      const page = await answer(asks, { case: 'listHolds', value: { after: wireId(after) } }, 'holdPage');
      const items = page.holds.map((one): Hold => ({
        id: readId(one.hold),
        matter: cleanLine(one.matter),
        since: momentOf(one.since),
        by: idOf(one.by),
        conversations: one.conversations,
        person: one.subject.case === 'person' ? idOf<PersonId>(one.subject.value) : null,
        patient: one.subject.case === 'patient' ? patientText(one.subject.value) : '',
        conversation: one.subject.case === 'conversation' ? (idOf(one.subject.value) ?? '') : '',
      }));
      return { items, end: page.end };
    },
    (one) => one.id,
  );
  return [...found].sort((a, b) => b.since - a.since);
}

/** How many conversations it keeps. */
export async function placeHold(asks: Asks, subject: HoldSubject, matter: string): Promise<number> {
  const { conversations } = await answer(asks, { case: 'placeHold', value: { subject: wireSubject(subject), matter } }, 'holdPlaced');
  return conversations;
}

export async function liftHold(asks: Asks, hold: CaseId, grounds: string): Promise<void> {
  await answer(asks, { case: 'liftHold', value: { hold: wireId(hold), grounds } }, 'done');
}

export function isGrounds(text: string): boolean {
  const grounds = text.trim();
  return Array.from(grounds).length >= GROUNDS_MIN && new TextEncoder().encode(grounds).length <= GROUNDS_MAX;
}

export function isMatter(text: string): boolean {
  const matter = text.trim();
  return matter !== '' && new TextEncoder().encode(matter).length <= MATTER_MAX;
}

/** As `wardline conversation` prints it. */
export function conversationTyped(text: string): ConversationId | null {
  return parseId(text.trim().toLowerCase());
}

/** A record number, as the box takes one. */
export function isRecordNumber(text: string): boolean {
  return /^[\x21-\x7e]{1,32}$/.test(text.trim());
}

function wireSubject(subject: HoldSubject) {
  if (subject.on === 'person') return { case: 'person' as const, value: wireId(subject.person) };
  if (subject.on === 'patient') return { case: 'recordNumber' as const, value: subject.recordNumber.trim() };
  return { case: 'conversation' as const, value: wireId(subject.conversation) };
}

function patientText(wire: Patient | undefined): string {
  if (wire === undefined) return '';
  const { particulars, alias } = readPatient(wire);
  return particulars === null ? alias : `${particulars.name} (${particulars.recordNumber})`;
}
