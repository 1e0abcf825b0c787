/** What moves in a patient's thread, told in it between the messages, and who asks at the bed: in real browsers against a real box. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp, PIN } from './person.ts';

let box: Box;
let stay = '';
let ana: PersonAtApp;
let chidi: PersonAtApp;
const others: PersonAtApp[] = [];

beforeAll(async () => {
  box = await Box.start();
  stay = box.patient('admit', '101', 'Hall A', '1', '--name', 'Noor Haddad', '--born', '1950-01-01', '--sex', 'F').trim();
  ana = await PersonAtApp.join(box, 'Ana');
  chidi = await PersonAtApp.join(box, 'Chidi');
});
afterEach(async (context) => {
  if (context.task.result?.state !== 'fail') return;
  for (const one of [ana, chidi, ...others]) await one.picture(context.task.id);
});
afterAll(async () => {
  for (const one of [ana, chidi, ...others]) await one?.leaves();
  await box?.stop();
});

/** Messages and notices of the open conversation in the order of the screen, names without what isolates them. */
async function lines(who: PersonAtApp, wanted: RegExp): Promise<string[]> {
  const said = await who.page.getByRole('region', { name: 'Messages', exact: true }).getByText(wanted).allTextContents();
  return said.map((line) => line.replace(/[\u2066-\u2069]/g, '').trim());
}
/** Out of the page about the family, which lies over the conversation, and out of that. */
async function toInbox(): Promise<void> {
  await ana.page.getByRole('button', { name: 'Back', exact: true }).filter({ visible: true }).last().click();
  await ana.page.getByLabel('Message', { exact: true }).filter({ visible: true }).waitFor();
  await ana.tab('Inbox');
}
const ANY = /Admitted|Moved|came in|broke the glass|emergency access|at the first|at the second|Away|Back$/;

test('stands at its place between the messages, and counts as nothing unread', async () => {
  await ana.tab('Patients');
  await ana.page.getByRole('button', { name: 'Take beds' }).click();
  await ana.page.getByLabel('Or type beds and ranges').fill('1');
  await ana.page.getByRole('button', { name: 'Take them' }).click();
  await ana.open('Noor Haddad');
  await ana.page.getByText(/^Admitted to .*Hall A.*, bed/).waitFor();
  await ana.reads('Ana Flores came in with the bed');
  await ana.say('at the first');
  await ana.sees('at the first');
  box.patient('leave', stay);
  await ana.sees('Away for a time. The bed is kept');
  box.patient('back', stay);
  await ana.say('at the second');
  await ana.tab('Inbox');
  box.patient('leave', stay);
  await ana.open('Noor Haddad');
  await expect.poll(async () => (await lines(ana, ANY)).length).toBe(7);
  const told = await lines(ana, ANY);
  expect(told.slice(0, 2).map((line) => line.replace(/,? until.*/, ''))).toEqual(['Admitted to Hall A, bed 1', 'Ana Flores came in with the bed']);
  expect(told.slice(2)).toEqual(['at the first', 'Away for a time. The bed is kept', 'Back', 'at the second', 'Away for a time. The bed is kept']);
  await ana.tab('Inbox');
  expect(await ana.page.getByText('unread').count()).toBe(0);
});

test('tells the team who broke the glass, and that it is over', async () => {
  await ana.open('Noor Haddad');
  await chidi.tab('More');
  await chidi.page.getByRole('button', { name: 'Break the glass', exact: true }).click();
  await chidi.page.getByRole('radio', { name: 'By record number' }).check();
  await chidi.page.getByLabel('Record number', { exact: true }).fill('101');
  await chidi.page.getByLabel('Why do you have to go in?').fill('Found on the floor, no pulse');
  await chidi.page.getByRole('button', { name: 'Go in for an hour' }).click();
  await chidi.page.getByText(/You are here for an emergency/).waitFor();
  await ana.page.getByText(/Chidi Eze.* broke the glass and is in, until/).waitFor();
  await chidi.page.getByRole('button', { name: 'Go out now' }).click();
  await ana.page.getByText(/The emergency access of .*Chidi Eze.* is over/).waitFor();
});

test('is there again behind a reload, in the same order', async () => {
  const before = await lines(ana, ANY);
  expect(before.length).toBeGreaterThan(8);
  await ana.page.reload();
  await ana.seesInbox();
  await ana.open('Noor Haddad');
  await expect.poll(() => lines(ana, ANY)).toEqual(before);
});

test('marks in the inbox who asks at the bed, and leads to letting them in within two taps', async () => {
  await ana.page.getByRole('button', { name: /^Details/ }).click();
  await ana.page.getByRole('button', { name: 'Family and visitors' }).click();
  await ana.page.getByLabel('Who agreed, and how you know').fill('The patient herself, at the bedside');
  await ana.page.getByRole('button', { name: 'Record consent' }).click();
  await ana.page.getByRole('button', { name: 'Make a code' }).click();
  await ana.page.getByRole('img', { name: /The code as a picture/ }).waitFor();
  const code = ((await ana.page.getByText(/^[0-9A-Z]{5} [0-9A-Z]{5}$/).first().textContent()) ?? '').replace(' ', '');
  await toInbox();

  const dora = await PersonAtApp.arrive(box, 'Dora');
  others.push(dora);
  await dora.page.goto(`${box.address}/#visit?code=${code}`);
  await dora.page.reload();
  await dora.page.getByLabel('Your name').fill('Dora Haddad');
  await dora.page.getByLabel('What you are to the patient').fill('daughter');
  await dora.page.getByLabel('Choose a PIN').fill(PIN);
  await dora.page.getByLabel('Type the PIN again').fill(PIN);
  await dora.page.getByRole('button', { name: 'Ask to be let in' }).click();
  await dora.sees('You have asked to be let in');

  const mark = ana.page.getByRole('button', { name: /Noor Haddad.*A visitor asks to be let in/ });
  await mark.click();
  await ana.page.getByRole('button', { name: 'Answer', exact: true }).click();
  await ana.page.getByRole('button', { name: /^Let in .*Dora Haddad/ }).first().click();
  await ana.reads('Until');
  await toInbox();
  await ana.page.getByRole('button', { name: /Noor Haddad/ }).first().waitFor();
  await expect.poll(() => mark.count()).toBe(0);
  await ana.page.getByRole('button', { name: /Noor Haddad/ }).first().click();
  await ana.page.getByText('The patient lets family write').waitFor();
  await ana.page.getByText(/A visitor was let in to a family thread/).waitFor();
});
