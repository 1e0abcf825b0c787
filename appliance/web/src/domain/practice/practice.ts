/**
 * A shift of three minutes for who is new: the whole app over a made-up box of one patient. Everything of it is here and in memory, nothing
 * is sent or kept, and no real thing can be reached from it. Each step waits until it was done, and the next begins when asked for.
 */

import type { CareAct } from '../care/contract.ts';
import type { App, Commands, Files, Id, InboxItem, MessageItem, OpenConversation, PatientHeader, Person, Prospect, Refusal, Reply, Snapshot, Stat } from '../snapshot.ts';
import { careOf } from './beds.ts';
import { PRACTISER } from './who.ts';

export const STEPS = ['read', 'stat', 'cannot', 'beds', 'note', 'end'] as const;
export type Step = (typeof STEPS)[number];

/** What the made-up people are called and say, in the language of who practises. */
export interface Made {
  readonly facility: string;
  readonly unit: string;
  readonly you: string;
  readonly yourTitle: string;
  readonly other: string;
  readonly otherTitle: string;
  readonly rosa: string;
  readonly otto: string;
  readonly read: string;
  readonly stat: string;
  readonly cannot: string;
}

type Answer = Parameters<Commands['answerStat']>[2];

export const ROSA = '7ffffffffffffff1';
export const OTTO = '7ffffffffffffff2';
export const UNIT = '7ffffffffffffff3';
const OTHER = '7ffffffffffffff4';
export const SHIFT = '7ffffffffffffff5';
export const ROSAS_BED = '12';
const OTTOS_BED = '14';
const HOUR = 3_600_000;
const REFUSED: Refusal = { code: 'PRACTICE', advice: '' };

export class Practice implements App {
  readonly #made: Made;
  readonly #now: () => number;
  readonly #subscribers = new Set<(snapshot: Snapshot) => void>();
  readonly #messages = new Map<Id, MessageItem[]>([
    [ROSA, []],
    [OTTO, []],
  ]);
  readonly #seen = new Map<Id, number>();
  readonly #drafts = new Map<Id, string>();
  #open: Id | null = null;
  #step: Step | 'over' = 'read';
  #isDone = false;
  #prospect: Prospect | null = null;
  #refusal: Refusal | null = null;
  /** Beds that were taken, until when. */
  #beds: { readonly beds: readonly string[]; readonly until: number } | null = null;
  snapshot: Snapshot;

  /** `now`: the device's clock. */
  constructor(made: Made, now: () => number) {
    this.#made = made;
    this.#now = now;
    this.#says(ROSA, made.read);
    this.snapshot = this.#snapshot();
  }

  get step(): Step | 'over' {
    return this.#step;
  }

  /** What the step asks for was done. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** On to the next step, which begins. */
  next(): void {
    if (this.#step === 'over' || !this.#isDone) return;
    this.#step = STEPS[STEPS.indexOf(this.#step) + 1] ?? 'over';
    this.#isDone = false;
    if (this.#step === 'stat') this.#says(ROSA, this.#made.stat, RINGS);
    if (this.#step === 'cannot') this.#says(OTTO, this.#made.cannot, RINGS);
    // Who gave the bed back too soon has it again: there is something to hand over.
    if (this.#step === 'end') this.#beds ??= { beds: [ROSAS_BED], until: this.#now() + HOUR };
    this.#show();
  }

  subscribe(changed: (snapshot: Snapshot) => void): () => void {
    this.#subscribers.add(changed);
    return () => this.#subscribers.delete(changed);
  }

  ask(): Promise<Reply> {
    return Promise.resolve({ reply: 'refused', refusal: REFUSED });
  }

  keep(): Promise<void> {
    return Promise.resolve();
  }

  listen(): () => void {
    return () => undefined;
  }

  /** What a practice has no use for. */
  visit(): void {}
  lookAgain(): void {}
  talk(): void {}

  readonly files: Files = { send: () => Promise.resolve(REFUSED), receive: () => Promise.resolve(REFUSED) };

  openConversation(id: Id): void {
    if (!this.#messages.has(id)) return;
    this.#open = id;
    this.#prospect = null;
    this.#show();
  }

  closeConversation(): void {
    this.#open = null;
    this.#show();
  }

  seen(sequence: number): void {
    if (this.#open === null || sequence <= (this.#seen.get(this.#open) ?? 0)) return;
    this.#seen.set(this.#open, sequence);
    if (this.#step === 'read' && this.#open === ROSA) this.#isDone = true;
    this.#show();
  }

  draft(text: string): void {
    if (this.#open !== null) this.#drafts.set(this.#open, text);
    this.#show();
  }

  send(conversation: Id, text: string, priority: MessageItem['priority']): void {
    if (text.trim() === '') return;
    this.#add(conversation, { ...this.#message(this.#following(conversation), text), mine: true, author: this.#made.you, authorTitle: this.#made.yourTitle, priority, fate: 'sent' });
    this.#drafts.delete(conversation);
    if (this.#step === 'note' && conversation === ROSA) this.#isDone = true;
    this.#show();
  }

  answerStat(conversation: Id, sequence: number, answer: Answer): void {
    const messages = this.#messages.get(conversation) ?? [];
    const message = messages.find((one) => one.sequence === sequence && one.stat !== null);
    if (message === undefined) return;
    // What was shown is not changed in place: an open conversation would not be drawn anew.
    const answered = { ...message, stat: this.#answered(answer) };
    this.#messages.set(conversation, messages.map((one) => (one === message ? answered : one)));
    if ((this.#step === 'stat' && answer === 'accept' && conversation === ROSA) || (this.#step === 'cannot' && answer === 'cannot' && conversation === OTTO)) this.#isDone = true;
    this.#show();
  }

  askProspect(): void {
    const { other: name, otherTitle: title } = this.#made;
    const called = [{ name, title, reach: 'open', silent: false, cover: '', offSite: '' } as const];
    this.#prospect = { at: this.#now(), called, calledCount: 1, firstWait: 60, steps: [], stations: 0, stationsReachable: 0, dial: '' };
    this.#show();
  }

  care(act: CareAct): void {
    if (act.act === 'takeBeds') {
      const beds = act.beds === 'whole' ? [ROSAS_BED, OTTOS_BED] : act.beds;
      this.#beds = { beds, until: this.#now() + act.hours * HOUR };
      if (this.#step === 'beds' && beds.includes(ROSAS_BED)) this.#isDone = true;
    } else if (act.act === 'endShift') {
      this.#beds = null;
      if (this.#step === 'end') this.#isDone = true;
    } else if (!['askWards', 'askTasks', 'forgetSearch', 'leaveFound', 'searchMore'].includes(act.act)) {
      this.#refusal = REFUSED;
    }
    this.#show();
  }

  dismissRefusal(): void {
    this.#refusal = null;
    this.#show();
  }

  // What has no part in a practice does nothing.
  join(): void {}
  unlock(): void {}
  lock(): void {}
  touched(): void {}
  loadOlder(): void {}
  discard(): void {}
  react(): void {}
  writeTo(): void {}
  writeToRole(): void {}
  askRoles(): void {}
  takeRole(): void {}
  returnRole(): void {}
  devicesShown(): void {}

  #answered(answer: Answer): Stat {
    const { you, other } = this.#made;
    switch (answer) {
      case 'accept':
        return { ...RINGS, state: 'accepted', by: you, mine: false, may: ['handBack', 'close'] };
      case 'coming':
        return { ...RINGS, state: 'held', by: you, may: ['accept', 'cannot'], nextAt: this.#now() + 60_000 };
      case 'cannot':
        // Where it was to be answered otherwise, it can be still.
        return { ...RINGS, mine: false, ringing: [other], may: ['accept'] };
      case 'close':
        return { ...RINGS, state: 'closed', by: you, mine: false, may: [] };
      case 'handBack':
        return RINGS;
    }
  }

  #says(conversation: Id, text: string, stat: Stat | null = null): void {
    this.#add(conversation, { ...this.#message(this.#following(conversation), text), stat, priority: stat === null ? 'routine' : 'stat' });
  }

  #add(conversation: Id, message: MessageItem): void {
    this.#messages.set(conversation, [...(this.#messages.get(conversation) ?? []), message]);
  }

  #following(conversation: Id): number {
    return (this.#messages.get(conversation)?.length ?? 0) + 1;
  }

  #message(sequence: number, text: string): MessageItem {
    const { other: author, otherTitle: authorTitle } = this.#made;
    const none = { edited: false, edits: 0, order: null, recalled: false, replyTo: null, reactions: [], attachments: [], mentionsMe: false, fate: null, refusal: null, stat: null } as const;
    return { ...none, key: `practice-${sequence}`, sequence, author, authorTitle, mine: false, at: this.#now(), text, priority: 'routine' };
  }

  #show(): void {
    this.snapshot = this.#snapshot();
    for (const changed of this.#subscribers) changed(this.snapshot);
  }

  #snapshot(): Snapshot {
    const { facility, you, yourTitle, other, otherTitle, unit } = this.#made;
    const units = [{ id: UNIT, name: unit, chargeNurse: false }];
    const nobody = { units, suspended: false, administrator: false, privacyOfficer: false };
    const me: Person = { ...nobody, id: PRACTISER, name: you, title: yourTitle };
    const people = [me, { ...nobody, id: OTHER, name: other, title: otherTitle }];
    const inbox = [ROSA, OTTO].filter((id) => (this.#messages.get(id)?.length ?? 0) > 0).map((id) => this.#item(id));
    inbox.sort((one, other) => Number(other.section === 'stat') - Number(one.section === 'stat'));
    const { rosa, otto } = this.#made;
    const beds = [
      { bed: ROSAS_BED, name: rosa, conversation: ROSA },
      { bed: OTTOS_BED, name: otto, conversation: null },
    ];
    return {
      stage: 'open',
      line: { state: 'online', by: null, since: this.#now(), facility },
      ended: null,
      busy: false,
      refusal: this.#refusal,
      taken: [],
      waiting: 0,
      ringing: this.#ringing(),
      me,
      caughtUp: true,
      visitor: false,
      offers: [],
      gaps: [],
      inbox,
      conversation: this.#open === null ? null : this.#conversation(this.#open, people),
      people,
      roles: [],
      devices: [],
      care: careOf({ unit: UNIT, name: unit, you, beds, shift: this.#beds === null ? null : { id: SHIFT, ...this.#beds } }, this.#now()),
      lapsed: false,
    };
  }

  #ringing(): Snapshot['ringing'] {
    return [ROSA, OTTO].flatMap((conversation) => {
      const rung = (this.#messages.get(conversation) ?? []).filter((one) => one.stat?.mine === true);
      return rung.map(({ sequence, at, stat }) => ({ conversation, sequence, unit: this.#made.unit, senderTitle: this.#made.otherTitle, opened: at, dial: '', coming: stat?.state === 'held', held: stat?.state === 'held', outside: false }));
    });
  }

  #item(id: Id): InboxItem {
    const messages = this.#messages.get(id) ?? [];
    const last = messages.at(-1);
    const stat = messages.findLast((one) => one.stat !== null && ['open', 'held'].includes(one.stat.state))?.stat ?? null;
    const patient = this.#patient(id);
    return {
      id,
      kind: 'patient',
      title: patient.name,
      subtitle: this.#made.unit,
      patient,
      lastText: last?.text ?? '',
      lastAuthor: last?.author ?? '',
      lastAt: last?.at ?? 0,
      unread: messages.filter((one) => !one.mine && one.sequence > (this.#seen.get(id) ?? 0)).length,
      mentioned: false,
      waiting: 0,
      drafted: false,
      stat,
      section: stat?.mine === true ? 'stat' : 'patients',
    };
  }

  #patient(id: Id): PatientHeader {
    const { rosa, otto, unit } = this.#made;
    return { id, name: id === ROSA ? rosa : otto, bed: id === ROSA ? ROSAS_BED : OTTOS_BED, unit, recordNumber: '', bornOn: '', flags: [], stay: null };
  }

  #conversation(id: Id, people: readonly Person[]): OpenConversation {
    return { item: this.#item(id), people, messages: this.#messages.get(id) ?? [], older: 'none', writable: true, draft: this.#drafts.get(id) ?? '', prospect: this.#prospect, found: null };
  }
}

const RINGS: Stat = { state: 'open', by: '', ringing: [], nextAt: null, step: 0, mine: true, may: ['accept', 'coming', 'cannot'] };
