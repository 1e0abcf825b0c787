import type { AlarmKind } from '../domain/snapshot.ts';
import type { alarmEn } from '../words/areas/alarm.en.ts';

/** What an alarm says. One that is worse than what this app knows is as bad as the worst that it knows. */
export function alarmText(words: typeof alarmEn, kind: AlarmKind, said: { readonly level: number; readonly over: boolean }): string {
  if (said.over) return words.isOver[kind];
  const says = words.says[kind];
  return says[Math.min(Math.max(said.level, 1), says.length) - 1] ?? '';
}
