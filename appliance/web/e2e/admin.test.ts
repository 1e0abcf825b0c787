/** An administrator at a desk computer, in a real browser against a real box: invites, and brings a staff list in. */

import { readFile } from 'node:fs/promises';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp, PIN } from './person.ts';

/** Administrators of the demo facility. */
const DESK = { width: 1440, height: 900 };

describe('Jonas, who administers', () => {
  let box: Box;
  let jonas: PersonAtApp;

  beforeAll(async () => {
    box = await Box.start();
    jonas = await PersonAtApp.join(box, 'Jonas', DESK);
  });
  afterEach(async (context) => {
    if (context.task.result?.state === 'fail') await jonas.picture(context.task.id);
  });
  afterAll(async () => {
    await jonas?.leaves();
    await box?.stop();
  });

  /** The menu of administration, then one of its pages. */
  async function opens(page: string): Promise<void> {
    const back = jonas.page.getByRole('button', { name: 'Back', exact: true }).filter({ visible: true });
    while ((await back.count()) > 0) await back.last().click();
    await jonas.tab('More');
    await jonas.page.getByRole('button', { name: 'Administration', exact: true }).click();
    await jonas.page.getByRole('navigation', { name: 'Pages of administration' }).getByRole('button', { name: new RegExp(`^${page}`) }).click();
    await jonas.page.getByRole('heading', { name: page, exact: true }).waitFor();
  }
  const does = (name: string | RegExp) => jonas.page.getByRole('button', { name, exact: typeof name === 'string' }).click();

  test('adds somebody, and the code that is shown lets them in', async () => {
    await opens('People');
    await does('Add somebody');
    await jonas.page.getByLabel('Name', { exact: true }).fill('Noor Haddad');
    await jonas.page.getByLabel('Title', { exact: true }).fill('RN');
    await jonas.page.getByLabel('Unit', { exact: true }).selectOption({ label: '\u2068Hall A\u2069' });
    await does('Add');
    await jonas.page.getByRole('heading', { name: 'Noor Haddad' }).waitFor();
    await does('Give a join code');
    const code = (await jonas.page.getByRole('dialog').locator('[translate=no]').innerText()).replace(/\s/g, '');
    expect(code).toHaveLength(10);
    await does('Done');
    const noor = await PersonAtApp.arrive(box, 'Noor');
    await noor.goOnInBrowser();
    await noor.redeem(code, PIN);
    await noor.seesInbox();
    await noor.leaves();
  });

  test('brings a staff list in: sees what it would change, which rows cannot be, and applies it once', async () => {
    await opens('People');
    await does('Staff list from a file');
    const list = 'Name,Title,Units,Charge nurse\nZoe Park,RN,"Hall A; Hall B",Hall B\nNoor Haddad,,Hall A,\nPat Moss,,Hall Q,\n';
    const choose = () => jonas.page.locator('input[type=file]').setInputFiles({ name: 'staff.csv', mimeType: 'text/csv', buffer: Buffer.from(list) });
    await choose();
    await jonas.page.getByText('1 person is added.').waitFor();
    await jonas.page.getByText('1 row cannot be applied').waitFor();
    await does('Apply 1 change');
    await jonas.page.getByText('1 change was applied.').waitFor();
    await jonas.page.getByText('Nothing: everything in the file is so already.').waitFor();
    await choose();
    await jonas.page.getByText('2 rows are so already.').waitFor();
    expect(JSON.stringify(await jonas.page.evaluate(() => ({ ...localStorage })))).not.toContain('Zoe');
  });

  test('suspends somebody, sees what they leave behind, and lets them in again', async () => {
    await opens('People');
    await jonas.page.getByLabel('Search people, titles and units').fill('Chidi');
    await does(/^Chidi Eze/);
    await does('Suspend');
    await jonas.page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    await jonas.page.getByText('They leave nothing behind.').waitFor();
    await does('Let in again');
    await jonas.reads('Chidi Eze may sign in again');
  });

  test('adds a unit and a role, whose rota is read as it is typed, and lets a STAT ring for it', async () => {
    await opens('Units and stations');
    await does('Add a unit');
    await jonas.page.getByLabel('Name of the unit').fill('Hall C');
    await jonas.page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await jonas.reads('Hall C was added');
    await opens('Roles and rotas');
    await does('Add a role');
    await jonas.page.getByLabel('Name of the role').fill('Physician on call');
    await jonas.page.getByLabel('Unit', { exact: true }).selectOption({ label: '\u2068Hall A\u2069' });
    await jonas.page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await jonas.page.getByLabel('Rota', { exact: true }).fill('zone Europe/Berlin\ndaily 07:00-07:00 Nobody Known');
    await jonas.reads('is nobody in the directory');
    await jonas.page.getByLabel('Rota', { exact: true }).fill('zone Europe/Berlin\ndaily 07:00-07:00 Ben');
    await does('Set this rota');
    await jonas.page.getByText('The rota holds from now on.').waitFor();
    await opens('Escalation');
    await jonas.page.getByLabel('Whose?').selectOption({ label: '\u2068Hall A\u2069' });
    await does('Add a step');
    await jonas.page.getByLabel('Rings for').last().selectOption({ label: 'Whoever holds a role' });
    await jonas.page.getByLabel('Which role').selectOption({ label: '\u2068Physician on call\u2069' });
    await jonas.reads('now: Ben Okafor');
    await does('Set these steps');
    await jonas.page.getByText('STATs that are open go on as they began').waitFor();
    await jonas.page.getByText('It has steps of its own.').waitFor();
  });
});

test('an administrator sees how the box is', async () => {
  const box = await Box.start();
  const jonas = await PersonAtApp.join(box, 'Jonas', DESK);
  await jonas.tab('More');
  await jonas.page.getByRole('button', { name: 'Administration', exact: true }).click();
  await jonas.page.getByRole('button', { name: /^Box health/ }).click();
  await jonas.page.getByText('The keeper answers: it has opened the keys for this boot of this box.').waitFor();
  await jonas.page.getByText('It is renewed every day by itself.').waitFor();
  await jonas.page.getByText('It agrees with this device’s.').waitFor();
  await jonas.page.getByText('It was not set since the start.').waitFor();
  await jonas.page.getByText(/free of/).waitFor();
  expect(await jonas.page.getByText('The box does not know when it ends.').count()).toBe(0);
  await jonas.leaves();
  await box.stop();
});

test('a privacy officer reads who did what, narrows it down, and saves it as a file', async () => {
  const box = await Box.start();
  box.patient('admit', 'R1', 'Hall A', '1', '--name', 'Rosa Delgado', '--born', '1950-01-01', '--sex', 'F');
  const ana = await PersonAtApp.join(box, 'Ana', DESK);
  await ana.leaves();
  const luis = await PersonAtApp.join(box, 'Luis', DESK);
  const { page } = luis;
  await luis.tab('More');
  await page.getByRole('button', { name: 'Privacy officer', exact: true }).click();
  await page.getByRole('radio', { name: 'Audit log' }).check();
  await luis.reads('Luis Ortega signed in');
  await luis.reads('A service of the box admitted Rosa Delgado to Hall A');
  await page.getByLabel('Person', { exact: true }).selectOption({ label: '\u2068Ana Flores\u2069' });
  await page.getByRole('button', { name: 'Look', exact: true }).click();
  await luis.reads('Ana Flores signed in');
  await page.getByText('That is all there is.').waitFor();
  expect(await page.getByText(/admitted/).count()).toBe(0);
  await page.getByLabel('Person', { exact: true }).selectOption({ label: 'Anybody' });
  await page.getByLabel('Patient’s record number').fill('R1');
  await page.getByRole('button', { name: 'Look', exact: true }).click();
  await luis.reads('A service of the box admitted Rosa Delgado to Hall A');
  expect(await page.getByText(/signed in/).count()).toBe(0);
  // Each look is on record itself, and says about whom.
  await page.getByLabel('Patient’s record number').fill('');
  await page.getByLabel('Kind of act').selectOption({ label: 'Reading, searching, printing' });
  await page.getByRole('button', { name: 'Look', exact: true }).click();
  await luis.reads('Luis Ortega read this log; person: anybody; patient: Rosa Delgado');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save what fits as a file' }).click();
  const text = await readFile(await (await download).path(), 'utf8');
  expect(text.split('\r\n')[0]).toBe('\ufeffEntry,Time (UTC),Who,Kind,What,Device');
  expect(text).toContain('patient: Rosa Delgado');
  await luis.leaves();
  await box.stop();
});

test('a privacy officer places a hold and lifts it', async () => {
  const box = await Box.start();
  const luis = await PersonAtApp.join(box, 'Luis', DESK);
  const does = (name: string) => luis.page.getByRole('button', { name, exact: true }).click();
  await luis.tab('More');
  await does('Privacy officer');
  await luis.page.getByText('Nothing waits for your review.').waitFor();
  await luis.page.getByRole('radio', { name: 'Legal holds' }).check();
  await does('Place a hold');
  await luis.page.getByRole('radio', { name: 'A person’s conversations' }).check();
  await luis.page.getByLabel('Person', { exact: true }).selectOption({ label: '\u2068Ben Okafor\u2069' });
  await luis.page.getByLabel('What the hold is for').fill('Diaz v. Mercy, 26-1180');
  await does('Place it');
  await luis.reads('Placed. It keeps');
  await luis.page.getByRole('button', { name: /^Lift/ }).click();
  await luis.page.getByLabel('Why', { exact: true }).fill('Settled out of court');
  await luis.page.getByRole('dialog').getByRole('button', { name: 'Lift' }).click();
  await luis.page.getByText('No hold is placed.').waitFor();
  await luis.leaves();
  await box.stop();
});
