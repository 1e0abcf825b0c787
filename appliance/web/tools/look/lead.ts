/** Made-up screens of a charge nurse and her shift, with a made-up box behind them. Everybody in here is invented. */

import { create } from '@bufbuild/protobuf';
import type { Page } from 'playwright-core';
import type { Ask, Told } from '../../src/domain/frames.ts';
import type { Reply, Snapshot } from '../../src/domain/snapshot.ts';
import { AgencyPageSchema, BedPageSchema, BedsideCodeSchema, EmergencyAskedSchema, EmergencyRequestSchema, EncounterState, EscalationState, FamilyPageSchema, JoinCodeSchema, OfferPageSchema, PatientPageSchema, RoleSetSchema, Sex, SuspendedSchema } from '../../src/gen/wardline_pb.js';
import { NOW, scenes } from '../../src/view/fixtures.ts';

const minutes = (n: number) => BigInt(NOW + n * 60_000);
const [ana, ben, carla] = [0x101n, 0x102n, 0x103n];
const hex = (id: bigint) => id.toString(16).padStart(16, '0');

const base = scenes['onCall'] as Snapshot;
const offer = { id: hex(0x901n), role: '0000000000000402', giver: hex(ben), taker: base.me?.id ?? '', from: 0, until: NOW + 12 * 3_600_000, expires: NOW + 7_200_000 };
const wire = { offer: 0x901n, role: 0x402n, place: 0, giver: ben, taker: BigInt(`0x${base.me?.id ?? '1'}`), from: 0n, until: minutes(720), expires: minutes(120) };

const talk = scenes['conversation'] as Snapshot;
const first = talk.conversation as NonNullable<Snapshot['conversation']>;
/** What a visitor sees: no patient, no unit, nothing but what is said. */
const thread: NonNullable<Snapshot['conversation']> = {
  ...first,
  item: { ...first.item, kind: 'family', title: 'The daughters', subtitle: '', patient: null, stat: null },
  messages: first.messages.slice(0, 2),
  people: first.people.map((person) => ({ ...person, units: [] })),
  older: 'none',
  draft: 'Is she awake?',
};

export const leadScenes: Record<string, Snapshot> = {
  leadOffered: { ...base, offers: [offer, { ...offer, id: hex(0x903n), role: '0000000000000404', from: NOW + 3_600_000 }] },
  lead: base,
  leadGaps: { ...base, gaps: [{ role: '0000000000000403', name: 'Rapid response nurse', start: NOW + 3_600_000, end: NOW + 30_000_000, rung: true }] },
  leadVisit: scenes['join'] as Snapshot,
  leadVisitFault: { ...(scenes['join'] as Snapshot), refusal: { code: 'BEDSIDE_CODE_INVALID', advice: '' } },
  leadAsked: { ...(scenes['join'] as Snapshot), stage: 'asked' },
  leadVisiting: { ...talk, visitor: true, inbox: [thread.item], conversation: thread },
  leadFamilyThread: { ...talk, conversation: { ...thread, item: { ...thread.item, patient: talk.conversation?.item.patient ?? null, subtitle: 'The daughters' }, family: [{ name: 'Maria Lopez', relation: 'daughter' }] } },
  leadPatient: talk,
};

export function leadAnswers(body: Ask): Reply | null {
  const answer = (told: Told): Reply => ({ reply: 'answer', request: 0, body: told });
  switch (body.case) {
    case 'listOffers':
      return answer({
        case: 'offerPage',
        value: create(OfferPageSchema, {
          end: true,
          offers: [
            {
              offer: wire,
              stats: [
                { conversation: 0x301n, sequence: 7n, state: EscalationState.RINGING, unit: 0xa1n, senderTitle: 'Registered nurse', opened: minutes(-4) },
                { conversation: 0n, sequence: 0n, state: EscalationState.ACCEPTED, unit: 0xa2n, senderTitle: '\u202eRN <b>', opened: minutes(-50), stays: true },
              ],
              statsCount: 2,
              tasks: [{ conversation: 0x303n, sequence: 2n, due: minutes(-12), overdue: true }],
              tasksCount: 1,
              gaps: [{ start: minutes(720), end: minutes(1000) }],
              shifts: [{ assignment: 1n, until: minutes(60), beds: 6, patients: 5 }],
            },
            { offer: { ...wire, offer: 0x902n, role: 0x401n, giver: wire.taker, taker: carla } },
            { offer: { ...wire, offer: 0x904n, role: 0x403n, giver: ana + 9n, taker: carla } },
          ],
        }),
      });
    case 'listFamily':
      return answer({
        case: 'familyPage',
        value: create(FamilyPageSchema, {
          consentBy: ana,
          consentAt: minutes(-2000),
          consentWords: 'The patient herself, at the bedside, with Ana.',
          blocked: ['Viktor Brandt'],
          codeExpires: minutes(6000),
          requests: [
            { device: 0xd01n, name: 'Maria Lopez', relation: 'daughter', deviceName: 'My iPhone', at: minutes(-3), until: minutes(237) },
            { device: 0xd02n, name: '\u202eViktor <b>Brandt</b> ' + 'x'.repeat(40), relation: 'says he is a friend of the family', deviceName: 'My Android phone', at: minutes(-9), until: minutes(230), blocked: true },
          ],
          visitors: [{ person: 0xe01n, name: 'Clara Diaz', relation: 'daughter', conversation: 0x3f1n, since: minutes(-900), until: minutes(18000), by: ben, devices: 2 }],
          threads: [
            { conversation: 0x3f1n, title: 'The daughters' },
            { conversation: 0x3f2n, title: 'x', own: true },
            { conversation: 0x3f3n, title: 'The son', ended: true },
          ],
        }),
      });
    case 'listBeds':
      return answer({
        case: 'bedPage',
        value: create(BedPageSchema, {
          end: true,
          beds: ['409-A', '409-B', '412-B', '415', '416'].map((bed, at) => ({
            bed,
            encounter: BigInt(0x700 + at),
            holders: at < 3 ? [{ assignment: BigInt(0x600 + (at >> 1)), person: at < 2 ? ben : carla, until: minutes(240) }] : [],
          })),
        }),
      });
    case 'listAgency':
      return answer({
        case: 'agencyPage',
        value: create(AgencyPageSchema, {
          end: true,
          stays: [
            { person: carla, unit: 0xa1n, since: minutes(-300), until: minutes(420), extensions: [{ at: minutes(-10), until: minutes(420), grounds: 'Two called in sick' }] },
            { person: ben, unit: 0xa1n, since: minutes(-3000), until: minutes(-2400), ended: minutes(-2400), barred: true },
          ],
        }),
      });
    case 'listPatients':
      return answer({
        case: 'patientPage',
        value: create(PatientPageSchema, {
          end: true,
          patients: [
            { patient: { patient: 0x501n, particulars: { recordNumber: '4711', name: 'Margarita Lopez', birthDate: '1947-03-09', sex: Sex.FEMALE } }, encounter: { encounter: 0x601n, patient: 0x501n, unit: 0xa1n, bed: '412-B', state: EncounterState.ADMITTED } },
            { patient: { patient: 0x502n, particulars: { recordNumber: '4712', name: 'Otto Lang', birthDate: '1938-05-06', sex: Sex.MALE } }, encounter: { encounter: 0x602n, patient: 0x502n, unit: 0xa1n, bed: '409-A', state: EncounterState.ON_LEAVE } },
            { patient: { patient: 0x503n, alias: 'Guest 7' }, encounter: { encounter: 0x603n, patient: 0x503n, unit: 0xa1n, bed: '407', state: EncounterState.ADMITTED } },
          ],
        }),
      });
    case 'lookAtRequest':
      return answer({ case: 'emergencyRequest', value: create(EmergencyRequestSchema, { emergency: 0x00f1a2b3c4d5e6f7n, person: ben, bed: '407', alias: 'Guest 7', grounds: 'Chest pain, nobody of the team is here', until: minutes(4) }) });
    case 'breakGlass':
      return answer({ case: 'emergencyAsked', value: create(EmergencyAskedSchema, { emergency: 0x00f1a2b3c4d5e6f7n, until: minutes(5) }) });
    case 'issueJoinCode':
      return answer({ case: 'joinCode', value: create(JoinCodeSchema, { code: 'K7QX2M4WPD', expires: minutes(60) }) });
    case 'suspend':
      return answer({
        case: 'suspended',
        value: create(SuspendedSchema, {
          waits: true,
          roles: [{ role: 0x402n, now: true, successor: carla }],
          shifts: [{ unit: 0xa1n, beds: ['409-A', '409-B'], until: minutes(240) }],
          stats: [{ conversation: 0x301n, sequence: 4n, unit: 0xa1n, successor: carla }],
        }),
      });
    case 'issueBedsideCode':
      return answer({ case: 'bedsideCode', value: create(BedsideCodeSchema, { code: 'K7QX2M4WPD', expires: minutes(6000) }) });
    case 'answerOffer':
      return answer({ case: 'roleSet', value: create(RoleSetSchema, {}) });
    default:
      return null;
  }
}

interface View {
  scene: string;
  query?: string;
  act?: (page: Page) => Promise<void>;
}
const tab = (page: Page, n: number) => page.locator('nav button').nth(n).click();
const more = async (page: Page, name: RegExp) => {
  await tab(page, 4);
  await page.locator('.pages button').filter({ hasText: name }).click();
};

const RESTRICTED = /Restricted patients|Pacientes restringidos/;
const TEMPLATES = /Templates and quick|Plantillas y respuestas/;
const GLASS = /Break the glass|Acceso de emergencia/;
const RESIDENTS = 'MRN,Name,DOB,Sex,Room,Bed\n4711,Margarita López,09/03/1947,F,412,B\n4713,Inés Roth,25/12/1951,F,409,A\n4714,Pat Moss,31/02/1947,M,8,\n4715,Lee Kim,01/01/1940,M,407,\n';
const residentsOf = async (page: Page, list: string) => {
  await more(page, /Admit, move|Ingresar, trasladar/);
  await page.getByRole('button', { name: /List of residents|Lista de residentes/ }).click();
  await page.locator('input[type=file]').setInputFiles({ name: 'residents.csv', mimeType: 'text/csv', buffer: Buffer.from(list) });
  await page.locator('section.card h2').first().waitFor();
};
const residents = async (page: Page, list: string) => {
  await residentsOf(page, list);
  await page.locator('label.go').waitFor();
};
const visitor = (page: Page) => page.locator('fieldset').first().locator('label').nth(1).click();
const family = async (page: Page) => {
  await page.locator('.about').click();
  await page.locator('#conversation-about .button').first().click();
  await page.locator('.family h3').first().waitFor();
};

export const leadViews: Record<string, View> = {
  leadOffered: { scene: 'leadOffered' },
  leadOfferedBig: { scene: 'leadOffered', query: 'big' },
  leadHandover: {
    scene: 'leadOffered',
    act: async (page) => {
      await more(page, /Hand over a role|Traspasar un puesto/);
      await page.locator('form .pick button').first().click();
    },
  },
  leadVisit: { scene: 'leadVisit', query: 'installed', act: visitor },
  leadVisitFault: {
    scene: 'leadVisitFault',
    query: 'installed',
    act: (page) => page.locator('form.visit button[type=submit]').click(),
  },
  leadAsked: { scene: 'leadAsked' },
  leadVisiting: { scene: 'leadVisiting' },
  leadVisitingAbout: { scene: 'leadVisiting', act: (page) => page.locator('.bar button').first().click() },
  leadFamilyThread: { scene: 'leadFamilyThread' },
  leadFamily: { scene: 'leadPatient', act: family },
  leadFamilyHow: {
    scene: 'leadPatient',
    act: async (page) => {
      await family(page);
      await page.locator('.waits [aria-haspopup]').first().click();
    },
  },
  leadFamilyCode: {
    scene: 'leadPatient',
    act: async (page) => {
      await family(page);
      await page.getByRole('button', { name: /Make a new code|Crear un código nuevo/ }).click();
      await page.locator('.family svg[role=img]').scrollIntoViewIfNeeded();
    },
  },
  leadGaps: { scene: 'leadGaps', act: (page) => tab(page, 2) },
  leadStaffCode: {
    scene: 'lead',
    act: async (page) => {
      await more(page, /Staff: codes|Equipo: códigos/);
      await page.locator('.staff .pick button').first().click();
      await page.getByRole('button', { name: /Code for a new phone|Código para un teléfono nuevo/ }).click();
      await page.locator('.staff svg[role=img]').scrollIntoViewIfNeeded();
    },
  },
  leadStaffEnd: {
    scene: 'lead',
    act: async (page) => {
      await more(page, /Staff: codes|Equipo: códigos/);
      await page.locator('.staff .pick button').first().click();
      await page.locator('.staff [aria-haspopup]').click();
      await page.locator('dialog .alarm').click();
      await page.locator('#left-behind').waitFor();
    },
  },
  leadPlan: {
    scene: 'lead',
    act: async (page) => {
      await more(page, /Give out beds|Repartir camas/);
      await page.locator('.plan form input[maxlength]').first().fill('409-A 415');
      await page.locator('.plan form input[maxlength]').nth(1).fill('34-20');
    },
  },
  leadAgency: {
    scene: 'lead',
    act: async (page) => {
      await more(page, /Agency staff|Personal de agencia/);
      await page.locator('.agency article').first().waitFor();
    },
  },
  leadResidents: { scene: 'lead', act: (page) => residents(page, RESIDENTS) },
  leadResidentsHeadless: { scene: 'lead', act: (page) => residentsOf(page, '4711,Margarita López,09/03/1947,F,412,B\n4713,Inés Roth,25/12/1951,F,409,A\n') },
  leadResidentsMany: {
    scene: 'lead',
    act: async (page) => {
      await residents(page, RESIDENTS);
      await page.locator('label.go').click();
      await page.locator('.inside > .button.main').click();
      await page.locator('dialog .alarm').click();
    },
  },
  leadRestricted: {
    scene: 'lead',
    act: async (page) => {
      await more(page, RESTRICTED);
      await page.locator('.restricted article').first().waitFor();
    },
  },
  leadRestrict: {
    scene: 'lead',
    act: async (page) => {
      await more(page, RESTRICTED);
      await page.locator('.restricted li .button').first().click();
      await page.locator('dialog button[type=submit]').click();
    },
  },
  leadTemplates: { scene: 'lead', act: (page) => more(page, TEMPLATES) },
  leadTemplatesFile: {
    scene: 'lead',
    act: async (page) => {
      await more(page, TEMPLATES);
      await page.locator('.templates .card').first().waitFor();
      const list = 'reply Seen, thank you\nreply Coming\ntemplate Fall report\nfield Bed\ntemplate Round\nfield Bed\noptional Wishes\n';
      await page.locator('input[type=file]').setInputFiles({ name: 'templates.txt', mimeType: 'text/plain', buffer: Buffer.from(list) });
      await page.locator('.templates .diff').scrollIntoViewIfNeeded();
    },
  },
  leadGlass: { scene: 'lead', act: (page) => more(page, GLASS) },
  leadGlassTwo: {
    scene: 'lead',
    act: async (page) => {
      await more(page, GLASS);
      await page.locator('.glass textarea').fill('Found on the floor, no pulse');
      await page.locator('.glass form input.input').first().fill('407');
      await page.locator('.glass .alarm').click();
      await page.locator('.glass .number').waitFor();
      await page.locator('.glass form input').last().fill('00f1a2b3c4d5e6f7');
      await page.locator('.glass form button').last().click();
      await page.locator('.glass .alarm').waitFor();
    },
  },
  leadCensus: {
    scene: 'lead',
    act: async (page) => {
      await more(page, /Admit, move|Ingresar, trasladar/);
      await page.locator('form button[type=submit]').first().click();
    },
  },
  leadFamilyBig: { scene: 'leadPatient', query: 'big', act: family },
  leadFamilyChoose: { scene: 'lead', act: (page) => more(page, /Family and visitors|Familia y visitas/) },
  leadHandoverMake: {
    scene: 'lead',
    act: async (page) => {
      await tab(page, 2);
      await page.getByRole('button', { name: /^(Hand over|Traspasar)/ }).first().click();
      await page.locator('form button[type=submit]').click();
      await page.locator('form').scrollIntoViewIfNeeded();
    },
  },
};
