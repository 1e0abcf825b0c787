/**
 * What the app shows, as plain values: the only thing that the view knows of the domain besides {@link Commands}.
 *
 * A snapshot is made whole by the domain after each change and is never changed in place. It refuses to hold what the person in
 * front of the screen may not see: while `stage` is not `open`, everything that is somebody's is absent.
 */

import type { ExportEdge } from './export/exporting.ts';
import type { Care, CareAct, Found } from './care/contract.ts';
import type { Ask, Told } from './frames.ts';
import type { Handset } from './handset.ts';
import type { CopiedDevice } from './lead/copied.ts';
import type { Gap } from './lead/gaps.ts';
import type { Offer } from './lead/offers.ts';
import type { Urgent } from './rings.ts';
import type { OrderShown, TalkAct } from './talk/contract.ts';

/** 64 bits, 1 to 2^63 - 1, as 16 hexadecimal digits: a person, conversation, unit, role, patient or device. */
export type Id = string;
/** Milliseconds since 1970-01-01 UTC, by the box's clock. */
export type At = number;

export type Priority = 'routine' | 'urgent' | 'stat';

/** Where the app stands. */
export type Stage =
  /** Reads what it kept. */
  | 'starting'
  /** No device of anybody's yet: wants a code. */
  | 'joining'
  /** Asked at a patient's bed to be let in, and nobody has answered yet. */
  | 'asked'
  /** Knows its device, wants the person's PIN. */
  | 'locked'
  /** Shows what the person may see. */
  | 'open'
  /** A unit's screen: shows what rings, and nothing of anybody's. */
  | 'station'
  /** Cannot go on by itself: `ended` says why. */
  | 'ended';

/** The connection, as it is. */
export interface Line {
  readonly state: 'online' | 'connecting' | 'offline';
  readonly by: 'WebTransport' | 'WebSocket' | null;
  /** When it became so. */
  readonly since: At;
  /** When anything last came from the box, as far as this page knows. */
  readonly heardAt?: At;
  /** The facility's name, once a box has said it. */
  readonly facility: string;
}

/** A refusal by the box or by the app itself, shown where it arose. `code` is a `RefusalCode` without prefix, or one of the app's. */
export interface Refusal {
  readonly code: string;
  /** The box's own words, hostile like every text; shown only when the app has none for `code`. */
  readonly advice: string;
  readonly triesLeft?: number;
  /** Seconds until it is worth trying again. */
  readonly retryAfter?: number;
}

export interface Person {
  readonly id: Id;
  readonly name: string;
  readonly title: string;
  readonly units: readonly { readonly id: Id; readonly name: string; readonly chargeNurse: boolean }[];
  readonly suspended: boolean;
  readonly administrator: boolean;
  readonly privacyOfficer: boolean;
}

export interface Role {
  readonly id: Id;
  readonly name: string;
  readonly unit: string;
  /** Who holds it now. */
  readonly holders: readonly { readonly id: Id; readonly name: string }[];
  readonly mine: boolean;
}

export interface PatientHeader {
  readonly id: Id;
  /** The name, or the alias of a restricted patient. */
  readonly name: string;
  readonly bed: string;
  /** Their stay here. */
  readonly stay: Id | null;
  readonly unit: string;
  readonly recordNumber: string;
  readonly bornOn: string;
  readonly flags: readonly string[];
}

/** How a STAT stands. */
export interface Stat {
  readonly state: 'open' | 'held' | 'accepted' | 'closed';
  /** Who is coming or has it. */
  readonly by: string;
  /** Whom it rings for now, names or role titles. */
  readonly ringing: readonly string[];
  /** When the next step begins, while it rings. */
  readonly nextAt: At | null;
  readonly step: number;
  /** It rings for the person in front of this screen. */
  readonly mine: boolean;
  /** What this person may answer now. */
  readonly may: readonly ('accept' | 'coming' | 'cannot' | 'close' | 'handBack')[];
}

export type FileKind = 'photo' | 'pdf' | 'audio';

/** A file of a message. */
export interface FileShown {
  /** Hostile, as every text. */
  readonly name: string;
  readonly kind: FileKind;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of all of it, hexadecimal. */
  readonly sha256: string;
  /** There is a small picture of it. */
  readonly thumbnail: boolean;
}

/** A file of a message, by its place among the message's. */
export interface FilePlace {
  readonly conversation: Id;
  readonly sequence: number;
  readonly which: number;
}

/** A file that the box has, for a message that is to be sent. */
export interface FileSent {
  /** 16 bytes, hexadecimal. */
  readonly upload: string;
  readonly name: string;
}

/** Files, in memory alone: nothing of them is kept on the device. All end when the app locks. */
export interface Files {
  /**
   * Sends one that a message of this conversation is to have; goes on where it was cut, while the app is open. `picture`: the small one
   * of it, of 10 kB at most; empty: none.
   */
  send(file: { readonly conversation: Id; readonly bytes: Blob; readonly name: string; readonly picture: Blob | null }, progress: (sent: number) => void, stop: AbortSignal): Promise<FileSent | Refusal>;
  /** Fetches one, whole and as its message says it is, or the small picture of it. */
  receive(place: FilePlace, of: FileShown, what: 'file' | 'picture', progress: (come: number) => void, stop: AbortSignal): Promise<Blob | Refusal>;
}

export type NoticeKind =
  | 'admitted'
  | 'moved'
  | 'leaveBegan'
  | 'leaveEnded'
  | 'discharged'
  | 'closed'
  | 'attending'
  | 'entered'
  | 'left'
  | 'hasBed'
  | 'stays'
  | 'bedUnheld'
  | 'emergencyBegan'
  | 'emergencyEnded'
  | 'restricted'
  | 'unrestricted'
  | 'recordsMerged'
  | 'recordsUnmerged'
  | 'familyConsented'
  | 'familyConsentEnded'
  | 'familyAsked'
  | 'familyEntered'
  | 'familyLeft';
/** Why somebody entered. */
export type NoticeReason = 'attending' | 'byHand' | 'bed' | 'emergency' | 'named' | 'merged';

/** What moved in a patient's thread. The view makes the words. */
export interface NoticeItem {
  readonly number: number;
  readonly at: At;
  readonly kind: NoticeKind;
  /** Whom it is about; empty: nobody, or nobody of the directory. */
  readonly person: string;
  /** Whose act it was, where that is somebody else. */
  readonly by: string;
  readonly reason: NoticeReason | null;
  readonly unit: string;
  readonly bed: string;
  /** 0: not known. */
  readonly until: At;
}

/** Who asked at a patient's bed to be let in, as far as was told of them. */
export interface VisitAsked {
  readonly waiting: number;
  /** Then nobody of them waits any more. */
  readonly until: At;
}

/** What can be wrong with the box. */
export type AlarmKind = 'disk' | 'store' | 'keeper' | 'leaf' | 'name' | 'issuer' | 'clock';

/** What the box itself says is wrong with it. */
export interface AlarmSaid {
  /** Null: this app does not know it. */
  readonly kind: AlarmKind | null;
  /** From 1; more is worse. */
  readonly level: number;
  /** It is so no more. */
  readonly over: boolean;
}

export interface MessageItem {
  /** Key for lists: stable from composing to acceptance. */
  readonly key: string;
  /** 0 while it waits to be accepted. */
  readonly sequence: number;
  readonly author: string;
  readonly authorTitle: string;
  readonly mine: boolean;
  readonly at: At;
  /** Empty when recalled or destroyed. Hostile: show it as text. */
  readonly text: string;
  readonly priority: Priority;
  readonly edited: boolean;
  /** How often. */
  readonly edits: number;
  readonly recalled: boolean;
  readonly replyTo: { readonly author: string; readonly text: string } | null;
  readonly reactions: readonly { readonly kind: string; readonly people: readonly string[]; readonly mine: boolean }[];
  readonly attachments: readonly FileShown[];
  /** Of one that waits or failed: what goes with it. */
  readonly files?: readonly FileSent[];
  readonly mentionsMe: boolean;
  /** Of one's own messages; null of others'. `failed` was refused for good. */
  readonly fate: 'waiting' | 'sent' | 'delivered' | 'read' | 'failed' | null;
  readonly refusal: Refusal | null;
  readonly stat: Stat | null;
  /** It is an order by text, or one on its way. */
  readonly order: OrderShown | null;
  /** What was told between this message and the next. */
  readonly notices?: readonly NoticeItem[];
  /** One that waits or failed, of which only the box can read what it says. */
  readonly sealed?: boolean;
  /** Said by the box itself: what is wrong with it, for which a view has words; the text says the same in English. */
  readonly alarm?: AlarmSaid;
}

export type ConversationKind = 'direct' | 'group' | 'channel' | 'patient' | 'family' | 'roleInbox' | 'broadcast';

/** A line of the inbox. */
export interface InboxItem {
  readonly id: Id;
  readonly kind: ConversationKind;
  readonly title: string;
  readonly subtitle: string;
  readonly patient: PatientHeader | null;
  readonly lastText: string;
  readonly lastAuthor: string;
  /** The last text is the box's own: whether it says that something is over. */
  readonly lastAlarm?: { readonly over: boolean };
  /** What the box itself writes to a role: a view says so in place of the subtitle. */
  readonly ofBox?: true;
  readonly lastAt: At;
  readonly unread: number;
  readonly mentioned: boolean;
  readonly waiting: number;
  /** Something was begun there and not sent. */
  readonly drafted: boolean;
  readonly stat: Stat | null;
  /** Of a patient: somebody waits at the bed to be let in. */
  readonly visit?: VisitAsked | null;
  /** Where it belongs: the inbox is in this order, newest first within each. */
  readonly section: 'stat' | 'mentions' | 'patients' | 'rest';
}

/** Whom a STAT in a conversation would reach, as of when it was asked; the box promises nothing. Shown before one is sent. */
export interface Prospect {
  readonly at: At;
  /** For whom it would ring first; 100 at most are named. */
  readonly called: readonly {
    readonly name: string;
    readonly title: string;
    /** The app is open in front of them; a device is connected and would ring; nothing of theirs is here. */
    readonly reach: 'open' | 'bell' | 'none';
    /** Does not want to be disturbed; it rings all the same. */
    readonly silent: boolean;
    /** Who covers for them, and is called as well; empty: nobody. */
    readonly cover: string;
    /** Where to call them when they are not here; empty: nowhere. */
    readonly offSite: string;
  }[];
  readonly calledCount: number;
  /** Seconds until the next step begins, if nobody answers. */
  readonly firstWait: number;
  readonly steps: readonly { readonly people: number; readonly reachable: number }[];
  readonly stations: number;
  readonly stationsReachable: number;
  /** A number to call when nobody answers; may be empty. */
  readonly dial: string;
}

/** The one conversation that is open on the screen. */
export interface OpenConversation {
  readonly item: InboxItem;
  readonly people: readonly Person[];
  readonly messages: readonly MessageItem[];
  /** What was told before the first of them; empty where older ones are not here. */
  readonly before?: readonly NoticeItem[];
  /** Older messages exist and can be asked for; `full`: they exist, and more than are here are not kept. */
  readonly older: 'none' | 'some' | 'loading' | 'full';
  /** Takes new messages. */
  readonly writable: boolean;
  readonly draft: string;
  /** Of a family thread: who of the family reads it, by name and what they are to the patient. */
  readonly family?: readonly { readonly name: string; readonly relation: string }[];
  /** What {@link Commands.askProspect} was answered last, of this conversation. */
  readonly prospect?: Prospect | null;
  /** Where it was opened at, when that was asked for. */
  readonly found?: Found | null;
}

/** A STAT that calls the person in front of this screen, or, while locked, this device: no name and no text then. */
export interface Ringing {
  readonly conversation: Id;
  readonly sequence: number;
  readonly unit: string;
  readonly senderTitle: string;
  readonly opened: At;
  /** A number to call now; empty before the last step. */
  readonly dial: string;
  /** Said from the lock screen, or here. */
  readonly coming: boolean;
  /** Somebody is coming: shown, and silent. True as well when it is this person. */
  readonly held: boolean;
  /** Its conversation is none of this person's: they are shown that one message alone. */
  readonly outside: boolean;
}

export interface Snapshot {
  readonly stage: Stage;
  /** What this device is called, when it is a unit's screen; also once it has ended or wants a code. */
  readonly station?: string | null;
  readonly line: Line;
  readonly ended: 'superseded' | 'revoked' | 'suspended' | 'tooOld' | 'storage' | null;
  /** Something the person asked for is under way: a join, a PIN. */
  readonly busy: boolean;
  /** Why the last join, PIN or act was not done; cleared by the next. */
  readonly refusal: Refusal | null;
  /** While locked: how many messages of the last user wait to be sent. */
  readonly waiting: number;
  /** How many of these do not leave before the person is there. */
  readonly staying?: number;
  readonly ringing: readonly Ringing[];
  /** On a unit's screen: urgent messages that nobody has seen, the longest first. */
  readonly urgents?: readonly Urgent[];
  /** STATs of conversations that are none of this person's, which they have. */
  readonly taken: readonly Ringing[];
  readonly me: Person | null;
  /** Caught up with the box: what is shown is complete. */
  readonly caughtUp: boolean;
  readonly inbox: readonly InboxItem[];
  readonly conversation: OpenConversation | null;
  readonly people: readonly Person[];
  readonly roles: readonly Role[] | null;
  readonly devices: readonly { readonly id: Id; readonly name: string; readonly isThis: boolean; readonly isNew: boolean }[];
  /** Beds, searching, tasks, availability; `null` while the app is not open. */
  readonly care: Care | null;
  /** Somebody of a patient's family, or the patient: has one thread and nothing else. */
  readonly visitor: boolean;
  /** Roles that are offered to this person, and wait for an answer. */
  readonly offers: readonly Offer[];
  /** When nobody will hold a role of a unit that this person leads. */
  readonly gaps: readonly Gap[];
  /** Of this person, or of somebody whom they lead. */
  readonly copied?: readonly CopiedDevice[];
  /** While locked: a passkey of this device opens it as well as the PIN. */
  readonly passkey?: boolean;
  /** Locked, and everything that was shown forgotten, since the box was not there for ten minutes. */
  readonly lapsed: boolean;
}

/** What the view may ask for. Each returns at once; what comes of it is in a later snapshot. */
export interface Commands {
  /** A code of ten characters as typed, the PIN chosen, and what to call this device. */
  join(code: string, pin: string, deviceName: string): void;
  /** The same with the code that hangs at a patient's bed: who asks, and what they are to the patient. */
  visit(code: string, pin: string, deviceName: string, name: string, relation: string): void;
  /** While it waits to be let in: asks the box now. */
  lookAgain(): void;
  unlock(pin: string): void;
  unlockByPasskey?(assertion: Assertion): void;
  lock(): void;
  /** The person touched the app: keeps the session from locking. At most every few seconds. */
  touched(): void;
  openConversation(id: Id): void;
  closeConversation(): void;
  /** What of the open conversation was on the screen, up to this sequence. */
  seen(sequence: number): void;
  loadOlder(): void;
  draft(text: string): void;
  send(conversation: Id, text: string, priority: Priority, replyTo: number, files?: readonly FileSent[]): void;
  /** Asks whom a STAT in the open conversation would reach: before one is offered for sending. */
  askProspect?(): void;
  /** Forgets a message that was refused. */
  discard(key: string): void;
  answerStat(conversation: Id, sequence: number, answer: 'accept' | 'coming' | 'cannot' | 'close' | 'handBack', reason?: string): void;
  react(conversation: Id, sequence: number, kind: string, takenBack: boolean): void;
  /** Opens the direct conversation with somebody, and shows it. */
  writeTo(person: Id): void;
  /** Opens the conversation with whoever holds a role, and shows it. */
  writeToRole(role: Id): void;
  askRoles(): void;
  takeRole(role: Id): void;
  returnRole(role: Id): void;
  /** What is asked for beside conversations. */
  care(act: CareAct): void;
  /** What the device signs: orders and call notes. */
  talk(act: TalkAct): void;
  /** The new ones among {@link Snapshot.devices} were on the screen: none of them is told of again. */
  devicesShown(): void;
  dismissRefusal(): void;
}

/** What a passkey has signed, as it goes to the box. */
export interface Assertion {
  readonly credential: Uint8Array;
  readonly clientData: Uint8Array;
  readonly authenticatorData: Uint8Array;
  readonly signature: Uint8Array;
}

/** A passkey of this device. */
export interface PasskeyShown {
  readonly credential: Uint8Array;
  readonly added: At;
}

/** Passkeys, in the PIN's place. */
export interface Passkeys {
  /** This browser has them, and its page an address that they can be bound to. */
  readonly possible: boolean;
  list(): Promise<readonly PasskeyShown[] | Refusal>;
  /** Asks the person's finger, face or screen lock; `name`: whose it is, as the browser shows it. */
  add(name: string, device: Id): Promise<readonly PasskeyShown[] | Refusal>;
  remove(passkey: PasskeyShown): Promise<readonly PasskeyShown[] | Refusal>;
  /** While locked. What comes of it is in a later snapshot; a refusal is why it did not come to that. */
  unlock(): Promise<Refusal | null>;
}

/** Whether this phone is rung while the app is closed. */
export interface BellShown {
  /** The facility has it on. */
  readonly on: boolean;
  /** The box has one, and it runs. */
  readonly isThere: boolean;
  /** This device has it. */
  readonly set: boolean;
}

/** The bell of this browser, through its maker's push service. */
export interface Bell {
  readonly possible: boolean;
  look(): Promise<BellShown | Refusal>;
  /** Asks the person whether notifications may be shown. */
  on(person: Id): Promise<BellShown | Refusal>;
  off(): Promise<BellShown | Refusal>;
}

/** The domain as the view holds it. */
export interface App extends Commands {
  readonly snapshot: Snapshot;
  /** Called after each new snapshot; returns how to stop. */
  subscribe(changed: (snapshot: Snapshot) => void): () => void;
  /**
   * Asks the box what one page alone wants to know or have done. The page keeps the answer, and goes when the app locks. Never
   * rejected: whatever comes between is a refusal, `LOCKED`, `OFFLINE` or `INTERRUPTED` (which may have been done all the same).
   */
  ask(body: Ask): Promise<Reply>;
  /** What is being written goes to the disk, where that may be: the page goes in a moment. */
  keep(): Promise<void>;
  readonly files: Files;
  /** Who else is on this handset; none while practising. */
  handset?(): Promise<Handset>;
  /** Absent where nothing is a device's, as in practice. */
  readonly passkeys?: Passkeys;
  /** The same. */
  readonly bell?: Bell;
  /** What the browser does for an export; none while practising. */
  exporting?(): Promise<ExportEdge>;
  /** Called with what the box says unasked while the app is open; returns how to stop. */
  listen(heard: (body: Told) => void): () => void;
}

/** What came of {@link App.ask}. */
export type Reply = { readonly reply: 'answer'; /** Of the connection that it came by: a file names it. */ readonly request: number; readonly body: Told } | { readonly reply: 'refused'; readonly refusal: Refusal };
