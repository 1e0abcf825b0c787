/**
 * The domain with its edges: one tab has the connection, the disk, the clock, and what the browser tells of network and foreground.
 */

import type { Bytes } from '../domain/bytes.ts';
import type { Now } from '../domain/desk.ts';
import type { Command, Effect, Input } from '../domain/effects.ts';
import { Phone } from '../domain/phone.ts';
import { ownRefusal } from '../domain/refusals.ts';
import type { Ask, Told } from '../domain/frames.ts';
import type { App, Commands, Files, Reply, Snapshot } from '../domain/snapshot.ts';
import { Doorway } from './doorway.ts';
import { codeHash, sealComposed, sign, type SigningKey, withHash } from './keys.ts';
import { Storage } from './storage.ts';
import { takeTurns } from './tabs.ts';

/** Told to the box, for its log. */
const CLIENT = 'wardline-app 1';
/** Changes are shown together, at most so often: a snapshot's thousand events are no thousand pictures. Milliseconds. */
const SHOW_AFTER = 16;
/** What the app tells by itself, or many times a second; whatever else somebody does is shown at once. */
const UNHURRIED: readonly string[] = ['draft', 'seen', 'touched'];
/** The longest that a browser's timer takes. */
const TIMER_MAX = 2 ** 31 - 1;

/** Starts the app of this page. What it finds comes in snapshots. */
export function startApp(): App {
  const app = new BrowserApp();
  takeTurns({
    // A page that has no keys, since it did not come over TLS, can begin nothing.
    begin: () => void app.begin().catch(() => app.end('storage')),
    superseded: () => app.end('superseded'),
  });
  return app;
}

class BrowserApp implements App {
  #snapshot: Snapshot = bare('starting');
  readonly #subscribers = new Set<(snapshot: Snapshot) => void>();
  readonly #listeners = new Set<(body: Told) => void>();
  /** Pages that wait for an answer. Each ask is replied to, and so ends here. */
  readonly #asked = new Map<number, (reply: Reply) => void>();
  #asks = 0;
  #phone: Phone | null = null;
  #storage: Storage | null = null;
  readonly #doorway = new Doorway(location, {
    opened: (line, by, binding) => this.#give({ input: 'opened', line, by, binding }),
    better: (line) => this.#give({ input: 'better', line }),
    bytes: (line, bytes) => this.#give({ input: 'bytes', line, bytes }),
    closed: (line, code) => this.#give({ input: 'closed', line, code }),
  });
  /** The carrier comes with the first file: nobody waits for it before a message. */
  readonly files: Files = {
    send: async (...file) => (await this.#carrier())?.send(...file) ?? ownRefusal('OFFLINE'),
    receive: async (...place) => (await this.#carrier())?.receive(...place) ?? ownRefusal('OFFLINE'),
  };
  #files: Promise<Files | null> | null = null;
  #key: SigningKey | null = null;
  #joiningKey: SigningKey | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #showing: ReturnType<typeof setTimeout> | undefined;

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  subscribe(changed: (snapshot: Snapshot) => void): () => void {
    this.#subscribers.add(changed);
    return () => this.#subscribers.delete(changed);
  }

  ask(body: Ask): Promise<Reply> {
    this.#asks += 1;
    const number = this.#asks;
    return new Promise((resolve) => {
      if (this.#phone === null) return resolve({ reply: 'refused', refusal: ownRefusal('LOCKED') });
      this.#asked.set(number, resolve);
      this.#give({ input: 'ask', number, body });
    });
  }

  /** One for all files: it sends and receives one at a time. What could not be fetched is fetched anew. */
  #carrier(): Promise<Files | null> {
    this.#files ??= import('./files.ts').then(
      ({ BoxFiles }) => new BoxFiles((body) => this.ask(body), this.#doorway),
      () => (this.#files = null),
    );
    return this.#files;
  }

  listen(heard: (body: Told) => void): () => void {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  /** Nothing goes on in this tab. */
  end(why: 'storage' | 'superseded'): void {
    if (this.#phone === null) this.#show({ ...bare('ended'), ended: why });
    else this.#give({ input: why === 'storage' ? 'storageFailed' : 'superseded' });
  }

  /** Once, when this tab is the one. */
  async begin(): Promise<void> {
    this.#show(bare('starting'));
    const chance = {
      number: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
      bytes: (count: number): Bytes => crypto.getRandomValues(new Uint8Array(count)),
    };
    this.#phone = new Phone(CLIENT, chance);
    this.#listen();
    try {
      const storage = await Storage.open();
      this.#storage = storage;
      this.#key = (await storage.get('key')) ?? null;
      // An identity without its key is none.
      const identity = this.#key === null ? null : ((await storage.get('identity')) ?? null);
      const [highest, waiting] = [(await storage.get('highest')) ?? 0n, await storage.waiting()];
      const secret = this.#key === null ? new Uint8Array(0) : await storage.secretOf(this.#key);
      this.#give({ input: 'loaded', identity, waiting, highest, secret });
      if (identity !== null) askToPersist();
    } catch {
      this.#give({ input: 'storageFailed' });
    }
  }

  #listen(): void {
    const isVisible = (): boolean => document.visibilityState === 'visible';
    const network = (): void => this.#give({ input: 'network' });
    const another = (): void => {
      this.#doorway.networkChanged();
      network();
    };
    document.addEventListener('visibilitychange', () => {
      this.#give({ input: 'foreground', isVisible: isVisible() });
      if (isVisible()) network();
    });
    addEventListener('online', another);
    addEventListener('pageshow', network);
    const { connection } = navigator as Navigator & { readonly connection?: EventTarget };
    connection?.addEventListener('change', another);
    this.#give({ input: 'foreground', isVisible: isVisible() });
  }

  #give(input: Input): void {
    const phone = this.#phone;
    if (phone === null) return;
    const now: Now = { steady: performance.now(), wall: Date.now() };
    for (const effect of phone.handle(now, input)) void this.#do(effect).catch(() => this.#give({ input: 'storageFailed' }));
    clearTimeout(this.#timer);
    const wait = phone.nextAt() - performance.now();
    if (wait < Infinity) this.#timer = setTimeout(() => this.#give({ input: 'tick' }), Math.min(Math.max(wait, 0), TIMER_MAX));
    const show = (): void => {
      clearTimeout(this.#showing);
      this.#showing = undefined;
      this.#show(phone.snapshot);
    };
    // Not from within what asks: that may be a view that draws.
    if (input.input === 'command' && !UNHURRIED.includes(input.command.command)) queueMicrotask(show);
    else this.#showing ??= setTimeout(show, SHOW_AFTER);
  }

  async #do(effect: Effect): Promise<void> {
    const storage = this.#storage;
    switch (effect.effect) {
      case 'connect':
        return this.#doorway.open(effect.line);
      case 'send':
        return this.#doorway.send(effect.line, effect.bytes);
      case 'close':
        return this.#doorway.close(effect.line);
      case 'sign': {
        const key = effect.key === 'joining' ? this.#joiningKey : this.#key;
        const bytes = effect.hashed === undefined ? effect.bytes : await withHash(effect.bytes, effect.hashed);
        const signature = key === null ? null : await sign(key, bytes).catch(() => null);
        return this.#give({ input: 'signed', token: effect.token, signature });
      }
      case 'prepareKey': {
        const hash = await codeHash(effect.code, effect.bedside);
        const key = effect.own ? this.#key : ((await storage?.joiningKey(hash)) ?? null);
        if (key === null) return this.#give({ input: 'storageFailed' });
        if (!effect.own) this.#joiningKey = key;
        const secret = (await storage?.secretOf(key)) ?? new Uint8Array(0);
        return this.#give({ input: 'keyReady', key: key.point, codeHash: hash, secret });
      }
      case 'keepSecret': {
        const key = effect.key === 'joining' ? this.#joiningKey : this.#key;
        if (key === null || storage === null) return this.#give({ input: 'storageFailed' });
        await storage.keepSecret(key, Uint8Array.from(effect.secret));
        return this.#give({ input: 'secretKept', line: effect.line });
      }
      case 'keepIdentity': {
        const key = effect.joined ? this.#joiningKey : null;
        this.#key = key ?? this.#key;
        if (effect.joined) askToPersist();
        return storage?.keepIdentity(effect.identity, key);
      }
      case 'met':
        return this.#doorway.met(effect.line, effect.leaves, effect.challenge);
      case 'replied':
        this.#asked.get(effect.number)?.(effect.reply);
        this.#asked.delete(effect.number);
        return;
      case 'told':
        for (const heard of this.#listeners) heard(effect.body);
        return;
      case 'seal': {
        const { name, number } = effect.sealing;
        return this.#give({ input: 'sealed', name, number, bytes: await sealComposed(effect.sealing) });
      }
      case 'write': {
        await storage?.write(effect.writes);
        const kept = effect.writes.puts.map(({ waiting, version }) => ({ name: waiting.name, version }));
        return this.#give({ input: 'kept', kept });
      }
    }
  }

  #show(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    for (const changed of this.#subscribers) changed(snapshot);
  }

  #command<Name extends keyof Commands>(command: Name, ...args: Parameters<NonNullable<Commands[Name]>>): void {
    this.#give({ input: 'command', command: { command, with: args } as Command });
  }

  join(...args: Parameters<Commands['join']>): void {
    this.#command('join', ...args);
  }
  visit(...args: Parameters<Commands['visit']>): void {
    this.#command('visit', ...args);
  }
  lookAgain(): void {
    this.#command('lookAgain');
  }
  unlock(pin: string): void {
    this.#command('unlock', pin);
  }
  lock(): void {
    this.#command('lock');
  }
  touched(): void {
    this.#command('touched');
  }
  openConversation(id: string): void {
    this.#command('openConversation', id);
  }
  closeConversation(): void {
    this.#command('closeConversation');
  }
  seen(sequence: number): void {
    this.#command('seen', sequence);
  }
  loadOlder(): void {
    this.#command('loadOlder');
  }
  draft(text: string): void {
    this.#command('draft', text);
  }
  send(...args: Parameters<Commands['send']>): void {
    this.#command('send', ...args);
  }
  askProspect(): void {
    this.#command('askProspect');
  }
  discard(key: string): void {
    this.#command('discard', key);
  }
  answerStat(...args: Parameters<Commands['answerStat']>): void {
    this.#command('answerStat', ...args);
  }
  react(...args: Parameters<Commands['react']>): void {
    this.#command('react', ...args);
  }
  writeTo(person: string): void {
    this.#command('writeTo', person);
  }
  writeToRole(role: string): void {
    this.#command('writeToRole', role);
  }
  askRoles(): void {
    this.#command('askRoles');
  }
  takeRole(role: string): void {
    this.#command('takeRole', role);
  }
  returnRole(role: string): void {
    this.#command('returnRole', role);
  }
  care(act: Parameters<Commands['care']>[0]): void {
    this.#command('care', act);
  }
  talk(act: Parameters<Commands['talk']>[0]): void {
    this.#command('talk', act);
  }
  devicesShown(): void {
    this.#command('devicesShown');
  }
  dismissRefusal(): void {
    this.#command('dismissRefusal');
  }
}

/** A browser may otherwise throw away what is kept when room is scarce. Some ask the person: not before there is something. */
function askToPersist(): void {
  if ('storage' in navigator) navigator.storage.persist().catch(() => false);
}

/** Nothing of anybody's. */
function bare(stage: Snapshot['stage']): Snapshot {
  return {
    stage,
    line: { state: 'connecting', by: null, since: Date.now(), facility: '' },
    ended: null,
    busy: false,
    refusal: null,
    waiting: 0,
    ringing: [],
    taken: [],
    me: null,
    caughtUp: false,
    inbox: [],
    conversation: null,
    people: [],
    roles: null,
    devices: [],
    care: null,
    offers: [],
    gaps: [],
    visitor: false,
    lapsed: false,
  };
}
