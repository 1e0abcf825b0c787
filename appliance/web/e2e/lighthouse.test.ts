/** Lighthouse at the screens that people meet first, and most, as a whole box serves them: 100 for accessibility and for best practices. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box, freePort } from './box.ts';
import { Lookout, type Seen } from './lighthouse.ts';
import { PersonAtApp } from './person.ts';

const DESK = 'Desk, Hall A';

function isFaultless({ scores, faults }: Seen): void {
  expect(faults).toEqual([]);
  expect(scores).toEqual({ accessibility: 100, 'best-practices': 100 });
}

describe('Lighthouse has nothing to say', () => {
  let box: Box;
  let ana: PersonAtApp;
  let ben: PersonAtApp;
  let lookout: Lookout;

  beforeAll(async () => {
    box = await Box.start();
    const debugPort = await freePort();
    ana = await PersonAtApp.arrive(box, 'Ana', { debugPort });
    lookout = await Lookout.at(debugPort);
  });
  afterEach(async (context) => {
    if (context.task.result?.state === 'fail') await ana.picture(context.task.id);
  });
  afterAll(async () => {
    await lookout?.leaves();
    await ben?.leaves();
    await ana?.leaves();
    await box?.stop();
  });

  test.each([
    ['/', 'Install Wardline'],
    ['/check', 'Look again'],
    ['/trust', 'This device trusts the box.'],
  ])('of %s as it loads', async (path, words) => {
    isFaultless(await lookout.loading(box.address, path));
    await ana.page.getByText(words).first().waitFor();
  });

  test('of a station screen', async () => {
    box.admin('add-station', 'Hall A', DESK);
    const debugPort = await freePort();
    const desk = await PersonAtApp.arrive(box, 'Desk', { width: 1024, height: 768, debugPort });
    const atDesk = await Lookout.at(debugPort);
    await desk.goOnInBrowser();
    await desk.redeem(box.code(DESK));
    await desk.page.getByText('Nothing rings').waitFor();
    isFaultless(await atDesk.here(box.address));
    await atDesk.leaves();
    await desk.leaves();
  });

  test('of joining, the inbox and a conversation', async () => {
    await ana.page.goto(`${box.address}/`);
    await ana.goOnInBrowser();
    isFaultless(await lookout.here(box.address));
    await ana.redeem(box.code('Ana'));
    await ana.seesInbox();
    ben = await PersonAtApp.join(box, 'Ben');
    await ben.writeTo('Ana Flores');
    await ben.say('bed 4 is free');
    await ben.say('come at once', 'STAT');
    await ana.tab('Inbox');
    await ana.page.getByRole('main').getByText('Ben Okafor').first().waitFor();
    isFaultless(await lookout.here(box.address));
    await ana.open('Ben Okafor');
    await ana.sees('come at once');
    isFaultless(await lookout.here(box.address));
  });

  test('of the lock, as it stands and as it loads', async () => {
    await ana.lock();
    isFaultless(await lookout.here(box.address));
    isFaultless(await lookout.loading(box.address, '/'));
    await ana.page.getByRole('heading', { name: 'Locked' }).waitFor();
  });
});
