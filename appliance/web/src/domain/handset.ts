/** A phone that several people use in turn: who is here, as far as each may know of the others. */

/** Places on one handset: a ward's phone changes hands between the people of a few shifts. */
export const PLACES_MAX = 8;
/** Of a name, as it stands on a lock screen. Characters. */
const SHOWN_MAX = 24;

/** Somebody who has a place here. Nothing of what they wrote, or to whom. */
export interface PersonHere {
  readonly place: number;
  /** First name and an initial; empty: not known yet. */
  readonly name: string;
  /** Their turn it is. */
  readonly isHere: boolean;
  /** Messages that are to be sent; of these, those that do not leave before they are there themselves. */
  readonly waiting: number;
  readonly staying: number;
  /** The box lets this device of theirs in no more. */
  readonly isOut: boolean;
}

export interface Handset {
  readonly people: readonly PersonHere[];
  readonly hasRoom: boolean;
  /** Called after each change; returns how to stop. */
  watch(changed: () => void): () => void;
  /** Each begins the page anew: nothing of one person is in the memory of the next one's. */
  switchTo(place: number): Promise<void>;
  joinHere(): Promise<void>;
  /** Everything of whoever is here goes, what waits as well. */
  leave(): Promise<void>;
  /** The same of somebody whom the box lets in no more. */
  remove(place: number): Promise<void>;
}

/** "Ana Flores" is "Ana F.": enough for whoever works here, and little for whoever finds the phone. */
export function shortName(name: string): string {
  const [first = '', ...more] = name.trim().split(/\s+/);
  const initial = Array.from(more.at(-1) ?? '')[0];
  return [Array.from(first).slice(0, SHOWN_MAX).join(''), ...(initial === undefined ? [] : [`${initial}.`])].join(' ');
}

/** Messages of others that wait here. */
export function othersWaiting(people: readonly PersonHere[]): number {
  return people.reduce((sum, one) => (one.isHere ? sum : sum + one.waiting), 0);
}

/** The first that nobody has; `null`: there is no room. */
export function freePlace(places: readonly number[]): number | null {
  const free = Array.from({ length: PLACES_MAX }, (_, place) => place).find((place) => !places.includes(place));
  return places.length < PLACES_MAX ? (free ?? null) : null;
}
