/** A charge nurse and her shift, in real browsers: what she hands over, gives out, lets in and ends. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

describe('the charge nurse of Hall A', () => {
  let box: Box;
  let ana: PersonAtApp;
  let chidi: PersonAtApp;
  const others: PersonAtApp[] = [];

  beforeAll(async () => {
    box = await Box.start();
    box.patient('admit', '101', 'Hall A', '1', '--name', 'Noor Haddad', '--born', '1950-01-01', '--sex', 'F');
    const rota = join(box.directory, 'rota.txt');
    writeFileSync(rota, 'zone Europe/Berlin\ndaily 00:00-00:00 Ana Flores\n');
    box.command('role', '--socket', join(box.directory, 'box/relay.sock'), 'add', 'Hall A', 'Charge nurse', '--rota', rota);
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

  test('hands a role over in two taps from the inbox, and it is accepted in one', async () => {
    await ana.tab('On call');
    await ana.page.getByRole('button', { name: /^Hand over/ }).click();
    await ana.page.getByRole('button', { name: /Chidi Eze/ }).click();
    await ana.page.getByRole('button', { name: /^Offer/ }).click();
    await ana.reads('Chidi Eze has not answered.');
    await chidi.tab('Inbox');
    await chidi.page.getByRole('button', { name: /^Accept/ }).click();
    await chidi.tab('On call');
    await chidi.sees('You hold this');
    await ana.tab('On call');
    await ana.sees('Chidi Eze');
    expect(await ana.page.getByText('You hold this').count()).toBe(0);
  });

  test('an offer can be declined, and says no more', async () => {
    await chidi.tab('On call');
    await chidi.page.getByRole('button', { name: /^Hand over/ }).click();
    await chidi.page.getByRole('button', { name: /Emil Sand/ }).click();
    await chidi.page.getByRole('button', { name: /^Offer/ }).click();
    await chidi.reads('Emil Sand has not answered.');
    await chidi.page.getByRole('button', { name: /^Take the offer back/ }).click();
    await chidi.page.getByRole('button', { name: /^Take the offer back/ }).waitFor({ state: 'detached' });
  });
});
