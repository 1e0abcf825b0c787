/**
 * Exporting somebody's record: begun with grounds, read conversation by conversation, finished with its seal (README.md, section 21). It goes
 * on over an interruption: the box has it for four hours, whatever becomes of a connection.
 */

import type { ExportPlaces } from '../../gen/wardline_pb.js';
import { answer, type Asks, Declines } from '../admin/asking.ts';
import type { Bytes } from '../bytes.ts';
import type { Ask } from '../frames.ts';
import { type AnyId, type ConversationId, idOf, type PersonId, wireId, wireSequence } from '../ids.ts';
import type { Refusal } from '../snapshot.ts';
import { readId, WireFault } from '../wire.ts';
import type { Sums } from './acts.ts';
import { type FileOf, type Header, type Page, type Place, readPage, readPatientOf, readPlace } from './record.ts';
import { type Count, folderOf, type PageWriter, Writing } from './writing.ts';
import { ZIP_FILES_MAX } from './zip.ts';

/** An export is in memory until it is saved: what is larger is for the terminal program, which writes as it reads. */
export const SIZE_MAX = 536_870_912;
/** From one try to the next where the box says no other; seconds. */
const AGAIN_AFTER = 2;
const TRIES_MAX = 50;
/** What another try may help. */
const AGAIN = new Set(['SLOW_DOWN', 'UNAVAILABLE', 'OFFLINE', 'INTERRUPTED']);
/** Recalled, or gone with its age, since the page was read. */
const GONE = new Set(['NO_SUCH_ATTACHMENT', 'NO_SUCH_MESSAGE']);

export type Whose = { readonly of: 'person'; readonly person: PersonId } | { readonly of: 'patient'; readonly recordNumber: string };

/** What the browser does for it. */
export interface ExportEdge extends Sums {
  /** The facility's name, and SHA-256 of its root's certificate; `null`: the box does not say. */
  facility(): Promise<{ readonly name: string; readonly root: Bytes } | null>;
  /** A file that an ask opens, whole and with the hash that it should have. */
  file(ask: Ask, file: FileOf, stop: AbortSignal): Promise<Bytes | Refusal>;
  /** Resolves after so many seconds, or as soon as it was stopped. */
  pause(seconds: number, stop: AbortSignal): Promise<void>;
}

export interface Progress {
  /** Conversations that are written, and of how many. */
  readonly places: number;
  readonly of: number;
  readonly messages: number;
  readonly files: number;
}

export interface Exported {
  readonly name: string;
  readonly parts: readonly Bytes[];
  readonly count: Readonly<Count>;
  /** 64 hexadecimal digits are its words. */
  readonly seal: Bytes;
  /** The box has put the seal on record; otherwise what it answered was lost. */
  readonly isRecorded: boolean;
}

/** What everybody and everything is called in it. */
export type Names = Pick<Header, 'people' | 'units' | 'roles' | 'by'>;

interface How {
  readonly asks: Asks;
  readonly edge: ExportEdge;
  readonly page: PageWriter;
  readonly names: () => Promise<Names>;
  readonly told: (progress: Progress) => void;
  readonly stop: AbortSignal;
}

/** Throws {@link Declines}; with `EXPORT_STOPPED` where it was stopped, `EXPORT_TOO_LARGE` where it is. */
export async function exportRecord(whose: Whose, grounds: string, how: How): Promise<Exported> {
  const { asks, edge, stop } = how;
  const facility = await edge.facility();
  if (facility === null) throw declined('OFFLINE');
  const names = await how.names();
  const subject = whose.of === 'person' ? { case: 'person' as const, value: wireId(whose.person) } : { case: 'recordNumber' as const, value: whose.recordNumber.trim() };
  const begun = await answer(asks, { case: 'beginExport', value: { subject, grounds: grounds.trim() } }, 'exportBegun');
  const header: Header = {
    ...names,
    facility: facility.name,
    root: facility.root,
    export: readId(begun.export),
    at: begun.at,
    patient: begun.patient === undefined ? null : readPatientOf(begun.patient),
    person: idOf<PersonId>(begun.person),
  };
  const writing = await Writing.begin(header, how.page, edge);
  const reading = new Reading(begun.export, writing, how, header.root, begun.places);
  await reading.all();
  const { count, seal, parts } = await writing.finish();
  check(stop, writing);
  const isRecorded = await reading.finish(seal);
  return { name: `${folderOf(header.export)}.zip`, parts, count, seal, isRecorded };
}

class Reading {
  readonly #export: bigint;
  readonly #writing: Writing;
  readonly #how: How;
  readonly #root: Bytes;
  readonly #of: number;
  #places = 0;
  #messages = 0;

  constructor(number: bigint, writing: Writing, how: How, root: Bytes, of: number) {
    [this.#export, this.#writing, this.#how, this.#root, this.#of] = [number, writing, how, root, of];
  }

  async all(): Promise<void> {
    this.#tell();
    for (let after: ConversationId | null = null; ; ) {
      const value: { export: bigint; after: bigint } = { export: this.#export, after: wireId(after) };
      const page: ExportPlaces = await this.#patiently((asks) => answer(asks, { case: 'listExport', value }, 'exportPlaces'));
      for (const wire of page.places) {
        await this.#place(readPlace(wire));
        this.#places += 1;
        this.#tell();
      }
      const last = page.places.at(-1);
      if (page.end || last === undefined) return;
      after = readId(last.conversation);
    }
  }

  /** Whether the box has said that the seal is on record. */
  async finish(seal: Bytes): Promise<boolean> {
    let interrupted = false;
    try {
      await this.#patiently(
        (asks) => answer(asks, { case: 'finishExport', value: { export: this.#export, manifestSha256: seal } }, 'done'),
        () => (interrupted = true),
      );
      return true;
    } catch (thrown) {
      // It was heard the first time, or the box began anew: the audit log says which.
      if (interrupted && thrown instanceof Declines && thrown.refusal.code === 'NO_SUCH_EXPORT') return false;
      throw thrown;
    }
  }

  async #place(place: Place): Promise<void> {
    let after = Math.max(place.first - 1, 0);
    for (let isFirst = true; ; isFirst = false) {
      const value = { export: this.#export, conversation: wireId(place.id), after: wireSequence(after) };
      const wire = await this.#patiently((asks) => answer(asks, { case: 'readExport', value }, 'exportPage'));
      const page = await readPage(wire, this.#root, this.#how.edge);
      if (page.through <= after && !page.end) throw new WireFault('a page of an export that leads nowhere');
      if (isFirst) await this.#writing.place(place, page.title);
      await this.#page(place, page);
      if (page.end) break;
      after = page.through;
    }
    await this.#writing.placeEnds();
  }

  async #page(place: Place, page: Page): Promise<void> {
    const files = new Map<Page['through'], (string | null)[]>();
    for (const message of page.messages) {
      const kept: (string | null)[] = [];
      for (const [which, file] of message.files.entries()) {
        // Nobody can hide a name in a photo.
        kept.push(place.patientNumber === null ? await this.#file(place, message.sequence, which, file) : null);
      }
      files.set(message.sequence, kept);
      this.#messages += 1;
    }
    await this.#writing.page(place, page, files);
    check(this.#how.stop, this.#writing);
    this.#tell();
  }

  /** Where it lies; `null`: it is gone. */
  async #file(place: Place, sequence: number, which: number, file: FileOf): Promise<string | null> {
    const { edge, stop } = this.#how;
    check(stop, this.#writing, file.size);
    const ask: Ask = { case: 'openExportFile', value: { export: this.#export, conversation: wireId(place.id), sequence: wireSequence(sequence), which } };
    const come = await edge.file(ask, file, stop);
    if (!('code' in come)) {
      const path = this.#writing.file(file, come);
      this.#tell();
      return path;
    }
    check(stop, this.#writing);
    if (GONE.has(come.code)) return null;
    throw new Declines(come);
  }

  #tell(): void {
    this.#how.told({ places: this.#places, of: this.#of, messages: this.#messages, files: this.#writing.files });
  }

  /** Asks again while the box has no time, or is away; `lost`: what it answered may have been lost. */
  async #patiently<Value>(ask: (asks: Asks) => Promise<Value>, lost: () => void = () => undefined): Promise<Value> {
    const { asks, edge, stop } = this.#how;
    for (let tries = 0; ; tries += 1) {
      check(stop, this.#writing);
      try {
        return await ask(asks);
      } catch (thrown) {
        if (!(thrown instanceof Declines) || !AGAIN.has(thrown.refusal.code) || tries >= TRIES_MAX) throw thrown;
        if (thrown.refusal.code === 'INTERRUPTED') lost();
        await edge.pause(thrown.refusal.retryAfter ?? AGAIN_AFTER, stop);
      }
    }
  }
}

/** Whether it may go on, with so many bytes more. */
function check(stop: AbortSignal, writing: Writing, more = 0): void {
  if (stop.aborted) throw declined('EXPORT_STOPPED');
  if (writing.size + more > SIZE_MAX || writing.files >= ZIP_FILES_MAX - 4) throw declined('EXPORT_TOO_LARGE');
}

function declined(code: string): Declines {
  return new Declines({ code, advice: '' });
}

/** An identifier's name, out of what a list has of it. */
export function namesOf(list: readonly { readonly id: AnyId; readonly name: string }[]): ReadonlyMap<string, string> {
  return new Map(list.map(({ id, name }) => [id, name]));
}
