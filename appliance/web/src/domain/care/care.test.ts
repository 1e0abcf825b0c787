import { describe, expect, it } from 'vitest';

import { ConversationKind, DeclineReason, EncounterState, RefusalCode, TaskAnswer, TaskState } from '../../gen/wardline_pb.js';
import { Bench, hex, need, seeded } from '../testing/bench.ts';
import { TASKS_OVER_KEPT } from '../limits.ts';
import { ANA, BEN, type Body, Box, type EventKind, PIN, refused, WARD } from '../testing/box.ts';
import type { Care } from './contract.ts';
import { excerpt } from './searching.ts';

const [UNIT, STAY, OTHER, THREAD, PATIENT] = [1n, 0x51n, 0x52n, 0x71n, 0x61n];
const HOUR = 3_600_000;

function started(seed = 1): Bench {
  const bench = new Bench(new Box(), seeded(seed));
  bench.start();
  bench.settle();
  return bench;
}

function care(bench: Bench): Care {
  return need(bench.snapshot.care);
}

/** What the box answers next to such a request. */
function answers(bench: Bench, request: string, ...bodies: Body[]): void {
  bench.box.instead.set(request, bodies);
}

function asked<Case extends string>(bench: Bench, request: Case): Record<string, unknown>[] {
  return bench.box.heard.filter((body) => body.case === request).map((body) => body.value as unknown as Record<string, unknown>);
}

const rosa = { patient: PATIENT, particulars: { name: 'Rosa Diaz', recordNumber: '4711', birthDate: '1947-03-09' } };
const stay = { encounter: STAY, patient: PATIENT, unit: UNIT, bed: '10', state: EncounterState.ADMITTED, conversation: THREAD };

function thread(): EventKind {
  const members = [ANA, BEN].map((person) => ({ person, delivered: 0n, read: 0n }));
  return { case: 'conversation', value: { conversation: THREAD, kind: ConversationKind.PATIENT, members, unit: UNIT, patient: rosa, encounter: stay } };
}

function beds(bench: Bench): Body {
  const until = BigInt(bench.now.wall + 8 * HOUR);
  return {
    case: 'bedPage',
    value: {
      beds: [
        { bed: '2' },
        { bed: '10', encounter: STAY, holders: [{ assignment: 0x31n, person: ANA, until }] },
        { bed: '11A', encounter: OTHER, holders: [{ assignment: 0x32n, person: BEN, until }], alias: 'Blue Heron', ask: BEN },
      ],
      end: true,
    },
  };
}

describe('beds', () => {
  it('of the units where one works: who has which, and a name only of whose thread one is in', () => {
    const bench = started();
    bench.box.change(thread());
    answers(bench, 'listBeds', beds(bench));
    expect(care(bench).wards).toMatchObject([{ name: '4 West', state: 'unasked', rows: [], leads: false }]);
    bench.command('care', { act: 'askWards' });
    expect(care(bench).wards).toMatchObject([{ state: 'asking' }]);
    bench.settle();
    expect(asked(bench, 'listBeds')).toMatchObject([{ unit: UNIT, after: '' }]);
    const [ward] = care(bench).wards;
    expect(ward).toMatchObject({ state: 'there', at: bench.now.wall, whole: [] });
    expect(ward?.rows).toMatchObject([
      { bed: '2', taken: false, name: '', mine: false },
      { bed: '10', taken: true, name: 'Rosa Diaz', flags: [], conversation: hex(THREAD), mine: true, holders: [{ name: 'Ana', mine: true }] },
      { bed: '11A', taken: true, name: 'Blue Heron', flags: ['restricted'], ask: 'Ben', conversation: null, mine: false, holders: [{ name: 'Ben', mine: false }] },
    ]);
    expect(care(bench).shifts).toEqual([{ id: hex(0x31n), unit: hex(UNIT), unitName: '4 West', beds: ['10'], whole: false, until: bench.now.wall + 8 * HOUR }]);
    // Whose bed one has is no other patient of one's team.
    expect(care(bench).team).toEqual([]);
  });

  it('come page by page, up to the end', () => {
    const bench = started();
    answers(bench, 'listBeds', { case: 'bedPage', value: { beds: [{ bed: '1' }, { bed: '2' }] } }, { case: 'bedPage', value: { beds: [{ bed: '3' }], end: true, whole: [{ assignment: 7n, person: ANA, until: 9n }] } });
    bench.command('care', { act: 'askWards' });
    bench.settle();
    expect(asked(bench, 'listBeds')).toMatchObject([{ after: '' }, { after: '2' }]);
    expect(care(bench).wards[0]?.rows.map((row) => [row.bed, row.mine])).toEqual([['1', true], ['2', true], ['3', true]]);
    expect(care(bench).shifts).toMatchObject([{ id: hex(7n), beds: [], whole: true }]);
  });

  it('end where a box never says that it was all', () => {
    const bench = started();
    const page = (at: number): Body => ({ case: 'bedPage', value: { beds: Array.from({ length: 200 }, (_, bed) => ({ bed: `${at}-${bed}` })) } });
    answers(bench, 'listBeds', ...Array.from({ length: 20 }, (_, at) => page(at)));
    bench.command('care', { act: 'askWards' });
    bench.settle();
    expect(care(bench).wards[0]?.rows.length).toBe(1_000);
    expect(asked(bench, 'listBeds').length).toBe(5);
  });

  it('are asked for again once some were taken, or a shift was ended', () => {
    const bench = started();
    answers(bench, 'takeAssignment', { case: 'assignmentTaken', value: { assignment: 0x31n } });
    answers(bench, 'listBeds', beds(bench), { case: 'bedPage', value: { beds: [{ bed: '10' }], end: true } });
    bench.command('care', { act: 'takeBeds', unit: hex(UNIT), beds: ['10'], hours: 12 });
    bench.settle();
    expect(asked(bench, 'takeAssignment')).toMatchObject([{ unit: UNIT, person: 0n, beds: ['10'], wholeUnit: false }]);
    // By the box's clock, which the scripted one says is 0.
    expect(asked(bench, 'takeAssignment')[0]?.['until']).toBe(BigInt(12 * HOUR));
    expect(care(bench).shifts.length).toBe(1);
    bench.command('care', { act: 'endShift', shift: hex(0x31n) });
    bench.settle();
    expect(asked(bench, 'endAssignment')).toMatchObject([{ assignment: 0x31n }]);
    expect(care(bench).shifts).toEqual([]);
  });

  it('that cannot be taken say why, and an end too far ahead is not asked for', () => {
    const bench = started();
    answers(bench, 'takeAssignment', refused(RefusalCode.NOT_STAFF_OF_UNIT));
    bench.command('care', { act: 'takeBeds', unit: hex(UNIT), beds: 'whole', hours: 16 });
    bench.settle();
    expect(asked(bench, 'takeAssignment')).toMatchObject([{ beds: [], wholeUnit: true, until: BigInt(16 * HOUR - 1_000) }]);
    expect(bench.snapshot.refusal).toMatchObject({ code: 'NOT_STAFF_OF_UNIT' });
    bench.command('care', { act: 'takeBeds', unit: hex(UNIT), beds: ['1'], hours: 17 });
    bench.command('care', { act: 'takeBeds', unit: hex(UNIT), beds: [], hours: 1 });
    bench.command('care', { act: 'takeBeds', unit: hex(UNIT), beds: Array.from({ length: 65 }, String), hours: 1 });
    bench.settle();
    expect(asked(bench, 'takeAssignment').length).toBe(1);
  });

  it('have names for who leads the unit, only where that is asked for', () => {
    const bench = started();
    answers(bench, 'listBeds', beds(bench));
    answers(bench, 'listPatients', { case: 'patientPage', value: { patients: [{ patient: rosa, encounter: { ...stay, muted: true } }], end: true } });
    bench.command('care', { act: 'askWards' });
    bench.settle();
    expect(asked(bench, 'listPatients')).toEqual([]);
    expect(care(bench).wards[0]?.rows[1]).toMatchObject({ name: '', conversation: null });
    bench.command('care', { act: 'askNames', unit: hex(UNIT) });
    bench.settle();
    expect(care(bench).wards[0]).toMatchObject({ names: 'there' });
    expect(care(bench).wards[0]?.rows[1]).toMatchObject({ name: 'Rosa Diaz', flags: ['muted'], conversation: null });
  });

  it('are not known without the box, and what was known stays', () => {
    const bench = started();
    answers(bench, 'listBeds', beds(bench));
    bench.command('care', { act: 'askWards' });
    bench.settle();
    bench.isReachable = false;
    bench.drop();
    bench.command('care', { act: 'askWards' });
    expect(care(bench).wards[0]).toMatchObject({ state: 'failed' });
    expect(care(bench).wards[0]?.rows.length).toBe(3);
    expect(bench.snapshot.refusal).toMatchObject({ code: 'OFFLINE' });
  });

  it('of a patient whose thread one is in without a bed are in the team', () => {
    const bench = started();
    bench.box.change(thread());
    bench.settle();
    expect(care(bench).team).toEqual([{ conversation: hex(THREAD), name: 'Rosa Diaz', bed: '10', unit: '4 West', flags: [] }]);
  });
});

describe('a search', () => {
  const hit = (sequence: bigint, text: string) => ({ conversation: WARD, sequence, message: new Uint8Array(16).fill(Number(sequence)), sender: BEN, at: sequence, text });

  it('finds messages, people and patients', () => {
    const bench = started();
    bench.box.say('Potassium is 3.1');
    answers(bench, 'search', { case: 'searchPage', value: { hits: [hit(1n, 'Potassium is 3.1')], atLeast: 1n, complete: true } });
    answers(bench, 'lookUp', { case: 'lookedUp', value: { people: [{ person: BEN, name: 'Ben', title: 'MD' }], peopleInAll: 1, patients: [{ patient: rosa, encounter: stay }], patientsInAll: 1 } });
    bench.command('care', { act: 'search', words: '  potas ' });
    expect(care(bench).search).toMatchObject({ words: 'potas', state: 'asking' });
    bench.settle();
    expect(asked(bench, 'search')).toMatchObject([{ words: 'potas', limit: 20 }]);
    expect(care(bench).search).toMatchObject({
      state: 'there',
      hits: [{ conversation: hex(WARD), sequence: 1, title: 'Ben', author: 'Ben', text: 'Potassium is 3.1' }],
      atLeast: 1,
      uncounted: false,
      complete: true,
      more: false,
      people: [{ name: 'Ben' }],
      patients: [{ name: 'Rosa Diaz', unit: '4 West', bed: '10', conversation: null }],
    });
    bench.command('care', { act: 'forgetSearch' });
    expect(care(bench).search).toBeNull();
  });

  it('that another one follows is heard no more', () => {
    const bench = started();
    answers(bench, 'search', { case: 'searchPage', value: { hits: [hit(1n, 'one')], atLeast: 1n } }, { case: 'searchPage', value: { hits: [hit(2n, 'two')], atLeast: 1n } });
    answers(bench, 'lookUp', { case: 'lookedUp', value: {} }, { case: 'lookedUp', value: {} });
    bench.command('care', { act: 'search', words: 'one' });
    bench.command('care', { act: 'search', words: 'two' });
    bench.settle();
    expect(care(bench).search?.hits.map((one) => one.text)).toEqual(['two']);
  });

  it('goes on where there is more, and is nothing of a conversation that is gone', () => {
    const bench = started();
    answers(bench, 'search', { case: 'searchPage', value: { hits: [hit(1n, 'one')], atLeast: 2n, after: Uint8Array.of(1), more: true } }, { case: 'searchPage', value: { hits: [hit(2n, 'two')], atLeast: 2n } });
    answers(bench, 'lookUp', { case: 'lookedUp', value: {} });
    bench.command('care', { act: 'search', words: 'x' });
    bench.settle();
    expect(care(bench).search).toMatchObject({ more: true, uncounted: true });
    bench.command('care', { act: 'searchMore' });
    bench.settle();
    expect(asked(bench, 'search')[1]).toMatchObject({ after: Uint8Array.of(1) });
    expect(care(bench).search?.hits.length).toBe(2);
    bench.box.change({ case: 'gone', value: { conversation: WARD } });
    bench.settle();
    expect(care(bench).search?.hits).toEqual([]);
  });

  it('that is refused says why', () => {
    const bench = started();
    answers(bench, 'search', refused(RefusalCode.SEARCH_TOO_BROAD));
    bench.command('care', { act: 'search', words: 'a' });
    bench.settle();
    expect(care(bench).search).toMatchObject({ state: 'failed' });
    expect(bench.snapshot.refusal).toMatchObject({ code: 'SEARCH_TOO_BROAD' });
  });

  it('opens a conversation at a message: here, or with those around it', () => {
    const bench = started();
    for (let at = 1; at <= 100; at += 1) bench.box.say(`number ${at}`);
    bench.restart();
    bench.settle();
    bench.command('care', { act: 'openAt', conversation: hex(WARD), sequence: 90 });
    expect(bench.snapshot.conversation).toMatchObject({ found: { sequence: 90, state: 'here' } });
    bench.command('care', { act: 'openAt', conversation: hex(WARD), sequence: 20 });
    expect(bench.snapshot.conversation).toMatchObject({ found: { sequence: 20, state: 'asking' } });
    bench.settle();
    const open = need(bench.snapshot.conversation);
    expect(open).toMatchObject({ found: { sequence: 20, state: 'around' }, older: 'none' });
    expect(open.messages.map((message) => message.sequence)).toEqual(Array.from({ length: 30 }, (_, at) => at + 6));
    bench.command('care', { act: 'leaveFound' });
    expect(bench.snapshot.conversation?.messages.at(-1)?.sequence).toBe(100);
    expect(bench.snapshot.conversation?.found).toBeNull();
  });

  it('for a message that is not there any more says so', () => {
    const bench = started();
    for (let at = 1; at <= 60; at += 1) bench.box.say(`number ${at}`);
    bench.restart();
    bench.settle();
    answers(bench, 'history', { case: 'historyPage', value: { conversation: WARD, end: true } });
    bench.command('care', { act: 'openAt', conversation: hex(WARD), sequence: 3 });
    bench.settle();
    expect(bench.snapshot.conversation).toMatchObject({ found: { sequence: 3, state: 'failed' } });
  });

  it('is shown by the part that has the words', () => {
    const text = `${'word '.repeat(100)}potassium ${'more '.repeat(100)}`;
    expect(excerpt(text, '"potas"')).toContain('potassium');
    expect(excerpt('short', 'x')).toBe('short');
    expect(excerpt(text, 'nothing of it').length).toBeLessThan(260);
  });
});

describe('tasks', () => {
  const task = (sequence: bigint, over: object = {}) => ({ conversation: WARD, sequence, author: BEN, person: ANA, given: 1n, state: TaskState.OPEN, ...over });

  it('of oneself come with the deliveries, and go when they are done', () => {
    const bench = started();
    bench.box.say('Draw a potassium');
    bench.box.change({ case: 'task', value: task(1n, { due: 77n }) });
    bench.settle();
    expect(care(bench).tasks.list).toEqual([
      { conversation: hex(WARD), sequence: 1, title: 'Ben', place: 'MD', text: 'Draw a potassium', author: 'Ben', whose: 'Ana', mine: true, gave: false, due: 77, overdue: false, state: 'open', by: '', may: ['take', 'done', 'decline'] },
    ]);
    bench.box.change({ case: 'task', value: task(1n, { state: TaskState.TAKEN, by: ANA, overdue: true }) });
    bench.settle();
    expect(care(bench).tasks.list).toMatchObject([{ state: 'taken', by: 'Ana', overdue: true, may: ['done', 'decline'] }]);
    bench.box.change({ case: 'task', value: task(1n, { state: TaskState.DONE, by: ANA, at: 5n }) });
    bench.settle();
    expect(care(bench).tasks.list).toEqual([]);
    expect(care(bench).tasks.over).toEqual([{ conversation: hex(WARD), sequence: 1, title: 'Ben', place: 'MD', text: 'Draw a potassium', how: 'done', by: 'Ana', at: 5 }]);
  });

  it('that are over stand by themselves, the newest first, no more than are kept, until they are given anew or their message is gone', () => {
    const bench = started();
    const ends = (sequence: number, at: number, over: object = {}) => bench.box.change({ case: 'task', value: task(BigInt(sequence), { state: TaskState.WITHDRAWN, by: BEN, at: BigInt(at), ...over }) });
    for (let sequence = 1; sequence <= TASKS_OVER_KEPT + 2; sequence += 1) {
      bench.box.say(`number ${sequence}`);
      ends(sequence, sequence);
    }
    // Of others' tasks nothing is kept.
    ends(1, 999, { person: BEN });
    bench.settle();
    expect(care(bench).tasks.over?.[0]?.at).toBe(TASKS_OVER_KEPT + 2);
    const over = () => care(bench).tasks.over ?? [];
    expect([over().length, over()[0]?.sequence, over().at(-1)?.sequence]).toEqual([TASKS_OVER_KEPT, TASKS_OVER_KEPT + 2, 3]);
    expect(over()[0]).toMatchObject({ how: 'withdrawn', by: 'Ben' });
    bench.box.change({ case: 'task', value: task(BigInt(TASKS_OVER_KEPT + 2)) });
    bench.box.change({ case: 'messageChanged', value: { conversation: WARD, sequence: BigInt(TASKS_OVER_KEPT + 1), message: new Uint8Array(16), sender: BEN, recalledAt: 9n } });
    bench.settle();
    expect(over()[0]?.sequence).toBe(TASKS_OVER_KEPT);
  });

  it('of others are none of theirs, and those of a role are as the box lists them', () => {
    const bench = started();
    bench.box.say('one');
    bench.box.change({ case: 'task', value: task(1n, { person: BEN }) });
    bench.settle();
    expect(care(bench).tasks).toEqual({ state: 'unasked', list: [], over: [] });
    answers(bench, 'listTasks', { case: 'taskPage', value: { tasks: [task(1n, { person: 0n, role: 5n })] } }, { case: 'taskPage', value: { tasks: [task(2n, { author: ANA, person: BEN })], end: true } });
    answers(bench, 'history', { case: 'historyPage', value: { conversation: WARD, messages: [{ conversation: WARD, sequence: 2n, message: new Uint8Array(16), sender: BEN, text: 'two' }] } });
    bench.command('care', { act: 'askTasks' });
    bench.settle();
    expect(asked(bench, 'listTasks')[1]).toMatchObject({ afterConversation: WARD, afterSequence: 1n });
    expect(care(bench).tasks).toMatchObject({ state: 'there', list: [{ text: 'one', mine: true, may: ['take', 'done', 'decline'] }, { text: 'two', mine: false, gave: true, may: ['withdraw'] }] });
  });

  it('are overdue first, then by when they are due', () => {
    const bench = started();
    for (const [sequence, over] of [[1n, {}], [2n, { due: 50n }], [3n, { due: 40n }], [4n, { due: 99n, overdue: true }]] as const) {
      bench.box.say(`${sequence}`);
      bench.box.change({ case: 'task', value: task(sequence, over) });
    }
    bench.settle();
    expect(care(bench).tasks.list.map((one) => one.sequence)).toEqual([4, 3, 2, 1]);
  });

  it('go with their message, and with a snapshot', () => {
    const bench = started();
    bench.box.say('one');
    bench.box.change({ case: 'task', value: task(1n) });
    bench.settle();
    const said = bench.box.message(0);
    if (said.case !== 'message') throw new Error('no message');
    bench.box.change({ case: 'messageChanged', value: { ...said.value, text: '', recalledAt: 9n } });
    bench.settle();
    expect(care(bench).tasks.list).toEqual([]);
  });

  it('are given about a message, and answered', () => {
    const bench = started();
    bench.box.say('one');
    bench.settle();
    bench.command('care', { act: 'giveTask', conversation: hex(WARD), sequence: 1, to: { person: hex(BEN) }, minutes: 60 });
    bench.command('care', { act: 'giveTask', conversation: hex(WARD), sequence: 1, to: { role: hex(5n) }, minutes: 0 });
    bench.command('care', { act: 'answerTask', conversation: hex(WARD), sequence: 1, answer: 'take' });
    bench.command('care', { act: 'answerTask', conversation: hex(WARD), sequence: 1, answer: 'decline', reason: 'busy' });
    bench.settle();
    expect(asked(bench, 'giveTask')).toMatchObject([{ sequence: 1n, person: BEN, role: 0n, due: BigInt(HOUR) }, { person: 0n, role: 5n, due: 0n }]);
    expect(asked(bench, 'answerTask')).toMatchObject([{ answer: TaskAnswer.TAKE, reason: DeclineReason.UNSPECIFIED }, { answer: TaskAnswer.DECLINE, reason: DeclineReason.BUSY }]);
    answers(bench, 'answerTask', refused(RefusalCode.NO_SUCH_TASK));
    bench.command('care', { act: 'answerTask', conversation: hex(WARD), sequence: 1, answer: 'done' });
    bench.settle();
    expect(bench.snapshot.refusal).toMatchObject({ code: 'NO_SUCH_TASK' });
  });
});

describe('availability', () => {
  it('is as the box says, and nothing after the next sign-in unless it says it again', () => {
    const bench = started();
    need(bench.box.current).send(0n, { case: 'ownAvailability', value: { undisturbedUntil: 88n, cover: BEN, covering: [{ person: BEN, until: 99n }] } });
    bench.settle();
    expect(care(bench).availability).toEqual({ until: 88, cover: 'Ben', covering: [{ id: hex(BEN), name: 'Ben', until: 99 }] });
    bench.drop();
    bench.pass(2_000);
    expect(care(bench).availability).toEqual({ until: 0, cover: '', covering: [] });
  });

  it('is said with a cover, for 16 hours at most, and taken back', () => {
    const bench = started();
    bench.command('care', { act: 'undisturbed', hours: 2, cover: hex(BEN) });
    bench.command('care', { act: 'undisturbed', hours: 17, cover: null });
    bench.command('care', { act: 'undisturbed', hours: 0, cover: hex(BEN) });
    bench.command('care', { act: 'clearAvailability' });
    bench.command('care', { act: 'refuseCover', person: hex(BEN) });
    bench.settle();
    expect(asked(bench, 'setAvailability').map((one) => one['says'])).toMatchObject([
      { case: 'undisturbed', value: { until: BigInt(2 * HOUR), cover: BEN } },
      { case: 'undisturbed', value: { until: 0n, cover: 0n } },
      { case: 'clear' },
    ]);
    expect(asked(bench, 'refuseCover')).toMatchObject([{ person: BEN }]);
  });
});

describe('without the box for ten minutes', () => {
  /** The box asks for no idle lock. */
  function unlocked(): Bench {
    const box = new Box();
    box.idleLock = 0n;
    const bench = new Bench(box);
    bench.start();
    bench.settle();
    bench.box.say('something of a patient');
    bench.settle();
    bench.command('openConversation', hex(WARD));
    bench.command('draft', 'a draft');
    return bench;
  }
  function cut(bench: Bench): void {
    bench.isReachable = false;
    bench.drop();
  }

  it('the app locks whatever the idle time, says why, and holds nothing any more', () => {
    const bench = unlocked();
    cut(bench);
    bench.pass(590_000);
    bench.command('touched');
    expect(bench.snapshot).toMatchObject({ stage: 'open', lapsed: false });
    bench.pass(30_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', lapsed: true, me: null, inbox: [], conversation: null, people: [], care: null });
    expect(bench.disk.identity?.locked).toBe(true);
    // It comes back: everything anew, from a snapshot, and only with the PIN.
    bench.isReachable = true;
    const before = asked(bench, 'sync').length;
    bench.pass(90_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', lapsed: true });
    expect(asked(bench, 'sync')).toHaveLength(before);
    bench.command('unlock', PIN);
    bench.settle();
    expect(asked(bench, 'sync')[before]).toMatchObject({ cursor: new Uint8Array(0) });
    expect(bench.snapshot).toMatchObject({ stage: 'open', lapsed: false, inbox: [{ lastText: 'something of a patient' }] });
    bench.command('lock');
    expect(bench.snapshot).toMatchObject({ stage: 'locked', lapsed: false });
  });

  it('what waits to be sent stays', () => {
    const bench = unlocked();
    cut(bench);
    bench.command('send', hex(WARD), 'still to go', 'routine', 0);
    bench.pass(620_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', lapsed: true, waiting: 1 });
  });

  it('is not so while the box answers, for hours', () => {
    const bench = unlocked();
    for (let minutes = 0; minutes < 120; minutes += 1) bench.pass(60_000);
    expect(bench.snapshot).toMatchObject({ stage: 'open', lapsed: false });
  });

  it('counts the time that the device slept, before anything else is heard', () => {
    const bench = unlocked();
    bench.now = { ...bench.now, wall: bench.now.wall + 601_000 };
    bench.give({ input: 'foreground', isVisible: true });
    expect(bench.snapshot).toMatchObject({ stage: 'locked', lapsed: true });
  });

  it('what was hidden already is forgotten as well', () => {
    const bench = unlocked();
    bench.command('lock');
    cut(bench);
    bench.pass(620_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', lapsed: true });
  });

  it('is not so while the PIN is wanted and the box is there', () => {
    const bench = unlocked();
    need(bench.box.current).lock();
    bench.settle();
    const connects = () => bench.effects.filter((effect) => effect.effect === 'connect').length;
    const before = connects();
    for (let minutes = 0; minutes < 15; minutes += 1) bench.pass(60_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', lapsed: false });
    expect(connects()).toBe(before);
  });
});
