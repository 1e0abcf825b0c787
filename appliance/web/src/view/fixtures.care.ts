import type { Care } from '../domain/care/contract.ts';
import type { Person } from '../domain/snapshot.ts';

/** Made-up beds, tasks and findings, for the scenes in `fixtures.ts`. Everybody in here is invented. */

const WEST = '00000000000000a1';
const ICU = '00000000000000a2';
const STREAM = ['Dana Whitfield', 'Ben Okafor'] as const;

export function careAt(now: number, people: readonly Person[]): Care {
  const hours = (n: number) => now + n * 3_600_000;
  const minutes = (n: number) => now + n * 60_000;
  const mine = { name: 'Ana Ruiz', until: hours(4), mine: true };
  const dana = { name: STREAM[0], until: hours(4), mine: false };
  const bed = { unit: WEST, taken: true, name: '', flags: [], ask: '', conversation: null, holders: [], mine: false } as const;
  return {
    wards: [
      {
        id: WEST,
        name: '4 West',
        state: 'there',
        at: minutes(-1),
        whole: [],
        leads: true,
        names: 'unasked',
        rows: [
          { ...bed, bed: '409-A', name: 'Walter Kim', conversation: '0000000000000303', holders: [mine], mine: true },
          { ...bed, bed: '409-B', holders: [dana] },
          { ...bed, bed: '410', taken: false },
          { ...bed, bed: '412-B', name: 'Rosa Delgado', conversation: '0000000000000301', holders: [mine, dana], mine: true },
          { ...bed, bed: '415', name: 'Blue Heron', flags: ['restricted'], ask: STREAM[1], holders: [mine], mine: true },
          { ...bed, bed: '416', name: '\u202eGrey <b>Owl</b> ' + 'x'.repeat(90), flags: ['restricted', 'onLeave', 'muted'] },
        ],
      },
      { id: ICU, name: 'ICU', state: 'failed', at: 0, whole: [], leads: false, names: 'unasked', rows: [] },
    ],
    shifts: [{ id: '0000000000000601', unit: WEST, unitName: '4 West', beds: ['409-A', '412-B', '415'], whole: false, until: hours(4) }],
    team: [{ conversation: '0000000000000304', name: 'Ida Novak', bed: '7', unit: 'ICU', flags: [] }],
    search: null,
    tasks: {
      state: 'there',
      list: [
        { conversation: '0000000000000301', sequence: 1, title: 'Rosa Delgado', place: '4 West · 412-B', text: 'Draw a potassium and send it STAT to the lab', author: STREAM[1], whose: 'Ana Ruiz', mine: true, gave: false, due: minutes(-12), overdue: true, state: 'open', by: '', may: ['take', 'done', 'decline'] },
        { conversation: '0000000000000303', sequence: 2, title: 'Walter Kim', place: '4 West · 409-A', text: 'Walk him to the door before noon', author: STREAM[0], whose: 'Ana Ruiz', mine: true, gave: false, due: minutes(95), overdue: false, state: 'taken', by: 'Ana Ruiz', may: ['done', 'decline'] },
        { conversation: '0000000000000302', sequence: 3, title: '4 West nights', place: '4 West', text: '', author: 'Ana Ruiz', whose: 'Transport', mine: false, gave: true, due: 0, overdue: false, state: 'declined', by: 'Farid Haddad', may: ['withdraw'] },
      ],
      over: [
        { conversation: '0000000000000301', sequence: 9, title: 'Rosa Delgado', place: '4 West · 412-B', text: 'Bring the second chair back from the day room', how: 'done', by: 'Ana Ruiz', at: minutes(-21) },
        { conversation: '0000000000000302', sequence: 5, title: '4 West nights', place: '4 West', text: '', how: 'withdrawn', by: STREAM[1], at: minutes(-200) },
      ],
    },
    availability: { until: 0, cover: '', covering: [{ id: people[3]?.id ?? '', name: STREAM[0], until: hours(2) }] },
  };
}

export function searchAt(now: number, people: readonly Person[]): Care['search'] {
  return {
    words: 'potassium',
    state: 'there',
    hits: [
      { conversation: '0000000000000301', sequence: 1, title: 'Rosa Delgado', place: '4 West · 412-B', author: STREAM[1], at: now - 9 * 3_600_000, text: 'Morning potassium came back 3.1. Replacing per protocol, recheck at 02:00.' },
      { conversation: '0000000000000302', sequence: 8, title: '4 West nights', place: '4 West', author: '\u202eDana <i>', at: now - 200 * 3_600_000, text: '… the potassium in the second drawer is \u202egnp.exe\u202c <img src=x onerror="alert(1)"> ' + 'W'.repeat(120) },
    ],
    atLeast: 2,
    uncounted: true,
    complete: false,
    more: true,
    people: people.slice(4, 5),
    peopleInAll: 1,
    patients: [
      { stay: '0000000000000701', name: 'Rosa Delgado', bed: '412-B', unit: '4 West', recordNumber: '00482-17', discharged: false, conversation: '0000000000000301' },
      { stay: '0000000000000702', name: 'Blue Heron', bed: '415', unit: '4 West', recordNumber: '', discharged: true, conversation: null },
    ],
    patientsInAll: 3,
  };
}

