/** Pages that are used with the keyboard alone: each from the tab bar on, as somebody does who has no finger to spare for a screen. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';

type Use = (page: Page, open: (query: string) => Promise<void>) => Promise<void>;

/** Steps of the keyboard before something counts as out of its reach. */
const FAR = 120;

/** By Tab alone, to what is there or comes. */
async function reach(page: Page, what: Locator): Promise<void> {
  await what.waitFor();
  const isThere = (): Promise<boolean> => what.evaluate((element) => element === document.activeElement);
  for (let steps = 0; steps < FAR && !(await isThere()); steps += 1) await page.keyboard.press('Tab');
  assert.ok(await isThere(), `${what} is reached by the keyboard`);
}
async function press(page: Page, what: Locator, key = 'Enter'): Promise<void> {
  await reach(page, what);
  await page.keyboard.press(key);
}
const button = (page: Page, name: string | RegExp): Locator => page.getByRole('button', { name, exact: typeof name === 'string' });

/** A page under "More". */
async function page(at: Page, open: (query: string) => Promise<void>, scene: string, name: string): Promise<void> {
  await open(`scene=${scene}`);
  await press(at, at.getByRole('navigation').getByRole('button', { name: 'More' }));
  await press(at, button(at, name));
}

/** Chosen as a person chooses: the box of files is reached and opened by a key. */
async function chooseFile(at: Page, name: string, text: string): Promise<void> {
  const input = at.locator('input[type=file]');
  await input.waitFor({ state: 'attached' });
  await reach(at, input);
  await input.setInputFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
}

export const pageUses: Record<string, Use> = {
  async 'keyboard: the bell is turned on and off under "More"'(at, open) {
    await open('scene=more');
    await press(at, at.getByRole('navigation').getByRole('button', { name: 'More' }));
    const card = at.getByRole('region', { name: 'Ring this phone when Wardline is closed' });
    await press(at, card.getByRole('button'));
    await card.getByRole('button', { name: 'Switch off' }).waitFor();
    assert.ok(await card.getByRole('button').evaluate((element) => element === document.activeElement), 'the focus stays');
    await at.keyboard.press('Enter');
    await card.getByRole('button', { name: 'Switch on' }).waitFor();
  },
  async 'keyboard: a unit’s templates come from a file, and what would change is seen before it is applied'(at, open) {
    await page(at, open, 'lead', 'Templates and quick replies');
    await at.locator('.templates .card').first().waitFor();
    await chooseFile(at, 'templates.txt', 'reply Seen, thank you\ntemplate Fall report\nfield Bed\n');
    await press(at, button(at, /^Apply \d+ changes?$/));
    await at.getByRole('status').filter({ hasText: /Set for/ }).waitFor();
  },
  async 'keyboard: a restricted patient’s sheet opens, says what is missing, and gives the focus back'(at, open) {
    await page(at, open, 'lead', 'Restricted patients');
    const restrict = at.locator('.restricted li .button').first();
    await press(at, restrict);
    await press(at, at.locator('dialog button[type=submit]'));
    await at.locator('dialog [role=alert]:not(:empty), dialog .fault:not(:empty)').first().waitFor();
    await at.keyboard.press('Escape');
    await at.locator('dialog').waitFor({ state: 'detached' });
    assert.ok(await restrict.evaluate((element) => element === document.activeElement), 'the focus is where it was');
  },
  async 'keyboard: a certificate that came is read before it is used'(at, open) {
    await page(at, open, 'admin', 'Administration');
    await press(at, at.locator('nav.inside').getByRole('button', { name: /^Certificate/ }));
    const file = at.locator('.nameCertificate textarea').last();
    await reach(at, file);
    await at.keyboard.insertText('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----');
    await press(at, at.locator('.nameCertificate form').last().locator('button[type=submit]'));
    await at.locator('.nameCertificate dl').last().waitFor();
  },
  async 'keyboard: a station with an urgent message shows no name, and opens what there is to set'(at, open) {
    await open('scene=stationUrgent');
    const shown = await at.locator('body').innerText();
    assert.match(shown, /urgent/i);
    assert.doesNotMatch(shown, /Rosa|Delgado|412-B|potassium/, 'nothing of anybody');
    const settings = at.locator('footer [aria-haspopup]');
    await press(at, settings);
    await at.locator('dialog').waitFor();
    await at.keyboard.press('Escape');
    await at.locator('dialog').waitFor({ state: 'detached' });
    assert.ok(await settings.evaluate((element) => element === document.activeElement), 'the focus is where it was');
  },
  async 'keyboard: who asks at the bed is answered within two steps from the inbox'(at, open) {
    await open('scene=noticesInbox');
    await press(at, button(at, /A visitor asks to be let in/));
    // The fixture's conversation opens without its mark: it is set as the domain has it.
    await at.evaluate(() => {
      const { fixture } = globalThis as unknown as { fixture: { snapshot: { inbox: object[]; conversation: object }; set(change: object): void } };
      fixture.set({ conversation: { ...fixture.snapshot.conversation, item: fixture.snapshot.inbox[0] } });
    });
    await press(at, button(at, 'Answer'));
    await at.getByRole('heading', { name: 'Family and visitors' }).waitFor();
  },
  async 'keyboard: a task that is over leads to its message'(at, open) {
    await open('scene=inbox');
    await press(at, button(at, /^Tasks/));
    const over = at.getByRole('region', { name: 'Over', exact: true });
    await press(at, over.getByRole('button').first());
    const acts = await at.evaluate(() => (globalThis as unknown as { fixture: { asked: { command: string; values: unknown[] }[] } }).fixture.asked.filter((one) => one.command === 'care').map((one) => one.values[0]));
    assert.deepEqual(acts.at(-1), { act: 'openAt', conversation: '0000000000000301', sequence: 9 });
  },
};
