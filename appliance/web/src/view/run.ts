/**
 * Which messages of a long conversation are in the page: a run of them, that moves as one scrolls. Why, and what else was measured:
 * docs/decisions/2026-11-28-long-conversations.md.
 */

/** With how many a conversation opens. */
export const SOME = 40;
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

function wanted(run: Run, list: readonly Keyed[]): Wanted {
  return pinned(run, list, run.to === list.length);
}
