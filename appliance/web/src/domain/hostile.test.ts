import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { concat, fromHex, type Bytes } from './bytes.ts';
import { Bench, hex, need, seeded } from './testing/bench.ts';
import { Box, WARD } from './testing/box.ts';

const vectors = (
  JSON.parse(readFileSync(new URL('../../../core/vectors/frames.json', import.meta.url), 'utf8')) as readonly { name: string; hex: string }[]
).filter((vector) => !vector.name.startsWith('ClientFrame.'));

function framed(bytes: Uint8Array): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat([length, bytes]);
}

function open(seed: number): Bench {
  const bench = new Bench(new Box(), seeded(seed));
  bench.start();
  bench.settle();
  bench.command('openConversation', hex(WARD));
  bench.settle();
  return bench;
}

describe('a phone takes whatever a box may say', () => {
  it.each(vectors)('$name, open and locked', ({ hex: said }) => {
    for (const isLocked of [false, true]) {
      const bench = open(1);
      if (isLocked) need(bench.box.current).lock();
      bench.settle();
      const wire = bench.wire;
      if (wire === null) throw new Error('no connection');
      bench.give({ input: 'bytes', line: wire.line, bytes: framed(need(fromHex(said))) });
      bench.settle();
      // Whatever it was: nothing is thrown, nothing is shown that may not be, and it goes on, or it has ended for a reason.
      const { snapshot } = bench;
      if (snapshot.stage !== 'open') expect(snapshot).toMatchObject({ me: null, inbox: [], conversation: null, people: [] });
      bench.pass(20_000);
      expect(['open', 'locked', 'ended', 'joining']).toContain(bench.snapshot.stage);
    }
  });

  it('and bytes that are nothing, at any moment', () => {
    const random = seeded(7);
    for (let times = 0; times < 200; times += 1) {
      const bench = open(times);
      for (let steps = Math.floor(random() * 10); steps > 0; steps -= 1) bench.step();
      const vector = need(vectors[Math.floor(random() * vectors.length)]);
      const bytes = need(fromHex(vector.hex));
      for (let spoilt = 0; spoilt < 4; spoilt += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      if (bench.wire !== null) bench.give({ input: 'bytes', line: bench.wire.line, bytes: framed(bytes) });
      bench.box.say('still there');
      bench.pass(30_000);
      if (bench.snapshot.stage === 'locked') continue;
      expect(bench.snapshot.inbox.some((item) => item.lastText === 'still there') || bench.snapshot.stage !== 'open').toBe(true);
    }
  });
});
