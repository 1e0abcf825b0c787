/**
 * What this device knows of the facility and of the person's conversations: the fold of everything that was delivered (README.md,
 * section 4). In memory alone: each start of the app begins with a snapshot.
 */

import { type Accepted, type Conversation as WireConversation, type Event, type HistoryPage, type Task, type UnitList } from '../gen/wardline_pb.js';
import { Conversation } from './conversation.ts';
import { type ConversationId, type DeviceId, type PersonId, type Sequence, type UnitId } from './ids.ts';
import type { KnownDevice, KnownMessage, KnownPerson, KnownRole, KnownUnit, Marks } from './known.ts';
import { CONVERSATIONS_MAX, MESSAGES_KEPT, MESSAGES_OPEN_MAX, PEOPLE_MAX, TEXT_KEPT_MAX, TEXT_OPEN_MAX, UNITS_MAX } from './limits.ts';
import { readNotice, readNotices } from './notices.ts';
import { readOrder } from './talk/orders.ts';
import { cleanLine } from './texts.ts';
import { readChange, readConversation, readId, readMarks, readMessage, readPerson, readReactions, readSequence, readStat, readUnit } from './wire.ts';

/** What a delivery was, for whoever has more to do with it. */
export type Applied =
  | { readonly applied: 'message'; readonly message: KnownMessage }
  | { readonly applied: 'device'; readonly device: KnownDevice }
  | { readonly applied: 'task'; readonly task: Task }
  | { readonly applied: 'other' };

const CURSOR_BYTES = 16;

export class Book {
  readonly #units = new Map<UnitId, KnownUnit>();
  readonly #people = new Map<PersonId, KnownPerson>();
  readonly #conversations = new Map<ConversationId, Conversation>();
  #roles: readonly KnownRole[] | null = null;
  #cursor = new Uint8Array(0);
  /** Of a running snapshot: conversations that it has not named. */
  #unnamed: Set<ConversationId> | null = null;
  #isCaughtUp = false;
  #open: ConversationId | null = null;
  /** Rises when somebody, a unit or a role is new or called otherwise. */
  directoryRevision = 0;

  /** Behind what was delivered; empty: a snapshot is wanted. */
  get cursor(): Uint8Array {
    return this.#cursor;
  }

  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  get conversations(): ReadonlyMap<ConversationId, Conversation> {
    return this.#conversations;
  }

  get people(): ReadonlyMap<PersonId, KnownPerson> {
    return this.#people;
  }

  get units(): ReadonlyMap<UnitId, KnownUnit> {
    return this.#units;
  }

  get roles(): readonly KnownRole[] | null {
    return this.#roles;
  }

  set roles(roles: readonly KnownRole[] | null) {
    this.#roles = roles;
    this.directoryRevision += 1;
  }

  /** How somebody is called in a conversation: by the directory, else as family. */
  nameOf(person: PersonId, within: Conversation | null): string {
    const known = this.#people.get(person);
    return known?.name ?? within?.known.family?.people.find((one) => one.id === person)?.name ?? '';
  }

  /** The conversation on the screen keeps more than the others. */
  open(id: ConversationId | null): void {
    const before = this.#open === null ? undefined : this.#conversations.get(this.#open);
    this.#open = id;
    if (before !== undefined && before.id !== id) before.trim(MESSAGES_KEPT);
    if (id !== null) this.#conversations.get(id)?.makeRoom();
  }

  /** Delivery is not running: what is shown may lack something. */
  interrupted(): void {
    this.#isCaughtUp = false;
  }

  /**
   * Delivery begins. A snapshot says by itself what there is, and brings anew what is forgotten here, so that one that breaks off
   * is begun anew and not gone on with behind the cursor from before.
   */
  syncStarted(snapshot: boolean): void {
    this.#isCaughtUp = false;
    this.#unnamed = null;
    if (!snapshot) return;
    this.#cursor = new Uint8Array(0);
    this.#unnamed = new Set(this.#conversations.keys());
    for (const conversation of this.#conversations.values()) conversation.beginSnapshot();
  }

  /** One event. Throws a `WireFault` for what is none. */
  apply(cursor: Uint8Array, event: Event | undefined): Applied {
    const applied = event === undefined ? OTHER : this.#applied(event);
    this.#keep(cursor);
    return applied;
  }

  synced(cursor: Uint8Array): void {
    for (const gone of this.#unnamed ?? []) this.#conversations.delete(gone);
    this.#unnamed = null;
    this.#keep(cursor);
    this.#isCaughtUp = true;
    for (const conversation of this.#conversations.values()) conversation.settle();
    this.#trim();
  }

  /** The box has a message of this device in this place. Its cursor counts where the connection is caught up. */
  accepted(accepted: Accepted, message: KnownMessage): void {
    this.#conversations.get(message.conversation)?.take(message);
    if (this.#isCaughtUp) this.#keep(accepted.cursor);
  }

  /** A page of history. Throws a `WireFault`. */
  history(page: HistoryPage): void {
    const conversation = this.#conversations.get(readId<ConversationId>(page.conversation));
    const messages = page.messages.map(readMessage);
    if (conversation === undefined) return;
    const room = this.#open === conversation.id ? MESSAGES_OPEN_MAX : MESSAGES_KEPT;
    conversation.tell(readNotices(page.notices));
    conversation.history({ messages, end: page.end }, { messages: room, text: TEXT_OPEN_MAX });
    this.#trim();
  }

  /** A conversation that an answer names. Throws a `WireFault`. */
  learn(wire: WireConversation): Conversation | null {
    const known = readConversation(wire);
    this.#unnamed?.delete(known.id);
    const there = this.#conversations.get(known.id);
    if (there === undefined && this.#conversations.size >= CONVERSATIONS_MAX) return null;
    const conversation = there ?? new Conversation(known);
    if (there === undefined) this.#conversations.set(known.id, conversation);
    else there.replace(known);
    for (const stat of wire.stats) conversation.stat(readStat(stat));
    for (const order of wire.orders) conversation.order(readOrder(order));
    return conversation;
  }

  learnUnits(list: UnitList): void {
    for (const unit of list.units) this.#unit(readUnit(unit));
  }

  /** This device raised its person's own watermarks. */
  raise(id: ConversationId, person: PersonId, marks: Marks): void {
    this.#conversations.get(id)?.raise(person, marks);
  }

  /** The box has another past than this device: what stood in a place may not be what is there now. */
  anotherPast(): void {
    this.#cursor = new Uint8Array(0);
    this.#isCaughtUp = false;
    for (const conversation of this.#conversations.values()) conversation.forgetMessages();
  }

  #applied(event: Event): Applied {
    const { kind } = event;
    switch (kind.case) {
      case 'message': {
        const message = readMessage(kind.value);
        const conversation = this.#conversations.get(message.conversation);
        if (conversation?.take(message) !== true) return OTHER;
        this.#bound(conversation);
        return { applied: 'message', message };
      }
      case 'conversation':
        this.learn(kind.value);
        return OTHER;
      case 'conversationChanged': {
        const change = readChange(kind.value);
        this.#conversations.get(change.id)?.change(change);
        return OTHER;
      }
      case 'messageChanged': {
        const message = readMessage(kind.value);
        this.#conversations.get(message.conversation)?.alter(message);
        return OTHER;
      }
      case 'reactions': {
        const { conversation, sequence, reactions } = kind.value;
        this.#at(conversation)?.react(readSequence(sequence), readReactions(reactions));
        return OTHER;
      }
      case 'watermark':
        this.#at(kind.value.conversation)?.raise(readId(kind.value.person), readMarks(kind.value));
        return OTHER;
      case 'escalation': {
        const stat = readStat(kind.value);
        this.#conversations.get(stat.conversation)?.stat(stat);
        return OTHER;
      }
      case 'order': {
        const order = readOrder(kind.value);
        this.#conversations.get(order.conversation)?.order(order);
        return OTHER;
      }
      case 'notice': {
        const notice = readNotice(kind.value);
        if (notice !== null) this.#conversations.get(notice.conversation)?.tell([notice]);
        return OTHER;
      }
      case 'gone':
        this.#conversations.delete(readId(kind.value.conversation));
        return OTHER;
      case 'person': {
        const person = readPerson(kind.value);
        this.directoryRevision += 1;
        if (this.#people.has(person.id) || this.#people.size < PEOPLE_MAX) this.#people.set(person.id, person);
        return OTHER;
      }
      case 'unit':
        this.#unit(readUnit(kind.value));
        return OTHER;
      case 'deviceJoined': {
        const id = readId<DeviceId>(kind.value.device);
        return { applied: 'device', device: { id, name: cleanLine(kind.value.name) } };
      }
      case 'task':
        return { applied: 'task', task: kind.value };
      default:
        // What is none known is of a later version.
        return OTHER;
    }
  }

  #at(wire: bigint): Conversation | undefined {
    return this.#conversations.get(readId<ConversationId>(wire));
  }

  #unit(unit: KnownUnit): void {
    this.directoryRevision += 1;
    if (this.#units.has(unit.id) || this.#units.size < UNITS_MAX) this.#units.set(unit.id, unit);
  }

  /** While a snapshot runs only the one of `Synced` counts; an event without one counts with the next that comes. */
  #keep(cursor: Uint8Array): void {
    if (this.#unnamed === null && cursor.length === CURSOR_BYTES) this.#cursor = Uint8Array.from(cursor);
  }

  #bound(conversation: Conversation): void {
    const most = conversation.id === this.#open ? MESSAGES_OPEN_MAX : MESSAGES_KEPT;
    // A quarter more, so that not every message drops one.
    if (conversation.messages.length > most * 1.25) conversation.trim(most);
    if (conversation.textKept > TEXT_OPEN_MAX * 1.25) conversation.trim(Math.floor(conversation.messages.length * 0.75));
  }

  /** Above what is kept in all, those that were quiet for longest keep their last message. */
  #trim(): void {
    let kept = 0;
    for (const conversation of this.#conversations.values()) kept += conversation.textKept;
    if (kept <= TEXT_KEPT_MAX) return;
    const quiet = [...this.#conversations.values()].filter((conversation) => conversation.id !== this.#open);
    quiet.sort((one, other) => (one.newest?.at ?? 0) - (other.newest?.at ?? 0));
    for (const conversation of quiet) {
      kept -= conversation.textKept;
      conversation.trim(1);
      kept += conversation.textKept;
      if (kept <= TEXT_KEPT_MAX) return;
    }
  }
}

const OTHER: Applied = { applied: 'other' };

/** Where nothing was read yet. */
export const UNREAD: Marks = { delivered: 0 as Sequence, read: 0 as Sequence };
