/**
 * The app of a page: one tab has it, with whoever is here, and what the browser tells of network and foreground.
 */

import type { Command, Input } from '../domain/effects.ts';
import { ownRefusal } from '../domain/refusals.ts';
import type { Ask, Told } from '../domain/frames.ts';
import type { ExportEdge } from '../domain/export/exporting.ts';
import type { BrowserBell } from './bell.ts';
import type { BoxFiles } from './files.ts';
import type { App, Bell, Commands, Files, Passkeys, Reply, Snapshot } from '../domain/snapshot.ts';
import type { BrowserHandset } from './handset.ts';
import type { BoxPasskeys } from './passkeys.ts';
import { Seat } from './seat.ts';
import { readPlaces } from './storage.ts';
import { takeTurns } from './tabs.ts';

/** Changes are shown together, at most so often: a snapshot's thousand events are no thousand pictures. Milliseconds. */
const SHOW_AFTER = 16;
/** What the app tells by itself, or many times a second; whatever else somebody does is shown at once. */
const UNHURRIED: readonly string[] = ['draft', 'seen', 'touched'];

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
  #seat: Seat | null = null;
  /** The carrier comes with the first file: nobody waits for it before a message. */
  readonly files: Files = {
    send: async (...file) => (await this.#carrier())?.send(...file) ?? ownRefusal('OFFLINE'),
    receive: async (...place) => (await this.#carrier())?.receive(...place) ?? ownRefusal('OFFLINE'),
  };
  #files: Promise<BoxFiles | null> | null = null;
  #handset: Promise<BrowserHandset> | null = null;
  #isOver = false;
  readonly passkeys: Passkeys = {
    possible: passkeysArePossible(),
    list: async () => (await this.#keeper())?.list() ?? ownRefusal('OFFLINE'),
    add: async (...whose) => (await this.#keeper())?.add(...whose) ?? ownRefusal('OFFLINE'),
    remove: async (passkey) => (await this.#keeper())?.remove(passkey) ?? ownRefusal('OFFLINE'),
    unlock: async () => {
      const keeper = await this.#keeper();
      return keeper === null ? ownRefusal('OFFLINE') : keeper.unlock();
    },
  };
  #passkeys: Promise<BoxPasskeys | null> | null = null;
  readonly bell: Bell = {
    possible: 'PushManager' in globalThis && 'serviceWorker' in navigator,
    look: async () => (await this.#ringer())?.look() ?? ownRefusal('OFFLINE'),
    on: async (person) => (await this.#ringer())?.on(person) ?? ownRefusal('OFFLINE'),
    off: async () => (await this.#ringer())?.off() ?? ownRefusal('OFFLINE'),
  };
  #bell: Promise<BrowserBell | null> | null = null;
  /** Who signed in last. */
  #settled = '';
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
      if (this.#seat === null) return resolve({ reply: 'refused', refusal: ownRefusal('LOCKED') });
      this.#asked.set(number, resolve);
      this.#give({ input: 'ask', number, body });
    });
  }

  /** One for all files: it sends and receives one at a time. What could not be fetched is fetched anew. */
  #carrier(): Promise<BoxFiles | null> {
    this.#files ??= import('./files.ts').then(
      ({ BoxFiles: Carrier }) => (this.#seat === null ? null : new Carrier((body) => this.ask(body), this.#seat.doorway)),
      () => (this.#files = null),
    );
    return this.#files;
  }

  /** As with files: it comes when it is wanted. */
  #keeper(): Promise<BoxPasskeys | null> {
    this.#passkeys ??= import('./passkeys.ts').then(
      ({ BoxPasskeys: Keeper }) => new Keeper((body) => this.ask(body), (assertion) => this.#command('unlockByPasskey', assertion)),
      () => (this.#passkeys = null),
    );
    return this.#passkeys;
  }

  async keep(): Promise<void> {
    this.#give({ input: 'leaving' });
    await this.#seat?.settled();
  }

  #ringer(): Promise<BrowserBell | null> {
    this.#bell ??= import('./bell.ts').then(
      ({ BrowserBell: Ringer }) => new Ringer((body) => this.ask(body)),
      () => (this.#bell = null),
    );
    return this.#bell;
  }

  /** Only who lets notifications be shown can have a bell: nobody else waits for its code. */
  #settle({ stage, me }: Snapshot): void {
    if (stage !== 'open' || me === null || me.id === this.#settled) return;
    this.#settled = me.id;
    if (this.bell.possible && Notification.permission === 'granted') void this.#ringer().then((ringer) => ringer?.settle(me.id));
  }

  listen(heard: (body: Told) => void): () => void {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  /** Nothing goes on in this tab. */
  end(why: 'storage' | 'superseded'): void {
    this.#isOver = true;
    void this.#handset?.then((handset) => handset.end());
    if (this.#seat === null) this.#show({ ...bare('ended'), ended: why });
    else this.#give({ input: why === 'storage' ? 'storageFailed' : 'superseded' });
  }

  /** Once, when this tab is the one. */
  async begin(): Promise<void> {
    this.#show(bare('starting'));
    this.#isOver = false;
    const { current, places } = await readPlaces();
    if (this.#isOver) return;
    this.#seat = new Seat(current, {
      changed: (input) => this.#changed(input),
      replied: (number, reply) => {
        this.#asked.get(number)?.(reply);
        this.#asked.delete(number);
      },
      told: (body) => {
        for (const heard of this.#listeners) heard(body);
      },
    });
    this.#listen();
    await this.#seat.begin();
    // What others composed on this handset leaves beside whoever is here.
    if (places.length > 1 || current > 0) void this.handset();
  }

  async exporting(): Promise<ExportEdge> {
    const { BrowserExport } = await import('./export.ts');
    return new BrowserExport(async (...file) => (await this.#carrier())?.open(...file) ?? ownRefusal('OFFLINE'));
  }

  handset(): Promise<BrowserHandset> {
    const seat = this.#seat;
    if (seat === null) throw new Error('no seat');
    this.#handset ??= import('./handset.ts').then(async ({ BrowserHandset }) => {
      const handset = new BrowserHandset(seat);
      await handset.begin();
      return handset;
    });
    // As with files: what could not be fetched is fetched anew.
    this.#handset.catch(() => (this.#handset = null));
    return this.#handset;
  }

  #listen(): void {
    const isVisible = (): boolean => document.visibilityState === 'visible';
    const network = (): void => this.#give({ input: 'network' });
    const another = (): void => {
      this.#seat?.doorway.networkChanged();
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
    this.#seat?.give(input);
  }

  #changed(input: Input): void {
    const show = (): void => {
      clearTimeout(this.#showing);
      this.#showing = undefined;
      if (this.#seat !== null) this.#show(this.#seat.snapshot);
      this.#settle(this.#snapshot);
    };
    // Not from within what asks: that may be a view that draws.
    if (input.input === 'command' && !UNHURRIED.includes(input.command.command)) queueMicrotask(show);
    else this.#showing ??= setTimeout(show, SHOW_AFTER);
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

/** A passkey is bound to a name: an address has none. */
function passkeysArePossible(): boolean {
  return 'PublicKeyCredential' in globalThis && !/^[\d.]+$|:/.test(location.hostname);
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
