/**
 * Files between this device's memory and the box. Nothing of them is written to the disk: a phone that is lost has none.
 *
 * Whatever cuts a transfer, it goes on from where it was, a few times; then its person is told.
 */

import { concat, toHex, type Bytes } from '../domain/bytes.ts';
import type { Ask } from '../domain/frames.ts';
import { type ConversationId, parseId, parseSequence, wireId, wireSequence } from '../domain/ids.ts';
import { ownRefusal } from '../domain/refusals.ts';
import type { FilePlace, Files, FileSent, FileShown, Refusal, Reply } from '../domain/snapshot.ts';
import { fileName, judgeFile, parseHead, parseTail, THUMBNAIL_MAX, TransferReader, transferRequest, typeOf } from '../domain/transfers.ts';
import type { Doorway } from './doorway.ts';

/** What is read of a file at a time: a piece as the box keeps it. */
const PIECE = 65_536;
/** Cuts after which the person decides whether it goes on. */
const TRIES_MAX = 8;
/** Between two tries: the connection comes back by itself. Milliseconds. */
const PAUSE = 1_000;

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

export class BoxFiles implements Files {
  readonly #ask: (body: Ask) => Promise<Reply>;
  readonly #doorway: Pick<Doorway, 'file'>;

  constructor(ask: (body: Ask) => Promise<Reply>, doorway: Pick<Doorway, 'file'>) {
    this.#ask = ask;
    this.#doorway = doorway;
  }

  async send(file: Parameters<Files['send']>[0], progress: (sent: number) => void, stop: AbortSignal): Promise<FileSent | Refusal> {
    const conversation = parseId<ConversationId>(file.conversation);
    const bytes = new Uint8Array(await file.bytes.arrayBuffer());
    const media = judgeFile(bytes.subarray(0, 16), bytes.length);
    if (typeof media === 'object' || conversation === null) return typeof media === 'object' ? media : ownRefusal('NO_SUCH_ATTACHMENT');
    const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const picture = file.picture === null || file.picture.size > THUMBNAIL_MAX ? new Uint8Array(0) : new Uint8Array(await file.picture.arrayBuffer());
    const upload = crypto.getRandomValues(new Uint8Array(16));
    const begin: Ask = { case: 'beginUpload', value: { upload, conversation: wireId(conversation), media, length: BigInt(bytes.length), sha256, thumbnail: picture } };
    return this.#persist(stop, async () => {
      const begun = await this.#answer(begin);
      if (begun.body.case !== 'uploadBegun') throw new Cut();
      if (!begun.body.value.done) {
        await this.#upload(begun.request, bytes, progress, stop);
        await this.#answer({ case: 'finishUpload', value: { upload } });
      }
      return { upload: toHex(upload), name: fileName(file.name) };
    });
  }

  async receive(place: FilePlace, of: FileShown, what: 'file' | 'picture', progress: (come: number) => void, stop: AbortSignal): Promise<Blob | Refusal> {
    const [conversation, sequence] = [parseId<ConversationId>(place.conversation), parseSequence(place.sequence)];
    if (conversation === null || sequence === null) return ownRefusal('NO_SUCH_ATTACHMENT');
    const isPicture = what === 'picture';
    const value = { conversation: wireId(conversation), sequence: wireSequence(sequence), which: place.which, thumbnail: isPicture };
    const longest = isPicture ? THUMBNAIL_MAX : of.size;
    const come: Uint8Array[] = [];
    return this.#persist(stop, async () => {
      const { request } = await this.#answer({ case: 'openAttachment', value });
      if (isPicture) come.length = 0;
      await this.#download(request, come, longest, progress, stop);
      const whole = concat(come);
      if (!isPicture) {
        const hash = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', whole)));
        if (whole.length !== of.size || hash !== of.sha256) throw new Declined(ownRefusal('FILE_OTHER'));
      }
      const type = typeOf(whole.subarray(0, 16));
      if (type === null) throw new Declined(ownRefusal(isPicture ? 'NO_SUCH_ATTACHMENT' : 'FILE_OTHER'));
      return new Blob([whole], { type });
    });
  }

  async #upload(request: number, bytes: Bytes, progress: (sent: number) => void, stop: AbortSignal): Promise<void> {
    await this.#streamed(request, 0, stop, async (reader, head, stream) => {
      for (let at = head; at < bytes.length && !stop.aborted; at += PIECE) {
        await stream.write(bytes.slice(at, at + PIECE));
        progress(Math.min(at + PIECE, bytes.length));
      }
      await stream.finish();
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
    pass: (reader: TransferReader, head: number, stream: NonNullable<Awaited<ReturnType<Doorway['file']>>>['stream']) => Promise<void>,
  ): Promise<void> {
    const opened = await this.#doorway.file();
    if (opened === null) throw new Cut();
    const { stream, session } = opened;
    const abort = (): void => stream.abort();
    stop.addEventListener('abort', abort);
    try {
      const reader = new TransferReader(async () => {
        const { value, done } = await stream.read.read();
        return done ? null : value;
      });
      await stream.write(transferRequest(request, offset, session));
      const said = await reader.frame();
      const head = said === null ? null : parseHead(said);
      if (head === null) throw new Cut();
      if ('refused' in head) throw new Declined(head.refused);
      await pass(reader, head.offset, stream);
    } catch (error) {
      stream.abort();
      throw error instanceof Declined ? error : new Cut();
    } finally {
      stop.removeEventListener('abort', abort);
    }
  }

  async #answer(body: Ask): Promise<Extract<Reply, { reply: 'answer' }>> {
    const reply = await this.#ask(body);
    if (reply.reply === 'answer') return reply;
    throw new Declined(reply.refusal);
  }

  /** Again and again, while that may help. */
  async #persist<Value>(stop: AbortSignal, attempt: () => Promise<Value>): Promise<Value | Refusal> {
    let refusal = ownRefusal('INTERRUPTED');
    for (let tries = 0; tries < TRIES_MAX && !stop.aborted; tries += 1) {
      if (tries > 0) await new Promise((next) => setTimeout(next, PAUSE));
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Declined || error instanceof Cut)) throw error;
        if (error instanceof Declined) refusal = error.refusal;
        if (error instanceof Declined && !AGAIN.has(refusal.code)) break;
      }
    }
    return refusal;
  }
}
