import type { Page } from 'playwright-core';
import type { View } from '../look.ts';

/** Opens the practice shift from "More". */
async function practise(page: Page): Promise<void> {
  await page.locator('nav button').nth(4).click();
  await page.locator('.pages button').filter({ hasText: /Practice shift|Turno de práctica/ }).click();
  await page.locator('dialog .guide').waitFor();
}

/** Opens the downtime sheet from "More". */
async function sheet(page: Page): Promise<void> {
  await page.locator('nav button').nth(4).click();
  await page.locator('.pages button').filter({ hasText: /Downtime sheet|Hoja de contingencia/ }).click();
  await page.locator('.downtime').waitFor();
}

/** The pages of a ward's desk. */
export const deskViews: Record<string, View> = {
  station: { scene: 'station' },
  stationConnects: { scene: 'stationConnects' },
  stationSettings: { scene: 'station', act: (page) => page.locator('footer [aria-haspopup]').click() },
  stationRings: { scene: 'stationRings' },
  stationRingsMany: { scene: 'stationRingsMany' },
  stationUrgent: { scene: 'stationUrgent' },
  stationUrgentMany: { scene: 'stationUrgentMany' },
  stationRingsUrgent: { scene: 'stationRingsUrgent' },
  stationHeld: { scene: 'stationHeld' },
  stationOff: { scene: 'stationOff' },
  stationOffRings: { scene: 'stationOffRings' },
  stationRevoked: { scene: 'stationRevoked' },
  stationUnknown: { scene: 'stationUnknown', query: 'installed' },
  check: { scene: 'join', query: 'aside=/check' },
  checkSilent: { scene: 'join', query: 'aside=/check&way=silent' },
  checkNone: { scene: 'join', query: 'aside=/check&way=none' },
  checkPagesOnly: { scene: 'join', query: 'aside=/check&way=pagesOnly' },
  checkStranger: { scene: 'join', query: 'aside=/check&way=stranger' },
  checkNoUdp: { scene: 'join', query: 'aside=/check&way=noUdp' },
  connection: {
    scene: 'inbox',
    act: async (page) => {
      await page.locator('nav button').nth(4).click();
      await page.getByRole('button', { name: /^(Details|Detalles)$/ }).click();
      await page.locator('dialog .connection .verdict').waitFor();
    },
  },
  checkWait: { scene: 'join', query: 'aside=/check&way=wait' },
  checkBanner: { scene: 'offline', query: 'way=silent', act: (page) => page.locator('.top [aria-haspopup]').first().click() },
  trust: { scene: 'join', query: 'aside=/trust&trusted' },
  trustNamed: { scene: 'join', query: 'aside=/trust&trusted&named' },
  trustNone: { scene: 'join', query: 'aside=/trust&noRoot' },
  trustApple: { scene: 'join', query: 'aside=/trust', act: (page) => page.locator('label.apple').click() },
  trustWindows: { scene: 'join', query: 'aside=/trust', act: (page) => page.locator('label.windows').click() },
  practiceOffer: { scene: 'inbox', query: 'offered' },
  practice: { scene: 'inbox', act: practise },
  practiceStat: {
    scene: 'inbox',
    act: async (page) => {
      await practise(page);
      await page.locator('dialog .inbox .row, dialog .inbox button:has(bdi)').first().click();
      await page.locator('dialog .guide .button.main').click();
    },
  },
  downtime: { scene: 'inbox', act: sheet },
  stationHostile: { scene: 'stationHostile' },
};
