/** A publicly trusted certificate for the name that people type: asked for and brought by an administrator, met by phones that trust nobody else. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Authority } from './authority.ts';
import { Box } from './box.ts';
import { Browser, type Way } from './browser.ts';
import { PersonAtApp } from './person.ts';

const NAME = 'wardline.klinik.example';
const DESK = { width: 1440, height: 900 };
const DAY = 86_400_000;

describe('a box with a name that phones know', () => {
  let box: Box;
  let authority: Authority;
  let jonas: PersonAtApp;
  let ben: PersonAtApp;
  let ana: PersonAtApp;
  let way: Way;

  beforeAll(async () => {
    [box, authority] = [await Box.start(), new Authority()];
    way = { address: `https://${NAME}:${box.port}`, hostRule: `MAP ${NAME} 127.0.0.1`, root: authority.root };
    jonas = await PersonAtApp.join(box, 'Jonas', DESK);
    ben = await PersonAtApp.join(box, 'Ben');
    await jonas.tab('More');
    await jonas.page.getByRole('button', { name: 'Administration', exact: true }).click();
    await jonas.page.getByRole('button', { name: /^Certificate/ }).click();
    await jonas.page.getByRole('heading', { name: 'Certificate', exact: true }).waitFor();
  });
  afterEach(async (context) => {
    if (context.task.result?.state === 'fail') await jonas.picture(context.task.id);
  });
  afterAll(async () => {
    for (const person of [ana, ben, jonas]) await person?.leaves();
    authority?.remove();
    await box?.stop();
  });

  const does = (name: string) => jonas.page.getByRole('button', { name, exact: true }).click();
  const field = (name: string) => jonas.page.getByLabel(name, { exact: true });

  /** What stands under "The request", which is another one than before. */
  async function asks(before = ''): Promise<string> {
    await field('Names of this box').fill(`https://${NAME}/`);
    const made = jonas.page.getByText('The request is made.');
    const declined = jonas.page.getByRole('alert').filter({ visible: true });
    // A page whose box was killed a moment ago may know it only once it asks; it says to try again, and then that takes a second or two.
    const asking = async (): Promise<string> => {
      if ((await made.count()) > 0) return 'made';
      if (before === '') await does('Make the request');
      else {
        await does('Make another request');
        await jonas.page.getByRole('dialog').getByRole('button', { name: 'Make another request' }).click();
      }
      await made.or(declined).first().waitFor({ timeout: 60_000 });
      return (await made.count()) > 0 ? 'made' : ((await declined.first().textContent()) ?? '');
    };
    await expect.poll(asking, { timeout: 60_000, interval: 1_000 }).toBe('made');
    const request = await field('The request').inputValue();
    expect(request).not.toBe(before);
    return request;
  }

  async function brings(file: string): Promise<void> {
    await field('Certificate with its chain (PEM)').fill(file);
    await does('Look at it');
    await jonas.page.getByRole('heading', { name: 'What was read' }).waitFor();
    await does('Use it');
    await jonas.page.getByText('It is in use from now on.').waitFor();
  }

  test('is asked for by its administrator, who is told what is wrong with a file before anything changes', async () => {
    expect(authority.meets(NAME, box.port)).toBeNull();
    const request = await asks();
    const { own, issuer } = authority.certify(request, Date.now() + 10 * DAY);
    for (const [file, says] of [
      [own, 'The chain is missing'],
      [`${issuer}${own}`, 'The certificates are not in order'],
      [issuer, 'This certificate is for another key'],
      [`${own}${issuer}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`, 'There is a private key in this file'],
    ] as const) {
      await field('Certificate with its chain (PEM)').fill(file);
      await does('Look at it');
      await jonas.page.getByText(says).waitFor();
    }
    await does('Start over');
    // As a portal gives them out: one file after the other.
    const pick = jonas.page.locator('input[type=file]');
    await pick.setInputFiles({ name: 'box.crt', mimeType: 'application/x-x509-ca-cert', buffer: Buffer.from(`subject=CN = ${NAME}\n${own}`) });
    await expect.poll(() => field('Certificate with its chain (PEM)').inputValue()).toContain('END CERTIFICATE');
    await pick.setInputFiles({ name: 'issuer.crt', mimeType: 'application/x-x509-ca-cert', buffer: Buffer.from(issuer) });
    await does('Look at it');
    await jonas.page.getByText('Example Trust, Example CA 1').waitFor();
    expect(authority.meets(NAME, box.port), 'looking changes nothing').toBeNull();
    await does('Use it');
    await jonas.page.getByText('It ends within 14 days.').waitFor();
    expect(authority.meets(NAME, box.port)).toBe(own.trim().replace(/\n-----END CERTIFICATE-----$/, '\n'));
    expect(authority.meets('box.lindenhof.example', box.port)).toBeNull();
  });

  test('lets a phone in that trusts that authority alone, over WebTransport by the leaf’s hash', async () => {
    ana = await PersonAtApp.join(box, 'Ana', {}, way);
    await ana.writeTo('Ben Okafor');
    await ana.say('by the name');
    await ben.open('Ana Flores');
    await ben.sees('by the name');
    expect(await ana.doorway()).toBe('WebTransport');
    const page = await ana.browser.context.newPage();
    await page.goto(`${way.address}/trust`);
    await page.getByText('nothing to install on another phone either').waitFor();
    await page.close();
    expect(ana.browser.complaints).toEqual([]);
  });

  test('still does after the relay was killed, and changes certificates under an open session', async () => {
    const served = authority.meets(NAME, box.port);
    box.killRelay();
    await expect.poll(() => authority.meets(NAME, box.port), { timeout: 30_000 }).toBe(served);
    await ana.open('Ben Okafor');
    await ana.say('after the restart');
    await ben.sees('after the restart');
    await ana.page.evaluate(watchForLoss);
    const before = await field('The request').count();
    expect(before, 'no request waits once its certificate is in use').toBe(0);
    await jonas.page.getByText(/Not connected|Connecting/).filter({ visible: true }).first().waitFor({ state: 'hidden' });
    const request = await asks();
    expect(authority.meets(NAME, box.port), 'the one in use stays').toBe(served);
    const { own, issuer } = authority.certify(request, Date.now() + 9 * DAY);
    await brings(own + issuer);
    expect(authority.meets(NAME, box.port)).not.toBe(served);
    await ana.say('under another certificate');
    await ben.sees('under another certificate');
    expect(await ana.page.evaluate(() => (window as unknown as { lost: string[] }).lost)).toEqual([]);
  });

  test('opens in an installed app whose certificate has ended, by the cached shell and the hashes that it knows', async () => {
    const request = await asks();
    const until = Date.now() + 20_000;
    const { own, issuer } = authority.certify(request, until);
    await brings(own + issuer);
    expect(authority.meets(NAME, box.port)).not.toBeNull();
    // Closed while it held, opened when it has ended.
    await expect.poll(() => ana.page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    const home = await ana.browser.quit();
    // A certificate's last second is good to some and not to others.
    const hasEnded = (): boolean => Date.now() > until + 1_000 && authority.meets(NAME, box.port) === null;
    await expect.poll(hasEnded, { timeout: 60_000, interval: 500 }).toBe(true);

    const stranger = await Browser.open(way);
    await expect(stranger.page.goto(`${way.address}/`)).rejects.toThrow(/ERR_CERT/);
    await stranger.close();

    ana = PersonAtApp.again('Ana', await Browser.open(way, {}, home));
    await ana.page.goto(`${way.address}/`);
    // The box has her session open still.
    await ana.seesInbox();
    await ana.open('Ben Okafor');
    await ana.say('past the end of the name');
    await ben.sees('past the end of the name');
    expect(await ana.doorway()).toBe('WebTransport');
    await jonas.page.getByRole('button', { name: 'Back', exact: true }).filter({ visible: true }).last().click();
    await jonas.page.getByRole('button', { name: /^Certificate/ }).click();
    await jonas.page.getByText('It has ended.').waitFor();
    // The browser says why it does not look there for hashes.
    const others = ana.browser.complaints.splice(0).filter((said) => !said.includes('ERR_CERT_AUTHORITY_INVALID'));
    expect(others).toEqual([]);
  });
});

/** Keeps what the page says while it has no connection. */
function watchForLoss(): void {
  const lost: string[] = [];
  (window as unknown as { lost: string[] }).lost = lost;
  new MutationObserver(() => {
    const said = /Not connected|Connecting|No connection/.exec(document.body.innerText);
    if (said !== null) lost.push(said[0]);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}
