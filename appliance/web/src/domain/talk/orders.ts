/** Orders by text (README.md, section 22): how they stand, and what is signed about them. */

import { type Order as WireOrder, OrderDeed as WireDeed, OrderSort, OrderState } from '../../gen/wardline_pb.js';
import { ascii, bigEndian64, type Bytes, concat, fromHex } from '../bytes.ts';
import type { Conversation } from '../conversation.ts';
import type { Ask, Told } from '../frames.ts';
import { type ConversationId, type DeviceId, idOf, type MessageName, type PersonId, type Sequence, wireId, wireSequence } from '../ids.ts';
import type { Hash } from '../proofs.ts';
import type { Id } from '../snapshot.ts';
import { readId, readSequence } from '../wire.ts';
import type { OrderDeed, OrderShown } from './contract.ts';

export interface KnownOrder {
  readonly conversation: ConversationId;
  readonly sequence: Sequence;
  readonly author: PersonId;
  readonly sort: 'give' | 'correct' | 'cancel';
  readonly to: PersonId | null;
  readonly state: 'given' | 'readBack' | 'confirmed' | 'wrong';
  readonly readBy: PersonId | null;
  /** Which message reads it back; 0: none. */
  readonly readBack: Sequence;
  readonly replaced: boolean;
  readonly filed: boolean;
}

/** What goes with a message that is an order, or a read-back, as it is on the disk; `signature` as hexadecimal digits. */
export interface OrderPart {
  readonly deed: OrderDeed;
  readonly of: Sequence;
  readonly to: PersonId | null;
  readonly at: number;
  readonly signature: string;
}

const DEEDS: Readonly<Record<OrderDeed | 'confirm' | 'wrong', WireDeed>> = {
  give: WireDeed.GIVE,
  correct: WireDeed.CORRECT,
  cancel: WireDeed.CANCEL,
  readBack: WireDeed.READ_BACK,
  confirm: WireDeed.CONFIRM,
  wrong: WireDeed.WRONG,
};

/** What is said about an order. What there is not is `null` or 0. */
export interface SaidOfOrder {
  readonly facility: Hash;
  readonly device: DeviceId;
  readonly conversation: ConversationId;
  readonly deed: OrderDeed | 'confirm' | 'wrong';
  /** Of a message. */
  readonly name: MessageName | null;
  readonly of: Sequence;
  readonly readBack: Sequence;
  readonly to: PersonId | null;
  readonly at: number | bigint;
}

/** Where the SHA-256 of the text stands in what is signed: hashes are the edge's. */
export const TEXT_HASH_AT = 81;

/** What is signed about an order, with zeros in the place of the text's hash. */
export function orderBytes(said: SaidOfOrder): Bytes {
  return concat([
    ascii('wardline/1 order\0'),
    said.facility,
    bigEndian64(wireId(said.device)),
    bigEndian64(wireId(said.conversation)),
    (said.name === null ? null : fromHex(said.name)) ?? new Uint8Array(16),
    new Uint8Array(32),
    Uint8Array.of(DEEDS[said.deed]),
    bigEndian64(wireSequence(said.of)),
    bigEndian64(wireSequence(said.readBack)),
    bigEndian64(wireId(said.to)),
    bigEndian64(BigInt(said.at)),
  ]);
}

/** How it goes with its message. */
export function wirePart(part: OrderPart): { deed: WireDeed; of: bigint; to: bigint; at: bigint; signature: Bytes } {
  const { deed, of, to, at, signature } = part;
  return { deed: DEEDS[deed], of: wireSequence(of), to: wireId(to), at: BigInt(at), signature: fromHex(signature) ?? new Uint8Array(0) };
}

/** Throws a `WireFault`. */
export function readOrder(wire: WireOrder): KnownOrder {
  const states = new Map<OrderState, KnownOrder['state']>([
    [OrderState.READ_BACK, 'readBack'],
    [OrderState.CONFIRMED, 'confirmed'],
    [OrderState.WRONG, 'wrong'],
  ]);
  return {
    conversation: readId(wire.conversation),
    sequence: readSequence(wire.sequence),
    author: readId(wire.author),
    sort: wire.sort === OrderSort.CORRECTION ? 'correct' : wire.sort === OrderSort.CANCELLATION ? 'cancel' : 'give',
    to: idOf(wire.to),
    state: states.get(wire.state) ?? 'given',
    readBy: idOf(wire.readBy),
    readBack: readSequence(wire.readBack),
    replaced: wire.replaced !== 0n,
    filed: wire.filed !== 0n,
  };
}

/** How an order looks to somebody. The box has the last word on who may what. */
export function shownOrder(order: KnownOrder, conversation: Conversation, me: PersonId, nameOf: (person: PersonId) => string): OrderShown {
  const isAuthor = order.author === me;
  const isItsReader = order.to === me || order.readBy === me;
  const stands = !order.filed && !order.replaced;
  const isFree = order.to === null || order.to === me || !conversation.members.has(order.to);
  return {
    sort: order.sort,
    state: order.state,
    to: order.to === null ? '' : nameOf(order.to),
    by: order.readBy === null ? '' : nameOf(order.readBy),
    readBack: order.readBack,
    readBackText: conversation.at(order.readBack)?.text ?? '',
    replaced: order.replaced,
    filed: order.filed,
    may: [
      ...(stands && !isAuthor && isFree && (order.state === 'given' || order.state === 'wrong') ? (['readBack'] as const) : []),
      ...(stands && isAuthor && order.state === 'readBack' ? (['answer'] as const) : []),
      ...(stands && isAuthor ? (['correct', 'cancel'] as const) : []),
      ...(!order.filed && (isAuthor || isItsReader) && (order.state === 'confirmed' || order.replaced) ? (['file'] as const) : []),
    ],
  };
}

/** Whose orders count: roles, of the facility and of units. `null`: another answer. Throws a `WireFault`. */
export function readOrderRoles(told: Told): readonly Id[] | null {
  return told.case === 'orderPolicies' ? told.value.policies.flatMap((policy) => policy.roles.map((role) => readId(role))) : null;
}

export const POLICIES_ASK: Ask = { case: 'listOrderPolicies', value: {} };
