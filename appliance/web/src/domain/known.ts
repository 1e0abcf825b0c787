/** What is known of people, conversations and messages, as values. Out of the frames by `wire.ts`. */

import type { EscalationState } from '../gen/wardline_pb.js';
import type { ConversationId, DeviceId, MessageName, PatientId, PersonId, RoleId, Sequence, StayId, UnitId } from './ids.ts';
import type { AlarmSaid, ConversationKind, Priority } from './snapshot.ts';

export interface KnownUnit {
  readonly id: UnitId;
  readonly name: string;
}

export interface KnownPerson {
  readonly id: PersonId;
  readonly name: string;
  readonly title: string;
  readonly suspended: boolean;
  readonly administrator: boolean;
  readonly privacyOfficer: boolean;
  readonly posts: readonly { readonly unit: UnitId; readonly chargeNurse: boolean }[];
  /** No person but a screen, or the box itself. */
  readonly isStation: boolean;
  /** The box itself, which writes alarms. */
  readonly isBox?: true;
}

export interface KnownRole {
  readonly id: RoleId;
  readonly unit: UnitId;
  readonly name: string;
  /** In the order in which they are asked. */
  readonly holders: readonly PersonId[];
  readonly retired: boolean;
}

export interface KnownDevice {
  readonly id: DeviceId;
  readonly name: string;
}

/** How far one member is. Watermarks only rise. */
export interface Marks {
  readonly delivered: Sequence;
  readonly read: Sequence;
}

/** What has been put to a message, by kind. */
export interface KnownReaction {
  /** A `ReactionKind`. */
  readonly kind: number;
  readonly people: readonly PersonId[];
}

export interface KnownAttachment {
  readonly name: string;
  readonly kind: 'photo' | 'pdf' | 'audio';
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly thumbnail: boolean;
}

export interface KnownMessage {
  readonly conversation: ConversationId;
  readonly sequence: Sequence;
  readonly name: MessageName;
  readonly sender: PersonId;
  readonly at: number;
  /** Empty: recalled, destroyed, or not to be opened any more. */
  readonly text: string;
  readonly priority: Priority;
  readonly replyTo: Sequence;
  readonly edits: number;
  readonly recalled: boolean;
  readonly mentions: readonly PersonId[];
  readonly reactions: readonly KnownReaction[];
  readonly attachments: readonly KnownAttachment[];
  /** What the box itself says is wrong with it; the text says the same in English. */
  readonly alarm?: AlarmSaid;
}

/** How a STAT stands: the whole of it. */
export interface KnownStat {
  readonly conversation: ConversationId;
  readonly sequence: Sequence;
  readonly state: EscalationState;
  readonly since: number;
  /** Who is coming or has it. */
  readonly by: PersonId | null;
  /** Who noted that they were reached by telephone. */
  readonly notedBy: PersonId | null;
  /** As what, or as whom outside the directory, they were reached. */
  readonly reached: string;
  readonly step: number;
  /** For whom it has rung and who has not said that they cannot. */
  readonly called: readonly PersonId[];
  /** Who said that they cannot. */
  readonly declined: readonly PersonId[];
}

/** Whom a patient's thread is about. */
export interface KnownPatient {
  readonly id: PatientId;
  /** Absent: restricted, and the person is not named. */
  readonly particulars: { readonly name: string; readonly recordNumber: string; readonly bornOn: string } | null;
  readonly alias: string;
}

export interface KnownStay {
  readonly id: StayId | null;
  readonly unit: UnitId | null;
  readonly bed: string;
  readonly state: 'admitted' | 'onLeave' | 'discharged';
  readonly muted: boolean;
}

/** Somebody of a family thread, who may be in no directory. */
export interface KnownRelative {
  readonly id: PersonId;
  readonly name: string;
  readonly title: string;
  /** Family, or the patient: not of the team. */
  readonly visitor: boolean;
}

/** The whole of a conversation as the box names it. */
export interface KnownConversation {
  readonly id: ConversationId;
  readonly kind: ConversationKind;
  readonly title: string;
  readonly members: ReadonlyMap<PersonId, Marks>;
  readonly last: Sequence;
  /** The first that this person may read. */
  readonly first: Sequence;
  readonly purged: boolean;
  readonly archived: boolean;
  readonly unit: UnitId | null;
  readonly patient: KnownPatient | null;
  readonly stay: KnownStay | null;
  readonly family: { readonly thread: ConversationId | null; readonly people: readonly KnownRelative[] } | null;
  /** Of a conversation with a role: who writes to it. */
  readonly writer: PersonId | null;
}

/** What is new of a conversation; what is absent stays. */
export interface ConversationChange {
  readonly id: ConversationId;
  readonly joined: ReadonlyMap<PersonId, Marks>;
  readonly left: readonly PersonId[];
  readonly first: Sequence;
  readonly purged: boolean;
  readonly title: string | null;
  readonly archived: boolean | null;
  readonly patient: KnownPatient | null;
  readonly stay: KnownStay | null;
  readonly people: readonly KnownRelative[];
}
