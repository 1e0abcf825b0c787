/**
 * What things are called. Identifiers are 64 bits, 1 to 2^63 - 1, on the wire; here 16 hexadecimal digits, each sort its own type.
 */

declare const sort: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [sort]: Name };

export type PersonId = Branded<string, 'person'>;
export type DeviceId = Branded<string, 'device'>;
export type ConversationId = Branded<string, 'conversation'>;
export type UnitId = Branded<string, 'unit'>;
export type RoleId = Branded<string, 'role'>;
export type PatientId = Branded<string, 'patient'>;
/** A patient's stay: an encounter. */
export type StayId = Branded<string, 'stay'>;
/** Beds that somebody took: an assignment. */
export type ShiftId = Branded<string, 'shift'>;
/** A message's name: 16 bytes as 32 hexadecimal digits. */
export type MessageName = Branded<string, 'message'>;
/** A message's place in its conversation: 1, 2, 3 …; 0 is before the first. */
export type Sequence = Branded<number, 'sequence'>;

export type AnyId = PersonId | DeviceId | ConversationId | UnitId | RoleId | PatientId | StayId | ShiftId;

const ID_MAX = (1n << 63n) - 1n;

/** An identifier from the wire; `null` where it is none: 0, or out of range. */
export function idOf<I extends AnyId>(wire: bigint): I | null {
  return wire > 0n && wire <= ID_MAX ? (wire.toString(16).padStart(16, '0') as I) : null;
}

/** Back to the wire. */
export function wireId(id: AnyId | null): bigint {
  return id === null ? 0n : BigInt(`0x${id}`);
}

/** An identifier as the view or the disk gives it back; `null` for anything else. */
export function parseId<I extends AnyId>(text: string): I | null {
  return /^[0-9a-f]{16}$/.test(text) ? idOf<I>(BigInt(`0x${text}`)) : null;
}

export const NONE = 0 as Sequence;

/** A sequence from the wire; `null` beyond what a number holds exactly, which no conversation reaches. */
export function sequenceOf(wire: bigint): Sequence | null {
  return wire >= 0n && wire <= BigInt(Number.MAX_SAFE_INTEGER) ? (Number(wire) as Sequence) : null;
}

export function wireSequence(sequence: number): bigint {
  return BigInt(sequence);
}

/** A sequence as the view gives it; `null` for what is none. */
export function parseSequence(value: number): Sequence | null {
  return Number.isSafeInteger(value) && value > 0 ? (value as Sequence) : null;
}

/** A moment from the wire, milliseconds since 1970. Beyond what a date can be it is cut: it is shown, never reckoned with. */
export function momentOf(wire: bigint): number {
  const far = 8_640_000_000_000_000n;
  return Number(wire > far ? far : wire < -far ? -far : wire);
}
