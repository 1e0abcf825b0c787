/** Alarms of the box: an administrator says who is told, and they are told, in their language, when the box needs somebody. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';
import { Terminal } from './terminal.ts';

const DESK = { width: 1440, height: 900 };
let box: Box;
let jonas: PersonAtApp;
let grace: PersonAtApp;

beforeAll(async () => {
  box = await Box.start();
  const charge = Terminal.join(box, 'Ana');
  charge.run('role', 'add', 'Hall A', 'IT on call');
  charge.run('role', 'take', 'IT on call', '--for', 'Grace Lin', '--hours', '8');
  charge.leaves();
  jonas = await PersonAtApp.join(box, 'Jonas', DESK);
  grace = await PersonAtApp.join(box, 'Grace');
});
afterEach(async (context) => {
  if (context.task.result?.state !== 'fail') return;
  for (const one of [jonas, grace]) await one.picture(context.task.id);
});
afterAll(async () => {
  for (const one of [jonas, grace]) await one?.leaves();
  await box?.stop();
});

test('an administrator says who is told', async () => {
  const { page } = jonas;
  await jonas.tab('More');
  await page.getByRole('button', { name: 'Administration', exact: true }).click();
  await page.getByRole('button', { name: /^Box health/ }).click();
  await jonas.reads('Nobody is told of alarms. Choose who is on call for IT.');
  await page.getByRole('button', { name: 'Choose who is told' }).click();
  const sheet = page.getByRole('dialog');
  const role = await sheet.locator('option').filter({ hasText: 'IT on call' }).getAttribute('value');
  await sheet.getByLabel('Who is told', { exact: true }).selectOption(role);
  await page.getByRole('button', { name: 'Tell them from now on' }).click();
  await jonas.reads('Now: Grace Lin');
});

test('the keeper hangs, and whoever is on call is told what to do; nobody is offered the box as a person', async () => {
  const goOn = box.holdKeeper();
  try {
    await grace.page.getByText('Something is wrong with the box').first().waitFor({ timeout: 90_000 });
    await grace.page.getByRole('button', { name: /IT on call/ }).first().click();
    await grace.reads('The keeper of the keys does not answer.');
    expect(await grace.page.getByText('Do not restart the box.').count()).toBe(1);
  } finally {
    goOn();
  }
  await jonas.page.getByRole('button', { name: 'Look again' }).click();
  await jonas.reads('Told and not over');
  await grace.tab('People');
  await grace.page.getByText('Jonas Weber').first().waitFor();
  expect(await grace.page.getByText('Wardline box').count()).toBe(0);
}, 150_000);
