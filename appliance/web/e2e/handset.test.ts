/**
 * One phone, several people: what one of them wrote leaves as theirs while the next one has it, and the next one sees nothing of it.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { Cable } from './cable.ts';
import { PersonAtApp } from './person.ts';

const CUTS = Number(process.env['WARDLINE_CUTS'] ?? 50);
const SEED = Number(process.env['WARDLINE_SEED'] ?? 1);
const CANARY = 'kqzvwx-handset-7741';

describe.each(['WebTransport', 'WebSocket'] as const)('a phone that changes hands, over %s', (by) => {
  let box: Box;
  let cable: Cable;
  /** The phone, whoever has it: Ana first. */
  let phone: PersonAtApp;
  let ben: PersonAtApp;

  beforeAll(async () => {
    box = await Box.start();
    cable = await Cable.lay(box, { udp: by === 'WebTransport' });
    phone = await PersonAtApp.join(box, 'Ana', {}, cable);
    ben = await PersonAtApp.join(box, 'Ben');
    expect(await phone.doorway()).toBe(by);
    await phone.writeTo('Ben Okafor');
    await phone.say('hello');
    await ben.open('Ana Flores');
    await ben.sees('hello');
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail') return;
    await phone.picture(context.task.id);
    await ben.picture(context.task.id);
  });
  afterAll(async () => {
    await phone?.leaves();
    await ben?.leaves();
    cable?.remove();
    await box?.stop();
  });

  const waits = (n: number) => phone.page.getByText(`${n} of the last user waiting`);
  const switchTo = async (name: RegExp): Promise<void> => {
    await phone.page.getByRole('heading', { name: 'Switch user' }).waitFor();
    const theirs = phone.page.getByRole('button', { name });
    await theirs.click();
    // The page begins anew, and looks the same at first.
    await theirs.waitFor({ state: 'detached' });
    await phone.page.getByRole('heading', { name: 'Locked' }).waitFor();
  };
  /** Nobody's message that is not theirs is anywhere on the screen. */
  const showsNothing = async (...texts: string[]): Promise<void> => {
    const shown = await phone.page.locator('body').innerText();
    for (const text of texts) expect(shown).not.toContain(text);
  };

  test('somebody else joins on it, and sees nothing of who had it before', async () => {
    await phone.lock();
    await phone.page.getByRole('button', { name: 'Somebody else joins here' }).click();
    await phone.goOnInBrowser();
    await phone.redeem(box.code('Chidi'));
    await phone.seesInbox();
    await showsNothing('hello', 'Ben Okafor');
    expect(await phone.doorway()).toBe(by);
  });

  test('what was composed offline and locked away is delivered once, as its author’s, while the next one has the phone', async () => {
    await phone.lock();
    await switchTo(/Ana/);
    await phone.unlock();
    await phone.open('Ben Okafor');
    cable.cut();
    await phone.say(CANARY);
    await phone.page.getByText('Waiting to be sent').filter({ visible: true }).last().waitFor();
    await phone.lock();
    await phone.page.getByText('One message waits to be sent').filter({ visible: true }).waitFor();
    await switchTo(/Chidi/);
    await waits(1).waitFor();
    await showsNothing(CANARY, 'Ben Okafor', 'hello');
    cable.mend();
    await ben.sees(CANARY);
    expect(await ben.allTexts(CANARY)).toEqual([CANARY]);
    // As Ana's: in the conversation with her, which Ben has open.
    await waits(1).waitFor({ state: 'detached' });
    await phone.unlock();
    await phone.seesInbox();
    await showsNothing(CANARY, 'hello');
  });

  test('a STAT for whoever is not here shows nothing to whoever is', async () => {
    await ben.say('for Ana alone', 'STAT');
    await ben.page.getByText(/Nobody has answered yet|rings/i).filter({ visible: true }).first().waitFor();
    await phone.tab('People');
    await phone.tab('Inbox');
    await showsNothing('STAT', 'for Ana alone');
    await ben.page.getByRole('button', { name: 'Close', exact: true }).last().click();
  });

  test('a locked phone sends what was written before, without a PIN', async () => {
    await phone.writeTo('Ben Okafor');
    await phone.say('Chidi here');
    await ben.open('Chidi');
    await ben.sees('Chidi here');
    cable.cut();
    await phone.say('before the lock');
    await phone.page.getByText('Waiting to be sent').filter({ visible: true }).last().waitFor();
    await phone.lock();
    // The app is killed meanwhile: what it knew is gone.
    await phone.page.reload();
    await phone.page.getByText('One message waits to be sent').filter({ visible: true }).waitFor();
    cable.mend();
    await ben.sees('before the lock');
    expect(await ben.allTexts('before the lock')).toEqual(['before the lock']);
    expect(await phone.page.getByRole('heading', { name: 'Locked' }).isVisible()).toBe(true);
    await phone.unlock();
    await phone.open('Ben Okafor');
    await phone.sees('before the lock');
  });

  test(
    'with cuts at random moments while it changes hands, everything is said once, in order, as whoever wrote it',
    async () => {
      const chance = dice(SEED);
      const said: Record<'Ana' | 'Chidi', string[]> = { Ana: [], Chidi: [] };
      let who: 'Ana' | 'Chidi' = 'Chidi';
      for (let at = 0; at < Math.max(Math.round(CUTS / 10), 2); at += 1) {
        const text = (): string => `${who} ${String(said[who].length).padStart(3, '0')}`;
        if (chance() < 0.5) cable.cut();
        else cable.deaden();
        for (let more = 0; more < 2; more += 1) {
          said[who].push(text());
          await phone.say(said[who].at(-1) ?? '');
        }
        await phone.page.getByText('Waiting to be sent').filter({ visible: true }).last().waitFor();
        await phone.lock();
        const next: 'Ana' | 'Chidi' = who === 'Ana' ? 'Chidi' : 'Ana';
        await switchTo(new RegExp(next));
        who = next;
        cable.mend();
        // Cut once more while what waits is on its way, at any byte.
        const cut = cable.cutAfter(Math.floor(chance() * 4_000));
        await Promise.race([cut, waits(2).waitFor({ state: 'detached' })]);
        cable.mend();
        await phone.page.getByLabel('PIN', { exact: true }).waitFor();
        await unlocked();
        await phone.open('Ben Okafor');
      }
      for (const name of ['Ana', 'Chidi'] as const) {
        await ben.open(name === 'Ana' ? 'Ana Flores' : 'Chidi');
        const last = said[name].at(-1);
        if (last !== undefined) await ben.sees(last);
        expect(await ben.allTexts(`${name} \\d{3}$`)).toEqual(said[name]);
      }
    },
    300_000,
  );

  /** A cut may have taken the answer to the PIN with it: then it is typed again. */
  async function unlocked(): Promise<void> {
    const inbox = phone.page.getByRole('heading', { name: 'Inbox' });
    for (;;) {
      await phone.page.getByText('Not connected').filter({ visible: true }).waitFor({ state: 'detached' });
      if (await inbox.isVisible()) return;
      await phone.unlock();
      await inbox.or(phone.page.getByRole('alert')).first().waitFor();
      if (await inbox.isVisible()) return;
    }
  }

  test('whoever leaves it is off it', async () => {
    await phone.tab('More');
    await phone.page.getByRole('button', { name: 'Leave this handset' }).click();
    await phone.page.getByRole('dialog').getByRole('button', { name: 'Leave', exact: true }).click();
    await phone.page.getByRole('heading', { name: 'Locked' }).waitFor();
    await phone.page.getByRole('button', { name: 'Somebody else joins here' }).waitFor();
    expect(await phone.page.getByRole('heading', { name: 'Switch user' }).count()).toBe(0);
  });
});

test('what is written on a shared phone is nowhere readable in its profile', async () => {
  const box = await Box.start();
  const cable = await Cable.lay(box);
  const phone = await PersonAtApp.join(box, 'Ana', {}, cable);
  await phone.writeTo('Ben Okafor');
  cable.cut();
  await phone.say(CANARY);
  await phone.page.getByText('Waiting to be sent').filter({ visible: true }).last().waitFor();
  await phone.lock();
  await phone.page.getByRole('button', { name: 'Somebody else joins here' }).click();
  await phone.page.getByText('1 of the last user waiting').waitFor();
  const home = await phone.browser.quit();
  expect(filesWith(home, [CANARY, 'Ben Okafor', 'Ana Flores'])).toEqual([]);
  // The search finds what is there.
  expect(filesWith(home, ['Ana F.']).length).toBeGreaterThan(0);
  cable.remove();
  await box.stop();
});

test('a phone that rang for whoever left it rings for them no more', async () => {
  const box = await Box.start();
  const phone = await PersonAtApp.join(box, 'Ana');
  await phone.lock();
  await phone.page.getByRole('button', { name: 'Somebody else joins here' }).click();
  await phone.goOnInBrowser();
  await phone.redeem(box.code('Ben'));
  await phone.seesInbox();
  // As it is where Ben has switched the bell on: there is no push service to subscribe at in a test.
  await phone.page.evaluate(async () => {
    const opened = (name: string) => new Promise<IDBDatabase>((done) => (indexedDB.open(name).onsuccess = (event) => done((event.target as IDBOpenDBRequest).result)));
    const store = (await opened('wardline.1')).transaction('device').objectStore('device');
    const { person } = await new Promise<{ person: string }>((done) => (store.get('identity').onsuccess = (event) => done((event.target as IDBRequest<{ person: string }>).result)));
    localStorage.setItem('wardline.bell', person);
    const unsubscribe = () => Promise.resolve(localStorage.setItem('ended', 'yes')).then(() => true);
    PushManager.prototype.getSubscription = () => Promise.resolve({ unsubscribe } as PushSubscription);
  });
  await phone.tab('More');
  await phone.page.getByRole('button', { name: 'Leave this handset' }).click();
  await phone.page.getByRole('dialog').getByRole('button', { name: 'Leave', exact: true }).click();
  await phone.page.getByRole('heading', { name: 'Locked' }).waitFor();
  expect(await phone.page.evaluate(() => ({ bell: localStorage.getItem('wardline.bell'), ended: localStorage.getItem('ended') }))).toEqual({ bell: null, ended: 'yes' });
  await phone.leaves();
  await box.stop();
});

/** Files below this folder that hold one of these, as UTF-8 or UTF-16. */
function filesWith(folder: string, texts: readonly string[]): string[] {
  const needles = texts.flatMap((text) => [Buffer.from(text), Buffer.from(text, 'utf16le')]);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(folder, name);
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
    const bytes = readFileSync(path);
    return needles.some((needle) => bytes.includes(needle));
  });
}

/** mulberry32: one seed is one history. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
