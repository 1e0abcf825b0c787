import type { At } from '../../../domain/snapshot.ts';
import { clock, day, present, sameDay } from '../../time.svelte.ts';

/** A time of today by the clock, another one with its day. */
export function moment(at: At): string {
  return sameDay(at, present()) ? clock(at) : `${day(at)}, ${clock(at)}`;
}
