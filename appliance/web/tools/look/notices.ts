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
  noticesBig: { scene: 'noticesVisit', query: 'big' },
};
