import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { AvailabilityPageSchema, AvailabilitySchema } from '../gen/wardline_pb.js';
import type { Asks } from './admin/asking.ts';
import { daysOf, isNumber, readStanding, setQuiet, stretchOf, STRETCHES_MAX } from './availability.ts';
import type { PersonId } from './ids.ts';

const ana = '00000000000000a1' as PersonId;
const night = { days: 127, from: 1_320, to: 360 };

describe('quiet hours', () => {
  it('are what was chosen, over midnight too', () => {
    expect(stretchOf(127, '22:00', '06:00', [])).toEqual(night);
    expect(stretchOf(96, '00:00', '08:30:00', [night])).toEqual({ days: 96, from: 0, to: 510 });
  });
  it('that no clock shows, or that stand already, are told apart', () => {
    expect(stretchOf(128, '22:00', '06:00', [])).toBe('noDay');
    for (const time of ['', '24:00', '7:00', '12:60']) expect(stretchOf(1, time, '06:00', [])).toBe('noTime');
    expect(stretchOf(1, '06:00', '06:00', [])).toBe('noLength');
    expect(stretchOf(127, '22:00', '06:00', [night])).toBe('twice');
    expect(stretchOf(1, '22:00', '06:00', Array.from({ length: STRETCHES_MAX }, (_, at) => ({ days: 2, from: at, to: 600 })))).toBe('tooMany');
  });
  it('have days, or all of them', () => {
    expect(daysOf(night)).toBeNull();
    expect(daysOf({ days: 0b1100001, from: 0, to: 1 })).toEqual([0, 5, 6]);
  });
  it('are read of oneself, and set as a whole', async () => {
    const asked: unknown[] = [];
    const asks: Asks = async (body) => {
      asked.push(body);
      if (body.case !== 'askAvailability') return { reply: 'answer', request: 1, body: { case: 'done', value: {} as never } };
      const own = create(AvailabilitySchema, { person: 0xa1n, quiet: { zone: 'Europe/Berlin', spans: [{ days: 255, from: 1_320, to: 360 }] }, number: '+49 171\u202e 5550123' });
      return { reply: 'answer', request: 1, body: { case: 'availabilityPage', value: create(AvailabilityPageSchema, { people: [own] }) } };
    };
    expect(await readStanding(asks, ana)).toEqual({ zone: 'Europe/Berlin', stretches: [night], number: '+49 171 5550123' });
    await setQuiet(asks, 'Europe/Berlin', []);
    expect(asked).toEqual([{ case: 'askAvailability', value: { people: [0xa1n] } }, { case: 'setAvailability', value: { says: { case: 'quiet', value: { zone: '', spans: [] } } } }]);
  });
});

describe('a number', () => {
  it('is digits and what is written between them', () => {
    for (const number of ['', ' +49 (171) 555-0123 ', '2204 x7']) expect(isNumber(number)).toBe(true);
    for (const number of ['Ana', '+', '1'.repeat(33), '٠١']) expect(isNumber(number)).toBe(false);
  });
});
