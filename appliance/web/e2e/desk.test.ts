/** A ward's desk, in real browsers: the station screen that rings when nobody answers, whatever happens to it meanwhile. */

import { createHash } from 'node:crypto';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { Browser } from './browser.ts';
import { Cable } from './cable.ts';
import { PersonAtApp, PIN } from './person.ts';

const DESK = 'Desk, Hall A';
/** Steps at which nobody can be reached are passed over in 5 s each, and 30 s after the box has started. */
const STEPS_MS = 80_000;

describe("a unit's screen", () => {
  let box: Box;
  let cable: Cable;
  let chidi: PersonAtApp;
  let emil: PersonAtApp;
  let desk: PersonAtApp;

  beforeAll(async () => {
    box = await Box.start();
    cable = await Cable.lay(box);
    box.admin('add-station', 'Hall A', DESK);
    chidi = await PersonAtApp.join(box, 'Chidi');
    emil = await PersonAtApp.join(box, 'Emil');
    desk = await PersonAtApp.arrive(cable, 'Desk', { width: 1024, height: 768, dark: true });
    await desk.goOnInBrowser();
    await desk.redeem(box.code(DESK));
    await shows('Nothing rings');
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail') return;
    for (const one of [desk, chidi, emil]) await one.picture(context.task.id);
  });
  afterAll(async () => {
    await desk?.leaves();
    await chidi?.leaves();
    await emil?.leaves();
    cable?.remove();
    await box?.stop();
  });

  /** The largest words on the screen. */
  async function shows(words: string): Promise<void> {
    await desk.page.getByText(words, { exact: true }).waitFor({ timeout: STEPS_MS });
  }

  test('is named, and its device is asked for nothing more', async () => {
    await desk.page.getByRole('heading', { name: DESK }).waitFor();
    await desk.page.reload();
    await shows('Nothing rings');
    expect(await desk.page.getByLabel('PIN').count()).toBe(0);
  });

  test('rings when nobody answers, and shows no name and no text', async () => {
    await chidi.writeTo('Emil Sand');
    await chidi.say('bed 7 does not breathe', 'STAT');
    await emil.page.getByRole('button', { name: 'Open', exact: true }).click();
    await emil.page.getByRole('button', { name: "Can't" }).last().click();
    await emil.page.getByRole('button', { name: 'With another patient' }).click();
    await shows('Nobody has answered');
    const shown = await desk.page.locator('body').innerText();
    for (const secret of ['breathe', 'bed 7', 'Chidi', 'Emil']) expect(shown).not.toContain(secret);
  });

  test('goes on ringing when the relay is killed, and when it is opened again', async () => {
    box.killRelay();
    // What rings is told anew by the box alone: a page that was loaded again knows nothing of it.
    await desk.page.reload();
    await shows('Nobody has answered');
  });

  test('is silent once it is over', async () => {
    // An act is not kept for later: the box has to be back for its author, too.
    await chidi.say('it was the monitor');
    await emil.sees('it was the monitor');
    await chidi.page.getByRole('button', { name: 'Close', exact: true }).last().click();
    await shows('Nothing rings');
  });

  test('does not look calm in a network that swallows everything, and comes back by itself', async () => {
    cable.deaden();
    await shows('NOT CONNECTED');
    cable.mend();
    await shows('Nothing rings');
  });

  test('without the box says so, also when it is opened again, and comes back when the box does', async () => {
    await box.down();
    await shows('NOT CONNECTED');
    await desk.page.reload();
    await shows('NOT CONNECTED');
    await desk.page.getByRole('heading', { name: DESK }).waitFor();
    await box.up();
    await shows('Nothing rings');
  });

  test('that was switched off says that it needs a touch before it sounds', async () => {
    const home = await desk.browser.quit();
    desk.browser = await Browser.open(cable, { width: 1024, height: 768 }, home);
    // Whatever looks into a page from outside counts as a touch there: so this browser's rule is kept by the page itself.
    await desk.browser.context.addInitScript(() => {
      let isTouched = false;
      addEventListener('pointerdown', () => (isTouched = true), { capture: true });
      globalThis.AudioContext = class extends AudioContext {
        constructor() {
          super();
          if (!isTouched) void this.suspend();
        }
        override resume(): Promise<void> {
          return isTouched ? super.resume() : Promise.resolve();
        }
      };
    });
    await desk.page.goto(`${cable.address}/`);
    await shows('Nothing rings');
    await desk.page.getByRole('button', { name: 'Touch once to let it ring' }).click();
    await desk.page.getByText('No sound yet').waitFor({ state: 'detached' });
  });

  test('that is revoked says that it does not watch', async () => {
    box.admin('suspend', DESK);
    await shows('THIS SCREEN DOES NOT WATCH');
  });
});

test('who is new practises a shift, and nobody hears of it', async () => {
  const box = await Box.start();
  const emil = await PersonAtApp.join(box, 'Emil');
  const { page } = emil;
  const practice = page.getByRole('dialog', { name: 'Practice shift' });
  // The real app lies beneath, and has the same tabs.
  const tab = async (name: string) => {
    const back = practice.getByRole('button', { name: 'Back', exact: true });
    if ((await back.count()) > 0) await back.first().click();
    await practice.getByRole('navigation').getByText(name, { exact: true }).click();
  };
  const next = () => page.getByRole('button', { name: 'Next', exact: true }).click();
  await page.getByRole('button', { name: 'Practise now' }).click();
  await page.getByRole('button', { name: 'Rosa Practice' }).click();
  await next();
  await page.getByRole('button', { name: 'I have it' }).click();
  await practice.getByRole('button', { name: 'Hand back' }).waitFor();
  await next();
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByRole('button', { name: "Can't" }).click();
  await page.getByRole('button', { name: 'With another patient' }).click();
  await next();
  await tab('Patients');
  await page.getByRole('button', { name: 'Take beds' }).click();
  await page.getByLabel('Or type beds and ranges').fill('12');
  await page.getByRole('button', { name: 'Take them' }).click();
  await next();
  await practice.getByText('Rosa Practice').filter({ visible: true }).first().click();
  await practice.getByLabel('Message', { exact: true }).fill('slept and ate, walk her after lunch');
  await practice.getByRole('button', { name: 'Send', exact: true }).click();
  await next();
  await tab('Patients');
  await page.getByRole('button', { name: /^End shift/ }).click();
  await page.getByRole('dialog', { name: /End/ }).getByRole('button', { name: 'End shift' }).click();
  await next();
  await page.getByText('That was a shift.').waitFor();
  await page.getByRole('button', { name: 'Finish' }).click();
  await emil.tab('Inbox');
  expect(await page.getByText('Practise now').count()).toBe(0);
  expect(await page.getByText('Rosa Practice').count()).toBe(0);
  await emil.leaves();
  await box.stop();
});

test('a unit of 24 beds is two pages of paper, and nothing else is printed', async () => {
  const box = await Box.start();
  for (let bed = 1; bed <= 24; bed += 1) {
    box.patient('admit', `R${bed}`, 'Hall A', `${bed}`, '--name', `Patient Number ${bed} of a Long Family Name`, '--born', '1950-01-01', '--sex', 'F');
  }
  const ana = await PersonAtApp.join(box, 'Ana', { width: 1280, height: 800 });
  const { page } = ana;
  // One print at a time; this one is made by the test.
  await page.evaluate(() => {
    window.print = () => undefined;
  });
  const pages = async (format: string) => ((await page.pdf({ format, preferCSSPageSize: false })).toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g) ?? []).length;
  await page.emulateMedia({ media: 'print' });
  expect(await page.getByRole('heading', { name: 'Inbox' }).isVisible()).toBe(false);
  await page.emulateMedia({ media: null });
  await ana.tab('More');
  await page.getByRole('button', { name: 'Downtime sheet' }).click();
  // No page is there before the box has the print on record, and that wants the PIN.
  const put = async (pin: string) => {
    await page.getByLabel('PIN', { exact: true }).fill(pin);
    await page.getByRole('button', { name: 'Put it on record and print' }).click();
  };
  await put('739155');
  await page.getByText(/That was not your PIN\./).waitFor();
  expect(await page.getByText('Patient Number 1 of a Long Family Name').count()).toBe(0);
  await put(PIN);
  await page.getByText(/^2 pages\./).waitFor();
  expect([await pages('A4'), await pages('Letter')]).toEqual([2, 2]);
  await page.emulateMedia({ media: 'print' });
  for (const bed of [1, 24]) expect(await page.getByText(`Patient Number ${bed} of a Long Family Name`).isVisible()).toBe(true);
  await page.getByText('Page 2 of 2').waitFor();
  const shown = await page.locator('body').innerText();
  expect(shown).toMatch(/Printed by\W+Ana Flores/);
  expect(shown).toContain('Destroy by');
  await page.emulateMedia({ media: null });
  await ana.leaves();
  await box.stop();
});

describe('whoever is not let in', () => {
  let box: Box;
  let cable: Cable;
  let ana: PersonAtApp;

  beforeAll(async () => {
    box = await Box.start();
    cable = await Cable.lay(box);
    ana = await PersonAtApp.arrive(cable, 'Ana');
  });
  afterEach(async (context) => {
    if (context.task.result?.state === 'fail') await ana.picture(context.task.id);
  });
  afterAll(async () => {
    await ana?.leaves();
    cable?.remove();
    await box?.stop();
  });

  test('learns at /check whether the box answers', async () => {
    await ana.page.goto(`${cable.address}/check`);
    await ana.page.getByText('The box answers. Wardline works from here.').waitFor();
    for (const found of ['The same as on the box.', 'Right.', 'Opens.']) await ana.page.getByText(found).waitFor();
    // Once the service worker has all of the app.
    await ana.page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
    cable.cut();
    await ana.page.getByRole('button', { name: 'Look again' }).click();
    await ana.page.getByText('The box does not answer from here. Try the three checks.').waitFor();
  });

  test('finds /check in a browser that has been here, also without the box', async () => {
    await ana.page.reload();
    await ana.page.getByText('The box does not answer from here. Try the three checks.').waitFor();
    cable.mend();
    await ana.page.getByRole('button', { name: 'Look again' }).click();
    await ana.page.getByText('The box answers. Wardline works from here.').waitFor();
    await ana.page.getByRole('link', { name: 'Open Wardline' }).click();
    await ana.page.getByRole('button', { name: 'Go on in the browser' }).waitFor();
  });

  test('reads at /trust that a device believes the box', async () => {
    await ana.page.goto(`${cable.address}/trust`);
    await ana.page.getByText('This device trusts the box. There is nothing to do here.').waitFor();
    await ana.page.getByRole('radio', { name: 'iPhone, iPad' }).check();
    await ana.page.getByText('Without this step nothing works.').waitFor();
    // The box's own root, as its file on IT's laptop has it.
    const sha256 = createHash('sha256').update(box.root).digest('hex');
    const shown = await ana.page.locator('.sha').first().innerText();
    expect(shown.replace(/[^0-9a-f]/gi, '').toLowerCase()).toBe(sha256);
    const files = await ana.page.evaluate(async () => {
      const paths = ['/trust/facility-root.crt', '/trust/facility-root.pem', '/trust/wardline.mobileconfig'];
      return Promise.all(paths.map(async (path) => (await fetch(path)).headers.get('content-type')));
    });
    expect(files).toEqual(['application/x-x509-ca-cert', 'application/x-pem-file', 'application/x-apple-aspen-config']);
  });
});
