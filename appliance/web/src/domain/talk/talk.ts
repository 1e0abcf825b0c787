/** What the device signs in a conversation: orders, what is said to a read-back, and call notes (README.md, sections 20 and 22). */

import type { Bytes } from '../bytes.ts';
import { toHex } from '../bytes.ts';
import type { Call } from '../calls.ts';
import type { Ask } from '../frames.ts';
import { type ConversationId, type DeviceId, type MessageName, NONE, parseId, parseSequence, type PersonId, type Sequence, wireId, wireSequence } from '../ids.ts';
import type { Draft, Outbox } from '../outbox.ts';
import { answerBytes, type Hash, type Signature } from '../proofs.ts';
import { type OwnCode, ownRefusal } from '../refusals.ts';
import type { Refusal } from '../snapshot.ts';
import type { TalkAct } from './contract.ts';
import { orderBytes, type OrderPart, TEXT_HASH_AT } from './orders.ts';

/** A text whose SHA-256 is put into what is signed. */
export interface Hashed {
  readonly at: number;
  readonly text: string;
}

/** What waits for its signature. */
export type TalkLater =
  | { readonly talk: 'order'; readonly draft: Draft; readonly part: Omit<OrderPart, 'signature'>; readonly name: MessageName; readonly composed: number }
  | { readonly talk: 'ask'; readonly call: Call; readonly ask: (signature: Signature) => Ask };

export interface TalkLink {
  ask(call: Call, body: Ask): boolean;
  sign(bytes: Bytes, later: TalkLater, hashed: Hashed | null): void;
  refuse(refusal: Refusal): void;
}

export interface TalkMeans {
  readonly facility: Hash | null;
  readonly device: DeviceId;
  /** By the device's clock. */
  readonly wall: number;
  /** The box's clock is so much ahead of it. */
  readonly boxAhead: number;
  name(): MessageName;
}

export class Talk {
  readonly #outbox: Outbox;
  readonly #link: TalkLink;

  constructor(outbox: Outbox, link: TalkLink) {
    this.#outbox = outbox;
    this.#link = link;
  }

  act(act: TalkAct, means: TalkMeans): void {
    const { facility } = means;
    const conversation = parseId<ConversationId>(act.conversation);
    if (conversation === null) return;
    if (facility === null) return this.#refuse('NO_FACILITY');
    if (act.act === 'order') return this.#order(act, conversation, facility, means);
    const sequence = parseSequence(act.sequence);
    if (sequence === null) return;
    if (act.act === 'answerOrder') this.#answerOrder(act, { conversation, sequence, facility }, means);
    else this.#callNote(act, { conversation, sequence, facility }, means);
  }

  signed(later: TalkLater, signature: Signature): void {
    if (later.talk === 'ask') {
      this.#link.ask(later.call, later.ask(signature));
      return;
    }
    const { draft, part, name, composed } = later;
    const refusal = this.#outbox.compose({ ...draft, order: { ...part, signature: toHex(signature) } }, name, composed);
    if (refusal !== null) this.#link.refuse(refusal);
  }

  #order(act: Extract<TalkAct, { act: 'order' }>, conversation: ConversationId, facility: Hash, means: TalkMeans): void {
    const text = act.text.trim();
    if (text === '') return this.#refuse('TEXT_EMPTY');
    const [of, to] = [parseSequence(act.of) ?? NONE, act.to === null ? null : parseId<PersonId>(act.to)];
    const [name, at] = [means.name(), means.wall];
    const part = { deed: act.deed, of, to, at };
    const bytes = orderBytes({ ...part, facility, device: means.device, conversation, name, readBack: NONE });
    const draft: Draft = { conversation, text, priority: 'routine', replyTo: of, people: [], roles: [], files: [] };
    this.#link.sign(bytes, { talk: 'order', draft, part, name, composed: at }, { at: TEXT_HASH_AT, text });
  }

  #answerOrder(act: Extract<TalkAct, { act: 'answerOrder' }>, place: Place, means: TalkMeans): void {
    const readBack = parseSequence(act.readBack);
    if (readBack === null) return;
    const { conversation, sequence, facility } = place;
    const at = means.wall;
    const bytes = orderBytes({ facility, device: means.device, conversation, deed: act.right ? 'confirm' : 'wrong', name: null, of: sequence, readBack, to: null, at });
    const value = { conversation: wireId(conversation), sequence: wireSequence(sequence), readBack: wireSequence(readBack), right: act.right, at: BigInt(at) };
    this.#link.sign(bytes, { talk: 'ask', call: { call: 'talk' }, ask: (signature) => ({ case: 'answerOrder', value: { ...value, signature } }) }, null);
  }

  #callNote(act: Extract<TalkAct, { act: 'callNote' }>, place: Place, means: TalkMeans): void {
    const { conversation, sequence, facility } = place;
    const at = means.wall;
    const reached = act.reached === null ? 0n : wireId(parseId<PersonId>(act.reached));
    const called = Math.floor(at + means.boxAhead - Math.max(act.ago, 0) * 60_000);
    const { readBack } = act;
    const [role, name] = [act.role.trim(), act.name.trim()];
    const bytes = answerBytes({ facility, device: means.device, conversation, sequence, at, said: { say: 'callNote', called, readBack, reached, role, name } });
    const callNote = { reached, readBack, called: BigInt(called), role, name };
    const value = { conversation: wireId(conversation), sequence: wireSequence(sequence), at: BigInt(at), answer: { case: 'callNote' as const, value: callNote } };
    this.#link.sign(bytes, { talk: 'ask', call: { call: 'talk' }, ask: (signature) => ({ case: 'answerStat', value: { ...value, signature } }) }, null);
  }

  #refuse(code: OwnCode): void {
    this.#link.refuse(ownRefusal(code));
  }
}

interface Place {
  readonly conversation: ConversationId;
  readonly sequence: Sequence;
  readonly facility: Hash;
}
