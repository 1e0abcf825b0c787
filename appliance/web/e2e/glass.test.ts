/** Breaking the glass in real browsers: somebody who is not in the team goes in with a reason, is seen to, and goes out again. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Box } from './box.ts';
import { Browser } from './browser.ts';
import { PersonAtApp } from './person.ts';
import { Terminal } from './terminal.ts';

let box: Box;
let chidi: PersonAtApp;
let luis: PersonAtApp;
const others: PersonAtApp[] = [];

beforeAll(async () => {
  box = await Box.start();
  box.patient('admit', '101', 'Hall A', '1', '--name', 'Noor Haddad', '--born', '1950-01-01', '--sex', 'F');
  box.patient('admit', '202', 'Hall B', '7', '--name', 'Otto Lang', '--born', '1938-05-06', '--sex', 'M');
  chidi = await PersonAtApp.join(box, 'Chidi');
  luis = await PersonAtApp.join(box, 'Luis');
});
afterEach(async (context) => {
  if (context.task.result?.state !== 'fail') return;
  for (const one of [chidi, luis, ...others]) await one.picture(context.task.id);
});
afterAll(async () => {
  for (const one of [chidi, luis, ...others]) await one?.leaves();
  await box?.stop();
});

test('a clinician goes in by bed with a reason, reads until when, writes, and goes out', async () => {
  await chidi.tab('Patients');
  await chidi.page.getByRole('button', { name: /\b1\b/ }).first().click();
  await chidi.page.getByRole('dialog').getByRole('button', { name: 'Break the glass' }).click();
  await chidi.page.getByRole('button', { name: 'Go in for an hour' }).click();
  await chidi.sees('Write at least ten characters, at most about 500.');
  await chidi.page.getByLabel('Why do you have to go in?').fill('Found on the floor, no pulse');
  await chidi.page.getByRole('button', { name: 'Go in for an hour' }).click();
  await chidi.page.getByRole('heading', { name: 'Noor Haddad' }).waitFor();
  await chidi.page.getByText(/You are here for an emergency, until \d{1,2}:\d\d \((59|60) min\)/).waitFor();
  await chidi.say('CPR begun');
  await chidi.sees('CPR begun');
  await luis.tab('More');
  await luis.page.getByRole('button', { name: 'Privacy officer', exact: true }).click();
  await luis.sees('Found on the floor, no pulse');
  await chidi.page.getByRole('button', { name: 'Go out now' }).click();
  await chidi.page.getByRole('heading', { name: 'Noor Haddad' }).waitFor({ state: 'detached' });
  expect(await chidi.page.getByText('CPR begun').count()).toBe(0);
});

test('by record number into another unit; a number that nobody has is said so', async () => {
  await chidi.tab('More');
  await chidi.page.getByRole('button', { name: 'Break the glass', exact: true }).click();
  await chidi.page.getByRole('radio', { name: 'By record number' }).check();
  await chidi.page.getByLabel('Record number', { exact: true }).fill('999');
  await chidi.page.getByLabel('Why do you have to go in?').fill('Called to help in Hall B');
  await chidi.page.getByRole('button', { name: 'Go in for an hour' }).click();
  await chidi.sees('Nobody is here by that. Check the bed or the record number.');
  await chidi.page.getByLabel('Record number', { exact: true }).fill('202');
  await chidi.page.getByRole('button', { name: 'Go in for an hour' }).click();
  await chidi.page.getByRole('heading', { name: 'Otto Lang' }).waitFor();
});

test('the bar with the way out is there again after the app was closed, for as long as the hour goes on', async () => {
  const home = await chidi.browser.quit();
  chidi.browser = await Browser.open(box, {}, home);
  await chidi.page.goto(`${box.address}/`);
  await chidi.seesInbox();
  await chidi.open('Otto Lang');
  await chidi.page.getByText(/You are here for an emergency, until \d{1,2}:\d\d/).waitFor();
  await chidi.page.getByRole('button', { name: 'Go out now' }).click();
  await chidi.page.getByRole('heading', { name: 'Otto Lang' }).waitFor({ state: 'detached' });
});

test('a restricted patient takes a second person, by the number that is read out', async () => {
  const keiko = Terminal.join(box, 'Keiko');
  box.patient('admit', '203', 'Hall B', '8', '--name', 'Ida Star', '--born', '1960-05-06', '--sex', 'F');
  keiko.run('shift', 'take', 'Hall B', '8');
  keiko.run('patient', 'restrict', 'Ida Star', 'Keiko', '--alias', 'Guest 8');
  keiko.leaves();
  await chidi.tab('More');
  await chidi.page.getByRole('button', { name: 'Break the glass', exact: true }).click();
  await chidi.page.getByRole('radio', { name: 'By record number' }).check();
  await chidi.page.getByLabel('Record number', { exact: true }).fill('203');
  await chidi.page.getByLabel('Why do you have to go in?').fill('Chest pain, nobody here');
  await chidi.page.getByRole('button', { name: 'Go in for an hour' }).click();
  await chidi.sees('This patient is restricted: call a colleague over');
  const number = await chidi.page.locator('strong[translate=no]').innerText();
  expect(number).toMatch(/^([0-9a-f]{4} ){3}[0-9a-f]{4}$/);

  const emil = await PersonAtApp.join(box, 'Emil');
  others.push(emil);
  await emil.tab('More');
  await emil.page.getByRole('button', { name: 'Break the glass', exact: true }).click();
  await emil.page.getByLabel('Number of the request').fill(number);
  await emil.page.getByRole('button', { name: 'Look at it' }).click();
  await emil.reads('Chidi Eze wants to go in');
  await emil.reads('Guest 8');
  await emil.sees('Chest pain, nobody here');
  expect(await emil.page.getByText('Ida Star').count()).toBe(0);
  await emil.page.getByRole('button', { name: 'I stand behind it' }).click();
  await emil.reads('Chidi Eze is in. Both of you are on record.');
  await chidi.page.getByText(/You are here for an emergency/).waitFor();
  expect(await emil.page.getByText('Ida Star').count()).toBe(0);
});
