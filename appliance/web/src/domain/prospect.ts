/** Whom a STAT would reach (README.md, section 13), as the person sees it before they send one. */

import { Reach, type Prospect as WireProspect } from '../gen/wardline_pb.js';
import type { Book } from './book.ts';
import type { Conversation } from './conversation.ts';
import { idOf, type PersonId } from './ids.ts';
import type { Prospect } from './snapshot.ts';
import { cleanLine } from './texts.ts';
import { readId } from './wire.ts';

/** Those that the box names at most. */
const CALLED_MAX = 100;
/** Steps of an escalation. */
const STEPS_MAX = 8;

/** `at` is when it was answered, by the device's clock. Throws a `WireFault`. */
export function prospectOf(wire: WireProspect, book: Book, within: Conversation, at: number): Prospect {
  const called = wire.called.slice(0, CALLED_MAX).map((one) => {
    const person = readId<PersonId>(one.person);
    const cover = idOf<PersonId>(one.cover);
    return {
      name: book.nameOf(person, within),
      title: book.people.get(person)?.title ?? '',
      reach: reachOf(one.reach),
      silent: one.silentUntil !== 0n,
      cover: cover === null ? '' : book.nameOf(cover, within),
      offSite: cleanLine(one.offSite),
    };
  });
  return {
    at,
    called,
    calledCount: wire.calledCount,
    firstWait: wire.firstWait,
    steps: wire.steps.slice(0, STEPS_MAX).map(({ people, reachable }) => ({ people, reachable })),
    stations: wire.stations,
    stationsReachable: wire.stationsReachable,
    dial: cleanLine(wire.dial),
  };
}

/** What a later version says is not taken for more than it may be. */
function reachOf(wire: Reach): 'open' | 'bell' | 'none' {
  return wire === Reach.APP_OPEN ? 'open' : wire === Reach.BELL_ONLY ? 'bell' : 'none';
}
