import { describe, expect, it } from 'vitest';

import { EscalationState, RefusalCode } from '../gen/wardline_pb.js';
import { CLOSE } from './backoff.ts';
import { Bench, need, seeded } from './testing/bench.ts';
import { Box, PIN, refused, WARD } from './testing/box.ts';

const RING = { conversation: WARD, sequence: 4n, state: EscalationState.RINGING, unit: 1n, senderTitle: 'RN', opened: 9n } as const;
const NIGHT = 10 * 3_600_000;

/** A screen of a unit that has just joined. */
function screen(): Bench {
  const box = new Box();
  box.station = 1n;
  const bench = new Bench(box, seeded(3), null);
  bench.start();
  bench.command('join', 'ABCDEFGHJK', PIN, 'Tablet');
  bench.settle();
  bench.give({ input: 'foreground', isVisible: true });
  return bench;
}

function rings(bench: Bench): number {
  return bench.snapshot.ringing.filter((one) => !one.held).length;
}

function ring(bench: Bench, over: object = {}): void {
  need(bench.box.current).send(0n, { case: 'ring', value: { ...RING, ...over } });
  bench.settle();
}

describe("a unit's screen", () => {
  it('joins, and is one: nothing of anybody is asked for or shown', () => {
    const bench = screen();
    expect(bench.snapshot).toMatchObject({ stage: 'station', station: 'Desk, Hall A', line: { state: 'online' }, me: null, inbox: [], people: [], care: null });
    expect(bench.disk.identity?.station).toBe('Desk, Hall A');
    expect(bench.box.heard.map((body) => body.case)).not.toContain('sync');
  });

  it('rings, and is silent once somebody has it', () => {
    const bench = screen();
    ring(bench);
    expect(bench.snapshot.ringing).toMatchObject([{ senderTitle: 'RN', opened: 9, held: false }]);
    ring(bench, { state: EscalationState.HELD });
    expect(rings(bench)).toBe(0);
    need(bench.box.current).send(0n, { case: 'silence', value: { conversation: WARD, sequence: 4n, by: 0n } });
    bench.settle();
    expect(bench.snapshot.ringing).toEqual([]);
  });

  it('shows an urgent message that nobody has seen, the longest first, until it is over or the box tells anew', () => {
    const bench = screen();
    const waits = (sequence: bigint, since: bigint) => need(bench.box.current).send(0n, { case: 'urgentWaits', value: { conversation: WARD, sequence, unit: 1n, since, dial: '4410' } });
    waits(6n, 20n);
    waits(5n, 10n);
    bench.settle();
    expect(bench.snapshot.urgents?.map((one) => [one.since, one.dial])).toEqual([[10, '4410'], [20, '4410']]);
    need(bench.box.current).send(0n, { case: 'urgentOver', value: { conversation: WARD, sequence: 5n } });
    bench.settle();
    expect(bench.snapshot.urgents?.map((one) => one.since)).toEqual([20]);
    bench.drop();
    bench.pass(30_000);
    expect(bench.snapshot.urgents).toEqual([]);
  });

  it('says every 8 s that it is there, while it is in front of somebody, and nothing else', () => {
    const bench = screen();
    bench.pass(80_000);
    const said = bench.box.heard.map((body) => body.case);
    expect(said.filter((one) => one === 'here').length).toBeGreaterThanOrEqual(10);
    expect(new Set(said)).toEqual(new Set(['hello', 'join', 'here', 'echo']));
    bench.give({ input: 'foreground', isVisible: false });
    bench.box.heard.length = 0;
    bench.pass(80_000);
    expect(bench.box.heard.map((body) => body.case)).not.toContain('here');
  });

  it('takes no command, and opens for none', () => {
    const bench = screen();
    ring(bench);
    bench.command('unlock', PIN);
    bench.command('lock');
    bench.command('answerStat', '0000000000000077', 4, 'coming');
    bench.give({ input: 'ask', number: 1, body: { case: 'listRoles', value: {} } });
    bench.settle();
    expect(bench.snapshot.stage).toBe('station');
    expect(rings(bench)).toBe(1);
    expect(bench.box.heard.map((body) => body.case)).not.toContain('answerStat');
  });

  it('never locks: not of idleness, and not for want of the box', () => {
    const bench = screen();
    bench.pass(NIGHT);
    expect(bench.snapshot).toMatchObject({ stage: 'station', line: { state: 'online' } });
    bench.isReachable = false;
    bench.drop();
    bench.pass(60_000);
    expect(bench.snapshot).toMatchObject({ stage: 'station', lapsed: false, line: { state: 'offline' } });
  });

  it('goes on ringing without the box, and hears anew what rings once it is back', () => {
    const bench = screen();
    ring(bench);
    bench.isReachable = false;
    bench.drop();
    bench.pass(600_000);
    expect(rings(bench)).toBe(1);
    bench.isReachable = true;
    bench.pass(30_000);
    expect(bench.snapshot).toMatchObject({ stage: 'station', ringing: [], line: { state: 'online' } });
    ring(bench);
    expect(rings(bench)).toBe(1);
  });

  it('comes back after a night without the box, which said nothing when it went', () => {
    const bench = screen();
    bench.isReachable = false;
    bench.drop();
    bench.pass(NIGHT);
    expect(bench.snapshot.line.state).toBe('offline');
    bench.isReachable = true;
    bench.pass(30_000);
    expect(bench.snapshot).toMatchObject({ stage: 'station', line: { state: 'online' } });
  });

  it('knows what it is before the box has said so', () => {
    const bench = screen();
    bench.isReachable = false;
    bench.restart();
    expect(bench.snapshot).toMatchObject({ stage: 'station', station: 'Desk, Hall A' });
    bench.pass(60_000);
    expect(bench.snapshot).toMatchObject({ stage: 'station', line: { state: 'offline' } });
  });

  it('that was revoked says so, and that it was a screen', () => {
    const bench = screen();
    bench.drop(CLOSE.revoked);
    expect(bench.snapshot).toMatchObject({ stage: 'ended', ended: 'revoked', station: 'Desk, Hall A' });
  });

  it('that the box does not know any more wants a code', () => {
    const bench = screen();
    bench.box.instead.set('prove', [refused(RefusalCode.DEVICE_UNKNOWN)]);
    bench.drop();
    bench.pass(30_000);
    expect(bench.snapshot).toMatchObject({ stage: 'joining', station: 'Desk, Hall A', refusal: { code: 'DEVICE_UNKNOWN' } });
  });

  it('that is somebody’s device after all is theirs, and no screen', () => {
    const bench = screen();
    bench.box.station = 0n;
    bench.box.isPinWanted = true;
    bench.drop();
    bench.pass(30_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', station: null });
    bench.command('unlock', PIN);
    bench.settle();
    expect(bench.snapshot).toMatchObject({ stage: 'open', station: null });
  });
});
