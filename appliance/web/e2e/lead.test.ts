/** A charge nurse and her shift, in real browsers: what she hands over, gives out, lets in and ends. */

import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp, PIN } from './person.ts';

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
    terminal(box, 'Ana', 'role', 'add', 'Hall A', 'Charge nurse', '--rota', rota);
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
    await ana.reads('Chidi Eze');
    expect(await ana.page.getByText('You hold this').count()).toBe(0);
  });

  test('an offer can be taken back', async () => {
    await chidi.tab('On call');
    await chidi.page.getByRole('button', { name: /^Hand over/ }).click();
    await chidi.page.getByRole('button', { name: /Emil Sand/ }).click();
    await chidi.page.getByRole('button', { name: /^Offer/ }).click();
    await chidi.reads('Emil Sand has not answered.');
    await chidi.page.getByRole('button', { name: /^Take the offer back/ }).click();
    await chidi.page.getByRole('button', { name: /^Take the offer back/ }).waitFor({ state: 'detached' });
  });

  test('family asks at the bed, is let in in one tap, and has one thread and nothing else', async () => {
    await ana.tab('Patients');
    await ana.page.getByRole('button', { name: 'Take beds' }).click();
    await ana.page.getByLabel('Or type beds and ranges').fill('1');
    await ana.page.getByRole('button', { name: 'Take them' }).click();
    await ana.open('Noor Haddad');
    await ana.page.getByRole('button', { name: /^Details/ }).click();
    await ana.page.getByRole('button', { name: 'Family and visitors' }).click();
    await ana.page.getByLabel('Who agreed, and how you know').fill('The patient herself, at the bedside');
    await ana.page.getByRole('button', { name: 'Record consent' }).click();
    await ana.page.getByRole('button', { name: 'Make a code' }).click();
    await ana.page.getByRole('img', { name: /The code as a picture/ }).waitFor();
    const code = ((await ana.page.getByText(/^[0-9A-Z]{5} [0-9A-Z]{5}$/).first().textContent()) ?? '').replace(' ', '');

    const dora = await PersonAtApp.arrive(box, 'Dora');
    others.push(dora);
    await dora.page.goto(`${box.address}/#visit?code=${code}`);
    await dora.page.reload();
    await dora.page.getByLabel('Your name').fill('Dora Haddad');
    expect(dora.page.url()).not.toContain(code);
    await dora.page.getByLabel('What you are to the patient').fill('daughter');
    await dora.page.getByLabel('Choose a PIN').fill(PIN);
    await dora.page.getByLabel('Type the PIN again').fill(PIN);
    await dora.page.getByRole('button', { name: 'Ask to be let in' }).click();
    await dora.sees('You have asked to be let in');

    await ana.page.getByRole('button', { name: 'Load again' }).click();
    await ana.page.getByRole('button', { name: /^Let in Dora Haddad|^Let in .*Dora Haddad/ }).first().click();
    await ana.reads('Until');
    await dora.page.getByRole('button', { name: 'Look again now' }).click();
    await dora.unlock();
    await dora.page.getByLabel('Message', { exact: true }).fill('Is she awake?');
    await dora.page.getByRole('button', { name: 'Send', exact: true }).click();
    expect(await dora.page.getByRole('navigation').count()).toBe(0);

    await ana.page.getByRole('button', { name: /^Open .*Dora Haddad/ }).click();
    await ana.sees('Is she awake?');
    await ana.reads('Family reads this: Dora Haddad (daughter)');
    await ana.say('She is, and asks for you');
    await dora.sees('She is, and asks for you');
  });

  test('who was let in is out in the same moment in which the visit ends', async () => {
    const dora = others[0] as PersonAtApp;
    await ana.page.getByRole('button', { name: /^Details/ }).click();
    await ana.page.getByRole('button', { name: 'Family and visitors' }).click();
    await ana.page.getByRole('button', { name: /^End the visit of/ }).click();
    await ana.page.getByRole('dialog').getByRole('button', { name: 'End visit' }).click();
    await dora.sees('Your visit here has ended. To come back, ask again with the code at the bed.');
    expect(await dora.page.getByText('She is, and asks for you').count()).toBe(0);
  });

  async function page(who: PersonAtApp, name: string): Promise<void> {
    // A page over a conversation goes back to it first.
    const back = who.page.getByRole('button', { name: 'Back', exact: true }).filter({ visible: true });
    if ((await back.count()) > 0) await back.last().click();
    await who.tab('More');
    await who.page.getByRole('button', { name, exact: true }).click();
  }

  test('gives a colleague a code for a new phone, which joins with it', async () => {
    await page(ana, 'Staff: codes and access');
    await ana.page.getByRole('button', { name: /Emil Sand/ }).click();
    await ana.page.getByRole('button', { name: 'Code for a new phone' }).click();
    const code = ((await ana.page.getByText(/^[0-9A-Z]{5} [0-9A-Z]{5}$/).first().textContent()) ?? '').replace(' ', '');
    const emil = await PersonAtApp.arrive(box, 'Emil');
    others.push(emil);
    await emil.page.goto(`${box.address}/#join?code=${code}`);
    await emil.page.reload();
    await emil.goOnInBrowser();
    // The code stands there, and nothing was redeemed by that.
    expect(await emil.page.getByLabel('Join code').inputValue()).toBe(`${code.slice(0, 5)} ${code.slice(5)}`);
    await emil.redeem(code);
    await emil.seesInbox();
  });

  test('gives out the whole shift on one page, and ends somebody’s', async () => {
    await page(ana, 'Give out beds');
    await ana.page.getByLabel('Beds for Chidi Eze').or(ana.page.getByLabel(/Beds for .*Chidi/)).first().fill('1');
    await ana.page.getByLabel(/Beds for .*Emil/).fill('7-5');
    await ana.page.getByRole('button', { name: 'Give them out' }).click();
    await ana.reads('7-5 ends before it begins.');
    await ana.page.getByLabel(/Beds for .*Emil/).fill('2 3');
    await ana.page.getByRole('button', { name: 'Give them out' }).click();
    await ana.reads('Given:');
    await chidi.tab('Inbox');
    await chidi.page.getByText('Noor Haddad').filter({ visible: true }).first().waitFor();
    await ana.page.getByRole('button', { name: /^End the shift of .*Chidi/ }).click();
    await ana.page.getByRole('dialog').getByRole('button', { name: 'End', exact: true }).click();
    await chidi.page.getByText('Noor Haddad').filter({ visible: true }).first().waitFor({ state: 'detached' });
  });

  test('opens a phone again, face to face, that ten wrong PINs have locked', async () => {
    const emil = others.find((one) => one.name === 'Emil') as PersonAtApp;
    await emil.lock();
    const isBusy = emil.page.getByText(/Try again in/);
    for (let left = 9; left >= 0; left -= 1) {
      const said = emil.page.getByText(left > 1 ? `${left} tries are left.` : left === 1 ? 'One try is left.' : 'Ten wrong PINs: this device is locked.');
      // A keeper that is busy takes no try, and none is counted.
      do {
        await emil.unlock('271828');
        await said.or(isBusy).first().waitFor();
      } while (!(await said.isVisible()));
    }
    await page(ana, 'Staff: codes and access');
    await ana.page.getByRole('button', { name: /Emil Sand/ }).click();
    await ana.page.getByRole('button', { name: 'Code for a locked phone' }).click();
    const code = ((await ana.page.getByText(/^[0-9A-Z]{5} [0-9A-Z]{5}$/).first().textContent()) ?? '').replace(' ', '');
    const inbox = emil.page.getByRole('heading', { name: 'Inbox' });
    await emil.redeem(code, '802413');
    for (await inbox.or(isBusy).first().waitFor(); !(await inbox.isVisible()); await inbox.or(isBusy).first().waitFor()) {
      await emil.page.getByRole('button', { name: 'Join', exact: true }).click();
    }
    await emil.lock();
    do {
      await emil.unlock('802413');
      await inbox.or(isBusy).first().waitFor();
    } while (!(await inbox.isVisible()));
  });

  test('admits a nurse from an agency with beds, and sends her home', async () => {
    await page(ana, 'Agency staff');
    await ana.page.getByLabel('Name', { exact: true }).fill('Inés Roth');
    await ana.page.getByLabel('Agency', { exact: true }).fill('Brightside');
    await ana.page.getByLabel('Beds').fill('1');
    await ana.page.getByRole('button', { name: 'Admit', exact: true }).click();
    await ana.page.getByRole('img', { name: /The code as a picture/ }).waitFor();
    const code = ((await ana.page.getByText(/^[0-9A-Z]{5} [0-9A-Z]{5}$/).first().textContent()) ?? '').replace(' ', '');
    const ines = await PersonAtApp.arrive(box, 'Ines');
    others.push(ines);
    await ines.goOnInBrowser();
    await ines.redeem(code);
    await ines.seesInbox();
    await ines.page.getByText('Noor Haddad').filter({ visible: true }).first().waitFor();
    await ana.page.getByRole('button', { name: /^End stay of .*Inés/ }).click();
    await ana.page.getByRole('dialog').getByRole('button', { name: 'End stay' }).click();
    await ines.page.getByText('Noor Haddad').filter({ visible: true }).first().waitFor({ state: 'detached' });
  });

  test('ends somebody’s access, and hears what they left behind', async () => {
    await page(ana, 'Staff: codes and access');
    await ana.page.getByRole('button', { name: /Emil Sand/ }).click();
    await ana.page.getByRole('button', { name: 'End access now' }).click();
    await ana.page.getByRole('dialog').getByRole('button', { name: 'End access now' }).click();
    await ana.reads('The access of Emil Sand has ended.');
    await ana.page.getByText(/2.*3/).filter({ visible: true }).first().waitFor();
    await (others[1] as PersonAtApp).page.getByRole('heading', { name: /no longer let in|suspended/ }).waitFor();
  });
});

/** The terminal client of somebody, joined once. */
function terminal(box: Box, name: string, ...words: string[]): string {
  const pin = join(box.directory, 'pin');
  const options = ['--profile', join(box.directory, `profile-${name}`), '--pin-file', pin];
  if (!existsSync(pin)) {
    writeFileSync(pin, PIN, { mode: 0o600 });
    const root = createHash('sha256').update(box.root).digest('hex');
    const link = /wardline:\S+/.exec(box.admin('code', name, '--address', `127.0.0.1:${box.port}`, '--root', root))?.[0] ?? '';
    box.command(...options, 'join', link, '--device-name', 'terminal');
  }
  return box.command(...options, ...words);
}
