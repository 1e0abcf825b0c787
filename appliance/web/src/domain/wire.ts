/** Out of the frames into what is known. What is not as the page says is a {@link WireFault}: the connection ends by it. */

import {
  type BoxAlarm,
  type Conversation,
  type ConversationChanged,
  ConversationKind as Kind,
  DeclineReason,
  type Encounter,
  EncounterState,
  type Escalation,
  type FamilyPerson,
  MediaType,
  type Member,
  type Message,
  type Patient,
  type Person,
  Priority as WirePriority,
  type Reaction,
  type Role,
  type Unit,
} from '../gen/wardline_pb.js';
import { toHex } from './bytes.ts';
import { type AnyId, type ConversationId, idOf, type MessageName, momentOf, type PersonId, type Sequence, sequenceOf, type UnitId } from './ids.ts';
import type {
  ConversationChange,
  KnownAttachment,
  KnownConversation,
  KnownMessage,
  KnownPatient,
  KnownPerson,
  KnownReaction,
  KnownRelative,
  KnownRole,
  KnownStat,
  KnownStay,
  KnownUnit,
  Marks,
} from './known.ts';
import { MEMBERS_MAX } from './limits.ts';
import type { AlarmKind, AlarmSaid, ConversationKind, Priority } from './snapshot.ts';
import { cleanLine, cleanText } from './texts.ts';

/** The box sent what is no such thing. Says nothing of what it was. */
export class WireFault extends Error {
  override readonly name = 'WireFault';
}

export function readId<I extends AnyId>(wire: bigint): I {
  const id = idOf<I>(wire);
  if (id === null) throw new WireFault('an identifier');
  return id;
}

export function readSequence(wire: bigint): Sequence {
  const sequence = sequenceOf(wire);
  if (sequence === null) throw new WireFault('a sequence');
  return sequence;
}

export function readName(wire: Uint8Array): MessageName {
  if (wire.length !== 16) throw new WireFault("a message's name");
  return toHex(wire) as MessageName;
}

export function readUnit(wire: Unit): KnownUnit {
  return { id: readId(wire.unit), name: cleanLine(wire.name) };
}

export function readPerson(wire: Person): KnownPerson {
  return {
    id: readId(wire.person),
    name: cleanLine(wire.name),
    title: cleanLine(wire.title),
    suspended: wire.suspended,
    administrator: wire.administrator,
    privacyOfficer: wire.privacyOfficer,
    posts: wire.posts.map((post) => ({ unit: readId<UnitId>(post.unit), chargeNurse: post.chargeNurse })),
    isStation: wire.station !== 0n || wire.theBox,
    ...(wire.theBox ? { isBox: true as const } : {}),
  };
}

export function readRole(wire: Role): KnownRole {
  const holders = wire.holders.map((holder) => readId<PersonId>(holder));
  return { id: readId(wire.role), unit: readId(wire.unit), name: cleanLine(wire.name), holders, retired: wire.retired };
}

export function readMessage(wire: Message): KnownMessage {
  return {
    conversation: readId(wire.conversation),
    sequence: readSequence(wire.sequence),
    name: readName(wire.message),
    sender: readId(wire.sender),
    at: momentOf(wire.at),
    text: cleanText(wire.text),
    priority: readPriority(wire.priority),
    replyTo: readSequence(wire.replyTo),
    edits: wire.edits,
    recalled: wire.recalledAt !== 0n,
    mentions: wire.mentions.map((mention) => readId<PersonId>(mention.person)),
    reactions: readReactions(wire.reactions),
    attachments: wire.attachments.map((attachment): KnownAttachment => ({
      name: cleanLine(attachment.name),
      kind: readMedia(attachment.media),
      size: Number(attachment.length),
      sha256: toHex(attachment.sha256),
      thumbnail: attachment.thumbnail,
    })),
    ...(wire.alarm === undefined ? {} : { alarm: readAlarm(wire.alarm) }),
  };
}

const ALARMS: Readonly<Record<number, AlarmKind>> = {
  1: 'disk',
  2: 'store',
  3: 'keeper',
  4: 'leaf',
  5: 'name',
  6: 'issuer',
  7: 'clock',
};

/** One of a kind that this app does not know is shown by its text. */
export function readAlarm(wire: BoxAlarm): AlarmSaid {
  return { kind: ALARMS[wire.kind] ?? null, level: Math.min(wire.level, 9), over: wire.over };
}

export function readReactions(wire: readonly Reaction[]): readonly KnownReaction[] {
  return wire.map((one) => ({ kind: one.kind, people: one.people.map((person) => readId<PersonId>(person)) }));
}

export function readStat(wire: Escalation): KnownStat {
  const people = wire.called.map((called) => ({ id: readId<PersonId>(called.person), declined: called.declined !== DeclineReason.UNSPECIFIED }));
  return {
    conversation: readId(wire.conversation),
    sequence: readSequence(wire.sequence),
    state: wire.state,
    since: momentOf(wire.since),
    by: idOf(wire.by),
    notedBy: idOf(wire.notedBy),
    reached: cleanLine(wire.note?.name || wire.note?.role || ''),
    step: wire.step,
    called: people.filter((person) => !person.declined).map((person) => person.id),
    declined: people.filter((person) => person.declined).map((person) => person.id),
  };
}

export function readConversation(wire: Conversation): KnownConversation {
  const family = wire.family;
  return {
    id: readId(wire.conversation),
    kind: readKind(wire.kind),
    title: cleanLine(wire.title),
    members: readMembers(wire.members),
    last: readSequence(wire.lastSequence),
    first: readSequence(wire.firstSequence),
    purged: wire.purged,
    archived: wire.archived,
    unit: idOf(wire.unit),
    patient: wire.patient === undefined ? null : readPatient(wire.patient),
    stay: wire.encounter === undefined ? null : readStay(wire.encounter),
    family: family === undefined ? null : { thread: idOf<ConversationId>(family.patientThread), people: family.people.map(readRelative) },
    writer: idOf(wire.writer),
  };
}

export function readChange(wire: ConversationChanged): ConversationChange {
  return {
    id: readId(wire.conversation),
    joined: readMembers(wire.joined),
    left: wire.left.map((person) => readId<PersonId>(person)),
    first: readSequence(wire.firstSequence),
    purged: wire.purged,
    title: wire.title === undefined ? null : cleanLine(wire.title),
    archived: wire.archived ?? null,
    patient: wire.patient === undefined ? null : readPatient(wire.patient),
    stay: wire.encounter === undefined ? null : readStay(wire.encounter),
    people: wire.people.map(readRelative),
  };
}

export function readMarks(wire: { readonly delivered: bigint; readonly read: bigint }): Marks {
  return { delivered: readSequence(wire.delivered), read: readSequence(wire.read) };
}

function readMembers(wire: readonly Member[]): ReadonlyMap<PersonId, Marks> {
  return new Map(wire.slice(0, MEMBERS_MAX).map((member) => [readId<PersonId>(member.person), readMarks(member)]));
}

function readRelative(wire: FamilyPerson): KnownRelative {
  return { id: readId(wire.person), name: cleanLine(wire.name), title: cleanLine(wire.title), visitor: wire.visitor };
}

export function readPatient(wire: Patient): KnownPatient {
  const { particulars } = wire;
  return {
    id: readId(wire.patient),
    alias: cleanLine(wire.alias),
    particulars:
      particulars === undefined
        ? null
        : { name: cleanLine(particulars.name), recordNumber: cleanLine(particulars.recordNumber), bornOn: cleanLine(particulars.birthDate) },
  };
}

export function readStay(wire: Encounter): KnownStay {
  const state =
    wire.state === EncounterState.DISCHARGED ? 'discharged' : wire.state === EncounterState.ON_LEAVE ? 'onLeave' : 'admitted';
  return { id: idOf(wire.encounter), unit: idOf(wire.unit), bed: cleanLine(wire.bed), state, muted: wire.muted };
}

function readPriority(wire: WirePriority): Priority {
  return wire === WirePriority.STAT ? 'stat' : wire === WirePriority.URGENT ? 'urgent' : 'routine';
}

function readMedia(wire: MediaType): KnownAttachment['kind'] {
  if (wire === MediaType.PDF) return 'pdf';
  return [MediaType.OGG, MediaType.WEBM, MediaType.M4A, MediaType.WAV].includes(wire) ? 'audio' : 'photo';
}

/** One of a later version is shown as a group: it has a title, members and messages. */
function readKind(wire: Kind): ConversationKind {
  switch (wire) {
    case Kind.DIRECT:
      return 'direct';
    case Kind.CHANNEL:
      return 'channel';
    case Kind.PATIENT:
      return 'patient';
    case Kind.FAMILY:
      return 'family';
    case Kind.ROLE:
      return 'roleInbox';
    case Kind.BROADCAST:
      return 'broadcast';
    default:
      return 'group';
  }
}
