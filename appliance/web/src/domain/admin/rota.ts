/**
 * A rota as people write it, a file of lines, as the terminal client reads it too (docs/guides/roles.md): out of the text into what the
 * box takes, and back.
 */

import type { MessageInitShape } from '@bufbuild/protobuf';

import type { Rota, RotaSchema } from '../../gen/wardline_pb.js';
import { idOf, type PersonId, wireId } from '../ids.ts';
import { cleanLine } from '../texts.ts';
import { type Member, plainName } from './directory.ts';

export type RotaAsk = MessageInitShape<typeof RotaSchema>;

export type RotaFault = 'noZone' | 'badZone' | 'badDate' | 'badWeeks' | 'badWeek' | 'badDays' | 'badTimes' | 'missing' | 'nobody' | 'noSuchPerson' | 'severalPeople' | 'twice' | 'tooMany';

export interface RotaError {
  /** From 1; 0: of the whole. */
  readonly line: number;
  readonly fault: RotaFault;
  readonly text: string;
}

const DAY = 1440;
const WEEK = 7 * DAY;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const TEAM_MAX = 16;
const WEEKS_MAX = 8;
/** Characters of a rota: a line for each shift of eight weeks. */
export const ROTA_MAX = 20_000;

class Fault extends Error {
  readonly fault: RotaFault;
  readonly text: string;

  constructor(fault: RotaFault, text: string) {
    super(fault);
    this.fault = fault;
    this.text = text;
  }
}

interface Shift {
  readonly start: number;
  readonly end: number;
  readonly people: readonly PersonId[];
}

/** `now`: milliseconds since 1970, for a rota that does not say from when it holds. */
export function parseRota(text: string, people: readonly Member[], now: number): RotaAsk | RotaError {
  let [zone, weeks, week] = ['', 1, 0];
  let from: number | null = null;
  const shifts: Shift[] = [];
  const exceptions: { from: number; until: number; people: readonly PersonId[] }[] = [];
  const read = (line: string): void => {
    const [word, rest] = split(line);
    const key = word.toLowerCase();
    if (key === 'zone') zone = zoneOf(rest);
    else if (key === 'from') from = dayOf(rest);
    else if (key === 'weeks') weeks = numberOf(rest, WEEKS_MAX, 'badWeeks');
    else if (key === 'week') week = numberOf(rest, weeks, 'badWeek') - 1;
    else if (key === 'except') {
      const [date, more] = split(rest);
      const [day, { start, length, team }] = [dayOf(date), shiftOf(more, people)];
      exceptions.push({ from: day * DAY + start, until: day * DAY + start + length, people: team });
    } else {
      const [days, { start, length, team }] = [daysOf(key), shiftOf(rest, people)];
      if (team.length === 0) throw new Fault('nobody', rest);
      for (const day of days) shifts.push({ start: week * WEEK + day * DAY + start, end: week * WEEK + day * DAY + start + length, people: team });
    }
  };
  for (const [at, written] of text.slice(0, ROTA_MAX).split('\n').entries()) {
    const line = (written.split('#')[0] ?? '').trim();
    try {
      if (line !== '') read(line);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      return { line: at + 1, fault: thrown.fault, text: thrown.text };
    }
  }
  if (zone === '') return { line: 0, fault: 'noZone', text: '' };
  const wire = (some: readonly PersonId[]) => some.map(wireId);
  const patterns = shifts.length === 0 ? [] : [{ from: from ?? firstDay(todayIn(zone, now), weeks), weeks, shifts: shifts.map((one) => ({ ...one, people: wire(one.people) })) }];
  return { zone, patterns, exceptions: exceptions.map((one) => ({ ...one, people: wire(one.people) })) };
}

/**
 * The day before, so that whoever's shift is under way has it. Of weeks in turn this one is the first, so on a Monday it is a whole turn
 * before. Days since 1970.
 */
function firstDay(today: number, weeks: number): number {
  const isMonday = today % 7 === 4; // 1970-01-01 was a Thursday
  return today - (weeks > 1 && isMonday ? 7 * weeks : 1);
}

function todayIn(zone: string, now: number): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone: zone, calendar: 'gregory', numberingSystem: 'latn', year: 'numeric', month: 'numeric', day: 'numeric' }).formatToParts(now);
  const of = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  return Date.UTC(of('year'), of('month') - 1, of('day')) / 86_400_000;
}

/** The lines that come to this rota; `null` where it says more than a file can. */
export function writeRota(rota: Rota, people: readonly Member[]): string | null {
  const lines = [`zone ${cleanLine(rota.zone)}`];
  const [pattern, ...more] = rota.patterns;
  if (more.length > 0 || (pattern !== undefined && (pattern.until !== 0 || pattern.place !== undefined))) return null;
  if (pattern !== undefined) {
    lines.push(`from ${dateOf(pattern.from)}`, `weeks ${pattern.weeks}`);
    for (let week = 0; week < pattern.weeks; week += 1) {
      lines.push(`week ${week + 1}`);
      const alike = new Map<string, number[]>();
      for (const shift of pattern.shifts.filter((one) => Math.floor(one.start / WEEK) === week)) {
        const length = shift.end - shift.start;
        if (length <= 0 || length > DAY) return null;
        const said = `${timesOf(shift.start % DAY, length)} ${namesOf(shift.people, people)}`;
        alike.set(said, [...(alike.get(said) ?? []), Math.floor(shift.start / DAY) % 7]);
      }
      for (const [said, days] of alike) lines.push(`${daysName(days)} ${said}`);
    }
  }
  for (const exception of rota.exceptions) {
    const length = exception.until - exception.from;
    if (exception.place !== undefined || length <= 0 || length > DAY) return null;
    lines.push(`except ${dateOf(Math.floor(exception.from / DAY))} ${timesOf(exception.from % DAY, length)} ${namesOf(exception.people, people)}`);
  }
  return lines.join('\n');
}

function split(line: string): readonly [string, string] {
  const at = line.search(/\s/);
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at).trim()];
}

function zoneOf(text: string): string {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return text;
  } catch {
    throw new Fault('badZone', text);
  }
}

function dayOf(text: string): number {
  const at = /^20\d\d-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at) || dateOf(at / 86_400_000) !== text) throw new Fault('badDate', text);
  return at / 86_400_000;
}

function dateOf(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

function numberOf(text: string, most: number, fault: RotaFault): number {
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > most) throw new Fault(fault, text);
  return number;
}

function daysOf(text: string): readonly number[] {
  if (text === 'daily') return [0, 1, 2, 3, 4, 5, 6];
  const at = (name: string): number => {
    const found = DAYS.indexOf(name.slice(0, 3));
    if (found < 0) throw new Fault('badDays', text);
    return found;
  };
  return text.split(',').flatMap((part) => {
    const [first = '', last] = part.split('-');
    const begin = at(first);
    const many = last === undefined ? 1 : ((at(last) + 7 - begin) % 7) + 1;
    return Array.from({ length: many }, (_, i) => (begin + i) % 7);
  });
}

function shiftOf(text: string, people: readonly Member[]): { start: number; length: number; team: readonly PersonId[] } {
  const [times, names] = split(text);
  const [first = '', last = ''] = times.split('-');
  const [start, end] = [minutesOf(first), minutesOf(last)];
  if (start === null || end === null) throw new Fault('badTimes', times);
  if (names === '') throw new Fault('missing', text);
  const length = end > start ? end - start : end - start + DAY;
  if (names.toLowerCase() === 'nobody') return { start, length, team: [] };
  const team = names.split(',').map((name) => personOf(name.trim(), people));
  if (new Set(team).size < team.length) throw new Fault('twice', names);
  if (team.length > TEAM_MAX) throw new Fault('tooMany', names);
  return { start, length, team };
}

function minutesOf(text: string): number | null {
  const [, hour = '', minute = ''] = /^(\d{1,2}):(\d\d)$/.exec(text) ?? [];
  const all = hour === '' ? Number.NaN : Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && all <= DAY ? all : null;
}

/** The whole name; else a part that fits one alone; else the identifier. */
function personOf(name: string, people: readonly Member[]): PersonId {
  const plain = plainName(name);
  const able = people.filter((one) => !one.isStation && !one.suspended);
  const whole = able.filter((one) => plainName(one.name) === plain || one.id === name);
  const found = whole.length > 0 || plain === '' ? whole : able.filter((one) => plainName(one.name).includes(plain));
  const [person] = found;
  if (person === undefined) throw new Fault('noSuchPerson', name);
  if (found.length > 1) throw new Fault('severalPeople', name);
  return person.id;
}

function namesOf(ids: readonly bigint[], people: readonly Member[]): string {
  const name = (wire: bigint): string => {
    const id = idOf<PersonId>(wire);
    const known = people.find((one) => one.id === id);
    const isOne = known !== undefined && !/[,#]/.test(known.name) && people.filter((one) => plainName(one.name) === plainName(known.name)).length === 1;
    return isOne ? known.name : (id ?? '');
  };
  return ids.length === 0 ? 'nobody' : ids.map(name).join(', ');
}

function timesOf(start: number, length: number): string {
  const time = (at: number) => `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;
  return `${time(start)}-${time((start + length) % DAY)}`;
}

function daysName(days: readonly number[]): string {
  const names = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
  return days.length === 7 ? 'daily' : [...days].sort((a, b) => a - b).map((day) => names[day]).join(',');
}
