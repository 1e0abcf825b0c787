/**
 * Files between this device's memory and the box. Nothing of them is written to the disk: a phone that is lost has none.
 *
 * Whatever cuts a transfer, it goes on from where it was, as long as that brings it further; then its person is told. One goes and one
 * comes at a time: the box has two places for a session, and a long upload must not keep the small pictures away.
 */

import { concat, toHex, type Bytes } from '../domain/bytes.ts';
import type { Ask } from '../domain/frames.ts';
import { type ConversationId, parseId, parseSequence, wireId, wireSequence } from '../domain/ids.ts';
import { ownRefusal } from '../domain/refusals.ts';
import type { FilePlace, Files, FileSent, FileShown, Refusal, Reply } from '../domain/snapshot.ts';
import { fileName, judgeFile, parseHead, parseTail, THUMBNAIL_MAX, TransferReader, transferRequest, typeOf } from '../domain/transfers.ts';
import type { Doorway } from './doorway.ts';
import type { Stream } from './wires.ts';

/** What is read of a file at a time: a piece as the box keeps it. */
const PIECE = 65_536;
/** From one try to the next that brings it no further; after the last the person decides whether it goes on. Milliseconds. */
const PAUSES = [1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000];

/** Worth another try, with what has come of it so far. */
class Cut extends Error {
  override readonly name = 'Cut';
}

/** What the box refused, or the app. */
class Declined extends Error {
  override readonly name = 'Declined';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

const AGAIN = new Set(['OFFLINE', 'INTERRUPTED', 'UNAVAILABLE', 'SLOW_DOWN', 'UPLOAD_UNFINISHED']);

/** Resolves after that time, or as soon as it was stopped. */
export type Pause = (wait: number, stop: AbortSignal) => Promise<void>;

/** One after the other. */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<Value>(turn: () => Promise<Value>): Promise<Value> {
    const taken = this.#last.then(turn);
    this.#last = taken.catch(() => undefined);
    return taken;
  }
}

export class BoxFiles implements Files {
  readonly #ask: (body: Ask) => Promise<Reply>;
  readonly #doorway: Pick<Doorway, 'file'>;
  readonly #pause: Pause;
  readonly #sending = new Turns();
  readonly #receiving = new Turns();

  constructor(ask: (body: Ask) => Promise<Reply>, doorway: Pick<Doorway, 'file'>, pause: Pause = pauseFor) {
    this.#ask = ask;
    this.#doorway = doorway;
    this.#pause = pause;
  }

  async send(file: Parameters<Files['send']>[0], progress: (sent: number) => void, stop: AbortSignal): Promise<FileSent | Refusal> {
    const conversation = parseId<ConversationId>(file.conversation);
    if (conversation === null) return ownRefusal('NO_SUCH_ATTACHMENT');
    const media = judgeFile(new Uint8Array(await file.bytes.slice(0, 16).arrayBuffer()), file.bytes.size);
    if (typeof media === 'object') return media;
    const bytes = new Uint8Array(await file.bytes.arrayBuffer());
    const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const thumbnail = file.picture === null || file.picture.size > THUMBNAIL_MAX ? new Uint8Array(0) : new Uint8Array(await file.picture.arrayBuffer());
    const upload = crypto.getRandomValues(new Uint8Array(16));
    const begin: Ask = { case: 'beginUpload', value: { upload, conversation: wireId(conversation), media, length: BigInt(bytes.length), sha256, thumbnail } };
    let had = 0;
    return this.#sending.take(() =>
      this.#persist(stop, async (further) => {
        const begun = await this.#answer(begin);
        if (begun.body.case !== 'uploadBegun') throw new Cut();
        if (!begun.body.value.done) {
          await this.#upload(begun.request, bytes, progress, stop, (has) => {
            if (has > had) further();
            had = has;
          });
          await this.#answer({ case: 'finishUpload', value: { upload } });
        }
        return { upload: toHex(upload), name: fileName(file.name) };
      }),
    );
  }

  async receive(place: FilePlace, of: FileShown, what: 'file' | 'picture', progress: (come: number) => void, stop: AbortSignal): Promise<Blob | Refusal> {
    const [conversation, sequence] = [parseId<ConversationId>(place.conversation), parseSequence(place.sequence)];
    if (conversation === null || sequence === null) return ownRefusal('NO_SUCH_ATTACHMENT');
    const isPicture = what === 'picture';
    const value = { conversation: wireId(conversation), sequence: wireSequence(sequence), which: place.which, thumbnail: isPicture };
    const longest = isPicture ? THUMBNAIL_MAX : of.size;
    const come: Uint8Array[] = [];
    return this.#receiving.take(() =>
      this.#persist(stop, async (further) => {
        const { request } = await this.#answer({ case: 'openAttachment', value });
        // The small one is always sent from its beginning.
        if (isPicture) come.length = 0;
        const came = (length: number): void => {
          if (!isPicture) further();
          progress(length);
        };
        await this.#download(request, come, longest, came, stop);
        const whole = concat(come);
        if (!isPicture && (whole.length !== of.size || (await hashOf(whole)) !== of.sha256)) throw new Declined(ownRefusal('FILE_OTHER'));
        const type = typeOf(whole.subarray(0, 16));
        if (type === null) throw new Declined(ownRefusal(isPicture ? 'NO_SUCH_ATTACHMENT' : 'FILE_OTHER'));
        return new Blob([whole], { type });
      }),
    );
  }

  /** A file that this ask opens, to be saved as it is: it is shown nowhere. */
  async open(ask: Ask, of: Pick<FileShown, 'size' | 'sha256'>, stop: AbortSignal): Promise<Bytes | Refusal> {
    const come: Uint8Array[] = [];
    return this.#receiving.take(() =>
      this.#persist(stop, async (further) => {
        const { request } = await this.#answer(ask);
        await this.#download(request, come, of.size, () => further(), stop);
        const whole = concat(come);
        if (whole.length !== of.size || (await hashOf(whole)) !== of.sha256) throw new Declined(ownRefusal('FILE_OTHER'));
        return whole;
      }),
    );
  }

  async #upload(request: number, bytes: Bytes, progress: (sent: number) => void, stop: AbortSignal, has: (offset: number) => void): Promise<void> {
    await this.#streamed(request, 0, stop, async (reader, head, stream) => {
      has(head);
      try {
        for (let at = head; at < bytes.length; at += PIECE) {
          await stream.write(bytes.slice(at, at + PIECE));
          progress(Math.min(at + PIECE, bytes.length));
        }
        await stream.finish();
      } catch {
        // A box that has all, or wants no more, ends its half: why is in what it said.
      }
      const said = await reader.frame();
      const tail = said === null ? null : parseTail(said);
      if (tail === null) throw new Cut();
      if ('refused' in tail) throw new Declined(tail.refused);
    });
  }

  async #download(request: number, come: Uint8Array[], longest: number, progress: (come: number) => void, stop: AbortSignal): Promise<void> {
    let length = come.reduce((sum, one) => sum + one.length, 0);
    await this.#streamed(request, length, stop, async (reader, head) => {
      if (head !== length) throw new Cut();
      for (let next = await reader.bytes(); next !== null; next = await reader.bytes()) {
        length += next.length;
        if (length > longest) throw new Declined(ownRefusal('FILE_OTHER'));
        come.push(next);
        progress(length);
      }
    });
  }

  /** One stream, to its end. */
  async #streamed(
    request: number,
    offset: number,
    stop: AbortSignal,
    pass: (reader: TransferReader, head: number, stream: Stream) => Promise<void>,
  ): Promise<void> {
    const opened = await this.#doorway.file();
    if (opened === null) throw new Cut();
    const { stream, session } = opened;
    const abort = (): void => stream.abort();
    stop.addEventListener('abort', abort);
    try {
      if (stop.aborted) throw new Cut();
      const reader = new TransferReader(() => stream.read());
      await stream.write(transferRequest(request, offset, session));
      const said = await reader.frame();
      const head = said === null ? null : parseHead(said);
      if (head === null) throw new Cut();
      if ('refused' in head) throw new Declined(head.refused);
      await pass(reader, head.offset, stream);
    } catch (error) {
      throw error instanceof Declined ? error : new Cut();
    } finally {
      stop.removeEventListener('abort', abort);
      stream.abort();
    }
  }

  async #answer(body: Ask): Promise<Extract<Reply, { reply: 'answer' }>> {
    const reply = await this.#ask(body);
    if (reply.reply === 'answer') return reply;
    throw new Declined(reply.refusal);
  }

  /** Again and again, while that may help; an attempt that came `further` than those before it counts as the first. */
  async #persist<Value>(stop: AbortSignal, attempt: (further: () => void) => Promise<Value>): Promise<Value | Refusal> {
    let refusal = ownRefusal('INTERRUPTED');
    for (let tries = 0; !stop.aborted; tries += 1) {
      try {
        return await attempt(() => (tries = 0));
      } catch (error) {
        if (!(error instanceof Declined || error instanceof Cut)) throw error;
        refusal = error instanceof Declined ? error.refusal : ownRefusal('INTERRUPTED');
      }
      const pause = PAUSES[tries];
      if (!AGAIN.has(refusal.code) || pause === undefined) break;
      await this.#pause(Math.max(pause, (refusal.retryAfter ?? 0) * 1000), stop);
    }
    return refusal;
  }
}

async function hashOf(bytes: Bytes): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

function pauseFor(wait: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, wait);
    stop.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
