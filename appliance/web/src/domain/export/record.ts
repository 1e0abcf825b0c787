/**
 * A record that a privacy officer exports (README.md, section 21), out of the frames. Texts stay as they were written: they are hashed and
 * signed, and what shows them takes care of what is hostile in them.
 */

import {
  ConversationKind as Kind,
  type Encounter,
  type ExportPage,
  type ExportPlace,
  MediaType,
  type Message as WireMessage,
  type Patient,
  Priority,
  ReactionKind,
  Sex,
} from '../../gen/wardline_pb.js';
import { type Bytes, toHex } from '../bytes.ts';
import { type ConversationId, idOf, type MessageName, type PersonId, type RoleId, type Sequence, type UnitId } from '../ids.ts';
import { readId, readName, readSequence } from '../wire.ts';
import { type Acts, readActs, type Sums } from './acts.ts';
import { type Notice, readNotice } from './notices.ts';

/** What stands in front. */
export interface Header {
  readonly facility: string;
  /** Of the facility root's certificate: what is signed is signed for this facility. */
  readonly root: Bytes;
  readonly export: string;
  readonly at: bigint;
  readonly by: PersonId;
  /** One of the two. */
  readonly patient: PatientOf | null;
  readonly person: PersonId | null;
  readonly people: ReadonlyMap<string, { readonly name: string; readonly title: string }>;
  readonly units: ReadonlyMap<string, string>;
  readonly roles: ReadonlyMap<string, string>;
}

export interface PatientOf {
  readonly id: string;
  readonly recordNumber: string;
  readonly merged: readonly string[];
  readonly name: string;
  readonly birthDate: string;
  readonly sex: SexWord;
}

export type SexWord = 'female' | 'male' | 'other' | 'unknown' | 'ambiguous' | 'not applicable';
export type KindWord = 'direct' | 'group' | 'channel' | 'patient' | 'family' | 'role' | 'broadcast' | 'other';

/** One conversation of the record. */
export interface Place {
  readonly id: ConversationId;
  readonly kind: KindWord;
  readonly first: Sequence;
  /** What the person wrote alone. */
  readonly onlyTheirs: boolean;
  /** In a person's record: which patient it is about. Files of such threads stay where they are. */
  readonly patientNumber: number | null;
  readonly stay: Stay | null;
  /** The two of a direct one. */
  readonly pair: readonly PersonId[];
  readonly visitors: ReadonlyMap<string, string>;
}

export interface Stay {
  readonly id: string;
  readonly unit: UnitId | null;
  readonly bed: string;
  readonly attending: PersonId | null;
  readonly admitted: bigint;
  readonly discharged: bigint | null;
}

export interface Message {
  readonly sequence: Sequence;
  readonly name: MessageName;
  readonly sender: PersonId;
  readonly at: bigint;
  readonly priority: 'routine' | 'urgent' | 'stat';
  readonly text: string;
  readonly replyTo: Sequence | null;
  readonly edits: number;
  readonly editedAt: bigint | null;
  readonly recalledAt: bigint | null;
  readonly mentions: readonly PersonId[];
  readonly reactions: readonly { readonly reaction: string; readonly people: readonly PersonId[] }[];
  readonly files: readonly FileOf[];
}

export interface FileOf {
  readonly name: string;
  /** `null`: of a later version. */
  readonly type: string | null;
  readonly ending: string;
  readonly size: number;
  readonly sha256: string;
}

/** Messages of one conversation, oldest first, with what stands among them. */
export interface Page {
  readonly title: string;
  readonly messages: readonly Message[];
  readonly notices: readonly Notice[];
  readonly acts: ReadonlyMap<Sequence, Acts>;
  /** Names that were hidden in it. */
  readonly hidden: number;
  readonly through: Sequence;
  readonly end: boolean;
}

export const KINDS: Readonly<Partial<Record<Kind, KindWord>>> = {
  [Kind.DIRECT]: 'direct',
  [Kind.GROUP]: 'group',
  [Kind.CHANNEL]: 'channel',
  [Kind.PATIENT]: 'patient',
  [Kind.FAMILY]: 'family',
  [Kind.ROLE]: 'role',
  [Kind.BROADCAST]: 'broadcast',
};
const SEXES: Readonly<Partial<Record<Sex, SexWord>>> = { [Sex.FEMALE]: 'female', [Sex.MALE]: 'male', [Sex.OTHER]: 'other', [Sex.AMBIGUOUS]: 'ambiguous', [Sex.NOT_APPLICABLE]: 'not applicable' };
const REACTIONS: Readonly<Partial<Record<ReactionKind, string>>> = {
  [ReactionKind.AGREE]: 'agree',
  [ReactionKind.THANKS]: 'thanks',
  [ReactionKind.DONE]: 'done',
  [ReactionKind.LOOKING]: 'looking',
  [ReactionKind.QUESTION]: 'question',
  [ReactionKind.CONCERN]: 'concern',
};
const MEDIA: Readonly<Partial<Record<MediaType, readonly [type: string, ending: string]>>> = {
  [MediaType.JPEG]: ['image/jpeg', 'jpg'],
  [MediaType.PNG]: ['image/png', 'png'],
  [MediaType.HEIC]: ['image/heic', 'heic'],
  [MediaType.WEBP]: ['image/webp', 'webp'],
  [MediaType.PDF]: ['application/pdf', 'pdf'],
  [MediaType.OGG]: ['audio/ogg', 'ogg'],
  [MediaType.WEBM]: ['audio/webm', 'webm'],
  [MediaType.M4A]: ['audio/mp4', 'm4a'],
  [MediaType.WAV]: ['audio/wav', 'wav'],
};

export function readPatientOf(wire: Patient): PatientOf {
  const { particulars } = wire;
  return {
    id: readId(wire.patient),
    recordNumber: particulars?.recordNumber ?? '',
    merged: wire.mergedRecordNumbers,
    name: particulars?.name ?? wire.alias,
    birthDate: particulars?.birthDate ?? '',
    sex: SEXES[particulars?.sex ?? Sex.UNKNOWN] ?? 'unknown',
  };
}

export function readPlace(wire: ExportPlace): Place {
  return {
    id: readId(wire.conversation),
    kind: KINDS[wire.kind] ?? 'other',
    first: readSequence(wire.first),
    onlyTheirs: wire.onlyTheirs,
    patientNumber: wire.patientNumber === 0 ? null : wire.patientNumber,
    stay: wire.stay === undefined ? null : readStay(wire.stay, wire.admitted),
    pair: wire.pair.map((person) => readId<PersonId>(person)),
    visitors: new Map(wire.visitors.map((visitor) => [readId<PersonId>(visitor.person), visitor.name])),
  };
}

function readStay(wire: Encounter, admitted: bigint): Stay {
  return {
    id: readId(wire.encounter),
    unit: idOf<UnitId>(wire.unit),
    bed: wire.bed,
    attending: idOf<PersonId>(wire.attending),
    admitted,
    discharged: wire.dischargedAt === 0n ? null : wire.dischargedAt,
  };
}

/** Verifies what was signed, in the facility of this root. */
export async function readPage(wire: ExportPage, root: Bytes, sums: Sums): Promise<Page> {
  const messages = wire.messages.map(readMessage);
  const acts = new Map<Sequence, Acts>();
  for (const one of wire.acts) {
    const sequence = readSequence(one.sequence);
    acts.set(sequence, await readActs(one, root, messages.find((message) => message.sequence === sequence) ?? null, sums));
  }
  return {
    title: wire.title,
    messages,
    notices: wire.notices.flatMap((one) => readNotice(one) ?? []),
    acts,
    hidden: wire.namesHidden,
    through: readSequence(wire.through),
    end: wire.end,
  };
}

function readMessage(wire: WireMessage): Message {
  return {
    sequence: readSequence(wire.sequence),
    name: readName(wire.message),
    sender: readId(wire.sender),
    at: wire.at,
    priority: wire.priority === Priority.STAT ? 'stat' : wire.priority === Priority.URGENT ? 'urgent' : 'routine',
    text: wire.text,
    replyTo: wire.replyTo === 0n ? null : readSequence(wire.replyTo),
    edits: wire.edits,
    editedAt: wire.edits > 0 ? wire.editedAt : null,
    recalledAt: wire.recalledAt === 0n ? null : wire.recalledAt,
    mentions: wire.mentions.map((one) => readId<PersonId>(one.person)),
    reactions: wire.reactions.flatMap((one) => {
      const reaction = REACTIONS[one.kind];
      return reaction === undefined ? [] : [{ reaction, people: one.people.map((person) => readId<PersonId>(person)) }];
    }),
    files: wire.attachments.map((one): FileOf => {
      const [type, ending] = MEDIA[one.media] ?? [null, 'bin'];
      return { name: one.name, type, ending, size: Number(one.length), sha256: toHex(one.sha256) };
    }),
  };
}

/** What somebody is called in this record; `nobody`: a visitor of a patient whose record it is not, or the patient. */
export function nameIn(header: Header, person: PersonId, place: Place | null, nobody: string): string {
  return header.people.get(person)?.name ?? place?.visitors.get(person) ?? nobody;
}

/** What a role is called; not in a thread of a patient whose record this is not, since it may say where they lie. */
export function roleIn(header: Header, role: RoleId, place: Place): string | null {
  return place.patientNumber === null ? (header.roles.get(role) ?? null) : null;
}

/** The first and the last moment that is written out. */
const [FIRST, LAST] = [-377_705_023_201_000n, 253_402_207_200_999n];

/** RFC 3339, UTC, without what is zero behind the second; empty where no date is so far away. */
export function time(at: bigint): string {
  if (at < FIRST || at > LAST) return '';
  return new Date(Number(at)).toISOString().replace(/\.?0*Z$/, 'Z');
}
