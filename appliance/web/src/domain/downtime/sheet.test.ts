import { describe, expect, it } from 'vitest';

import type { BedRow } from '../care/contract.ts';
import { Practice, UNIT } from '../practice/practice.ts';
import { practiceEn } from '../../words/areas/practice.en.ts';
import type { Snapshot } from '../snapshot.ts';
import { BEDS_OF_PAGE, sheetOf } from './sheet.ts';

const { snapshot } = new Practice(practiceEn.made, () => 1_000_000);
const row: BedRow = { unit: UNIT, bed: '', taken: true, name: 'Rosa', flags: [], ask: '', conversation: null, holders: [{ name: 'Ana', until: 1, mine: true }], mine: true };

/** A unit of so many beds, by name. */
function unitOf(beds: number, names: 'there' | 'unasked' = 'there'): Snapshot {
  const { care } = snapshot;
  const ward = care?.wards[0];
  if (care === null || ward === undefined) throw new Error('no ward');
  return { ...snapshot, care: { ...care, wards: [{ ...ward, names, rows: Array.from({ length: beds }, (_, at) => ({ ...row, bed: `${at + 1}` })) }] } };
}

describe('a unit on paper', () => {
  it('of 24 beds is two pages', () => {
    const sheet = sheetOf(unitOf(24), UNIT, '4410', 5_000);
    expect(sheet).toMatchObject({ unit: 'Practice hall', by: 'You', pages: 2, dial: '4410', at: 5_000, destroyBy: 5_000 + 43_200_000 });
    expect(sheet?.bedPages[0]?.[23]).toMatchObject({ bed: '24', patient: 'Rosa', holders: ['Ana'] });
  });

  it('of more has more pages, and none of its beds twice or left out', () => {
    for (const beds of [0, 1, BEDS_OF_PAGE, BEDS_OF_PAGE + 1, 100]) {
      const sheet = sheetOf(unitOf(beds), UNIT, '', 0);
      expect(sheet?.bedPages.flat().map((one) => one.bed)).toEqual(Array.from({ length: beds }, (_, at) => `${at + 1}`));
      expect(sheet?.pages).toBe(Math.max(Math.ceil(beds / BEDS_OF_PAGE), 1) + 1);
    }
  });

  it('is none while the names are not here', () => {
    expect(sheetOf(unitOf(24, 'unasked'), UNIT, '', 0)).toBeNull();
    expect(sheetOf(unitOf(24), '00000000000000ff', '', 0)).toBeNull();
    expect(sheetOf({ ...unitOf(24), me: null }, UNIT, '', 0)).toBeNull();
  });

  it('says how much found no room', () => {
    const roles = Array.from({ length: 15 }, (_, at) => ({ id: `${at}`, name: `Role ${at}`, unit: at % 2 === 0 ? '' : 'Practice hall', holders: [], mine: false }));
    const sheet = sheetOf({ ...unitOf(1), roles: [...roles, { id: 'x', name: 'Elsewhere', unit: 'ICU', holders: [], mine: false }] }, UNIT, '', 0);
    expect(sheet?.roles.length).toBe(10);
    expect(sheet?.left.roles).toBe(5);
  });
});
