/** A made-up box for the pages of administration: it answers, and changes nothing but what a test changes. Everybody in it is invented. */

import { create } from '@bufbuild/protobuf';

import {
  DeviceListSchema,
  DoneSchema,
  JoinCodeSchema,
  PeoplePageSchema,
  PersonAddedSchema,
  SuspendedSchema,
  SuspensionPageSchema,
  UnitListSchema,
} from '../../gen/wardline_pb.js';
import type { Ask, Told } from '../frames.ts';
import type { Reply } from '../snapshot.ts';

/** As `fixtures.ts` has it: when everything is looked at. */
const NOW = BigInt(Date.UTC(2026, 10, 28, 3, 12));
const HOUR = 3_600_000n;
const WEST = 0xa1n;
const ICU = 0xa2n;

const PEOPLE = [
  { person: 0x101n, name: 'Ana Ruiz', title: 'Registered nurse', administrator: true, posts: [{ unit: WEST, chargeNurse: true }] },
  { person: 0x102n, name: 'Ben Okafor', title: 'Hospitalist', posts: [{ unit: WEST }] },
  { person: 0x103n, name: 'Carla Méndez', title: 'Respiratory therapist', posts: [{ unit: WEST }, { unit: ICU }] },
  { person: 0x104n, name: 'Dana Whitfield', title: 'Registered nurse', posts: [{ unit: WEST }], suspended: true },
  { person: 0x105n, name: 'Eli Nakamura', title: 'Pharmacist', posts: [{ unit: ICU }] },
  { person: 0x106n, name: 'Inés Roth', title: 'RN', posts: [{ unit: ICU }], agency: { name: 'Brightside', until: NOW + 4n * HOUR } },
  { person: 0x107n, name: 'Luis Ortega', title: 'Privacy officer', privacyOfficer: true },
  { person: 0x108n, name: '\u202e<b>Mallory</b> ' + 'x'.repeat(44), title: '<i>\u2067', posts: [] },
  { person: 0x10an, name: 'Desk, 4 West', station: WEST },
];

const UNITS = [
  { unit: WEST, name: '4 West' },
  { unit: ICU, name: 'ICU' },
];

/** By what is asked, what it answers. */
const ANSWERS: Partial<Record<NonNullable<Ask['case']>, () => Told>> = {
  listPeople: () => ({ case: 'peoplePage', value: create(PeoplePageSchema, { people: PEOPLE, end: true }) }),
  listUnits: () => ({ case: 'unitList', value: create(UnitListSchema, { units: UNITS }) }),
  listSuspensions: () => ({
    case: 'suspensionPage',
    value: create(SuspensionPageSchema, { suspensions: [{ person: 0x104n, by: 0x101n, since: NOW - 30n * HOUR, overdue: true }], end: true }),
  }),
  listDevices: () => ({
    case: 'deviceList',
    value: create(DeviceListSchema, {
      devices: [
        { device: 0x501n, name: 'Old phone', revoked: true },
        { device: 0x502n, name: 'Ben’s phone', pinLockedOut: true },
        { device: 0x503n, name: 'Desk 4 West' },
      ],
    }),
  }),
  issueJoinCode: () => ({ case: 'joinCode', value: create(JoinCodeSchema, { code: 'K7QX2M4WPD', expires: NOW + 72n * HOUR }) }),
  clearPin: () => ({ case: 'joinCode', value: create(JoinCodeSchema, { code: 'A3BC9D1EFG', expires: NOW + 600_000n }) }),
  addPerson: () => ({ case: 'personAdded', value: create(PersonAddedSchema, { person: 0x102n }) }),
  suspend: () => ({
    case: 'suspended',
    value: create(SuspendedSchema, {
      roles: [{ role: 0x402n, now: true, successor: 0x103n }],
      shifts: [{ unit: WEST, beds: ['412-A', '412-B'], until: NOW + 4n * HOUR, successor: 0x101n }],
      stats: [{ conversation: 0x301n, sequence: 12n, unit: WEST }],
    }),
  }),
};

const DONE: readonly string[] = ['setPost', 'setDuties', 'setStanding', 'revokeDevice', 'decideSuspension'];

/** The box. `declines`: what it answers all acts that change something with. */
export function adminBox(declines = ''): (body: Ask) => Reply | null {
  return (body) => {
    const isChange = body.case !== undefined && !/^(list|read|ask|preview)/.test(body.case);
    if (declines !== '' && isChange) return { reply: 'refused', refusal: { code: declines, advice: '' } };
    if (DONE.includes(body.case)) return { reply: 'answer', body: { case: 'done', value: create(DoneSchema) } };
    const told = ANSWERS[body.case]?.();
    return told === undefined ? null : { reply: 'answer', body: told };
  };
}
