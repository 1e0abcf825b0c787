/**
 * Pictures of the app for the guides, of a real box's made-up people: `make screenshots`. Every screen on a phone and a desk, by day and
 * at night.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';

import { Box } from './box.ts';
import { pdf, square } from './pdfs.ts';
import { PersonAtApp, PIN } from './person.ts';
import { Terminal } from './terminal.ts';

const FOLDER = process.env['WARDLINE_PICTURES'];
const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } };

describe.runIf(FOLDER !== undefined)('pictures', { timeout: 600_000 }, () => {
  let box: Box;
  let ana: PersonAtApp;
  let chidi: PersonAtApp;
  const others: PersonAtApp[] = [];

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
    for (const one of [chidi, ana, ...others]) await one?.leaves();
    await box?.stop();
    compress(FOLDER ?? '');
  });

  const joins = async (name: string): Promise<PersonAtApp> => {
    const one = await PersonAtApp.join(box, name);
    others.push(one);
    return one;
  };
  const does = (of: PersonAtApp, name: string | RegExp) => of.page.getByRole('button', { name, exact: typeof name === 'string' }).filter({ visible: true }).first().click();
  /** A page under "More". */
  async function more(of: PersonAtApp, name: string): Promise<void> {
    await of.tab('More');
    await does(of, name);
    await of.page.getByRole('heading', { name, exact: true }).first().waitFor();
  }

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
    await does(ana, 'Quiet hours and number');
    await ana.page.getByRole('dialog').getByText('None are set.').waitFor();
    await picture(ana, 'quiet-hours');
    await ana.page.keyboard.press('Escape');
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

  test('what goes into a message, and who reads it', async () => {
    await does(ana, 'Add to the message');
    await ana.page.getByRole('dialog').getByRole('button', { name: 'SBAR' }).waitFor();
    await picture(ana, 'add-to-message');
    await ana.page.keyboard.press('Escape');
    await ana.tab('People');
    await does(ana, 'New group');
    await ana.page.getByLabel('Name of the group or channel').fill('Falls round');
    await ana.page.getByRole('checkbox', { name: /Ben Okafor/ }).check();
    await picture(ana, 'new-group');
    await does(ana, 'Back');
    await more(ana, 'Announcements');
    await picture(ana, 'announcements');
    await ana.tab('More');
    await does(ana, 'Details');
    await ana.page.getByText('The box answers. Wardline works from here.').waitFor();
    await picture(ana, 'connection');
    await ana.page.keyboard.press('Escape');
  });

  test('a charge nurse’s shift', async () => {
    const charge = Terminal.join(box, 'Ana');
    charge.run('role', 'add', 'Hall A', 'Charge nurse');
    charge.run('role', 'take', 'Charge nurse', '--hours', '8');
    charge.leaves();
    // The terminal is a new device of hers, which her phone tells her of.
    await does(ana, 'It is mine');
    await more(ana, 'Hand over a role');
    await ana.page.getByRole('button', { name: /Chidi Eze/ }).click();
    await picture(ana, 'hand-over');
    await more(ana, 'Give out beds');
    await ana.page.getByLabel(/Beds for .*Chidi/).first().fill('4');
    await picture(ana, 'give-out-beds');
    await more(ana, 'Admit, move, discharge');
    await picture(ana, 'admit');
    await more(ana, 'Agency staff');
    await ana.page.getByLabel('Name', { exact: true }).fill('Inés Roth');
    await ana.page.getByLabel('Agency', { exact: true }).fill('Brightside');
    await picture(ana, 'agency');
    await more(ana, 'Staff: codes and access');
    await ana.page.getByRole('button', { name: /Emil Sand/ }).click();
    await picture(ana, 'staff');
    await more(ana, 'Downtime sheet');
    await picture(ana, 'downtime');
  });

  test('a family', async () => {
    await ana.open('Noor Haddad');
    await ana.page.getByRole('button', { name: /^Details/ }).filter({ visible: true }).first().click();
    await does(ana, 'Family and visitors');
    await ana.page.getByLabel('Who agreed, and how you know').fill('The patient herself, at the bedside');
    await does(ana, 'Record consent');
    await does(ana, 'Make a code');
    await ana.page.getByRole('img', { name: /The code as a picture/ }).waitFor();
    const code = ((await ana.page.getByText(/^[0-9A-Z]{5} [0-9A-Z]{5}$/).first().textContent()) ?? '').replace(' ', '');
    const dora = await PersonAtApp.arrive(box, 'Dora');
    others.push(dora);
    await dora.page.goto(`${box.address}/#visit?code=${code}`);
    await dora.page.reload();
    await dora.page.getByLabel('Your name').fill('Dora Haddad');
    await dora.page.getByLabel('What you are to the patient').fill('daughter');
    await picture(dora, 'visit');
    await dora.page.getByLabel('Choose a PIN').fill(PIN);
    await dora.page.getByLabel('Type the PIN again').fill(PIN);
    await does(dora, 'Ask to be let in');
    await dora.sees('You have asked to be let in');
    await picture(dora, 'visit-asked');
    await does(ana, 'Load again');
    const letIn = ana.page.getByRole('button', { name: /^Let in .*Dora Haddad/ }).first();
    await letIn.waitFor();
    await letIn.scrollIntoViewIfNeeded();
    await picture(ana, 'family');
    await ana.page.getByRole('button', { name: /^Let in .*Dora Haddad/ }).first().click();
    await ana.reads('Until');
    await does(dora, 'Look again now');
    await dora.unlock();
    await dora.page.getByLabel('Message', { exact: true }).fill('Is she awake?');
    await does(dora, 'Send');
    await dora.sees('Is she awake?');
    await picture(dora, 'visiting');
  });

  test('administration, and the privacy officer', async () => {
    const jonas = await joins('Jonas');
    await more(jonas, 'Administration');
    const pages = jonas.page.getByRole('navigation', { name: 'Pages of administration' }).filter({ visible: true });
    const MENU = { 'admin-first-steps': 'First steps', 'admin-people': 'People', 'admin-units': 'Units and stations', 'admin-roles': 'Roles and rotas', 'admin-escalation': 'Escalation', 'admin-policies': 'Policies', 'admin-health': 'Box health', 'admin-certificate': 'Certificate' };
    await picture(jonas, 'admin');
    for (const [name, page] of Object.entries(MENU)) {
      await pages.getByRole('button', { name: new RegExp(`^${page}`) }).click();
      await jonas.page.getByRole('heading', { name: page, exact: true }).waitFor();
      await jonas.page.waitForLoadState('networkidle');
      await picture(jonas, name);
      await does(jonas, 'Back');
    }
    await pages.getByRole('button', { name: /^People/ }).click();
    await does(jonas, /^Chidi Eze/);
    await jonas.page.getByRole('heading', { name: 'Chidi Eze' }).waitFor();
    await picture(jonas, 'admin-person');
    const luis = await joins('Luis');
    await more(luis, 'Privacy officer');
    await picture(luis, 'privacy-officer');
    await luis.page.getByRole('radio', { name: 'Legal holds' }).check();
    await picture(luis, 'holds');
    await luis.page.getByRole('radio', { name: 'Exports' }).check();
    await luis.page.getByRole('button', { name: 'Export', exact: true }).waitFor();
    await picture(luis, 'exports');
  });

  test('what moves in a patient’s thread, a letter, and the charge nurse’s lists', async () => {
    // From the family's page into the conversation.
    await does(ana, 'Back');
    await ana.open('Noor Haddad');
    await ana.page.getByText(/asks to be let in|was let in/).first().waitFor();
    await picture(ana, 'thread');
    await ana.open('Chidi Eze');
    const buffer = pdf({ pages: [square('0 0 1', 'Synthetic referral: chest X-ray, no finding.'), square('0 1 0', 'Second page')] });
    await does(ana, 'Add to the message');
    await does(ana, 'Add a photo or file');
    await ana.page.locator('input[type=file]').setInputFiles({ name: 'referral.pdf', mimeType: 'application/pdf', buffer });
    await ana.page.getByText('Ready to send').waitFor();
    await does(ana, 'Send');
    await chidi.open('Ana Flores');
    await chidi.page.getByRole('button', { name: /referral\.pdf/ }).filter({ visible: true }).first().click();
    await chidi.page.getByText('Synthetic referral').first().waitFor({ state: 'attached' });
    await picture(chidi, 'pdf');
    await chidi.page.keyboard.press('Escape');
    await more(ana, 'Templates and quick replies');
    await picture(ana, 'templates');
    await more(ana, 'Restricted patients');
    await picture(ana, 'restricted');
  });

  test('an alarm of the box', async () => {
    const role = Terminal.join(box, 'Ana');
    role.run('role', 'add', 'Hall A', 'IT on call');
    role.run('role', 'take', 'IT on call', '--for', 'Chidi Eze', '--hours', '8');
    role.leaves();
    const jonas = others.find((one) => one.name === 'Jonas');
    if (jonas === undefined) throw new Error('nobody administers');
    await more(jonas, 'Administration');
    await does(jonas, /^Box health/);
    await does(jonas, 'Choose who is told');
    const sheet = jonas.page.getByRole('dialog');
    await sheet.getByLabel('Who is told', { exact: true }).selectOption(await sheet.locator('option').filter({ hasText: 'IT on call' }).getAttribute('value'));
    await picture(jonas, 'admin-alarms');
    await does(jonas, 'Tell them from now on');
    await jonas.reads('Now: Chidi Eze');
    const goOn = box.holdKeeper();
    await chidi.tab('Inbox');
    await chidi.page.getByText('Something is wrong with the box').first().waitFor({ timeout: 90_000 });
    await chidi.page.getByRole('button', { name: /IT on call/ }).first().click();
    await chidi.reads('The keeper of the keys does not answer.');
    await picture(chidi, 'alarm');
    goOn();
  });

  test('a unit’s screen', async () => {
    const NAME = 'Desk, Hall A';
    box.admin('add-station', 'Hall A', NAME);
    const desk = await PersonAtApp.arrive(box, 'Desk');
    others.push(desk);
    await desk.goOnInBrowser();
    await desk.redeem(box.code(NAME));
    await desk.page.getByText('Nothing rings').waitFor();
    await picture(desk, 'station');
  });

  test('the way to the box, and trust in it', async () => {
    const page = await PersonAtApp.arrive(box, 'Nobody');
    others.push(page);
    await page.page.goto(`${box.address}/check`);
    await page.page.getByText('Opens too.').waitFor();
    await picture(page, 'check');
    await page.page.goto(`${box.address}/trust`);
    await page.page.getByRole('heading', { name: 'Trust this facility' }).waitFor();
    await picture(page, 'trust');
  });
});

/** To a palette, as Debian's pngquant does it; where that is not installed they stay as they are. */
function compress(folder: string): void {
  const pictures = readdirSync(folder).filter((name) => name.endsWith('.png'));
  if (pictures.length === 0) return;
  try {
    execFileSync('pngquant', ['--force', '--ext', '.png', '--skip-if-larger', '--strip', '64', ...pictures], { cwd: folder });
  } catch (error) {
    // 98: a picture would not have become smaller.
    if ((error as { status?: number }).status !== 98) console.warn('pictures: pngquant is not there, they stay large');
  }
}
