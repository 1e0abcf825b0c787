import { describe, expect, it } from 'vitest';

import { Bench, hex, seeded } from './testing/bench.ts';
import { ANA, Box, PIN, WARD } from './testing/box.ts';

/**
 * Ana's phone and Ben exchange 200 messages over a network that breaks at any point, on a phone that is killed at any point; the
 * seed says where. The box declines some for a moment, and asks for the PIN now and then. Whatever was written down when it was composed is said once, in the order composed, and shown once, in order.
 */
function exchange(seed: number, leases: boolean): { readonly bench: Bench; readonly composed: readonly string[]; readonly breaks: number } {
  const random = seeded(seed);
  const box = new Box();
  box.leases = leases;
  box.declines = () => random() < 0.1;
  const bench = new Bench(box, random);
  const composed: string[] = [];
  let [said, breaks] = [0, 0];
  bench.start();
  while (composed.length + said < 200) {
    const chance = random();
    if (chance < 0.1 && bench.snapshot.stage === 'open' && bench.snapshot.inbox.length > 0) {
      bench.now = { ...bench.now, wall: bench.now.wall + 1 };
      const text = `Ana ${composed.length}`;
      bench.command('send', hex(WARD), text, 'routine', 0);
      composed.push(text);
      // On the disk before anything else, so that it is promised.
      while (bench.pending.length > 0 || bench.sealing.length > 0) bench.step();
    } else if (chance < 0.2) {
      box.say(`Ben ${said}`);
      said += 1;
    } else if (chance < 0.24) {
      bench.drop();
      breaks += 1;
    } else if (chance < 0.25) {
      bench.restart();
      breaks += 1;
    } else if (chance < 0.255) {
      if (box.current?.state === 'open') box.current.lock();
    } else if (bench.snapshot.stage === 'locked' && chance < 0.5) {
      bench.command('unlock', PIN);
    } else if (!bench.step()) {
      bench.wait(random() * 400);
    }
  }
  for (let minutes = 0; minutes < 2; minutes += 1) {
    bench.pass(30_000);
    if (bench.snapshot.stage === 'locked') bench.command('unlock', PIN);
  }
  bench.pass(30_000);
  return { bench, composed, breaks };
}

describe('200 messages over a network that breaks', () => {
  const seeds = [...Array.from({ length: 30 }, (_, seed) => seed + 1), 155, 257, 274, 350];
  it.each(seeds.flatMap((seed) => [[seed, false], [seed, true]] as const))('are said and shown once, in order (seed %i, sealed at composing: %s)', (seed, leases) => {
    const { bench, composed, breaks } = exchange(seed, leases);
    const { box } = bench;
    expect(breaks).toBeGreaterThan(20);
    expect(box.log.filter((one) => one.sender === ANA).map((one) => one.text)).toEqual(composed);
    expect(bench.disk.waiting.size).toBe(0);
    expect(bench.snapshot).toMatchObject({ stage: 'open', caughtUp: true, refusal: null, waiting: 0 });
    bench.command('openConversation', hex(WARD));
    for (let pages = 0; pages < 10 && bench.snapshot.conversation?.older === 'some'; pages += 1) {
      bench.command('loadOlder');
      bench.settle();
    }
    const shown = bench.snapshot.conversation;
    expect(shown?.older).toBe('none');
    expect(shown?.messages.map((one) => one.text)).toEqual(box.log.map((one) => one.text));
    expect(shown?.messages.map((one) => one.sequence)).toEqual(box.log.map((one) => Number(one.sequence)));
    expect(new Set(shown?.messages.map((one) => one.key)).size).toBe(box.log.length);
  });

  it('are shown at each moment in order, none twice', () => {
    const random = seeded(99);
    const box = new Box();
    const bench = new Bench(box, random);
    bench.start();
    bench.settle();
    bench.command('openConversation', hex(WARD));
    for (let steps = 0; steps < 3_000; steps += 1) {
      const chance = random();
      if (chance < 0.05 && bench.snapshot.stage === 'open') bench.command('send', hex(WARD), `Ana ${steps}`, 'routine', 0);
      else if (chance < 0.1) box.say(`Ben ${steps}`);
      else if (chance < 0.13) bench.drop();
      else if (!bench.step()) bench.wait(100);
      const shown = bench.snapshot.conversation?.messages ?? [];
      const sequences = shown.map((one) => one.sequence).filter((sequence) => sequence > 0);
      expect(sequences).toEqual([...sequences].sort((one, other) => one - other));
      expect(new Set(shown.map((one) => one.key)).size).toBe(shown.length);
      expect(new Set(shown.map((one) => one.text)).size).toBe(shown.length);
    }
  });
});
