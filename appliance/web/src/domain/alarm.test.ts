import { describe, expect, it } from 'vitest';

import { AlarmKind, ConversationKind, Priority } from '../gen/wardline_pb.js';
import type { OpenConversation } from './snapshot.ts';
import { Bench, hex, need, seeded } from './testing/bench.ts';
import { ANA, BEN, Box, type EventKind } from './testing/box.ts';

const [BOX, INBOX, UNIT] = [0xb0n, 0x71n, 1n];

const theBox: EventKind = { case: 'person', value: { person: BOX, name: 'Wardline box', suspended: true, theBox: true } };
const inbox: EventKind = {
  case: 'conversation',
  value: { conversation: INBOX, kind: ConversationKind.ROLE, title: 'IT on call', unit: UNIT, writer: BOX, members: [{ person: ANA, delivered: 0n, read: 0n }], firstSequence: 1n },
};

function alarm(sequence: number, kind: number, over = false, sender = BOX): EventKind {
  const message = Uint8Array.from({ length: 16 }, (_, at) => (at === 15 ? sequence : 9));
  const priority = over ? Priority.ROUTINE : Priority.URGENT;
  const said = sender === BOX ? { alarm: { kind: kind as AlarmKind, level: 1, over } } : {};
  return { case: 'message', value: { conversation: INBOX, sequence: BigInt(sequence), message, sender, at: BigInt(sequence), text: `In English ${sequence}`, priority, ...said } };
}

function told(...kinds: readonly EventKind[]): Bench {
  const bench = new Bench(new Box(), seeded(1));
  bench.start();
  bench.settle();
  for (const kind of [theBox, inbox, ...kinds]) bench.box.change(kind);
  bench.settle();
  return bench;
}

function opened(bench: Bench): OpenConversation {
  bench.command('openConversation', hex(INBOX));
  bench.settle();
  return need(bench.snapshot.conversation);
}
const line = (bench: Bench) => need(bench.snapshot.inbox.find((item) => item.id === hex(INBOX)));

describe('alarms of the box', () => {
  it('are what the box says to the role, and are over', () => {
    const bench = told(alarm(1, AlarmKind.KEEPER_SILENT), alarm(2, AlarmKind.KEEPER_SILENT, true));
    expect(line(bench)).toMatchObject({ title: 'IT on call', ofBox: true, lastAlarm: { over: true }, unread: 2 });
    expect(opened(bench).messages).toMatchObject([
      { author: 'Wardline box', priority: 'urgent', alarm: { kind: 'keeper', level: 1, over: false } },
      { priority: 'routine', alarm: { kind: 'keeper', over: true } },
    ]);
  });

  it('of a kind that the app does not know have their text', () => {
    const bench = told(alarm(1, 99));
    expect(opened(bench).messages).toMatchObject([{ text: 'In English 1', alarm: { kind: null } }]);
  });

  it('are still the box’s conversation after somebody answered', () => {
    const bench = told(alarm(1, AlarmKind.DISK_LOW), alarm(2, 0, false, BEN));
    expect(line(bench)).toMatchObject({ ofBox: true, lastText: 'In English 2' });
    expect(line(bench).lastAlarm).toBeUndefined();
  });

  it('make nobody of the box', () => {
    const bench = told(alarm(1, AlarmKind.DISK_LOW));
    expect(bench.snapshot.people.map((person) => person.name)).not.toContain('Wardline box');
    expect(bench.snapshot.people.length).toBeGreaterThan(0);
  });
});
