/** What a facility writes often, set by an administrator in the app, and a task that is declined at its message: against a real box. */

import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

const DESK = { width: 1440, height: 900 };
let box: Box;
let jonas: PersonAtApp;
let ana: PersonAtApp;
let ben: PersonAtApp;

beforeAll(async () => {
  box = await Box.start();
  jonas = await PersonAtApp.join(box, 'Jonas', DESK);
  ana = await PersonAtApp.join(box, 'Ana');
  ben = await PersonAtApp.join(box, 'Ben');
});
afterEach(async (context) => {
  if (context.task.result?.state !== 'fail') return;
  for (const one of [jonas, ana, ben]) await one.picture(context.task.id);
});
afterAll(async () => {
  for (const one of [jonas, ana, ben]) await one?.leaves();
  await box?.stop();
});

test('an administrator sets the whole facility’s templates from a file, and everybody has them', async () => {
  const { page } = jonas;
  await jonas.tab('More');
  await page.getByRole('button', { name: 'Templates and quick replies', exact: true }).click();
  await page.getByLabel('Whose').selectOption({ label: 'The whole facility' });
  await jonas.reads('What the whole facility has now');
  const list = 'reply Read, and will come\ntemplate Lift out of order\nfield Which lift\noptional Since when\n';
  await page.locator('input[type=file]').setInputFiles({ name: 'templates.txt', mimeType: 'text/plain', buffer: Buffer.from(list) });
  await jonas.reads('New quick reply: Read, and will come');
  await page.getByRole('button', { name: 'Apply 2 changes' }).click();
  await jonas.reads('Set for the whole facility');

  // Of no unit in common with her, and of none that leads one.
  for (const who of [ana, ben]) {
    await who.writeTo(who === ana ? 'Ben Okafor' : 'Ana Flores');
    await who.page.getByRole('button', { name: 'Add to the message' }).click();
    await who.page.getByRole('button', { name: 'Read, and will come' }).click();
    await who.page.getByRole('button', { name: 'Send', exact: true }).click();
    await who.sees('Read, and will come');
  }
  await ana.page.getByRole('button', { name: 'Add to the message' }).click();
  await ana.page.getByRole('button', { name: 'Lift out of order' }).click();
  await ana.page.getByLabel('Which lift').fill('the one by the kitchen');
  await ana.page.getByRole('button', { name: 'Put it into the message' }).click();
  await ana.page.getByRole('button', { name: 'Send', exact: true }).click();
  await ben.page.getByText('the one by the kitchen').filter({ visible: true }).first().waitFor();
});

test('who neither leads nor administers is not offered the page', async () => {
  await ben.tab('More');
  await ben.page.getByRole('button', { name: 'Announcements', exact: true }).waitFor();
  expect(await ben.page.getByRole('button', { name: 'Templates and quick replies', exact: true }).count()).toBe(0);
});

test('a task is declined at its message with a reason, stays open for whoever gave it, and is among those that are over when they withdraw it', async () => {
  await ben.open('Ana Flores');
  await ana.open('Ben Okafor');
  await ana.say('please look at the scan of bed 3');
  await ben.sees('please look at the scan of bed 3');
  await ana.act('your message', 'Make a task of it');
  const option = ana.page.getByLabel('For whom').getByRole('option', { name: /Ben/ });
  await ana.page.getByLabel('For whom').selectOption({ label: (await option.first().textContent()) ?? '' });
  await ana.page.getByRole('button', { name: 'Give the task' }).click();
  const [his, hers] = [ben, ana].map((who) => who.page.getByRole('group', { name: 'Task', exact: true })) as [Locator, Locator];
  await his.getByRole('button', { name: 'Cannot do it' }).click();
  await ben.page.getByRole('dialog').getByRole('button', { name: 'Off duty' }).click();
  await hers.getByText(/Ben Okafor.* cannot do it\. Give it to somebody else\./).waitFor();
  await his.getByText(/Ben Okafor.* cannot do it/).waitFor();
  expect(await his.getByRole('button', { name: 'Cannot do it' }).count()).toBe(0);
  await hers.getByRole('button', { name: 'Withdraw' }).click();
  for (const who of [ana, ben]) {
    await who.tab('Inbox');
    await who.page.getByRole('button', { name: /^Tasks/ }).click();
    await who.sees('No open tasks. Open the actions of a message to make a task of it.');
    const over = who.page.getByRole('region', { name: 'Over', exact: true });
    await over.getByText('please look at the scan of bed 3').waitFor();
    await over.getByText(/^Withdrawn by .*Ana Flores/).waitFor();
  }
  await ben.page.getByRole('region', { name: 'Over', exact: true }).getByRole('button').click();
  await ben.sees('please look at the scan of bed 3');
});
