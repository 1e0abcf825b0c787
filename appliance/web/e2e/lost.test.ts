/** A phone that is lost: what is on its disk, and what it shows, without the box. */

import { cpSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { Box } from './box.ts';
import { Browser } from './browser.ts';
import { Cable } from './cable.ts';
import { PersonAtApp } from './person.ts';

/** No word of any language, and nothing that compresses away. */
const CANARIES = { received: 'kqzvwx-received-7731', sent: 'kqzvwx-sent-7732', waiting: 'kqzvwx-waiting-7733', draft: 'kqzvwx-draft-7734' };

test('without the box a copied profile has nothing to read, and the app shows a locked screen', async () => {
  const box = await Box.start();
  const cable = await Cable.lay(box);
  const ana = await PersonAtApp.join(box, 'Ana', {}, cable);
  const ben = await PersonAtApp.join(box, 'Ben');
  await ben.writeTo('Ana Flores');
  await ben.say(CANARIES.received);
  await ana.open('Ben Okafor');
  await ana.sees(CANARIES.received);
  await ana.say(CANARIES.sent);
  await ben.sees(CANARIES.sent);
  cable.cut();
  await ana.say(CANARIES.waiting);
  await ana.page.getByLabel('Message', { exact: true }).fill(CANARIES.draft);
  await ana.page.getByText('Waiting to be sent').filter({ visible: true }).last().waitFor();
  await expect.poll(() => ana.page.evaluate(draftsAreKept)).toBe(true);

  const home = await ana.browser.quit();
  const found = filesWith(home, [...Object.values(CANARIES), 'Ben Okafor']);
  expect(found).toEqual([]);

  // The thief opens it, far from the box.
  const thief = await Browser.open(cable, {}, home);
  await thief.page.goto(`${cable.address}/`);
  await thief.page.getByRole('heading', { name: 'Locked' }).waitFor();
  const shown = await thief.page.locator('body').innerText();
  for (const canary of [...Object.values(CANARIES), 'Ben']) expect(shown).not.toContain(canary);

  // Its owner finds it again: what waited leaves.
  cable.mend();
  await thief.page.getByLabel('PIN', { exact: true }).fill('739154');
  await thief.page.getByRole('button', { name: 'Open', exact: true }).click();
  await ben.sees(CANARIES.waiting);

  // And what she had not finished is in the field again.
  await thief.page.getByText('Not finished').waitFor();
  await thief.page.getByRole('button', { name: /Ben Okafor/ }).first().click();
  expect(await thief.page.getByLabel('Message', { exact: true }).inputValue()).toBe(CANARIES.draft);
  await thief.close();
  await ben.leaves();
  cable.remove();
  await box.stop();
});

test('a copied profile that is used beside the original is noticed, and neither is let in any more', async () => {
  const box = await Box.start();
  const ana = await PersonAtApp.join(box, 'Ana');
  const home = await ana.browser.quit();
  const tablet = await PersonAtApp.join(box, 'Ana');
  const jonas = await PersonAtApp.join(box, 'Jonas');
  const copied = mkdtempSync(join(tmpdir(), 'wardline-copy-'));
  cpSync(home, copied, { recursive: true });

  const owner = await Browser.open(box, {}, home);
  await owner.page.goto(`${box.address}/`);
  await owner.page.getByRole('heading', { name: 'Inbox' }).waitFor();

  const thief = await Browser.open(box, {}, copied);
  await thief.page.goto(`${box.address}/`);
  await thief.page.getByText('Somebody used a copy of this device').filter({ visible: true }).first().waitFor();
  expect(await thief.page.getByRole('heading', { name: 'Inbox' }).count()).toBe(0);
  await thief.close();

  // Whoever can do something is told, with what to do.
  await tablet.page.getByText(/Somebody else used a copy of your device/).waitFor();
  await jonas.page.getByText(/Somebody used a copy of a device of .*Ana Flores/).waitFor();
  await jonas.page.getByText(/Ask them face to face who had the device/).waitFor();
  await jonas.page.getByRole('button', { name: 'I have seen it' }).click();
  await jonas.page.getByText(/Somebody used a copy/).waitFor({ state: 'detached' });

  // Who of the two is its owner the box cannot know.
  await owner.page.getByRole('heading', { name: 'Inbox' }).waitFor({ state: 'detached' });
  await owner.page.reload();
  await owner.page.getByText('The box does not know this device any more').or(owner.page.getByText('Somebody used a copy')).filter({ visible: true }).first().waitFor();
  await owner.close();
  await tablet.leaves();
  await jonas.leaves();
  await box.stop();
});

/** Files below this folder that hold one of these, as UTF-8 or UTF-16. */
function filesWith(folder: string, texts: readonly string[]): string[] {
  const needles = texts.flatMap((text) => [Buffer.from(text), Buffer.from(text, 'utf16le')]);
  const found: string[] = [];
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    const entry = statSync(path, { throwIfNoEntry: false });
    if (entry?.isFile() !== true) continue;
    const bytes = readFileSync(path);
    if (needles.some((needle) => bytes.includes(needle))) found.push(name);
  }
  return found;
}

/** In the page: whether something is on the disk of what was begun. */
async function draftsAreKept(): Promise<boolean> {
  const answer = <T>(request: IDBRequest<T>) => new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error('the database'));
  });
  const database = await answer(indexedDB.open('wardline'));
  const drafts: unknown = await answer(database.transaction('device').objectStore('device').get('drafts'));
  database.close();
  return drafts !== undefined;
}
