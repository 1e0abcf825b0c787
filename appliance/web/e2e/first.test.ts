/**
 * A box out of its carton, and the one who sets it up at a desk in a browser: from nobody in the directory to a ward whose nurse writes. Small
 * is what a small house is shown.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

const DESK = { width: 1440, height: 900 };
/** What the design allows a small house. */
const TABS_MAX = 5;
const ADMIN_PAGES_MAX = 8;

describe('an empty box', () => {
  let box: Box;
  let rosa: PersonAtApp;
  let mira: PersonAtApp;
  let code = '';

  beforeAll(async () => {
    box = await Box.empty();
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail') return;
    for (const one of [rosa, mira]) await one?.picture(context.task.id);
  });
  afterAll(async () => {
    for (const one of [rosa, mira]) await one?.leaves();
    await box?.stop();
  });

  const does = (name: string | RegExp) => rosa.page.getByRole('button', { name, exact: typeof name === 'string' }).click();
  const inDialog = (name: string) => rosa.page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
  /** A step of the page "First steps", which says of it whether it is done. */
  const step = (name: string) => rosa.page.getByRole('listitem').filter({ has: rosa.page.getByRole('heading', { name: new RegExp(`. ${name}`) }) });
  async function takes(name: string): Promise<void> {
    await step(name).getByText(/^(to do|the standard holds)$/).waitFor();
    await does(`Open: ${name}`);
  }
  /** Back among the steps, where this one is done now. */
  async function isDone(name: string): Promise<void> {
    const heading = rosa.page.getByRole('heading', { name: 'First steps', exact: true });
    const back = rosa.page.getByRole('button', { name: 'Back', exact: true }).filter({ visible: true });
    // The page with the steps is fetched before it is there, and has a way back of its own.
    for (;;) {
      await back.last().waitFor();
      if (await heading.isVisible()) break;
      const was = await rosa.page.getByRole('heading', { level: 1 }).last().innerText();
      await back.last().click();
      await rosa.page.getByRole('heading', { level: 1, name: was, exact: true }).waitFor({ state: 'detached' });
    }
    await step(name).getByText('done').waitFor();
  }
  async function readsCode(): Promise<string> {
    const read = (await rosa.page.getByRole('dialog').locator('[translate=no]').innerText()).replace(/\s/g, '');
    await does('Done');
    expect(read).toHaveLength(10);
    return read;
  }

  test('lets the first administrator in by a code that the box prints, and shows the first steps', async () => {
    box.admin('add-person', 'Rosa Lind', '--title', 'Facility manager', '--administrator');
    rosa = await PersonAtApp.join(box, 'Rosa', DESK);
    await rosa.sees('This box is empty: nobody but you is in it, and nobody can be written to. Begin under Administration.');
    await does('Administration');
    await rosa.page.getByRole('heading', { name: 'First steps', exact: true }).waitFor();
    await rosa.page.getByRole('radio', { name: 'Small' }).check();
    await step('Say how a STAT goes on').getByText('the standard holds').waitFor();
    expect(await rosa.page.getByText('to do', { exact: true }).count()).toBe(5);
  });

  test('has, as a small house, no more pages and tabs than one keeps in mind', async () => {
    await does('Back');
    const menu = rosa.page.getByRole('navigation', { name: 'Pages of administration' });
    const pages = await menu.getByRole('button').count();
    expect(pages).toBeGreaterThan(0);
    expect(pages).toBeLessThanOrEqual(ADMIN_PAGES_MAX);
    expect(await rosa.page.getByRole('navigation').first().getByRole('button').count()).toBeLessThanOrEqual(TABS_MAX);
    await menu.getByRole('button', { name: /^First steps/ }).click();
  });

  test('gets its first unit', async () => {
    await takes('Name the first unit');
    await does('Add a unit');
    await rosa.page.getByLabel('Name of the unit').fill('Garden wing');
    await inDialog('Add');
    await rosa.reads('Garden wing was added');
    await isDone('Name the first unit');
  });

  test('gets its people from a file, after a look at what that would change', async () => {
    await takes('Add people');
    await does('Staff list from a file');
    const list = 'Full name;Profession;Ward;Charge nurse\nMira Sol;RN;Garden wing;yes\nTom Adler;CNA;Garden wing;\n';
    await rosa.page.locator('input[type=file]').setInputFiles({ name: 'staff.csv', mimeType: 'text/csv', buffer: Buffer.from(list) });
    await rosa.page.getByText('2 people are added.').waitFor();
    await rosa.reads('Add Mira Sol');
    await rosa.page.getByText(/leads .*Garden wing/).waitFor();
    await does('Apply 2 changes');
    await rosa.page.getByText('2 changes were applied.').waitFor();
    await does('Back');
    await does(/^Mira Sol/);
    await does('Give a join code');
    code = await readsCode();
    await isDone('Add people');
  });

  test('gets a role with its rota, a screen at the desk, and the way of a STAT', async () => {
    await takes('Add a role');
    await does('Add a role');
    await rosa.page.getByLabel('Name of the role').fill('Nurse on call');
    await inDialog('Add');
    await rosa.page.getByLabel('Rota', { exact: true }).fill('zone Europe/Berlin\ndaily 07:00-07:00 Tom Adler');
    await does('Set this rota');
    await rosa.page.getByText('The rota holds from now on.').waitFor();
    await isDone('Add a role');

    await takes('Add a station screen');
    await does('Add a station screen');
    await rosa.page.getByLabel('Name of the screen').fill('Desk, Garden wing');
    await inDialog('Add');
    await rosa.page.getByText('The screen was added.').waitFor();
    await does(/^Give its join code/);
    const screen = await PersonAtApp.arrive(box, 'Screen', DESK);
    await screen.goOnInBrowser();
    await screen.redeem(await readsCode());
    await screen.page.getByText('Desk, Garden wing').first().waitFor();
    await screen.leaves();
    await isDone('Add a station screen');

    await takes('Say how a STAT goes on');
    await does('Add a step');
    await rosa.page.getByLabel('Rings for').last().selectOption({ label: 'Whoever holds a role' });
    await rosa.page.getByLabel('Which role').selectOption({ label: '\u2068Nurse on call\u2069' });
    await rosa.reads('now: Tom Adler');
    await does('Set these steps');
    await rosa.page.getByText('STATs that are open go on as they began').waitFor();
    await isDone('Say how a STAT goes on');

    await takes('Say who is on call for IT');
    await does('Choose who is told');
    const sheet = rosa.page.getByRole('dialog');
    const nurse = await sheet.locator('option').filter({ hasText: 'Nurse on call' }).getAttribute('value');
    await sheet.getByLabel('Who is told', { exact: true }).selectOption(nurse);
    await does('Tell them from now on');
    await rosa.reads('Now: Tom Adler');
    await isDone('Say who is on call for IT');
    await rosa.page.getByText('All of it is done. Your facility can work.').waitFor();
  });

  test('works: the nurse who was invited joins, and writes to whoever set it up', async () => {
    mira = await PersonAtApp.arrive(box, 'Mira');
    await mira.goOnInBrowser();
    await mira.redeem(code);
    await mira.seesInbox();
    await mira.writeTo('Rosa Lind');
    await mira.say('I am in. Thank you!');
    await rosa.open('Mira Sol');
    await rosa.sees('I am in. Thank you!');
  });
});
