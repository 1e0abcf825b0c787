import { describe, expect, it } from 'vitest';

import { isPolicySet, policyFault, policyFor, STANDARD_POLICY } from './house.ts';
import { daysText, hoursOf, retentionFault } from './policies.ts';

const rules = { direct: 720, group: 720, channel: 720, patient: 720 };

describe('retention', () => {
  it('is written in days, or in hours', () => {
    expect(['30', ' 90d', '36h', '', '-1', '1.5', 'month'].map(hoursOf)).toEqual([720, 2160, 36, null, null, null, null]);
    expect([720, 36].map(daysText)).toEqual(['30', '36h']);
  });
  it('is refused where the box would refuse it', () => {
    expect(retentionFault(rules)).toBeNull();
    expect(retentionFault({ ...rules, direct: 0 })).toBe('range');
    expect(retentionFault({ ...rules, patient: 87_601 })).toBe('range');
    expect(retentionFault({ ...rules, patient: 87_600 })).toBeNull();
    expect(retentionFault({ ...rules, direct: 684, patient: 87_600 })).toBe('uneven');
  });
});

describe('an escalation policy', () => {
  const policy = { unit: null, ...STANDARD_POLICY };
  it('is the unit’s, else the facility’s, else the standard', () => {
    const unit = '00000000000000a1' as never;
    expect(policyFor([], unit)).toEqual({ policy: { ...policy, unit }, isOwn: false });
    const facility = { ...policy, firstWait: 30 };
    expect(policyFor([facility], unit).policy).toEqual({ ...facility, unit });
    expect(policyFor([facility, { ...policy, unit, firstWait: 45 }], unit)).toMatchObject({ isOwn: true, policy: { firstWait: 45 } });
  });
  it('is set where it is another than what a box comes with, which the box lists as the facility’s', () => {
    expect(isPolicySet([policy])).toBe(false);
    expect(isPolicySet([{ ...policy, dial: '*9' }])).toBe(true);
    expect(isPolicySet([policy, { ...policy, unit: '00000000000000a1' as never }])).toBe(true);
  });
  it('is not set with what the box refuses', () => {
    const [step] = policy.steps;
    if (step === undefined) throw new Error('no step');
    expect(policyFault(policy)).toBeNull();
    expect(policyFault({ ...policy, firstWait: 14 })).toBe('wait');
    expect(policyFault({ ...policy, firstWait: Number.NaN })).toBe('wait');
    expect(policyFault({ ...policy, steps: [step, step] })).toBe('twice');
    expect(policyFault({ ...policy, steps: [{ ...step, kind: 'role' }] })).toBe('noRole');
    expect(policyFault({ ...policy, steps: [{ ...step, kind: 'person' }] })).toBe('noPerson');
    expect(policyFault({ ...policy, dial: 'ward' })).toBe('dial');
    expect([0, 60, 3600].map((urgentWait) => policyFault({ ...policy, urgentWait }))).toEqual([null, null, null]);
    expect([1, 59, 3601, Number.NaN].map((urgentWait) => policyFault({ ...policy, urgentWait }))).toEqual(['urgent', 'urgent', 'urgent', 'urgent']);
  });
});
