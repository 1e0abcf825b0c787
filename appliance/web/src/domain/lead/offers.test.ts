import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { EscalationState, OfferFate, OfferNewsSchema, OfferPageSchema } from '../../gen/wardline_pb.js';
import type { PersonId } from '../ids.ts';
import { answerOffer, nextAt, offerRole, Offers, readOffers } from './offers.ts';

const me = '0000000000000002' as PersonId;
const offer = { offer: 9n, role: 5n, giver: 1n, taker: 2n, from: 10n, until: 100n, expires: 50n };
const news = (fate: OfferFate, over: object = {}) => create(OfferNewsSchema, { offer: { ...offer, ...over }, fate });

describe('offers that wait', () => {
  it('are those made to this person, until they have a fate', () => {
    const offers = new Offers();
    offers.told(news(OfferFate.MADE));
    expect(offers.of(me).map((one) => one.id)).toEqual(['0000000000000009']);
    for (const fate of [OfferFate.ACCEPTED, OfferFate.WITHDRAWN, OfferFate.EXPIRED, OfferFate.SUPERSEDED, OfferFate.ENDED]) {
      offers.told(news(OfferFate.MADE));
      offers.told(news(fate));
      expect(offers.of(me)).toEqual([]);
    }
  });
  it('are not those that the person made', () => {
    const offers = new Offers();
    offers.told(news(OfferFate.MADE, { taker: 3n, giver: 2n }));
    expect(offers.of(me)).toEqual([]);
  });
  it('are forgotten at a sign-in, after which the box tells of them again', () => {
    const offers = new Offers();
    offers.told(news(OfferFate.MADE));
    offers.forget();
    expect(offers.of(me)).toEqual([]);
  });
  it('pass over what names nobody', () => {
    const offers = new Offers();
    offers.told(news(OfferFate.MADE, { giver: 0n }));
    offers.told(create(OfferNewsSchema, { fate: OfferFate.MADE }));
    expect(offers.of(me)).toEqual([]);
  });
});

describe('a page of offers', () => {
  it('says what is open, and of what may not be read only that it is', () => {
    const page = create(OfferPageSchema, {
      offers: [
        {
          offer,
          stats: [{ conversation: 0n, sequence: 0n, state: EscalationState.RINGING, unit: 7n, senderTitle: '\u202eRN', opened: 3n }, { conversation: 8n, sequence: 4n, stays: true }],
          statsCount: 1,
          gaps: [{ start: 1n, end: 2n }],
          shifts: [{ assignment: 3n, beds: 0, patients: 6, until: 9n }],
          tasks: [{ conversation: 8n, sequence: 5n, due: 0n, overdue: true }],
          tasksCount: 30,
        },
        { offer: { ...offer, role: 0n } },
      ],
    });
    const [shown, ...others] = readOffers(page);
    expect(others).toEqual([]);
    expect(shown?.stats[0]).toMatchObject({ conversation: null, senderTitle: 'RN', unit: '0000000000000007', stays: false });
    expect(shown?.stats[1]).toMatchObject({ conversation: '0000000000000008', sequence: 4, stays: true });
    expect([shown?.statsCount, shown?.tasksCount]).toEqual([2, 30]);
    expect(shown?.gaps).toEqual([{ start: 1, end: 2 }]);
    expect(shown?.shifts).toEqual([{ beds: 0, patients: 6, until: 9 }]);
  });
});

describe('what is asked', () => {
  it('names the place, the person and both moments', () => {
    expect(offerRole('0000000000000005', 1, me, 10.5, 20)).toEqual({ case: 'offerRole', value: { role: 5n, place: 1, person: 2n, from: 10n, until: 20n } });
    expect(offerRole('nobody', 0, me, 0, 20)).toBeNull();
    expect(answerOffer('0000000000000009', 'accept')).toEqual({ case: 'answerOffer', value: { offer: 9n, answer: 1 } });
    expect(answerOffer('9', 'accept')).toBeNull();
  });
});

describe('a time of the day', () => {
  const noon = new Date(2026, 10, 28, 12, 0).getTime();
  it('is today, or tomorrow once it is past', () => {
    expect(nextAt('19:30', noon)).toBe(noon + 7.5 * 3_600_000);
    expect(nextAt('12:00', noon + 30_000)).toBe(noon);
    expect(new Date(nextAt('07:00', noon) ?? 0).getDate()).toBe(29);
  });
  it('is nothing else', () => {
    for (const text of ['', '7:00', '24:00', '12:60', '12:00:00']) expect(nextAt(text, noon)).toBeNull();
  });
});
