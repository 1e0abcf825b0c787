/** What was looked for and what was found (README.md, section 14). In memory until it is left; never kept and in no address. */

import type { LookedUp, SearchPage } from '../../gen/wardline_pb.js';
import type { Book } from '../book.ts';
import type { PersonId } from '../ids.ts';
import type { KnownMessage, KnownPerson } from '../known.ts';
import type { Screen } from '../screen.ts';
import { readMessage, readPerson } from '../wire.ts';
import type { CareLink } from './care.ts';
import type { Asked, FoundPatient, Hit, Search } from './contract.ts';
import { readListed } from './wards.ts';

/** As typed; 400 bytes are never less than as many code units. */
const WORDS_MAX = 400;
const HITS_PAGE = 20;
/** Hits that are kept: ten pages; of 8 KiB each they are 1.6 MB. Whoever needs more takes another word. */
const HITS_MAX = 200;
const LOOKED_UP = 10;
/** Characters of a hit's text that are shown around the words. */
const EXCERPT = 240;

export class Searching {
  readonly #book: Book;
  readonly #screen: Screen;
  readonly #link: CareLink;
  revision = 0;
  #words = '';
  /** Rises with each search: answers of an earlier one are no more. */
  #number = 0;
  #state: Asked = 'unasked';
  #hits: KnownMessage[] = [];
  #page: Omit<SearchPage, 'hits'> | null = null;
  #people: readonly KnownPerson[] = [];
  #patients: readonly NonNullable<ReturnType<typeof readListed>>[] = [];
  #inAll = { people: 0, patients: 0 };

  constructor(book: Book, screen: Screen, link: CareLink) {
    this.#book = book;
    this.#screen = screen;
    this.#link = link;
  }

  search(typed: string): void {
    this.forget();
    const words = typed.trim().slice(0, WORDS_MAX);
    if (words === '') return;
    this.#words = words;
    this.#state = 'asking';
    const number = this.#number;
    const isAsked =
      this.#link.ask({ call: 'look', at: 'search', number }, { case: 'search', value: { words, limit: HITS_PAGE } }) &&
      this.#link.ask({ call: 'look', at: 'lookUp', number }, { case: 'lookUp', value: { words, limit: LOOKED_UP } });
    if (!isAsked) this.#state = 'failed';
  }

  more(): void {
    const after = this.#page?.after;
    if (after === undefined || after.length === 0 || this.#state !== 'there' || this.#hits.length >= HITS_MAX) return;
    const value = { words: this.#words, limit: HITS_PAGE, after };
    this.#state = this.#link.ask({ call: 'look', at: 'search', number: this.#number }, { case: 'search', value }) ? 'asking' : 'there';
    this.revision += 1;
  }

  forget(): void {
    this.#number += 1;
    this.#words = '';
    this.#state = 'unasked';
    this.#hits = [];
    this.#page = null;
    this.#people = [];
    this.#patients = [];
    this.#inAll = { people: 0, patients: 0 };
    this.revision += 1;
  }

  /** Throws a `WireFault`. */
  found(number: number, page: SearchPage): void {
    if (number !== this.#number) return;
    this.#hits.push(...page.hits.map(readMessage).slice(0, HITS_MAX - this.#hits.length));
    this.#page = page;
    this.#state = 'there';
    this.revision += 1;
  }

  /** Throws a `WireFault`. */
  lookedUp(number: number, answer: LookedUp): void {
    if (number !== this.#number) return;
    this.#people = answer.people.slice(0, LOOKED_UP).map(readPerson);
    this.#patients = answer.patients.slice(0, LOOKED_UP).map(readListed).filter((one) => one !== null);
    this.#inAll = { people: answer.peopleInAll, patients: answer.patientsInAll };
    this.revision += 1;
  }

  /** What is there stays. */
  failed(number: number): void {
    if (number !== this.#number) return;
    this.#state = 'failed';
    this.revision += 1;
  }

  shown(me: PersonId): Search | null {
    if (this.#state === 'unasked') return null;
    const page = this.#page;
    return {
      words: this.#words,
      state: this.#state,
      hits: this.#hits.flatMap((hit) => this.#hit(hit, me)),
      atLeast: Number(page?.atLeast ?? 0n),
      uncounted: page?.more ?? false,
      complete: page?.complete ?? true,
      more: (page?.after.length ?? 0) > 0 && this.#hits.length < HITS_MAX,
      people: this.#people.filter((person) => !person.isStation).map((person) => this.#screen.known(person)),
      peopleInAll: this.#inAll.people,
      patients: this.#patients.map((one) => this.#patient(one)),
      patientsInAll: this.#inAll.patients,
    };
  }

  /** Of a conversation that is gone, or a message that was recalled meanwhile, nothing is shown. */
  #hit(hit: KnownMessage, me: PersonId): readonly Hit[] {
    const conversation = this.#book.conversations.get(hit.conversation);
    const now = conversation?.at(hit.sequence) ?? hit;
    if (conversation === undefined || now.recalled || conversation.known.purged || hit.sequence < conversation.known.first) return [];
    const { title, subtitle } = this.#screen.called(conversation, me);
    return [
      {
        conversation: hit.conversation,
        sequence: hit.sequence,
        title,
        place: subtitle,
        author: this.#book.nameOf(hit.sender, conversation),
        at: hit.at,
        text: excerpt(now.text, this.#words),
      },
    ];
  }

  #patient({ patient, stay, conversation }: NonNullable<ReturnType<typeof readListed>>): FoundPatient {
    return {
      stay: stay.id ?? '',
      name: patient.particulars?.name ?? patient.alias,
      bed: stay.bed,
      unit: stay.unit === null ? '' : (this.#book.units.get(stay.unit)?.name ?? ''),
      recordNumber: patient.particulars?.recordNumber ?? '',
      discharged: stay.state === 'discharged',
      conversation: conversation !== null && this.#book.conversations.has(conversation) ? conversation : null,
    };
  }
}

/** The part of a text that has the first of the words, where one can be seen as it is written. */
export function excerpt(text: string, words: string): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  if (flat.length <= EXCERPT) return flat;
  const lower = flat.toLowerCase();
  const places = words.toLowerCase().replace(/["“”„]/g, ' ').split(/\s+/).filter((word) => word !== '').map((word) => lower.indexOf(word));
  const first = Math.min(...places.filter((place) => place >= 0));
  const start = Number.isFinite(first) && first > EXCERPT / 2 ? flat.lastIndexOf(' ', first - EXCERPT / 4) + 1 : 0;
  return `${start > 0 ? '… ' : ''}${flat.slice(start, start + EXCERPT)}${start + EXCERPT < flat.length ? '…' : ''}`;
}
