import { describe, expect, it } from 'vitest';

import { around, MOST, newer, NEWEST, older, opening, pinned, placed, SOME, type Wanted } from './run.ts';

const list = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => ({ key: `m${from + at}` }));

describe('the run of messages in the page', () => {
  it('is of the newest at first, and stays with them', () => {
    expect(placed(NEWEST, list(0, 10_000))).toEqual({ from: 10_000 - SOME, to: 10_000 });
    expect(placed(NEWEST, list(0, 10_001))).toEqual({ from: 10_001 - SOME, to: 10_001 });
    expect(placed(NEWEST, list(0, 3))).toEqual({ from: 0, to: 3 });
    expect(placed(NEWEST, [])).toEqual({ from: 0, to: 0 });
  });

  it('opens with what fills the screen, and no more', () => {
    const phone = { width: 390, height: 844 };
    const of = (text: string, count = 50) => list(0, count).map((one) => ({ ...one, text }));
    const drawn = (all: ReturnType<typeof of>, room = phone) => {
      const { from, to } = placed(opening(all, room), all);
      expect(to).toBe(all.length);
      return to - from;
    };
    // Each needs at least 48 px and 22 for each of its lines of some 40 letters: 724 px are filled.
    expect(drawn(of('ok'))).toBe(11);
    expect(drawn(of('x'.repeat(200)))).toBe(5);
    expect(drawn(of('x'.repeat(8_000)))).toBe(2);
    expect(drawn(of('ok'), { width: 1_440, height: 2_000 })).toBe(SOME);
    expect(drawn(of('ok', 3))).toBe(3);
    expect(drawn(of('ok', 0))).toBe(0);
    // No window is so small that nothing is shown.
    expect(drawn(of('ok'), { width: 0, height: 200 })).toBeGreaterThan(0);
  });

  it('follows what is newest from there on', () => {
    const all = list(0, 50).map((one) => ({ ...one, text: 'ok' }));
    const wanted = opening(all, { width: 390, height: 844 });
    expect(placed(wanted, list(0, 52))).toEqual({ from: 39, to: 52 });
  });

  it('has the same messages when older ones come before it and new ones behind it', () => {
    const wanted = pinned({ from: 10, to: 60 }, list(100, 200), false);
    expect(placed(wanted, list(50, 300))).toEqual({ from: 60, to: 110 });
  });

  it('takes new ones in while it follows, and never more than the most', () => {
    const wanted = pinned({ from: 0, to: 100 }, list(0, 100), true);
    expect(placed(wanted, list(0, 120))).toEqual({ from: 0, to: 120 });
    expect(placed(wanted, list(0, 900))).toEqual({ from: 900 - MOST, to: 900 });
  });

  it('goes from one end of 10,000 to the other, bounded, and passes each', () => {
    const all = list(0, 10_000);
    const seen = new Set<number>();
    let wanted: Wanted = NEWEST;
    for (const move of [older, newer]) {
      for (let steps = 0; steps < 300; steps += 1) {
        const run = placed(wanted, all);
        expect(run.to - run.from).toBeLessThanOrEqual(MOST);
        for (let at = run.from; at < run.to; at += 1) seen.add(at);
        wanted = move(run, all);
      }
    }
    expect(seen.size).toBe(10_000);
    // At the end it follows again.
    expect(wanted.to).toBeNull();
    expect(placed(wanted, all).to).toBe(10_000);
  });

  it('leaves what is in sight where it moves on', () => {
    const all = list(0, 1_000);
    const run = placed(older({ from: 500, to: 660 }, all), all);
    expect(run).toEqual({ from: 460, to: 620 });
    expect(placed(newer(run, all), all)).toEqual({ from: 500, to: 660 });
  });

  it('has the message that is asked for, wherever it is', () => {
    const all = list(0, 1_000);
    for (const at of [0, 5, 500, 995, 999]) {
      const run = placed(around(at, all), all);
      expect(run.from <= at && at < run.to).toBe(true);
    }
    expect(around(999, all).to).toBeNull();
  });

  it('shows the newest where its messages are gone', () => {
    expect(placed({ from: 'm1', to: 'm9' }, list(100, 200))).toEqual({ from: 100 - SOME, to: 100 });
    expect(placed({ from: 'm150', to: 'm120' }, list(100, 200))).toEqual({ from: 21 - SOME, to: 21 });
  });
});
