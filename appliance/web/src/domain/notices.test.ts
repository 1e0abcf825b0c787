import { describe, expect, it } from 'vitest';

import { ConversationKind, EncounterState, NoticeKind, NoticeReason } from '../gen/wardline_pb.js';
import { NOTICES_KEPT } from './limits.ts';
import type { InboxItem, OpenConversation } from './snapshot.ts';
import { Bench, hex, need, seeded } from './testing/bench.ts';
import { ANA, BEN, Box, type EventKind } from './testing/box.ts';

const [UNIT, STAY, THREAD, PATIENT] = [1n, 0x51n, 0x71n, 0x61n];
const HOUR = 3_600_000;

const rosa = { patient: PATIENT, particulars: { name: 'Rosa Diaz', recordNumber: '4711', birthDate: '1947-03-09' } };
const stay = { encounter: STAY, patient: PATIENT, unit: UNIT, bed: '10', state: EncounterState.ADMITTED, conversation: THREAD };

function thread(more: object = {}): EventKind {
  const members = [ANA, BEN].map((person) => ({ person, delivered: 0n, read: 0n }));
  return { case: 'conversation', value: { conversation: THREAD, kind: ConversationKind.PATIENT, members, unit: UNIT, patient: rosa, encounter: stay, firstSequence: 1n, ...more } };
}

function said(sequence: number): EventKind {
  const message = Uint8Array.from({ length: 16 }, (_, at) => (at === 15 ? sequence : 7));
  return { case: 'message', value: { conversation: THREAD, sequence: BigInt(sequence), message, sender: BEN, at: BigInt(sequence), text: `number ${sequence}` } };
}

function notice(number: number, after: number, kind: NoticeKind, more: object = {}) {
  return { conversation: THREAD, number: BigInt(number), after: BigInt(after), at: BigInt(number), kind, ...more };
}
const told = (number: number, after: number, kind: NoticeKind, more: object = {}): EventKind => ({ case: 'notice', value: notice(number, after, kind, more) });

/** Somebody in a patient's thread, with these of it delivered. */
function started(...kinds: readonly EventKind[]): Bench {
  const bench = new Bench(new Box(), seeded(1));
  bench.start();
  bench.settle();
  happens(bench, thread(), ...kinds);
  return bench;
}

function happens(bench: Bench, ...kinds: readonly EventKind[]): void {
  for (const kind of kinds) bench.box.change(kind);
  bench.settle();
}

/** A page about the family asks who waits. */
function looks(bench: Bench, page: object): void {
  bench.box.instead.set('listFamily', [{ case: 'familyPage', value: page }]);
  bench.give({ input: 'ask', number: 1, body: { case: 'listFamily', value: { encounter: STAY } } });
  bench.settle();
}

function opened(bench: Bench): OpenConversation {
  bench.command('openConversation', hex(THREAD));
  bench.settle();
  return need(bench.snapshot.conversation);
}

/** Numbers of notices in front of the first message, and then of each message with those behind it. */
function order({ before, messages }: OpenConversation): (string | number)[] {
  return [...(before ?? []).map((one) => `n${one.number}`), ...messages.flatMap((one) => [one.sequence, ...(one.notices ?? []).map((told) => `n${told.number}`)])];
}

const line = (bench: Bench): InboxItem => need(bench.snapshot.inbox.find((item) => item.id === hex(THREAD)));

describe('what moved', () => {
  it('stands behind its message and in front of the next, each once, and counts nowhere', () => {
    const bench = started(told(1, 0, NoticeKind.ADMITTED, { unit: UNIT, bed: '10' }), said(1), told(2, 1, NoticeKind.LEAVE_BEGAN), told(3, 1, NoticeKind.LEAVE_ENDED), said(2), told(4, 2, NoticeKind.DISCHARGED));
    happens(bench, told(2, 1, NoticeKind.LEAVE_BEGAN));
    expect(line(bench)).toMatchObject({ unread: 2, lastText: 'number 2' });
    expect(order(opened(bench))).toEqual(['n1', 1, 'n2', 'n3', 2, 'n4']);
    expect(bench.snapshot.conversation?.before).toMatchObject([{ kind: 'admitted', unit: '4 West', bed: '10', by: '', person: '' }]);
    happens(bench, told(5, 2, NoticeKind.CLOSED));
    expect(line(bench).unread).toBe(2);
    expect(order(need(bench.snapshot.conversation))).toEqual(['n1', 1, 'n2', 'n3', 2, 'n4', 'n5']);
  });

  it('says who, and whose act it was where that is somebody else', () => {
    const bench = started(
      told(1, 0, NoticeKind.ENTERED, { person: BEN, by: ANA, reason: NoticeReason.BY_HAND }),
      told(2, 0, NoticeKind.EMERGENCY_BEGAN, { person: BEN, by: BEN, until: 99n }),
      told(3, 0, NoticeKind.FAMILY_ENTERED, { person: 0x999n, by: ANA }),
    );
    expect(opened(bench).before).toMatchObject([
      { kind: 'entered', reason: 'byHand', person: 'Ben', by: 'Ana' },
      { kind: 'emergencyBegan', person: 'Ben', by: '', until: 99 },
      { kind: 'familyEntered', person: '', by: 'Ana' },
    ]);
  });

  it('has a place for each kind of the protocol, and none for what a later version brings', () => {
    const kinds = Object.values(NoticeKind).filter((kind): kind is NoticeKind => typeof kind === 'number' && kind !== NoticeKind.UNSPECIFIED);
    const bench = started(...kinds.map((kind, at) => told(at + 1, 0, kind, { person: BEN, reason: NoticeReason.BED })));
    happens(bench, told(500, 0, 999 as NoticeKind));
    happens(bench, told(501, 0, NoticeKind.ENTERED, { person: BEN, reason: 999 }));
    expect(opened(bench).before).toHaveLength(kinds.length);
    expect(new Set(need(bench.snapshot.conversation).before?.map((one) => one.kind)).size).toBe(kinds.length);
  });

  it('stands among the messages that are here, wherever its own is not', () => {
    const bench = started(said(3), said(4), told(7, 2, NoticeKind.LEFT, { person: BEN }), told(8, 3, NoticeKind.LEFT, { person: BEN }));
    expect(order(opened(bench))).toEqual([3, 'n8', 4]);
  });

  it('leaves as it was a message behind which nothing new is told', () => {
    const bench = started(said(1), told(1, 1, NoticeKind.LEAVE_BEGAN), said(2));
    const was = opened(bench).messages;
    happens(bench, told(2, 2, NoticeKind.LEAVE_ENDED));
    const is = need(bench.snapshot.conversation).messages;
    expect(is[0]).toBe(was[0]);
    expect(is[1]).not.toBe(was[1]);
  });

  it('goes with the first message behind it', () => {
    const bench = started(told(1, 0, NoticeKind.ADMITTED), said(1), told(2, 1, NoticeKind.LEAVE_BEGAN), said(2), told(3, 2, NoticeKind.LEAVE_ENDED));
    happens(bench, { case: 'conversationChanged', value: { conversation: THREAD, firstSequence: 2n } });
    expect(order(opened(bench))).toEqual(['n2', 2, 'n3']);
    happens(bench, { case: 'conversationChanged', value: { conversation: THREAD, firstSequence: 2n, purged: true } });
    expect(order(need(bench.snapshot.conversation))).toEqual([]);
  });

  it('is kept as far as the box keeps it', () => {
    const bench = started(...Array.from({ length: NOTICES_KEPT + 5 }, (_, at) => told(at + 1, 0, NoticeKind.LEAVE_BEGAN)));
    const { before } = opened(bench);
    expect([before?.length, before?.[0]?.number]).toEqual([NOTICES_KEPT, 6]);
  });
});

describe('of a snapshot', () => {
  const snapshot = (bench: Bench, ...kinds: readonly EventKind[]): void => {
    bench.box.snapshotAlso = kinds;
    bench.start();
    bench.settle();
  };

  it('those that are missing among its messages are asked for once, when the thread is opened', () => {
    const bench = new Bench(new Box(), seeded(1));
    snapshot(bench, thread({ lastSequence: 3n }), said(1), said(2), said(3), told(5, 2, NoticeKind.LEAVE_BEGAN), told(6, 3, NoticeKind.LEAVE_ENDED));
    const notices = [notice(4, 1, NoticeKind.LEAVE_ENDED), notice(3, 1, NoticeKind.LEAVE_BEGAN), notice(2, 0, NoticeKind.ENTERED, { person: BEN, reason: NoticeReason.BED }), notice(1, 0, NoticeKind.ADMITTED)];
    bench.box.instead.set('history', [{ case: 'historyPage', value: { conversation: THREAD, messages: [], end: true, notices } }]);
    expect(order(opened(bench))).toEqual(['n1', 'n2', 1, 'n3', 'n4', 2, 'n5', 3, 'n6']);
    expect(bench.box.heard.filter((body) => body.case === 'history').map((body) => body.value)).toMatchObject([{ conversation: THREAD, before: 3n }]);
    bench.command('closeConversation');
    opened(bench);
    expect(bench.box.heard.filter((body) => body.case === 'history')).toHaveLength(1);
  });

  it('whoever came in reads in a thread without a message what was told before', () => {
    const bench = started(told(3, 0, NoticeKind.ENTERED, { person: ANA, reason: NoticeReason.BED }));
    const notices = [notice(2, 0, NoticeKind.BED_UNHELD), notice(1, 0, NoticeKind.ADMITTED)];
    bench.box.instead.set('history', [{ case: 'historyPage', value: { conversation: THREAD, messages: [], end: true, notices } }]);
    expect(order(opened(bench))).toEqual(['n1', 'n2', 'n3']);
    expect(bench.box.heard.filter((body) => body.case === 'history').map((body) => body.value)).toMatchObject([{ conversation: THREAD, before: 1n }]);
  });

  it('none is asked for where none is missing', () => {
    const bench = new Bench(new Box(), seeded(1));
    snapshot(bench, thread({ lastSequence: 1n }), said(1), told(1, 0, NoticeKind.ADMITTED), told(2, 1, NoticeKind.LEAVE_BEGAN));
    expect(order(opened(bench))).toEqual(['n1', 1, 'n2']);
    expect(bench.box.heard.filter((body) => body.case === 'history')).toEqual([]);
  });
});

describe('who asks at the bed', () => {
  const asks = (bench: Bench, number: number): EventKind => told(number, 0, NoticeKind.FAMILY_ASKED, { at: BigInt(bench.now.wall) });

  it('is marked in the inbox, first among the patients, until they are let in', () => {
    const bench = started();
    expect(line(bench).visit).toBeNull();
    happens(bench, asks(bench, 1));
    expect(line(bench).visit).toEqual({ waiting: 1, until: bench.now.wall + 4 * HOUR });
    happens(bench, asks(bench, 2));
    expect(line(bench).visit?.waiting).toBe(2);
    happens(bench, told(3, 0, NoticeKind.FAMILY_ENTERED, { person: 0x999n }));
    expect(line(bench).visit?.waiting).toBe(1);
    happens(bench, told(4, 0, NoticeKind.FAMILY_CONSENT_ENDED));
    expect(line(bench).visit).toBeNull();
    expect(line(bench).unread).toBe(0);
  });

  it('waits no more when somebody here has looked and sees nobody, as after a refusal', () => {
    const bench = started();
    happens(bench, asks(bench, 1));
    looks(bench, {});
    expect(line(bench).visit).toBeNull();
    happens(bench, asks(bench, 2));
    expect(line(bench).visit?.waiting).toBe(1);
    looks(bench, { requests: [{ device: 1n, until: 77n }, { device: 2n, until: 99n }] });
    expect(line(bench).visit).toEqual({ waiting: 2, until: 99 });
  });
});
