/**
 * What survives the page, of each person of a handset apart: whose device this is, its key, its numbers, what was composed and is not accepted, and what was begun, sealed. Nothing that
 * was read: each start takes a snapshot.
 *
 * Every change is one transaction, and they are carried out in the order in which they were asked for: what counts as kept is what
 * the browser says it has on the disk.
 */

import type { Bytes } from '../domain/bytes.ts';
import { toHex } from '../domain/bytes.ts';
import type { Composed } from '../domain/composing.ts';
import type { DraftsKept } from '../domain/drafts.ts';
import type { Identity } from '../domain/effects.ts';
import type { ConversationId, MessageName } from '../domain/ids.ts';
import type { Waiting, Writes } from '../domain/outbox.ts';
import type { Hash } from '../domain/proofs.ts';
import { makeSigningKey, Sealing, type SigningKey } from './keys.ts';

const NAME = 'wardline';
const VERSION = 1;
const DEVICE = 'device';
const OUTBOX = 'outbox';
/** What they are sealed as. */
const DRAFTS = 'drafts';

/** Who has a place on this handset, and whose turn it is: kept with the first one's. */
export interface Places {
  readonly current: number;
  readonly places: readonly number[];
}

const ALONE: Places = { current: 0, places: [0] };

/** The device's values, each under its name. */
interface Kept {
  handset: Places;
  identity: Identity;
  key: SigningKey;
  /** A key with the code that it was made for, until it is the device's: one key is one device's, and each code has its own. */
  joining: { readonly codeHash: string; readonly key: SigningKey };
  sealing: CryptoKey;
  /** What the box gave the holder of a key last, to be presented the next time: a copy of this profile that is used beside it is noticed. */
  secret: { readonly of: string; readonly value: Bytes };
  /** The highest number ever given. */
  highest: bigint;
  /** What was begun and not sent, sealed under the box's key for it. */
  drafts: Bytes;
}

/** A line of the outbox. What a person wrote, and to whom it goes beside the conversation, is sealed: for the box, where there was a lease. */
interface Line {
  readonly name: MessageName;
  readonly conversation: ConversationId;
  /** In which it was composed. */
  readonly order: number;
  readonly number: bigint | null;
  readonly sealed: Bytes;
  /** As the box alone reads it; none of an earlier version of the app. */
  readonly composed?: Composed | null;
}

type Sealed = Omit<Waiting, 'name' | 'conversation' | 'number' | 'sealed'>;

/** What is kept is not what was written. Says nothing of what it was. */
export class StorageFault extends Error {
  override readonly name = 'StorageFault';
}

export class Storage {
  readonly #database: IDBDatabase;
  readonly #sealing: Sealing;
  readonly #orders = new Map<MessageName, number>();
  #next = 1;
  /** The last of what is to be done, so that the next comes behind it. */
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(database: IDBDatabase, sealing: Sealing) {
    this.#database = database;
    this.#sealing = sealing;
  }

  /** Each person of a handset has their own, by their place. */
  static async open(place = 0): Promise<Storage> {
    const database = await open(place);
    const kept = await get(database, 'sealing');
    const key = kept ?? (await Sealing.makeKey());
    if (kept === undefined) await put(database, { sealing: key });
    return new Storage(database, new Sealing(key));
  }

  close(): void {
    this.#database.close();
  }

  get<Name extends keyof Kept>(name: Name): Promise<Kept[Name] | undefined> {
    return this.#behind(() => get(this.#database, name));
  }

  /** What waits to be sent, in the order in which it was composed. Rejects where a line is damaged: to drop it would lose a message. */
  waiting(): Promise<Waiting[]> {
    return this.#behind(async () => {
      const lines = await answerOf(this.#database.transaction(OUTBOX).objectStore(OUTBOX).getAll() as IDBRequest<Line[]>);
      lines.sort((one, other) => one.order - other.order);
      for (const { name, order } of lines) {
        this.#orders.set(name, order);
        this.#next = Math.max(this.#next, order + 1);
      }
      return Promise.all(lines.map((line) => this.#unsealed(line)));
    });
  }

  /** Rejects unless all of it is on the disk. */
  write({ puts, deletes, highest }: Writes): Promise<void> {
    return this.#behind(async () => {
      const lines = await Promise.all(puts.map(({ waiting }) => this.#sealed(waiting)));
      const transaction = this.#database.transaction([DEVICE, OUTBOX], 'readwrite', { durability: 'strict' });
      const outbox = transaction.objectStore(OUTBOX);
      for (const line of lines) outbox.put(line);
      for (const name of deletes) {
        outbox.delete(name);
        this.#orders.delete(name);
      }
      transaction.objectStore(DEVICE).put(highest, 'highest');
      await doneOf(transaction);
    });
  }

  /** The key for a code: the one that was made for it before, or a fresh one. On the disk before the box hears of it. */
  joiningKey(code: Hash): Promise<SigningKey> {
    return this.#behind(async () => {
      const codeHash = toHex(code);
      const kept = await get(this.#database, 'joining');
      if (kept?.codeHash === codeHash) return kept.key;
      const key = await makeSigningKey();
      await put(this.#database, { joining: { codeHash, key } });
      return key;
    });
  }

  /** The login secret of the holder of this key; empty: none. */
  async secretOf(key: SigningKey): Promise<Bytes> {
    const kept = await this.get('secret');
    return kept?.of === toHex(key.point) ? kept.value : new Uint8Array(0);
  }

  keepSecret(key: SigningKey, value: Bytes): Promise<void> {
    return this.#behind(() => put(this.#database, { secret: { of: toHex(key.point), value } }));
  }

  /** What this key opens: after a join it is another one, and there is nothing. */
  async drafts(key: Bytes): Promise<DraftsKept> {
    const sealed = await this.get('drafts');
    if (sealed === undefined) return [];
    try {
      return JSON.parse(await (await Sealing.under(key)).open(DRAFTS, sealed)) as DraftsKept;
    } catch {
      return [];
    }
  }

  keepDrafts(key: Bytes, drafts: DraftsKept): Promise<void> {
    return this.#behind(async () => {
      const sealed = drafts.length === 0 ? null : await (await Sealing.under(key)).seal(DRAFTS, JSON.stringify(drafts));
      await put(this.#database, { drafts: sealed });
    });
  }

  /** Whose device this is; `key`: with the key that has joined. */
  keepIdentity(identity: Identity, key: SigningKey | null): Promise<void> {
    return this.#behind(async () => {
      await put(this.#database, key === null ? { identity } : { identity, key, joining: null });
    });
  }

  async #sealed(waiting: Waiting): Promise<Line> {
    const { name, conversation, number, sealed: composed = null, ...rest } = waiting;
    const order = this.#orders.get(name) ?? this.#next;
    if (order === this.#next) this.#next += 1;
    this.#orders.set(name, order);
    const sealed = await this.#sealing.seal(boundTo(waiting), JSON.stringify(rest satisfies Sealed));
    return { name, conversation, order, number, sealed, composed };
  }

  async #unsealed({ name, conversation, number, sealed, composed }: Line): Promise<Waiting> {
    let rest: Sealed;
    try {
      rest = JSON.parse(await this.#sealing.open(boundTo({ name, conversation }), sealed)) as Sealed;
    } catch {
      throw new StorageFault('a line of the outbox');
    }
    // Of an earlier version of the app there are none.
    return { ...rest, files: rest.files ?? [], name, conversation, number, ...(composed == null ? {} : { sealed: composed }) };
  }

  /** One after the other; one that fails does not hold back the next. */
  #behind<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work, work);
    this.#tail = done;
    return done;
  }
}

export async function readPlaces(): Promise<Places> {
  const database = await open(0);
  const places = await get(database, 'handset');
  database.close();
  return places ?? ALONE;
}

export async function changePlaces(change: (places: Places) => Places): Promise<void> {
  const database = await open(0);
  await put(database, { handset: change((await get(database, 'handset')) ?? ALONE) });
  database.close();
}

/** Somebody has joined there. */
export async function keepPlace(place: number): Promise<void> {
  const { places } = await readPlaces();
  if (!places.includes(place)) await changePlaces(() => ({ current: place, places: [...places, place] }));
}

/** Nothing of whoever had this place stays. */
export async function clearPlace(place: number): Promise<void> {
  const database = await open(place);
  const handset = await get(database, 'handset');
  const transaction = database.transaction([DEVICE, OUTBOX], 'readwrite', { durability: 'strict' });
  for (const store of [DEVICE, OUTBOX]) transaction.objectStore(store).clear();
  if (handset !== undefined) transaction.objectStore(DEVICE).put(handset, 'handset');
  await doneOf(transaction);
  database.close();
}

async function open(place: number): Promise<IDBDatabase> {
  const request = indexedDB.open(place === 0 ? NAME : `${NAME}.${place}`, VERSION);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(DEVICE);
    request.result.createObjectStore(OUTBOX, { keyPath: 'name' });
  };
  const database = await answerOf(request);
  // Another tab with a newer version of the app: this one makes way.
  database.onversionchange = () => database.close();
  return database;
}

function boundTo({ name, conversation }: Pick<Waiting, 'name' | 'conversation'>): string {
  return `outbox ${name} ${conversation}`;
}

function get<Name extends keyof Kept>(database: IDBDatabase, name: Name): Promise<Kept[Name] | undefined> {
  return answerOf(database.transaction(DEVICE).objectStore(DEVICE).get(name) as IDBRequest<Kept[Name] | undefined>);
}

/** `null`: not any more. */
async function put(database: IDBDatabase, values: { readonly [Name in keyof Kept]?: Kept[Name] | null }): Promise<void> {
  const transaction = database.transaction(DEVICE, 'readwrite', { durability: 'strict' });
  const store = transaction.objectStore(DEVICE);
  for (const [name, value] of Object.entries(values)) {
    if (value === null) store.delete(name);
    else store.put(value, name);
  }
  await doneOf(transaction);
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new StorageFault('a request'));
  });
}

function doneOf(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(new StorageFault('a transaction'));
    transaction.onerror = () => reject(new StorageFault('a transaction'));
  });
}
