import { answerOffer, listOffers, offerRole, readOffers, type OfferShown } from '../../../domain/lead/offers.ts';
import type { App, At, Id } from '../../../domain/snapshot.ts';
import { Asking } from './box.svelte.ts';

/** Pages of offers that are fetched: of one person and the units that they lead there are fewer. */
const PAGES_MAX = 20;

/** Offers with what is open, as the box has them. */
export class Handover {
  offers = $state.raw<readonly OfferShown[] | null>(null);
  readonly asking: Asking;
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
    this.asking = new Asking(app);
  }

  async load(): Promise<void> {
    const offers: OfferShown[] = [];
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const told = await this.asking.for(listOffers(offers.at(-1)?.id ?? null), 'offerPage');
      if (told === null) return;
      const read = readOffers(told);
      offers.push(...read);
      if (told.end || read.length === 0) break;
    }
    this.offers = offers;
  }

  /** True: it waits for the other one now. */
  async offer(role: Id, place: number, person: Id, from: At, until: At): Promise<boolean> {
    const isOffered = await this.asking.done(offerRole(role, place, person, from, until), 'roleOffered');
    if (isOffered) await this.load();
    return isOffered;
  }

  async withdraw(offer: Id): Promise<void> {
    if (await this.asking.done(answerOffer(offer, 'withdraw'), 'roleSet')) await this.load();
  }

  /** Until the page goes: whenever something becomes of an offer, what is shown is asked for anew. */
  follow(): () => void {
    void this.load();
    return this.#app.listen((told) => {
      if (told.case === 'offerNews') void this.load();
    });
  }
}
