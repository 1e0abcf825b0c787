import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { AdmittedSchema, DoneSchema, EncounterState, PatientPageSchema, Sex } from '../../gen/wardline_pb.js';
import type { Asks } from '../admin/asking.ts';
import type { Ask } from '../frames.ts';
import type { PatientId, StayId, UnitId } from '../ids.ts';
import { matchColumns } from '../lists/columns.ts';
import { parseTable } from '../lists/csv.ts';
import type { Reply } from '../snapshot.ts';
import { applyResident, dayOrder, isMany, listResidents, planResidents, RESIDENT_COLUMNS, type Reading, type Resident } from './residents.ts';

const id = <I>(n: number) => n.toString(16).padStart(16, '0') as I;
const hallA = { id: id<UnitId>(0xa1), name: 'Hall A' };
const hallB = { id: id<UnitId>(0xb1), name: 'Hall B' };
const reading: Reading = { unit: hallA.id, order: 'dayFirst', isWhole: false, today: '2026-11-28' };

function resident(n: number, bed: string, over: Partial<Resident> = {}): Resident {
  return { stay: id<StayId>(n), patient: id<PatientId>(n + 0x100), unit: hallA.id, bed, numbers: [`MRN${n}`], name: `Resident ${n}`, born: '1940-01-01', sex: Sex.FEMALE, attending: 9n, isAway: false, ...over };
}
function read(text: string) {
  const table = parseTable(text);
  if ('fault' in table) throw new Error(table.fault);
  return { rows: table.rows, columns: matchColumns(table.columns, RESIDENT_COLUMNS, null) };
}
function plan(text: string, here: readonly Resident[], over: Partial<Reading> = {}) {
  const { rows, columns } = read(text);
  return planResidents(rows, columns, here, [hallA, hallB], { ...reading, ...over });
}
const errorsOf = (text: string, here: readonly Resident[] = []) => plan(text, here).errors.map((one) => `${one.line} ${one.fault} ${one.text}`);

describe('a list of residents', () => {
  it('says who comes, who moves, who is written otherwise, and what is so already', () => {
    const here = [resident(1, '1'), resident(2, '2'), resident(3, '3')];
    const { steps, unchanged, errors } = plan('MRN,Resident Name,DOB,Sex,Unit,Bed\nMRN1,Resident 1,1940-01-01,F,Hall A,1\nMRN2,Resident 2,01.01.1940,F,Hall B,7\nMRN3,Resident Three,1/1/1940,,,3\nMRN4,Rosa Díaz,09/03/1947,f,,4', here);
    expect(errors).toEqual([]);
    expect(unchanged).toBe(1);
    expect(steps.map((step) => [step.line, step.resident?.stay ?? null, step.to?.unitName ?? null, step.to?.bed ?? null, step.particulars])).toEqual([
      [3, id(2), 'Hall B', '7', null],
      [4, id(3), null, null, { recordNumber: 'MRN3', name: 'Resident Three', born: '1940-01-01', sex: 'female' }],
      [5, null, 'Hall A', '4', { recordNumber: 'MRN4', name: 'Rosa Díaz', born: '1947-03-09', sex: 'female' }],
    ]);
  });
  it('corrects nothing that it leaves empty, and admits by number alone whom it names no more of', () => {
    const { steps } = plan('id,bed\nMRN1,1\nMRN9,9', [resident(1, '1')]);
    expect(steps.map((step) => [step.recordNumber, step.particulars])).toEqual([['MRN9', null]]);
  });
  it('joins names, and rooms with beds', () => {
    const { steps } = plan('MRN;Last name;First name;Room;Bed\nA;Díaz;Rosa;12;B\nB;Roth;Inés;12;1\nC;Kim;Lee;13;\nD;Ott;Jo;14;14C', []);
    expect(steps.map((step) => `${step.name} ${step.to?.bed}`)).toEqual(['Rosa Díaz 12B', 'Inés Roth 12-1', 'Lee Kim 13', 'Jo Ott 14C']);
  });
  it('knows who is merged by either number, and writes them by the one that stands', () => {
    const { steps } = plan('MRN,Name,Bed\nOLD,Rosa,1', [resident(1, '1', { numbers: ['NEW', 'OLD'] })]);
    expect(steps[0]?.particulars?.recordNumber).toBe('NEW');
  });
});

describe('who is in no row', () => {
  const here = [resident(1, '1'), resident(2, '2'), resident(3, '3', { unit: hallB.id }), resident(4, '4', { numbers: [] })];
  it('stays, unless the list is said to be whole; of other units, and who is restricted, in any case', () => {
    const part = plan('MRN,Bed\nMRN1,1', here);
    expect([part.steps.length, part.missing.map((one) => one.bed), part.here, part.untouched]).toEqual([0, ['2'], 2, 1]);
    const whole = plan('MRN,Bed\nMRN1,1', here, { isWhole: true });
    expect(whole.steps.map((step) => [step.line, step.resident?.bed, step.to])).toEqual([[0, '2', null]]);
  });
  it('is not who stands in a row that cannot be applied', () => {
    expect(plan('MRN,Bed\nMRN1,1\nMRN2,', here, { isWhole: true }).steps).toEqual([]);
  });
  it('is many from more than a tenth', () => {
    expect([isMany(1, 10), isMany(2, 10), isMany(4, 40), isMany(5, 40), isMany(1, 1)]).toEqual([false, true, false, true, true]);
  });
});

describe('beds', () => {
  it('are taken when they are free: who goes first, then each behind whoever makes room', () => {
    const here = [resident(1, '1'), resident(2, '2'), resident(3, '3')];
    const { steps, errors } = plan('MRN,Name,DOB,Bed\nMRN4,New,1950-01-01,1\nMRN1,,,2\nMRN2,,,3', here, { isWhole: true });
    expect(errors).toEqual([]);
    expect(steps.map((step) => `${step.recordNumber} ${step.to?.bed ?? 'goes'}`)).toEqual(['MRN3 goes', 'MRN2 3', 'MRN1 2', 'MRN4 1']);
  });
  it('are not exchanged, and not taken from whom the list leaves there', () => {
    const here = [resident(1, '1'), resident(2, '2'), resident(3, '3'), resident(4, '4', { numbers: [] })];
    expect(errorsOf('MRN,Bed\nMRN1,2\nMRN2,1\nMRN3,4', here)).toEqual(['2 exchange 2', '3 exchange 1', '4 bedTaken 4']);
  });
});

describe('a row', () => {
  it('that cannot be is named by its line', () => {
    const text = `MRN,Name,DOB,Unit,Bed\n,Rosa,,,1\nA B,,,,1\nC,${'x'.repeat(65)},,,1\nD,,31/02/1947,,1\nE,,2027-01-01,,1\nF,,,Hall Q,1\nG,Rosa,,,\nH,,,,8\nH,,,,9\nI,,,,8`;
    expect(errorsOf(text)).toEqual([
      '2 noNumber Rosa', '3 badNumber A B', `4 badName ${'x'.repeat(65)}`, '5 badBirth 31/02/1947', '6 badBirth 2027-01-01', '7 noSuchUnit Hall Q', '8 noBed Rosa', '10 twiceInFile H', '11 bedTwice 8',
    ]);
  });
  it('has its day by what the others say of their order', () => {
    const order = (...days: string[]) => {
      const { rows, columns } = read(`MRN,DOB,Bed\n${days.map((day, n) => `${n},${day},${n}`).join('\n')}`);
      return dayOrder(rows, columns);
    };
    expect([order('1947-03-09', '9.3.1947'), order('03/09/1947', '25/09/1947'), order('03/09/1947', '09/25/1947'), order('03/09/1947'), order('25/09/1947', '09/25/1947')]).toEqual(['none', 'dayFirst', 'monthFirst', null, null]);
    expect(plan('MRN,Name,DOB,Bed\nA,Rosa,03/09/1947,1', [], { order: 'monthFirst' }).steps[0]?.particulars?.born).toBe('1947-03-09');
    expect(plan('MRN,Name,DOB,Bed\nA,Rosa,1947-03-09 00:00:00,1', []).steps[0]?.particulars?.born).toBe('1947-03-09');
  });
});

describe('the box', () => {
  /** Answers each with the next of these. */
  function box(...replies: (Reply | 'done' | 'admitted')[]): { asks: Asks; asked: Ask[] } {
    const asked: Ask[] = [];
    const asks: Asks = (body) => {
      asked.push(body);
      const next = replies.shift() ?? 'done';
      if (typeof next !== 'string') return Promise.resolve(next);
      const told = next === 'done' ? ({ case: 'done', value: create(DoneSchema) } as const) : ({ case: 'admitted', value: create(AdmittedSchema, { patient: 1n, encounter: 2n, conversation: 3n }) } as const);
      return Promise.resolve({ reply: 'answer', request: 0, body: told });
    };
    return { asks, asked };
  }
  const step = (text: string, here: readonly Resident[], over: Partial<Reading> = {}) => {
    const [first] = plan(text, here, over).steps;
    if (first === undefined) throw new Error('nothing to do');
    return first;
  };

  it('is asked for everybody of a unit, page by page; who went is not here', async () => {
    const stay = (n: bigint, bed: string, state = EncounterState.ADMITTED) => ({ patient: { patient: n, particulars: { recordNumber: `R${n}`, name: 'Rosa', birthDate: '1947-03-09', sex: Sex.AMBIGUOUS } }, encounter: { encounter: n, patient: n, unit: 0xa1n, bed, state, attending: 5n } });
    const page = (end: boolean, ...patients: ReturnType<typeof stay>[]): Reply => ({ reply: 'answer', request: 0, body: { case: 'patientPage', value: create(PatientPageSchema, { end, patients }) } });
    const { asks, asked } = box(page(false, stay(1n, '1')), page(true, stay(2n, '2', EncounterState.DISCHARGED), stay(3n, '3', EncounterState.ON_LEAVE)));
    const found = await listResidents(asks, [hallA.id]);
    expect(found.map((one) => [one.bed, one.isAway, one.sex])).toEqual([['1', false, Sex.AMBIGUOUS], ['3', true, Sex.AMBIGUOUS]]);
    expect(asked.map((ask) => (ask.case === 'listPatients' ? ask.value.after : ''))).toEqual(['', '1']);
  });
  it('admits who is new, and who turns out to have been here by number', async () => {
    const used: Reply = { reply: 'refused', refusal: { code: 'RECORD_NUMBER_IN_USE', advice: '' } };
    const { asks, asked } = box(used, 'admitted');
    await applyResident(asks, step('MRN,Name,DOB,Bed\nA,Rosa,1947-03-09,1', []));
    expect(asked.map((ask) => (ask.case === 'admit' ? ask.value.recordNumber : ''))).toEqual([undefined, 'A']);
  });
  it('moves, discharges, and corrects without touching the attending or a sex that nobody types', async () => {
    const { asks, asked } = box();
    const here = [resident(1, '1', { sex: Sex.AMBIGUOUS })];
    await applyResident(asks, step('MRN,Name,Bed\nMRN1,Rosa,2', here));
    await applyResident(asks, step('MRN,Bed\nX,2\n', here, { isWhole: true }));
    expect(asked).toEqual([
      { case: 'updatePatient', value: { patient: 0x101n, particulars: { recordNumber: 'MRN1', name: 'Rosa', birthDate: '1940-01-01', sex: Sex.AMBIGUOUS }, attending: 9n, encounter: 1n } },
      { case: 'transfer', value: { encounter: 1n, unit: 0xa1n, bed: '2' } },
      { case: 'discharge', value: { encounter: 1n } },
    ]);
  });
});
