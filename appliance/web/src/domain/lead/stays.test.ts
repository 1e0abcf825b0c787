import { describe, expect, it } from 'vitest';
import { askStays, isBed, isRecordNumber, missingOf, type Typed } from './stays.ts';

const rosa: Typed = { recordNumber: ' 004712 ', name: ' Rosa Díaz ', born: '1947-03-09', sex: 'female' };
const TODAY = '2026-11-28';

describe('what identifies a patient', () => {
  it('is a number without blanks, a name, and a day that was', () => {
    expect(missingOf(rosa, TODAY)).toBeNull();
    expect(missingOf({ ...rosa, recordNumber: '00 47' }, TODAY)).toBe('recordNumber');
    expect(missingOf({ ...rosa, recordNumber: 'x'.repeat(33) }, TODAY)).toBe('recordNumber');
    expect(missingOf({ ...rosa, name: ' ' }, TODAY)).toBe('name');
    for (const born of ['', '1947-02-30', '1799-12-31', '2026-11-29', '47-03-09']) expect(missingOf({ ...rosa, born }, TODAY)).toBe('born');
  });
  it('has beds of up to 16 characters that print', () => {
    expect([isBed(' B-12 '), isBed(''), isBed('x'.repeat(17)), isBed('ñ')]).toEqual([true, false, false, false]);
    expect([isRecordNumber('4711'), isRecordNumber('')]).toEqual([true, false]);
  });
});

describe('what is asked', () => {
  const [STAY, UNIT] = ['0000000000000007', '0000000000000008'];
  it('admits who is new with all of it, and who was here by number alone', () => {
    expect(askStays.admitNew(rosa, UNIT, ' 3 ')).toEqual({ case: 'admit', value: { newPatient: { recordNumber: '004712', name: 'Rosa Díaz', birthDate: '1947-03-09', sex: 1 }, unit: 8n, bed: '3' } });
    expect(askStays.admitKnown(' 004712 ', UNIT, '3')).toEqual({ case: 'admit', value: { recordNumber: '004712', unit: 8n, bed: '3' } });
  });
  it('moves, sends on leave and discharges', () => {
    expect(askStays.transfer(STAY, UNIT, '4')).toEqual({ case: 'transfer', value: { encounter: 7n, unit: 8n, bed: '4' } });
    expect(askStays.leave(STAY, true)).toEqual({ case: 'setLeave', value: { encounter: 7n, away: true } });
    expect(askStays.discharge('x')).toBeNull();
  });
});
