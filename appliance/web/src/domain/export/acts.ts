/** What became of a message of a record: how a STAT went and who answered it, an order, a task; and whether what was signed verifies. */

import {
  type CallNote,
  DeclineReason,
  type Escalation,
  EscalationState,
  type ExportActs,
  OrderDeed,
  OrderSort,
  OrderState,
  type Order as WireOrder,
  type SignedAnswer,
  type SignedOrder,
  type Task as WireTask,
  TaskState,
} from '../../gen/wardline_pb.js';
import { type Bytes, concat, toHex } from '../bytes.ts';
import { type ConversationId, type DeviceId, idOf, type MessageName, type PersonId, type RoleId, type Sequence, type UnitId } from '../ids.ts';
import { answerBytes, type Hash, type Said as SignedSaid } from '../proofs.ts';
import { orderBytes, TEXT_HASH_AT } from '../talk/orders.ts';
import { readId, readName, readSequence, WireFault } from '../wire.ts';

/** Hashes and signatures are the edge's. */
export interface Sums {
  sha256(bytes: Bytes): Promise<Bytes>;
  /** ECDSA with P-256 and SHA-256; `key`: an uncompressed point, `signature`: r and s. */
  isSignedBy(key: Bytes, signature: Bytes, bytes: Bytes): Promise<boolean>;
}

/** What came of verifying something signed; `hidden`: a name in it is hidden, and it came without signature. */
export type Proof = 'right' | 'wrong' | 'hidden';

interface Signed {
  readonly person: PersonId;
  readonly device: DeviceId;
  readonly key: Bytes;
  readonly at: bigint;
  readonly taken: bigint;
  /** What the device signed. */
  readonly bytes: Bytes;
  readonly signature: Bytes;
  readonly proof: Proof;
}

export type StatAnswer = Signed & { readonly said: { readonly say: 'accept' } | { readonly say: 'decline'; readonly reason: Reason } | { readonly say: 'call_note'; readonly note: Note } };

export interface OrderSaid extends Signed {
  readonly said: DeedWord;
  readonly of: Sequence | null;
  readonly readBack: Sequence | null;
  readonly to: PersonId | null;
  /** The name of the message that says it, and the hash of its text. */
  readonly words: { readonly message: MessageName; readonly text: Bytes } | null;
}

export interface Note {
  readonly reached: PersonId | null;
  readonly as: string | null;
  readonly name: string | null;
  readonly called: bigint;
  readonly readBack: boolean;
}

export interface Stat {
  readonly stands: 'ringing' | 'held' | 'accepted' | 'closed';
  readonly since: bigint;
  readonly by: PersonId | null;
  readonly notedBy: PersonId | null;
  readonly note: Note | null;
  readonly step: number;
  readonly steps: number;
  readonly unit: UnitId | null;
  readonly called: readonly { readonly person: PersonId; readonly step: number; readonly declined: Reason | null }[];
  readonly calledCount: number;
}

export interface Order {
  readonly author: PersonId;
  readonly sort: 'new' | 'correction' | 'cancellation' | 'other';
  readonly of: Sequence | null;
  readonly to: PersonId | null;
  readonly given: bigint;
  readonly stands: 'given' | 'read_back' | 'confirmed' | 'wrong' | 'other';
  readonly readBack: { readonly by: PersonId; readonly message: Sequence } | null;
  readonly at: bigint;
  readonly replaced: Sequence | null;
  readonly filed: { readonly at: bigint; readonly by: PersonId | null } | null;
}

export interface Task {
  readonly author: PersonId;
  readonly person: PersonId | null;
  readonly role: RoleId | null;
  readonly given: bigint;
  readonly due: bigint | null;
  readonly stands: 'open' | 'taken' | 'declined' | 'done' | 'withdrawn' | 'other';
  readonly reason: Reason | null;
  readonly by: PersonId | null;
  readonly at: bigint;
  readonly overdue: boolean;
}

export interface Acts {
  readonly stat: Stat | null;
  readonly signed: readonly StatAnswer[];
  readonly order: Order | null;
  readonly orderSigned: readonly OrderSaid[];
  readonly task: Task | null;
}

const REASONS = {
  busy: DeclineReason.BUSY,
  not_mine: DeclineReason.NOT_MINE,
  off_duty: DeclineReason.OFF_DUTY,
  other: DeclineReason.OTHER,
  handed_back: DeclineReason.HANDED_BACK,
  left: DeclineReason.LEFT,
  handed_over: DeclineReason.HANDED_OVER,
} as const;
export type Reason = keyof typeof REASONS;
const DEEDS = {
  [OrderDeed.UNSPECIFIED]: null,
  [OrderDeed.GIVE]: ['give', 'give'],
  [OrderDeed.CORRECT]: ['correct', 'correct'],
  [OrderDeed.CANCEL]: ['cancel', 'cancel'],
  [OrderDeed.READ_BACK]: ['read_back', 'readBack'],
  [OrderDeed.CONFIRM]: ['confirm', 'confirm'],
  [OrderDeed.WRONG]: ['wrong', 'wrong'],
} as const;
export type DeedWord = NonNullable<(typeof DEEDS)[OrderDeed]>[0];

/** What a message says, as far as it is held against what was signed. */
interface Own {
  readonly sequence: Sequence;
  readonly name: MessageName;
  readonly text: string;
}

/** As the box gave it, verified in the facility of this root; an order with the text that its message has. */
export async function readActs(wire: ExportActs, root: Bytes, own: Own | null, sums: Sums): Promise<Acts> {
  const signed: StatAnswer[] = [];
  for (const one of wire.signed) {
    const answer = await readAnswer(one, root, sums);
    if (answer !== null) signed.push(answer);
  }
  const text = own === null ? null : await sums.sha256(new TextEncoder().encode(own.text));
  const orderSigned: OrderSaid[] = [];
  for (const one of wire.orderSigned) orderSigned.push(await readDeed(one, root, own !== null && text !== null ? { own, text } : null, sums));
  return {
    stat: wire.stat === undefined ? null : readStat(wire.stat),
    signed,
    order: wire.order === undefined ? null : readOrder(wire.order),
    orderSigned,
    task: wire.task === undefined ? null : readTask(wire.task),
  };
}

async function proofOf(isHidden: boolean, bytes: Bytes, { deviceKey, signature }: { readonly deviceKey: Uint8Array; readonly signature: Uint8Array }, sums: Sums): Promise<Proof> {
  if (isHidden) return 'hidden';
  return (await sums.isSignedBy(concat([deviceKey]), concat([signature]), bytes)) ? 'right' : 'wrong';
}

/** `null`: of a later version. */
async function readAnswer(wire: SignedAnswer, root: Bytes, sums: Sums): Promise<StatAnswer | null> {
  const said = saidOf(wire);
  if (said === null) return null;
  const { person, device, conversation, sequence } = { person: readId<PersonId>(wire.person), device: readId<DeviceId>(wire.device), conversation: readId<ConversationId>(wire.conversation), sequence: readSequence(wire.sequence) };
  const bytes = answerBytes({ facility: root as Hash, device, conversation, sequence, at: wire.at, said: said.signed });
  const proof = await proofOf(wire.signature.length === 0, bytes, wire, sums);
  return { person, device, key: concat([wire.deviceKey]), at: wire.at, taken: wire.taken, bytes, signature: concat([wire.signature]), proof, said: said.read };
}

function saidOf({ said }: SignedAnswer): { readonly signed: SignedSaid; readonly read: StatAnswer['said'] } | null {
  if (said.case === 'accept') return { signed: { say: 'accept' }, read: { say: 'accept' } };
  if (said.case === 'decline') {
    const reason = reasonOf(said.value.reason);
    return reason === null ? null : { signed: { say: 'decline', reason: said.value.reason }, read: { say: 'decline', reason } };
  }
  if (said.case !== 'callNote') return null;
  const { called, readBack, reached, role, name } = said.value;
  return { signed: { say: 'callNote', called, readBack, reached, role, name }, read: { say: 'call_note', note: readNote(said.value) } };
}

async function readDeed(wire: SignedOrder, root: Bytes, message: { readonly own: Own; readonly text: Bytes } | null, sums: Sums): Promise<OrderSaid> {
  const deed = DEEDS[wire.deed];
  if (deed === undefined || deed === null) throw new WireFault('something signed about an order');
  const isHidden = wire.signature.length === 0;
  // Where a name is hidden the text's hash is left out too.
  const text = concat([isHidden && wire.textSha256.length === 0 ? new Uint8Array(32) : wire.textSha256]);
  const words = wire.message.length === 0 ? null : { message: readName(wire.message), text };
  const [person, device] = [readId<PersonId>(wire.person), readId<DeviceId>(wire.device)];
  const [of, readBack, to] = [readSequence(wire.of), readSequence(wire.readBack), idOf<PersonId>(wire.to)];
  const bytes = orderBytes({ facility: root as Hash, device, conversation: readId(wire.conversation), deed: deed[1], name: words?.message ?? null, of, readBack, to, at: wire.at });
  if (words !== null) {
    if (text.length !== 32) throw new WireFault('the hash of a text');
    bytes.set(text, TEXT_HASH_AT);
  }
  const said = message !== null && readSequence(wire.said) === message.own.sequence ? message : null;
  const isSame = words === null || said === null || (words.message === said.own.name && toHex(words.text) === toHex(said.text));
  const proof = await proofOf(isHidden, bytes, wire, sums);
  return {
    person,
    device,
    key: concat([wire.deviceKey]),
    at: wire.at,
    taken: wire.taken,
    bytes,
    signature: concat([wire.signature]),
    proof: proof === 'right' && !isSame ? 'wrong' : proof,
    said: deed[0],
    of: of === 0 ? null : of,
    readBack: readBack === 0 ? null : readBack,
    to,
    words,
  };
}

function readNote(wire: CallNote): Note {
  return { reached: idOf<PersonId>(wire.reached), as: wire.role === '' ? null : wire.role, name: wire.name === '' ? null : wire.name, called: wire.called, readBack: wire.readBack };
}

function readStat(wire: Escalation): Stat {
  const stands = wire.state === EscalationState.RINGING ? 'ringing' : wire.state === EscalationState.HELD ? 'held' : wire.state === EscalationState.ACCEPTED ? 'accepted' : 'closed';
  return {
    stands,
    since: wire.since,
    by: idOf<PersonId>(wire.by),
    notedBy: idOf<PersonId>(wire.notedBy),
    note: wire.note === undefined ? null : readNote(wire.note),
    step: wire.step,
    steps: wire.steps,
    unit: idOf<UnitId>(wire.unit),
    called: wire.called.map((one) => ({
      person: readId<PersonId>(one.person),
      step: one.step,
      // A reason of a later version is one all the same.
      declined: one.declined === DeclineReason.UNSPECIFIED ? null : (reasonOf(one.declined) ?? 'other'),
    })),
    calledCount: wire.calledCount,
  };
}

function readOrder(wire: WireOrder): Order {
  const sorts: Partial<Record<OrderSort, Order['sort']>> = { [OrderSort.NEW]: 'new', [OrderSort.CORRECTION]: 'correction', [OrderSort.CANCELLATION]: 'cancellation' };
  const states: Partial<Record<OrderState, Order['stands']>> = { [OrderState.GIVEN]: 'given', [OrderState.READ_BACK]: 'read_back', [OrderState.CONFIRMED]: 'confirmed', [OrderState.WRONG]: 'wrong' };
  const [by, message] = [idOf<PersonId>(wire.readBy), placeOf(wire.readBack)];
  return {
    author: readId(wire.author),
    sort: sorts[wire.sort] ?? 'other',
    of: placeOf(wire.of),
    to: idOf<PersonId>(wire.to),
    given: wire.given,
    stands: states[wire.state] ?? 'other',
    readBack: by === null || message === null ? null : { by, message },
    at: wire.at,
    replaced: placeOf(wire.replaced),
    filed: wire.filed === 0n ? null : { at: wire.filed, by: idOf<PersonId>(wire.filedBy) },
  };
}

function readTask(wire: WireTask): Task {
  const states: Partial<Record<TaskState, Task['stands']>> = {
    [TaskState.OPEN]: 'open',
    [TaskState.TAKEN]: 'taken',
    [TaskState.DECLINED]: 'declined',
    [TaskState.DONE]: 'done',
    [TaskState.WITHDRAWN]: 'withdrawn',
  };
  const [person, role] = [idOf<PersonId>(wire.person), idOf<RoleId>(wire.role)];
  if (person === null && role === null) throw new WireFault("a task that is nobody's");
  return {
    author: readId(wire.author),
    person,
    role: person === null ? role : null,
    given: wire.given,
    due: wire.due === 0n ? null : wire.due,
    stands: states[wire.state] ?? 'other',
    reason: wire.state === TaskState.DECLINED ? reasonOf(wire.reason) : null,
    by: idOf<PersonId>(wire.by),
    at: wire.at,
    overdue: wire.overdue,
  };
}

function reasonOf(wire: DeclineReason): Reason | null {
  return (Object.keys(REASONS) as Reason[]).find((word) => REASONS[word] === wire) ?? null;
}

function placeOf(wire: bigint): Sequence | null {
  return wire === 0n ? null : readSequence(wire);
}
