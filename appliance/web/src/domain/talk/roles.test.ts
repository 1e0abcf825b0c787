import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { Reach, RoleInboxShownSchema } from '../../gen/wardline_pb.js';
import type { Role } from '../snapshot.ts';
import { ANA, BEN } from '../testing/box.ts';
import { hex } from '../testing/bench.ts';
import { finishAsk, lookAsk, readReaders, roleOf } from './roles.ts';

const shown = (over: object): ReturnType<typeof readReaders> => readReaders({ case: 'roleInboxShown', value: create(RoleInboxShownSchema, { role: 7n, unit: 1n, ...over }) });

describe('who reads what is written to a role', () => {
  it('is whoever holds it, in the order in which they are asked', () => {
    const holders = [
      { person: BEN, reach: Reach.BELL_ONLY },
      { person: ANA, reach: Reach.APP_OPEN },
    ];
    expect(shown({ holders })?.holders).toEqual([
      { person: hex(BEN), reach: 'bell' },
      { person: hex(ANA), reach: 'open' },
    ]);
  });
  it('is whoever covers, until the next one holds it', () => {
    const readers = shown({ cover: [{ person: BEN, reach: Reach.UNREACHABLE }], next: 1_800_000n });
    expect(readers).toEqual({ role: hex(7n), holders: [], cover: [{ person: hex(BEN), reach: 'none' }], next: 1_800_000, conversation: null, own: false });
  });
  it('is said by an answer to that alone, which names people', () => {
    expect(readReaders({ case: undefined })).toBeNull();
    expect(() => shown({ holders: [{ person: 0n }] })).toThrow('an identifier');
  });
});

it('a role and a conversation are asked about by their identifiers', () => {
  expect(lookAsk(hex(7n))).toEqual({ case: 'lookAtRoleInbox', value: { role: 7n } });
  expect(finishAsk(hex(0x99n))).toEqual({ case: 'finishRoleInbox', value: { conversation: 0x99n } });
});

it("a conversation's role is the one of its name, of its unit where there are two", () => {
  const role = (id: string, name: string, unit: string): Role => ({ id, name, unit, holders: [], mine: false });
  const roles = [role('1', 'Physician', 'Hall A'), role('2', 'Physician', 'Hall B'), role('3', 'Pharmacist', 'Hall B')];
  expect(roleOf('Physician', 'Hall B', roles)?.id).toBe('2');
  expect(roleOf('Pharmacist', 'Ana Ruiz', roles)?.id).toBe('3');
  expect(roleOf('Physician', 'Ana Ruiz', roles)).toBeNull();
  expect(roleOf('Chaplain', 'Hall B', roles)).toBeNull();
});
