/** Between the domain and its edges: what happens, and what is to be done. */

import type { Bytes } from './bytes.ts';
import type { ToSeal } from './composing.ts';
import type { DraftsKept } from './drafts.ts';
import type { Ask, Told } from './frames.ts';
import type { DeviceId, MessageName, PersonId } from './ids.ts';
import type { Waiting, Writes } from './outbox.ts';
import type { DeviceKey, Hash, JoinCode, Signature } from './proofs.ts';
import type { Commands, Line, Reply } from './snapshot.ts';
import type { Hashed } from './talk/talk.ts';

/** Whose device this is, as it is on the disk beside the device's key. */
export interface Identity {
  readonly device: DeviceId;
  /** `null`: asked at a bed, and nobody has said yet who this is. */
  readonly person: PersonId | null;
  /** As the person called it. */
  readonly deviceName: string;
  readonly facility: string;
  /** Devices of the person that they know of. */
  readonly told: readonly DeviceId[];
  /** The person locked it here, while the box's session was open: a start of the app opens nothing. */
  readonly locked: boolean;
  /** It is a unit's screen, and so called; a start of the app without the box knows it by this. */
  readonly station?: string | null;
  /** As much of the person's name as a lock screen shows where several are on one handset. */
  readonly name?: string;
}

/** One attempt at a connection, and what came of it: rises from 1. */
export type LineNumber = number;

export type Command = {
  readonly [Name in keyof Commands]-?: { readonly command: Name; readonly with: Parameters<NonNullable<Commands[Name]>> };
}[keyof Commands];

export type Input =
  /** What the disk had. */
  | {
      readonly input: 'loaded';
      readonly identity: Identity | null;
      readonly waiting: readonly Waiting[];
      readonly highest: bigint;
      /** The device's login secret; empty: it has none yet. */
      readonly secret: Uint8Array;
    }
  /** The secret that came by this line is on the disk. */
  | { readonly input: 'secretKept'; readonly line: LineNumber }
  | { readonly input: 'storageFailed' }
  /** Another tab has the connection from now on. */
  | { readonly input: 'superseded' }
  /** `binding` ties proofs to this page's origin, and to the leaf where the page knows that. */
  | { readonly input: 'opened'; readonly line: LineNumber; readonly by: NonNullable<Line['by']>; readonly binding: Hash }
  /** A better way than that of this line is there: it takes the next one. */
  | { readonly input: 'better'; readonly line: LineNumber }
  | { readonly input: 'bytes'; readonly line: LineNumber; readonly bytes: Uint8Array }
  /** `code` is the protocol's; `null`: the transport's own end. */
  | { readonly input: 'closed'; readonly line: LineNumber; readonly code: number | null }
  /** `null`: the key cannot be used. */
  | { readonly input: 'signed'; readonly token: number; readonly signature: Signature | null }
  /** The key for a code is on the disk. */
  | { readonly input: 'keyReady'; readonly key: DeviceKey; readonly codeHash: Hash; /** What this key was given; empty: nothing. */ readonly secret: Uint8Array }
  | { readonly input: 'kept'; readonly kept: readonly { readonly name: MessageName; readonly version: number }[] }
  /** As the edge was asked to seal it. */
  | { readonly input: 'sealed'; readonly name: MessageName; readonly number: bigint; readonly bytes: Bytes }
  /** Nothing where there is nothing that this key opens. */
  | { readonly input: 'draftsRead'; readonly drafts: DraftsKept }
  /** The page goes in a moment. */
  | { readonly input: 'leaving' }
  /** The network came back, or changed, or the app was brought to the front. */
  | { readonly input: 'network' }
  /** The app is open in front of somebody, or not any more. */
  | { readonly input: 'foreground'; readonly isVisible: boolean }
  /** A page asks the box something that it alone wants to know. */
  | { readonly input: 'ask'; readonly number: number; readonly body: Ask }
  | { readonly input: 'tick' }
  | { readonly input: 'command'; readonly command: Command };

export type Effect =
  | { readonly effect: 'connect'; readonly line: LineNumber }
  | { readonly effect: 'send'; readonly line: LineNumber; readonly bytes: Bytes }
  | { readonly effect: 'close'; readonly line: LineNumber }
  /** By the device's key, or by the one that was made for a code. */
  | { readonly effect: 'sign'; readonly token: number; readonly bytes: Bytes; readonly key: 'device' | 'joining'; /** Whose SHA-256 is put into the bytes first. */ readonly hashed?: Hashed }
  /** Makes the key for a code, or finds the one that was made for it before; `own`: the device's key, which a new PIN is for. */
  | { readonly effect: 'prepareKey'; readonly code: JoinCode; readonly own: boolean; /** A code that hangs at a bed. */ readonly bedside: boolean }
  /** With the key that joined. */
  | { readonly effect: 'keepIdentity'; readonly identity: Identity; readonly joined: boolean }
  /** The login secret of the key that proved this line: nothing more is asked on it before that is on the disk. */
  | { readonly effect: 'keepSecret'; readonly line: LineNumber; readonly key: 'device' | 'joining'; readonly secret: Uint8Array }
  /** Under a key derived from the lease's; it is written once that is done. */
  | { readonly effect: 'seal'; readonly sealing: ToSeal }
  | { readonly effect: 'readDrafts'; readonly key: Bytes }
  | { readonly effect: 'keepDrafts'; readonly key: Bytes; readonly drafts: DraftsKept }
  | { readonly effect: 'write'; readonly writes: Writes }
  /** The box said by which leaves it is known, and which challenge a line's proof is over. */
  | { readonly effect: 'met'; readonly line: LineNumber; readonly leaves: readonly Hash[]; readonly challenge: Hash }
  | { readonly effect: 'replied'; readonly number: number; readonly reply: Reply }
  /** The box said something that nobody asked for. */
  | { readonly effect: 'told'; readonly body: Told };
