/** Texts and pages that mean harm: shown as what they are, let in nowhere. */

import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

const TEXTS: Readonly<Record<string, string>> = {
  markup: `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script><svg onload="document.title='broken'">`,
  'a template': `{@html "<b>broken</b>"} {{constructor.constructor("document.title='broken'")()}}`,
  'a link that runs': `javascript:document.title='broken'`,
  'reading directions': 'bed 4 \u202Edelgnam\u202C is \u2066free\u2069 \u200Fnow',
  'control characters': 'bed\u0000 4\u0007 is\u001B[31m free\u0085',
  'a tower of marks': `bed 4${'\u0301\u0489'.repeat(2_000)} is free`,
  'markup within marks': `**<img src=x onerror="document.title='broken'">** _<script>document.title='broken'</script>_ \`<svg onload="document.title='broken'">\`\n- [a](javascript:document.title='broken')`,
  'marks without end': '**_`'.repeat(2_000),
  'one endless word': 'x'.repeat(8_000),
};

describe('hostile texts', () => {
  let box: Box;
  let ana: PersonAtApp;
  let ben: PersonAtApp;

  beforeAll(async () => {
    box = await Box.start();
    ana = await PersonAtApp.join(box, 'Ana', { width: 320, height: 640 });
    ben = await PersonAtApp.join(box, 'Ben');
    await ben.writeTo('Ana Flores');
    await ben.say('first');
    await ana.open('Ben Okafor');
    await ana.sees('first');
  });
  afterAll(async () => {
    await ana?.leaves();
    await ben?.leaves();
    await box?.stop();
  });

  for (const [what, text] of Object.entries(TEXTS)) {
    test(`${what} is shown and does nothing`, async () => {
      await ben.say(text);
      const after = `after ${what}`;
      await ben.say(after);
      await ana.sees(after);
      expect(await ana.page.title()).toBe('Wardline');
      const shown = await ana.page.locator('main').innerText();
      // eslint-disable-next-line no-control-regex
      expect(shown).not.toMatch(/[\u061C\u200E\u200F\u202A-\u202E\u0000-\u0008\u000B-\u001F\u007F-\u009F]/);
      const wide = await ana.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(wide, 'the page is wider than the phone').toBe(0);
      if (what === 'markup') await ana.page.getByText('<script>').first().waitFor();
    });
  }

  test('what is shown and typed is offered to no translator and no writing service', async () => {
    const field = ana.page.getByLabel('Message', { exact: true });
    const offered = await field.evaluate((element) => ({ translate: Reflect.get(element, 'translate') as unknown, suggestions: Reflect.get(element, 'writingSuggestions') as unknown }));
    expect(offered).toEqual({ translate: false, suggestions: 'false' });
  });

  test('a tower of marks stays within its line', async () => {
    const heights = await ana.page.getByText(/^bed 4.+ is free$/s).evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
    for (const height of heights) expect(height).toBeLessThan(400);
  });
});

test('a page of another origin opens no socket, and cannot frame the app', async () => {
  const box = await Box.start();
  const mallory = await PersonAtApp.arrive(box, 'Mallory');
  const site = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><title>win a prize</title>'));
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const at = site.address();
  if (at === null || typeof at === 'string') throw new Error('no port');
  const page = await mallory.browser.context.newPage();
  await page.goto(`http://127.0.0.1:${at.port}/`);
  const opened = await page.evaluate(
    (address) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(`${address.replace('https', 'wss')}/wardline/1`, 'wardline.1');
        socket.onopen = () => resolve('opened');
        socket.onerror = () => resolve('refused');
      }),
    box.address,
  );
  expect(opened).toBe('refused');
  await page.evaluate((address) => {
    const frame = document.createElement('iframe');
    frame.src = `${address}/`;
    document.body.append(frame);
    return new Promise((resolve) => (frame.onload = resolve));
  }, box.address);
  const framed = page.frames().find((frame) => frame !== page.mainFrame());
  expect(await framed?.evaluate(() => document.body.innerText.includes('Wardline')).catch(() => false)).toBe(false);
  await page.close();
  site.close();
  mallory.browser.strangers.length = 0;
  await mallory.leaves();
  await box.stop();
});
