import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { ConversationKind, EncounterState, EscalationState, EventSchema, ReactionKind, RingSchema, SilenceSchema } from '../gen/wardline_pb.js';
import { Book } from './book.ts';
import { idOf, type ConversationId, type MessageName, type PersonId, type RoleId, type Sequence, wireId } from './ids.ts';
import { mentionsIn } from './mentions.ts';
import { Drafts } from './drafts.ts';
import { Outbox } from './outbox.ts';
import { Rings } from './rings.ts';
import { Screen } from './screen.ts';
import type { InboxItem, MessageItem } from './snapshot.ts';

type Kind = NonNullable<MessageInitShape<typeof EventSchema>['kind']>;

const [ANA, BEN, CLEO] = [1n, 2n, 3n] as const;
const [DIRECT, GROUP, THREAD, FAMILY] = [0x71n, 0x72n, 0x73n, 0x74n] as const;

function person(wire: bigint): PersonId {
  const read = idOf<PersonId>(wire);
  if (read === null) throw new Error('nobody');
  return read;
}

const ME = person(ANA);

class Sight {
  readonly book = new Book();
  readonly outbox = new Outbox();
  readonly drafts = new Drafts();
  readonly rings = new Rings();
  readonly screen = new Screen(this.book, this.outbox, this.drafts, this.rings);

  constructor() {
    this.book.syncStarted(true);
    this.tell(
      { case: 'unit', value: { unit: 9n, name: '4 West' } },
      { case: 'person', value: { person: ANA, name: 'Ana', title: 'RN', posts: [{ unit: 9n, chargeNurse: true }] } },
      { case: 'person', value: { person: BEN, name: 'Ben Okoro', title: 'MD' } },
      { case: 'person', value: { person: CLEO, name: 'Cleo', title: 'RN' } },
      { case: 'person', value: { person: 4n, name: 'Screen', station: 9n } },
    );
    this.converse(DIRECT, ConversationKind.DIRECT, [ANA, BEN]);
    this.converse(GROUP, ConversationKind.GROUP, [ANA, BEN, CLEO], { title: 'Night shift' });
    const patient = { patient: 8n, particulars: { name: 'Doe', recordNumber: 'MRN-1', birthDate: '1947-03-09' } };
    const encounter = { unit: 9n, bed: '12', state: EncounterState.ON_LEAVE, muted: true };
    this.converse(THREAD, ConversationKind.PATIENT, [ANA, BEN], { patient, encounter });
    const family = { patientThread: THREAD, people: [{ person: 20n, name: 'Dora', title: 'daughter', visitor: true }] };
    this.converse(FAMILY, ConversationKind.FAMILY, [ANA, 20n], { family });
    this.book.synced(new Uint8Array(16));
  }

  tell(...kinds: Kind[]): void {
    for (const kind of kinds) this.book.apply(new Uint8Array(0), create(EventSchema, { kind }));
  }

  converse(conversation: bigint, kind: ConversationKind, people: bigint[], more: object = {}): void {
    const members = people.map((one) => ({ person: one, delivered: 0n, read: 0n }));
    this.tell({ case: 'conversation', value: { conversation, kind, members, firstSequence: 1n, ...more } });
  }

  say(conversation: bigint, sequence: number, sender: bigint, more: object = {}): void {
    const message = new Uint8Array(16).fill(sequence);
    const value = { conversation, sequence: BigInt(sequence), message, sender, at: BigInt(sequence), text: `number ${sequence}` };
    this.tell({ case: 'message', value: { ...value, ...more } });
  }

  stat(state: EscalationState, more: object = {}): void {
    this.tell({ case: 'escalation', value: { conversation: GROUP, sequence: 1n, state, since: 1_000n, called: [{ person: ANA }, { person: CLEO }], ...more } });
  }

  ring(state = EscalationState.RINGING): void {
    this.rings.ring(create(RingSchema, { conversation: GROUP, sequence: 1n, state, unit: 9n, senderTitle: 'MD', opened: 5n }));
  }

  get inbox(): readonly InboxItem[] {
    return this.screen.inbox(ME);
  }

  item(conversation: bigint): InboxItem {
    const found = this.inbox.find((one) => one.id === idOf(conversation));
    if (found === undefined) throw new Error('not in the inbox');
    return found;
  }

  messages(conversation: bigint): readonly MessageItem[] {
    const found = this.book.conversations.get(idOf(conversation) ?? ('' as ConversationId));
    if (found === undefined) throw new Error('no conversation');
    return this.screen.conversation(found, ME, '', null).messages;
  }
}

describe('what did not change', () => {
  it('is the same inbox and the same messages, so that a view has nothing to draw', () => {
    const sight = new Sight();
    sight.say(GROUP, 1, BEN);
    sight.say(GROUP, 2, ANA);
    sight.say(GROUP, 3, BEN, { replyTo: 1n });
    const [inbox, messages] = [sight.inbox, sight.messages(GROUP)];
    expect(sight.inbox).toBe(inbox);
    sight.say(GROUP, 4, BEN);
    expect(sight.inbox).not.toBe(inbox);
    expect(sight.messages(GROUP).slice(0, 3).map((one, at) => one === messages[at])).toEqual([true, true, true]);
  });

  it('is drawn anew where a reaction, a mark, a quoted message, a STAT or a name came to it', () => {
    const sight = new Sight();
    sight.say(GROUP, 1, BEN);
    sight.say(GROUP, 2, ANA);
    sight.say(GROUP, 3, BEN, { replyTo: 1n });
    const last = (sequence: number) => sight.messages(GROUP).find((one) => one.sequence === sequence);
    sight.tell({ case: 'reactions', value: { conversation: GROUP, sequence: 1n, reactions: [{ kind: ReactionKind.AGREE, people: [CLEO] }] } });
    expect(last(1)?.reactions).toHaveLength(1);
    expect(last(2)?.fate).toBe('sent');
    for (const one of [BEN, CLEO]) sight.tell({ case: 'watermark', value: { conversation: GROUP, person: one, delivered: 2n, read: 2n } });
    expect(last(2)?.fate).toBe('read');
    const edited = { conversation: GROUP, sequence: 1n, message: new Uint8Array(16).fill(1), sender: BEN, at: 1n, text: 'corrected', edits: 1 };
    sight.tell({ case: 'messageChanged', value: edited });
    expect(last(3)?.replyTo?.text).toBe('corrected');
    sight.stat(EscalationState.RINGING);
    expect(last(1)?.stat?.state).toBe('open');
    sight.stat(EscalationState.CLOSED);
    expect(last(1)?.stat?.state).toBe('closed');
    sight.tell({ case: 'person', value: { person: BEN, name: 'Ben Other', title: 'MD' } });
    expect(last(3)?.author).toBe('Ben Other');
  });

  it("of a family's thread follows the patient's", () => {
    const sight = new Sight();
    const { inbox } = sight;
    expect(sight.inbox).toBe(inbox);
    sight.tell({ case: 'conversationChanged', value: { conversation: THREAD, encounter: { unit: 9n, bed: '14' } } });
    expect(sight.item(FAMILY).patient?.bed).toBe('14');
  });
});

describe('the inbox', () => {
  it('has what rings first, then mentions, then patients, then the rest, newest first', () => {
    const sight = new Sight();
    sight.say(DIRECT, 3, BEN);
    sight.say(THREAD, 2, BEN);
    sight.say(GROUP, 1, BEN);
    const order = (): string[] => sight.inbox.map((item) => `${item.section} ${item.title}`);
    expect(order()).toEqual(['patients Doe', 'rest Ben Okoro', 'rest Night shift', 'rest Doe']);
    sight.say(DIRECT, 4, BEN, { mentions: [{ person: ANA }] });
    expect(order().slice(0, 2)).toEqual(['mentions Ben Okoro', 'patients Doe']);
    sight.stat(EscalationState.RINGING);
    expect(order()[0]).toBe('mentions Ben Okoro');
    sight.ring();
    expect(order().slice(0, 3)).toEqual(['stat Night shift', 'mentions Ben Okoro', 'patients Doe']);
  });

  it('calls each by what it is', () => {
    const sight = new Sight();
    expect(sight.item(DIRECT)).toMatchObject({ kind: 'direct', title: 'Ben Okoro', subtitle: 'MD', patient: null });
    expect(sight.item(THREAD)).toMatchObject({
      kind: 'patient',
      title: 'Doe',
      subtitle: '4 West · 12',
      patient: { name: 'Doe', bed: '12', unit: '4 West', recordNumber: 'MRN-1', bornOn: '1947-03-09', flags: ['onLeave', 'muted'] },
    });
    expect(sight.item(FAMILY)).toMatchObject({ kind: 'family', title: 'Doe' });
    sight.converse(THREAD, ConversationKind.PATIENT, [ANA], { patient: { patient: 8n, alias: 'Heron' }, encounter: { unit: 9n, bed: '12' } });
    expect(sight.item(THREAD)).toMatchObject({ title: 'Heron', patient: { name: 'Heron', recordNumber: '', flags: ['restricted'] } });
    expect(sight.item(FAMILY).title).toBe('Heron');
  });

  it('counts what is unread, and not what one wrote', () => {
    const sight = new Sight();
    sight.say(GROUP, 1, BEN);
    sight.say(GROUP, 2, ANA);
    sight.say(GROUP, 3, CLEO);
    expect(sight.item(GROUP)).toMatchObject({ unread: 2, lastText: 'number 3', lastAuthor: 'Cleo', lastAt: 3 });
    sight.tell({ case: 'watermark', value: { conversation: GROUP, person: ANA, delivered: 3n, read: 1n } });
    expect(sight.item(GROUP).unread).toBe(1);
    sight.converse(GROUP, ConversationKind.GROUP, [ANA, BEN], { title: 'Night shift', lastSequence: 40n, firstSequence: 31n });
    expect(sight.item(GROUP).unread).toBe(10);
  });

  it('is made anew only where something changed', () => {
    const sight = new Sight();
    const [before, other] = [sight.item(GROUP), sight.item(DIRECT)];
    expect(sight.item(GROUP)).toBe(before);
    sight.say(GROUP, 1, BEN);
    expect(sight.item(GROUP)).not.toBe(before);
    expect(sight.item(DIRECT)).toBe(other);
  });
});

describe('messages', () => {
  it("of one's own say how far they came: to everybody who may sign in", () => {
    const sight = new Sight();
    sight.say(GROUP, 1, ANA);
    const fate = (): unknown => sight.messages(GROUP)[0]?.fate;
    const mark = (who: bigint, delivered: bigint, read: bigint): void => sight.tell({ case: 'watermark', value: { conversation: GROUP, person: who, delivered, read } });
    expect(fate()).toBe('sent');
    mark(BEN, 1n, 1n);
    expect(fate()).toBe('sent');
    mark(CLEO, 1n, 0n);
    expect(fate()).toBe('delivered');
    mark(CLEO, 1n, 1n);
    expect(fate()).toBe('read');
    sight.say(GROUP, 2, ANA);
    mark(BEN, 2n, 2n);
    sight.tell({ case: 'person', value: { person: CLEO, name: 'Cleo', suspended: true } });
    expect(sight.messages(GROUP)[1]?.fate).toBe('read');
    sight.say(GROUP, 3, BEN);
    expect(sight.messages(GROUP)[2]?.fate).toBeNull();
  });

  it('say whom they answer, who reacted, and whether they were edited or recalled', () => {
    const sight = new Sight();
    const reactions = [{ kind: ReactionKind.THANKS, people: [BEN, ANA] }, { kind: 99 as ReactionKind, people: [BEN] }, { kind: ReactionKind.DONE, people: [] }];
    sight.say(GROUP, 1, BEN, { edits: 1, reactions });
    sight.say(GROUP, 2, CLEO, { replyTo: 1n, mentions: [{ person: ANA }], attachments: [{ name: 'x.pdf', media: 5, length: 7n }] });
    sight.say(GROUP, 3, CLEO, { recalledAt: 9n, text: '', replyTo: 77n });
    expect(sight.messages(GROUP)).toMatchObject([
      { author: 'Ben Okoro', authorTitle: 'MD', edited: true, replyTo: null, reactions: [{ kind: 'thanks', people: ['Ben Okoro', 'Ana'], mine: true }] },
      { replyTo: { author: 'Ben Okoro', text: 'number 1' }, mentionsMe: true, attachments: [{ name: 'x.pdf', kind: 'pdf', size: 7 }] },
      { recalled: true, text: '', replyTo: { author: '', text: '' } },
    ]);
  });

  it('of family are by their names, though they are in no directory', () => {
    const sight = new Sight();
    sight.say(FAMILY, 1, 20n);
    expect(sight.messages(FAMILY)).toMatchObject([{ author: 'Dora', authorTitle: 'daughter' }]);
  });

  it('that wait stand last, those that failed with why', () => {
    const sight = new Sight();
    sight.say(DIRECT, 1, BEN);
    const draft = { conversation: idOf<ConversationId>(DIRECT) ?? ('' as ConversationId), text: 'a\u202eb', priority: 'stat', replyTo: 1 as Sequence, people: [], roles: [], files: [] } as const;
    sight.outbox.compose(draft, 'n' as MessageName, 0);
    expect(sight.messages(DIRECT)[1]).toMatchObject({ key: 'n', sequence: 0, mine: true, text: 'ab', fate: 'waiting', refusal: null });
    expect(sight.item(DIRECT).waiting).toBe(1);
    sight.outbox.giveUpLate(60_000);
    expect(sight.messages(DIRECT)[1]).toMatchObject({ fate: 'failed', refusal: { code: 'STAT_NOT_SENT' } });
    expect(sight.item(DIRECT).waiting).toBe(0);
  });
});

describe('a STAT', () => {
  function stat(sight: Sight): unknown {
    return sight.messages(GROUP)[0]?.stat;
  }

  it('that rings may be taken, come for, or declined by whom it calls', () => {
    const sight = new Sight();
    sight.say(GROUP, 1, BEN, { priority: 3 });
    sight.stat(EscalationState.RINGING);
    expect(stat(sight)).toMatchObject({ state: 'open', ringing: ['Ana', 'Cleo'], by: '', nextAt: null, mine: false, may: ['accept', 'coming', 'cannot'] });
    sight.ring();
    expect(stat(sight)).toMatchObject({ mine: true });
    sight.rings.coming(idOf<ConversationId>(GROUP) ?? ('' as ConversationId), 1 as Sequence);
    expect(stat(sight)).toMatchObject({ may: ['accept', 'cannot'] });
    sight.rings.clear();
    sight.stat(EscalationState.RINGING, { called: [{ person: CLEO }, { person: ANA, declined: 2 }] });
    expect(stat(sight)).toMatchObject({ ringing: ['Cleo'], may: ['accept', 'coming'] });
  });

  it('that is held is silent until somebody has it', () => {
    const sight = new Sight();
    sight.say(GROUP, 1, BEN, { priority: 3 });
    sight.stat(EscalationState.HELD, { by: CLEO });
    expect(stat(sight)).toMatchObject({ state: 'held', by: 'Cleo', nextAt: 61_000, may: ['accept', 'cannot'] });
    sight.stat(EscalationState.ACCEPTED, { by: CLEO });
    expect(stat(sight)).toMatchObject({ state: 'accepted', by: 'Cleo', ringing: [], may: [] });
    sight.stat(EscalationState.ACCEPTED, { by: ANA });
    expect(stat(sight)).toMatchObject({ by: 'Ana', may: ['handBack', 'close'] });
    sight.stat(EscalationState.ACCEPTED, { notedBy: ANA, note: { role: 'Physician on call' } });
    expect(stat(sight)).toMatchObject({ by: 'Physician on call', may: ['handBack', 'close'] });
    sight.stat(EscalationState.CLOSED);
    expect(stat(sight)).toMatchObject({ state: 'closed', may: [] });
    expect(sight.item(GROUP).stat).toBeNull();
  });

  it("of one's own may be closed", () => {
    const sight = new Sight();
    sight.say(GROUP, 1, ANA, { priority: 3 });
    sight.stat(EscalationState.RINGING);
    expect(stat(sight)).toMatchObject({ may: ['close'] });
    sight.stat(EscalationState.ACCEPTED, { by: CLEO });
    expect(stat(sight)).toMatchObject({ may: ['close'] });
  });

  it('of a conversation that is none of theirs is theirs once they have it, until it is over', () => {
    const sight = new Sight();
    const [place, ring] = [{ conversation: 0x399n, sequence: 4n }, { state: EscalationState.RINGING, unitName: 'Hall A', opened: 5n }];
    const silence = (by: PersonId | null) => sight.rings.silence(create(SilenceSchema, { ...place, by: wireId(by) }), ME);
    sight.rings.ring(create(RingSchema, { ...place, ...ring }));
    expect([sight.screen.ringing(), sight.screen.taken()]).toMatchObject([[{ unit: 'Hall A', outside: true }], []]);
    silence(ME);
    expect([sight.screen.ringing(), sight.screen.taken()]).toMatchObject([[], [{ unit: 'Hall A', outside: true }]]);
    silence(null);
    expect([sight.screen.ringing(), sight.screen.taken()]).toEqual([[], []]);
  });

  it('that one has rings no more', () => {
    const sight = new Sight();
    sight.ring(EscalationState.ACCEPTED);
    expect(sight.screen.ringing()).toEqual([]);
    sight.ring(EscalationState.HELD);
    expect(sight.screen.ringing()).toMatchObject([{ unit: '4 West', senderTitle: 'MD', held: true }]);
  });
});

it('people are everybody but screens, by name', () => {
  const sight = new Sight();
  expect(sight.screen.people().map((one) => one.name)).toEqual(['Ana', 'Ben Okoro', 'Cleo']);
  expect(sight.screen.people()[0]?.units).toEqual([{ id: '0000000000000009', name: '4 West', chargeNurse: true }]);
  expect(sight.screen.people()).toBe(sight.screen.people());
});

describe('a text names', () => {
  const nameable = {
    people: [
      { id: person(BEN), name: 'Ben Okoro' },
      { id: person(CLEO), name: 'Cleo Okoro' },
      { id: person(5n), name: 'Ben' },
    ],
    roles: [{ id: '00000000000000aa' as RoleId, name: 'Physician on call' }],
  };
  const named = (text: string): string[] => {
    const { people, roles } = mentionsIn(text, nameable);
    return [...people, ...roles].map((id) => id.replace(/^0+/, ''));
  };

  it('a whole name, the longest', () => {
    expect(named('@Ben Okoro look, and @ben')).toEqual(['2', '5']);
    expect(named('@Benny @BEN!')).toEqual(['5']);
    expect(named('@Physician on call?')).toEqual(['aa']);
  });

  it('a word that is one name alone', () => {
    expect(named('thanks @cleo, @physician')).toEqual(['3', 'aa']);
    expect(named('@Okoro')).toEqual([]);
    expect(named('a@cleo @nobody @')).toEqual([]);
  });
});
