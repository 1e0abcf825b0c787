import type { Page } from 'playwright-core';

/** Pages of administration, as `tools/look.ts` looks at them. */
type Act = (page: Page) => Promise<void>;

const open = (...steps: readonly (string | Act)[]): Act => async (page) => {
  await page.locator('nav button').nth(4).click();
  await page.locator('.pages button').first().click();
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

const STAFF = 'Name,Title,Units,Charge nurse\nZoe Park,RN,4 West; ICU,ICU\nEli Nakamura,,ICU,\nBen Okafor,,ICU,\nPat Moss,RN,5 East,\nSam Reyes,RN,4 West,perhaps\n';

export const adminViews: Record<string, { scene: string; query?: string; act: Act }> = {
  adminMenu: { scene: 'admin', act: open() },
  adminPeople: { scene: 'admin', act: open(menu(0)) },
  adminAdd: {
    scene: 'admin',
    act: open(menu(0), '.acts .button.main', async (page) => {
      await page.locator('form input').first().fill('ben okafor');
      await page.locator('select').selectOption({ index: 1 });
    }),
  },
  adminPerson: { scene: 'admin', act: open(menu(0), '.rows li:nth-child(2) button') },
  adminCode: { scene: 'admin', act: open(menu(0), '.rows li:nth-child(2) button', '.card .button.main', (page) => page.locator('dialog .code').waitFor()) },
  adminPost: { scene: 'admin', act: open(menu(0), '.rows li:nth-child(2) button', '.card li .button') },
  adminSuspended: {
    scene: 'admin',
    act: open(menu(0), '.rows li:nth-child(3) button', '.person .inside > .button:last-child', 'dialog .button.alarm'),
  },
  adminZone: { scene: 'adminZone', act: open(menu(0), '.rows li:nth-child(2) button', '.card .button.main') },
  adminStaff: { scene: 'admin', act: open(menu(0), '.acts .button.main + .button', file('staff.csv', STAFF)) },
};
