import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ChannelPageSchema, DoneSchema, OpenedSchema } from '../../gen/wardline_pb.js';
import type { Ask, Told } from '../frames.ts';
import { parseId, type UnitId } from '../ids.ts';
import type { Reply } from '../snapshot.ts';
import { Declines } from './asking.ts';
import { listAllChannels, openChannel } from './channels.ts';

const UNIT = parseId<UnitId>('00000000000000a1');

function box(reply: Reply) {
  const asked: Ask[] = [];
  return { asked, asks: (body: Ask) => (asked.push(body), Promise.resolve(reply)) };
}
const told = (body: Told): Reply => ({ reply: 'answer', request: 1, body });

describe('channels of all units', () => {
  it('are asked for by unit, behind the last one', async () => {
    const channel = { conversation: 0x601n, unit: 0xa1n, title: 'Night\nshift', members: 3 };
    const { asked, asks } = box(told({ case: 'channelPage', value: create(ChannelPageSchema, { channels: [channel] }) }));
    const first = await listAllChannels(asks, UNIT, null);
    expect(first.end).toBe(false);
    expect(first.channels[0]).toMatchObject({ title: 'Night shift', members: 3, mine: false, archived: false });
    await listAllChannels(asks, null, first.channels[0] ?? null);
    expect(asked.map((one) => one.value)).toEqual([
      { unit: 0xa1n, after: 0n },
      { unit: 0n, after: 0x601n },
    ]);
  });
  it('end with a page that has none, whatever it says', async () => {
    const { asks } = box(told({ case: 'channelPage', value: create(ChannelPageSchema) }));
    expect((await listAllChannels(asks, null, null)).end).toBe(true);
  });
});

describe('a channel that is opened', () => {
  it('is there, whether whoever opened it is in it or not', async () => {
    if (UNIT === null) throw new Error('no unit');
    for (const answer of [told({ case: 'done', value: create(DoneSchema) }), told({ case: 'opened', value: create(OpenedSchema) })]) {
      await expect(openChannel(box(answer).asks, UNIT, 'Night shift')).resolves.toBeUndefined();
    }
    const refused = box({ reply: 'refused', refusal: { code: 'LIMIT', advice: '' } });
    await expect(openChannel(refused.asks, UNIT, 'One more')).rejects.toThrow(Declines);
  });
});
