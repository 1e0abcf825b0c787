import { describe, expect, it } from 'vitest';

import type { PersonId, UnitId } from '../ids.ts';
import { matchColumns, namesColumns, recallColumns, rememberColumns } from '../lists/columns.ts';
import { headless, parseTable, type Table } from '../lists/csv.ts';
import type { Member } from './directory.ts';
import { planStaff, STAFF_COLUMNS } from './staff.ts';

const hallA = { id: 'a1'.padStart(16, '0') as UnitId, name: 'Hall A' };
const hallB = { id: 'b1'.padStart(16, '0') as UnitId, name: 'Hall B, east' };
function member(id: number, name: string, over: Partial<Member> = {}): Member {
  return { id: String(id).padStart(16, '0') as PersonId, name, title: 'RN', suspended: false, administrator: false, privacyOfficer: false, posts: [], isStation: false, station: null, agency: null, ...over };
}
const people = [member(1, 'Ana Ruiz', { posts: [{ unit: hallA.id, chargeNurse: false }] }), member(2, 'Inés Roth'), member(3, 'Dana Petrov', { suspended: true }), member(4, 'Kim Lee'), member(5, 'Kim Lee')];

function table(text: string): Table {
  const read = parseTable(text);
  if ('fault' in read) throw new Error(read.fault);
  return read;
}
function plan(text: string) {
  const { columns, rows } = table(text);
  return planStaff(rows, matchColumns(columns, STAFF_COLUMNS, null), people, [hallA, hallB]);
}

describe('a table', () => {
  it('is read as spreadsheets write it: quotes, commas or semicolons, any end of a line', () => {
    expect(table('\ufeffName,Title\r\n"Roth, Inés","RN ""night"""\r\n\r\nBen,MD').rows).toEqual([
      { line: 2, cells: ['Roth, Inés', 'RN "night"'] },
      { line: 4, cells: ['Ben', 'MD'] },
    ]);
    expect(table('Nombre;Unidad\nAna;"Sala\nA"\nBen;B').rows.map((row) => row.line)).toEqual([2, 4]);
    expect(table('Name\tUnit\nAna\tA').columns).toEqual(['Name', 'Unit']);
  });
  it('says what is wrong with it', () => {
    expect(parseTable(' \n')).toEqual({ fault: 'empty' });
    expect(parseTable('name,title')).toEqual({ fault: 'noRows' });
    expect(parseTable('name\n"Ana\nBen')).toEqual({ fault: 'quote', line: 2 });
    expect(parseTable(`name\n${'Ana\n'.repeat(5001)}`)).toEqual({ fault: 'tooLong' });
  });
});

describe('columns', () => {
  it('are named by a first row in which one of them is known, and by no person', () => {
    expect(namesColumns(['Vorname', 'Náme'], STAFF_COLUMNS)).toBe(true);
    for (const somebody of [['Zoe Park', 'RN', 'Hall A'], ['MV-7731', 'Mila Vogel', '1951-02-03'], ['']]) expect(namesColumns(somebody, STAFF_COLUMNS)).toBe(false);
  });
  it('of a list whose first row is somebody have numbers, and nobody is left out', () => {
    const whole = headless(table('Zoe Park,RN\nNoor Haddad,"LPN"'));
    expect(whole.columns).toEqual(['1', '2']);
    expect(whole.rows.map((row) => [row.line, row.cells[0]])).toEqual([[1, 'Zoe Park'], [2, 'Noor Haddad']]);
    expect(headless(whole)).toEqual(whole);
    expect(rememberColumns(whole.columns, { name: 0 })).toBeNull();
  });
  it('are remembered by their heads, without a word of the file', () => {
    const kept = rememberColumns(['Name', 'Wards'], { name: 1 });
    expect(kept).not.toMatch(/wards/i);
    expect(recallColumns(kept, ['name', 'wards'], STAFF_COLUMNS)).toEqual({ name: 1 });
    expect(recallColumns(kept, ['Name', 'Unit'], STAFF_COLUMNS)).toBeNull();
  });
  it('of a list without heads are not remembered: its first row is somebody', () => {
    expect(rememberColumns(['MV-7731', 'Mila Vogel', '1951-02-03'], { name: 1 })).toBeNull();
  });
  it('that somebody else wrote are not believed', () => {
    const { mark } = JSON.parse(rememberColumns(['name'], {}) ?? '') as { mark: number };
    for (const kept of ['{', '[]', `{"mark":${mark},"columns":null}`]) expect(recallColumns(kept, ['name'], STAFF_COLUMNS)).toBeNull();
    expect(recallColumns(`{"mark":${mark},"columns":{"name":7,"title":"0"}}`, ['name'], STAFF_COLUMNS)).toEqual({});
  });
});

describe('a staff list', () => {
  it('adds who is not there, and says where they work', () => {
    const { steps, errors } = plan('Name,Title,Units,Charge nurse\nZoe Park,RN,"Hall A; Hall B, east",yes');
    expect(errors).toEqual([{ line: 2, fault: 'noSuchUnit', text: 'Hall B' }]);
    expect(steps).toEqual([]);
    const second = plan('Name,Title,Units,Charge nurse\nZoe Park,RN,Hall A,"Hall B, east"');
    expect(second.steps).toEqual([
      { line: 2, name: 'Zoe Park', title: 'RN', person: null, posts: [{ unit: hallA.id, unitName: 'Hall A', post: 'staff' }, { unit: hallB.id, unitName: 'Hall B, east', post: 'chargeNurse' }] },
    ]);
  });
  it('finds who is there whatever the accents, and changes only what is not so', () => {
    const { steps, unchanged } = plan('Name,Units,Charge\nANA  ruiz,Hall A,no\nInes Roth,hall a,\nAna Ruiz,Hall A,');
    expect(unchanged).toBe(1);
    expect(steps.map((step) => [step.person, step.posts.length])).toEqual([[people[1]?.id, 1]]);
  });
  it('takes nothing away: who leads stays one who leads', () => {
    const leads = member(1, 'Ana Ruiz', { posts: [{ unit: hallA.id, chargeNurse: true }] });
    const { columns, rows } = table('Name,Units\nAna Ruiz,Hall A');
    expect(planStaff(rows, matchColumns(columns, STAFF_COLUMNS, null), [leads], [hallA])).toEqual({ steps: [], errors: [], unchanged: 1 });
  });
  it('names what cannot be by its line, and applies the rest', () => {
    const { steps, errors } = plan(
      `Name,Title,Units,Charge nurse\n,RN,,\n${'x'.repeat(65)},,,\nZoe,${'t'.repeat(65)},,\nMia,,Hall Q,\nDana Petrov,,,\nKim Lee,,,\nPat,,,yes\nSam,,Hall A,perhaps\nIda,,,\nIda,,,`,
    );
    expect(errors.map((one) => `${one.line} ${one.fault}`)).toEqual([
      '2 noName', '3 badName', '4 badTitle', '5 noSuchUnit', '6 suspended', '7 twiceInDirectory', '8 leadsNoUnit', '9 unclear', '11 twiceInFile',
    ]);
    expect(steps.map((step) => step.name)).toEqual(['Ida']);
  });
});
