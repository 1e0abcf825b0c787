import type { Page } from 'playwright-core';

import { pdf } from '../../e2e/pdfs.ts';

const add = async (page: Page) => {
  await page.locator('.compose .extra').click();
  await page.locator('dialog .inside > .button.main').click();
};
const choose = async (page: Page, name: string, buffer: Buffer) => {
  await add(page);
  await page.locator('input[type=file]').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
};

const line = (text: string, at: number, size = 13): string => `BT /F1 ${size} Tf 60 ${780 - at * 22} Td (${text}) Tj ET`;
/** Two pages of a letter about nobody. */
export const letter = pdf({
  pages: [
    ['0.1 0.3 0.5 rg 0 800 595 42 re f 0 g', line('Referral letter', 1, 22), ...['Patient: Rosa Delgado, born 9 March 1948', 'Bed 412-B, 4 West', '', 'Dear colleague,', 'thank you for seeing this patient, who was admitted with', 'shortness of breath. Potassium 5.9 mmol/l, repeated at 02:40.', 'Penicillin allergy: rash in 1998.'].map((text, at) => line(text, at + 3)), 'BT /F2 13 Tf 60 520 Td (4) Tj ET', '1 0 0 rg 80 518 200 2 re f'].join('\n'),
    line('Page two: no further findings.', 1),
  ],
});
/** The conversation's photo becomes a PDF, and is opened. */
export async function openPdf(page: Page, file: Buffer): Promise<void> {
  await page.evaluate((bytes) => {
    interface Message {
      readonly attachments: readonly object[];
    }
    interface Fixture {
      files: object;
      snapshot: { conversation: { messages: Message[] } };
      set(change: object): void;
    }
    const { fixture } = globalThis as typeof globalThis & { fixture: Fixture };
    fixture.files = { ...fixture.files, receive: () => Promise.resolve(new Blob([Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0))])) };
    const { conversation } = fixture.snapshot;
    const pdf = (message: Message) => ({ ...message, attachments: message.attachments.map((file) => ({ ...file, name: 'referral letter.pdf', kind: 'pdf', thumbnail: false })) });
    fixture.set({ conversation: { ...conversation, messages: conversation.messages.map(pdf) } });
  }, file.toString('base64'));
  await page.locator('.bubble .button.file').click();
}

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
  filesPdf: {
    scene: 'conversation',
    act: async (page: Page) => {
      await openPdf(page, letter);
      await page.locator('dialog canvas').waitFor();
    },
  },
  filesPdfLocked: {
    scene: 'conversation',
    act: async (page: Page) => {
      await openPdf(page, pdf({ trailer: `/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<${'41'.repeat(32)}>/U<${'42'.repeat(32)}>>>` }));
      await page.locator('dialog [role=alert]').waitFor();
    },
  },
};
