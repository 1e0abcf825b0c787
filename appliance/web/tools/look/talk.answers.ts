import { create } from '@bufbuild/protobuf';
import type { Ask, Told } from '../../src/domain/frames.ts';
import type { Reply } from '../../src/domain/snapshot.ts';
import { NOW } from '../../src/view/fixtures.ts';
import { AvailabilityPageSchema, BroadcastListSchema, BroadcastReceiptsSchema, ChannelPageSchema, DoneSchema, HistoryPageSchema, OrderPoliciesSchema, Priority, Reach, RoleInboxShownSchema, TemplateSetSchema } from '../../src/gen/wardline_pb.js';

/** Answers of a made-up box to what is asked in a conversation. */

const channels = [
  { conversation: 0x302n, unit: 0xa1n, title: '4 West nights', members: 14, member: true },
  { conversation: 0x321n, unit: 0xa1n, title: 'Wound care \u202egnp', members: 6, member: false },
  { conversation: 0x322n, unit: 0xa1n, title: 'Move to the new building ' + 'x'.repeat(50), members: 1, member: false, archived: true },
];

const person = (id: number): bigint => BigInt(`0x00000000000001${String(id).padStart(2, '0')}`);
const replies = ['On my way', 'Seen, thank you', 'In isolation, ten minutes. Call me on the desk phone if it cannot wait that long.'];
const templates = [{ name: 'Fall report', fields: [{ name: 'Bed' }, { name: 'What happened', hint: 'as the patient tells it' }, { name: 'Injuries', hint: 'where, and how bad', optional: true }] }];

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
    case 'lookAtRoleInbox': {
      const isHeld = body.value.role === 0x404n;
      const holders = isHeld ? [{ person: person(5), reach: Reach.APP_OPEN }, { person: person(3), reach: Reach.BELL_ONLY }] : [];
      const cover = isHeld ? [] : [{ person: person(1), reach: Reach.APP_OPEN }, { person: person(4), reach: Reach.UNREACHABLE }];
      const value = create(RoleInboxShownSchema, { role: body.value.role ?? 0n, unit: 0xa1n, holders, cover, next: isHeld ? 0n : BigInt(NOW + 4 * 3_600_000), conversation: isHeld ? 0x306n : 0n });
      return answer({ case: 'roleInboxShown', value: { ...value, conversation: 0x306n } });
    }
    case 'listOrderPolicies':
      return answer({ case: 'orderPolicies', value: create(OrderPoliciesSchema, { policies: [{ unit: 0n, roles: [0x401n] }] }) });
    case 'listBroadcasts':
      return answer({ case: 'broadcastList', value: create(BroadcastListSchema, { broadcasts: [{ unit: 0xa1n, conversation: 0x307n, announces: true, readers: 14 }, { unit: 0n, conversation: 0n, announces: false, readers: 240 }] }) });
    case 'lookAtBroadcast':
      return answer({ case: 'broadcastReceipts', value: create(BroadcastReceiptsSchema, { readers: 14, delivered: 9, read: 4 }) });
    case 'readStat':
      return answer({ case: 'historyPage', value: create(HistoryPageSchema, { messages: [{ conversation: 0x399n, sequence: body.value.sequence ?? 0n, message: new Uint8Array(16), sender: person(2), at: BigInt(NOW - 60_000), text: 'Bed 412-B does not breathe. Bring the suction.', priority: Priority.STAT }] }) });
    case 'listTemplates':
      return answer({ case: 'templateSet', value: create(TemplateSetSchema, body.value.unit === 0n ? {} : { unit: 0xa1n, replies, templates }) });
    case 'askAvailability':
      return answer({
        case: 'availabilityPage',
        value: create(AvailabilityPageSchema, {
          people: [{ person: body.value.people?.[0] ?? 0n, quiet: { zone: 'America/Argentina/ComodRivadavia', spans: [{ days: 127, from: 1_320, to: 360 }, { days: 0b1101011, from: 0, to: 510 }] }, number: '+49 171 5550123' }],
        }),
      });
    case 'setTemplates':
      return answer({ case: 'done', value: create(DoneSchema) });
    default:
      return null;
  }
}

function answer(body: Told): Reply {
  return { reply: 'answer', request: 0, body };
}
