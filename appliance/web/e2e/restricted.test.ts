/** A patient whom only named people may know, in real browsers: restricted, named, called otherwise, and no longer restricted. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

let box: Box;
let ana: PersonAtApp;
let chidi: PersonAtApp;

beforeAll(async () => {
  box = await Box.start();
  box.patient('admit', '101', 'Hall A', '1', '--name', 'Noor Haddad', '--born', '1950-01-01', '--sex', 'F');
  ana = await PersonAtApp.join(box, 'Ana');
  chidi = await PersonAtApp.join(box, 'Chidi');
  await chidi.tab('Patients');
  await chidi.page.getByRole('button', { name: 'Take beds' }).click();
  await chidi.page.getByLabel('Or type beds and ranges').fill('1');
  await chidi.page.getByRole('button', { name: 'Take them' }).click();
  await chidi.tab('Inbox');
  await seen(chidi, 'Noor Haddad');
  await ana.tab('More');
  await ana.page.getByRole('button', { name: 'Restricted patients', exact: true }).click();
});
afterEach(async (context) => {
  if (context.task.result?.state !== 'fail') return;
  for (const one of [ana, chidi]) await one.picture(context.task.id);
});
afterAll(async () => {
  await ana?.leaves();
  await chidi?.leaves();
  await box?.stop();
});

const seen = (who: PersonAtApp, text: string) => who.page.getByText(text).filter({ visible: true }).first().waitFor();
const gone = (who: PersonAtApp, text: string) => who.page.getByText(text).filter({ visible: true }).first().waitFor({ state: 'detached' });
const dialog = () => ana.page.getByRole('dialog');
const go = (what: string) => dialog().getByRole('button', { name: what, exact: true }).click();
const act = (what: RegExp) => ana.page.getByRole('button', { name: what }).click();

test('whoever is not named is out at once, and sees the alias at the bed', async () => {
  await act(/^Restrict .*Noor Haddad/);
  await go('Restrict');
  await dialog().getByText('Type an alias of one line').waitFor();
  await dialog().getByLabel('Alias').fill('Blue Heron');
  await go('Restrict');
  await ana.sees('Restricted. Only whoever is named sees who this is.');
  await ana.reads('You are named: Noor Haddad');
  await gone(chidi, 'Noor Haddad');
  await chidi.tab('Patients');
  await seen(chidi, 'Blue Heron');
  expect(await chidi.page.getByText('Noor Haddad').count()).toBe(0);
});

test('somebody is named, and named no more; somebody has to stay', async () => {
  await act(/^Name people for .*Blue Heron/);
  await go('Name them');
  await dialog().getByText('Choose somebody.').waitFor();
  // A privacy officer reviews, and is no choice.
  expect(await dialog().getByRole('checkbox', { name: /Luis/ }).count()).toBe(0);
  await dialog().getByRole('checkbox', { name: /Chidi Eze/ }).check();
  await go('Name them');
  await ana.sees('Named.');
  await chidi.tab('Inbox');
  await seen(chidi, 'Noor Haddad');
  await act(/^Name no more: .*Blue Heron/);
  await dialog().getByRole('checkbox', { name: /Chidi Eze/ }).check();
  await go('Name them no more');
  await ana.sees('Named no more.');
  await gone(chidi, 'Noor Haddad');
  await act(/^Name no more: .*Blue Heron/);
  await dialog().getByRole('checkbox', { name: /Ana Flores/ }).check();
  await go('Name them no more');
  await dialog().getByText('Somebody has to stay named. Name somebody else first.').waitFor();
  await dialog().getByRole('button', { name: 'Cancel' }).click();
});

test('another alias, and the end of it: whoever has the bed reads again', async () => {
  await act(/^Another alias for .*Blue Heron/);
  await dialog().getByLabel('Alias').fill('Grey Owl');
  await go('Call them so');
  await ana.sees('The alias is changed.');
  await chidi.tab('Patients');
  await chidi.page.getByRole('button', { name: /^Load again|^Look again/ }).first().click();
  await seen(chidi, 'Grey Owl');
  await act(/^End the restriction of .*Grey Owl/);
  await go('End the restriction');
  await ana.sees('No longer restricted.');
  await chidi.tab('Inbox');
  await seen(chidi, 'Noor Haddad');
});
