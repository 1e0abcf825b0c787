import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';

import { BroadcastListSchema, BroadcastReceiptsSchema, ConversationKind } from '../../gen/wardline_pb.js';
import { ANA, Box } from '../testing/box.ts';
import { Bench, hex } from '../testing/bench.ts';
import { openBroadcastAsk, readBroadcasts, readByAsk, readReadBy } from './broadcasts.ts';

it("announcements are a unit's, or the facility's, and there may be none yet", () => {
  const broadcasts = [
    { unit: 1n, conversation: 0x99n, announces: true, readers: 14 },
    { unit: 0n, conversation: 0n, announces: false, readers: 40 },
  ];
  expect(readBroadcasts({ case: 'broadcastList', value: create(BroadcastListSchema, { broadcasts }) })).toEqual([
    { unit: hex(1n), conversation: hex(0x99n), announces: true, readers: 14 },
    { unit: null, conversation: null, announces: false, readers: 40 },
  ]);
  expect(readBroadcasts({ case: undefined })).toBeNull();
  expect(openBroadcastAsk(null)).toEqual({ case: 'openBroadcast', value: { unit: 0n } });
});

it('how many have read one is asked about its message', () => {
  expect(readByAsk(hex(0x99n), 3)).toEqual({ case: 'lookAtBroadcast', value: { conversation: 0x99n, sequence: 3n } });
  expect(readReadBy({ case: 'broadcastReceipts', value: create(BroadcastReceiptsSchema, { readers: 14, delivered: 9, read: 4 }) })).toEqual({ readers: 14, delivered: 9, read: 4 });
});

it('whoever opened the announcements of the facility may write there', () => {
  const box = new Box();
  const bench = new Bench(box);
  bench.start();
  bench.settle();
  const conversation = { conversation: 0x99n, kind: ConversationKind.BROADCAST, members: [{ person: ANA, delivered: 0n, read: 0n }], firstSequence: 1n };
  box.change({ case: 'conversation', value: conversation });
  bench.settle();
  bench.command('openConversation', hex(0x99n));
  expect(bench.snapshot.conversation?.writable).toBe(false);
  box.instead.set('openBroadcast', [{ case: 'opened', value: { conversation } }]);
  bench.give({ input: 'ask', number: 1, body: openBroadcastAsk(null) });
  bench.settle();
  expect(bench.snapshot.conversation?.writable).toBe(true);
});
