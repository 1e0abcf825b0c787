import type { Page } from 'playwright-core';
import type { View } from '../look.ts';

const toBeginning = (page: Page): Promise<void> => page.locator('.messages').press('Home');

/** What moves in a patient's thread, told in it. */
export const noticeViews: Record<string, View> = {
  notices: { scene: 'notices' },
  noticesEarly: { scene: 'notices', act: toBeginning },
  noticesAlone: { scene: 'noticesAlone' },
  noticesVisit: { scene: 'noticesVisit', act: (page) => page.locator('.visit .button').waitFor() },
  noticesInbox: { scene: 'noticesInbox' },
  tasksOver: {
    scene: 'inbox',
    act: async (page) => {
      await page.locator('.tools button').nth(1).click();
      await page.locator('.tasks .over').last().scrollIntoViewIfNeeded();
    },
  },
  bell: {
    scene: 'more',
    act: async (page) => {
      await page.locator('nav button').nth(4).click();
      await page.getByRole('button', { name: /^(Switch on|Activar|Encender)/ }).last().scrollIntoViewIfNeeded();
    },
  },
  noticesBig: { scene: 'noticesVisit', query: 'big' },
};
