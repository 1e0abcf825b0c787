/**
 * Out of what is known, what the person sees: lines of the inbox in their order, messages, people. Values of the contract in
 * `snapshot.ts`; nothing is decided here but what is shown.
 */

import { EscalationState, ReactionKind } from '../gen/wardline_pb.js';
import type { Book } from './book.ts';
import type { Found } from './care/contract.ts';
import type { Conversation } from './conversation.ts';
import type { Drafts } from './drafts.ts';
import type { ConversationId, PersonId, Sequence, UnitId } from './ids.ts';
import type { KnownConversation, KnownMessage, KnownPerson, KnownStat, Marks } from './known.ts';
import { isUnread } from './composing.ts';
import type { KnownNotice } from './notices.ts';
import type { Outbox, Waiting } from './outbox.ts';
import type { Ring, Rings } from './rings.ts';
import type { InboxItem, MessageItem, NoticeItem, OpenConversation, PatientHeader, Person, Prospect, Ringing, Role, Stat } from './snapshot.ts';
import { type OrderPart, shownOrder } from './talk/orders.ts';
import { cleanText } from './texts.ts';

/** How long somebody who is coming holds a STAT. Milliseconds. */
const HOLD = 60_000;

/** The place in a conversation that was asked for, and, where it is not among what is here, the messages around it. */
export interface Around {
  readonly of: ConversationId;
  readonly found: Found;
  readonly messages: readonly KnownMessage[];
}

/** A message as it was shown, and what that came of besides itself. */
interface Shown {
  readonly item: MessageItem;
  readonly directoryRevision: number;
  readonly family: KnownConversation['family'];
  readonly quoted: KnownMessage | null;
  readonly told: readonly KnownNotice[];
  readonly me: PersonId;
}

const SECTIONS = ['stat', 'mentions', 'patients', 'rest'] as const;

export const REACTIONS = new Map<string, ReactionKind>([
  ['agree', ReactionKind.AGREE],
  ['thanks', ReactionKind.THANKS],
  ['done', ReactionKind.DONE],
  ['looking', ReactionKind.LOOKING],
  ['question', ReactionKind.QUESTION],
  ['concern', ReactionKind.CONCERN],
]);

export class Screen {
  readonly #book: Book;
  readonly #outbox: Outbox;
  readonly #drafts: Drafts;
  readonly #rings: Rings;
  /** Announcements that this person has opened for writing. */
  readonly #announced = new Set<ConversationId>();
  /** Lines of the inbox that did not change are not made anew. */
  readonly #items = new Map<ConversationId, { readonly key: string; readonly item: InboxItem }>();
  #people: { readonly key: string; readonly people: readonly Person[] } = { key: '', people: [] };
  #messages: { readonly key: string; readonly messages: readonly MessageItem[]; readonly before: readonly NoticeItem[] } = { key: '', messages: [], before: [] };
  /** The inbox as it was: where all its lines are the same, it is the same. */
  #inbox: { readonly lines: readonly InboxItem[]; readonly sorted: readonly InboxItem[] } = { lines: [], sorted: [] };
  /** A message that is as it was is shown as it was, so that of thousands a view has only the changed ones to draw. */
  readonly #shown = new WeakMap<KnownMessage, Shown>();

  constructor(book: Book, outbox: Outbox, drafts: Drafts, rings: Rings) {
    this.#book = book;
    this.#outbox = outbox;
    this.#drafts = drafts;
    this.#rings = rings;
  }

  /** The box opened them for this person, who may write there. */
  announces(conversation: ConversationId): void {
    this.#announced.add(conversation);
  }

  inbox(me: PersonId): readonly InboxItem[] {
    const waiting = new Map<ConversationId, number>();
    for (const one of this.#outbox.waiting()) {
      if (one.failed === null) waiting.set(one.conversation, (waiting.get(one.conversation) ?? 0) + 1);
    }
    const lines = [...this.#book.conversations.values()].map((conversation) => this.#item(conversation, me, waiting.get(conversation.id) ?? 0));
    for (const id of this.#items.keys()) if (!this.#book.conversations.has(id)) this.#items.delete(id);
    if (!areSame(lines, this.#inbox.lines)) {
      const sorted = lines.toSorted(
        (one, other) =>
          SECTIONS.indexOf(one.section) - SECTIONS.indexOf(other.section) || Number(other.visit != null) - Number(one.visit != null) || other.lastAt - one.lastAt || (one.id < other.id ? -1 : 1),
      );
      this.#inbox = { lines, sorted };
    }
    return this.#inbox.sorted;
  }

  conversation(conversation: Conversation, me: PersonId, draft: string, prospect: Prospect | null, around: Around | null = null): OpenConversation {
    const waiting = this.#outbox.waiting().filter((one) => one.conversation === conversation.id);
    const going = waiting.filter((one) => one.failed === null).length;
    const { archived, purged, kind } = conversation.known;
    const whole = around === null || around.found.state !== 'around' ? this.#messagesOf(conversation, me, waiting) : null;
    return {
      item: this.#item(conversation, me, going),
      people: [...conversation.members.keys()].map((person) => this.person(person, conversation)),
      messages: whole?.messages ?? this.#drawn(conversation, around?.messages ?? [], me),
      before: whole?.before ?? [],
      older: around?.found.state === 'around' ? 'none' : conversation.older,
      found: around?.found ?? null,
      writable: !archived && !purged && (kind !== 'broadcast' || this.#announces(conversation, me)),
      draft,
      ...(kind === 'family' ? { family: this.#family(conversation) } : {}),
      prospect,
    };
  }

  #family(conversation: Conversation): readonly { readonly name: string; readonly relation: string }[] {
    const people = conversation.known.family?.people ?? [];
    return people.filter((one) => one.visitor && conversation.members.has(one.id)).map(({ name, title }) => ({ name, relation: title }));
  }

  person(id: PersonId, within: Conversation | null): Person {
    const known = this.#book.people.get(id);
    if (known !== undefined) return this.known(known);
    const relative = within?.known.family?.people.find((one) => one.id === id);
    return { id, name: relative?.name ?? '', title: relative?.title ?? '', units: [], suspended: false, administrator: false, privacyOfficer: false };
  }

  /** Everybody of the directory, by name; screens of units are nobody. */
  people(): readonly Person[] {
    const key = `${this.#book.directoryRevision}`;
    if (this.#people.key === key) return this.#people.people;
    const people = [...this.#book.people.values()].filter((person) => !person.isStation).map((person) => this.known(person));
    people.sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
    this.#people = { key, people };
    return people;
  }

  roles(me: PersonId): readonly Role[] | null {
    const roles = this.#book.roles?.filter((role) => !role.retired);
    if (roles === undefined) return null;
    return roles.map((role) => ({
      id: role.id,
      name: role.name,
      unit: this.#unitName(role.unit),
      holders: role.holders.map((id) => ({ id, name: this.#book.nameOf(id, null) })),
      mine: role.holders.includes(me),
    }));
  }

  ringing(): readonly Ringing[] {
    return this.#rings.calling().map((ring) => this.#rung(ring));
  }

  taken(): readonly Ringing[] {
    return this.#rings.taken().filter(({ conversation }) => !this.#book.conversations.has(conversation)).map((ring) => this.#rung(ring));
  }

  #rung(ring: Ring): Ringing {
    return {
      conversation: ring.conversation,
      sequence: ring.sequence,
      unit: ring.unitName || this.#unitName(ring.unit),
      senderTitle: ring.senderTitle,
      opened: ring.opened,
      dial: ring.dial,
      coming: ring.coming,
      held: ring.state === 'held',
      outside: !this.#book.conversations.has(ring.conversation),
    };
  }

  #item(conversation: Conversation, me: PersonId, waiting: number): InboxItem {
    // A family's thread is called by the patient, who is another conversation's.
    const { family } = conversation.known;
    const thread = family?.thread == null ? 0 : (this.#book.conversations.get(family.thread)?.revision ?? -1);
    const key = `${conversation.revision} ${thread} ${this.#book.directoryRevision} ${this.#rings.revision} ${waiting} ${this.#drafts.of(conversation.id) === ''} ${me}`;
    const cached = this.#items.get(conversation.id);
    if (cached?.key === key) return cached.item;
    const item = this.#makeItem(conversation, me, waiting);
    this.#items.set(conversation.id, { key, item });
    return item;
  }

  #makeItem(conversation: Conversation, me: PersonId, waiting: number): InboxItem {
    const { known, newest } = conversation;
    const read = Math.max(conversation.marks(me)?.read ?? 0, known.first - 1, 0);
    const unread = conversation.behind(read);
    const own = unread.filter((message) => message.sender === me).length;
    const mentioned = unread.some((message) => message.sender !== me && message.mentions.includes(me));
    // The box itself asks for somebody, and it is this person who was told.
    const isWanted = unread.some((message) => message.alarm?.over === false);
    const stats = [...conversation.stats.values()].filter((stat) => stat.state !== EscalationState.CLOSED);
    const calling = stats.find((stat) => this.#calls(stat));
    const stat = calling ?? stats.at(-1);
    return {
      id: conversation.id,
      kind: known.kind,
      ...this.called(conversation, me),
      patient: this.#patient(conversation),
      lastText: newest?.text ?? '',
      lastAuthor: newest === null ? '' : this.#book.nameOf(newest.sender, conversation),
      ...(newest?.alarm === undefined ? {} : { lastAlarm: { over: newest.alarm.over } }),
      ...(known.writer !== null && this.#book.people.get(known.writer)?.isBox === true ? { ofBox: true as const } : {}),
      lastAt: newest?.at ?? 0,
      unread: Math.max(conversation.last - read - own, 0),
      mentioned,
      waiting,
      drafted: this.#drafts.of(conversation.id) !== '',
      stat: stat === undefined ? null : this.#stat(conversation, stat, me),
      visit: known.kind === 'patient' ? conversation.visit : null,
      section: calling !== undefined ? 'stat' : mentioned || isWanted ? 'mentions' : known.kind === 'patient' ? 'patients' : 'rest',
    };
  }

  /** What a conversation is called, and where it is. */
  called(conversation: Conversation, me: PersonId): { readonly title: string; readonly subtitle: string } {
    const { kind, title, unit, writer } = conversation.known;
    switch (kind) {
      case 'direct': {
        const other = [...conversation.members.keys()].find((person) => person !== me) ?? me;
        const { name, title: profession } = this.person(other, conversation);
        return { title: name, subtitle: profession };
      }
      case 'family':
        return { title: this.#patient(conversation)?.name ?? title, subtitle: title };
      case 'patient': {
        const patient = this.#patient(conversation);
        const place = [patient?.unit, patient?.bed].filter((part) => part !== undefined && part !== '').join(' · ');
        return { title: patient?.name ?? title, subtitle: place };
      }
      case 'roleInbox':
        return { title, subtitle: writer === null || writer === me ? this.#unitName(unit) : this.#book.nameOf(writer, conversation) };
      case 'broadcast':
        return { title: title || this.#unitName(unit), subtitle: this.#unitName(unit) };
      default:
        return { title, subtitle: this.#unitName(unit) };
    }
  }

  #patient(conversation: Conversation): PatientHeader | null {
    const { family } = conversation.known;
    const thread = family?.thread == null ? conversation : this.#book.conversations.get(family.thread);
    const { patient, stay } = thread?.known ?? conversation.known;
    if (patient === null) return null;
    const { particulars, alias } = patient;
    const flags = [
      ...(alias === '' ? [] : ['restricted']),
      ...(stay === null || stay.state === 'admitted' ? [] : [stay.state]),
      ...(stay?.muted === true ? ['muted'] : []),
    ];
    return {
      id: patient.id,
      name: particulars?.name ?? alias,
      bed: stay?.bed ?? '',
      stay: stay?.id ?? null,
      unit: this.#unitName(stay?.unit ?? null),
      recordNumber: particulars?.recordNumber ?? '',
      bornOn: particulars?.bornOn ?? '',
      flags,
    };
  }

  #messagesOf(conversation: Conversation, me: PersonId, waiting: readonly Waiting[]): { readonly messages: readonly MessageItem[]; readonly before: readonly NoticeItem[] } {
    const { directoryRevision, isCaughtUp } = this.#book;
    const key = [conversation.id, conversation.revision, directoryRevision, this.#rings.revision, this.#outbox.revision, isCaughtUp, me].join(' ');
    if (this.#messages.key === key) return this.#messages;
    // While it is caught up with, a message of one's own may stand ahead of what was delivered: that is no gap to stop at.
    const there = isCaughtUp ? conversation.run : conversation.messages;
    const messages = this.#drawn(conversation, there, me);
    if (waiting.length > 0) {
      const names = new Set(there.map((message) => message.name));
      messages.push(...waiting.filter((one) => !names.has(one.name)).map((one) => this.#waiting(conversation, one, me)));
    }
    // In front of the first are those that no older message has: where older ones are not here, that is not known.
    const first = conversation.older === 'none' ? (there[0]?.sequence ?? Infinity) : 0;
    const before = conversation.notices.filter((one) => one.after < first).map((one) => this.#notice(conversation, one));
    this.#messages = { key, messages, before };
    return this.#messages;
  }

  #drawn(conversation: Conversation, messages: readonly KnownMessage[], me: PersonId): MessageItem[] {
    const marks = this.#marksOfOthers(conversation, me);
    const { family } = conversation.known;
    const { directoryRevision } = this.#book;
    const told = toldBehind(messages, conversation.notices);
    return messages.map((message, at) => {
      const behind = told[at] ?? NOTHING;
      const fate = message.sender === me ? fateOf(message, marks) : null;
      const quoted = message.replyTo === 0 ? null : conversation.at(message.replyTo);
      // How a STAT or an order stands is not in its message.
      const moves = conversation.stats.has(message.sequence) || conversation.orders.has(message.sequence);
      const was = this.#shown.get(message);
      const isAsItWas = was !== undefined && was.directoryRevision === directoryRevision && was.family === family && was.quoted === quoted && was.item.fate === fate && was.me === me && areSame(was.told, behind);
      if (isAsItWas && !moves && was.item.stat === null && was.item.order === null) return was.item;
      const made = this.#message(conversation, message, me, fate);
      const item = behind.length === 0 ? made : { ...made, notices: behind.map((one) => this.#notice(conversation, one)) };
      this.#shown.set(message, { item, directoryRevision, family, quoted, told: behind, me });
      return item;
    });
  }

  #message(conversation: Conversation, message: KnownMessage, me: PersonId, fate: MessageItem['fate']): MessageItem {
    const author = this.person(message.sender, conversation);
    const mine = message.sender === me;
    const stat = conversation.stats.get(message.sequence);
    const order = conversation.orders.get(message.sequence);
    return {
      key: message.name,
      sequence: message.sequence,
      author: author.name,
      authorTitle: author.title,
      mine,
      at: message.at,
      text: message.text,
      ...(message.alarm === undefined || message.recalled ? {} : { alarm: message.alarm }),
      priority: message.priority,
      edited: message.edits > 0,
      edits: message.edits,
      recalled: message.recalled,
      replyTo: this.#quoted(conversation, message.replyTo),
      reactions: message.reactions.flatMap(({ kind, people }) => {
        const name = [...REACTIONS].find(([, one]) => one === kind)?.[0];
        if (name === undefined || people.length === 0) return [];
        return [{ kind: name, people: people.map((person) => this.#book.nameOf(person, conversation)), mine: people.includes(me) }];
      }),
      attachments: message.attachments,
      mentionsMe: message.mentions.includes(me),
      fate,
      refusal: null,
      stat: stat === undefined ? null : this.#stat(conversation, stat, me),
      order: order === undefined ? null : shownOrder(order, conversation, me, (person) => this.#book.nameOf(person, conversation)),
    };
  }

  #notice(conversation: Conversation, notice: KnownNotice): NoticeItem {
    const { number, at, kind, person, reason, bed, until } = notice;
    const nameOf = (id: PersonId | null): string => (id === null ? '' : this.#book.nameOf(id, conversation));
    const by = notice.by === person ? '' : nameOf(notice.by);
    return { number, at, kind, person: nameOf(person), by, reason, unit: this.#unitName(notice.unit), bed, until };
  }

  #waiting(conversation: Conversation, waiting: Waiting, me: PersonId): MessageItem {
    const author = this.person(me, conversation);
    return {
      key: waiting.name,
      sequence: 0,
      author: author.name,
      authorTitle: author.title,
      mine: true,
      at: waiting.composed,
      text: cleanText(waiting.text),
      priority: waiting.priority,
      edited: false,
      edits: 0,
      recalled: false,
      replyTo: this.#quoted(conversation, waiting.replyTo),
      reactions: [],
      attachments: [],
      files: waiting.files,
      mentionsMe: false,
      fate: waiting.failed === null ? 'waiting' : 'failed',
      refusal: waiting.failed,
      stat: null,
      order: waiting.order === undefined ? null : this.#sending(conversation, waiting.order),
      ...(isUnread(waiting) ? { sealed: true } : {}),
    };
  }

  #sending(conversation: Conversation, { deed, to }: OrderPart): MessageItem['order'] {
    const whose = to === null ? '' : this.#book.nameOf(to, conversation);
    return { sort: deed, state: 'sending', to: whose, by: '', readBack: 0, readBackText: '', replaced: false, filed: false, may: [] };
  }

  /** A reply is a number and no copy: what is not here has no words. */
  #quoted(conversation: Conversation, to: KnownMessage['replyTo']): MessageItem['replyTo'] {
    if (to === 0) return null;
    const quoted = conversation.at(to);
    return quoted === null ? { author: '', text: '' } : { author: this.#book.nameOf(quoted.sender, conversation), text: quoted.text };
  }

  /** Up to where everybody else who may sign in was delivered to, and has read; `null`: there is nobody else. */
  #marksOfOthers(conversation: Conversation, me: PersonId): Marks | null {
    const others = [...conversation.members].filter(([person]) => person !== me && this.#book.people.get(person)?.suspended !== true);
    if (others.length === 0) return null;
    const lowest = (of: (marks: Marks) => Sequence): Sequence => others.reduce((least, [, marks]) => (of(marks) < least ? of(marks) : least), Infinity as Sequence);
    return { delivered: lowest((marks) => marks.delivered), read: lowest((marks) => marks.read) };
  }

  #stat(conversation: Conversation, stat: KnownStat, me: PersonId): Stat {
    const isHeld = stat.state === EscalationState.HELD;
    const names = stat.called.map((person) => this.#book.nameOf(person, conversation));
    const isCalling = stat.state === EscalationState.RINGING || isHeld;
    return {
      state: stat.state === EscalationState.CLOSED ? 'closed' : stat.state === EscalationState.ACCEPTED ? 'accepted' : isHeld ? 'held' : 'open',
      by: stat.by === null ? stat.reached : this.#book.nameOf(stat.by, conversation),
      ringing: isCalling ? names : [],
      nextAt: isHeld ? stat.since + HOLD : null,
      step: stat.step,
      mine: this.#calls(stat),
      may: this.#may(conversation, stat, me),
    };
  }

  /** README.md, section 13: who may say what. The box has the last word. */
  #may(conversation: Conversation, stat: KnownStat, me: PersonId): Stat['may'] {
    const isSender = conversation.at(stat.sequence)?.sender === me;
    switch (stat.state) {
      case EscalationState.RINGING:
      case EscalationState.HELD: {
        if (isSender) return ['close'];
        const ring = this.#rings.get(stat.conversation, stat.sequence);
        const comes = stat.state === EscalationState.RINGING && ring?.coming !== true;
        const isCalled = this.#calls(stat) || stat.called.includes(me);
        return ['accept', ...(comes ? (['coming'] as const) : []), ...(isCalled ? (['cannot'] as const) : [])];
      }
      case EscalationState.ACCEPTED:
        if (stat.by === me || stat.notedBy === me) return ['handBack', 'close'];
        return isSender ? ['close'] : [];
      default:
        return [];
    }
  }

  #calls(stat: KnownStat): boolean {
    const ring = this.#rings.get(stat.conversation, stat.sequence);
    return ring !== null && ring.state !== 'mine';
  }

  /** Whoever may announce is not told to clients but on asking; whoever leads the unit may. The box has the last word. */
  #announces(conversation: Conversation, me: PersonId): boolean {
    if (this.#announced.has(conversation.id)) return true;
    const { unit } = conversation.known;
    return this.#book.people.get(me)?.posts.some((post) => post.unit === unit && post.chargeNurse) ?? false;
  }

  known(known: KnownPerson): Person {
    const units = known.posts.map((post) => ({ id: post.unit, name: this.#unitName(post.unit), chargeNurse: post.chargeNurse }));
    const { id, name, title, suspended, administrator, privacyOfficer } = known;
    return { id, name, title, units, suspended, administrator, privacyOfficer };
  }

  #unitName(unit: UnitId | null): string {
    return unit === null ? '' : (this.#book.units.get(unit)?.name ?? '');
  }
}

function fateOf(message: KnownMessage, others: Marks | null): 'sent' | 'delivered' | 'read' {
  if (others === null) return 'sent';
  if (others.read >= message.sequence) return 'read';
  return others.delivered >= message.sequence ? 'delivered' : 'sent';
}

const NOTHING: readonly KnownNotice[] = [];

/** Of each message what was told behind it and in front of the next one that is here. */
function toldBehind(messages: readonly KnownMessage[], notices: readonly KnownNotice[]): readonly (readonly KnownNotice[])[] {
  const [first] = messages;
  if (notices.length === 0 || first === undefined) return [];
  let next = notices.findIndex((one) => one.after >= first.sequence);
  if (next < 0) return [];
  return messages.map((_, at) => {
    const from = next;
    const end = messages[at + 1]?.sequence ?? Infinity;
    while (next < notices.length && (notices[next]?.after ?? 0) < end) next += 1;
    return next === from ? NOTHING : notices.slice(from, next);
  });
}

function areSame<One>(one: readonly One[], other: readonly One[]): boolean {
  return one.length === other.length && one.every((line, at) => line === other[at]);
}
