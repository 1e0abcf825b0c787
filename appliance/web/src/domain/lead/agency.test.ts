import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { AgencyPageSchema } from '../../gen/wardline_pb.js';
import { askAgency, isGrounds, missing, readStays } from './agency.ts';

const UNIT = '0000000000000007';
const coming = { person: null, name: ' Inés Roth ', agency: 'Brightside', title: 'RN', unit: UNIT, beds: ['A-1'], until: 9, another: false } as const;

describe('stays of agency staff', () => {
  it('are read with why they were made longer', () => {
    const stays = readStays(create(AgencyPageSchema, { stays: [{ person: 2n, since: 1n, until: 5n, extensions: [{ at: 2n, until: 5n, grounds: 'Two\u202e called in sick' }] }, { person: 3n, ended: 4n, barred: true }, { person: 0n }] }));
    expect(stays).toEqual([
      { person: '0000000000000002', since: 1, until: 5, here: true, extensions: 1, grounds: 'Two called in sick', barred: false },
      { person: '0000000000000003', since: 0, until: 0, here: false, extensions: 0, grounds: '', barred: true },
    ]);
  });
});

describe('who comes', () => {
  it('has a name and an agency', () => {
    expect(missing(coming)).toBeNull();
    expect(missing({ ...coming, name: ' ' })).toBe('name');
    expect(missing({ ...coming, agency: 'x'.repeat(65) })).toBe('agency');
    expect(missing({ ...coming, title: 'ñ'.repeat(33) })).toBe('title');
  });
  it('is admitted with beds, with all of them, or with none yet', () => {
    expect(askAgency.admit(coming)).toEqual({ case: 'admitAgency', value: { name: 'Inés Roth', agency: 'Brightside', title: 'RN', person: 0n, unit: 7n, beds: ['A-1'], wholeUnit: false, until: 9n, anotherPerson: false } });
    expect(askAgency.admit({ ...coming, beds: 'whole' })).toMatchObject({ value: { beds: [], wholeUnit: true } });
    expect(askAgency.admit({ ...coming, name: '' })).toBeNull();
  });
});

describe('a longer stay', () => {
  it('says why', () => {
    expect(isGrounds('too short')).toBe(false);
    expect(askAgency.extend('0000000000000002', 9, ' Two called in sick ')).toEqual({ case: 'extendAgency', value: { person: 2n, until: 9n, grounds: 'Two called in sick' } });
    expect(askAgency.extend('0000000000000002', 9, 'why')).toBeNull();
  });
});
