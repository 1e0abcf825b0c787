import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { BedPageSchema, DoneSchema, EncounterState, PatientPageSchema, Sex } from '../../gen/wardline_pb.js';
import { type StayId, type UnitId, parseId } from '../ids.ts';
import type { Ask } from '../frames.ts';
import type { Reply } from '../snapshot.ts';
import { isAlias, liftRestriction, listInBeds, restrict, restrictFault } from './restricted.ts';

const [hall, stay] = [parseId<UnitId>('00000000000000a1') as UnitId, parseId<StayId>('0000000000000601') as StayId];
const particulars = { recordNumber: '4711', name: 'Noor Haddad', birthDate: '1950-01-01', sex: Sex.FEMALE };
const encounter = (id: bigint, bed: string, state = EncounterState.ADMITTED) => ({ encounter: id, patient: id, unit: 0xa1n, bed, state });

function box(restricted: boolean) {
  const asked: Ask[] = [];
  const patients = [
    { patient: { patient: 1n, particulars }, encounter: encounter(0x601n, '1') },
    ...(restricted ? [{ patient: { patient: 2n, alias: 'Blue \u202eHeron' }, encounter: encounter(0x602n, '2') }, { patient: { patient: 3n, alias: 'Grey Owl', particulars }, encounter: encounter(0x603n, '3') }] : []),
    { patient: { patient: 4n, particulars }, encounter: encounter(0x604n, '4', EncounterState.DISCHARGED) },
  ];
  const asks = (body: Ask): Promise<Reply> => {
    asked.push(body);
    const told = (value: Reply) => Promise.resolve(value);
    if (body.case === 'listPatients') return told({ reply: 'answer', request: 0, body: { case: 'patientPage', value: create(PatientPageSchema, { end: true, patients }) } });
    if (body.case === 'listBeds') return told({ reply: 'answer', request: 0, body: { case: 'bedPage', value: create(BedPageSchema, { end: true, beds: [{ bed: '2', encounter: 0x602n, alias: 'Blue Heron', ask: 0x102n }, { bed: '3', encounter: 0x603n, alias: 'Grey Owl' }] }) } });
    return told({ reply: 'answer', request: 0, body: { case: 'done', value: create(DoneSchema) } });
  };
  return { asked, asks };
}

describe('who lies in a unit', () => {
  it('is by alias alone where one is not named, with whom to ask', async () => {
    const { asks } = box(true);
    expect((await listInBeds(asks, [hall])).map(({ bed, name, alias, ask }) => [bed, name, alias, ask])).toEqual([
      ['1', 'Noor Haddad', null, null],
      ['2', null, 'Blue Heron', '0000000000000102'],
      ['3', 'Noor Haddad', 'Grey Owl', null],
    ]);
  });
  it('is asked once where nobody is restricted: whom to ask is nobody’s question', async () => {
    const { asks, asked } = box(false);
    await listInBeds(asks, [hall]);
    expect(asked.map((one) => one.case)).toEqual(['listPatients']);
  });
});

describe('restricting', () => {
  it('wants an alias of one line and somebody who is named', () => {
    expect(['Blue Heron', ' ', 'é'.repeat(33), 'a\nb'].map(isAlias)).toEqual([true, false, false, false]);
    expect(restrictFault('', ['0000000000000101'])).toBe('alias');
    expect(restrictFault('Heron', [])).toBe('nobody');
    expect(restrictFault('Heron', Array.from({ length: 51 }, () => '0000000000000101'))).toBe('many');
    expect(restrictFault('Heron', ['0000000000000101'])).toBeNull();
  });
  it('names who is chosen, and leaves the alias where none is typed', async () => {
    const { asks, asked } = box(false);
    await restrict(asks, stay, ' Blue Heron ', ['0000000000000101', 'nobody']);
    await restrict(asks, stay, '', [], ['0000000000000102']);
    await liftRestriction(asks, stay);
    expect(asked).toEqual([
      { case: 'restrict', value: { encounter: 0x601n, alias: 'Blue Heron', add: [0x101n], remove: [] } },
      { case: 'restrict', value: { encounter: 0x601n, alias: '', add: [], remove: [0x102n] } },
      { case: 'liftRestriction', value: { encounter: 0x601n } },
    ]);
  });
});
