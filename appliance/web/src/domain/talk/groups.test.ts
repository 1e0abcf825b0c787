import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { ChannelPageSchema, ConversationKind } from '../../gen/wardline_pb.js';
import { ANA, BEN, Box } from '../testing/box.ts';
import { Bench, hex } from '../testing/bench.ts';
import { addAsk, archiveAsk, channelsAsk, joinAsk, openedBy, openGroupAsk, parseTitle, readChannels, removeAsk, renameAsk } from './groups.ts';

const ROOM = hex(0x99n);

describe('what is typed', () => {
  it('is a title of one line, without blanks around it', () => {
    expect(parseTitle('  Family\nmeeting \u202e')).toEqual({ title: 'Family meeting' });
    expect(parseTitle(' \n ')).toMatchObject({ fault: { code: 'TITLE_EMPTY' } });
    expect(parseTitle('ä'.repeat(40))).toHaveProperty('title');
    expect(parseTitle('ä'.repeat(40) + 'x')).toMatchObject({ fault: { code: 'TOO_LARGE' } });
  });
});

describe('what is asked', () => {
  it('is a group of somebody', () => {
    expect(openGroupAsk('Round', [hex(ANA), hex(BEN)])).toEqual({ case: 'openGroup', value: { title: 'Round', people: [ANA, BEN] } });
    expect(openGroupAsk('Round', [])).toBeNull();
    expect(openGroupAsk('Round', ['nobody'])).toBeNull();
    expect(openGroupAsk('Round', Array.from({ length: 500 }, (_, at) => hex(BigInt(at + 1))))).toBeNull();
  });
  it('is a change of one', () => {
    expect(addAsk(ROOM, [hex(BEN)])).toEqual({ case: 'changeMembers', value: { conversation: 0x99n, add: [BEN] } });
    expect(removeAsk(ROOM, [hex(BEN)])).toEqual({ case: 'changeMembers', value: { conversation: 0x99n, remove: [BEN] } });
    expect(renameAsk(ROOM, 'Round 2')).toEqual({ case: 'rename', value: { conversation: 0x99n, title: 'Round 2' } });
    expect(archiveAsk(ROOM, true)).toEqual({ case: 'archive', value: { conversation: 0x99n, archived: true } });
    expect(joinAsk(ROOM)).toEqual({ case: 'joinChannel', value: { conversation: 0x99n } });
  });
});

describe('channels', () => {
  const page = create(ChannelPageSchema, { channels: [{ conversation: 0x99n, unit: 1n, title: 'Hud\u202edle', members: 7, member: true }], end: false });

  it('come page by page', () => {
    const [channel] = readChannels(page);
    expect(channel).toEqual({ id: ROOM, unit: hex(1n), title: 'Huddle', members: 7, mine: true, archived: false });
    expect(channelsAsk(channel ?? null)).toEqual({ case: 'listChannels', value: { after: 0x99n } });
    expect(channelsAsk(null)).toEqual({ case: 'listChannels', value: { after: 0n } });
  });
  it('that are none are a fault of the box', () => {
    expect(() => readChannels(create(ChannelPageSchema, { channels: [{ conversation: 0n, unit: 1n }] }))).toThrow('an identifier');
  });
});

it('a conversation that an answer to a page names is there at once', () => {
  const box = new Box();
  const bench = new Bench(box);
  bench.start();
  bench.settle();
  const members = [ANA, BEN].map((person) => ({ person, delivered: 0n, read: 0n }));
  const conversation = { conversation: 0x99n, kind: ConversationKind.GROUP, title: 'Round', members, firstSequence: 1n };
  box.instead.set('openGroup', [{ case: 'opened', value: { conversation } }]);
  const ask = openGroupAsk('Round', [hex(BEN)]);
  if (ask === null) throw new Error('somebody is in it');
  bench.give({ input: 'ask', number: 1, body: ask });
  bench.settle();
  const reply = bench.effects.findLast((effect) => effect.effect === 'replied')?.reply;
  expect(openedBy(reply?.reply === 'answer' ? reply.body : null)).toBe(ROOM);
  bench.command('openConversation', ROOM);
  expect(bench.snapshot.conversation?.item.title).toBe('Round');
  expect(openedBy(null)).toBeNull();
});
