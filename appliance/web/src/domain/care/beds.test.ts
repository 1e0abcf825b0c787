import { describe, expect, it } from 'vitest';

import { compareBeds, meantBeds } from './beds.ts';

const spelled = (written: string, known: string) => meantBeds(written, known.split(' ').filter((bed) => bed !== ''));
function beds(written: string, known: string): string {
  const meant = spelled(written, known);
  return 'beds' in meant ? meant.beds.join(' ') : `fault ${meant.fault}`;
}
const fault = (written: string, known: string) => {
  const meant = spelled(written, known);
  return 'fault' in meant ? `${meant.fault} ${meant.instead}`.trim() : 'none';
};

describe('beds as they are typed', () => {
  it('are every bed of a range that has such a number', () => {
    expect(beds('20-23', '19 20 21 22 23 24')).toBe('20 21 22 23');
    expect(beds('9-11', '9 10 11')).toBe('9 10 11');
    expect(beds('20–22', '20 21')).toBe('20 21 22');
    expect(beds('20-22', '20A 20B 21A 22A 22B 23A')).toBe('20A 20B 21A 22A 22B');
    expect(beds('B-20-22', 'A-20 B-20 B-21 B-22')).toBe('B-20 B-21 B-22');
    expect(beds('b-20-b-21', 'B-20 B-21')).toBe('B-20 B-21');
    expect(beds('1-3', '01 02 10')).toBe('01 02 03');
    expect(beds('12A-12D', '12A 12C 12E')).toBe('12A 12B 12C 12D');
    expect(beds('12a-12b', '12A 12B')).toBe('12A 12B');
  });

  it('that are not known are taken and said, or left out where the beds have letters', () => {
    expect(spelled('20-23 B-12', '20 22')).toEqual({ beds: ['20', '21', '22', '23', 'B-12'], unknown: ['21', '23', 'B-12'], leftOut: [] });
    expect(spelled('20-23', '20A 20B 22A')).toEqual({ beds: ['20A', '20B', '22A'], unknown: [], leftOut: ['21', '23'] });
    expect(spelled('1-3', '')).toMatchObject({ unknown: ['1', '2', '3'] });
  });

  it('are names where they are names', () => {
    expect(beds('B-11 A-1', 'B-11')).toBe('A-1 B-11');
    expect(beds('20-34', '20-34 19')).toBe('20-34');
    expect(beds('b-07', 'B-7 B-8')).toBe('B-7');
    expect(beds('b-7', 'B-7 B-07')).toBe('b-7');
    expect(beds('3,5-6', '3 5 6')).toBe('3 5 6');
    expect(beds('3,5', '3,5')).toBe('3,5');
    expect(beds('412-B', '412-A 412-B')).toBe('412-B');
  });

  it('that can be two things are refused with what to write', () => {
    expect(fault('34-20', '20 34')).toBe('backwards 20-34');
    expect(fault('12D-12A', '12A')).toBe('backwards 12A-12D');
    expect(fault('12A-14B', '12A')).toBe('letters 12-14');
    expect(fault('20-34', '20 20-34')).toBe('twoWays');
    expect(fault('3-12', '3-1 3-2')).toBe('twoWays');
    expect(fault('20-34', 'B-20 B-21')).toBe('noneKnown B-20');
    expect(fault('1-65', '1')).toBe('tooMany');
    expect(fault('1-40 41-80', '1 41')).toBe('tooMany');
    expect(fault('1-999999', '1')).toBe('tooMany');
    expect(fault('B-123456789012345', '')).toBe('noName');
    expect(fault(',', '')).toBe('noName');
  });

  it('are read or refused, whatever is typed', () => {
    for (const text of ['', '-', '--', '1-', '-1', '1--2', 'é-1', '1-é', '0-0', '000000-000001', '1A-', '–', '1-2-3', '9'.repeat(9_999)]) {
      expect(() => spelled(text, '1 2 A-1')).not.toThrow();
    }
  });

  it('stand as people count them', () => {
    expect(['10', '2', '11A', '1', 'B-2', 'b-10', '011'].sort(compareBeds)).toEqual(['1', '2', '10', '011', '11A', 'B-2', 'b-10']);
  });
});
