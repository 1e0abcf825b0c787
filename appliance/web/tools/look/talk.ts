import type { Page } from 'playwright-core';

/** Acts in a conversation, for `tools/look.ts`. */

/** The acts of the newest message. */
const newest = (page: Page): Promise<void> => page.locator('.more[aria-haspopup]').last().click();
const act = (name: number) => async (page: Page) => {
  await newest(page);
  await page.locator('dialog .acts .button').nth(name).click();
};

/** An act of the conversation's head. */
const head = (name: number) => async (page: Page) => {
  await page.locator('.about').click();
  await page.locator('.more .acts .button').nth(name).click();
};
const people = (name: number) => async (page: Page) => {
  await page.locator('nav button').nth(3).click();
  await page.locator('.pages .button').nth(name).click();
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
  talkGroupHead: {
    scene: 'talkGroup',
    act: async (page: Page) => {
      await page.locator('.about').click();
      await page.locator('.more .acts .button').first().waitFor();
    },
  },
  talkGroupAdd: {
    scene: 'talkGroup',
    act: async (page: Page) => {
      await head(0)(page);
      await page.locator('dialog [type=checkbox]').first().check();
    },
  },
  talkGroupOut: { scene: 'talkGroup', act: head(1) },
  talkGroupRename: {
    scene: 'talkGroup',
    act: async (page: Page) => {
      await head(2)(page);
      await page.locator('dialog .input').fill('Tracheostomy round, mornings');
      await page.locator('dialog button[type=submit]').click();
      await page.locator('dialog [role=alert]').waitFor();
    },
  },
  talkGroupArchive: { scene: 'talkGroup', act: head(3) },
  talkGroupLeave: { scene: 'talkGroup', act: head(4) },
  talkArchived: { scene: 'talkArchived', act: head(0) },
  talkChannelAdd: { scene: 'talkChannel', act: head(0) },
  talkGroupNew: {
    scene: 'people',
    act: async (page: Page) => {
      await people(0)(page);
      await page.locator('.group .input').first().fill('Tracheostomy round');
      await page.locator('.group [type=checkbox]').nth(1).check();
      await page.locator('.group [type=checkbox]').nth(2).check();
    },
  },
  talkChannels: {
    scene: 'people',
    act: async (page: Page) => {
      await people(1)(page);
      await page.locator('.channels li').first().waitFor();
    },
  },
  talkChannelNew: {
    scene: 'people',
    act: async (page: Page) => {
      await people(1)(page);
      await page.locator('.channels p > [aria-haspopup]').first().click();
    },
  },
  talkChannelLead: {
    scene: 'people',
    act: async (page: Page) => {
      await people(1)(page);
      await page.locator('.channels .lead').nth(1).click();
    },
  },
  talkRoleNobody: {
    scene: 'onCall',
    act: async (page: Page) => {
      await page.locator('nav button').nth(2).click();
      await page.locator('.roles li').nth(2).locator('.button').first().click();
      await page.locator('dialog').waitFor();
    },
  },
  talkRole: { scene: 'talkRole', act: (page: Page) => page.locator('.strip p').first().waitFor() },
  talkRoleNobodyHere: { scene: 'talkRoleNobody', act: (page: Page) => page.locator('.strip strong').waitFor() },
  talkAlarms: { scene: 'talkAlarms', act: (page: Page) => page.locator('.bubble .over').waitFor() },
  talkRoleDone: { scene: 'talkRoleDone', act: (page: Page) => page.locator('.strip .button').waitFor() },
  talkRoleFinish: { scene: 'talkRole', act: (page: Page) => page.locator('.strip .button').click() },
  talkQuick: {
    scene: 'conversation',
    act: async (page: Page) => {
      await page.locator('.compose .square').first().click();
      await page.locator('dialog li').first().waitFor();
    },
  },
  talkFill: {
    scene: 'conversation',
    act: async (page: Page) => {
      await page.locator('.compose .square').first().click();
      await page.locator('dialog .templates .button').last().click();
      await page.locator('dialog textarea').first().fill('412-B, more short of breath since midnight, RR 26');
      await page.locator('dialog button[type=submit]').click();
      await page.locator('dialog .fault').first().waitFor();
    },
  },
  talkOrders: { scene: 'talkOrders', act: (page: Page) => page.locator('.order').nth(3).waitFor() },
  talkOrderAnswer: { scene: 'talkOrders', act: (page: Page) => page.locator('.order').nth(1).locator('.button').first().click() },
  talkOrderReadBack: { scene: 'talkOrders', act: (page: Page) => page.locator('.order').first().locator('.button').first().click() },
  talkOrderGive: {
    scene: 'conversation',
    act: async (page: Page) => {
      await page.locator('.compose .square').first().click();
      await page.locator('dialog .inside > .button:not(.main)').first().click();
      await page.locator('dialog select').waitFor();
    },
  },
  talkNote: {
    scene: 'conversationStat',
    act: async (page: Page) => {
      await page.locator('.wide .more[aria-haspopup]').last().click();
      await page.locator('dialog .acts .button').first().click();
      await page.locator('dialog select').waitFor();
    },
  },
  talkAnnouncements: {
    scene: 'more',
    act: async (page: Page) => {
      await page.locator('nav button').nth(4).click();
      await page.getByRole('button', { name: /^(Announcements|Anuncios)$/ }).click();
      await page.locator('.announcements .card').first().waitFor();
    },
  },
  talkAnnounced: {
    scene: 'talkAnnounced',
    act: async (page: Page) => {
      await newest(page);
      await page.locator('dialog .acts .button').first().click();
      await page.locator('dialog strong').waitFor();
    },
  },
};
