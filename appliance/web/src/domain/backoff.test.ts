import { describe, expect, it } from 'vitest';

import { Backoff, CLOSE, closeCodeOf } from './backoff.ts';

function wait(next: ReturnType<Backoff['closed']>): number {
  if (next.next !== 'wait') throw new Error(next.why);
  return next.until;
}

describe('connecting again', () => {
  it('waits between 0.2 s and a bound that doubles to 10 s', () => {
    const longest = new Backoff();
    const waits = Array.from({ length: 8 }, () => wait(longest.closed(null, 0, 0, 1)));
    expect(waits).toEqual([400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
    const shortest = new Backoff();
    expect(Array.from({ length: 4 }, () => wait(shortest.closed(null, 0, 1_000, 0)))).toEqual([1_200, 1_200, 1_200, 1_200]);
  });

  it('begins anew after a connection that held', () => {
    const backoff = new Backoff();
    for (let times = 0; times < 5; times += 1) backoff.closed(null, 0, 0, 1);
    expect(wait(backoff.closed(null, 10_000, 0, 1))).toBe(400);
    expect(wait(backoff.closed(null, 9_999, 0, 1))).toBe(800);
  });

  it('is never by itself after another connection of the device, or the end of its access', () => {
    expect(new Backoff().closed(CLOSE.superseded, 60_000, 0, 0)).toEqual({ next: 'stop', why: 'superseded' });
    expect(new Backoff().closed(CLOSE.revoked, 60_000, 0, 0)).toEqual({ next: 'stop', why: 'revoked' });
  });

  it('stops after five faults in a row', () => {
    const backoff = new Backoff();
    const close = (held = 0): string => backoff.closed(CLOSE.outOfTurn, held, 0, 0).next;
    expect([close(), close(), close(), close()]).toEqual(['wait', 'wait', 'wait', 'wait']);
    expect(close(10_000)).toBe('wait');
    expect([close(), close(), close()]).toEqual(['wait', 'wait', 'wait']);
    backoff.accepted();
    expect([close(), close(), close(), close()]).toEqual(['wait', 'wait', 'wait', 'wait']);
    expect(close()).toBe('stop');
  });

  it('counts no fault where the PIN was not typed in time', () => {
    const backoff = new Backoff();
    for (let times = 0; times < 20; times += 1) expect(backoff.closed(CLOSE.tooSlow, 0, 0, 0).next).toBe('wait');
  });

  it('waits as the box said', () => {
    const backoff = new Backoff();
    expect(backoff.draining(2_000, 100, 0.5)).toEqual({ next: 'wait', until: 3_100, imposed: true });
    expect(backoff.draining(0, 0, 0)).toEqual({ next: 'wait', until: 200, imposed: true });
    expect(backoff.refused(4_000, 0, 1)).toEqual({ next: 'wait', until: 5_000, imposed: true });
    expect(backoff.refused(0, 0, 0)).toEqual({ next: 'wait', until: 200, imposed: false });
  });
});

it("a WebSocket's codes are the protocol's from 4000 on", () => {
  expect([1000, 1006, 3999, 4016, 4256].map(closeCodeOf)).toEqual([null, null, null, CLOSE.done, CLOSE.malformed]);
});
