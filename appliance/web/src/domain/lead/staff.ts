/** Codes for colleagues' phones, and what becomes of whoever leaves (README.md, sections 3 and 7d). */

import type { DeviceList, JoinCode, Suspended } from '../../gen/wardline_pb.js';
import type { Ask } from '../frames.ts';
import { type DeviceId, idOf, momentOf, parseId, type PersonId, type RoleId, type UnitId, wireId } from '../ids.ts';
import type { At, Id } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';

/** Of each kind; the box sends 200 at most. */
const LEFT_MAX = 200;

export interface CodeMade {
  readonly code: string;
  readonly expires: At;
}

export interface StaffDevice {
  readonly id: Id;
  readonly name: string;
  readonly revoked: boolean;
  /** By ten wrong PINs. */
  readonly locked: boolean;
}

/** What somebody left behind, each with whom to give it to; `null`: nobody was found. */
export interface Left {
  readonly roles: readonly { readonly role: Id; readonly now: boolean; readonly successor: Id | null }[];
  readonly shifts: readonly { readonly unit: Id; readonly beds: readonly string[]; readonly whole: boolean; readonly until: At; readonly successor: Id | null }[];
  /** STATs ring again. */
  readonly stats: readonly { readonly unit: Id | null; readonly successor: Id | null }[];
  /** Open tasks go back to whoever gave them. */
  readonly tasks: readonly { readonly successor: Id | null }[];
  /** An administrator is to confirm it. */
  readonly waits: boolean;
}

export function readCode(wire: Pick<JoinCode, 'code' | 'expires'>): CodeMade {
  return { code: cleanLine(wire.code), expires: momentOf(wire.expires) };
}

export function readDevices(wire: DeviceList): readonly StaffDevice[] {
  return wire.devices.flatMap(({ device, name, revoked, pinLockedOut }) => {
    const id = idOf<DeviceId>(device);
    return id === null ? [] : [{ id, name: cleanLine(name), revoked, locked: pinLockedOut }];
  });
}

export function readLeft(wire: Suspended): Left {
  const successor = (one: { readonly successor: bigint }) => idOf<PersonId>(one.successor);
  return {
    roles: wire.roles.slice(0, LEFT_MAX).flatMap((one) => {
      const role = idOf<RoleId>(one.role);
      return role === null ? [] : [{ role, now: one.now, successor: successor(one) }];
    }),
    shifts: wire.shifts.slice(0, LEFT_MAX).flatMap((one) => {
      const unit = idOf<UnitId>(one.unit);
      return unit === null ? [] : [{ unit, beds: one.beds.map(cleanLine), whole: one.wholeUnit, until: momentOf(one.until), successor: successor(one) }];
    }),
    stats: wire.stats.slice(0, LEFT_MAX).map((one) => ({ unit: idOf<UnitId>(one.unit), successor: successor(one) })),
    tasks: wire.tasks.slice(0, LEFT_MAX).map((one) => ({ successor: successor(one) })),
    waits: wire.waits,
  };
}

export const askStaff = {
  code: (person: Id): Ask | null => ofPerson(person, (wire) => ({ case: 'issueJoinCode', value: { person: wire } })),
  clearPin: (person: Id): Ask | null => ofPerson(person, (wire) => ({ case: 'clearPin', value: { person: wire } })),
  devices: (person: Id): Ask | null => ofPerson(person, (wire) => ({ case: 'listDevices', value: { person: wire } })),
  suspend: (person: Id): Ask | null => ofPerson(person, (wire) => ({ case: 'suspend', value: { person: wire } })),
  revoke: (device: Id): Ask | null => {
    const id = parseId<DeviceId>(device);
    return id === null ? null : { case: 'revokeDevice', value: { device: wireId(id) } };
  },
  /** Beds by name, or all of the unit, to somebody of it. */
  giveBeds: (unit: Id, person: Id, beds: readonly string[] | 'whole', until: At): Ask | null => {
    const of = parseId<UnitId>(unit);
    const isWhole = beds === 'whole';
    if (of === null || (!isWhole && beds.length === 0)) return null;
    return ofPerson(person, (wire) => ({ case: 'takeAssignment', value: { unit: wireId(of), person: wire, beds: isWhole ? [] : [...beds], wholeUnit: isWhole, until: BigInt(Math.floor(until)) } }));
  },
  giveRole: (role: Id, person: Id, until: At): Ask | null => {
    const of = parseId<RoleId>(role);
    return of === null ? null : ofPerson(person, (wire) => ({ case: 'takeRole', value: { role: wireId(of), person: wire, until: BigInt(Math.floor(until)) } }));
  },
};

function ofPerson(person: Id, of: (person: bigint) => Ask): Ask | null {
  const id = parseId<PersonId>(person);
  return id === null ? null : of(wireId(id));
}
