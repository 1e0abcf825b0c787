/** Whom alarms of the box are told, and which stand. */

import { idOf, momentOf, type RoleId, wireId } from '../ids.ts';
import type { AlarmSaid, At } from '../snapshot.ts';
import { readAlarm } from '../wire.ts';
import { answer, type Asks, Declines } from './asking.ts';

export interface AlarmsTold {
  /** Whose holders are told; null: nobody is. */
  readonly role: RoleId | null;
  readonly stand: readonly { readonly alarm: AlarmSaid; readonly at: At }[];
}

/** One of a kind at most. */
const STAND_MAX = 32;

/** `null`: a box that tells nobody yet, of an earlier release. */
export async function readAlarms(asks: Asks): Promise<AlarmsTold | null> {
  try {
    const { role, told } = await answer(asks, { case: 'askAlarms', value: {} }, 'alarms');
    const stand = told.slice(0, STAND_MAX).flatMap((one) => (one.alarm === undefined ? [] : [{ alarm: readAlarm(one.alarm), at: momentOf(one.at) }]));
    return { role: idOf(role), stand };
  } catch (thrown) {
    if (thrown instanceof Declines && thrown.refusal.code === 'UNKNOWN_REQUEST') return null;
    throw thrown;
  }
}

/** Whoever holds this role is told from now on; null: nobody. */
export async function setAlarmRole(asks: Asks, role: RoleId | null): Promise<void> {
  await answer(asks, { case: 'setAlarmRole', value: { role: wireId(role) } }, 'done');
}
