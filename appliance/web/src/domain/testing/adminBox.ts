/** A made-up box for the pages of administration: it answers, and changes nothing but what a test changes. Everybody in it is invented. */

import { create } from '@bufbuild/protobuf';

import {
  AlarmKind,
  AlarmsSchema,
  AttachmentPolicySchema,
  AuditActor,
  AuditPageSchema,
  BellSchema,
  BoxHealthSchema,
  BroadcastListSchema,
  ChannelPageSchema,
  ConversationKind,
  DeviceListSchema,
  DoneSchema,
  EmergencyPageSchema,
  EscalationPoliciesSchema,
  ExportBegunSchema,
  ExportPageSchema,
  ExportPlacesSchema,
  HoldPageSchema,
  HoldPlacedSchema,
  JoinCodeSchema,
  PeoplePageSchema,
  PersonAddedSchema,
  Rings,
  RolePageSchema,
  RetentionPolicySchema,
  RetentionPreviewSchema,
  RoleSetSchema,
  RotaShownSchema,
  StatLoadSchema,
  SuspendedSchema,
  SuspensionPageSchema,
  UnitListSchema,
  UnitSetSchema,
  WebCertificateRequestSchema,
  WebCertificateSchema,
} from '../../gen/wardline_pb.js';
import type { Ask, Told } from '../frames.ts';
import type { Reply } from '../snapshot.ts';

/** As `fixtures.ts` has it: when everything is looked at. */
const NOW = BigInt(Date.UTC(2026, 10, 28, 3, 12));
const HOUR = 3_600_000n;
const WEST = 0xa1n;
const ICU = 0xa2n;

const PEOPLE = [
  { person: 0x101n, name: 'Ana Ruiz', title: 'Registered nurse', administrator: true, posts: [{ unit: WEST, chargeNurse: true }] },
  { person: 0x102n, name: 'Ben Okafor', title: 'Hospitalist', posts: [{ unit: WEST }] },
  { person: 0x103n, name: 'Carla Méndez', title: 'Respiratory therapist', posts: [{ unit: WEST }, { unit: ICU }] },
  { person: 0x104n, name: 'Dana Whitfield', title: 'Registered nurse', posts: [{ unit: WEST }], suspended: true },
  { person: 0x105n, name: 'Eli Nakamura', title: 'Pharmacist', posts: [{ unit: ICU }] },
  { person: 0x106n, name: 'Inés Roth', title: 'RN', posts: [{ unit: ICU }], agency: { name: 'Brightside', until: NOW + 4n * HOUR } },
  { person: 0x107n, name: 'Luis Ortega', title: 'Privacy officer', privacyOfficer: true },
  { person: 0x108n, name: '\u202e<b>Mallory</b> ' + 'x'.repeat(44), title: '<i>\u2067', posts: [] },
  { person: 0x10an, name: 'Desk, 4 West', station: WEST },
];

const UNITS = [
  { unit: WEST, name: '4 West' },
  { unit: ICU, name: 'ICU' },
];

/** Names, dates and numbers of nobody's certificate. */
const WAITING = { names: ['wardline.mercy.example', 'old.mercy.example'], pem: `-----BEGIN CERTIFICATE REQUEST-----\n${'MIIBDjCBtQIBADAhMR8wHQYDVQQDDBZ3YXJkbGluZS5tZXJjeS5leGFtcGxlMFkw\n'.repeat(6)}-----END CERTIFICATE REQUEST-----\n` };
const CERTIFIED = {
  names: ['wardline.mercy.example'],
  issuer: 'Example Trust, Example CA 1',
  notBefore: NOW - 80n * 24n * HOUR,
  notAfter: NOW + 10n * 24n * HOUR,
  sha256: Uint8Array.from({ length: 32 }, (_, at) => (at * 37 + 11) % 256),
  hasKey: true,
  served: true,
};

/** By what is asked, what it answers. */
const ANSWERS: Partial<Record<NonNullable<Ask['case']>, () => Told>> = {
  listPeople: () => ({ case: 'peoplePage', value: create(PeoplePageSchema, { people: PEOPLE, end: true }) }),
  listUnits: () => ({ case: 'unitList', value: create(UnitListSchema, { units: UNITS }) }),
  listSuspensions: () => ({
    case: 'suspensionPage',
    value: create(SuspensionPageSchema, { suspensions: [{ person: 0x104n, by: 0x101n, since: NOW - 30n * HOUR, overdue: true }], end: true }),
  }),
  listDevices: () => ({
    case: 'deviceList',
    value: create(DeviceListSchema, {
      devices: [
        { device: 0x501n, name: 'Old phone', revoked: true },
        { device: 0x502n, name: 'Ben’s phone', pinLockedOut: true },
        { device: 0x503n, name: 'Desk 4 West' },
      ],
    }),
  }),
  issueJoinCode: () => ({ case: 'joinCode', value: create(JoinCodeSchema, { code: 'K7QX2M4WPD', expires: NOW + 72n * HOUR }) }),
  clearPin: () => ({ case: 'joinCode', value: create(JoinCodeSchema, { code: 'A3BC9D1EFG', expires: NOW + 600_000n }) }),
  listAllChannels: () => ({
    case: 'channelPage',
    value: create(ChannelPageSchema, {
      channels: [
        { conversation: 0x601n, unit: WEST, title: 'Night shift', members: 14 },
        { conversation: 0x602n, unit: ICU, title: 'Ventilators', members: 1, member: true },
        { conversation: 0x603n, unit: WEST, title: '\u202e<b>Move to 5 West</b> ' + 'x'.repeat(60), members: 0 },
        { conversation: 0x604n, unit: WEST, title: 'Old building', members: 9, archived: true },
      ],
    }),
  }),
  beginExport: () => ({
    case: 'exportBegun',
    value: create(ExportBegunSchema, { export: 0x771n, at: NOW, places: 3, patient: { patient: 0x201n, particulars: { recordNumber: '00482-17', name: 'Rosa Delgado', birthDate: '1950-01-01' } } }),
  }),
  listExport: () => ({ case: 'exportPlaces', value: create(ExportPlacesSchema, { places: [{ conversation: 0x301n, kind: ConversationKind.PATIENT, first: 1n, through: 1n }], end: true }) }),
  readExport: () => ({
    case: 'exportPage',
    value: create(ExportPageSchema, {
      conversation: 0x301n,
      through: 1n,
      end: true,
      namesHidden: 2,
      messages: [{ conversation: 0x301n, sequence: 1n, message: new Uint8Array(16).fill(1), sender: 0x102n, at: NOW - HOUR, text: 'Slept well; [#] next door did not.' }],
      acts: [{ sequence: 1n, signed: [{ conversation: 0x301n, sequence: 1n, person: 0x102n, device: 0x502n, deviceKey: new Uint8Array(65).fill(4), at: NOW, taken: NOW, said: { case: 'accept', value: {} }, signature: new Uint8Array(64).fill(9) }] }],
    }),
  }),
  setUnit: () => ({ case: 'unitSet', value: create(UnitSetSchema, { unit: WEST }) }),
  addStation: () => ({ case: 'personAdded', value: create(PersonAddedSchema, { person: 0x10an }) }),
  listRoles: () => ({
    case: 'rolePage',
    value: create(RolePageSchema, {
      roles: [
        { role: 0x401n, unit: WEST, name: 'Charge nurse 4 West', holders: [0x101n] },
        { role: 0x402n, unit: WEST, name: 'Hospitalist 4 West', holders: [0x102n], gaps: [{ start: NOW + 30n * HOUR, end: NOW + 38n * HOUR }] },
        { role: 0x403n, unit: ICU, name: 'Pharmacist on call', holders: [] },
        { role: 0x404n, unit: ICU, name: 'Old role', retired: true },
      ],
      end: true,
    }),
  }),
  setRole: () => ({ case: 'roleSet', value: create(RoleSetSchema, { role: 0x402n }) }),
  retireRole: () => ({ case: 'roleSet', value: create(RoleSetSchema, { role: 0x402n }) }),
  readRota: () => ({
    case: 'rotaShown',
    value: create(RotaShownSchema, { role: 0x402n, rota: { zone: 'America/New_York', patterns: [{ from: 20_784, weeks: 1, shifts: [0, 1, 2, 3, 4].map((day) => ({ start: day * 1440 + 420, end: day * 1440 + 1140, people: [0x102n, 0x103n] })) }] } }),
  }),
  listEscalation: () => ({
    case: 'escalationPolicies',
    value: create(EscalationPoliciesSchema, {
      policies: [
        { unit: 0n, firstWait: 60, steps: [{ rings: Rings.CHARGE_NURSES, wait: 60 }, { rings: Rings.UNIT_STAFF, wait: 120 }] },
        { unit: WEST, firstWait: 60, steps: [{ rings: Rings.ROLE, role: 0x402n, wait: 60 }, { rings: Rings.ROLE, role: 0x403n, wait: 60 }, { rings: Rings.CHARGE_NURSES, wait: 60 }], dial: '4410' },
      ],
    }),
  }),
  askStatLoad: () => ({
    case: 'statLoad',
    value: create(StatLoadSchema, { units: [{ unit: WEST, sent: 31, answered: 30, atStations: 2, median: 22, ninety: 95, longest: 410 }, { unit: ICU, sent: 4, answered: 0, atStations: 0 }] }),
  }),
  listEmergencies: () => ({
    case: 'emergencyPage',
    value: create(EmergencyPageSchema, {
      emergencies: [
        { emergency: 0x901n, person: 0x102n, patient: { patient: 0x201n, particulars: { recordNumber: '00482-17', name: 'Rosa Delgado' } }, unit: WEST, grounds: 'Found on the floor, no pulse', since: NOW - 5n * HOUR, ended: NOW - 4n * HOUR },
        { emergency: 0x902n, person: 0x103n, patient: { patient: 0x203n, alias: 'Blue Heron' }, unit: WEST, grounds: 'Called by the daughter, \u202e<b>seizure</b>', since: NOW - HOUR / 2n, second: 0x101n },
      ],
      end: true,
    }),
  }),
  listHolds: () => ({
    case: 'holdPage',
    value: create(HoldPageSchema, { holds: [{ hold: 0x911n, subject: { case: 'person', value: 0x102n }, matter: 'Diaz v. Mercy, 26-1180', since: NOW - 240n * HOUR, by: 0x107n, conversations: 14 }], end: true }),
  }),
  readAudit: () => ({
    case: 'auditPage',
    value: create(AuditPageSchema, {
      entries: [
        { index: 4812n, at: NOW - 60_000n, actor: AuditActor.PERSON, person: 0x101n, device: 0x503n, act: 370, parts: [{ part: { case: 'unit', value: WEST } }, { part: { case: 'number', value: 2n } }] },
        { index: 4811n, at: NOW - HOUR, actor: AuditActor.PERSON, person: 0x102n, device: 0x502n, act: 78, parts: [{ part: { case: 'thing', value: 0x901n } }, { part: { case: 'encounter', value: 0x211n } }] },
        { index: 4810n, at: NOW - 2n * HOUR, actor: AuditActor.BOX, act: 8, parts: [{ part: { case: 'device', value: 0x502n } }] },
        { index: 4809n, at: NOW - 3n * HOUR, actor: AuditActor.PERSON, person: 0x108n, device: 0x503n, act: 26, parts: [{ part: { case: 'person', value: 0x105n } }, { part: { case: 'unit', value: ICU } }, { part: { case: 'number', value: 2n } }] },
        { index: 4808n, at: NOW - 4n * HOUR, actor: AuditActor.SERVICE, act: 42, parts: [{ part: { case: 'none', value: true } }] },
        { index: 4807n, at: NOW - 5n * HOUR, actor: AuditActor.PERSON, person: 0x103n, device: 0x503n, act: 18, parts: [{ part: { case: 'conversation', value: 0x301n } }, { part: { case: 'sequence', value: 41n } }, { part: { case: 'number', value: 20n } }] },
        { index: 4806n, at: NOW - 6n * HOUR, actor: AuditActor.UNPROVEN, act: 9_999 },
      ],
      before: 4806n,
      lookedBackTo: NOW - 6n * HOUR,
      names: [
        ...PEOPLE.map(({ person, name }) => ({ of: { case: 'person' as const, value: person }, name })),
        ...UNITS.map(({ unit, name }) => ({ of: { case: 'unit' as const, value: unit }, name })),
        { of: { case: 'device', value: 0x502n }, name: 'Ben’s phone', about: 0x102n },
        { of: { case: 'device', value: 0x503n }, name: 'Desk 4 West', about: 0x101n },
        { of: { case: 'patient', value: 0x201n }, name: 'Blue Heron' },
        { of: { case: 'encounter', value: 0x211n }, about: 0x201n },
        { of: { case: 'conversation', value: 0x301n }, about: 0x201n, kind: ConversationKind.PATIENT },
      ],
    }),
  }),
  askHealth: () => ({
    case: 'boxHealth',
    value: create(BoxHealthSchema, {
      version: '0.1.0',
      at: NOW,
      uptime: 93n * HOUR,
      steppedAt: NOW - 3n * HOUR,
      steppedBy: -4_000n,
      diskFree: 9_000_000_000n,
      diskTotal: 240_000_000_000n,
      storeBytes: 1_840_000_000n,
      filesBytes: 12_400_000_000n,
      indexBytes: 310_000_000n,
      checks: 3n,
      keeperAnswers: true,
      leafNotBefore: NOW - 30n * HOUR,
      leafNotAfter: NOW + 100n * HOUR,
      issuerNotAfter: NOW + 9_000n * HOUR,
      rootNotAfter: NOW + 80_000n * HOUR,
      connections: 412,
      attached: 398,
      doorways: ['0.0.0.0:443'],
      bellHosts: [{ host: 'fcm.googleapis.com', sent: 214n, gone: 3n, failed: 1n }, { host: 'web.push.apple.com', sent: 96n }],
    }),
  }),
  askAlarms: () => ({
    case: 'alarms',
    value: create(AlarmsSchema, { role: 0x403n, told: [{ alarm: { kind: AlarmKind.NAME_ENDS, level: 2 }, at: NOW - 20n * HOUR }] }),
  }),
  askWebCertificate: () => ({
    case: 'webCertificate',
    value: create(WebCertificateSchema, { inUse: CERTIFIED, waiting: WAITING, ownNames: ['box1.mercy.example'], at: NOW }),
  }),
  requestWebCertificate: () => ({ case: 'webCertificateRequest', value: create(WebCertificateRequestSchema, WAITING) }),
  importWebCertificate: () => ({
    case: 'webCertificate',
    value: create(WebCertificateSchema, { inUse: CERTIFIED, read: { ...CERTIFIED, notBefore: NOW - HOUR, notAfter: NOW + 198n * 24n * HOUR }, at: NOW }),
  }),
  dropWebCertificate: () => ({ case: 'webCertificate', value: create(WebCertificateSchema, { at: NOW }) }),
  placeHold: () => ({ case: 'holdPlaced', value: create(HoldPlacedSchema, { hold: 0x912n, conversations: 3 }) }),
  listRetention: () => ({ case: 'retentionPolicy', value: create(RetentionPolicySchema, { rules: { direct: 720, group: 720, channel: 720, patient: 720 }, standard: true }) }),
  previewRetention: () => ({
    case: 'retentionPreview',
    value: create(RetentionPreviewSchema, { kinds: [{ kind: ConversationKind.DIRECT, messages: 1240n, conversations: 88, held: 3 }] }),
  }),
  listAttachmentPolicy: () => ({ case: 'attachmentPolicy', value: create(AttachmentPolicySchema, { photo: 16_777_216n, document: 33_554_432n, audio: 0n, standard: true }) }),
  askBell: () => ({ case: 'bell', value: create(BellSchema, { on: false, key: new Uint8Array(65).fill(4) }) }),
  listBroadcasts: () => ({ case: 'broadcastList', value: create(BroadcastListSchema, { announcers: [0x107n], unitUrgent: true }) }),
  addPerson: () => ({ case: 'personAdded', value: create(PersonAddedSchema, { person: 0x102n }) }),
  suspend: () => ({
    case: 'suspended',
    value: create(SuspendedSchema, {
      roles: [{ role: 0x402n, now: true, successor: 0x103n }],
      shifts: [{ unit: WEST, beds: ['412-A', '412-B'], until: NOW + 4n * HOUR, successor: 0x101n }],
      stats: [{ conversation: 0x301n, sequence: 12n, unit: WEST }],
    }),
  }),
};

const DONE: readonly string[] = ['openChannel', 'rename', 'archive', 'setPost', 'setDuties', 'setStanding', 'revokeDevice', 'decideSuspension', 'setEscalation', 'reviewEmergency', 'liftHold', 'finishExport', 'setRetention', 'setAttachmentPolicy', 'setAnnouncer', 'setBroadcastPolicy', 'setBellPolicy'];

/** The box. `declines`: what it answers all acts that change something with. */
export function adminBox(declines = ''): (body: Ask) => Reply | null {
  return (body) => {
    const isChange = body.case !== undefined && !/^(list|read|ask|preview)/.test(body.case);
    if (declines !== '' && declines !== 'READS' && isChange) return { reply: 'refused', refusal: { code: declines, advice: '' } };
    // A record that never ends, to be looked at on its way.
    if (body.case === 'readExport' && declines === 'READS') return null;
    if (DONE.includes(body.case)) return { reply: 'answer', request: 0, body: { case: 'done', value: create(DoneSchema) } };
    const told = ANSWERS[body.case]?.();
    return told === undefined ? null : { reply: 'answer', request: 0, body: told };
  };
}
