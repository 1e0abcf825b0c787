/** A print goes on the box's record, by the PIN of whoever prints, before a page is there to be printed. */

import type { Ask } from '../frames.ts';
import { parseId, type UnitId, wireId } from '../ids.ts';
import type { Id, Refusal, Reply } from '../snapshot.ts';

/** `null`: it is on record. */
export async function recordPrint(asks: (body: Ask) => Promise<Reply>, unit: Id, pages: number, pin: string): Promise<Refusal | null> {
  const reply = await asks({ case: 'recordPrint', value: { unit: wireId(parseId<UnitId>(unit)), pages, pin } });
  if (reply.reply === 'refused') return reply.refusal;
  return reply.body.case === 'done' ? null : { code: 'INTERRUPTED', advice: '' };
}
