import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { DeviceListSchema, SuspendedSchema } from '../../gen/wardline_pb.js';
import { askStaff, readDevices, readLeft } from './staff.ts';

describe('what a leaver leaves behind', () => {
  it('is read with whom to give it to, or that nobody was found', () => {
    const left = readLeft(
      create(SuspendedSchema, {
        roles: [{ role: 5n, now: true, successor: 2n }, { role: 0n }],
        shifts: [{ unit: 7n, beds: ['B-3', '\u202eB-4'], until: 9n, successor: 0n }],
        stats: [{ conversation: 1n, sequence: 2n, unit: 7n, successor: 3n }],
        tasks: [{ conversation: 1n, sequence: 2n }],
        waits: true,
      }),
    );
    expect(left.roles).toEqual([{ role: '0000000000000005', now: true, successor: '0000000000000002' }]);
    expect(left.shifts).toEqual([{ unit: '0000000000000007', beds: ['B-3', 'B-4'], whole: false, until: 9, successor: null }]);
    expect([left.stats.length, left.tasks, left.waits]).toEqual([1, [{ successor: null }], true]);
  });
});

describe('devices', () => {
  it('are read by name, and which are locked', () => {
    const list = create(DeviceListSchema, { devices: [{ device: 1n, name: '\u202ePhone', pinLockedOut: true }, { device: 0n, name: 'x' }] });
    expect(readDevices(list)).toEqual([{ id: '0000000000000001', name: 'Phone', revoked: false, locked: true }]);
  });
});

describe('what is asked', () => {
  const ana = '0000000000000002';
  it('is about a person', () => {
    expect(askStaff.code(ana)).toEqual({ case: 'issueJoinCode', value: { person: 2n } });
    expect(askStaff.clearPin('nobody')).toBeNull();
  });
  it('gives beds, or the whole unit, never nothing', () => {
    expect(askStaff.giveBeds('0000000000000007', ana, ['1', '2'], 5)).toEqual({ case: 'takeAssignment', value: { unit: 7n, person: 2n, beds: ['1', '2'], wholeUnit: false, until: 5n } });
    expect(askStaff.giveBeds('0000000000000007', ana, 'whole', 5)).toMatchObject({ value: { beds: [], wholeUnit: true } });
    expect(askStaff.giveBeds('0000000000000007', ana, [], 5)).toBeNull();
  });
});
