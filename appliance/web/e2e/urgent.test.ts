/** A station screen shows urgent messages of its unit that nobody has seen, and no name or text of them. */

import { afterAll, beforeAll, expect, test } from 'vitest';

import { Box } from './box.ts';
import { Hours } from './hours.ts';
import { PersonAtApp } from './person.ts';
import { Terminal } from './terminal.ts';

const MINUTE = 60_000;
const WORDS = 'the drip of bed 3 runs dry';

let box: Box;
let hours: Hours;
let chidi: PersonAtApp;
let desk: PersonAtApp;
let grace: PersonAtApp;

beforeAll(async () => {
  box = await Box.start();
  box.patient('admit', '103', 'Hall A', '3', '--name', 'Rosa Delgado', '--born', '1940-02-29', '--sex', 'F');
  for (const name of ['Grace', 'Chidi']) {
    const terminal = Terminal.join(box, name);
    terminal.run('shift', 'take', 'Hall A', '1-4', '--hours', '8');
    terminal.leaves();
  }
  [grace, chidi] = await Promise.all(['Grace', 'Chidi'].map((name) => PersonAtApp.join(box, name, { leaps: true }))) as [PersonAtApp, PersonAtApp];
  box.admin('add-station', 'Hall A', 'Desk, Hall A');
  desk = await PersonAtApp.arrive(box, 'Desk', { width: 1024, height: 768, leaps: true });
  await desk.goOnInBrowser();
  await desk.redeem(box.code('Desk, Hall A'));
  await desk.page.getByText('Nothing rings', { exact: true }).waitFor();
  hours = new Hours(box, [grace, chidi, desk]);
});
afterAll(async () => {
  for (const one of [grace, chidi, desk]) await one?.leaves();
  await box?.stop();
});

test('an urgent message that nobody has seen is shown after the unit’s wait, until somebody sees it', async () => {
  await grace.open('Rosa Delgado');
  await grace.say(WORDS, 'Urgent');
  await chidi.page.getByText(WORDS).first().waitFor();
  await hours.pass(4 * MINUTE);
  await desk.page.getByText('Nothing rings', { exact: true }).waitFor();
  const seconds = await hours.until(desk.page.getByText('An urgent message waits'), 120);
  expect(seconds).toBeGreaterThan(0);
  const shown = await desk.page.locator('body').innerText();
  for (const word of [WORDS, 'Rosa', 'Delgado', 'Grace', 'bed 3']) expect(shown).not.toContain(word);

  await hours.opens(chidi);
  await chidi.open('Rosa Delgado');
  await chidi.sees(WORDS);
  await desk.page.getByText('Nothing rings', { exact: true }).waitFor();
}, 120_000);
