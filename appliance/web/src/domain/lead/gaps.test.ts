import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { RoleGapAheadSchema } from '../../gen/wardline_pb.js';
import { Gaps } from './gaps.ts';

const gap = (role: bigint, start: bigint) => create(RoleGapAheadSchema, { role, unit: 7n, name: '\u202ePhysician', start, end: start + 10n, rung: true });

describe('gaps ahead', () => {
  it('are kept once each, the next one first, until the box tells anew', () => {
    const gaps = new Gaps();
    gaps.told(gap(2n, 50n));
    gaps.told(gap(1n, 20n));
    gaps.told(gap(1n, 20n));
    gaps.told(gap(0n, 20n));
    expect(gaps.shown).toEqual([
      { role: '0000000000000001', name: 'Physician', start: 20, end: 30, rung: true },
      { role: '0000000000000002', name: 'Physician', start: 50, end: 60, rung: true },
    ]);
    gaps.forget();
    expect(gaps.shown).toEqual([]);
  });
});
