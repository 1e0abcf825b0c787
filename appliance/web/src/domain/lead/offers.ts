/** Roles that are handed over: what is offered, and what is open where a role passes (README.md, section 7b). */

import { OfferAnswer, OfferFate, type OfferNews, type OfferPage, type OpenOffer, type RoleOffer } from '../../gen/wardline_pb.js';
import type { Ask } from '../frames.ts';
import { type ConversationId, idOf, momentOf, parseId, type PersonId, type RoleId, sequenceOf, type UnitId, wireId } from '../ids.ts';
import type { At, Id } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';

/** The longest that a role is handed over for. Hours. */
export const OFFER_HOURS_MAX = 16;
/** Offers that wait for one person; the box holds 16. */
const WAITING_MAX = 64;
/** What is listed of an offer, as the box sends at most. */
const OPEN_MAX = 20;

/** A role that somebody who holds it would hand over. */
export interface Offer {
  readonly id: Id;
  readonly role: Id;
  readonly giver: Id;
  readonly taker: Id;
  /** Not to be accepted before. */
  readonly from: At;
  readonly until: At;
  /** Over from then on. */
  readonly expires: At;
}

/** A STAT or a task that is open where the role passes. */
export interface OpenThing {
  /** Where it stands; `null`: whoever asks may not read it. */
  readonly conversation: Id | null;
  readonly sequence: number;
  readonly unit: Id | null;
  readonly senderTitle: string;
  /** When a STAT was sent, or a task is due; 0: nobody said. */
  readonly at: At;
  /** The giver has it: it stays theirs. */
  readonly stays: boolean;
  readonly overdue: boolean;
}

export interface OfferShown extends Offer {
  readonly stats: readonly OpenThing[];
  readonly statsCount: number;
  readonly tasks: readonly OpenThing[];
  readonly tasksCount: number;
  /** When nobody will hold the role. */
  readonly gaps: readonly { readonly start: At; readonly end: At }[];
  /** The giver's beds, which are not handed over; 0 beds: the whole unit. */
  readonly shifts: readonly { readonly beds: number; readonly patients: number; readonly until: At }[];
}

/** Offers that wait for the person's answer, as the box tells of them. */
export class Offers {
  readonly #waiting = new Map<Id, Offer>();
  #list: readonly Offer[] = [];

  told({ offer, fate }: OfferNews): void {
    const read = offer === undefined ? null : readOffer(offer);
    if (read === null) return;
    this.#waiting.delete(read.id);
    if (fate === OfferFate.MADE && this.#waiting.size < WAITING_MAX) this.#waiting.set(read.id, read);
    this.#list = [...this.#waiting.values()];
  }

  /** The box tells of all that wait after each sign-in. */
  forget(): void {
    this.#waiting.clear();
    this.#list = [];
  }

  /** For this person to answer. */
  of(me: PersonId): readonly Offer[] {
    return this.#list.some((one) => one.taker !== me) ? this.#list.filter((one) => one.taker === me) : this.#list;
  }
}

export function readOffer(wire: RoleOffer): Offer | null {
  const [id, role, giver, taker] = [idOf<RoleId>(wire.offer), idOf<RoleId>(wire.role), idOf<PersonId>(wire.giver), idOf<PersonId>(wire.taker)];
  if (id === null || role === null || giver === null || taker === null) return null;
  return { id, role, giver, taker, from: momentOf(wire.from), until: momentOf(wire.until), expires: momentOf(wire.expires) };
}

export function readOffers(page: OfferPage): readonly OfferShown[] {
  return page.offers.flatMap((wire) => readOpenOffer(wire) ?? []);
}

function readOpenOffer(wire: OpenOffer): OfferShown | null {
  const offer = wire.offer === undefined ? null : readOffer(wire.offer);
  if (offer === null) return null;
  const stats = wire.stats.slice(0, OPEN_MAX).map((stat) => ({
    ...placeOf(stat.conversation, stat.sequence),
    unit: idOf<UnitId>(stat.unit),
    senderTitle: cleanLine(stat.senderTitle),
    at: momentOf(stat.opened),
    stays: stat.stays,
    overdue: false,
  }));
  const tasks = wire.tasks.slice(0, OPEN_MAX).map((task) => ({
    ...placeOf(task.conversation, task.sequence),
    unit: null,
    senderTitle: '',
    at: momentOf(task.due),
    stays: false,
    overdue: task.overdue,
  }));
  return {
    ...offer,
    stats,
    statsCount: Math.max(wire.statsCount, stats.length),
    tasks,
    tasksCount: Math.max(wire.tasksCount, tasks.length),
    gaps: wire.gaps.slice(0, OPEN_MAX).map((gap) => ({ start: momentOf(gap.start), end: momentOf(gap.end) })),
    shifts: wire.shifts.slice(0, OPEN_MAX).map((shift) => ({ beds: shift.beds, patients: shift.patients, until: momentOf(shift.until) })),
  };
}

function placeOf(conversation: bigint, sequence: bigint): { readonly conversation: Id | null; readonly sequence: number } {
  const [of, at] = [idOf<ConversationId>(conversation), sequenceOf(sequence)];
  return of === null || at === null ? { conversation: null, sequence: 0 } : { conversation: of, sequence: at };
}

/** `null` where one of the names is none. */
export function offerRole(role: Id, place: number, person: Id, from: At, until: At): Ask | null {
  const [what, whom] = [parseId<RoleId>(role), parseId<PersonId>(person)];
  if (what === null || whom === null) return null;
  return { case: 'offerRole', value: { role: wireId(what), place, person: wireId(whom), from: BigInt(Math.floor(from)), until: BigInt(Math.floor(until)) } };
}

const ANSWERS = { accept: OfferAnswer.ACCEPT, decline: OfferAnswer.DECLINE, withdraw: OfferAnswer.WITHDRAW } as const;

export function answerOffer(offer: Id, answer: keyof typeof ANSWERS): Ask | null {
  const id = parseId<RoleId>(offer);
  return id === null ? null : { case: 'answerOffer', value: { offer: wireId(id), answer: ANSWERS[answer] } };
}

export function listOffers(after: Id | null): Ask {
  return { case: 'listOffers', value: { after: wireId(after === null ? null : parseId<RoleId>(after)) } };
}

/**
 * The next moment at which clocks show this time ("19:00"), by the device's own; `null` for what is no time of a day. One that is
 * just now is now.
 */
export function nextAt(time: string, now: At): At | null {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? [];
  if (hour === undefined || minute === undefined) return null;
  const at = new Date(now);
  at.setHours(Number(hour), Number(minute), 0, 0);
  if (at.getTime() < now - 60_000) at.setDate(at.getDate() + 1);
  return at.getTime();
}
