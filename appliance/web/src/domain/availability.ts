/** What somebody says of themselves for every week: when messages make no sound, and where they are called off site. */

import { answer, type Asks } from './admin/asking.ts';
import { type PersonId, wireId } from './ids.ts';
import { cleanLine } from './texts.ts';

/** Minutes since midnight; to an earlier one: of the next day. */
export interface QuietStretch {
  /** On which days it begins: bit 0 is Monday, bit 6 Sunday. */
  readonly days: number;
  readonly from: number;
  readonly to: number;
}

export interface Standing {
  /** Whose clock the stretches are of; empty: nothing is said. */
  readonly zone: string;
  readonly stretches: readonly QuietStretch[];
  readonly number: string;
}

export const STRETCHES_MAX = 7;
export const NUMBER_MAX = 32;
const EVERY_DAY = 127;

/** Of the asker alone. Throws {@link Declines}. */
export async function readStanding(asks: Asks, me: PersonId): Promise<Standing> {
  const page = await answer(asks, { case: 'askAvailability', value: { people: [wireId(me)] } }, 'availabilityPage');
  const [own] = page.people;
  const stretches = (own?.quiet?.spans ?? []).slice(0, STRETCHES_MAX).map(({ days, from, to }) => ({ days: days & EVERY_DAY, from, to }));
  return { zone: cleanLine(own?.quiet?.zone ?? ''), stretches, number: cleanLine(own?.number ?? '') };
}

/** All of them at once; none: no quiet hours any more. Throws {@link Declines}. */
export async function setQuiet(asks: Asks, zone: string, stretches: readonly QuietStretch[]): Promise<void> {
  const spans = stretches.map((one) => ({ ...one }));
  await answer(asks, { case: 'setAvailability', value: { says: { case: 'quiet', value: { zone: spans.length === 0 ? '' : zone, spans } } } }, 'done');
}

/** Empty: nowhere. Throws {@link Declines}. */
export async function setNumber(asks: Asks, number: string): Promise<void> {
  await answer(asks, { case: 'setAvailability', value: { says: { case: 'number', value: number.trim() } } }, 'done');
}

export type StretchFault = 'noDay' | 'noTime' | 'noLength' | 'twice' | 'tooMany';

/** What was chosen, "22:00" to "06:00" on these days, beside those that stand. */
export function stretchOf(days: number, from: string, to: string, others: readonly QuietStretch[]): QuietStretch | StretchFault {
  const [start, end] = [minuteOf(from), minuteOf(to)];
  if ((days & EVERY_DAY) === 0) return 'noDay';
  if (start === null || end === null) return 'noTime';
  if (start === end) return 'noLength';
  if (others.length >= STRETCHES_MAX) return 'tooMany';
  const chosen = { days: days & EVERY_DAY, from: start, to: end };
  return others.some((one) => one.days === chosen.days && one.from === start && one.to === end) ? 'twice' : chosen;
}

/** As the box takes it: digits and what is written between them, or nothing. */
export function isNumber(text: string): boolean {
  const number = text.trim();
  return number === '' || (/^[0-9 +*#()x-]{1,32}$/.test(number) && /\d/.test(number));
}

/** The days of a stretch, from 0, Monday; `null`: every day. */
export function daysOf({ days }: QuietStretch): readonly number[] | null {
  return (days & EVERY_DAY) === EVERY_DAY ? null : [0, 1, 2, 3, 4, 5, 6].filter((day) => (days & (1 << day)) !== 0);
}

function minuteOf(text: string): number | null {
  const [, hour = '', minute = ''] = /^(\d\d):(\d\d)(?::\d\d)?$/.exec(text) ?? [];
  const all = Number(hour) * 60 + Number(minute);
  return hour === '' || Number(minute) > 59 || all >= 1_440 ? null : all;
}
