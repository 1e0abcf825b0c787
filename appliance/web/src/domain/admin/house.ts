/** The house: units, their station screens, roles and rotas, and how a STAT escalates. */

import { Rings } from '../../gen/wardline_pb.js';
import type { EscalationPolicy, Rota } from '../../gen/wardline_pb.js';
import { isNumber } from '../availability.ts';
import { idOf, momentOf, type PersonId, type RoleId, type UnitId, wireId } from '../ids.ts';
import type { At } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';
import { readId } from '../wire.ts';
import { answer, type Asks, pages } from './asking.ts';
import type { Member } from './directory.ts';
import type { RotaAsk } from './rota.ts';

export interface Role {
  readonly id: RoleId;
  readonly unit: UnitId;
  readonly name: string;
  readonly holders: readonly PersonId[];
  /** When nobody will hold it, within two weeks: where the first such time begins and ends. */
  readonly gap: { readonly start: At; readonly end: At } | null;
  readonly retired: boolean;
}

export const STEP_KINDS = ['chargeNurses', 'unitStaff', 'person', 'role'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export interface Step {
  readonly kind: StepKind;
  readonly person: PersonId | null;
  readonly role: RoleId | null;
  /** Seconds. */
  readonly wait: number;
}

export interface Policy {
  /** `null`: the facility's. */
  readonly unit: UnitId | null;
  readonly firstWait: number;
  readonly steps: readonly Step[];
  readonly dial: string;
  /** Seconds until an urgent message that nobody has seen is on the station screens; 0: never. */
  readonly urgentWait: number;
}

/** What holds where nobody has set any. */
export const STANDARD_POLICY: Omit<Policy, 'unit'> = {
  firstWait: 60,
  steps: [
    { kind: 'chargeNurses', person: null, role: null, wait: 60 },
    { kind: 'unitStaff', person: null, role: null, wait: 120 },
  ],
  dial: '',
  urgentWait: 300,
};
export const STEPS_MAX = 7;
export const URGENT_WAIT_MIN = 60;
export const WAIT_MIN = 15;
export const WAIT_MAX = 3600;

const RINGS: Record<StepKind, Rings> = { chargeNurses: Rings.CHARGE_NURSES, unitStaff: Rings.UNIT_STAFF, person: Rings.PERSON, role: Rings.ROLE };

export async function setUnit(asks: Asks, unit: UnitId | null, name: string): Promise<UnitId> {
  return readId((await answer(asks, { case: 'setUnit', value: { unit: wireId(unit), name } }, 'unitSet')).unit);
}

/** A screen of a unit; it joins by a code for what this gives. */
export async function addStation(asks: Asks, unit: UnitId, name: string): Promise<PersonId> {
  return readId((await answer(asks, { case: 'addStation', value: { unit: wireId(unit), name } }, 'personAdded')).person);
}

export async function listRoles(asks: Asks): Promise<readonly Role[]> {
  const found = await pages<Role, RoleId>(
    async (after) => {
      const page = await answer(asks, { case: 'listRoles', value: { after: wireId(after) } }, 'rolePage');
      const items = page.roles.map((one): Role => {
        const [gap] = one.gaps;
        return {
          id: readId(one.role),
          unit: readId(one.unit),
          name: cleanLine(one.name),
          holders: one.holders.map((holder) => readId<PersonId>(holder)),
          gap: gap === undefined ? null : { start: momentOf(gap.start), end: momentOf(gap.end) },
          retired: one.retired,
        };
      });
      return { items, end: page.end };
    },
    (one) => one.id,
  );
  return [...found].sort((a, b) => a.name.localeCompare(b.name));
}

/** A new role of a unit, or another name or rota for one; without a rota it stays as it was. */
export async function setRole(asks: Asks, role: RoleId | null, unit: UnitId, name: string, rota: RotaAsk | null): Promise<RoleId> {
  const value = { role: wireId(role), unit: wireId(unit), name, ...(rota === null ? {} : { rota }) };
  return readId((await answer(asks, { case: 'setRole', value }, 'roleSet')).role);
}

export async function readRota(asks: Asks, role: RoleId): Promise<Rota | null> {
  return (await answer(asks, { case: 'readRota', value: { role: wireId(role) } }, 'rotaShown')).rota ?? null;
}

export async function retireRole(asks: Asks, role: RoleId): Promise<void> {
  await answer(asks, { case: 'retireRole', value: { role: wireId(role) } }, 'roleSet');
}

export async function listPolicies(asks: Asks): Promise<readonly Policy[]> {
  const { policies } = await answer(asks, { case: 'listEscalation', value: {} }, 'escalationPolicies');
  return policies.map(readPolicy);
}

export async function setPolicy(asks: Asks, policy: Policy): Promise<void> {
  const steps = policy.steps.map((one) => ({ rings: RINGS[one.kind], person: wireId(one.person), role: wireId(one.role), wait: one.wait }));
  const value = { policy: { unit: wireId(policy.unit), firstWait: policy.firstWait, steps, dial: policy.dial, urgentWait: policy.urgentWait }, standard: false };
  await answer(asks, { case: 'setEscalation', value }, 'done');
}

/** As if it had never been set. */
export async function forgetPolicy(asks: Asks, unit: UnitId | null): Promise<void> {
  await answer(asks, { case: 'setEscalation', value: { policy: { unit: wireId(unit) }, standard: true } }, 'done');
}

/** What holds for a unit: its own, else the facility's, else what a box comes with. */
export function policyFor(policies: readonly Policy[], unit: UnitId | null): { policy: Policy; isOwn: boolean } {
  const own = policies.find((one) => one.unit === unit);
  const facility = policies.find((one) => one.unit === null);
  return { policy: { ...STANDARD_POLICY, ...facility, ...own, unit }, isOwn: own !== undefined };
}

/** Whether anybody has said how a STAT goes on: the box lists the facility's policy even where it is what a box comes with. */
export function isPolicySet(policies: readonly Policy[]): boolean {
  const said = ({ firstWait, steps, dial, urgentWait }: Omit<Policy, 'unit'>) => JSON.stringify([firstWait, dial, urgentWait, ...steps.map((one) => [one.kind, one.person, one.role, one.wait])]);
  return policies.some((one) => one.unit !== null || said(one) !== said(STANDARD_POLICY));
}

/** Whom a step rings for, as the directory and the rotas are now. `null`: that depends on the unit. */
export function reached(step: Step, unit: UnitId | null, people: readonly Member[], roles: readonly Role[]): readonly Member[] | null {
  const able = people.filter((one) => !one.isStation && !one.suspended);
  if (step.kind === 'person') return able.filter((one) => one.id === step.person);
  if (step.kind === 'role') {
    const holders = roles.find((one) => one.id === step.role)?.holders ?? [];
    return able.filter((one) => holders.includes(one.id));
  }
  if (unit === null) return null;
  return able.filter((one) => one.posts.some((post) => post.unit === unit && (step.kind === 'unitStaff' || post.chargeNurse)));
}

/** What keeps it from being set. */
export function policyFault(policy: Policy): 'wait' | 'urgent' | 'noPerson' | 'noRole' | 'twice' | 'dial' | null {
  const waits = [policy.firstWait, ...policy.steps.map((one) => one.wait)];
  if (waits.some((wait) => !Number.isInteger(wait) || wait < WAIT_MIN || wait > WAIT_MAX)) return 'wait';
  const urgent = policy.urgentWait;
  if (!Number.isInteger(urgent) || (urgent !== 0 && (urgent < URGENT_WAIT_MIN || urgent > WAIT_MAX))) return 'urgent';
  if (policy.steps.some((one) => one.kind === 'person' && one.person === null)) return 'noPerson';
  if (policy.steps.some((one) => one.kind === 'role' && one.role === null)) return 'noRole';
  const same = new Set(policy.steps.map((one) => `${one.kind} ${one.person ?? ''} ${one.role ?? ''}`));
  if (same.size < policy.steps.length) return 'twice';
  return isNumber(policy.dial) ? null : 'dial';
}

function readPolicy(wire: EscalationPolicy): Policy {
  const steps = wire.steps.flatMap((one): Step[] => {
    const kind = STEP_KINDS.find((name) => RINGS[name] === one.rings);
    return kind === undefined ? [] : [{ kind, person: idOf(one.person), role: idOf(one.role), wait: one.wait }];
  });
  return { unit: idOf(wire.unit), firstWait: wire.firstWait, steps, dial: cleanLine(wire.dial), urgentWait: wire.urgentWait ?? STANDARD_POLICY.urgentWait };
}

/** How STATs of a unit went. Seconds. */
export interface Figures {
  /** `null`: they followed no unit's policy. */
  readonly unit: UnitId | null;
  readonly sent: number;
  readonly answered: number;
  readonly atStations: number;
  readonly median: number;
  readonly ninety: number;
  readonly longest: number;
}

export async function statFigures(asks: Asks, since: At, until: At): Promise<readonly Figures[]> {
  const { units } = await answer(asks, { case: 'askStatLoad', value: { since: BigInt(since), until: BigInt(until) } }, 'statLoad');
  return units.map((one) => ({ unit: idOf(one.unit), sent: one.sent, answered: one.answered, atStations: one.atStations, median: one.median, ninety: one.ninety, longest: one.longest }));
}
