/** Patients whom only named people may know (README.md, section 7a): who is restricted here, whom to ask, and naming people. */

import { type Bed, EncounterState, type ListedPatient } from '../../gen/wardline_pb.js';
import { answer, type Asks, pages } from '../admin/asking.ts';
import { utf8Length } from '../bytes.ts';
import { idOf, parseId, type PersonId, type StayId, type UnitId, wireId } from '../ids.ts';
import type { Id } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';
import { readId } from '../wire.ts';

/** The box takes 64 bytes. */
export const ALIAS_MAX = 64;
/** As many as a care team has at most. */
export const NAMED_MAX = 50;

export interface InBed {
  readonly stay: StayId;
  readonly unit: UnitId;
  readonly bed: string;
  /** `null`: this person is not named, and sees the alias alone. */
  readonly name: string | null;
  /** `null`: not restricted. */
  readonly alias: string | null;
  /** Somebody who is named; `null`: a charge nurse is to be asked, or there is nobody to ask. */
  readonly ask: PersonId | null;
}

/** Everybody in these units as a charge nurse sees them; each look is on record. */
export async function listInBeds(asks: Asks, units: readonly UnitId[]): Promise<readonly InBed[]> {
  const all: InBed[] = [];
  for (const unit of units) {
    const listed = await pages<ListedPatient, string>(
      async (after) => {
        const page = await answer(asks, { case: 'listPatients', value: { unit: wireId(unit), after: after ?? '' } }, 'patientPage');
        return { items: page.patients, end: page.end };
      },
      (one) => one.encounter?.bed ?? '',
    );
    const isAny = listed.some((one) => one.patient?.alias !== undefined && one.patient.alias !== '');
    const asked = isAny ? await whomToAsk(asks, unit) : new Map<bigint, PersonId | null>();
    all.push(...listed.flatMap((one) => readInBed(one, unit, asked)));
  }
  return all;
}

async function whomToAsk(asks: Asks, unit: UnitId): Promise<ReadonlyMap<bigint, PersonId | null>> {
  const beds = await pages<Bed, string>(
    async (after) => {
      const page = await answer(asks, { case: 'listBeds', value: { unit: wireId(unit), after: after ?? '' } }, 'bedPage');
      return { items: page.beds, end: page.end };
    },
    (bed) => bed.bed,
  );
  return new Map(beds.map((bed) => [bed.encounter, idOf<PersonId>(bed.ask)]));
}

function readInBed({ patient, encounter }: ListedPatient, unit: UnitId, asked: ReadonlyMap<bigint, PersonId | null>): readonly InBed[] {
  if (patient === undefined || encounter === undefined || encounter.state === EncounterState.DISCHARGED) return [];
  const alias = cleanLine(patient.alias);
  const name = patient.particulars === undefined ? null : cleanLine(patient.particulars.name);
  return [{ stay: readId(encounter.encounter), unit, bed: cleanLine(encounter.bed), name, alias: alias === '' ? null : alias, ask: asked.get(encounter.encounter) ?? null }];
}

export type RestrictFault = 'alias' | 'nobody' | 'many';

/** What keeps a patient from being restricted anew. */
export function restrictFault(alias: string, named: readonly Id[]): RestrictFault | null {
  if (!isAlias(alias)) return 'alias';
  if (named.length === 0) return 'nobody';
  return named.length > NAMED_MAX ? 'many' : null;
}

export function isAlias(typed: string): boolean {
  const said = typed.trim();
  return said !== '' && utf8Length(said) <= ALIAS_MAX && !/\p{Cc}/u.test(said);
}

/** Restricts; or names others, or gives another alias. An empty alias stays as it is. */
export async function restrict(asks: Asks, stay: StayId, alias: string, add: readonly Id[], remove: readonly Id[] = []): Promise<void> {
  const wired = (ids: readonly Id[]) => ids.flatMap((id) => parseId<PersonId>(id) ?? []).map((id) => wireId(id));
  await answer(asks, { case: 'restrict', value: { encounter: wireId(stay), alias: alias.trim(), add: wired(add), remove: wired(remove) } }, 'done');
}

export async function liftRestriction(asks: Asks, stay: StayId): Promise<void> {
  await answer(asks, { case: 'liftRestriction', value: { encounter: wireId(stay) } }, 'done');
}
