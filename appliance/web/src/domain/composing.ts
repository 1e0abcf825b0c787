/**
 * What is composed before the lock (README.md, section 5): sealed under the lease of the session in which it was written, so that a
 * locked phone, or one that was handed on, delivers it and can read none of it. The cipher is the edge's.
 */

import { create, toBinary } from '@bufbuild/protobuf';

import { Priority as WirePriority, type SignedIn, SubmitSchema } from '../gen/wardline_pb.js';
import { ascii, bigEndian64, type Bytes, concat, fromHex } from './bytes.ts';
import type { Ask } from './frames.ts';
import { type DeviceId, type MessageName, wireId, wireSequence } from './ids.ts';
import type { Waiting } from './outbox.ts';
import type { Priority } from './snapshot.ts';
import { wirePart } from './talk/orders.ts';

/** A key of one device, until it locks: in memory alone. */
export interface Lease {
  readonly device: DeviceId;
  readonly number: bigint;
  /** 32 bytes. */
  readonly key: Bytes;
}

/** A message as the box alone reads it. */
export interface Composed {
  /** The lease's number. */
  readonly lease: bigint;
  /** The number within: the only one under which a locked session may send it. */
  readonly number: bigint;
  readonly bytes: Bytes;
}

/** What the edge is to seal. */
export interface ToSeal {
  readonly name: MessageName;
  readonly number: bigint;
  readonly lease: bigint;
  readonly key: Bytes;
  readonly context: Bytes;
  readonly plain: Bytes;
}

const PRIORITIES: Readonly<Record<Priority, WirePriority>> = {
  routine: WirePriority.ROUTINE,
  urgent: WirePriority.URGENT,
  stat: WirePriority.STAT,
};

/** `null`: the box gives none. */
export function leaseOf({ lease }: SignedIn, device: DeviceId): Lease | null {
  return lease?.key.length === 32 ? { device, number: lease.number, key: Uint8Array.from(lease.key) } : null;
}

/** What drafts are sealed under; `null`: the box gives none. */
export function draftsKeyOf({ lease }: SignedIn): Bytes | null {
  return lease?.draftsKey.length === 32 ? Uint8Array.from(lease.draftsKey) : null;
}

/** What the key of a message is derived with, and its sealing bound to. */
export function composedContext(device: DeviceId, lease: bigint, name: MessageName): Bytes {
  return concat([ascii('wardline/1 composed\0'), bigEndian64(wireId(device)), bigEndian64(lease), nameOf(name)]);
}

/** A message that has its number, under this lease. */
export function toSeal(waiting: Waiting, number: bigint, { device, number: lease, key }: Lease): ToSeal {
  const plain = Uint8Array.from(toBinary(SubmitSchema, create(SubmitSchema, submitValue({ ...waiting, number }))));
  return { name: waiting.name, number, lease, key, context: composedContext(device, lease, waiting.name), plain };
}

/** How a message goes to the box: as it was written where that is known here, else as it was sealed. */
export function submitOf(waiting: Waiting): Ask {
  return isUnread(waiting) ? submitSealedOf(waiting) : { case: 'submit', value: submitValue(waiting) };
}

export function submitSealedOf({ number, name, sealed }: Waiting): Ask {
  const value = { number: number ?? 0n, lease: sealed?.lease ?? 0n, message: nameOf(name), sealed: sealed?.bytes ?? new Uint8Array(0) };
  return { case: 'submitSealed', value };
}

/** Only the box knows what it says. */
export function isUnread(waiting: Waiting): boolean {
  return waiting.sealed != null && waiting.text === '';
}

/** As it is kept: nothing of what was written where the sealed form says it. */
export function atRest(waiting: Waiting): Waiting {
  return waiting.sealed == null ? waiting : { ...waiting, text: '', people: [], roles: [], files: [] };
}

function submitValue(waiting: Waiting): Extract<Ask, { case: 'submit' }>['value'] {
  return {
    number: waiting.number ?? 0n,
    message: nameOf(waiting.name),
    conversation: wireId(waiting.conversation),
    text: waiting.text,
    priority: PRIORITIES[waiting.priority],
    replyTo: wireSequence(waiting.replyTo),
    mentionPeople: waiting.people.map(wireId),
    mentionRoles: waiting.roles.map(wireId),
    attachments: waiting.files.map(({ upload, name: called }) => ({ upload: fromHex(upload) ?? new Uint8Array(0), name: called })),
    ...(waiting.order === undefined ? {} : { order: wirePart(waiting.order) }),
  };
}

function nameOf(name: MessageName): Bytes {
  return fromHex(name) ?? new Uint8Array(0);
}
