import type { Care } from '../domain/care/contract.ts';
import type { Ask } from '../domain/frames.ts';
import type { App, Bell, Commands, Files, InboxItem, MessageItem, OpenConversation, PatientHeader, Passkeys, Person, Prospect, Reply, Ringing, Role, Snapshot, Stat } from '../domain/snapshot.ts';
import { careAt, searchAt } from './fixtures.care.ts';

/** Made-up screens for looking at and for tests; never part of what is built. Everybody in here is invented. */

/** A night's; the address may ask for another, to see what depends on the time of day. */
const otherNow = Date.parse(new URLSearchParams(globalThis.location?.search ?? '').get('now') ?? '');
export const NOW = Number.isNaN(otherNow) ? Date.UTC(2026, 10, 28, 3, 12) : otherNow;
const minutes = (n: number) => NOW - n * 60_000;
const west = { id: '00000000000000a1', name: '4 West', chargeNurse: false };
const icu = { id: '00000000000000a2', name: 'ICU', chargeNurse: false };

function person(id: number, name: string, title: string, units = [west], suspended = false): Person {
  return { id: `00000000000001${String(id).padStart(2, '0')}`, name, title, units, suspended, administrator: false, privacyOfficer: false };
}
const me = person(1, 'Ana Ruiz', 'Registered nurse', [{ ...west, chargeNurse: true }]);
const ben = person(2, 'Ben Okafor', 'Hospitalist');
const carla = person(3, 'Carla Méndez', 'Respiratory therapist', [west, icu]);
const dana = person(4, 'Dana Whitfield', 'Registered nurse');
const eli = person(5, 'Eli Nakamura', 'Pharmacist', [icu]);
const farid = person(6, 'Farid Haddad', 'Nursing assistant', [west], true);
export const people = [me, ben, carla, dana, eli, farid];

const patient: PatientHeader = {
  id: '0000000000000201',
  name: 'Rosa Delgado',
  bed: '412-B',
  stay: '0000000000000701',
  unit: '4 West',
  recordNumber: '00482-17',
  bornOn: '1948-03-09',
  flags: ['Fall risk', 'Allergy: penicillin'],
};

const open: Stat = { state: 'open', by: '', ringing: ['Ben Okafor', 'Carla Méndez', 'Hospitalist 4 West'], nextAt: NOW + 42_000, step: 1, mine: true, may: ['accept', 'coming', 'cannot'] };
const accepted: Stat = { state: 'accepted', by: 'Carla Méndez', ringing: [], nextAt: null, step: 1, mine: false, may: ['close'] };

let count = 0;
function message(over: Partial<MessageItem>): MessageItem {
  count += 1;
  return {
    key: `m${count}`,
    sequence: count,
    author: 'Ben Okafor',
    authorTitle: 'Hospitalist',
    mine: false,
    at: minutes(60 - count),
    text: '',
    priority: 'routine',
    edited: false,
    edits: 0,
    recalled: false,
    replyTo: null,
    reactions: [],
    attachments: [],
    mentionsMe: false,
    fate: null,
    refusal: null,
    stat: null,
    order: null,
    ...over,
  };
}
const mine = (over: Partial<MessageItem>) => message({ author: 'Ana Ruiz', authorTitle: 'Registered nurse', mine: true, fate: 'read', ...over });

function item(id: number, over: Partial<InboxItem>): InboxItem {
  return {
    id: `00000000000003${String(id).padStart(2, '0')}`,
    kind: 'direct',
    title: '',
    subtitle: '',
    patient: null,
    lastText: '',
    lastAuthor: '',
    lastAt: minutes(id * 7),
    unread: 0,
    mentioned: false,
    waiting: 0,
    drafted: false,
    stat: null,
    section: 'rest',
    ...over,
  };
}

const inbox: InboxItem[] = [
  item(1, { kind: 'patient', title: 'Rosa Delgado', patient, lastAuthor: 'Ben Okafor', lastText: 'SpO2 84 % on 4 L, need a second pair of hands', unread: 2, section: 'stat', stat: open, lastAt: minutes(1) }),
  item(2, { kind: 'channel', title: '4 West nights', subtitle: 'Channel · 4 West', lastAuthor: 'Dana Whitfield', lastText: '@Ana can you cover 409 while I am in radiology?', unread: 1, mentioned: true, section: 'mentions' }),
  item(3, { kind: 'patient', title: 'Walter Kim', patient: { ...patient, id: '0000000000000202', stay: '0000000000000703', name: 'Walter Kim', bed: '409-A', flags: [] }, lastAuthor: 'Eli Nakamura', lastText: 'Vancomycin trough is 17, next dose as planned.', unread: 3, drafted: true, section: 'patients' }),
  item(4, { kind: 'patient', title: 'Blue Heron', patient: { ...patient, id: '0000000000000203', stay: '0000000000000702', name: 'Blue Heron', bed: '415', flags: ['Restricted'] }, lastAuthor: 'Ana Ruiz', lastText: 'Settled, sleeping.', waiting: 1, section: 'patients' }),
  item(5, { title: 'Ben Okafor', subtitle: 'Hospitalist', lastAuthor: 'Ben Okafor', lastText: 'Thanks, on my way up.', section: 'rest' }),
  item(6, { kind: 'roleInbox', title: 'Pharmacist on call', subtitle: 'Role', lastAuthor: 'Ana Ruiz', lastText: 'Is the heparin protocol for 402 signed off?', section: 'rest', lastAt: minutes(60 * 26) }),
  item(7, { kind: 'broadcast', title: 'Announcements', subtitle: 'Whole facility', lastAuthor: 'Grace Lin', lastText: 'Elevator B is out of service until 07:00.', section: 'rest', lastAt: minutes(60 * 80) }),
];

const first = inbox[0] as InboxItem;

const talk: MessageItem[] = [
  message({ text: 'Morning potassium came back 3.1. Replacing per protocol, recheck at 02:00.', at: minutes(60 * 9), reactions: [{ kind: 'agree', people: ['Ana Ruiz', 'Eli Nakamura'], mine: true }] }),
  mine({ text: 'Recheck drawn at 02:05. She is more short of breath than at the start of the shift, RR 26.', at: minutes(40) }),
  message({ author: 'Carla Méndez', authorTitle: 'Respiratory therapist', text: 'I gave a neb at 01:40. If she stays above 24 call me directly, I am in the ICU.', at: minutes(33), priority: 'urgent', mentionsMe: true }),
  mine({ text: 'Will do.', at: minutes(31), replyTo: { author: 'Carla Méndez', text: 'I gave a neb at 01:40. If she stays above 24 call me directly, I am in the ICU.' }, fate: 'delivered', edited: true }),
  message({ author: 'Dana Whitfield', authorTitle: 'Registered nurse', recalled: true, at: minutes(20) }),
  message({ text: '**Situation**: *short of breath*\n- RR 26, `SpO2 91 %`\n- neb at 01:40\n  1. next at 05:40', at: minutes(20) }),
  message({ author: 'Carla Méndez', authorTitle: 'Respiratory therapist', text: 'Chest film from last evening', at: minutes(12), attachments: [{ name: 'portable-chest.jpg', kind: 'photo', size: 1_840_000, sha256: '00'.repeat(32), thumbnail: true }] }),
];
const statMessage = message({ text: 'SpO2 84 % on 4 L, need a second pair of hands', at: minutes(1), priority: 'stat', stat: open });
const tail: MessageItem[] = [
  mine({ key: 'w1', sequence: 0, text: 'Crash cart is outside the room.', at: minutes(0), fate: 'waiting' }),
  mine({ key: 'w2', sequence: 0, text: 'Can pharmacy bring furosemide 40 up?', at: minutes(0), fate: 'failed', refusal: { code: 'THREAD_CLOSED', advice: '' } }),
];

const thread = (over: Partial<OpenConversation> = {}): OpenConversation => ({
  item: first,
  people: [me, ben, carla, dana],
  messages: [...talk, statMessage, ...tail],
  older: 'some',
  writable: true,
  draft: '',
  ...over,
});

const piled = `Z${'\u0351\u0489'.repeat(900)}algo ${'W'.repeat(300)} \u202egnp.exe\u202c <img src=x onerror="alert(1)"><script>alert(2)</script>`;
const hostile = thread({
  item: { ...first, patient: null, kind: 'group', title: '\u202e<b>Ward</b> \u2067\u0000' + 'x'.repeat(200), subtitle: 'مرحبا بالعالم', stat: null },
  messages: [
    message({ author: '\u202eBen\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307 <i>', text: piled }),
    message({ author: 'نورة', authorTitle: 'ممرضة', text: 'المريض مستقر الآن، الضغط 120/80 (412-B).', reactions: [{ kind: '<u>', people: ['A\u202e', 'B', 'C', 'D', 'E'], mine: false }] }),
    message({ text: 'line\n'.repeat(400) }),
    mine({ text: '👩‍⚕️👍🏽 🇪🇸 שלום, bed 4', priority: 'urgent' }),
  ],
});

const called = { name: 'Ben Okafor', title: 'Hospitalist', reach: 'open', silent: false, cover: '', offSite: '' } as const;
const prospect: Prospect = {
  at: NOW,
  called: [called, { ...called, name: 'Carla Méndez', title: 'Respiratory therapist', reach: 'bell', silent: true, cover: 'Eli Nakamura' }, { ...called, name: 'Dana Whitfield', title: 'Registered nurse', reach: 'none', offSite: '555-0142' }],
  calledCount: 3,
  firstWait: 60,
  steps: [{ people: 4, reachable: 2 }],
  stations: 2,
  stationsReachable: 2,
  dial: '4410',
};

const ringing: Ringing[] = [{ conversation: first.id, sequence: statMessage.sequence, unit: '4 West', senderTitle: 'Hospitalist', opened: minutes(1), dial: '', outside: false, coming: false, held: false }];

const roles: Role[] = [
  { id: '0000000000000401', name: 'Charge nurse 4 West', unit: '4 West', holders: [{ id: me.id, name: me.name }], mine: true },
  { id: '0000000000000402', name: 'Hospitalist 4 West', unit: '4 West', holders: [{ id: ben.id, name: ben.name }], mine: false },
  { id: '0000000000000403', name: 'Rapid response nurse', unit: '4 West', holders: [], mine: false },
  { id: '0000000000000404', name: 'Pharmacist on call', unit: 'ICU', holders: [{ id: eli.id, name: eli.name }, { id: carla.id, name: carla.name }], mine: false },
];

const base: Snapshot = {
  stage: 'open',
  line: { state: 'online', by: 'WebTransport', since: minutes(190), heardAt: NOW - 20_000, facility: 'Willow Creek Medical Center' },
  ended: null,
  busy: false,
  refusal: null,
  waiting: 0,
  ringing: [],
  taken: [],
  me,
  caughtUp: true,
  inbox,
  conversation: null,
  people,
  roles,
  devices: [
    { id: '0000000000000501', name: 'Ana’s phone', isThis: true, isNew: false },
    { id: '0000000000000502', name: 'Desk 4 West', isThis: false, isNew: false },
  ],
  care: careAt(NOW, people),
  offers: [],
  gaps: [],
  visitor: false,
  lapsed: false,
};
const closed = { me: null, inbox: [], people: [], roles: null, devices: [], care: null, offers: [], gaps: [], visitor: false } as const;
const quiet = inbox.map((one) => ({ ...one, stat: null, section: one.section === 'stat' ? ('patients' as const) : one.section }));

const administrator: Snapshot = { ...base, me: { ...me, administrator: true } };

export const scenes: Record<string, Snapshot> = {
  starting: { ...base, ...closed, stage: 'starting' },
  join: { ...base, ...closed, stage: 'joining' },
  joinFault: { ...base, ...closed, stage: 'joining', refusal: { code: 'JOIN_CODE_INVALID', advice: '' } },
  locked: { ...base, ...closed, stage: 'locked', waiting: 2 },
  lockedPasskey: { ...base, ...closed, stage: 'locked', passkey: true },
  lockedRings: { ...base, ...closed, stage: 'locked', ringing },
  lockedFault: { ...base, ...closed, stage: 'locked', refusal: { code: 'PIN_WRONG', advice: '', triesLeft: 3 }, line: { ...base.line, state: 'connecting', by: null } },
  inbox: { ...base, inbox: quiet },
  inboxRings: { ...base, ringing },
  calledOutside: { ...base, ringing: ringing.map((one) => ({ ...one, conversation: '0000000000000399', dial: '4711', outside: true })) },
  takenOutside: { ...base, taken: ringing.map((one) => ({ ...one, conversation: '0000000000000399', outside: true })) },
  inboxEmpty: { ...base, inbox: [] },
  offline: { ...base, inbox: quiet, line: { ...base.line, state: 'offline', by: null, since: minutes(9) }, refusal: { code: 'SLOW_DOWN', advice: '', retryAfter: 20 } },
  conversation: { ...base, inbox: quiet, conversation: thread({ item: { ...first, stat: null }, messages: talk }) },
  conversationStat: { ...base, ringing, conversation: thread() },
  conversationAccepted: { ...base, conversation: thread({ messages: [...talk, { ...statMessage, stat: accepted }], draft: 'She is back on 94 %, thank you' }) },
  hostile: { ...base, inbox: quiet, conversation: hostile },
  onCall: base,
  people: base,
  more: { ...base, devices: [...base.devices, { id: '0000000000000503', name: 'Unknown tablet', isThis: false, isNew: true }] },
  lapsed: { ...base, ...closed, stage: 'locked', lapsed: true, waiting: 1, line: { ...base.line, state: 'offline', by: null, since: minutes(10) } },
  search: { ...base, inbox: quiet, care: { ...careAt(NOW, people), search: searchAt(NOW, people) } },
  searchNone: { ...base, inbox: quiet, care: { ...careAt(NOW, people), search: { ...(searchAt(NOW, people) as NonNullable<Care['search']>), hits: [], people: [], patients: [], complete: true, more: false } } },
  found: { ...base, inbox: quiet, conversation: thread({ item: { ...first, stat: null }, messages: talk.slice(0, 4), older: 'none', found: { sequence: talk[1]?.sequence ?? 0, state: 'around' } }) },
  quiet: { ...base, inbox: quiet, care: { ...careAt(NOW, people), availability: { until: NOW + 7_200_000, cover: 'Dana Whitfield', covering: [] } } },
  careNone: { ...base, inbox: quiet, care: { ...careAt(NOW, people), wards: [], shifts: [], team: [], tasks: { state: 'there', list: [] } } },
  admin: administrator,
  adminZone: administrator,
  adminPrivacy: { ...base, me: { ...me, privacyOfficer: true } },
  adminExporting: { ...base, me: { ...me, privacyOfficer: true } },
  superseded: { ...base, ...closed, stage: 'ended', ended: 'superseded' },
  suspended: { ...base, ...closed, stage: 'ended', ended: 'suspended' },
  revoked: { ...base, ...closed, stage: 'ended', ended: 'revoked' },
  tooOld: { ...base, ...closed, stage: 'ended', ended: 'tooOld' },
  storage: { ...base, ...closed, stage: 'ended', ended: 'storage' },
};

/** An app that shows one scene, and notes what is asked of it. */
export class FixtureApp implements App {
  snapshot: Snapshot;
  readonly asked: { command: keyof Commands; values: readonly unknown[] }[] = [];
  private readonly listeners = new Set<(snapshot: Snapshot) => void>();

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
  }
  subscribe(changed: (snapshot: Snapshot) => void): () => void {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }
  set(change: Partial<Snapshot>): void {
    this.snapshot = { ...this.snapshot, ...change };
    for (const listener of this.listeners) listener(this.snapshot);
  }

  /** Answers of a made-up box, by what is asked; without one, silence as of a box that thinks. */
  answers: (body: Ask) => Reply | null = () => null;
  ask(body: Ask): Promise<Reply> {
    const reply = this.answers(body);
    return reply === null ? new Promise(() => {}) : Promise.resolve(reply);
  }
  declare handset?: NonNullable<App['handset']>;
  /** Everything is hashed as nothing, and one signature is wrong. */
  exporting: NonNullable<App['exporting']> = () =>
    Promise.resolve({
      facility: () => Promise.resolve({ name: 'Willow Creek Medical Center', root: new Uint8Array(32) }),
      sha256: () => Promise.resolve(Uint8Array.from({ length: 32 }, (_, at) => (at * 37 + 11) % 256)),
      isSignedBy: () => Promise.resolve(false),
      file: () => Promise.resolve({ code: 'NO_SUCH_ATTACHMENT', advice: '' }),
      pause: () => Promise.resolve(),
    });
  files: Files = {
    send: () => new Promise(() => {}),
    receive: () => new Promise(() => {}),
  };
  /** One was added; the phone's question is answered at once, or not at all. */
  readonly passkeys: Passkeys = {
    possible: true,
    list: () => Promise.resolve([{ credential: Uint8Array.of(1), added: NOW }]),
    add: () => Promise.resolve({ code: 'PASSKEY_CANCELLED', advice: '' }),
    remove: () => Promise.resolve([]),
    unlock: () => Promise.resolve({ code: 'PASSKEY_CANCELLED', advice: '' }),
  };
  keep(): Promise<void> {
    return Promise.resolve();
  }
  /** The facility has it on. */
  readonly bell: Bell = {
    possible: true,
    look: () => Promise.resolve({ on: true, isThere: true, set: false }),
    on: () => Promise.resolve({ on: true, isThere: true, set: true }),
    off: () => Promise.resolve({ on: true, isThere: true, set: false }),
  };
  listen(): () => void {
    return () => {};
  }

  join = this.note('join');
  visit = this.note('visit');
  lookAgain = this.note('lookAgain');
  unlock = this.note('unlock');
  lock = this.note('lock');
  touched = this.note('touched');
  openConversation = (id: string) => this.set({ conversation: thread({ item: this.snapshot.inbox.find((one) => one.id === id) ?? first }) });
  closeConversation = () => this.set({ conversation: null });
  seen = this.note('seen');
  loadOlder = this.note('loadOlder');
  draft = this.note('draft');
  send = this.note('send');
  discard = this.note('discard');
  answerStat = this.note('answerStat');
  react = this.note('react');
  writeTo = this.note('writeTo');
  writeToRole = this.note('writeToRole');
  askRoles = this.note('askRoles');
  takeRole = this.note('takeRole');
  returnRole = this.note('returnRole');
  care = this.note('care');
  talk = this.note('talk');
  devicesShown = () => this.set({ devices: this.snapshot.devices.map((one) => ({ ...one, isNew: false })) });
  askProspect = () => {
    const { conversation } = this.snapshot;
    if (conversation !== null) this.set({ conversation: { ...conversation, prospect } });
  };
  dismissRefusal = () => this.set({ refusal: null });

  private note(command: keyof Commands) {
    return (...values: readonly unknown[]) => void this.asked.push({ command, values });
  }
}
