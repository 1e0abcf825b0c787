import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import {
  AcceptedSchema,
  ConversationKind,
  EscalationState,
  type Event,
  EventSchema,
  HistoryPageSchema,
  ReactionKind,
} from '../gen/wardline_pb.js';
import { Book } from './book.ts';
import type { Conversation } from './conversation.ts';
import { idOf, type ConversationId, type PersonId, type Sequence } from './ids.ts';
import { MESSAGES_KEPT, MESSAGES_OPEN_MAX, TEXT_OPEN_MAX } from './limits.ts';
import { readMessage } from './wire.ts';

type Kind = NonNullable<MessageInitShape<typeof EventSchema>['kind']>;

const [ANA, BEN, CLEO] = [1n, 2n, 3n] as const;
const WARD = 0x77n;
const NO_CURSOR = new Uint8Array(0);

function cursor(byte: number): Uint8Array {
  return new Uint8Array(16).fill(byte);
}

function event(kind: Kind): Event {
  return create(EventSchema, { kind });
}

function name(sequence: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, at) => (at === 15 ? sequence & 0xff : (sequence >> 8) & 0xff));
}

function said(sequence: number, text = `number ${sequence}`, more: object = {}): Kind {
  const value = { conversation: WARD, sequence: BigInt(sequence), message: name(sequence), sender: BEN, at: BigInt(sequence), text };
  return { case: 'message', value: { ...value, ...more } };
}

function conversation(more: object = {}): Kind {
  const members = [{ person: ANA, delivered: 0n, read: 0n }, { person: BEN, delivered: 0n, read: 0n }];
  const value = { conversation: WARD, kind: ConversationKind.GROUP, title: 'Night shift', members, firstSequence: 1n };
  return { case: 'conversation', value: { ...value, ...more } };
}

function id<I extends ConversationId | PersonId>(wire: bigint): I {
  const read = idOf<I>(wire);
  if (read === null) throw new Error('no identifier');
  return read;
}

class Reader {
  readonly book = new Book();

  constructor(...kinds: readonly Kind[]) {
    this.book.syncStarted(false);
    this.tell(...kinds);
    this.book.synced(cursor(1));
  }

  tell(...kinds: readonly Kind[]): void {
    for (const kind of kinds) this.book.apply(NO_CURSOR, event(kind));
  }

  get ward(): Conversation {
    const found = this.book.conversations.get(id(WARD));
    if (found === undefined) throw new Error('not known');
    return found;
  }

  get sequences(): number[] {
    return this.ward.messages.map((message) => message.sequence);
  }
}

describe('messages', () => {
  it('stand in order, each once, whatever comes twice', () => {
    const reader = new Reader(conversation(), said(2), said(1), said(2), said(3));
    expect(reader.sequences).toEqual([1, 2, 3]);
    expect(reader.book.apply(NO_CURSOR, event(said(3)))).toEqual({ applied: 'other' });
    expect(reader.book.apply(NO_CURSOR, event(said(4)))).toMatchObject({ applied: 'message', message: { sequence: 4 } });
    expect(reader.ward.last).toBe(4);
  });

  it('are replaced by later forms and by no earlier one', () => {
    const reader = new Reader(conversation(), said(1, 'first'));
    const changed = (text: string, more: object): Kind => ({ case: 'messageChanged', value: (said(1, text, more) as Extract<Kind, { case: 'message' }>).value });
    reader.tell(changed('second', { edits: 1 }));
    reader.tell(said(1, 'first'));
    expect(reader.ward.at(1 as Sequence)?.text).toBe('second');
    reader.tell(changed('', { edits: 1, recalledAt: 9n }));
    reader.tell(changed('third', { edits: 2 }));
    expect(reader.ward.at(1 as Sequence)).toMatchObject({ text: '', recalled: true });
    reader.tell({ case: 'messageChanged', value: { ...(said(5) as Extract<Kind, { case: 'message' }>).value, edits: 1 } });
    expect(reader.sequences).toEqual([1]);
  });

  it('that expire, or were purged, are gone', () => {
    const reader = new Reader(conversation(), said(1), said(2), said(3));
    reader.tell({ case: 'conversationChanged', value: { conversation: WARD, firstSequence: 3n } });
    expect(reader.sequences).toEqual([3]);
    reader.tell({ case: 'conversationChanged', value: { conversation: WARD, firstSequence: 1n } });
    expect(reader.ward.known.first).toBe(3);
    reader.tell({ case: 'conversationChanged', value: { conversation: WARD, purged: true } });
    expect(reader.sequences).toEqual([]);
    expect(reader.ward.known).toMatchObject({ purged: true, title: '' });
  });

  it('of a conversation that is not on the screen are kept as far as a bound', () => {
    const reader = new Reader(conversation());
    for (let sequence = 1; sequence <= 200; sequence += 1) reader.tell(said(sequence));
    expect(reader.ward.messages.length).toBeLessThanOrEqual(MESSAGES_KEPT * 1.25);
    expect(reader.ward.messages.length).toBeGreaterThanOrEqual(MESSAGES_KEPT);
    expect(reader.ward.newest?.sequence).toBe(200);
    expect(reader.ward.older).toBe('some');
  });

  it('say nothing that turns the reading around or hides', () => {
    const reader = new Reader(conversation({ title: 'Night\u202e\nshift\u0007' }), said(1, 'a\u2066b\r\nc\u0000d'));
    expect(reader.ward.known.title).toBe('Night shift');
    expect(reader.ward.at(1 as Sequence)?.text).toBe('ab\ncd');
  });
});

describe('history', () => {
  it('fills what is missing, and knows its end', () => {
    const reader = new Reader(conversation({ lastSequence: 9n }), said(8), said(9));
    expect([reader.ward.older, reader.ward.oldest]).toEqual(['some', 8]);
    reader.ward.history('loading');
    expect(reader.ward.older).toBe('loading');
    const page = (sequences: number[], end: boolean) =>
      create(HistoryPageSchema, {
        conversation: WARD,
        messages: sequences.map((sequence) => (said(sequence) as Extract<Kind, { case: 'message' }>).value),
        end,
      });
    reader.book.history(page([7, 6, 5], false));
    expect([reader.ward.older, reader.ward.oldest]).toEqual(['some', 5]);
    reader.book.history(page([4, 3], true));
    expect([reader.ward.older, reader.ward.oldest]).toEqual(['none', 3]);
    expect(reader.sequences).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  it('is kept up to ten thousand messages of the one that is open, which says that there are more', () => {
    const reader = new Reader(conversation({ lastSequence: 20_000n }), said(20_000));
    reader.book.open(id(WARD));
    for (let before = 20_000; reader.ward.older === 'some'; before -= 50) {
      const messages = Array.from({ length: 50 }, (_, at) => (said(before - 1 - at) as Extract<Kind, { case: 'message' }>).value);
      reader.book.history(create(HistoryPageSchema, { conversation: WARD, messages, end: false }));
    }
    expect([reader.ward.older, reader.ward.messages.length]).toEqual(['full', MESSAGES_OPEN_MAX]);
    reader.book.open(null);
    reader.book.open(id(WARD));
    expect([reader.ward.older, reader.ward.messages.length]).toEqual(['some', MESSAGES_KEPT]);
  });

  it('is kept up to so much text as well', () => {
    const reader = new Reader(conversation({ lastSequence: 9_000n }), said(9_000));
    reader.book.open(id(WARD));
    const text = 'x'.repeat(8_000);
    for (let before = 9_000; reader.ward.older === 'some'; before -= 50) {
      const messages = Array.from({ length: 50 }, (_, at) => (said(before - 1 - at, text) as Extract<Kind, { case: 'message' }>).value);
      reader.book.history(create(HistoryPageSchema, { conversation: WARD, messages, end: false }));
    }
    expect(reader.ward.older).toBe('full');
    expect(reader.ward.textKept).toBeLessThanOrEqual(TEXT_OPEN_MAX + 8_000);
  });

  it('is there of a channel that one has just entered', () => {
    expect(new Reader(conversation({ lastSequence: 12n })).ward.older).toBe('some');
    expect(new Reader(conversation({ lastSequence: 0n })).ward.older).toBe('none');
    expect(new Reader(conversation({ lastSequence: 12n, firstSequence: 13n })).ward.older).toBe('none');
  });

  it('is asked for what lies behind a gap', () => {
    const reader = new Reader(conversation(), said(1), said(2), said(7), said(8));
    expect(reader.sequences).toEqual([7, 8]);
    reader.tell(said(12));
    expect(reader.ward.run.map((message) => message.sequence)).toEqual([12]);
    expect(reader.ward.oldest).toBe(12);
  });
});

describe('cursors', () => {
  it('are kept of what was dealt with, and of nothing while a snapshot runs', () => {
    const { book } = new Reader();
    expect(book.cursor).toEqual(cursor(1));
    book.apply(cursor(2), event(conversation()));
    expect(book.cursor).toEqual(cursor(2));
    book.apply(NO_CURSOR, event(said(1)));
    expect(book.cursor).toEqual(cursor(2));
    // One of a later version: passed over, and its cursor kept.
    book.apply(cursor(3), undefined);
    expect(book.cursor).toEqual(cursor(3));
    book.syncStarted(true);
    expect(book.cursor).toEqual(NO_CURSOR);
    book.apply(cursor(4), event(said(2)));
    expect(book.cursor).toEqual(NO_CURSOR);
    book.synced(cursor(5));
    expect(book.cursor).toEqual(cursor(5));
  });

  it('of an accepted message count once caught up', () => {
    const reader = new Reader(conversation());
    const own = readMessage(create(EventSchema, { kind: said(1) }).kind.value as Parameters<typeof readMessage>[0]);
    const accepted = create(AcceptedSchema, { sequence: 1n, cursor: cursor(7) });
    reader.book.interrupted();
    reader.book.accepted(accepted, own);
    expect(reader.book.cursor).toEqual(cursor(1));
    reader.book.syncStarted(false);
    reader.book.synced(cursor(2));
    reader.book.accepted(accepted, own);
    expect(reader.book.cursor).toEqual(cursor(7));
    expect(reader.sequences).toEqual([1]);
  });
});

describe('a snapshot', () => {
  const stat: Kind = { case: 'escalation', value: { conversation: WARD, sequence: 1n, state: EscalationState.RINGING } };
  const other = conversation({ conversation: 0x78n, title: 'Other' });

  it('forgets what it does not name, once it is through', () => {
    const reader = new Reader(conversation(), other);
    reader.book.syncStarted(true);
    reader.tell(conversation());
    expect(reader.book.conversations.size).toBe(2);
    reader.book.synced(cursor(2));
    expect([...reader.book.conversations.keys()]).toEqual([id(WARD)]);
  });

  it('that breaks off takes nothing away, and is begun anew', () => {
    const reader = new Reader(conversation(), other);
    reader.book.syncStarted(true);
    reader.tell(other);
    reader.book.syncStarted(true);
    expect(reader.book.cursor).toEqual(NO_CURSOR);
    reader.tell(conversation());
    reader.book.synced(cursor(2));
    expect([...reader.book.conversations.keys()]).toEqual([id(WARD)]);
  });

  it('keeps messages, and brings STATs and reactions anew', () => {
    const reactions = [{ kind: ReactionKind.THANKS, people: [ANA] }];
    const reader = new Reader(conversation(), said(1), stat, { case: 'reactions', value: { conversation: WARD, sequence: 1n, reactions } });
    expect(reader.ward.at(1 as Sequence)?.reactions.length).toBe(1);
    expect(reader.ward.stats.size).toBe(1);
    reader.book.syncStarted(true);
    reader.tell(conversation());
    reader.book.synced(cursor(2));
    expect(reader.sequences).toEqual([1]);
    expect(reader.ward.at(1 as Sequence)?.reactions).toEqual([]);
    expect(reader.ward.stats.size).toBe(0);
  });

  it('of a box with another past puts what it names in place of what was shown', () => {
    const reader = new Reader(conversation(), said(1, 'before'), said(2, 'before'));
    reader.book.anotherPast();
    expect(reader.book.cursor).toEqual(NO_CURSOR);
    reader.book.syncStarted(true);
    reader.tell(conversation(), said(1, 'after'));
    reader.book.synced(cursor(2));
    expect(reader.ward.messages.map((message) => message.text)).toEqual(['after']);
  });
});

describe('members', () => {
  it('come, go, and have watermarks that only rise', () => {
    const reader = new Reader(conversation());
    const mark = (read: bigint): Kind => ({ case: 'watermark', value: { conversation: WARD, person: BEN, delivered: 1n, read } });
    reader.tell(mark(4n), mark(2n));
    expect(reader.ward.marks(id(BEN))).toEqual({ delivered: 4, read: 4 });
    const joined = [{ person: CLEO, delivered: 3n, read: 3n }, { person: BEN, delivered: 5n, read: 1n }];
    reader.tell({ case: 'conversationChanged', value: { conversation: WARD, joined, left: [ANA], title: 'Days', archived: true } });
    expect([...reader.ward.members]).toEqual([[id(BEN), { delivered: 5, read: 4 }], [id(CLEO), { delivered: 3, read: 3 }]]);
    expect(reader.ward.known).toMatchObject({ title: 'Days', archived: true });
    reader.tell({ case: 'conversationChanged', value: { conversation: WARD } });
    expect(reader.ward.known).toMatchObject({ title: 'Days', archived: true });
  });

  it('of nobody known are passed over, as is a conversation that is none', () => {
    const reader = new Reader();
    reader.tell({ case: 'watermark', value: { conversation: 0x99n, person: BEN, delivered: 1n, read: 1n } });
    reader.tell({ case: 'conversationChanged', value: { conversation: 0x99n, title: 'x' } }, said(1));
    expect(reader.book.conversations.size).toBe(0);
  });

  it('are out: what was kept goes', () => {
    const reader = new Reader(conversation(), said(1));
    reader.tell({ case: 'gone', value: { conversation: WARD } });
    expect(reader.book.conversations.size).toBe(0);
  });
});

it('a device that joined is told, and what is no identifier is a fault', () => {
  const { book } = new Reader();
  expect(book.apply(NO_CURSOR, event({ case: 'deviceJoined', value: { device: 5n, name: "Ana's\n tablet" } }))).toEqual({
    applied: 'device',
    device: { id: '0000000000000005', name: "Ana's  tablet" },
  });
  expect(() => book.apply(NO_CURSOR, event({ case: 'gone', value: { conversation: 0n } }))).toThrow('an identifier');
  expect(() => book.apply(NO_CURSOR, event(said(1, 'x', { message: new Uint8Array(15) })))).toThrow("a message's name");
});
