/**
 * A list of residents against who is here: who comes, moves, is written otherwise, and, if the list names everybody, who goes. What was
 * applied is so, so that the same list applied again does it no second time.
 */

import { EncounterState, Sex } from '../../gen/wardline_pb.js';
import type { ListedPatient } from '../../gen/wardline_pb.js';
import { answer, type Asks, Declines, pages } from '../admin/asking.ts';
import { plainName } from '../admin/directory.ts';
import { type PatientId, type StayId, type UnitId, wireId } from '../ids.ts';
import type { KnownUnit } from '../known.ts';
import { cellOf, type Columns, type Usual } from '../lists/columns.ts';
import type { Row } from '../lists/csv.ts';
import { cleanLine } from '../texts.ts';
import { readId } from '../wire.ts';
import { isBed, isRecordNumber, missingOf, type SexName, SEXES, type Typed } from './stays.ts';

export type ResidentField = 'recordNumber' | 'name' | 'firstName' | 'born' | 'sex' | 'unit' | 'room' | 'bed';

export const RESIDENT_COLUMNS: Usual<ResidentField> = {
  recordNumber: ['record number', 'mrn', 'medical record number', 'resident id', 'resident number', 'patient id', 'patient number', 'id', 'numero de historia', 'historia clinica', 'numero de historia clinica', 'nhc', 'numero de residente'],
  name: ['name', 'full name', 'resident', 'resident name', 'patient', 'patient name', 'last name', 'surname', 'nombre y apellidos', 'nombre completo', 'residente', 'paciente', 'apellidos', 'apellido'],
  firstName: ['first name', 'given name', 'nombre', 'nombre de pila'],
  born: ['date of birth', 'birth date', 'dob', 'born', 'fecha de nacimiento', 'nacimiento', 'f. nacimiento'],
  sex: ['sex', 'gender', 'sexo', 'genero'],
  unit: ['unit', 'ward', 'hall', 'wing', 'floor', 'unidad', 'planta', 'sala'],
  room: ['room', 'room number', 'habitacion'],
  bed: ['bed', 'bed number', 'room/bed', 'room bed', 'location', 'cama'],
};

/** Somebody who is here now. */
export interface Resident {
  readonly stay: StayId;
  readonly patient: PatientId;
  readonly unit: UnitId;
  readonly bed: string;
  /** By which a row may name them: of merged records several; of one who is restricted none. */
  readonly numbers: readonly string[];
  readonly name: string;
  readonly born: string;
  readonly sex: Sex;
  /** Kept as it is when something else is corrected; 0: nobody. */
  readonly attending: bigint;
  readonly isAway: boolean;
}

export type ResidentFault = 'noNumber' | 'badNumber' | 'badName' | 'badBirth' | 'noBed' | 'noSuchUnit' | 'twiceInFile' | 'bedTwice' | 'bedTaken' | 'exchange';

export interface ResidentError {
  readonly line: number;
  readonly fault: ResidentFault;
  /** What it is about. */
  readonly text: string;
}

/** What one row comes to, or one who is in no row. */
export interface ResidentStep {
  readonly key: string;
  /** 0: in no row, and discharged therefore. */
  readonly line: number;
  readonly name: string;
  readonly recordNumber: string;
  /** `null`: comes. */
  readonly resident: Resident | null;
  readonly to: { readonly unit: UnitId; readonly unitName: string; readonly bed: string } | null;
  /** As they ought to be written; of one who comes, `null`: the list says too little, so the box must know them. */
  readonly particulars: Typed | null;
}

export interface ResidentPlan {
  /** In an order in which no bed is taken that is still held. */
  readonly steps: readonly ResidentStep[];
  readonly errors: readonly ResidentError[];
  readonly unchanged: number;
  /** Of units that the list is about, in none of its rows. */
  readonly missing: readonly Resident[];
  /** How many are here in these units, without who is restricted. */
  readonly here: number;
  /** Who is here and restricted: no list touches them. */
  readonly untouched: number;
}

/** What is said of the list besides its columns. */
export interface Reading {
  /** For rows that name none. */
  readonly unit: UnitId;
  /** How 03/09/1947 is meant. */
  readonly order: DayOrder;
  /** Whoever is in no row is discharged. */
  readonly isWhole: boolean;
  readonly today: string;
}
export type DayOrder = 'dayFirst' | 'monthFirst';

/** Of how many one may go by a list without being asked twice: a tenth. */
const FEW = 10;

export function isMany(discharged: number, here: number): boolean {
  return discharged * FEW > here;
}

/** Everybody in these units whom a charge nurse may see by name; each look is on record. */
export async function listResidents(asks: Asks, units: readonly UnitId[]): Promise<readonly Resident[]> {
  const all: Resident[] = [];
  for (const unit of units) {
    const found = await pages<ListedPatient, string>(
      async (after) => {
        const page = await answer(asks, { case: 'listPatients', value: { unit: wireId(unit), after: after ?? '' } }, 'patientPage');
        return { items: page.patients, end: page.end };
      },
      (one) => one.encounter?.bed ?? '',
    );
    all.push(...found.flatMap((one) => readResident(one, unit)));
  }
  return all;
}

function readResident({ patient, encounter }: ListedPatient, unit: UnitId): readonly Resident[] {
  if (patient === undefined || encounter === undefined || encounter.state === EncounterState.DISCHARGED) return [];
  const { particulars } = patient;
  return [
    {
      stay: readId(encounter.encounter),
      patient: readId(patient.patient),
      unit,
      bed: cleanLine(encounter.bed),
      numbers: particulars === undefined ? [] : [particulars.recordNumber, ...patient.mergedRecordNumbers].map(cleanLine),
      name: particulars === undefined ? cleanLine(patient.alias) : cleanLine(particulars.name),
      born: particulars?.birthDate ?? '',
      sex: particulars?.sex ?? Sex.UNSPECIFIED,
      attending: encounter.attending,
      isAway: encounter.state === EncounterState.ON_LEAVE,
    },
  ];
}

/** How days with slashes are meant, by those of them that can be meant in one way alone; `null`: none of them says it. */
export function dayOrder(rows: readonly Row[], columns: Columns<ResidentField>): DayOrder | 'none' | null {
  let [isAny, isDayFirst, isMonthFirst] = [false, false, false];
  for (const { cells } of rows) {
    const [, first, second] = SLASHED.exec(cellOf(cells, columns, 'born')) ?? [];
    if (first === undefined || second === undefined) continue;
    isAny = true;
    isDayFirst ||= Number(first) > 12;
    isMonthFirst ||= Number(second) > 12;
  }
  if (!isAny) return 'none';
  return isDayFirst === isMonthFirst ? null : isDayFirst ? 'dayFirst' : 'monthFirst';
}

const SLASHED = /^(\d{1,2})[/-](\d{1,2})[/-](\d{4})$/;

/** "1947-03-09" of what a spreadsheet writes for it; as it stands where that is no day. */
function dayOf(text: string, order: DayOrder): string {
  const of = (year = '', month = '', day = '') => `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  // A spreadsheet may write midnight behind it.
  const written = text.replace(/[T ]00:00(:00(\.0+)?)?$/, '');
  const [, year, month, day] = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/.exec(written) ?? [];
  if (year !== undefined) return of(year, month, day);
  const [, d, m, y] = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(written) ?? [];
  if (y !== undefined) return of(y, m, d);
  const [, first, second, last] = SLASHED.exec(written) ?? [];
  if (last === undefined) return written;
  return order === 'dayFirst' ? of(last, second, first) : of(last, first, second);
}

const SEX_WORDS: readonly (readonly [SexName, readonly string[]])[] = [
  ['female', ['f', 'female', 'w', 'woman', 'mujer', 'femenino']],
  ['male', ['m', 'male', 'man', 'h', 'v', 'hombre', 'varon', 'masculino']],
  ['other', ['o', 'other', 'x', 'otro', 'otra']],
];

function sexOf(text: string): SexName {
  return SEX_WORDS.find(([, words]) => words.includes(plainName(text)))?.[0] ?? 'unknown';
}

/** "12" and "A" are 12A; "12" and "1" are 12-1, lest they be 121. */
function bedOf(room: string, bed: string): string {
  if (room === '' || bed === '' || bed.startsWith(room)) return bed === '' ? room : bed;
  return /^\d/.test(bed) ? `${room}-${bed}` : `${room}${bed}`;
}

interface Read {
  readonly line: number;
  readonly typed: Typed;
  readonly hasSex: boolean;
  readonly unit: KnownUnit;
  readonly bed: string;
}

function readRow({ line, cells }: Row, columns: Columns<ResidentField>, units: readonly KnownUnit[], reading: Reading): Read | ResidentError {
  const cell = (field: ResidentField) => cellOf(cells, columns, field).trim();
  const recordNumber = cell('recordNumber');
  if (recordNumber === '') return { line, fault: 'noNumber', text: cell('name') };
  if (!isRecordNumber(recordNumber)) return { line, fault: 'badNumber', text: recordNumber };
  const named = cell('unit');
  const unit = units.find((one) => (named === '' ? one.id === reading.unit : plainName(one.name) === plainName(named)));
  if (unit === undefined) return { line, fault: 'noSuchUnit', text: named };
  const bed = bedOf(cell('room'), cell('bed'));
  if (!isBed(bed)) return { line, fault: 'noBed', text: cell('name') || recordNumber };
  const name = [cell('firstName'), cell('name')].filter((part) => part !== '').join(' ');
  const typed: Typed = { recordNumber, name, born: dayOf(cell('born'), reading.order), sex: sexOf(cell('sex')) };
  if (name !== '' && missingOf({ ...typed, born: '2000-01-01' }, reading.today) === 'name') return { line, fault: 'badName', text: name };
  if (typed.born !== '' && missingOf({ ...typed, name: 'x' }, reading.today) === 'born') return { line, fault: 'badBirth', text: cell('born') };
  return { line, typed, hasSex: cell('sex') !== '', unit, bed };
}

export function planResidents(rows: readonly Row[], columns: Columns<ResidentField>, here: readonly Resident[], units: readonly KnownUnit[], reading: Reading): ResidentPlan {
  const errors: ResidentError[] = [];
  const wanted: ResidentStep[] = [];
  const [numbers, beds, about, inList] = [new Set<string>(), new Set<string>(), new Set<UnitId>(), new Set<StayId>()];
  let unchanged = 0;
  for (const row of rows) {
    const read = readRow(row, columns, units, reading);
    // A row that cannot be applied still says that somebody is here: nobody is discharged for a slip of the pen.
    const number = cellOf(row.cells, columns, 'recordNumber').trim();
    const resident = here.find((one) => one.numbers.includes(number)) ?? null;
    if (resident !== null) inList.add(resident.stay);
    if ('fault' in read) {
      errors.push(read);
      continue;
    }
    const { line, unit, bed } = read;
    about.add(unit.id);
    if (numbers.has(number)) errors.push({ line, fault: 'twiceInFile', text: number });
    else if (beds.has(place(unit.id, bed))) errors.push({ line, fault: 'bedTwice', text: bed });
    else {
      const step = stepOf(read, resident);
      if (step === null) unchanged += 1;
      else wanted.push(step);
    }
    numbers.add(number);
    beds.add(place(unit.id, bed));
  }
  const covered = here.filter((one) => about.has(one.unit) && one.numbers.length > 0);
  const missing = covered.filter((one) => !inList.has(one.stay));
  const going: readonly ResidentStep[] = reading.isWhole
    ? missing.map((resident) => ({ key: resident.stay, line: 0, name: resident.name, recordNumber: resident.numbers[0] ?? '', resident, to: null, particulars: null }))
    : [];
  const { steps, stuck } = inOrder(going, wanted, here);
  return {
    steps,
    errors: [...errors, ...stuck].sort((a, b) => a.line - b.line),
    unchanged,
    missing,
    here: covered.length,
    untouched: here.filter((one) => about.has(one.unit) && one.numbers.length === 0).length,
  };
}

/** `null`: it is so already. What a list leaves empty it does not say. */
function stepOf({ line, typed, hasSex, unit, bed }: Read, resident: Resident | null): ResidentStep | null {
  const at = { unit: unit.id, unitName: unit.name, bed };
  const base = { key: typed.recordNumber, line, name: typed.name || (resident?.name ?? typed.recordNumber), recordNumber: typed.recordNumber, resident };
  if (resident === null) return { ...base, to: at, particulars: typed.name !== '' && typed.born !== '' ? typed : null };
  const name = typed.name || resident.name;
  const born = typed.born || resident.born;
  const differs = name !== resident.name || born !== resident.born || (hasSex && SEXES[typed.sex] !== resident.sex);
  const moves = resident.unit !== unit.id || resident.bed !== bed;
  if (!differs && !moves) return null;
  const sex = hasSex ? typed.sex : sexName(resident.sex);
  // Of merged records the one that stands: a row may name the other.
  const particulars = differs ? { recordNumber: resident.numbers[0] ?? typed.recordNumber, name, born, sex } : null;
  return { ...base, to: moves ? at : null, particulars };
}

export function sexName(sex: Sex): SexName {
  return (Object.keys(SEXES) as SexName[]).find((name) => SEXES[name] === sex) ?? 'unknown';
}

const place = (unit: UnitId, bed: string) => `${unit} ${bed}`;

/** Who goes first, then each as soon as their bed is free; two who exchange beds never are. */
function inOrder(going: readonly ResidentStep[], wanted: readonly ResidentStep[], here: readonly Resident[]): { steps: readonly ResidentStep[]; stuck: readonly ResidentError[] } {
  const held = new Map(here.map((one) => [place(one.unit, one.bed), one.stay]));
  const frees = (step: ResidentStep) => {
    if (step.resident !== null) held.delete(place(step.resident.unit, step.resident.bed));
  };
  const steps = [...going];
  going.forEach(frees);
  let left = [...wanted];
  for (let before = -1; before !== left.length; ) {
    before = left.length;
    left = left.filter((step) => {
      if (step.to !== null) {
        const by = held.get(place(step.to.unit, step.to.bed));
        if (by !== undefined && by !== step.resident?.stay) return true;
        frees(step);
        held.set(place(step.to.unit, step.to.bed), step.resident?.stay ?? (step.key as StayId));
      }
      steps.push(step);
      return false;
    });
  }
  const moving = new Set(left.map((step) => step.resident?.stay));
  const stuck = left.map(({ line, to }): ResidentError => {
    const bed = to?.bed ?? '';
    const by = to === null ? undefined : held.get(place(to.unit, bed));
    return { line, fault: moving.has(by) ? 'exchange' : 'bedTaken', text: bed };
  });
  return { steps, stuck };
}

/** Does what a step says. Throws {@link Declines}. */
export async function applyResident(asks: Asks, { resident, to, particulars, recordNumber }: ResidentStep): Promise<void> {
  if (resident === null) {
    if (to === null) return;
    const [unit, bed] = [wireId(to.unit), to.bed];
    const known = () => answer(asks, { case: 'admit', value: { recordNumber, unit, bed } }, 'admitted');
    if (particulars === null) return void (await known());
    try {
      await answer(asks, { case: 'admit', value: { newPatient: wireParticulars(particulars), unit, bed } }, 'admitted');
    } catch (thrown) {
      // Was here before. What the list writes otherwise of them is shown afterwards.
      if (!(thrown instanceof Declines) || thrown.refusal.code !== 'RECORD_NUMBER_IN_USE') throw thrown;
      await known();
    }
    return;
  }
  const encounter = wireId(resident.stay);
  if (particulars !== null) await correctResident(asks, resident, particulars);
  if (to !== null) await answer(asks, { case: 'transfer', value: { encounter, unit: wireId(to.unit), bed: to.bed } }, 'done');
  else if (particulars === null) await answer(asks, { case: 'discharge', value: { encounter } }, 'done');
}

/** All particulars as they ought to be; the attending stays. */
export async function correctResident(asks: Asks, resident: Resident, particulars: Typed): Promise<void> {
  const wire = wireParticulars(particulars);
  // What a record system writes and nobody here types stays as it is.
  const sex = particulars.sex === sexName(resident.sex) ? resident.sex : wire.sex;
  const value = { patient: wireId(resident.patient), particulars: { ...wire, sex }, attending: resident.attending, encounter: wireId(resident.stay) };
  await answer(asks, { case: 'updatePatient', value }, 'done');
}

function wireParticulars({ recordNumber, name, born, sex }: Typed) {
  return { recordNumber: recordNumber.trim(), name: name.trim(), birthDate: born, sex: SEXES[sex] };
}
