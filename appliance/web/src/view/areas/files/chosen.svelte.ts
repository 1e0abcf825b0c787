import type { FileKind, Files, FileSent, Id, Refusal } from '../../../domain/snapshot.ts';
import { isRefusal } from '../../../domain/refusals.ts';
import { FILES_MAX } from '../../../domain/transfers.ts';
import { prepare, type Prepared } from './picture.ts';

/** One that was chosen for a message. */
export class Chosen {
  readonly key: number;
  readonly name: string;
  /** Known once it is ready to be sent. */
  prepared: Prepared | null = $state.raw(null);
  sent = $state(0);
  /** The box has it. */
  file: FileSent | null = $state.raw(null);
  fault: Refusal | 'unreadable' | null = $state.raw(null);
  readonly stop = new AbortController();

  constructor(key: number, name: string) {
    this.key = key;
    this.name = name;
  }
}

/** What a message is to have. All of it is in memory, and goes with the conversation on the screen: when the app locks at the latest. */
export class FilesToSend {
  all: readonly Chosen[] = $state.raw([]);
  /** More were chosen than a message takes. */
  tooMany = $state(false);
  readonly #files: Files;
  readonly #conversation: Id;
  #count = 0;

  constructor(files: Files, conversation: Id) {
    this.#files = files;
    this.#conversation = conversation;
  }

  /** Nothing is under way, and nothing was refused. */
  get isReady(): boolean {
    return this.all.every((one) => one.file !== null);
  }

  get sent(): readonly FileSent[] {
    return this.all.flatMap(({ file }) => (file === null ? [] : [file]));
  }

  /** Of the first one: what the message is called without a text. */
  get kind(): FileKind | null {
    return this.all[0]?.prepared?.kind ?? null;
  }

  add(blob: Blob, name: string): void {
    this.tooMany = this.all.length >= FILES_MAX;
    if (this.tooMany) return;
    this.#count += 1;
    const one = new Chosen(this.#count, name);
    this.all = [...this.all, one];
    void this.#send(one, blob);
  }

  /** One that did not get there goes once more. */
  again(one: Chosen): void {
    const { prepared } = one;
    if (prepared !== null) void this.#send(one, prepared.bytes, prepared);
  }

  remove(one: Chosen): void {
    one.stop.abort();
    this.all = this.all.filter((other) => other !== one);
    this.tooMany = false;
  }

  clear(): void {
    for (const one of this.all) one.stop.abort();
    this.all = [];
    this.tooMany = false;
  }

  async #send(one: Chosen, blob: Blob, known: Prepared | null = null): Promise<void> {
    one.fault = null;
    one.sent = 0;
    const prepared = known ?? (await prepare(blob, one.name));
    if (prepared === 'unreadable' || 'code' in prepared) {
      one.fault = prepared;
      return;
    }
    one.prepared = prepared;
    const { bytes, name, picture } = prepared;
    const came = await this.#files.send({ conversation: this.#conversation, bytes, name, picture }, (sent) => (one.sent = sent), one.stop.signal);
    if (isRefusal(came)) one.fault = came;
    else one.file = came;
  }
}
