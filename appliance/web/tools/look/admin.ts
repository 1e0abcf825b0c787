import type { Page } from 'playwright-core';

/** Pages of administration, as `tools/look.ts` looks at them. */
type Act = (page: Page) => Promise<void>;

const open = (...steps: readonly (string | Act)[]): Act => async (page) => {
  await page.locator('nav button').nth(4).click();
  await page.getByRole('button', { name: /^(Administration|Administración|Privacy officer|Responsable de privacidad)$/ }).last().click();
  for (const step of steps) {
    if (typeof step === 'string') await page.locator(step).first().click();
    else await step(page);
  }
};
const menu = (at: number) => `nav.inside li:nth-child(${at + 1}) button`;
const file = (name: string, text: string): Act => async (page) => {
  await page.locator('input[type=file]').first().setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
  await page.locator('select').first().waitFor();
};

const exports = '.inside label:has(input[value=exports])';
const exporting: Act = async (page) => {
  await page.locator('form input.input').first().fill('00482-17');
  await page.locator('form input.input').last().fill('Request of the patient, 2026-11-20');
  await page.locator('form button[type=submit]').click();
};

const STAFF = 'Name,Title,Units,Charge nurse\nZoe Park,RN,4 West; ICU,ICU\nEli Nakamura,,ICU,\nBen Okafor,,ICU,\nPat Moss,RN,5 East,\nSam Reyes,RN,4 West,perhaps\n';

export const adminViews: Record<string, { scene: string; query?: string; act: Act }> = {
  adminMenu: { scene: 'admin', act: open() },
  adminSteps: { scene: 'admin', act: open(menu(0)) },
  adminPeople: { scene: 'admin', act: open(menu(1)) },
  adminAdd: {
    scene: 'admin',
    act: open(menu(1), '.acts .button.main', async (page) => {
      await page.locator('form input').first().fill('ben okafor');
      await page.locator('select').selectOption({ index: 1 });
    }),
  },
  adminPerson: { scene: 'admin', act: open(menu(1), '.rows li:nth-child(2) button') },
  adminCode: { scene: 'admin', act: open(menu(1), '.rows li:nth-child(2) button', '.card .button.main', (page) => page.locator('dialog .code').waitFor()) },
  adminPost: { scene: 'admin', act: open(menu(1), '.rows li:nth-child(2) button', '.card li .button') },
  adminSuspended: {
    scene: 'admin',
    act: open(menu(1), '.rows li:nth-child(3) button', '.person .inside > .button:last-child', 'dialog .button.alarm'),
  },
  adminZone: { scene: 'adminZone', act: open(menu(1), '.rows li:nth-child(2) button', '.card .button.main') },
  adminStaff: { scene: 'admin', act: open(menu(1), '.acts .button.main + .button', file('staff.csv', STAFF)) },
  adminUnits: { scene: 'admin', act: open(menu(2)) },
  adminStation: { scene: 'admin', act: open(menu(2), '.card:last-child > .button') },
  adminRoles: { scene: 'admin', act: open(menu(3)) },
  adminRole: { scene: 'admin', act: open(menu(3), 'section:nth-of-type(1) li:nth-child(2) button') },
  adminRota: {
    scene: 'admin',
    act: open(menu(3), 'section:nth-of-type(1) li:nth-child(2) button', (page) => page.locator('textarea').fill('zone America/New_York\nMon-Fri 07:00-19:00 Zoe Park')),
  },
  adminEscalation: {
    scene: 'admin',
    act: open(menu(4), async (page) => {
      await page.locator('select').first().selectOption({ index: 1 });
      await page.locator('input[type=number]').first().fill('45');
    }),
  },
  adminChannels: { scene: 'admin', act: open(menu(6), (page) => page.locator('.channels li').first().waitFor()) },
  adminChannel: { scene: 'admin', act: open(menu(6), '.channels li:first-child .button') },
  adminChannelNew: { scene: 'admin', act: open(menu(6), '.channels .button.main', (page) => page.locator('dialog button[type=submit]').click()) },
  adminPrivacy: { scene: 'adminPrivacy', act: open() },
  adminFinding: { scene: 'adminPrivacy', act: open('li.card .acts .button') },
  adminHolds: { scene: 'adminPrivacy', act: open('.inside label:has(input[value=holds])') },
  adminHold: { scene: 'adminPrivacy', act: open('.inside label:has(input[value=holds])', '.button.main', (page) => page.locator('dialog button[type=submit]').click()) },
  adminExports: { scene: 'adminPrivacy', act: open(exports, '.button.main') },
  adminExporting: { scene: 'adminExporting', act: open(exports, exporting, (page) => page.locator('progress').waitFor()) },
  adminExported: { scene: 'adminPrivacy', act: open(exports, exporting, (page) => page.locator('.seal').waitFor()) },
  adminAudit: { scene: 'adminPrivacy', act: open('.inside label:has(input[value=audit])', (page) => page.locator('ol.log li').first().waitFor()) },
  adminAuditSave: { scene: 'adminPrivacy', act: open('.inside label:has(input[value=audit])', (page) => page.locator('section.card label:has(input[value=jsonl])').scrollIntoViewIfNeeded()) },
  adminHealth: { scene: 'admin', act: open(menu(7), (page) => page.locator('.health dl').first().waitFor()) },
  adminAlarms: { scene: 'admin', act: open(menu(7), '.card:has(h3) > .button[aria-haspopup]') },
  adminCertificate: { scene: 'admin', act: open(menu(8), (page) => page.locator('.nameCertificate dl').waitFor()) },
  adminCertificateRead: {
    scene: 'admin',
    act: open(menu(8), async (page) => {
      await page.locator('.nameCertificate textarea').last().fill('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----');
      await page.locator('.nameCertificate form').last().locator('button[type=submit]').click();
      await page.locator('.nameCertificate h3').scrollIntoViewIfNeeded();
    }),
  },
  adminCertificateAgain: {
    scene: 'admin',
    act: open(menu(8), async (page) => {
      await page.locator('.nameCertificate textarea').first().fill('wardline.mercy.example');
      await page.locator('.nameCertificate form').first().locator('button[type=submit]').click();
      await page.locator('dialog').waitFor();
    }),
  },
  adminPolicies: { scene: 'admin', act: open(menu(5)) },
  adminRetention: {
    scene: 'admin',
    act: open(menu(5), async (page) => {
      await page.locator('.fields input').first().fill('7');
      await page.locator('.policies .card .button').first().click();
      await page.locator('.diff').waitFor();
    }),
  },
};
