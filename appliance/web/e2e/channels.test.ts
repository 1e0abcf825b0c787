/** The administrator's page of channels, against a real box: opened for a unit, found by whoever works there, renamed, archived; and never read. */

import { expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

const DESK = { width: 1440, height: 900 };

test('Jonas, who works in no unit, opens a channel for one, renames and archives it, and sees no word of what is written there', async () => {
  const box = await Box.start();
  const jonas = await PersonAtApp.join(box, 'Jonas', DESK);
  const ana = await PersonAtApp.join(box, 'Ana');
  const does = (who: PersonAtApp, name: string | RegExp) => who.page.getByRole('button', { name, exact: typeof name === 'string' }).click();

  await jonas.tab('More');
  await does(jonas, 'Administration');
  await jonas.page.getByRole('navigation', { name: 'Pages of administration' }).getByRole('button', { name: /^Channels/ }).click();
  await jonas.page.getByText('There is no channel yet.').waitFor();
  await does(jonas, 'Open a channel');
  const sheet = jonas.page.getByRole('dialog');
  await sheet.getByLabel('Unit', { exact: true }).selectOption({ label: '\u2068Hall A\u2069' });
  await sheet.getByRole('button', { name: 'Open it' }).click();
  await sheet.getByText('Type a name of at most 80 characters.').waitFor();
  await sheet.getByLabel('Name of the channel').fill('Night shift');
  await sheet.getByRole('button', { name: 'Open it' }).click();
  await jonas.page.getByText('is open for whoever works there').waitFor();
  await jonas.page.getByText('0 people are in it').waitFor();

  // It is the unit's: whoever works there finds it, and may do with it what an owner may.
  await ana.tab('People');
  await does(ana, /^Channels/);
  await does(ana, /^Join .*Night shift/);
  await ana.say('Linen is on its way');
  await ana.sees('Linen is on its way');

  await jonas.page.getByLabel('Of which unit?').selectOption({ label: '\u2068Hall B\u2069' });
  await jonas.page.getByText('This unit has no channel yet.').waitFor();
  await jonas.page.getByLabel('Of which unit?').selectOption({ label: '\u2068Hall A\u2069' });
  await jonas.page.getByText('1 person is in it').waitFor();
  await does(jonas, /^Manage .*Night shift/);
  await sheet.getByLabel('Name of the channel').fill('Nights in Hall A');
  await sheet.getByRole('button', { name: 'Rename', exact: true }).click();
  await jonas.page.getByText('It is called').waitFor();
  await ana.page.getByRole('heading', { name: 'Nights in Hall A' }).waitFor();
  await does(jonas, /^Manage .*Nights in Hall A/);
  await sheet.getByRole('button', { name: 'Archive', exact: true }).click();
  await jonas.page.getByText('is archived.').waitFor();
  await jonas.page.getByText(/1 person is in it · archived/).waitFor();
  await ana.sees('This conversation takes no new messages.');
  await does(jonas, /^Manage .*Nights in Hall A/);
  await sheet.getByRole('button', { name: 'Open again' }).click();
  await jonas.page.getByText('takes messages again.').waitFor();

  // Neither on the page nor anywhere else in the app of whoever administers.
  await jonas.tab('Inbox');
  await jonas.page.getByRole('heading', { name: 'Inbox' }).first().waitFor();
  expect(await jonas.page.getByText('Nights in Hall A').filter({ visible: true }).count()).toBe(0);
  expect(await jonas.page.getByText('Linen is on its way').count()).toBe(0);
  await ana.leaves();
  await jonas.leaves();
  await box.stop();
});
