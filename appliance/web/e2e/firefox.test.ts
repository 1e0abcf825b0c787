/** The core path in Firefox: join, PIN, send, receive, answer a STAT, lock; the other end in Chromium. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { FIREFOX, FIREFOX_PREFERENCES, firefoxProfile } from './firefox.ts';
import { PersonAtApp, PIN } from './person.ts';

describe.runIf(existsSync(FIREFOX))('somebody with Firefox', () => {
  let box: Box;
  let ben: PersonAtApp;
  let home: string;
  let firefox: Browser;
  let page: Page;

  beforeAll(async () => {
    box = await Box.start();
    ben = await PersonAtApp.join(box, 'Ben');
    home = mkdtempSync(join(tmpdir(), 'wardline-firefox-'));
    firefox = await puppeteer.launch({
      browser: 'firefox',
      executablePath: FIREFOX,
      userDataDir: firefoxProfile(home, box),
      acceptInsecureCerts: false,
      extraPrefsFirefox: FIREFOX_PREFERENCES,
      env: { ...process.env, HOME: home },
    });
    page = await firefox.newPage();
    page.setDefaultTimeout(30_000);
    await page.setViewport({ width: 390, height: 844 });
    await page.goto(`${box.address}/`);
  });
  afterAll(async () => {
    await firefox?.close();
    await ben?.leaves();
    await box?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const press = (name: string) => page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
  const fill = async (label: string, text: string): Promise<void> => {
    const field = await page.waitForFunction(
      (wanted) => [...document.querySelectorAll('label')].find((one) => one.textContent.trim() === wanted)?.control,
      {},
      label,
    );
    await field.asElement()?.type(text);
  };
  const sees = (text: string) => page.locator(`::-p-text(${text})`).wait();

  test('joins, writes, is written to', async () => {
    await press('Go on in the browser');
    await fill('Join code', box.code('Ana'));
    await fill('Choose a PIN', PIN);
    await fill('Type the PIN again', PIN);
    await press('Join');
    await sees('Inbox');
    await ben.writeTo('Ana Flores');
    await ben.say('bed 4 is free');
    await page.locator('::-p-text(bed 4 is free)').click();
    await fill('Message', 'on my way');
    await press('Send');
    await ben.sees('on my way');
  });

  test('answers a STAT in one tap', async () => {
    await ben.say('code at the desk', 'STAT');
    await press('I have it');
    await ben.reads('Ana Flores has it');
  });

  test('knows its device when it is opened again', async () => {
    await page.reload();
    await Promise.race([sees('Inbox'), sees('Locked')]);
    expect(await page.title()).toBe('Wardline');
  });
});
