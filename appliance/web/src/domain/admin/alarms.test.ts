import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';

import { AlarmKind, AlarmsSchema, BoxAlarmSchema } from '../../gen/wardline_pb.js';
import type { Told } from '../frames.ts';
import { wireId } from '../ids.ts';
import { readAlarm } from '../wire.ts';
import { readAlarms, setAlarmRole } from './alarms.ts';
import type { Asks } from './asking.ts';

const refuses = (code: string): Asks => () => Promise.resolve({ reply: 'refused', refusal: { code, advice: '' } });
const tells = (body: Told): Asks => () => Promise.resolve({ reply: 'answer', request: 1, body });

describe('alarms of the box', () => {
  test('who is told and what stands is read, and a kind that is not known is kept', async () => {
    const value = create(AlarmsSchema, {
      role: 7n,
      told: [
        { alarm: { kind: AlarmKind.DISK_LOW, level: 2 }, at: 5n },
        { alarm: { kind: 99 as AlarmKind, level: 1 }, at: 6n },
      ],
    });
    const read = await readAlarms(tells({ case: 'alarms', value }));
    expect(wireId(read?.role ?? null)).toBe(7n);
    expect(read?.stand).toEqual([
      { alarm: { kind: 'disk', level: 2, over: false }, at: 5 },
      { alarm: { kind: null, level: 1, over: false }, at: 6 },
    ]);
  });

  test('nobody is told where no role is named', async () => {
    expect((await readAlarms(tells({ case: 'alarms', value: create(AlarmsSchema) })))?.role).toBeNull();
  });

  test('a box of before tells nobody, and anything else that it declines is said', async () => {
    expect(await readAlarms(refuses('UNKNOWN_REQUEST'))).toBeNull();
    await expect(readAlarms(refuses('NOT_ADMINISTRATOR'))).rejects.toMatchObject({ refusal: { code: 'NOT_ADMINISTRATOR' } });
    await expect(setAlarmRole(refuses('ROLE_RETIRED'), null)).rejects.toMatchObject({ refusal: { code: 'ROLE_RETIRED' } });
  });

  test('every kind of the protocol has a name here', () => {
    const kinds = Object.values(AlarmKind).filter((kind): kind is AlarmKind => typeof kind === 'number' && kind !== AlarmKind.UNSPECIFIED);
    for (const kind of kinds) expect(readAlarm(create(BoxAlarmSchema, { kind, level: 1 })).kind, AlarmKind[kind]).not.toBeNull();
  });
});
