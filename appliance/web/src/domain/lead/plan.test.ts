import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { BedPageSchema } from '../../gen/wardline_pb.js';
import { readPlan, shares, twice, unheld } from './plan.ts';

const holder = (assignment: bigint, person: bigint) => ({ assignment, person, until: 9n });
const plan = readPlan([
  create(BedPageSchema, { beds: [{ bed: '1', encounter: 5n, holders: [holder(1n, 2n)] }, { bed: '2', encounter: 6n, holders: [holder(1n, 2n), holder(3n, 4n)] }] }),
  create(BedPageSchema, { beds: [{ bed: '3', encounter: 7n }, { bed: '4', holders: [holder(0n, 2n)] }], end: true }),
]);
const [ana, ben] = ['0000000000000002', '0000000000000004'];

describe('a unit’s shift', () => {
  it('is who has what, over all pages', () => {
    expect(plan.given).toEqual([
      { shift: '0000000000000001', person: ana, beds: ['1', '2'], until: 9 },
      { shift: '0000000000000003', person: ben, beds: ['2'], until: 9 },
    ]);
  });
  it('says which beds with somebody in them nobody has', () => {
    expect(unheld(plan)).toEqual(['3']);
    const whole = readPlan([create(BedPageSchema, { beds: [{ bed: '3', encounter: 7n }], whole: [holder(8n, 2n)] })]);
    expect(whole.given).toEqual([{ shift: '0000000000000008', person: ana, beds: [], until: 9 }]);
    expect(unheld(whole)).toEqual([]);
  });
});

describe('everybody’s share', () => {
  it('is read as beds are typed, and nothing typed is nothing', () => {
    const read = shares(plan, new Map([[ana, '1-3'], [ben, ' ']]));
    expect(read).toEqual([{ person: ana, beds: ['1', '2', '3'], unknown: [], fault: null }]);
  });
  it('says what is no bed, and what two are to have', () => {
    const read = shares(plan, new Map([[ana, '3-1'], [ben, '4']]));
    expect(read.map((share) => share.fault?.fault ?? null)).toEqual(['backwards', null]);
    expect(twice(shares(plan, new Map([[ana, '1-2'], [ben, '2-3']])))).toEqual(['2']);
  });
});
