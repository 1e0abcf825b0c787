/**
 * Pictures of the app for the guides, of a real box's made-up people: `make screenshots`. Every screen on a phone and a desk, by day and
 * at night.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

const FOLDER = process.env['WARDLINE_PICTURES'];
const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } };

describe.runIf(FOLDER !== undefined)('pictures', () => {
  let box: Box;
  let ana: PersonAtApp;
  let chidi: PersonAtApp;

  beforeAll(async () => {
    mkdirSync(FOLDER ?? '', { recursive: true });
    box = await Box.start();
    for (const [record, bed, name] of [
      ['101', '4', 'Noor Haddad'],
      ['102', '7', 'Pavel Ruzicka'],
    ] as const) {
      box.patient('admit', record, 'Hall A', bed, '--name', name, '--born', '1950-01-01', '--sex', 'F');
    }
    ana = await PersonAtApp.arrive(box, 'Ana');
  });
  afterAll(async () => {
    await chidi?.leaves();
    await ana?.leaves();
    await box?.stop();
  });

  /** The screen of now, in each size and light. */
  async function picture(of: PersonAtApp, name: string): Promise<void> {
    for (const [size, viewport] of Object.entries(SIZES)) {
      for (const light of ['light', 'dark'] as const) {
        await of.page.setViewportSize(viewport);
        await of.page.emulateMedia({ colorScheme: light, reducedMotion: 'reduce' });
        await of.page.screenshot({ path: join(FOLDER ?? '', `${name}-${size}-${light}.png`) });
      }
    }
    await of.page.setViewportSize(SIZES.phone);
    await of.page.emulateMedia({ colorScheme: 'light' });
  }

  test('joining', async () => {
    await picture(ana, 'install');
    await ana.goOnInBrowser();
    await picture(ana, 'join');
    await ana.redeem(box.code('Ana'));
    await ana.seesInbox();
    chidi = await PersonAtApp.join(box, 'Chidi');
  });

  test('talking', async () => {
    await chidi.writeTo('Ana Flores');
    await chidi.say('Bed 4 is free, the room is clean.');
    await chidi.say('Transport for bed 7 comes at ten.', 'Urgent');
    await ana.open('Chidi Eze');
    await ana.say('Thank you. I take bed 4 for the admission.');
    await chidi.sees('Thank you. I take bed 4 for the admission.');
    await ana.page.getByText('Read', { exact: true }).filter({ visible: true }).first().waitFor();
    await picture(ana, 'conversation');
    await ana.tab('Patients');
    await ana.page.getByRole('button', { name: 'Take beds' }).click();
    await ana.page.getByLabel('Or type beds and ranges').fill('4, 7');
    await picture(ana, 'take-beds');
    await ana.page.getByRole('button', { name: 'Take them' }).click();
    await ana.page.getByRole('heading', { name: 'My beds' }).waitFor();
    await picture(ana, 'patients');
    await ana.tab('People');
    await picture(ana, 'people');
    await ana.tab('On call');
    await picture(ana, 'on-call');
    await ana.tab('More');
    await picture(ana, 'more');
  });

  test('a STAT', async () => {
    await ana.tab('Inbox');
    await chidi.say('Bed 7: pale, pressure 72 over 40. I need somebody now.', 'STAT');
    await ana.page.getByText('Bed 7: pale').filter({ visible: true }).first().waitFor();
    await picture(ana, 'inbox');
    await ana.open('Chidi Eze');
    await picture(ana, 'stat');
    await ana.lock();
    await picture(ana, 'locked');
    await ana.unlock();
    await ana.open('Chidi Eze');
    await ana.page.getByRole('button', { name: 'I have it' }).last().click();
    await chidi.reads('Ana Flores has it');
    await picture(chidi, 'stat-answered');
  });
});
