/** A patient's family, as the care team sees it: who may write, who waits, who is in (README.md, section 7e). */

import type { FamilyPage } from '../../gen/wardline_pb.js';
import type { Ask } from '../frames.ts';
import { type ConversationId, type DeviceId, idOf, momentOf, parseId, type PersonId, type StayId, wireId } from '../ids.ts';
import type { At, Id } from '../snapshot.ts';
import { cleanLine, cleanText } from '../texts.ts';

/** A visit goes on for so long at first, and at most so far ahead. Milliseconds. */
export const VISIT = 14 * 86_400_000;
/** Of what is listed; the box bounds each below that. */
const LISTED_MAX = 300;
/** Texts, in bytes. */
const NAME_MAX = 64;
const TITLE_MAX = 80;
const WORDS_MIN = 10;
const WORDS_MAX = 500;

export interface VisitRequest {
  /** By the device that asks. */
  readonly device: Id;
  readonly name: string;
  readonly relation: string;
  readonly deviceName: string;
  readonly at: At;
  readonly until: At;
  /** Somebody of this name is not to be let in. */
  readonly blocked: boolean;
}

export interface Visitor {
  readonly person: Id;
  readonly name: string;
  readonly relation: string;
  readonly conversation: Id | null;
  readonly until: At;
  readonly by: Id | null;
  readonly devices: number;
}

export interface FamilyThread {
  readonly conversation: Id;
  readonly title: string;
  /** The patient's own. */
  readonly own: boolean;
  readonly ended: boolean;
}

export interface Family {
  readonly consent: { readonly by: Id; readonly at: At; readonly words: string } | null;
  readonly blocked: readonly string[];
  /** When the bedside code ends; 0: there is none. */
  readonly codeExpires: At;
  readonly requests: readonly VisitRequest[];
  readonly visitors: readonly Visitor[];
  readonly threads: readonly FamilyThread[];
}

/** How somebody who waits is let in. */
export type LetIn =
  | { readonly into: 'new'; readonly title: string }
  | { readonly into: 'thread'; readonly thread: Id }
  | { readonly into: 'own' }
  | { readonly into: 'same'; readonly person: Id };

export function readFamily(page: FamilyPage): Family {
  const by = idOf<PersonId>(page.consentBy);
  return {
    consent: by === null ? null : { by, at: momentOf(page.consentAt), words: cleanText(page.consentWords) },
    blocked: page.blocked.slice(0, LISTED_MAX).map(cleanLine),
    codeExpires: momentOf(page.codeExpires),
    requests: page.requests.slice(0, LISTED_MAX).flatMap(({ device, name, relation, deviceName, at, until, blocked }) => {
      const id = idOf<DeviceId>(device);
      const said = { name: cleanLine(name), relation: cleanLine(relation), deviceName: cleanLine(deviceName) };
      return id === null ? [] : [{ device: id, ...said, at: momentOf(at), until: momentOf(until), blocked }];
    }),
    visitors: page.visitors.slice(0, LISTED_MAX).flatMap(({ person, name, relation, conversation, until, by, devices }) => {
      const id = idOf<PersonId>(person);
      const said = { name: cleanLine(name), relation: cleanLine(relation), devices };
      return id === null ? [] : [{ person: id, ...said, conversation: idOf<ConversationId>(conversation), until: momentOf(until), by: idOf<PersonId>(by) }];
    }),
    threads: page.threads.slice(0, LISTED_MAX).flatMap(({ conversation, title, own, ended }) => {
      const id = idOf<ConversationId>(conversation);
      return id === null ? [] : [{ conversation: id, title: cleanLine(title), own, ended }];
    }),
  };
}

/** Where one tap lets somebody in: the one family thread that goes on, else a new one under their name. */
export function usualWay(family: Family, request: VisitRequest): LetIn {
  const going = family.threads.filter((thread) => !thread.ended && !thread.own);
  const [only] = going;
  return only !== undefined && going.length === 1 ? { into: 'thread', thread: only.conversation } : { into: 'new', title: cut(request.name, TITLE_MAX) };
}

/** `null` where what is named is no name, or a text is too short or too long. */
export const ask = {
  list: (stay: Id): Ask | null => ofStay(stay, (encounter) => ({ case: 'listFamily', value: { encounter } })),
  consent: (stay: Id, words: string): Ask | null => {
    const said = words.trim();
    return [...said].length < WORDS_MIN || bytes(said) > WORDS_MAX ? null : ofStay(stay, (encounter) => ({ case: 'setFamilyConsent', value: { encounter, given: true, words: said } }));
  },
  withdraw: (stay: Id): Ask | null => ofStay(stay, (encounter) => ({ case: 'setFamilyConsent', value: { encounter, given: false } })),
  block: (stay: Id, typed: string, blocked: boolean): Ask | null => {
    const name = typed.trim();
    return name === '' || bytes(name) > NAME_MAX ? null : ofStay(stay, (encounter) => ({ case: 'setFamilyBlock', value: { encounter, name, blocked } }));
  },
  code: (stay: Id, end: boolean): Ask | null => ofStay(stay, (encounter) => ({ case: 'issueBedsideCode', value: { encounter, end } })),
  decline: (device: Id): Ask | null => ofDevice(device, (wire) => ({ case: 'answerVisit', value: { device: wire, answer: { case: 'decline', value: {} } } })),
  letIn: (device: Id, way: LetIn, until: At): Ask | null => {
    const answer = answerOf(way);
    return answer === null ? null : ofDevice(device, (wire) => ({ case: 'answerVisit', value: { device: wire, answer, until: BigInt(Math.floor(until)) } }));
  },
  end: (person: Id): Ask | null => ofPerson(person, (wire) => ({ case: 'endVisit', value: { person: wire } })),
  prolong: (person: Id, until: At): Ask | null => ofPerson(person, (wire) => ({ case: 'prolongVisit', value: { person: wire, until: BigInt(Math.floor(until)) } })),
  endThread: (thread: Id): Ask | null => {
    const id = parseId<ConversationId>(thread);
    return id === null ? null : { case: 'endFamilyThread', value: { conversation: wireId(id) } };
  },
};

type Answer = NonNullable<Extract<Ask, { case: 'answerVisit' }>['value']['answer']>;

function answerOf(way: LetIn): Answer | null {
  switch (way.into) {
    case 'new': {
      const title = way.title.trim();
      return title === '' || bytes(title) > TITLE_MAX ? null : { case: 'newThread', value: title };
    }
    case 'thread': {
      const id = parseId<ConversationId>(way.thread);
      return id === null ? null : { case: 'thread', value: wireId(id) };
    }
    case 'own':
      return { case: 'own', value: {} };
    case 'same': {
      const id = parseId<PersonId>(way.person);
      return id === null ? null : { case: 'person', value: wireId(id) };
    }
  }
}

function ofStay(stay: Id, of: (encounter: bigint) => Ask): Ask | null {
  const id = parseId<StayId>(stay);
  return id === null ? null : of(wireId(id));
}

function ofDevice(device: Id, of: (device: bigint) => Ask): Ask | null {
  const id = parseId<DeviceId>(device);
  return id === null ? null : of(wireId(id));
}

function ofPerson(person: Id, of: (person: bigint) => Ask): Ask | null {
  const id = parseId<PersonId>(person);
  return id === null ? null : of(wireId(id));
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** As much of a text as fits, whole letters. */
function cut(text: string, most: number): string {
  const letters = Array.from(text);
  while (bytes(letters.join('')) > most) letters.pop();
  return letters.join('');
}
