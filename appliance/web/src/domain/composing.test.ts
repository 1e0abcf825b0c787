import { describe, expect, it } from 'vitest';

import { RefusalCode } from '../gen/wardline_pb.js';
import { Bench, hex } from './testing/bench.ts';
import { Box, PIN, refused, WARD } from './testing/box.ts';

/** How often the box was asked. */
function heard(bench: Bench, what: string): number {
  return bench.box.heard.filter((body) => body.case === what).length;
}

describe('what was composed before a lock', () => {
  const offline = (): Bench => {
    const box = new Box();
    box.leases = true;
    const bench = new Bench(box);
    bench.start();
    bench.settle();
    bench.drop();
    bench.isReachable = false;
    bench.command('openConversation', hex(WARD));
    bench.command('send', hex(WARD), 'written offline', 'routine', 0);
    bench.settle();
    return bench;
  };

  it('is on the disk as the box alone reads it, and leaves without the PIN, once', () => {
    const bench = offline();
    expect([...bench.disk.waiting.values()]).toMatchObject([{ text: '', number: 1n, sealed: { lease: 1n, number: 1n } }]);
    bench.restart();
    expect(bench.snapshot).toMatchObject({ waiting: 1, staying: 0 });
    bench.box.isPinWanted = true;
    bench.isReachable = true;
    bench.pass(60_000);
    expect(bench.box.log.map((one) => one.text)).toEqual(['written offline']);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', waiting: 0, me: null });
    expect(heard(bench, 'unlock')).toBe(0);
    bench.command('unlock', PIN);
    bench.settle();
    bench.command('openConversation', hex(WARD));
    expect(bench.snapshot.conversation?.messages.map((one) => one.text)).toEqual(['written offline']);
  });

  it('waits for its author where it is too old, holds back what follows, and is shown once it left', () => {
    const bench = offline();
    bench.command('send', hex(WARD), 'its correction', 'routine', 0);
    bench.settle();
    bench.restart();
    bench.box.isPinWanted = true;
    bench.box.lease = { number: 1n, oldest: 2n };
    bench.isReachable = true;
    bench.pass(60_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', waiting: 2, staying: 2 });
    expect(heard(bench, 'submitSealed')).toBe(1);
    bench.command('unlock', PIN);
    bench.settle();
    bench.command('openConversation', hex(WARD));
    bench.pass(5_000);
    expect(bench.snapshot.conversation?.messages.map((one) => one.text)).toEqual(['written offline', 'its correction']);
    expect(bench.snapshot).toMatchObject({ waiting: 0, caughtUp: true });
  });

  it('goes again as it was after a cut, and is taken once', () => {
    const bench = offline();
    bench.restart();
    bench.box.isPinWanted = true;
    bench.isReachable = true;
    for (let at = 0; at < 200 && heard(bench, 'submitSealed') === 0; at += 1) if (!bench.step()) bench.wait(200);
    bench.drop();
    bench.pass(60_000);
    expect(heard(bench, 'submitSealed')).toBe(2);
    expect(bench.box.log.map((one) => one.text)).toEqual(['written offline']);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', waiting: 0 });
  });

  it('is kept with the reason where it is refused for good, and its author reads why', () => {
    const bench = offline();
    bench.restart();
    bench.box.isPinWanted = true;
    bench.box.instead.set('submitSealed', [refused(RefusalCode.ARCHIVED)]);
    bench.isReachable = true;
    bench.pass(60_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', waiting: 0 });
    bench.command('unlock', PIN);
    bench.settle();
    bench.command('openConversation', hex(WARD));
    expect(bench.snapshot.conversation?.messages).toMatchObject([{ fate: 'failed', text: '', sealed: true, refusal: { code: 'ARCHIVED' } }]);
  });

  it('lets a STAT leave first', () => {
    const bench = offline();
    bench.command('send', hex(WARD), 'come', 'stat', 0);
    bench.settle();
    bench.command('lock');
    bench.box.isPinWanted = true;
    bench.isReachable = true;
    bench.pass(30_000);
    expect(bench.box.log.map((one) => one.text)).toEqual(['come', 'written offline']);
  });
});
