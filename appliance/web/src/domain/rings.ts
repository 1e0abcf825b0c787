/**
 * What rings on this device (README.md, section 13): no text and no name, so that it may be shown on a locked one. The box says it
 * anew to each connection; what rang on the last is forgotten then.
 */

import { EscalationState, type Ring as WireRing, type Silence, type UrgentOver, type UrgentWaits } from '../gen/wardline_pb.js';
import { type ConversationId, idOf, momentOf, type PersonId, type Sequence, type UnitId } from './ids.ts';
import { RINGS_MAX } from './limits.ts';
import { cleanLine } from './texts.ts';
import { readId, readSequence } from './wire.ts';

export interface Ring {
  readonly conversation: ConversationId;
  readonly sequence: Sequence;
  /** `held`: somebody is coming, and it is silent. `mine`: this person has it. */
  readonly state: 'rings' | 'held' | 'mine';
  readonly unit: UnitId | null;
  /** As the box calls the unit: a locked device has no list of them. */
  readonly unitName: string;
  readonly senderTitle: string;
  readonly opened: number;
  /** A number to call now; empty before the last step. */
  readonly dial: string;
  /** This person said here that they are coming; once for each STAT. */
  readonly coming: boolean;
}

/** On a unit's screen: an urgent message that nobody has seen. No name and no text. */
export interface Urgent {
  readonly key: string;
  readonly since: number;
  /** A number to call; may be empty. */
  readonly dial: string;
}

export class Rings {
  readonly #rings = new Map<string, Ring>();
  readonly #urgents = new Map<string, Urgent>();
  /** Rises with every change. */
  revision = 0;

  /** What calls the person, the newest first. */
  calling(): Ring[] {
    return [...this.#rings.values()].filter((ring) => ring.state !== 'mine').sort((one, other) => other.opened - one.opened);
  }

  /** What the person has. */
  taken(): Ring[] {
    return [...this.#rings.values()].filter((ring) => ring.state === 'mine');
  }

  get(conversation: ConversationId, sequence: Sequence): Ring | null {
    return this.#rings.get(keyOf(conversation, sequence)) ?? null;
  }

  /** Throws a `WireFault`. */
  ring(wire: WireRing): void {
    const [conversation, sequence] = [readId<ConversationId>(wire.conversation), readSequence(wire.sequence)];
    const key = keyOf(conversation, sequence);
    if (!this.#rings.has(key) && this.#rings.size >= RINGS_MAX) return;
    this.revision += 1;
    this.#rings.set(key, {
      conversation,
      sequence,
      state: wire.state === EscalationState.ACCEPTED ? 'mine' : wire.state === EscalationState.HELD ? 'held' : 'rings',
      unit: idOf(wire.unit),
      unitName: cleanLine(wire.unitName),
      senderTitle: cleanLine(wire.senderTitle),
      opened: momentOf(wire.opened),
      dial: cleanLine(wire.dial),
      coming: this.#rings.get(key)?.coming ?? false,
    });
  }

  /** What `me` said to have is kept as theirs. */
  silence(wire: Silence, me: PersonId | null): void {
    this.revision += 1;
    const key = keyOf(readId<ConversationId>(wire.conversation), readSequence(wire.sequence));
    const ring = this.#rings.get(key);
    if (ring !== undefined && me !== null && idOf<PersonId>(wire.by) === me) this.#rings.set(key, { ...ring, state: 'mine' });
    else this.#rings.delete(key);
  }

  /** Those that wait, the longest first. */
  urgents(): Urgent[] {
    return [...this.#urgents.values()].sort((one, other) => one.since - other.since);
  }

  /** Throws a `WireFault`. */
  urgent(wire: UrgentWaits): void {
    const key = keyOf(readId<ConversationId>(wire.conversation), readSequence(wire.sequence));
    if (!this.#urgents.has(key) && this.#urgents.size >= RINGS_MAX) return;
    this.#urgents.set(key, { key, since: momentOf(wire.since), dial: cleanLine(wire.dial) });
  }

  urgentOver(wire: UrgentOver): void {
    this.#urgents.delete(keyOf(readId<ConversationId>(wire.conversation), readSequence(wire.sequence)));
  }

  coming(conversation: ConversationId, sequence: Sequence): void {
    const ring = this.get(conversation, sequence);
    if (ring === null) return;
    this.revision += 1;
    this.#rings.set(keyOf(conversation, sequence), { ...ring, coming: true });
  }

  clear(): void {
    if (this.#rings.size > 0) this.revision += 1;
    this.#rings.clear();
    this.#urgents.clear();
  }
}

function keyOf(conversation: ConversationId, sequence: Sequence): string {
  return `${conversation}/${sequence}`;
}
