import type { Page } from 'playwright-core';

const add = async (page: Page) => {
  await page.locator('.compose .extra').click();
  await page.locator('dialog .inside > .button.main').click();
};
const choose = async (page: Page, name: string, buffer: Buffer) => {
  await add(page);
  await page.locator('input[type=file]').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
};

/** Photos and files of a message. */
export const files = {
  filesAdd: {
    scene: 'conversation',
    act: async (page: Page) => {
      await add(page);
      await page.locator('dialog .button').first().waitFor();
    },
  },
  filesCamera: {
    scene: 'conversation',
    act: async (page: Page) => {
      await add(page);
      await page.locator('dialog .button.main').click();
      await page.locator('dialog [role=alert]').waitFor();
    },
  },
  filesChosen: {
    scene: 'conversation',
    act: async (page: Page) => {
      await choose(page, 'consent form.pdf', Buffer.from('%PDF-1.7'));
      await choose(page, 'drawing.svg', Buffer.from('<svg/>'));
      await page.locator('.chosen .fault').waitFor();
    },
  },
  filesPhoto: {
    scene: 'conversation',
    act: async (page: Page) => {
      await page.locator('.bubble .button.file').click();
      await page.locator('dialog[open]').waitFor();
    },
  },
};
