/**
 * A phone that several people use in turn. Each has a place: a key, a login secret and an outbox of their own. What somebody composed and
 * left waiting leaves beside whoever is here: one place at a time, on a connection of its own that proves that device, stays locked, and
 * sends what is sealed. It ends once nothing is left that leaves without its author.
 */

import { freePlace, type Handset, type PersonHere } from '../domain/handset.ts';
import { Seat } from './seat.ts';
import { changePlaces, clearPlace, readPlaces, Storage } from './storage.ts';

/** So long it is one place's turn while others wait. Milliseconds. */
const TURN_MAX = 60_000;

export class BrowserHandset implements Handset {
  readonly #here: Seat;
  readonly #watching = new Set<() => void>();
  #people: PersonHere[] = [];
  #places: readonly number[] = [];
  /** Whose turn it is to send, beside whoever is here. */
  #away: Seat | null = null;
  #isOver = false;
  #begun: Promise<void> | null = null;

  constructor(here: Seat) {
    this.#here = here;
  }

  get people(): readonly PersonHere[] {
    const { waiting, staying = 0 } = this.#here.snapshot;
    return this.#people.map((one) => (one.isHere ? { ...one, waiting, staying } : one));
  }

  get hasRoom(): boolean {
    return freePlace(this.#places) !== null;
  }

  watch(changed: () => void): () => void {
    this.#watching.add(changed);
    return () => this.#watching.delete(changed);
  }

  /** Once: reads who is here, and begins to send. */
  begin(): Promise<void> {
    this.#begun ??= this.#read().then(() => void this.#send());
    return this.#begun;
  }

  async switchTo(place: number): Promise<void> {
    await this.#rest();
    await changePlaces((kept) => ({ ...kept, current: place }));
    location.reload();
  }

  async joinHere(): Promise<void> {
    const place = freePlace(this.#places);
    if (place !== null) await this.switchTo(place);
  }

  async leave(): Promise<void> {
    await this.#here.end();
    await this.remove(this.#here.place);
  }

  async remove(place: number): Promise<void> {
    await this.#rest();
    await endBell(place).catch(() => undefined);
    await clearPlace(place);
    await changePlaces(({ current, places }) => {
      const left = places.filter((one) => one !== place);
      return { places: left, current: current === place ? (left[0] ?? 0) : current };
    });
    location.reload();
  }

  /** Another tab has this profile. */
  end(): void {
    this.#isOver = true;
    void this.#away?.end();
  }

  async #read(): Promise<void> {
    this.#places = (await readPlaces()).places;
    this.#people = await Promise.all(
      this.#places.map(async (place) => {
        const storage = await Storage.open(place);
        const [identity, kept] = [await storage.get('identity'), await storage.waiting()];
        storage.close();
        const going = kept.filter((one) => one.failed === null);
        const staying = going.filter((one) => one.sealed == null || one.sealed.number !== one.number).length;
        return { place, name: identity?.name ?? '', isHere: place === this.#here.place, waiting: going.length, staying, isOut: false };
      }),
    );
    this.#changed();
  }

  async #send(): Promise<void> {
    const queue = this.#people.filter((one) => !one.isHere && one.waiting > one.staying).map(({ place }) => place);
    for (let place = queue.shift(); place !== undefined && !this.#isOver; place = queue.shift()) {
      await this.#turn(place, queue.length > 0);
      const person = this.#people.find((one) => one.place === place);
      if (person !== undefined && !person.isOut && person.waiting > person.staying) queue.push(place);
    }
  }

  async #turn(place: number, areOthers: boolean): Promise<void> {
    const network = (): void => this.#away?.give({ input: 'network' });
    addEventListener('online', network);
    let late: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((done) => {
      if (areOthers) late = setTimeout(done, TURN_MAX);
      const nothing = (): void => undefined;
      const changed = (): void => {
        const { stage, waiting, staying = 0 } = seat.snapshot;
        if (stage === 'starting') return;
        const isOut = stage === 'ended' || stage === 'joining';
        // Who is out has it on the disk still, and not here.
        this.#people = this.#people.map((one) => (one.place !== place ? one : isOut ? { ...one, isOut: !this.#isOver } : { ...one, waiting, staying }));
        this.#changed();
        if (isOut || waiting === staying) done();
      };
      const seat = new Seat(place, { changed, replied: nothing, told: nothing });
      this.#away = seat;
      void seat.begin(true);
    });
    clearTimeout(late);
    removeEventListener('online', network);
    await this.#rest(false);
  }

  /** Whoever sends stops, with all of it on the disk. */
  async #rest(isOver = true): Promise<void> {
    if (isOver) this.#isOver = true;
    const away = this.#away;
    this.#away = null;
    await away?.end();
    await this.#here.settled();
  }

  #changed(): void {
    for (const changed of this.#watching) changed();
  }
}

/** Where it rings for whoever has this place. The box hears of it from the push service. */
async function endBell(place: number): Promise<void> {
  const storage = await Storage.open(place);
  const person = (await storage.get('identity'))?.person ?? null;
  storage.close();
  if (person !== null) await (await import('./bell.ts')).BrowserBell.leave(person);
}
