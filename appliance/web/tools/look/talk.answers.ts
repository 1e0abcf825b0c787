import { create } from '@bufbuild/protobuf';
import type { Ask, Told } from '../../src/domain/frames.ts';
import type { Reply } from '../../src/domain/snapshot.ts';
import { ChannelPageSchema } from '../../src/gen/wardline_pb.js';

/** Answers of a made-up box to what is asked in a conversation. */

const channels = [
  { conversation: 0x302n, unit: 0xa1n, title: '4 West nights', members: 14, member: true },
  { conversation: 0x321n, unit: 0xa1n, title: 'Wound care \u202egnp', members: 6, member: false },
  { conversation: 0x322n, unit: 0xa1n, title: 'Move to the new building ' + 'x'.repeat(50), members: 1, member: false, archived: true },
];

/** What the made-up box answers. */
export function talkAnswers(body: Ask): Reply | null {
  switch (body.case) {
    case 'editMessage':
      return { reply: 'refused', refusal: { code: 'EDIT_TOO_LATE', advice: '' } };
    case 'openGroup':
      return { reply: 'refused', refusal: { code: 'NOBODY_CHOSEN', advice: '' } };
    case 'rename':
      return { reply: 'refused', refusal: { code: 'NOT_PERMITTED', advice: '' } };
    case 'listChannels':
      return answer({ case: 'channelPage', value: create(ChannelPageSchema, { channels, end: true }) });
    default:
      return null;
  }
}

function answer(body: Told): Reply {
  return { reply: 'answer', request: 0, body };
}
