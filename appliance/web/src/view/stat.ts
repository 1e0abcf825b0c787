import type { Stat } from '../domain/snapshot.ts';
import { locale, t } from '../words/words.svelte.ts';
import { inSentence, names } from './text.ts';

/** How a STAT stands, as one sentence. */
export function statLine(stat: Stat): string {
  const words = t().stat;
  if (stat.state === 'closed') return words.closed;
  if (stat.state === 'accepted') return stat.by === '' ? words.acceptedNobody : words.accepted(inSentence(stat.by));
  if (stat.state === 'held') return stat.by === '' ? words.heldNobody : words.held(inSentence(stat.by));
  return words.open;
}

/** Whom it rings for now. */
export function ringingLine(stat: Stat): string {
  return t().stat.ringing(names(stat.ringing, locale(), t().app.and));
}
