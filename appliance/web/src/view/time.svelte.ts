import type { At } from '../domain/snapshot.ts';
import { locale, t } from '../words/words.svelte.ts';

let now = $state(Date.now());
let tick: ReturnType<typeof setInterval> | undefined;

/** The present, by the second; read in a template it goes on. */
export function present(): At {
  tick ??= setInterval(() => (now = Date.now()), 1000);
  return now;
}

/** The present by the minute, for what need not be drawn every second. */
export function presentMinute(): At {
  return minute();
}
const minute = () => Math.floor(present() / 30_000) * 30_000;

/** For tools and tests: time stands still. */
export function freeze(at: At): void {
  clearInterval(tick);
  tick = setInterval(() => undefined, 1_000_000);
  now = at;
}

export function clock(at: At): string {
  return format({ hour: 'numeric', minute: '2-digit' }).format(at);
}

/** As short as it stays clear: the time today, the weekday this week, else the date. */
export function when(at: At, today: At): string {
  const days = daysBetween(at, today);
  if (days === 0) return clock(at);
  if (days > 0 && days < 7) return format({ weekday: 'short' }).format(at);
  return format({ day: 'numeric', month: 'short' }).format(at);
}

/** A day as a heading between messages. */
export function day(at: At): string {
  return format({ weekday: 'long', day: 'numeric', month: 'long' }).format(at);
}

export function sameDay(a: At, b: At): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

export function ago(at: At, from: At): string {
  const minutes = Math.floor((from - at) / 60_000);
  if (minutes < 1) return t().time.now;
  return minutes < 60 ? t().time.minutes(minutes) : clock(at);
}

/** 0:42 */
export function left(until: At, from: At): string {
  const seconds = Math.max(0, Math.ceil((until - from) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** A wait in words: 45 s, 2 min. */
export function span(seconds: number): string {
  return seconds < 120 ? t().time.seconds(Math.round(seconds)) : t().time.min(Math.round(seconds / 60));
}

export function iso(at: At): string {
  return new Date(at).toISOString();
}

function daysBetween(at: At, today: At): number {
  const midnight = (of: At) => new Date(of).setHours(0, 0, 0, 0);
  return Math.round((midnight(today) - midnight(at)) / 86_400_000);
}

// Making a formatter is dear, using one is not.
const formats = new Map<string, Intl.DateTimeFormat>();
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale() + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale(), options);
  formats.set(key, known);
  return known;
}
