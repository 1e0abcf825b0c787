/**
 * One person's place on this device: the domain with its edges, the connection, the disk and the clock.
 *
 * The page shows one. Another may be there beside it, unseen, so that what its person composed before the lock leaves (`handset.ts`).
 */

import type { Bytes } from '../domain/bytes.ts';
import type { Now } from '../domain/desk.ts';
import type { Effect, Input } from '../domain/effects.ts';
import type { Told } from '../domain/frames.ts';
import { Phone } from '../domain/phone.ts';
import type { Reply, Snapshot } from '../domain/snapshot.ts';
import { Doorway } from './doorway.ts';
import { codeHash, sealComposed, sign, type SigningKey, withHash } from './keys.ts';
import { keepPlace, Storage } from './storage.ts';

/** Told to the box, for its log. */
const CLIENT = 'wardline-app 1';
/** The longest that a browser's timer takes. */
const TIMER_MAX = 2 ** 31 - 1;

/** What becomes of a seat. */
export interface SeatHappens {
  /** It may look otherwise, after this. */
  changed(input: Input): void;
  replied(number: number, reply: Reply): void;
  told(body: Told): void;
}

export class Seat {
  readonly place: number;
  readonly #happens: SeatHappens;
  readonly #phone: Phone;
  #storage: Storage | null = null;
  readonly doorway = new Doorway(location, {
    opened: (line, by, binding) => this.give({ input: 'opened', line, by, binding }),
    better: (line) => this.give({ input: 'better', line }),
    bytes: (line, bytes) => this.give({ input: 'bytes', line, bytes }),
    closed: (line, code) => this.give({ input: 'closed', line, code }),
  });
  #key: SigningKey | null = null;
  #joiningKey: SigningKey | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What the edges are at. */
  readonly #doing = new Set<Promise<void>>();

  constructor(place: number, happens: SeatHappens) {
    this.place = place;
    this.#happens = happens;
    this.#phone = new Phone(CLIENT, {
      number: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
      bytes: (count: number): Bytes => crypto.getRandomValues(new Uint8Array(count)),
    });
  }

  get snapshot(): Snapshot {
    return this.#phone.snapshot;
  }

  /** Once. `isAway`: its person is not there, whatever the box says. */
  async begin(isAway = false): Promise<void> {
    try {
      const storage = await Storage.open(this.place);
      this.#storage = storage;
      this.#key = (await storage.get('key')) ?? null;
      // An identity without its key is none.
      const identity = this.#key === null ? null : ((await storage.get('identity')) ?? null);
      const [highest, waiting] = [(await storage.get('highest')) ?? 0n, await storage.waiting()];
      const secret = this.#key === null ? new Uint8Array(0) : await storage.secretOf(this.#key);
      this.give({ input: 'loaded', identity: identity !== null && isAway ? { ...identity, locked: true } : identity, waiting, highest, secret });
      if (identity !== null) askToPersist();
    } catch {
      this.give({ input: 'storageFailed' });
    }
  }

  /** Resolves once all that was asked of the edges is done: it is on the disk then. */
  async settled(): Promise<void> {
    while (this.#doing.size > 0) await Promise.all(this.#doing);
  }

  /** For good. Nothing of it is written after this. */
  async end(): Promise<void> {
    this.give({ input: 'superseded' });
    clearTimeout(this.#timer);
    await this.settled();
    this.#storage?.close();
  }

  give(input: Input): void {
    const phone = this.#phone;
    const now: Now = { steady: performance.now(), wall: Date.now() };
    for (const effect of phone.handle(now, input)) {
      const doing = this.#do(effect)
        .catch(() => this.give({ input: 'storageFailed' }))
        .finally(() => this.#doing.delete(doing));
      this.#doing.add(doing);
    }
    clearTimeout(this.#timer);
    const wait = phone.nextAt() - performance.now();
    if (wait < Infinity) this.#timer = setTimeout(() => this.give({ input: 'tick' }), Math.min(Math.max(wait, 0), TIMER_MAX));
    this.#happens.changed(input);
  }

  async #do(effect: Effect): Promise<void> {
    const storage = this.#storage;
    switch (effect.effect) {
      case 'connect':
        return this.doorway.open(effect.line);
      case 'send':
        return this.doorway.send(effect.line, effect.bytes);
      case 'close':
        return this.doorway.close(effect.line);
      case 'sign': {
        const key = effect.key === 'joining' ? this.#joiningKey : this.#key;
        const bytes = effect.hashed === undefined ? effect.bytes : await withHash(effect.bytes, effect.hashed);
        const signature = key === null ? null : await sign(key, bytes).catch(() => null);
        return this.give({ input: 'signed', token: effect.token, signature });
      }
      case 'prepareKey': {
        const hash = await codeHash(effect.code, effect.bedside);
        const key = effect.own ? this.#key : ((await storage?.joiningKey(hash)) ?? null);
        if (key === null) return this.give({ input: 'storageFailed' });
        if (!effect.own) this.#joiningKey = key;
        const secret = (await storage?.secretOf(key)) ?? new Uint8Array(0);
        return this.give({ input: 'keyReady', key: key.point, codeHash: hash, secret });
      }
      case 'keepSecret': {
        const key = effect.key === 'joining' ? this.#joiningKey : this.#key;
        if (key === null || storage === null) return this.give({ input: 'storageFailed' });
        await storage.keepSecret(key, Uint8Array.from(effect.secret));
        return this.give({ input: 'secretKept', line: effect.line });
      }
      case 'keepIdentity': {
        const key = effect.joined ? this.#joiningKey : null;
        this.#key = key ?? this.#key;
        if (effect.joined) askToPersist();
        await storage?.keepIdentity(effect.identity, key);
        if (effect.joined) await keepPlace(this.place);
        return;
      }
      case 'met':
        return this.doorway.met(effect.line, effect.leaves, effect.challenge);
      case 'replied':
        return this.#happens.replied(effect.number, effect.reply);
      case 'told':
        return this.#happens.told(effect.body);
      case 'seal': {
        const { name, number } = effect.sealing;
        return this.give({ input: 'sealed', name, number, bytes: await sealComposed(effect.sealing) });
      }
      case 'readDrafts':
        return this.give({ input: 'draftsRead', drafts: (await storage?.drafts(effect.key)) ?? [] });
      case 'keepDrafts':
        return storage?.keepDrafts(effect.key, effect.drafts);
      case 'write': {
        await storage?.write(effect.writes);
        const kept = effect.writes.puts.map(({ waiting, version }) => ({ name: waiting.name, version }));
        return this.give({ input: 'kept', kept });
      }
    }
  }
}

/** A browser may otherwise throw away what is kept when room is scarce. Some ask the person: not before there is something. */
function askToPersist(): void {
  if ('storage' in navigator) navigator.storage.persist().catch(() => false);
}
