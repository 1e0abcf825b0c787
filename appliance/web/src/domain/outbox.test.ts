import { describe, expect, it } from 'vitest';

import { RefusalCode } from '../gen/wardline_pb.js';
import type { ConversationId, MessageName, Sequence } from './ids.ts';
import { OUTBOX_MAX } from './limits.ts';
import { type Draft, Outbox, type Waiting } from './outbox.ts';
import { Receipts } from './receipts.ts';
import type { Declined } from './refusals.ts';

const WARD = '0000000000000077' as ConversationId;
const OTHER = '0000000000000078' as ConversationId;

function draft(text: string, more: Partial<Draft> = {}): Draft {
  return { conversation: WARD, text, priority: 'routine', replyTo: 0 as Sequence, people: [], roles: [], files: [], ...more };
}

function declined(code: RefusalCode, retryAfter = 0): Declined {
  return { code, advice: '', triesLeft: 0, retryAfter };
}

/** An outbox whose disk is at hand. */
class Desk {
  readonly outbox = new Outbox();
  readonly disk = new Map<MessageName, Waiting>();
  highest = 0n;

  constructor(lastNumber = 0n) {
    this.outbox.signedIn(lastNumber);
  }

  compose(text: string, more: Partial<Draft> = {}): MessageName {
    const name = text as MessageName;
    expect(this.outbox.compose(draft(text, more), name, 0)).toBeNull();
    return name;
  }

  write(): void {
    const writes = this.outbox.flush();
    if (writes === null) return;
    this.highest = writes.highest;
    for (const { waiting, version } of writes.puts) {
      this.disk.set(waiting.name, waiting);
      this.outbox.kept(waiting.name, version);
    }
    for (const name of writes.deletes) this.disk.delete(name);
  }

  /** What leaves: texts and numbers. */
  send(underWay: string[] = [], now = 0): string[] {
    this.outbox.pick(underWay as MessageName[], now);
    this.write();
    return this.outbox.pick(underWay as MessageName[], now).map((one) => `${one.text} ${one.number}`);
  }
}

describe('a message', () => {
  it('is on the disk before it has a number, and its number before it leaves', () => {
    const { outbox } = new Desk();
    outbox.compose(draft('a'), 'a' as MessageName, 0);
    const first = outbox.flush();
    expect(first?.puts.map(({ waiting }) => waiting.number)).toEqual([null]);
    expect(outbox.pick([], 0)).toEqual([]);
    outbox.kept('a' as MessageName, first?.puts[0]?.version ?? 0);
    expect(outbox.pick([], 0)).toEqual([]);
    const second = outbox.flush();
    expect(second).toMatchObject({ puts: [{ waiting: { number: 1n } }], highest: 1n });
    outbox.kept('a' as MessageName, second?.puts[0]?.version ?? 0);
    expect(outbox.pick([], 0).map((one) => one.number)).toEqual([1n]);
    expect(outbox.flush()).toBeNull();
  });

  it('is alone under way in its conversation, in the order composed', () => {
    const desk = new Desk(41n);
    desk.compose('a');
    desk.compose('b');
    desk.compose('c', { conversation: OTHER });
    expect(desk.send()).toEqual(['a 42', 'c 43']);
    expect(desk.send(['a', 'c'])).toEqual([]);
    desk.outbox.accepted('a' as MessageName);
    expect(desk.send(['c'])).toEqual(['b 44']);
  });

  it('that was sent before goes again under the same number, before new ones', () => {
    const desk = new Desk();
    desk.compose('a');
    desk.compose('b', { conversation: OTHER });
    desk.send();
    const next = new Desk(1n);
    next.outbox.load([...desk.disk.values()].reverse(), desk.highest);
    next.compose('stat', { priority: 'stat', conversation: '0000000000000079' as ConversationId });
    expect(next.send()).toEqual(['a 1', 'b 2', 'stat 3']);
  });

  it('never has a number that another had, whatever the disk lost', () => {
    const desk = new Desk(7n);
    desk.compose('a');
    expect(desk.send()).toEqual(['a 8']);
    desk.outbox.accepted('a' as MessageName);
    desk.write();
    expect(desk.disk.size).toBe(0);
    const next = new Desk(0n);
    next.outbox.load([], desk.highest);
    next.compose('b');
    expect(next.send()).toEqual(['b 9']);
  });

  it('that is a STAT overtakes what has no number yet', () => {
    const desk = new Desk();
    desk.compose('a');
    desk.compose('now', { priority: 'stat' });
    expect(desk.send()).toEqual(['now 1']);
  });

  it('holds back higher numbers until its own is on the disk', () => {
    const { outbox } = new Desk();
    for (const [text, conversation] of [['a', WARD], ['b', OTHER]] as const) outbox.compose(draft(text, { conversation }), text as MessageName, 0);
    outbox.pick([], 0);
    outbox.kept('b' as MessageName, 99);
    expect(outbox.pick([], 0)).toEqual([]);
    outbox.kept('a' as MessageName, 99);
    expect(outbox.pick([], 0).map((one) => one.text)).toEqual(['a', 'b']);
  });
});

describe('a refusal', () => {
  it('for a moment: a fresh number, the same name, after the wait', () => {
    const desk = new Desk();
    desk.compose('a');
    desk.compose('b');
    desk.send();
    desk.outbox.declined('a' as MessageName, declined(RefusalCode.SLOW_DOWN, 4_000), 100, 1);
    expect(desk.send([], 5_099)).toEqual([]);
    expect(desk.outbox.nextAt(100, 0)).toBe(5_100);
    expect(desk.send([], 5_100)).toEqual(['a 2']);
  });

  it('of a number that the box may have taken before keeps it, but one that was passed', () => {
    const desk = new Desk();
    desk.compose('a');
    desk.send();
    desk.outbox.signedIn(1n);
    desk.outbox.declined('a' as MessageName, declined(RefusalCode.UNAVAILABLE), 0, 0);
    expect(desk.send([], 999)).toEqual([]);
    expect(desk.send([], 1_000)).toEqual(['a 1']);
    desk.outbox.declined('a' as MessageName, declined(RefusalCode.NUMBER_PASSED), 1_000, 0);
    expect(desk.send([], 1_000)).toEqual(['a 2']);
  });

  it('for being locked waits for nothing but the PIN', () => {
    const desk = new Desk();
    desk.compose('a');
    desk.send();
    desk.outbox.declined('a' as MessageName, declined(RefusalCode.LOCKED), 0, 0);
    desk.outbox.signedIn(0n);
    expect(desk.send()).toEqual(['a 2']);
  });

  it('for good: the text stays until its person knows, and lets the next one go', () => {
    const desk = new Desk();
    desk.compose('a');
    desk.compose('b');
    desk.send();
    desk.outbox.declined('a' as MessageName, declined(RefusalCode.ARCHIVED), 0, 0);
    expect(desk.send()).toEqual(['b 2']);
    expect(desk.disk.get('a' as MessageName)).toMatchObject({ text: 'a', failed: { code: 'ARCHIVED' } });
    desk.outbox.discard('b' as MessageName);
    desk.outbox.discard('a' as MessageName);
    desk.write();
    expect([...desk.disk.keys()]).toEqual(['b']);
  });

  it('of what cannot be sent comes before anything is kept', () => {
    const { outbox } = new Desk();
    const name = 'x' as MessageName;
    expect(outbox.compose(draft(''), name, 0)).toMatchObject({ code: 'TEXT_EMPTY' });
    expect(outbox.compose(draft('ä'.repeat(4_097)), name, 0)).toMatchObject({ code: 'TOO_LARGE' });
    expect(outbox.compose(draft('ä'.repeat(4_096)), name, 0)).toBeNull();
    for (let at = 1; at < OUTBOX_MAX; at += 1) outbox.compose(draft('a'), `${at}` as MessageName, 0);
    expect(outbox.compose(draft('a'), 'more' as MessageName, 0)).toMatchObject({ code: 'OUTBOX_FULL' });
  });
});

describe('a number that the box took for reused', () => {
  it('is given anew where one was under way', () => {
    const desk = new Desk();
    desk.compose('a');
    desk.send();
    desk.outbox.suspectNumbers(['a' as MessageName]);
    expect(desk.send()).toEqual(['a 2']);
  });

  it('is found one by one where more were', () => {
    const desk = new Desk();
    desk.compose('a');
    desk.compose('b', { conversation: OTHER });
    desk.compose('c', { conversation: '0000000000000079' as ConversationId });
    desk.send();
    desk.outbox.suspectNumbers(['a', 'b', 'c'] as MessageName[]);
    expect(desk.send()).toEqual(['a 1']);
    desk.outbox.accepted('a' as MessageName);
    expect(desk.send()).toEqual(['b 2']);
    desk.outbox.accepted('b' as MessageName);
    desk.outbox.accepted('c' as MessageName);
    desk.compose('d');
    desk.compose('e', { conversation: OTHER });
    expect(desk.send()).toEqual(['d 4', 'e 5']);
  });
});

describe('a STAT', () => {
  it('that the box has not taken within a minute is given up, and says whether it may have arrived', () => {
    const desk = new Desk();
    desk.compose('sent', { priority: 'stat' });
    desk.send();
    desk.compose('never', { priority: 'stat' });
    expect(desk.outbox.nextAt(0, 0)).toBe(60_000);
    desk.outbox.giveUpLate(59_999);
    expect(desk.outbox.count).toBe(2);
    desk.outbox.giveUpLate(60_000);
    expect(desk.outbox.waiting().map((one) => one.failed?.code)).toEqual(['STAT_NOT_SURE', 'STAT_NOT_SENT']);
    expect(desk.send()).toEqual([]);
    expect(desk.outbox.accepted('sent' as MessageName)?.text).toBe('sent');
  });
});

describe('receipts', () => {
  it('rise together, go at once, and go again on a new connection', () => {
    const receipts = new Receipts();
    for (let at = 1; at <= 9; at += 1) receipts.raise(WARD, { delivered: at as Sequence, read: Math.floor(at / 3) as Sequence }, 0);
    expect(receipts.nextAt()).toBe(200);
    expect(receipts.flush(200)).toEqual([[WARD, { delivered: 9, read: 3 }]]);
    receipts.raise(WARD, { delivered: 8 as Sequence }, 200);
    expect(receipts.nextAt()).toBe(Infinity);
    receipts.raise(WARD, { read: 4 as Sequence }, 200);
    expect(receipts.flush(400)).toEqual([[WARD, { delivered: 9, read: 4 }]]);
    receipts.reconnected(500);
    expect(receipts.flush(700)).toEqual([[WARD, { delivered: 9, read: 4 }]]);
  });

  it('go in measure', () => {
    const receipts = new Receipts();
    for (let at = 1; at <= 250; at += 1) receipts.raise(`${at}` as ConversationId, { delivered: 1 as Sequence }, 0);
    expect([receipts.flush(200).length, receipts.nextAt(), receipts.flush(400).length, receipts.flush(600).length]).toEqual([100, 400, 100, 50]);
    expect(receipts.nextAt()).toBe(Infinity);
  });
});
