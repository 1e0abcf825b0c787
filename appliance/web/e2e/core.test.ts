/**
 * The core path, in real browsers against a real box: join, PIN, send, receive, STAT, lock, a box that goes away.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { Cable } from './cable.ts';
import { PersonAtApp, PIN } from './person.ts';

describe.each(['WebTransport', 'WebSocket'] as const)('two people at their phones, over %s', (by) => {
  let box: Box;
  let cable: Cable;
  let ana: PersonAtApp;
  let ben: PersonAtApp;

  beforeAll(async () => {
    box = await Box.start();
    // Where datagrams are dropped the app goes another way by itself.
    cable = await Cable.lay(box, { udp: by === 'WebTransport' });
    ana = await PersonAtApp.join(box, 'Ana', {}, cable);
    ben = await PersonAtApp.join(box, 'Ben', {}, cable);
    expect([await ana.doorway(), await ben.doorway()]).toEqual([by, by]);
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail') return;
    await ana.picture(context.task.id);
    await ben.picture(context.task.id);
  });
  afterAll(async () => {
    await ana?.leaves();
    await ben?.leaves();
    cable?.remove();
    await box?.stop();
  });

  test('a message is on the other screen, and its author sees that it was read', async () => {
    await ana.writeTo('Ben Okafor');
    await ana.say('bed 4 is free');
    await ben.open('Ana Flores');
    await ben.sees('bed 4 is free');
    await ana.page.getByText('Read', { exact: true }).filter({ visible: true }).first().waitFor();
    await ben.say('on my way');
    await ana.sees('on my way');
  });

  test('a STAT rings, is answered in one tap, and its author sees who has it', async () => {
    await ben.tab('Inbox');
    await ana.say('code at the desk', 'STAT');
    await ben.page.getByRole('button', { name: 'Open', exact: true }).or(ben.page.getByText('Rings for you')).first().click();
    await ben.page.getByRole('button', { name: 'I have it' }).click();
    await ana.reads('Ben Okafor has it');
  });

  test('what somebody else cannot take goes on', async () => {
    await ana.say('second call', 'STAT');
    await ben.page.getByRole('button', { name: "Can't" }).last().click();
    await ben.page.getByRole('button', { name: 'With another patient' }).click();
    await ana.reads('Nobody has answered yet');
    await ana.page.getByRole('button', { name: 'Close', exact: true }).last().click();
    await ana.reads('Closed');
  });

  test('a locked phone shows no text and no name, and says "coming" in one tap', async () => {
    await ben.lock();
    await ana.say('third call', 'STAT');
    await ben.page.getByRole('button', { name: 'Coming', exact: true }).waitFor();
    const shown = await ben.page.locator('body').innerText();
    for (const secret of ['third call', 'Ana', 'bed 4']) expect(shown).not.toContain(secret);
    await ben.page.getByRole('button', { name: 'Coming', exact: true }).click();
    await ana.reads('Ben Okafor is coming');
    await ben.unlock('000001');
    await ben.page.getByText(/tries are left/).waitFor();
    await ben.unlock();
    await ben.open('Ana Flores');
    await ben.page.getByRole('button', { name: 'I have it' }).last().click();
    await ana.reads('Ben Okafor has it');
  });

  test('the relay is killed in the midst of it: nothing is lost, and nobody types a PIN', async () => {
    await ana.say('before the cut');
    await ben.sees('before the cut');
    box.killRelay();
    await ana.say('during the cut');
    await ben.sees('during the cut');
    await ben.say('heard you');
    await ana.sees('heard you');
    expect(await ben.texts('(before|during) the cut')).toEqual(['before the cut', 'during the cut']);
  });

  test('a phone that is opened again knows its device and wants the PIN alone, or nothing while the session is open', async () => {
    await ben.page.reload();
    const inbox = ben.page.getByRole('heading', { name: 'Inbox' });
    const locked = ben.page.getByRole('heading', { name: 'Locked' });
    await inbox.or(locked).first().waitFor();
    if (await locked.isVisible()) await ben.unlock(PIN);
    await ben.open('Ana Flores');
    await ben.sees('during the cut');
  });

  test('somebody suspended is out at once', async () => {
    box.admin('suspend', 'Ben');
    // Why the connection ended, or what the next one was told where that came too late.
    await ben.page.getByRole('heading', { name: /no longer let in|Your access is suspended/ }).waitFor();
    const shown = await ben.page.locator('body').innerText();
    for (const secret of ['during the cut', 'Ana Flores']) expect(shown).not.toContain(secret);
  });
});

test('a code that is wrong or spent is refused in words, and opens nothing', async () => {
  const box = await Box.start();
  const mallory = await PersonAtApp.arrive(box, 'Mallory');
  await mallory.goOnInBrowser();
  await mallory.redeem('ABCDEFGHJK');
  await mallory.page.getByRole('alert').first().waitFor();
  expect(await mallory.page.getByRole('heading', { name: 'Join' }).isVisible()).toBe(true);
  await mallory.leaves();
  await box.stop();
});
