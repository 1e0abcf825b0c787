import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { DeviceCopiedSchema } from '../../gen/wardline_pb.js';
import { Copied } from './copied.ts';

it('devices that were copied are told once each, and not without end', () => {
  const copied = new Copied();
  const tell = (device: bigint, name: string) => copied.told(create(DeviceCopiedSchema, { person: 5n, device: { device, name } }));
  tell(7n, 'Ana\u202e phone');
  tell(7n, 'again');
  copied.told(create(DeviceCopiedSchema, { person: 5n }));
  expect(copied.shown).toEqual([{ device: '0000000000000007', person: '0000000000000005', name: 'Ana phone' }]);
  for (let n = 10n; n < 100n; n += 1n) tell(n, 'one');
  expect(copied.shown.length).toBe(20);
});
