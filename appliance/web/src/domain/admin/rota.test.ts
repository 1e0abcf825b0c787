import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { RotaSchema } from '../../gen/wardline_pb.js';
import type { PersonId } from '../ids.ts';
import type { Member } from './directory.ts';
import { parseRota, writeRota } from './rota.ts';

const member = (id: number, name: string): Member => ({ id: String(id).padStart(16, '0') as PersonId, name, title: '', suspended: false, administrator: false, privacyOfficer: false, posts: [], isStation: false, station: null, agency: null });
const people = [member(1, 'Ana Ruiz'), member(2, 'Ben Okafor'), member(3, 'Chidi Eze')];
const NOW = Date.UTC(2026, 11, 1, 12);

function read(text: string) {
  const rota = parseRota(text, people, NOW);
  if ('fault' in rota) throw new Error(`${rota.line} ${rota.fault}`);
  return create(RotaSchema, rota);
}

describe('a rota', () => {
  it('is read as the guide has it', () => {
    const rota = read(
      '# The ward\nzone Europe/Berlin\nfrom 2026-11-30\nweeks 2\nMon-Fri 07:00-19:00 Ana Ruiz, Ben\ndaily 19:00-07:00 chidi\nSat,Sun 07:00-19:00 Ben\nweek 2\ndaily 07:00-07:00 Ana\nexcept 2026-12-24 19:00-07:00 nobody',
    );
    const [pattern] = rota.patterns;
    expect(pattern?.shifts.length).toBe(5 + 7 + 2 + 7);
    expect(pattern?.shifts[0]).toMatchObject({ start: 420, end: 1140, people: [1n, 2n] });
    expect(pattern?.shifts[5]).toMatchObject({ start: 1140, end: 1860 });
    expect(pattern?.shifts.at(-1)).toMatchObject({ start: 13 * 1440 + 420, end: 14 * 1440 + 420 });
    expect(rota.exceptions[0]).toMatchObject({ from: 20_811 * 1440 + 1140, until: 20_812 * 1440 + 420, people: [] });
  });
  it('that does not say from when holds since the day before, in its own zone, with this week as the first of its turn', () => {
    const from = (zone: string, weeks: number, now: number) => {
      const rota = parseRota(`zone ${zone}\nweeks ${weeks}\ndaily 07:00-07:00 Ana`, people, now);
      return 'fault' in rota ? null : rota.patterns?.[0]?.from;
    };
    const day = (month: number, date: number) => Date.UTC(2026, month - 1, date) / 86_400_000;
    const night = Date.UTC(2026, 10, 29, 23, 30); // a Sunday; in Berlin it is Monday, in Los Angeles still the afternoon
    expect(from('UTC', 1, night)).toBe(day(11, 28));
    expect(from('Europe/Berlin', 1, night)).toBe(day(11, 29));
    expect(from('Europe/Berlin', 2, night)).toBe(day(11, 16));
    expect(from('America/Los_Angeles', 2, night)).toBe(day(11, 28));
    expect(from('Pacific/Auckland', 3, night)).toBe(day(11, 9));
  });
  it('is written as the text that sets it', () => {
    for (const text of ['zone UTC', 'zone Europe/Berlin\nfrom 2026-11-30\nweeks 2\nweek 1\nMon,Tue 07:00-19:00 Ana Ruiz, Ben Okafor\ndaily 19:00-07:00 Chidi Eze\nweek 2\ndaily 07:00-07:00 Ana Ruiz\nexcept 2026-12-24 19:00-07:00 nobody']) {
      expect(writeRota(read(text), people)).toBe(text);
    }
  });
  it('that says more than a text can is not written as less', () => {
    const rota = read('zone UTC\nMon 12:00-24:00 Ana');
    for (const pattern of rota.patterns) pattern.until = 21_000;
    expect(writeRota(rota, people)).toBeNull();
  });
  it('is refused by its line, as a whole', () => {
    for (const [text, line, fault] of [
      ['Mon 07:00-19:00 Ana', 0, 'noZone'],
      ['zone Atlantis', 1, 'badZone'],
      ['zone UTC\nMoon 07:00-19:00 Ana', 2, 'badDays'],
      ['zone UTC\nMon 7-19 Ana', 2, 'badTimes'],
      ['zone UTC\nMon 25:00-26:00 Ana', 2, 'badTimes'],
      ['zone UTC\nMon 07:00-19:00 Zoe', 2, 'noSuchPerson'],
      ['zone UTC\nMon 07:00-19:00 e', 2, 'severalPeople'],
      ['zone UTC\nMon 07:00-19:00', 2, 'missing'],
      ['zone UTC\nMon 07:00-19:00 nobody', 2, 'nobody'],
      ['zone UTC\nMon 07:00-19:00 Ana, Ana', 2, 'twice'],
      ['zone UTC\nweek 2', 2, 'badWeek'],
      ['zone UTC\nweeks 9', 2, 'badWeeks'],
      ['zone UTC\nexcept 2026-02-30 07:00-19:00 Ana', 2, 'badDate'],
    ] as const) {
      expect(parseRota(text, people, NOW)).toMatchObject({ line, fault });
    }
  });
});
