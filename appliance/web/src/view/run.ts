/**
 * Which messages of a long conversation are in the page: a run of them, that moves as one scrolls. Why, and what else was measured:
 * docs/decisions/2026-11-28-long-conversations.md.
 */

/** With how many a conversation opens at most: a screenful of short ones. */
export const SOME = 16;
/** The least height of a message beside its lines, of a line, and of a letter's width, in px: by usual letters. Larger ones fill a screen sooner. */
const [AROUND_TEXT, LINE, LETTER] = [48, 22, 7];
/** What of a screen is not for messages, and of their width not for their text. */
const [NOT_MESSAGES, NOT_TEXT] = [120, 110];
/** Text is no wider, nor shown in more lines at once. */
const [WIDEST, LINES] = [610, 18];
/** How many come to it at an end of the run. */
export const STEP = 40;
/** How many there are at most; the others go, at the end that is further away. */
export const MOST = 160;

interface Keyed {
  readonly key: string;
}

/** By keys, so that what comes before or behind moves nothing. `to`: the last one; `null` is whatever is newest. `from`: `null` is what belongs before it. */
export interface Wanted {
  readonly from: string | null;
  readonly to: string | null;
}

/** Places in the list, `to` behind the last. */
export interface Run {
  readonly from: number;
  readonly to: number;
}

/** What a screen has, in px. */
export interface Room {
  readonly width: number;
  readonly height: number;
}

/**
 * As {@link NEWEST}, and no more than fills the screen: all that is drawn before the first sight of it delays that. What is guessed
 * is the least that each needs, so that there are rather too many.
 */
export function opening(list: readonly (Keyed & { readonly text: string })[], { width, height }: Room): Wanted {
  const letters = Math.max(Math.min(width - NOT_TEXT, WIDEST) / LETTER, 1);
  let [from, left] = [list.length, height - NOT_MESSAGES];
  while (from > 0 && left > 0 && list.length - from < SOME) {
    from -= 1;
    left -= AROUND_TEXT + LINE * Math.min(Math.ceil((list[from]?.text.length ?? 0) / letters), LINES);
  }
  return pinned({ from, to: list.length }, list, true);
}

export const NEWEST: Wanted = { from: null, to: null };

/** Where it is in the list as it is now. What is not there any more counts as not said. */
export function placed({ from, to }: Wanted, list: readonly Keyed[]): Run {
  const last = to === null ? -1 : list.findLastIndex((one) => one.key === to);
  const end = last < 0 ? list.length : last + 1;
  const first = from === null ? -1 : list.findLastIndex((one) => one.key === from);
  const start = first < 0 || first >= end ? Math.max(end - SOME, 0) : first;
  return { from: Math.max(start, end - MOST, 0), to: end };
}

/** The same messages, whatever comes; `follows`: with what is newest. */
export function pinned(run: Run, list: readonly Keyed[], follows: boolean): Wanted {
  return { from: list[run.from]?.key ?? null, to: follows ? null : (list[run.to - 1]?.key ?? null) };
}

export function older(run: Run, list: readonly Keyed[]): Wanted {
  const from = Math.max(run.from - STEP, 0);
  return wanted({ from, to: Math.min(run.to, from + MOST) }, list);
}

export function newer(run: Run, list: readonly Keyed[]): Wanted {
  const to = Math.min(run.to + STEP, list.length);
  return wanted({ from: Math.max(run.from, to - MOST), to }, list);
}

/** With this one in the middle. */
export function around(place: number, list: readonly Keyed[]): Wanted {
  const from = Math.max(place - SOME / 2, 0);
  return wanted({ from, to: Math.min(from + SOME, list.length) }, list);
}

/** As {@link NEWEST}, and more than a screenful. */
export function newest(list: readonly Keyed[]): Wanted {
  return pinned({ from: Math.max(list.length - SOME - STEP, 0), to: list.length }, list, true);
}

function wanted(run: Run, list: readonly Keyed[]): Wanted {
  return pinned(run, list, run.to === list.length);
}
