/**
 * One conversation as this device knows it: the fold of its events (README.md, section 4).
 *
 * Of its messages it keeps those that came, in order of sequence, bounded from the old end ({@link Conversation.trim}); history brings
 * older ones back. All but messages say how things are, so that what comes twice counts once.
 */

import type { ConversationId, MessageName, PersonId, Sequence } from './ids.ts';
import type { ConversationChange, KnownConversation, KnownMessage, KnownReaction, KnownStat, Marks } from './known.ts';
import { MEMBERS_MAX, ORDERS_KEPT, STATS_KEPT } from './limits.ts';
import { type KnownNotice, Notices } from './notices.ts';
import type { VisitAsked } from './snapshot.ts';
import type { KnownOrder } from './talk/orders.ts';
import { EscalationState } from '../gen/wardline_pb.js';

export class Conversation {
  #known: KnownConversation;
  readonly #members: Map<PersonId, Marks>;
  /** In order of sequence, each once. */
  #messages: KnownMessage[] = [];
  readonly #stats = new Map<Sequence, KnownStat>();
  /** Orders by text, filed ones too while they are here. */
  readonly #orders = new Map<Sequence, KnownOrder>();
  /** Of a patient's thread: what moved. */
  readonly #notices = new Notices();
  /** History has said that nothing older than what is here can be read. */
  #hasAll = false;
  #isLoading = false;
  /** History brought more than is kept. */
  #isFull = false;
  /** Rises with every change. */
  revision = 0;
  /** Characters of text that are kept. */
  textKept = 0;

  constructor(known: KnownConversation) {
    this.#known = known;
    this.#members = new Map(known.members);
  }

  get id(): ConversationId {
    return this.#known.id;
  }

  get known(): KnownConversation {
    return this.#known;
  }

  get members(): ReadonlyMap<PersonId, Marks> {
    return this.#members;
  }

  get stats(): ReadonlyMap<Sequence, KnownStat> {
    return this.#stats;
  }

  get orders(): ReadonlyMap<Sequence, KnownOrder> {
    return this.#orders;
  }

  /** In order, each behind the message that it says. */
  get notices(): readonly KnownNotice[] {
    return this.#notices.list;
  }

  /** Who waits at the patient's bed to be let in. */
  get visit(): VisitAsked | null {
    return this.#notices.visit;
  }

  get last(): Sequence {
    return Math.max(this.#known.last, this.newest?.sequence ?? 0) as Sequence;
  }

  get newest(): KnownMessage | null {
    return this.#messages.at(-1) ?? null;
  }

  get messages(): readonly KnownMessage[] {
    return this.#messages;
  }

  /** Those that came later than one. */
  behind(sequence: number): readonly KnownMessage[] {
    return this.#messages.slice(this.#place((sequence + 1) as Sequence));
  }

  /** The newest messages without a gap: behind one, history is asked first. */
  get run(): readonly KnownMessage[] {
    return this.#messages.slice(this.#runStart());
  }

  /** What history is asked before. */
  get oldest(): Sequence {
    return this.#messages[this.#runStart()]?.sequence ?? ((this.last + 1) as Sequence);
  }

  get older(): 'none' | 'some' | 'loading' | 'full' {
    if (this.#isLoading) return 'loading';
    if (this.#isFull) return 'full';
    const isThere = this.last > 0 && this.oldest > Math.max(this.#known.first, 1);
    return isThere && !this.#hasAll && !this.#known.purged ? 'some' : 'none';
  }

  marks(person: PersonId): Marks | null {
    return this.#members.get(person) ?? null;
  }

  at(sequence: Sequence): KnownMessage | null {
    const found = this.#messages[this.#place(sequence)];
    return found?.sequence === sequence ? found : null;
  }

  has(name: MessageName): boolean {
    return this.#messages.some((message) => message.name === name);
  }

  /** The box names it whole: that replaces what was known, but messages, and watermarks that this device knows to be higher. */
  replace(known: KnownConversation): void {
    this.revision += 1;
    this.#known = known;
    for (const person of this.#members.keys()) if (!known.members.has(person)) this.#members.delete(person);
    for (const [person, marks] of known.members) this.#join(person, marks);
    this.#expire();
  }

  change(change: ConversationChange): void {
    this.revision += 1;
    for (const person of change.left) this.#members.delete(person);
    for (const [person, marks] of change.joined) this.#join(person, marks);
    const known = this.#known;
    const { family } = known;
    this.#known = {
      ...known,
      first: Math.max(known.first, change.first) as Sequence,
      title: change.purged ? '' : (change.title ?? known.title),
      archived: change.archived ?? known.archived,
      purged: known.purged || change.purged,
      patient: change.purged ? null : (change.patient ?? known.patient),
      stay: change.purged ? null : (change.stay ?? known.stay),
      family: family === null ? null : { ...family, people: [...family.people, ...change.people] },
    };
    this.#expire();
  }

  /** A message in its place. False: it was there already, as late or later. */
  take(message: KnownMessage): boolean {
    if (message.sequence < this.#known.first || this.#known.purged) return false;
    const place = this.#place(message.sequence);
    const there = this.#messages[place];
    if (there?.sequence === message.sequence) {
      if (isLater(there, message)) return false;
      this.#put(place, 1, message);
      return false;
    }
    this.#put(place, 0, message);
    if (message.sequence > this.#known.last) this.#known = { ...this.#known, last: message.sequence };
    return true;
  }

  /** An edit or a recall; of what is not here nothing is shown. */
  alter(message: KnownMessage): void {
    const there = this.at(message.sequence);
    if (there !== null && !isLater(there, message)) this.#put(this.#place(message.sequence), 1, message);
  }

  react(sequence: Sequence, reactions: readonly KnownReaction[]): void {
    const there = this.at(sequence);
    if (there !== null) this.#put(this.#place(sequence), 1, { ...there, reactions });
  }

  /** Watermarks only rise. */
  raise(person: PersonId, marks: Marks): void {
    if (this.#members.has(person)) this.#join(person, marks);
  }

  stat(stat: KnownStat): void {
    this.revision += 1;
    this.#stats.set(stat.sequence, stat);
    if (this.#stats.size <= STATS_KEPT) return;
    const over = [...this.#stats.values()].find((one) => one.state === EscalationState.CLOSED) ?? this.#stats.values().next().value;
    if (over !== undefined) this.#stats.delete(over.sequence);
  }

  order(order: KnownOrder): void {
    this.revision += 1;
    this.#orders.set(order.sequence, order);
    if (this.#orders.size <= ORDERS_KEPT) return;
    const over = [...this.#orders.values()].find((one) => one.filed) ?? this.#orders.values().next().value;
    if (over !== undefined) this.#orders.delete(over.sequence);
  }

  tell(notices: readonly KnownNotice[]): void {
    if (this.#known.purged) return;
    for (const one of notices) if (one.after + 1 >= this.#known.first && this.#notices.take(one)) this.revision += 1;
  }

  /** Behind which message notices may be missing; says so once. */
  takeMissingNotices(): Sequence | null {
    return this.#notices.takeMissing(this.older === 'none' ? 0 : this.oldest);
  }

  /** Somebody has looked who waits to be let in. */
  lookedWhoWaits(waiting: number, until: number): void {
    this.revision += 1;
    this.#notices.looked(waiting, until);
  }

  /** History is asked, or was; it may have said that there is nothing older. No more are kept than `room`, and as much text. */
  history(asked: 'loading' | 'failed' | { readonly messages: readonly KnownMessage[]; readonly end: boolean }, room: { readonly messages: number; readonly text: number } = ROOM): void {
    this.revision += 1;
    this.#isLoading = asked === 'loading';
    if (typeof asked === 'string') return;
    for (const message of asked.messages) {
      this.#isFull = this.#messages.length >= room.messages || this.textKept >= room.text;
      if (this.#isFull) return;
      this.take(message);
    }
    this.#hasAll = this.#hasAll || asked.end;
  }

  /** A snapshot begins: what of messages and STATs comes anew is forgotten. */
  beginSnapshot(): void {
    this.revision += 1;
    this.#stats.clear();
    this.#orders.clear();
    this.#messages = this.#messages.map((message) => (message.reactions.length === 0 ? message : { ...message, reactions: [] }));
  }

  /** More are kept from now on, or may be. */
  makeRoom(): void {
    if (this.#isFull) this.revision += 1;
    this.#isFull = false;
  }

  /** Caught up: what lies behind a gap is history's. */
  settle(): void {
    const start = this.#runStart();
    if (start > 0) this.#leave(start);
  }

  /** The newest stay. */
  trim(keep: number): void {
    const over = this.#messages.length - keep;
    if (over > 0) this.#leave(over);
  }

  /** The box has another past: nothing that was shown counts. */
  forgetMessages(): void {
    this.#drop(this.#messages.length);
    this.#stats.clear();
    this.#orders.clear();
    this.#notices.clear();
    this.#members.clear();
  }

  /** One who is known already: the higher of each watermark counts. */
  #join(person: PersonId, marks: Marks): void {
    const known = this.#members.get(person);
    if (known === undefined && this.#members.size >= MEMBERS_MAX) return;
    const delivered = Math.max(known?.delivered ?? 0, marks.delivered, marks.read) as Sequence;
    const read = Math.max(known?.read ?? 0, marks.read) as Sequence;
    if (known?.delivered === delivered && known.read === read) return;
    this.revision += 1;
    this.#members.set(person, { delivered, read });
  }

  #expire(): void {
    const { first, purged } = this.#known;
    const over = purged ? this.#messages.length : this.#place(first);
    if (over > 0) this.#drop(over);
    this.#notices.expire(first);
    if (!purged) return;
    this.#stats.clear();
    this.#orders.clear();
    this.#notices.clear();
  }

  /** To history, with what was told among them. */
  #leave(count: number): void {
    this.#drop(count);
    this.#notices.dropBefore(this.#messages[0]?.sequence ?? 0);
  }

  #drop(count: number): void {
    this.revision += 1;
    for (const message of this.#messages.slice(0, count)) this.textKept -= message.text.length;
    this.#messages = this.#messages.slice(count);
    this.#hasAll = false;
    this.#isFull = false;
  }

  #put(place: number, instead: 0 | 1, message: KnownMessage): void {
    this.revision += 1;
    this.textKept += message.text.length - (instead === 1 ? (this.#messages[place]?.text.length ?? 0) : 0);
    this.#messages.splice(place, instead, message);
  }

  /** Where a sequence stands, or would. */
  #place(sequence: Sequence): number {
    let [low, high] = [0, this.#messages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#messages[middle]?.sequence ?? 0) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #runStart(): number {
    let start = this.#messages.length - 1;
    while (start > 0 && this.#messages[start - 1]?.sequence === (this.#messages[start]?.sequence ?? 0) - 1) start -= 1;
    return Math.max(start, 0);
  }
}

const ROOM = { messages: Infinity, text: Infinity };

/** Of two forms of a message the one with more edits is the later, and a recalled one is the last. */
function isLater(one: KnownMessage, than: KnownMessage): boolean {
  return one.recalled !== than.recalled ? one.recalled : one.edits > than.edits;
}
