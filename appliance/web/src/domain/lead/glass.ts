/** Breaking the glass: into the thread of a patient who is not one's own, for an hour and with a reason (README.md, section 7a). */

import { answer, type Asks, Declines } from '../admin/asking.ts';
import { type CaseId, GROUNDS_MAX, GROUNDS_MIN } from '../admin/privacy.ts';
import { type ConversationId, momentOf, parseId, type PersonId, type UnitId, wireId } from '../ids.ts';
import type { At, Id } from '../snapshot.ts';
import { cleanLine, cleanText } from '../texts.ts';
import { readId } from '../wire.ts';
import { isBed, isRecordNumber } from './stays.ts';

export type Whom = { readonly by: 'record'; readonly recordNumber: string } | { readonly by: 'bed'; readonly unit: Id; readonly bed: string };

/** In at once; or, to a restricted patient, when a second person stands behind it. */
export type Entered =
  | { readonly is: 'in'; readonly emergency: CaseId; readonly conversation: ConversationId; readonly until: At }
  | { readonly is: 'asked'; readonly emergency: CaseId; readonly until: At };

/** What a colleague is asked to stand behind. */
export interface EmergencyRequest {
  readonly emergency: CaseId;
  readonly person: PersonId;
  readonly bed: string;
  readonly alias: string;
  readonly grounds: string;
  readonly until: At;
}

export type GlassFault = 'record' | 'bed' | 'grounds';

export function glassFault(whom: Whom, grounds: string): GlassFault | null {
  if (whom.by === 'record' && !isRecordNumber(whom.recordNumber)) return 'record';
  if (whom.by === 'bed' && (!isBed(whom.bed) || parseId<UnitId>(whom.unit) === null)) return 'bed';
  const said = grounds.trim();
  return [...said].length < GROUNDS_MIN || new TextEncoder().encode(said).length > GROUNDS_MAX ? 'grounds' : null;
}

export async function breakGlass(asks: Asks, whom: Whom, grounds: string): Promise<Entered> {
  const who = whom.by === 'record' ? { recordNumber: whom.recordNumber.trim() } : { unit: wireId(parseId<UnitId>(whom.unit)), bed: whom.bed.trim() };
  const value = { ...who, grounds: grounds.trim() };
  const reply = await asks({ case: 'breakGlass', value });
  if (reply.reply === 'refused') throw new Declines(reply.refusal);
  const told = reply.body;
  if (told.case === 'emergencyAsked') return { is: 'asked', emergency: readId<PersonId>(told.value.emergency), until: momentOf(told.value.until) };
  if (told.case !== 'emergencyBegan') throw new Declines({ code: 'INTERRUPTED', advice: '' });
  return { is: 'in', emergency: readId<PersonId>(told.value.emergency), conversation: readId(told.value.conversation), until: momentOf(told.value.until) };
}

/** Out again, before the hour is over; or a request is withdrawn. */
export async function endEmergency(asks: Asks, emergency: CaseId): Promise<void> {
  await answer(asks, { case: 'endEmergency', value: { emergency: wireId(emergency) } }, 'done');
}

/** As it is read out: sixteen letters and digits, with blanks or without. `null`: it is none. */
export function readNumber(typed: string): CaseId | null {
  return parseId<ConversationId>(typed.replace(/\s/g, '').toLowerCase());
}

export function spellNumber(emergency: CaseId): string {
  return emergency.replace(/(.{4})(?=.)/g, '$1 ');
}

export async function lookAtRequest(asks: Asks, emergency: CaseId): Promise<EmergencyRequest> {
  const wire = await answer(asks, { case: 'lookAtRequest', value: { emergency: wireId(emergency) } }, 'emergencyRequest');
  return { emergency, person: readId(wire.person), bed: cleanLine(wire.bed), alias: cleanLine(wire.alias), grounds: cleanText(wire.grounds), until: momentOf(wire.until) };
}

export async function countersign(asks: Asks, emergency: CaseId): Promise<void> {
  await answer(asks, { case: 'countersign', value: { emergency: wireId(emergency) } }, 'done');
}
