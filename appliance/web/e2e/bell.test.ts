/**
 * The bell, against a whole box with `wardline-bell`. A browser's own push service cannot be had in a test: what Chromium would have been
 * given by Google is handed to the app's real code, and ends at a push service of this machine; and what such a service would bring is
 * given to Chromium's real service worker.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';
import { PushService } from './push.ts';

const DESK = { width: 1440, height: 900 };
const ASKED = 'Ring this phone when Wardline is closed';

describe('a phone whose Wardline is closed', () => {
  let push: PushService;
  let box: Box;
  let ana: PersonAtApp;
  let ben: PersonAtApp;

  beforeAll(async () => {
    push = await PushService.start();
    box = await Box.start(push.bell);
    ana = await PersonAtApp.join(box, 'Ana');
    ben = await PersonAtApp.join(box, 'Ben');
  });
  afterAll(async () => {
    await ana?.leaves();
    await box?.stop();
    await push?.stop();
  });

  const card = () => ben.page.getByRole('region', { name: ASKED });

  test('is offered no bell until the facility has it on', async () => {
    await ben.tab('More');
    await ben.page.getByRole('heading', { name: 'Connection' }).waitFor();
    await ben.page.getByRole('region', { name: 'Unlock with a passkey' }).waitFor();
    expect(await card().count()).toBe(0);
    const jonas = await PersonAtApp.join(box, 'Jonas', DESK);
    await jonas.tab('More');
    await jonas.page.getByRole('button', { name: 'Administration', exact: true }).click();
    await jonas.page.getByRole('navigation', { name: 'Pages of administration' }).getByRole('button', { name: /^Policies/ }).click();
    const policy = jonas.page.getByRole('region', { name: 'Ring closed apps' });
    await policy.getByText(/They never see who wrote/).waitFor();
    await policy.getByRole('radio', { name: 'On' }).check();
    await policy.getByText(/each person has to switch it on anew/).waitFor();
    await jonas.leaves();
  });

  test('shows one text, whatever is pushed', async () => {
    const { context } = ben.browser;
    await context.grantPermissions(['notifications'], { origin: box.address });
    const cdp = await context.newCDPSession(ben.page);
    const registered = new Promise<string>((resolve) => {
      cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const ours = registrations.find((one) => one.scopeURL.startsWith(box.address) && !one.isDeleted);
        if (ours !== undefined) resolve(ours.registrationId);
      });
    });
    await cdp.send('ServiceWorker.enable');
    const registrationId = await registered;
    // What is pushed to one that is not active yet is nobody's.
    await ben.page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
    const shown = () =>
      ben.page.evaluate(async () => {
        const { getNotifications } = await navigator.serviceWorker.ready.then((one) => ({ getNotifications: () => one.getNotifications() }));
        return (await getNotifications()).map(({ title, body, tag, data }) => ({ title, body, tag, data: data as unknown }));
      });
    for (const data of ['', 'Maria Keller, bed 7', '{"title":"<b>x</b>","body":"STAT"}']) {
      await cdp.send('ServiceWorker.deliverPushMessage', { origin: box.address, registrationId, data });
      await expect.poll(shown).toEqual([{ title: 'Wardline', body: 'Something waits for you. Open Wardline.', tag: 'wardline', data: null }]);
    }
    // In the language that was chosen in the app, whatever the browser's is.
    const says = async () => {
      await cdp.send('ServiceWorker.deliverPushMessage', { origin: box.address, registrationId, data: 'x' });
      return (await shown()).map(({ body }) => body);
    };
    await ben.page.getByRole('radio', { name: 'Español' }).check();
    await expect.poll(says).toEqual(['Algo le espera. Abra Wardline.']);
    await ben.page.getByRole('radio', { name: 'English' }).check();
    await expect.poll(says).toEqual(['Something waits for you. Open Wardline.']);
  });

  test('is switched on by its nurse, who reads what others see of it', async () => {
    await ben.page.evaluate(({ endpoint, p256dh, auth }) => {
      let held: object | null = null;
      PushManager.prototype.getSubscription = () => Promise.resolve(held as PushSubscription | null);
      PushManager.prototype.subscribe = (options) => {
        const keys: Record<string, number[]> = { p256dh, auth };
        const { applicationServerKey } = options ?? {};
        const key = applicationServerKey as Uint8Array<ArrayBuffer>;
        if (options?.userVisibleOnly !== true || key.length !== 65) throw new Error('not what a browser takes');
        held = {
          endpoint,
          options: { userVisibleOnly: true, applicationServerKey: key.buffer },
          getKey: (name: string) => Uint8Array.from(keys[name] ?? []).buffer,
          unsubscribe: () => Promise.resolve(true),
        };
        return Promise.resolve(held as PushSubscription);
      };
    }, push.subscription);
    await ben.tab('Inbox');
    await ben.tab('More');
    await card().getByText(/They see that this phone was rung, when, and by which box’s key/).waitFor();
    await card().getByRole('button', { name: 'Switch on' }).click();
    await card().getByText(/^On\. A STAT rings this phone/).waitFor();
    expect(push.came).toEqual([]);
  });

  test('is rung by a STAT exactly once, and nothing but the constant text is inside', async () => {
    // Just now: the box may take him to be there still, and rings him once it does not.
    await ben.leaves();
    await ana.writeTo('Ben');
    await ana.say('routine words');
    await ana.sees('routine words');
    expect(push.came).toEqual([]);
    await ana.say('bed 7 does not breathe', 'STAT');
    await expect.poll(() => push.came.length, { timeout: 40_000 }).toBe(1);
    const [came] = push.came;
    if (came === undefined) throw new Error('nothing came');
    expect(push.open(came)).toBe('Wardline');
    expect(came.path).toBe('/push/JzLQ3raZ');
    expect(came.headers).toMatchObject({ ttl: '300', urgency: 'high', topic: 'wardline', 'content-encoding': 'aes128gcm' });
    await ana.say('more words');
    await ana.sees('more words');
    expect(push.came.length).toBe(1);
  });

  test('is counted as sent out of the box', async () => {
    const jonas = await PersonAtApp.join(box, 'Jonas', DESK);
    await jonas.tab('More');
    await jonas.page.getByRole('button', { name: 'Administration', exact: true }).click();
    await jonas.page.getByRole('navigation', { name: 'Pages of administration' }).getByRole('button', { name: /^Box health/ }).click();
    await jonas.page.getByText('1 sent · 0 to phones that are gone · 0 refused · 0 failed').waitFor();
    await jonas.leaves();
  });
});
