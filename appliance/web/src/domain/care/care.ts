/**
 * What the person has to do beside conversations, brought together: beds, searching, tasks, and when they want to be disturbed. Asks the
 * box through a {@link CareLink} and hears answers, as `../desk.ts` does for conversations, which holds it.
 */

import type { OwnAvailability } from '../../gen/wardline_pb.js';
import type { Book } from '../book.ts';
import type { Call, CareCall, Look } from '../calls.ts';
import type { Ask, Told } from '../frames.ts';
import { idOf, momentOf, parseId, type PersonId, wireId } from '../ids.ts';
import type { Screen } from '../screen.ts';
import type { Id } from '../snapshot.ts';
import { readId, readMessage } from '../wire.ts';
import type { Availability, Care as Shown, CareAct } from './contract.ts';
import { Searching } from './searching.ts';
import { Tasks } from './tasks.ts';
import { Wards } from './wards.ts';

/** False: not now, which the person has been told. */
export interface CareLink {
  ask(call: Call, body: Ask): boolean;
}

/** Of what the desk does with conversations. */
export type Rest = Exclude<CareAct, { readonly act: 'openAt' | 'leaveFound' }>;

/** For how many one covers; the protocol has 8. */
const COVERING_MAX = 8;
const UNDISTURBED_HOURS_MAX = 16;

interface KnownAvailability {
  readonly until: number;
  readonly cover: PersonId | null;
  readonly covering: readonly { readonly id: PersonId; readonly until: number }[];
}
const DISTURBED: KnownAvailability = { until: 0, cover: null, covering: [] };

export class Care {
  readonly tasks: Tasks;
  readonly #book: Book;
  readonly #link: CareLink;
  readonly #wards: Wards;
  readonly #searching: Searching;
  #availability = DISTURBED;
  #revision = 0;
  #shown: { readonly key: string; readonly shown: Shown } | null = null;

  constructor(book: Book, screen: Screen, link: CareLink) {
    this.#book = book;
    this.#link = link;
    this.#wards = new Wards(book, link);
    this.#searching = new Searching(book, screen, link);
    this.tasks = new Tasks(book, screen, link);
  }

  /** What the box says of availability comes behind it, where there is something to say. */
  signedIn(): void {
    this.#availability = DISTURBED;
    this.#revision += 1;
  }

  /** `boxWall`: the box's clock. */
  act(act: Rest, me: PersonId, boxWall: number): void {
    switch (act.act) {
      case 'askWards':
        return this.#wards.ask(me);
      case 'askNames':
        return this.#wards.askNames(act.unit);
      case 'takeBeds':
        return this.#wards.take(act.unit, act.beds, act.hours, boxWall);
      case 'endShift':
        return this.#wards.end(act.shift, me);
      case 'search':
        return this.#searching.search(act.words);
      case 'searchMore':
        return this.#searching.more();
      case 'forgetSearch':
        return this.#searching.forget();
      case 'askTasks':
        return this.tasks.ask();
      case 'giveTask':
        return this.tasks.give(act.conversation, act.sequence, act.to, act.minutes, boxWall);
      case 'answerTask':
        return this.tasks.answer(act.conversation, act.sequence, act.answer, act.reason);
      case 'undisturbed':
        return this.#undisturbed(act.hours, act.cover, boxWall);
      case 'clearAvailability':
        return this.#says({ case: 'setAvailability', value: { says: { case: 'clear', value: {} } } });
      case 'refuseCover': {
        const person = parseId<PersonId>(act.person);
        if (person !== null) this.#says({ case: 'refuseCover', value: { person: wireId(person) } });
      }
    }
  }

  /** What the box says unasked. Throws a `WireFault`. */
  told(body: Told): void {
    if (body.case === 'ownAvailability') this.#availability = readAvailability(body.value);
    this.#revision += 1;
  }

  /** An answer to a look. False: it is none. Throws a `WireFault`. */
  looked(look: Look, body: Told, wall: number): boolean {
    if (look.at === 'beds' && body.case === 'bedPage') this.#wards.beds(look.unit, body.value, wall);
    else if (look.at === 'patients' && body.case === 'patientPage') this.#wards.patients(look.unit, body.value);
    else if (look.at === 'search' && body.case === 'searchPage') this.#searching.found(look.number, body.value);
    else if (look.at === 'lookUp' && body.case === 'lookedUp') this.#searching.lookedUp(look.number, body.value);
    else if (look.at === 'tasks' && body.case === 'taskPage') this.tasks.page(body.value);
    else if (look.at === 'taskText' && body.case === 'historyPage') {
      this.tasks.message(body.value.messages.map(readMessage).find((message) => message.sequence === look.sequence));
    } else return false;
    return true;
  }

  /** No answer comes, or it was refused. */
  unlooked(look: Look): void {
    if (look.at === 'beds' || look.at === 'patients') this.#wards.failed(look.unit, look.at);
    else if (look.at === 'search' || look.at === 'lookUp') this.#searching.failed(look.number);
    else if (look.at === 'tasks') this.tasks.failed();
  }

  /** An act is done. */
  done(call: CareCall): void {
    if (call.of === 'shift') this.#wards.changed(call.unit);
  }

  shown(me: PersonId): Shown {
    let threads = this.#book.conversations.size;
    for (const conversation of this.#book.conversations.values()) threads += conversation.revision;
    const parts = [this.#revision, this.#wards.revision, this.#searching.revision, this.tasks.revision, this.#book.directoryRevision, threads, me];
    const key = parts.join(' ');
    if (this.#shown?.key !== key) {
      const shown = { ...this.#wards.shown(me), search: this.#searching.shown(me), tasks: this.tasks.shown(me), availability: this.#available() };
      this.#shown = { key, shown };
    }
    return this.#shown.shown;
  }

  #undisturbed(hours: number, covers: Id | null, boxWall: number): void {
    const cover = covers === null ? null : parseId<PersonId>(covers);
    if (!(hours >= 0 && hours <= UNDISTURBED_HOURS_MAX)) return;
    // A second less than the most, which a clock that goes by must not make too far.
    const until = hours === 0 ? 0n : BigInt(Math.floor(boxWall) + Math.min(hours * 3_600_000, UNDISTURBED_HOURS_MAX * 3_600_000 - 1_000));
    this.#says({ case: 'setAvailability', value: { says: { case: 'undisturbed', value: { until, cover: hours === 0 ? 0n : wireId(cover) } } } });
  }

  #says(body: Ask): void {
    this.#link.ask({ call: 'care', of: 'availability' }, body);
  }

  #available(): Availability {
    const { until, cover, covering } = this.#availability;
    return {
      until,
      cover: cover === null ? '' : this.#book.nameOf(cover, null),
      covering: covering.map((one) => ({ ...one, name: this.#book.nameOf(one.id, null) })),
    };
  }
}

function readAvailability(wire: OwnAvailability): KnownAvailability {
  return {
    until: momentOf(wire.undisturbedUntil),
    cover: idOf<PersonId>(wire.cover),
    covering: wire.covering.slice(0, COVERING_MAX).map(({ person, until }) => ({ id: readId<PersonId>(person), until: momentOf(until) })),
  };
}
