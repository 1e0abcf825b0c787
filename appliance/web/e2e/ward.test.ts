/** A shift on a ward, in real browsers: beds, a patient's thread, a task, a search, and not to be disturbed. */

import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

describe('two nurses of Hall A', () => {
  let box: Box;
  let chidi: PersonAtApp;
  let emil: PersonAtApp;

  beforeAll(async () => {
    box = await Box.start();
    for (const [record, bed, name] of [
      ['101', '1', 'Noor Haddad'],
      ['102', '2', 'Pavel Ruzicka'],
    ] as const) {
      box.patient('admit', record, 'Hall A', bed, '--name', name, '--born', '1950-01-01', '--sex', 'F');
    }
    chidi = await PersonAtApp.join(box, 'Chidi');
    emil = await PersonAtApp.join(box, 'Emil');
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail') return;
    await chidi.picture(context.task.id);
    await emil.picture(context.task.id);
  });
  afterAll(async () => {
    await chidi?.leaves();
    await emil?.leaves();
    await box?.stop();
  });

  async function takeBed(who: PersonAtApp, beds: string): Promise<void> {
    await who.tab('Patients');
    await who.page.getByRole('button', { name: 'Take beds' }).click();
    await who.page.getByLabel('Or type beds and ranges').fill(beds);
    await who.page.getByRole('button', { name: 'Take them' }).click();
    await who.page.getByRole('heading', { name: 'My beds' }).waitFor();
  }

  test('takes beds, and has their patients', async () => {
    await takeBed(chidi, '1-2');
    await chidi.tab('Inbox');
    await chidi.page.getByText('Noor Haddad').filter({ visible: true }).first().waitFor();
    await chidi.page.getByText('My patients').filter({ visible: true }).first().waitFor();
  });

  test('writes in the thread, and who comes later reads it', async () => {
    await chidi.open('Noor Haddad');
    await chidi.say('slept well, took her medicine at six');
    await takeBed(emil, '1');
    await emil.open('Noor Haddad');
    await emil.sees('slept well, took her medicine at six');
  });

  test('who does not care for a patient has no thread of theirs', async () => {
    await emil.tab('Inbox');
    expect(await emil.page.getByText('Pavel Ruzicka').filter({ visible: true }).count()).toBe(0);
  });

  test('finds a message again by its words', async () => {
    await emil.tab('Inbox');
    await emil.page.getByRole('button', { name: 'Search', exact: true }).click();
    await emil.page.getByLabel('Messages, people, patients').fill('medicine');
    await emil.page.getByRole('button', { name: 'Search for it' }).click();
    await emil.page.getByRole('region', { name: 'Messages found' }).getByText('medicine').first().click();
    await emil.sees('slept well, took her medicine at six');
    expect(emil.page.url()).not.toContain('medicine');
  });

  test('a task is given, taken, given on and done at its message', async () => {
    await emil.open('Noor Haddad');
    await chidi.tab('Inbox');
    await chidi.open('Noor Haddad');
    await chidi.say('she wants her glasses from the day room');
    await emil.sees('she wants her glasses from the day room');
    await chidi.act('your message', 'Make a task of it');
    await chidi.page.getByLabel('For whom').selectOption({ label: await optionOf('Emil') });
    await chidi.page.getByRole('button', { name: 'Give the task' }).click();
    const [his, hers] = [emil, chidi].map((who) => who.page.getByRole('group', { name: 'Task', exact: true })) as [Locator, Locator];
    await his.getByText('From').waitFor();
    await his.getByRole('button', { name: 'I take it' }).click();
    await hers.getByText(/Emil Sand.* has taken it/).waitFor();
    await his.getByRole('button', { name: 'Give it on' }).click();
    await emil.page.getByRole('button', { name: 'Give it to them' }).click();
    await emil.sees('Choose somebody.');
    await emil.page.getByRole('dialog').getByRole('button', { name: /^Chidi Eze/ }).click();
    await emil.page.getByRole('button', { name: 'Give it to them' }).click();
    await his.waitFor({ state: 'detached' });
    await hers.getByRole('button', { name: 'I take it' }).click();
    await hers.getByText('You have taken it').waitFor();
    await chidi.tab('Inbox');
    await chidi.page.getByRole('button', { name: /^Tasks/ }).click();
    await chidi.sees('she wants her glasses from the day room');
    await chidi.page.getByRole('button', { name: 'Open the message' }).click();
    await hers.getByRole('button', { name: 'Done', exact: true }).click();
    await hers.waitFor({ state: 'detached' });
  });

  /** As the list of people calls somebody. */
  async function optionOf(name: string): Promise<string> {
    const option = chidi.page.getByLabel('For whom').getByRole('option', { name: new RegExp(name) });
    return (await option.first().textContent()) ?? '';
  }

  test('does not want to be disturbed', async () => {
    await emil.tab('More');
    await emil.page.getByRole('button', { name: 'Start', exact: true }).click();
    await emil.page.getByRole('dialog').getByRole('button', { name: 'Start' }).click();
    await emil.page.getByRole('button', { name: 'May be disturbed again' }).waitFor();
  });

  test('says when messages make no sound every week, and where he is called off site', async () => {
    const opens = async () => {
      await emil.page.getByRole('button', { name: 'Quiet hours and number' }).click();
      return emil.page.getByRole('dialog');
    };
    const sheet = await opens();
    await sheet.getByText('None are set.').waitFor();
    for (const day of ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday']) await sheet.getByLabel(day).click();
    await sheet.getByRole('button', { name: 'Add these hours' }).click();
    await sheet.getByText('Sat and Sun, 22:00 to 6:00').waitFor();
    await sheet.getByRole('button', { name: 'Add these hours' }).click();
    await sheet.getByText('These hours are set already.').waitFor();
    await sheet.getByLabel('To', { exact: true }).fill('07:30');
    await sheet.getByRole('button', { name: 'Add these hours' }).click();
    await sheet.getByRole('button', { name: 'Remove Sat and Sun, 22:00 to 6:00' }).click();
    await sheet.getByRole('button', { name: 'Remove Sat and Sun, 22:00 to 6:00' }).waitFor({ state: 'detached' });
    await sheet.getByLabel('Number off site').fill('+49 171 5550123');
    await sheet.getByRole('button', { name: 'Save the number' }).click();
    await sheet.getByText('Saved.').waitFor();
    await sheet.getByRole('button', { name: 'Close' }).click();
    // It is the box that says so.
    await emil.page.reload();
    await emil.tab('More');
    const again = await opens();
    await again.getByText('Sat and Sun, 22:00 to 7:30').waitFor();
    expect(await again.getByRole('listitem').count()).toBe(1);
    expect(await again.getByLabel('Number off site').inputValue()).toBe('+49 171 5550123');
  });
});
