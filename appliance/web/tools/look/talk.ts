import type { Page } from 'playwright-core';

/** Acts in a conversation, for `tools/look.ts`. */

/** The acts of the newest message. */
const newest = (page: Page): Promise<void> => page.locator('.more[aria-haspopup]').last().click();
const act = (name: number) => async (page: Page) => {
  await newest(page);
  await page.locator('dialog .acts .button').nth(name).click();
};

export const talkViews = {
  talkActs: {
    scene: 'talkOwn',
    act: async (page: Page) => {
      await newest(page);
      await page.locator('dialog .acts .button').first().waitFor();
    },
  },
  talkEdit: { scene: 'talkOwn', act: act(0) },
  talkEditRefused: {
    scene: 'talkOwn',
    act: async (page: Page) => {
      await act(0)(page);
      await page.locator('dialog textarea').fill('Chest tube output 350 ml since midnight, serous.');
      await page.locator('dialog button[type=submit]').click();
      await page.locator('dialog [role=alert]').waitFor();
    },
  },
  talkRecall: {
    scene: 'talkOwn',
    act: async (page: Page) => {
      await act(1)(page);
      await page.locator('dialog blockquote').waitFor();
    },
  },
};
