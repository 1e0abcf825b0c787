/** A PDF is read in the app: page by page on the other phone, gone when it is closed or locked; and such as mean harm do none. */

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Box } from './box.ts';
import { HOSTILE, pdf, scanned, square } from './pdfs.ts';
import { PersonAtApp } from './person.ts';

/** Stands in a file; found on no disk. */
const CANARY = randomBytes(24).toString('hex');
const RED = [255, 0, 0];
const alerts: string[] = [];
/** What Ben's browser asked for while something was open. */
const asked: string[] = [];
let box: Box;
let ana: PersonAtApp;
let ben: PersonAtApp;

beforeAll(async () => {
  box = await Box.start();
  ana = await PersonAtApp.join(box, 'Ana');
  ben = await PersonAtApp.join(box, 'Ben', { leaps: true });
  ben.page.on('dialog', (dialog) => {
    alerts.push(dialog.message());
    void dialog.dismiss();
  });
  ben.browser.context.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await ana.writeTo('Ben Okafor');
  await ana.say('hello');
  await ben.open('Ana Flores');
  await ben.sees('hello');
});
afterEach(async (context) => {
  expect(await ben.page.title()).toBe('Wardline');
  expect(alerts).toEqual([]);
  if (context.task.result?.state !== 'fail') return;
  await ana.picture(context.task.id);
  await ben.picture(context.task.id);
  // What one left open does not stand before the next.
  await ben.page.keyboard.press('Escape');
});
afterAll(async () => {
  await ana?.leaves();
  await ben?.leaves();
  await box?.stop();
});

const sheet = (page: Page) => page.getByRole('dialog');
const canvas = (page: Page) => sheet(page).locator('canvas');
const closes = async (page: Page): Promise<void> => {
  await sheet(page).getByRole('button', { name: 'Close' }).click();
  await sheet(page).waitFor({ state: 'detached' });
};
let files = 0;
/** Ana sends it, Ben touches it. */
async function opened(buffer: Buffer): Promise<void> {
  files += 1;
  const name = `paper ${files}.pdf`;
  await ana.page.getByRole('button', { name: 'Add to the message' }).click();
  await ana.page.getByRole('button', { name: 'Add a photo or file' }).click();
  await ana.page.locator('input[type=file]').setInputFiles({ name, mimeType: 'application/pdf', buffer });
  await ana.page.getByText('Ready to send').waitFor();
  await ana.page.getByRole('button', { name: 'Send', exact: true }).click();
  await ben.page.getByRole('button', { name: new RegExp(`^PDF: \\W*paper ${files}\\.pdf`) }).click();
}
/** The colour that is drawn where the square is: in the middle of the page, a third from above. */
async function colour(): Promise<number[] | null> {
  if ((await canvas(ben.page).count()) === 0) return null;
  return canvas(ben.page).evaluate((element) => {
    const drawn = element as HTMLCanvasElement;
    const copy = document.createElement('canvas');
    copy.width = drawn.width;
    copy.height = drawn.height;
    const context = copy.getContext('2d');
    context?.drawImage(drawn, 0, 0);
    return [...(context?.getImageData(drawn.width / 2, Math.floor(drawn.height / 3), 1, 1).data ?? [])].slice(0, 3);
  });
}

test('a letter is read on the other phone, page by page', async () => {
  await opened(pdf({ pages: [square('1 0 0', 'Synthetic referral'), square('0 0 1', `Seen by ${CANARY}`), square('0 1 0', 'The end')] }));
  await sheet(ben.page).getByText('Page 1 of 3', { exact: true }).waitFor();
  await expect.poll(colour).toEqual(RED);
  await sheet(ben.page).getByText('Synthetic referral').waitFor({ state: 'attached' });
  expect(await sheet(ben.page).getByRole('button', { name: 'Previous page' }).isDisabled()).toBe(true);
  await sheet(ben.page).getByRole('button', { name: 'Next page' }).click();
  await sheet(ben.page).getByText('Page 2 of 3', { exact: true }).waitFor();
  await expect.poll(colour).toEqual([0, 0, 255]);
  await sheet(ben.page).getByText(CANARY).waitFor({ state: 'attached' });
  const wide = () => canvas(ben.page).evaluate((element) => element.getBoundingClientRect().width);
  const before = await wide();
  await sheet(ben.page).getByRole('button', { name: 'Larger' }).click();
  await expect.poll(wide).toBeCloseTo(before * 1.5, 0);
  await sheet(ben.page).getByRole('button', { name: 'Next page' }).click();
  await expect.poll(colour).toEqual([0, 255, 0]);
  expect(await sheet(ben.page).getByRole('button', { name: 'Next page' }).isDisabled()).toBe(true);
});

test('its readers can reach nobody, and end with it', async () => {
  const readers = ben.page.workers();
  expect(readers.map((worker) => new URL(worker.url()).pathname.replace(/-.*/, '')).sort()).toEqual(['/assets/pdf.renderer', '/assets/pdf.worker']);
  for (const worker of readers) {
    const there = await worker.evaluate(() => ['fetch', 'XMLHttpRequest', 'WebSocket', 'WebTransport', 'EventSource', 'Worker', 'indexedDB', 'caches'].filter((name) => (globalThis as Record<string, unknown>)[name] !== undefined));
    expect(there).toEqual([]);
  }
  await closes(ben.page);
  await expect.poll(() => ben.page.workers().length).toBe(0);
});

test('a page that a scanner made is shown, and said to have no words', async () => {
  await opened(scanned());
  await expect.poll(colour).toEqual([0, 0, 0]);
  await sheet(ben.page).getByText('This page is a picture').waitFor({ state: 'attached' });
  await closes(ben.page);
});

test('what is open when the app locks is gone, and on no disk', async () => {
  await ben.page.getByRole('button', { name: /^PDF: \W*paper 1/ }).click();
  await expect.poll(colour).toEqual(RED);
  await ben.page.clock.fastForward(60 * 60_000);
  await ben.page.getByRole('heading', { name: 'Locked' }).waitFor();
  expect(await ben.page.locator('canvas').count()).toBe(0);
  await expect.poll(() => ben.page.workers().length).toBe(0);
  const kept = await ben.page.evaluate(async () => {
    const paths: string[] = [];
    for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys()) paths.push(new URL(request.url).pathname);
    return paths;
  });
  expect(kept.filter((path) => path.startsWith('/assets/pdf.')).length, 'the reader is kept').toBe(3);
  expect(kept.filter((path) => !/^\/($|language$|assets\/|[\w.-]+\.(png|svg|js|webmanifest|html)$)/.test(path))).toEqual([]);
  const disk = readdirSync(ben.browser.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(disk.map((entry) => join(entry.parentPath, entry.name)).filter((path) => readFileSync(path).includes(CANARY))).toEqual([]);
  await ben.unlock();
  await ben.open('Ana Flores');
});

test.each(Object.keys(HOSTILE))('%s: nothing leaves, and nothing runs', async (what) => {
  const { file, shows } = HOSTILE[what] as (typeof HOSTILE)[string];
  asked.length = 0;
  await opened(file);
  if (shows === 'page') {
    await expect.poll(colour).toEqual(RED);
    // Touched where a link or a field would be.
    await canvas(ben.page).click();
    await ben.page.keyboard.press('a');
  } else if (shows === 'something') {
    await canvas(ben.page).waitFor();
  } else {
    await sheet(ben.page).getByRole('alert').getByText(shows).waitFor();
  }
  if (what === '100,000 pages') await sheet(ben.page).getByText('these are its first 500 pages').waitFor();
  await closes(ben.page);
  await expect.poll(() => ben.page.workers().length).toBe(0);
  expect(ben.browser.context.pages().length).toBe(1);
  expect(ben.browser.strangers).toEqual([]);
  expect(asked.filter((path) => !path.startsWith('/assets/pdf'))).toEqual([]);
});
