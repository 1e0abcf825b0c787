/** Tasks of the person: theirs, by a role too, and those that they gave (README.md, section 18). */

import { DeclineReason, TaskAnswer, TaskState, type Task as WireTask, type TaskPage } from '../../gen/wardline_pb.js';
import type { Book } from '../book.ts';
import { type ConversationId, idOf, momentOf, parseId, parseSequence, type PersonId, type RoleId, type Sequence, wireId, wireSequence } from '../ids.ts';
import type { KnownMessage } from '../known.ts';
import type { Screen } from '../screen.ts';
import type { Id } from '../snapshot.ts';
import { readId, readSequence } from '../wire.ts';
import type { CareLink } from './care.ts';
import { TASKS_OVER_KEPT } from '../limits.ts';
import type { Asked, OverTask, Task } from './contract.ts';

/** 100 for oneself, 100 that one gave, 100 of a role: five roles fit. Of 800 bytes with an excerpt they are half a megabyte. */
const TASKS_MAX = 700;
/** Messages of tasks that are asked for at once; a box takes 500 at once. */
const TEXTS_AT_ONCE = 100;
/** Characters of a message that are kept with its task. */
const TEXT_KEPT = 300;
const MINUTES_MAX = 90 * 24 * 60;

interface KnownTask {
  readonly conversation: ConversationId;
  readonly sequence: Sequence;
  readonly author: PersonId;
  readonly person: PersonId | null;
  readonly role: RoleId | null;
  readonly given: number;
  readonly due: number;
  readonly state: 'open' | 'taken' | 'declined' | 'done' | 'withdrawn';
  /** When it came to stand so. */
  readonly at: number;
  readonly by: PersonId | null;
  readonly overdue: boolean;
  /** The box listed it as one of this person's own. */
  readonly listed: boolean;
}

const ANSWERS = { take: TaskAnswer.TAKE, done: TaskAnswer.DONE, decline: TaskAnswer.DECLINE, withdraw: TaskAnswer.WITHDRAW } as const;
const REASONS = new Map<string, DeclineReason>([
  ['busy', DeclineReason.BUSY],
  ['notMine', DeclineReason.NOT_MINE],
  ['offDuty', DeclineReason.OFF_DUTY],
]);

export class Tasks {
  readonly #book: Book;
  readonly #screen: Screen;
  readonly #link: CareLink;
  readonly #tasks = new Map<string, KnownTask>();
  /** Of messages that are not here. `null`: asked for, or not to be read. */
  readonly #texts = new Map<string, string | null>();
  /** Those that ended while this app looked, the newest first, with what their messages said. */
  #over: readonly { readonly task: KnownTask; readonly how: OverTask['how']; readonly text: string }[] = [];
  #state: Asked = 'unasked';
  #listed: KnownTask[] = [];
  revision = 0;

  constructor(book: Book, screen: Screen, link: CareLink) {
    this.#book = book;
    this.#screen = screen;
    this.#link = link;
  }

  /** A snapshot begins: it brings the open ones. */
  forget(): void {
    this.#tasks.clear();
    this.#texts.clear();
    this.#over = [];
    this.#state = 'unasked';
    this.revision += 1;
  }

  ask(): void {
    if (this.#state === 'asking') return;
    this.#listed = [];
    this.#askBehind(null);
  }

  /** How one stands. Throws a `WireFault`. */
  told(wire: WireTask, me: PersonId | null): void {
    const task = readTask(wire, false);
    const key = keyOf(task);
    const there = this.#tasks.get(key);
    this.revision += 1;
    const isOwn = task.author === me || task.person === me || task.by === me || this.#holds(task.role, me);
    this.#over = this.#over.filter((one) => keyOf(one.task) !== key);
    if ((task.state === 'done' || task.state === 'withdrawn') && (isOwn || there !== undefined)) this.#end(task, task.state);
    if (!isOpen(task) || (!isOwn && there?.listed !== true)) return this.#drop(key);
    if (there !== undefined || this.#tasks.size < TASKS_MAX) this.#tasks.set(key, { ...task, listed: there?.listed ?? false });
  }

  /** Throws a `WireFault`. */
  page(page: TaskPage): void {
    this.#listed.push(...page.tasks.map((task) => readTask(task, true)).slice(0, TASKS_MAX - this.#listed.length));
    const last = this.#listed.at(-1);
    if (!page.end && page.tasks.length > 0 && last !== undefined && this.#listed.length < TASKS_MAX) return this.#askBehind(last);
    this.#tasks.clear();
    for (const task of this.#listed) if (isOpen(task)) this.#tasks.set(keyOf(task), task);
    for (const key of this.#texts.keys()) if (!this.#tasks.has(key)) this.#texts.delete(key);
    this.#listed = [];
    this.#state = 'there';
    this.revision += 1;
    this.#askTexts();
  }

  failed(): void {
    this.#listed = [];
    this.#state = 'failed';
    this.revision += 1;
  }

  message(message: KnownMessage | undefined): void {
    if (message !== undefined && !message.recalled) this.#texts.set(keyOf(message), message.text.slice(0, TEXT_KEPT));
    this.revision += 1;
  }

  give(to: Id, at: number, whose: { readonly person: Id } | { readonly role: Id }, minutes: number, boxWall: number): void {
    const [conversation, sequence] = [parseId<ConversationId>(to), parseSequence(at)];
    const person = 'person' in whose ? parseId<PersonId>(whose.person) : null;
    const role = 'role' in whose ? parseId<RoleId>(whose.role) : null;
    if (conversation === null || sequence === null || (person === null) === (role === null) || !(minutes >= 0)) return;
    const due = minutes === 0 ? 0n : BigInt(Math.floor(boxWall + Math.min(minutes, MINUTES_MAX - 1) * 60_000));
    const value = { conversation: wireId(conversation), sequence: wireSequence(sequence), person: wireId(person), role: wireId(role), due };
    this.#link.ask({ call: 'care', of: 'task' }, { case: 'giveTask', value });
  }

  answer(to: Id, at: number, answer: keyof typeof ANSWERS, reason: string | undefined): void {
    const [conversation, sequence] = [parseId<ConversationId>(to), parseSequence(at)];
    if (conversation === null || sequence === null) return;
    const declines = answer === 'decline' ? (REASONS.get(reason ?? '') ?? DeclineReason.OTHER) : DeclineReason.UNSPECIFIED;
    const value = { conversation: wireId(conversation), sequence: wireSequence(sequence), answer: ANSWERS[answer], reason: declines };
    this.#link.ask({ call: 'care', of: 'task' }, { case: 'answerTask', value });
  }

  shown(me: PersonId): { readonly state: Asked; readonly list: readonly Task[]; readonly over: readonly OverTask[] } {
    const list = [...this.#tasks.values()].flatMap((task) => this.#task(task, me));
    list.sort((one, other) => Number(other.overdue) - Number(one.overdue) || (one.due || Infinity) - (other.due || Infinity) || (one.text < other.text ? -1 : 1));
    return { state: this.#state, list, over: this.#over.flatMap((one) => this.#ended(one, me)) };
  }

  #end(task: KnownTask, how: OverTask['how']): void {
    const text = this.#book.conversations.get(task.conversation)?.at(task.sequence)?.text ?? this.#texts.get(keyOf(task)) ?? '';
    const over = [...this.#over, { task, how, text: text.slice(0, TEXT_KEPT) }];
    this.#over = over.sort((one, other) => other.task.at - one.task.at).slice(0, TASKS_OVER_KEPT);
  }

  #ended({ task, how, text }: { readonly task: KnownTask; readonly how: OverTask['how']; readonly text: string }, me: PersonId): readonly OverTask[] {
    const { conversation: id, sequence, at } = task;
    const conversation = this.#book.conversations.get(id);
    const message = conversation?.at(sequence);
    // As an open one it goes with its message: recalled, too old, or in a conversation that is gone.
    if (conversation === undefined || conversation.known.purged || message?.recalled === true || sequence < conversation.known.first) return [];
    const { title, subtitle } = this.#screen.called(conversation, me);
    const by = task.by === null ? '' : this.#book.nameOf(task.by, conversation);
    return [{ conversation: id, sequence, title, place: subtitle, text: message?.text.slice(0, TEXT_KEPT) ?? text, how, by, at }];
  }

  #task(task: KnownTask, me: PersonId): readonly Task[] {
    const conversation = this.#book.conversations.get(task.conversation);
    const message = conversation?.at(task.sequence);
    // It goes with its message, and with the conversation.
    if (conversation === undefined || conversation.known.purged || message?.recalled === true) return [];
    const { title, subtitle } = this.#screen.called(conversation, me);
    const [gave, hasTaken] = [task.author === me, task.state === 'taken' && task.by === me];
    const mine = hasTaken || task.person === me || this.#holds(task.role, me) || (task.role !== null && task.listed && !gave);
    const takes = mine && (task.state === 'taken' ? hasTaken || task.person === me : true);
    return [
      {
        conversation: task.conversation,
        sequence: task.sequence,
        title,
        place: subtitle,
        text: (message?.text ?? this.#texts.get(keyOf(task)) ?? '').slice(0, TEXT_KEPT),
        author: this.#book.nameOf(task.author, conversation),
        whose: task.person !== null ? this.#book.nameOf(task.person, conversation) : (this.#book.roles?.find((role) => role.id === task.role)?.name ?? ''),
        mine,
        gave,
        due: task.due,
        overdue: task.overdue,
        state: task.state === 'done' || task.state === 'withdrawn' ? 'open' : task.state,
        by: task.by === null ? '' : this.#book.nameOf(task.by, conversation),
        may: [
          ...(takes && task.state !== 'taken' ? (['take'] as const) : []),
          ...(takes ? (['done'] as const) : []),
          ...(takes && task.state !== 'declined' ? (['decline'] as const) : []),
          ...(gave ? (['withdraw'] as const) : []),
        ],
      },
    ];
  }

  #holds(role: RoleId | null, me: PersonId | null): boolean {
    return role !== null && me !== null && (this.#book.roles?.find((one) => one.id === role)?.holders.includes(me) ?? false);
  }

  #drop(key: string): void {
    this.#tasks.delete(key);
    this.#texts.delete(key);
  }

  #askBehind(last: KnownTask | null): void {
    const value = last === null ? {} : { afterConversation: wireId(last.conversation), afterSequence: wireSequence(last.sequence) };
    this.#state = this.#link.ask({ call: 'look', at: 'tasks' }, { case: 'listTasks', value }) ? 'asking' : 'failed';
    this.revision += 1;
  }

  #askTexts(): void {
    let room = TEXTS_AT_ONCE;
    for (const [key, { conversation, sequence }] of this.#tasks) {
      const isHere = (this.#book.conversations.get(conversation)?.at(sequence) ?? null) !== null;
      if (isHere || this.#texts.has(key) || !this.#book.conversations.has(conversation)) continue;
      const value = { conversation: wireId(conversation), before: wireSequence(sequence + 1), limit: 1 };
      if (room === 0 || !this.#link.ask({ call: 'look', at: 'taskText', conversation, sequence }, { case: 'history', value })) return;
      room -= 1;
      this.#texts.set(key, null);
    }
  }
}

function keyOf({ conversation, sequence }: { readonly conversation: ConversationId; readonly sequence: Sequence }): string {
  return `${conversation} ${sequence}`;
}

function isOpen(task: KnownTask): boolean {
  return task.state !== 'done' && task.state !== 'withdrawn';
}

function readTask(wire: WireTask, listed: boolean): KnownTask {
  const states = new Map<TaskState, KnownTask['state']>([
    [TaskState.OPEN, 'open'],
    [TaskState.TAKEN, 'taken'],
    [TaskState.DECLINED, 'declined'],
    [TaskState.DONE, 'done'],
  ]);
  return {
    conversation: readId(wire.conversation),
    sequence: readSequence(wire.sequence),
    author: readId(wire.author),
    person: idOf(wire.person),
    role: idOf(wire.role),
    given: momentOf(wire.given),
    due: momentOf(wire.due),
    state: states.get(wire.state) ?? 'withdrawn',
    at: momentOf(wire.at),
    by: idOf(wire.by),
    overdue: wire.overdue,
    listed,
  };
}
