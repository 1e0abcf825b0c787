/** The directory as an administrator sees it: people, their devices and standing, and the units they work in. */

import { Rank } from '../../gen/wardline_pb.js';
import type { Person, Suspended } from '../../gen/wardline_pb.js';
import { type ConversationId, type DeviceId, idOf, momentOf, type PersonId, type RoleId, type UnitId, wireId } from '../ids.ts';
import type { KnownPerson, KnownUnit } from '../known.ts';
import type { At } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';
import { readId, readPerson, readUnit } from '../wire.ts';
import { answer, type Asks, pages } from './asking.ts';

/** Bytes of a person's, unit's or station's name, and of a title. */
export const NAME_MAX = 64;

export interface Member extends KnownPerson {
  /** Of a station screen: its unit. */
  readonly station: UnitId | null;
  readonly agency: { readonly name: string; readonly until: At; readonly over: boolean } | null;
}

export interface Device {
  readonly id: DeviceId;
  readonly name: string;
  readonly revoked: boolean;
  readonly isLockedOut: boolean;
}

export interface Code {
  readonly code: string;
  readonly expires: At;
}

/** What somebody who was suspended leaves behind; `to`: a proposal. */
export interface LeftBehind {
  readonly roles: readonly { readonly role: RoleId; readonly now: boolean; readonly to: PersonId | null }[];
  readonly shifts: readonly { readonly unit: UnitId; readonly beds: readonly string[]; readonly isWhole: boolean; readonly until: At; readonly to: PersonId | null }[];
  readonly stats: readonly { readonly conversation: ConversationId; readonly unit: UnitId | null; readonly to: PersonId | null }[];
  readonly tasks: readonly { readonly due: At | null; readonly overdue: boolean; readonly to: PersonId | null }[];
  readonly waits: boolean;
}

export interface Suspension {
  readonly person: PersonId;
  readonly by: PersonId | null;
  readonly since: At;
  readonly overdue: boolean;
}

export type Post = 'none' | 'staff' | 'chargeNurse';

const RANKS: Record<Post, Rank> = { none: Rank.NONE, staff: Rank.STAFF, chargeNurse: Rank.CHARGE_NURSE };

/** Everybody, station screens too, by name. */
export async function listPeople(asks: Asks): Promise<readonly Member[]> {
  const found = await pages<Member, PersonId>(
    async (after) => {
      const page = await answer(asks, { case: 'listPeople', value: { after: wireId(after) } }, 'peoplePage');
      return { items: page.people.map(readMember), end: page.end };
    },
    (one) => one.id,
  );
  return [...found].sort((a, b) => a.name.localeCompare(b.name));
}

export async function listUnits(asks: Asks): Promise<readonly KnownUnit[]> {
  const { units } = await answer(asks, { case: 'listUnits', value: {} }, 'unitList');
  return units.map(readUnit).sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

export async function addPerson(asks: Asks, name: string, title: string, administrator = false): Promise<PersonId> {
  return readId((await answer(asks, { case: 'addPerson', value: { name, title, administrator } }, 'personAdded')).person);
}

export async function setPost(asks: Asks, person: PersonId, unit: UnitId, post: Post): Promise<void> {
  await answer(asks, { case: 'setPost', value: { person: wireId(person), unit: wireId(unit), rank: RANKS[post] } }, 'done');
}

export async function setDuties(asks: Asks, person: PersonId, administrator: boolean, privacyOfficer: boolean): Promise<void> {
  await answer(asks, { case: 'setDuties', value: { person: wireId(person), administrator, privacyOfficer } }, 'done');
}

export async function inviteCode(asks: Asks, person: PersonId): Promise<Code> {
  const { code, expires } = await answer(asks, { case: 'issueJoinCode', value: { person: wireId(person) } }, 'joinCode');
  return { code: cleanLine(code), expires: momentOf(expires) };
}

/** For a device that ten wrong PINs locked. */
export async function pinCode(asks: Asks, person: PersonId): Promise<Code> {
  const { code, expires } = await answer(asks, { case: 'clearPin', value: { person: wireId(person) } }, 'joinCode');
  return { code: cleanLine(code), expires: momentOf(expires) };
}

export async function listDevices(asks: Asks, person: PersonId): Promise<readonly Device[]> {
  const { devices } = await answer(asks, { case: 'listDevices', value: { person: wireId(person) } }, 'deviceList');
  return devices.map((one) => ({ id: readId<DeviceId>(one.device), name: cleanLine(one.name), revoked: one.revoked, isLockedOut: one.pinLockedOut }));
}

export async function revokeDevice(asks: Asks, device: DeviceId): Promise<void> {
  await answer(asks, { case: 'revokeDevice', value: { device: wireId(device) } }, 'done');
}

export async function suspend(asks: Asks, person: PersonId): Promise<LeftBehind> {
  return readLeft(await answer(asks, { case: 'suspend', value: { person: wireId(person) } }, 'suspended'));
}

export async function restore(asks: Asks, person: PersonId): Promise<void> {
  await answer(asks, { case: 'setStanding', value: { person: wireId(person), suspended: false } }, 'done');
}

export async function listSuspensions(asks: Asks): Promise<readonly Suspension[]> {
  const found = await pages<Suspension, PersonId>(
    async (after) => {
      const page = await answer(asks, { case: 'listSuspensions', value: { after: wireId(after) } }, 'suspensionPage');
      const items = page.suspensions.map((one) => ({ person: readId<PersonId>(one.person), by: idOf<PersonId>(one.by), since: momentOf(one.since), overdue: one.overdue }));
      return { items, end: page.end };
    },
    (one) => one.person,
  );
  return [...found].sort((a, b) => a.since - b.since);
}

export async function decideSuspension(asks: Asks, person: PersonId, confirmed: boolean): Promise<void> {
  await answer(asks, { case: 'decideSuspension', value: { person: wireId(person), confirmed } }, 'done');
}

/** Names are told apart without case, accents and blanks, as people tell them apart. */
export function plainName(name: string): string {
  return name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Whether the box takes it for a name: of 1 to 64 bytes, and one line. */
export function isName(text: string): boolean {
  const name = text.trim();
  return name !== '' && cleanLine(name) === name && new TextEncoder().encode(name).length <= NAME_MAX;
}

/** A title may be missing. */
export function isTitle(text: string): boolean {
  return text.trim() === '' || isName(text);
}

function readMember(wire: Person): Member {
  const { agency } = wire;
  return {
    ...readPerson(wire),
    station: idOf(wire.station),
    agency: agency === undefined ? null : { name: cleanLine(agency.name), until: momentOf(agency.until), over: agency.over },
  };
}

function readLeft(wire: Suspended): LeftBehind {
  return {
    roles: wire.roles.map((one) => ({ role: readId<RoleId>(one.role), now: one.now, to: idOf<PersonId>(one.successor) })),
    shifts: wire.shifts.map((one) => ({
      unit: readId<UnitId>(one.unit),
      beds: one.beds.map(cleanLine),
      isWhole: one.wholeUnit,
      until: momentOf(one.until),
      to: idOf<PersonId>(one.successor),
    })),
    stats: wire.stats.map((one) => ({ conversation: readId<ConversationId>(one.conversation), unit: idOf<UnitId>(one.unit), to: idOf<PersonId>(one.successor) })),
    tasks: wire.tasks.map((one) => ({ due: one.due === 0n ? null : momentOf(one.due), overdue: one.overdue, to: idOf<PersonId>(one.successor) })),
    waits: wire.waits,
  };
}
