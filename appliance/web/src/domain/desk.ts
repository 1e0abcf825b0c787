/**
 * What the person has before them once signed in: the book, what they write, answer and read. It asks the box through a
 * {@link Link} and hears answers; whether there is a session, and whether anything may be seen, is `phone.ts`'s.
 */

import { type Accepted, type Conversation as WireConversation, DeclineReason, type FamilyPage, type Prospect as WireProspect } from '../gen/wardline_pb.js';
import { Book } from './book.ts';
import type { Bytes } from './bytes.ts';
import type { Call, StatAnswer } from './calls.ts';
import { Care } from './care/care.ts';
import type { CareAct } from './care/contract.ts';
import { isUnread } from './composing.ts';
import type { Conversation } from './conversation.ts';
import type { Drafts } from './drafts.ts';
import type { Ask, Told } from './frames.ts';
import {
  type ConversationId,
  type DeviceId,
  type MessageName,
  momentOf,
  parseId,
  parseSequence,
  type PersonId,
  type RoleId,
  type Sequence,
  type StayId,
  wireId,
  wireSequence,
} from './ids.ts';
import type { KnownMessage } from './known.ts';
import { Copied } from './lead/copied.ts';
import { Gaps } from './lead/gaps.ts';
import { Offers } from './lead/offers.ts';
import { HISTORY_PAGE, ROLE_HOURS, ROLES_MAX } from './limits.ts';
import { mentionsIn } from './mentions.ts';
import { type KnownNotice, readNotices } from './notices.ts';
import type { Outbox, Waiting } from './outbox.ts';
import { answerBytes, type Hash, type Said, type Signature } from './proofs.ts';
import { prospectOf } from './prospect.ts';
import { Receipts } from './receipts.ts';
import { type OwnCode, ownRefusal } from './refusals.ts';
import { Rings } from './rings.ts';
import { type Around, REACTIONS, Screen } from './screen.ts';
import type { FileSent, Id, Priority, Prospect, Refusal, Reply } from './snapshot.ts';
import { type Hashed, Talk, type TalkLater } from './talk/talk.ts';
import { cleanText } from './texts.ts';
import { readId, readMessage, readName, readRole, readSequence } from './wire.ts';

/** Milliseconds: of a clock that only goes on, and since 1970 by the device's own. */
export interface Now {
  readonly steady: number;
  readonly wall: number;
}

/** The way to the box, as far as there is one. */
export interface Link {
  /** False: not now. */
  ask(call: Call, body: Ask): boolean;
  /** Not answered. */
  tell(body: Ask): void;
  /** By the device's key; {@link Desk.signed} has the rest. */
  sign(bytes: Bytes, answer: SignedLater | TalkLater, hashed?: Hashed | null): void;
  refuse(refusal: Refusal): void;
  /** What a page asked is answered. */
  reply(number: number, reply: Reply): void;
}

/** An answer to a STAT that waits for its signature. */
export interface SignedLater {
  readonly conversation: ConversationId;
  readonly sequence: Sequence;
  readonly answer: 'accept' | 'cannot';
  readonly reason: DeclineReason;
  readonly at: number;
}

const REASONS = new Map<string, DeclineReason>([
  ['busy', DeclineReason.BUSY],
  ['notMine', DeclineReason.NOT_MINE],
  ['offDuty', DeclineReason.OFF_DUTY],
  ['other', DeclineReason.OTHER],
]);

/** Messages around one that was looked for, and how far behind it they begin; of 8 KiB each they are 250 kB. */
const AROUND = 30;
const AROUND_AFTER = 16;

export class Desk {
  readonly book = new Book();
  readonly rings = new Rings();
  readonly receipts = new Receipts();
  readonly screen: Screen;
  readonly care: Care;
  readonly offers = new Offers();
  readonly gaps = new Gaps();
  readonly copied = new Copied();
  readonly talk: Talk;
  readonly #outbox: Outbox;
  readonly #link: Link;
  readonly #drafts: Drafts;
  #open: ConversationId | null = null;
  #me: PersonId | null = null;
  #roles: ReturnType<typeof readRole>[] = [];
  #around: Around | null = null;
  /** Something was accepted that cannot be shown: deliveries from here on have it. */
  #missing: Uint8Array | null = null;
  #prospect: { readonly of: ConversationId; readonly prospect: Prospect } | null = null;

  constructor(outbox: Outbox, drafts: Drafts, link: Link) {
    this.#outbox = outbox;
    this.#drafts = drafts;
    this.#link = link;
    this.screen = new Screen(this.book, outbox, drafts, this.rings);
    this.talk = new Talk(outbox, {
      ask: (call, body) => this.#asks(call, body),
      sign: (bytes, later, hashed) => link.sign(bytes, later, hashed),
      refuse: (refusal) => link.refuse(refusal),
    });
    this.care = new Care(this.book, this.screen, { ask: (call, body) => this.#asks(call, body) });
  }

  get open(): Conversation | null {
    return this.#open === null ? null : (this.book.conversations.get(this.#open) ?? null);
  }

  get draftOfOpen(): string {
    return this.#open === null ? '' : this.#drafts.of(this.#open);
  }

  /** Of the conversation that is open. */
  get prospect(): Prospect | null {
    return this.#prospect !== null && this.#prospect.of === this.#open ? this.#prospect.prospect : null;
  }

  /** The place that was asked for in the conversation that is open. */
  get around(): Around | null {
    return this.#around !== null && this.#around.of === this.#open ? this.#around : null;
  }

  signedIn(me: PersonId, now: Now): void {
    this.#me = me;
    this.care.signedIn();
    this.offers.forget();
    this.gaps.forget();
    this.receipts.reconnected(now.steady);
  }

  /** Everything but messages, once all was delivered: what the box may not know of this device. */
  caughtUp(now: Now): void {
    const me = this.#me;
    for (const conversation of me === null ? [] : this.book.conversations.values()) {
      const delivered = conversation.newest?.sequence;
      const known = me === null ? null : conversation.marks(me);
      if (delivered !== undefined && known !== null && delivered > known.delivered) this.#raise(conversation, { delivered }, now);
    }
  }

  delivered(message: KnownMessage, now: Now): void {
    const conversation = this.book.conversations.get(message.conversation);
    if (conversation !== undefined && message.sender !== this.#me) this.#raise(conversation, { delivered: message.sequence }, now);
  }

  /** The box has a message of this device. Throws a `WireFault`. */
  accepted(accepted: Accepted, now: Now): void {
    const [name, id, sequence] = [readName(accepted.message), readId<ConversationId>(accepted.conversation), readSequence(accepted.sequence)];
    const waiting = this.#outbox.accepted(name);
    const me = this.#me;
    if (waiting === null || me === null) return;
    // What it says only the box knows: it is delivered.
    if (isUnread(waiting)) {
      this.#missing ??= this.book.cursor;
      return;
    }
    this.book.accepted(accepted, messageOf(waiting, { id, sequence, at: momentOf(accepted.at), sender: me }));
    const conversation = this.book.conversations.get(id);
    const marks = conversation?.marks(me);
    // Who had seen everything before has seen their own as well.
    if (conversation !== undefined && marks?.read === sequence - 1) this.#raise(conversation, { delivered: sequence, read: sequence }, now);
  }

  /** From where on the box is to deliver once more; `null`: nothing is missing. */
  takeMissing(): Uint8Array | null {
    const missing = this.#missing;
    this.#missing = null;
    return missing;
  }

  /** What the box says unasked. Throws a `WireFault`. */
  told(body: Told): void {
    if (body.case === 'ring') this.rings.ring(body.value);
    else if (body.case === 'silence') this.rings.silence(body.value, this.#me);
    else if (body.case === 'urgentWaits') this.rings.urgent(body.value);
    else if (body.case === 'urgentOver') this.rings.urgentOver(body.value);
    else if (body.case === 'offerNews') this.offers.told(body.value);
    else if (body.case === 'deviceCopied') this.copied.told(body.value);
    else if (body.case === 'roleGapAhead') this.gaps.told(body.value);
    else this.care.told(body);
  }

  /** An answer. Throws a `WireFault`. */
  answered(call: Call, { request, body }: { readonly request: number; readonly body: Told }, now: Now): void {
    if (call.call === 'page') this.#pageAnswered(call, request, body);
    else if (call.call === 'history' && body.case === 'historyPage') this.book.history(body.value);
    else if (call.call === 'prospect' && body.case === 'prospect') this.#foresee(call.conversation, body.value, now);
    else if (call.call === 'open' && body.case === 'opened') this.#show(body.value.conversation);
    else if (call.call === 'roles' && body.case === 'rolePage') this.#rolePage(body.value.roles.map(readRole), body.value.end);
    else if (call.call === 'role') this.askRoles();
    else if (call.call === 'care') this.care.done(call);
    else if (call.call === 'look' && call.at === 'around' && body.case === 'historyPage') this.#apart(call, body.value.messages.map(readMessage), readNotices(body.value.notices));
    else if (call.call === 'look' && this.care.looked(call, body, now.wall)) return;
    else if (call.call === 'stat' && call.answer === 'coming') this.rings.coming(call.conversation, call.sequence);
    else this.unanswered(call);
  }

  /** No answer comes, or it was refused. */
  unanswered(call: Call): void {
    if (call.call === 'history') this.book.conversations.get(call.conversation)?.history('failed');
    if (call.call === 'roles') this.#roles = [];
    if (call.call === 'page') this.#link.reply(call.number, { reply: 'refused', refusal: ownRefusal('INTERRUPTED') });
    if (call.call === 'look' && call.at === 'around') this.#apart(call, []);
    else if (call.call === 'look') this.care.unlooked(call);
  }

  /** Receipts that are due; `leaving`: all that can go, since the app may be stopped behind this. */
  flushReceipts(now: Now, leaving = false): void {
    if (now.steady < this.receipts.nextAt() && !leaving) return;
    for (const [conversation, { delivered, read }] of this.receipts.flush(now.steady)) {
      const value = { conversation: wireId(conversation), delivered: wireSequence(delivered), read: wireSequence(read) };
      this.#link.tell({ case: 'receipt', value });
    }
  }

  openConversation(id: Id): void {
    this.#around = null;
    this.#open = parseId<ConversationId>(id);
    this.book.open(this.#open);
    // Whoever enters a channel is delivered nothing of what was said before.
    if (this.open?.older === 'some' && this.open.messages.length === 0) this.loadOlder();
    else this.#loadNotices();
  }

  /** Whoever is put out of the conversation before them has none before them: should they be let in again, it does not come up by itself. */
  closeWhatIsGone(): void {
    if (this.#open !== null && this.book.isCaughtUp && !this.book.conversations.has(this.#open)) this.closeConversation();
  }

  closeConversation(): void {
    this.#around = null;
    this.#open = null;
    this.book.open(null);
  }

  seen(sequence: number, now: Now): void {
    const { open } = this;
    const seen = parseSequence(sequence);
    if (open !== null && seen !== null && seen <= open.last) this.#raise(open, { read: seen }, now);
  }

  loadOlder(): void {
    const { open } = this;
    if (open === null || open.older !== 'some') return;
    const value = { conversation: wireId(open.id), before: wireSequence(open.oldest), limit: HISTORY_PAGE };
    if (this.#asks({ call: 'history', conversation: open.id }, { case: 'history', value })) open.history('loading');
  }

  /** Of those who came in, and behind a snapshot, older notices come with history, as older messages do. */
  #loadNotices(): void {
    const { open } = this;
    const behind = open?.takeMissingNotices() ?? null;
    if (open === null || behind === null) return;
    const value = { conversation: wireId(open.id), before: wireSequence(behind + 1), limit: HISTORY_PAGE };
    // Of messages nothing is missing: none is said to be loading.
    this.#asks({ call: 'history', conversation: open.id }, { case: 'history', value });
  }

  draft(text: string, now: Now): void {
    if (this.#open !== null) this.#drafts.set(this.#open, text, now.steady);
  }

  askProspect(): void {
    const { open } = this;
    if (open === null) return;
    this.#prospect = null;
    this.#asks({ call: 'prospect', conversation: open.id }, { case: 'askProspect', value: { conversation: wireId(open.id) } });
  }

  send(to: Id, text: string, priority: Priority, replyTo: number, files: readonly FileSent[], name: MessageName, now: Now): void {
    const conversation = this.book.conversations.get((parseId<ConversationId>(to) ?? '') as ConversationId);
    if (conversation === undefined) return this.#refuse('TEXT_EMPTY');
    const people = [...conversation.members.keys()].filter((id) => id !== this.#me);
    const named = people.map((id) => ({ id, name: this.book.nameOf(id, conversation) }));
    const held = (this.book.roles ?? []).filter((role) => role.holders.some((holder) => conversation.members.has(holder)));
    const draft = {
      conversation: conversation.id,
      text,
      priority,
      replyTo: parseSequence(replyTo) ?? (0 as Sequence),
      files,
      ...mentionsIn(text, { people: named, roles: held }),
    };
    const refusal = this.#outbox.compose(draft, name, now.wall);
    if (refusal !== null) return this.#link.refuse(refusal);
    this.#drafts.set(conversation.id, '', now.steady);
  }

  answerStat(to: Id, at: number, answer: StatAnswer, reason: string | undefined, by: { facility: Hash | null; device: DeviceId }, now: Now): void {
    const [conversation, sequence] = [parseId<ConversationId>(to), parseSequence(at)];
    if (conversation === null || sequence === null) return;
    const call: Call = { call: 'stat', conversation, sequence, answer };
    const place = { conversation: wireId(conversation), sequence: wireSequence(sequence) };
    switch (answer) {
      case 'coming':
      case 'close':
      case 'handBack':
        this.#asks(call, { case: 'answerStat', value: { ...place, answer: { case: answer, value: {} } } });
        return;
      case 'accept':
      case 'cannot': {
        const { facility, device } = by;
        if (facility === null) return this.#refuse('NO_FACILITY');
        const declines = REASONS.get(reason ?? '') ?? DeclineReason.OTHER;
        const said: Said = answer === 'accept' ? { say: 'accept' } : { say: 'decline', reason: declines };
        const bytes = answerBytes({ facility, device, conversation, sequence, at: now.wall, said });
        this.#link.sign(bytes, { conversation, sequence, answer, reason: declines, at: now.wall });
      }
    }
  }

  signed(later: SignedLater, signature: Signature): void {
    const { conversation, sequence, answer, reason, at } = later;
    const place = { conversation: wireId(conversation), sequence: wireSequence(sequence), at: BigInt(at), signature };
    const says: Ask =
      answer === 'accept'
        ? { case: 'answerStat', value: { ...place, answer: { case: 'accept', value: {} } } }
        : { case: 'answerStat', value: { ...place, answer: { case: 'decline', value: { reason } } } };
    this.#asks({ call: 'stat', conversation, sequence, answer }, says);
  }

  react(to: Id, at: number, kind: string, takenBack: boolean): void {
    const [conversation, sequence, reaction] = [parseId<ConversationId>(to), parseSequence(at), REACTIONS.get(kind)];
    if (conversation === null || sequence === null || reaction === undefined) return;
    const value = { conversation: wireId(conversation), sequence: wireSequence(sequence), reaction, takenBack };
    this.#asks({ call: 'react' }, { case: 'react', value });
  }

  writeTo(id: Id): void {
    const person = parseId<PersonId>(id);
    if (person === null) return;
    for (const conversation of this.book.conversations.values()) {
      if (conversation.known.kind === 'direct' && conversation.members.has(person) && person !== this.#me) return this.openConversation(conversation.id);
    }
    this.#asks({ call: 'open' }, { case: 'openDirect', value: { person: wireId(person) } });
  }

  writeToRole(id: Id): void {
    const role = parseId<RoleId>(id);
    if (role !== null) this.#asks({ call: 'open' }, { case: 'openRoleInbox', value: { role: wireId(role) } });
  }

  askRoles(): void {
    this.#roles = [];
    this.#asks({ call: 'roles' }, { case: 'listRoles', value: {} });
  }

  /** For one shift, by the box's clock. */
  takeRole(id: Id, boxWall: number): void {
    const role = parseId<RoleId>(id);
    if (role === null) return;
    const until = BigInt(Math.floor(boxWall) + ROLE_HOURS * 3_600_000);
    this.#asks({ call: 'role', role }, { case: 'takeRole', value: { role: wireId(role), until } });
  }

  returnRole(id: Id): void {
    const role = parseId<RoleId>(id);
    const place = this.book.roles?.find((one) => one.id === role)?.holders.indexOf((this.#me ?? '') as PersonId) ?? -1;
    if (role !== null && place >= 0) this.#asks({ call: 'role', role }, { case: 'returnRole', value: { role: wireId(role), place } });
  }

  /** What is asked for beside conversations; `boxWall`: the box's clock. */
  act(act: CareAct, boxWall: number): void {
    if (this.#me === null) return;
    if (act.act === 'openAt') this.#openAt(act.conversation, act.sequence);
    else if (act.act === 'leaveFound') this.#around = null;
    else this.care.act(act, this.#me, boxWall);
  }

  /** What is not among the messages without a gap is asked for, with four that came after it. */
  #openAt(id: Id, at: number): void {
    const [of, sequence] = [parseId<ConversationId>(id), parseSequence(at)];
    const conversation = of === null ? undefined : this.book.conversations.get(of);
    if (of === null || sequence === null || conversation === undefined) return;
    this.openConversation(of);
    const isHere = conversation.run.some((message) => message.sequence === sequence);
    const value = { conversation: wireId(of), before: wireSequence(sequence + AROUND_AFTER), limit: AROUND };
    const isAsked = !isHere && this.#asks({ call: 'look', at: 'around', conversation: of, sequence }, { case: 'history', value });
    this.#around = { of, found: { sequence, state: isHere ? 'here' : isAsked ? 'asking' : 'failed' }, messages: [] };
  }

  /** Newest first, as history comes. */
  #apart({ conversation, sequence }: { conversation: ConversationId; sequence: Sequence }, messages: readonly KnownMessage[], notices: readonly KnownNotice[] = []): void {
    if (this.around?.of !== conversation || this.#around?.found.sequence !== sequence) return;
    const known = this.book.conversations.get(conversation);
    known?.tell(notices);
    const readable = messages.filter((message) => message.conversation === conversation && message.sequence >= (known?.known.first ?? 0));
    const state = readable.some((message) => message.sequence === sequence) ? 'around' : 'failed';
    this.#around = { of: conversation, found: { sequence, state }, messages: state === 'around' ? readable.slice(0, AROUND).reverse() : [] };
  }

  /** What a page is answered is its own; but a conversation that it opened is everybody's. */
  #pageAnswered({ number, stay }: Extract<Call, { call: 'page' }>, request: number, body: Told): void {
    if (body.case === 'familyPage') this.#lookedWhoWaits(stay ?? null, body.value);
    const opened = body.case === 'opened' && body.value.conversation !== undefined ? this.book.learn(body.value.conversation) : null;
    // Announcements are opened to be written.
    if (opened?.known.kind === 'broadcast') this.screen.announces(opened.id);
    this.#link.reply(number, { reply: 'answer', request, body });
  }

  /** A page about a family says who waits, which no notice says of those who were turned away. */
  #lookedWhoWaits(stay: StayId | null, page: FamilyPage): void {
    const until = Math.max(0, ...page.requests.map((request) => momentOf(request.until)));
    for (const conversation of this.book.conversations.values()) {
      if (stay !== null && conversation.known.kind === 'patient' && conversation.known.stay?.id === stay) conversation.lookedWhoWaits(page.requests.length, until);
    }
  }

  #rolePage(roles: readonly ReturnType<typeof readRole>[], end: boolean): void {
    this.#roles.push(...roles);
    const last = this.#roles.at(-1);
    if (!end && last !== undefined && roles.length > 0 && this.#roles.length < ROLES_MAX) {
      this.#asks({ call: 'roles' }, { case: 'listRoles', value: { after: wireId(last.id) } });
      return;
    }
    this.book.roles = this.#roles;
    this.#roles = [];
  }

  #foresee(of: ConversationId, wire: WireProspect, now: Now): void {
    const conversation = this.book.conversations.get(of);
    if (conversation !== undefined) this.#prospect = { of, prospect: prospectOf(wire, this.book, conversation, now.wall) };
  }

  #show(wire: WireConversation | undefined): void {
    const conversation = wire === undefined ? null : this.book.learn(wire);
    if (conversation !== null) this.openConversation(conversation.id);
  }

  #raise(conversation: Conversation, marks: { delivered?: Sequence; read?: Sequence }, now: Now): void {
    this.receipts.raise(conversation.id, marks, now.steady);
    const read = marks.read ?? (0 as Sequence);
    if (this.#me !== null) this.book.raise(conversation.id, this.#me, { delivered: marks.delivered ?? read, read });
  }

  #asks(call: Call, body: Ask): boolean {
    const isAsked = this.#link.ask(call, body);
    if (!isAsked) this.#refuse('OFFLINE');
    return isAsked;
  }

  #refuse(code: OwnCode): void {
    this.#link.refuse(ownRefusal(code));
  }
}

function messageOf(waiting: Waiting, place: { id: ConversationId; sequence: Sequence; at: number; sender: PersonId }): KnownMessage {
  return {
    conversation: place.id,
    sequence: place.sequence,
    name: waiting.name,
    sender: place.sender,
    at: place.at,
    text: cleanText(waiting.text),
    priority: waiting.priority,
    replyTo: waiting.replyTo,
    edits: 0,
    recalled: false,
    mentions: waiting.people,
    reactions: [],
    attachments: [],
  };
}
