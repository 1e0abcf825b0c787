/** The core path in WebKit (Debian's webkit2gtk-driver): join, PIN, send, receive, answer a STAT; the other end in Chromium. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box, freePort } from './box.ts';
import { PersonAtApp, PIN } from './person.ts';
import { WebDriver } from './webdriver.ts';

const DRIVER = '/usr/bin/WebKitWebDriver';
const SCREEN = '/usr/bin/Xvfb';
const isThere = existsSync(DRIVER) && existsSync(SCREEN) && spawnSync('unshare', [...mayMount(), 'true']).status === 0;

describe.runIf(isThere)('somebody with WebKit', () => {
  let box: Box;
  let ben: PersonAtApp;
  let home: string;
  let driver: ChildProcess;
  let webkit: WebDriver;

  beforeAll(async () => {
    box = await Box.start();
    ben = await PersonAtApp.join(box, 'Ben');
    home = mkdtempSync(join(tmpdir(), 'wardline-webkit-'));
    const port = await freePort();
    driver = drive(home, box, port);
    webkit = new WebDriver(port);
    const made = await begun(webkit);
    expect(made).toMatchObject({ acceptInsecureCerts: false });
    await webkit.go(`${box.address}/`);
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail') return;
    mkdirSync(`${import.meta.dirname}/out`, { recursive: true });
    writeFileSync(`${import.meta.dirname}/out/webkit${context.task.id}.png`, await webkit.picture());
  });
  afterAll(async () => {
    await webkit?.end().catch(() => undefined);
    if (driver?.pid !== undefined) process.kill(-driver.pid);
    await ben?.leaves();
    await box?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  test('joins, writes, is written to', async () => {
    await webkit.press('Go on in the browser');
    await webkit.fill('Join code', box.code('Ana'));
    await webkit.fill('Choose a PIN', PIN);
    await webkit.fill('Type the PIN again', PIN);
    await webkit.press('Join');
    await webkit.sees('Inbox');
    await ben.writeTo('Ana Flores');
    await ben.say('bed 4 is free');
    await webkit.pressText('bed 4 is free');
    await webkit.fill('Message', 'on my way');
    await webkit.press('Send');
    await ben.sees('on my way');
  });

  test('answers a STAT in one tap', async () => {
    await ben.say('code at the desk', 'STAT');
    await webkit.press('I have it');
    await ben.reads('Ana Flores has it');
  });

  test('knows its device when it is opened again', async () => {
    await webkit.reload();
    await Promise.race([webkit.sees('Inbox'), webkit.sees('Locked')]);
    expect(await webkit.run('return document.title')).toBe('Wardline');
  });
});

/** What a process needs to have places of its own for files: nothing, as root; else a namespace of users. */
function mayMount(): string[] {
  return process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
}

/**
 * WebKit takes its trust from the system's store and names from the system's table, and offers no other: so it is given its own of each,
 * which hold the facility's root and the box's name. Nobody else on the machine sees them.
 */
function drive(home: string, box: Box, port: number): ChildProcess {
  const [trust, hosts] = [join(home, 'trust.pem'), join(home, 'hosts')];
  const lines = box.root.toString('base64').match(/.{1,64}/g) ?? [];
  writeFileSync(trust, `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`);
  writeFileSync(hosts, `${readFileSync('/etc/hosts', 'utf8')}\n127.0.0.1 ${new URL(box.address).hostname}\n`);
  const display = `:${port}`;
  const script = [
    `mount --bind '${trust}' /etc/ssl/certs/ca-certificates.crt`,
    `mount --bind '${hosts}' /etc/hosts`,
    `Xvfb ${display} -screen 0 1280x1024x24 -nolisten tcp & exec ${DRIVER} --port=${port}`,
  ].join(' && ');
  return spawn('unshare', [...mayMount(), 'sh', '-c', script], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, HOME: home, DISPLAY: display, GDK_BACKEND: 'x11', LC_ALL: 'C.UTF-8', LIBGL_ALWAYS_SOFTWARE: '1' },
  });
}

/** As soon as the driver and the screen are there. */
async function begun(webkit: WebDriver): Promise<object> {
  for (const end = Date.now() + 30_000; ; ) {
    try {
      return await webkit.begin({ browserName: 'MiniBrowser' });
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}
