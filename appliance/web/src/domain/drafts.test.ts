import { describe, expect, it } from 'vitest';

import { Drafts } from './drafts.ts';
import type { ConversationId } from './ids.ts';
import { Bench, hex } from './testing/bench.ts';
import { Box, PIN, WARD } from './testing/box.ts';

const TEXT = 'Mrs Alder would like';

function open(prepare: (box: Box) => void = () => undefined): Bench {
  const box = new Box();
  box.leases = true;
  prepare(box);
  const bench = new Bench(box);
  bench.start();
  bench.settle();
  return bench;
}

function typed(bench: Bench, text = TEXT): Bench {
  bench.command('openConversation', hex(WARD));
  bench.command('draft', text);
  bench.pass(1_500);
  return bench;
}

/** In the field when the conversation is opened. */
function found(bench: Bench): string | undefined {
  bench.command('openConversation', hex(WARD));
  return bench.snapshot.conversation?.draft;
}

const marked = (bench: Bench) => bench.snapshot.inbox.some((item) => item.drafted);

describe('what is not finished', () => {
  it('is there again when the app was killed, and marked in the inbox', () => {
    const bench = typed(open());
    bench.restart();
    bench.settle();
    expect(marked(bench)).toBe(true);
    expect(found(bench)).toBe(TEXT);
  });

  it('goes to the disk once a second, not with each letter', () => {
    const bench = open();
    bench.command('openConversation', hex(WARD));
    for (const letter of [1, 2, 3, 4]) {
      bench.command('draft', TEXT.slice(0, letter));
      bench.pass(100);
    }
    const kept = () => bench.effects.filter((effect) => effect.effect === 'keepDrafts').length;
    expect(kept()).toBe(0);
    bench.pass(1_000);
    expect(kept()).toBe(1);
  });

  it.each([
    ['the app is put away', (bench: Bench) => bench.give({ input: 'foreground', isVisible: false })],
    ['the page goes', (bench: Bench) => bench.give({ input: 'leaving' })],
    ['the app locks', (bench: Bench) => bench.command('lock')],
    ['another tab takes over', (bench: Bench) => bench.give({ input: 'superseded' })],
  ] as const)('goes at once when %s', (_, happens) => {
    const bench = open();
    bench.command('openConversation', hex(WARD));
    bench.command('draft', TEXT);
    happens(bench);
    bench.restart();
    bench.settle();
    if (bench.snapshot.stage === 'locked') bench.command('unlock', PIN);
    bench.settle();
    expect(found(bench)).toBe(TEXT);
  });

  it('is forgotten with what else is known after ten minutes without the box, and read again behind the PIN', () => {
    const bench = typed(open());
    bench.drop();
    bench.isReachable = false;
    bench.pass(601_000);
    expect(bench.snapshot).toMatchObject({ stage: 'locked', lapsed: true });
    bench.box.isPinWanted = true;
    bench.isReachable = true;
    bench.pass(60_000);
    bench.command('unlock', PIN);
    bench.settle();
    expect(found(bench)).toBe(TEXT);
  });

  it('is not in memory after those ten minutes', () => {
    const bench = typed(open());
    bench.drop();
    bench.isReachable = false;
    bench.pass(601_000);
    [bench.disk.drafts, bench.isReachable] = [null, true];
    bench.pass(60_000);
    bench.command('unlock', PIN);
    bench.settle();
    expect(bench.snapshot.stage).toBe('open');
    expect(found(bench)).toBe('');
  });

  it('is not replaced by what the disk had, where it was typed before that was read', () => {
    const drafts = new Drafts();
    const [here, elsewhere] = [1n, 2n].map((id) => hex(id) as ConversationId) as [ConversationId, ConversationId];
    drafts.set(here, 'newer', 0);
    expect(drafts.open(new Uint8Array(32))).toBe(true);
    expect(drafts.take(5_000, true)).toBe(null);
    drafts.restored([[here, 'older'], [elsewhere, 'other']]);
    expect([drafts.of(here), drafts.of(elsewhere)]).toEqual(['newer', 'other']);
    expect(drafts.take(5_000, true)?.drafts).toEqual([[elsewhere, 'other'], [here, 'newer']]);
  });

  it('is nowhere any more once it was sent', () => {
    const bench = typed(open());
    bench.command('send', hex(WARD), TEXT, 'routine', 0);
    bench.pass(1_500);
    expect(bench.disk.drafts?.drafts).toEqual([]);
    bench.restart();
    bench.settle();
    expect(found(bench)).toBe('');
    expect(marked(bench)).toBe(false);
  });

  it('is not read under the key of another device', () => {
    const bench = typed(open());
    bench.box.draftsKey = new Uint8Array(32).fill(8);
    bench.restart();
    bench.settle();
    expect(found(bench)).toBe('');
  });

  it('stays in memory where the box gives no key', () => {
    const bench = typed(open((box) => (box.leases = false)));
    expect(found(bench)).toBe(TEXT);
    expect(bench.effects.some((effect) => effect.effect === 'keepDrafts')).toBe(false);
  });
});
