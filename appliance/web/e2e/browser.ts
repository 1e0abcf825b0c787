/**
 * Somebody's browser: Chromium with a profile of its own that trusts the facility root by its own store (NSS), as a managed device
 * does. No certificate check is switched off.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** What any step of a test may take on a busy machine. */
const PATIENCE_MS = 20_000;

/** What a browser reaches the box by: the box itself, or a cable to it. */
export interface Way {
  readonly address: string;
  readonly hostRule: string;
  readonly root: Buffer;
}

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  readonly locale?: string;
  /** A made-up camera, whose use is allowed without a question; what it sees, as a file (YUV4MPEG2), or Chromium's own picture. */
  readonly camera?: boolean | string;
  /** Its pages go by clocks that a test can let leap. */
  readonly leaps?: boolean;
  /** Where another program of the test's may look at its pages. */
  readonly debugPort?: number;
}

/** Where Chromium is, or null: then the tests say so aloud. */
export function browserProgram(): string | null {
  return PROGRAMS.find((path) => existsSync(path)) ?? null;
}

export class Browser {
  readonly home: string;
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the page complained of: nothing, in a test that passes. */
  readonly complaints: string[] = [];
  /** Requests to anywhere but the box. */
  readonly strangers: string[] = [];

  private constructor(home: string, context: BrowserContext, page: Page) {
    this.home = home;
    this.context = context;
    this.page = page;
  }

  /** Opens one, with an empty profile unless `home` has one. */
  static async open(way: Way, look: Look = {}, home = newHome(way)): Promise<Browser> {
    const program = browserProgram();
    if (program === null) throw new Error('there is no Chromium here');
    const context = await chromium.launchPersistentContext(join(home, 'profile'), {
      executablePath: program,
      // Playwright would switch the checks off by itself.
      ignoreDefaultArgs: ['--ignore-certificate-errors', '--disable-component-update'],
      args: [
        `--host-resolver-rules=${way.hostRule}`,
        '--no-sandbox',
        '--disable-background-networking',
        '--no-first-run',
        '--password-store=basic',
        ...(look.debugPort === undefined ? [] : [`--remote-debugging-port=${look.debugPort}`]),
        ...(typeof look.camera === 'string' ? [`--use-file-for-fake-video-capture=${look.camera}`] : []),
        ...(look.camera !== undefined && look.camera !== false ? ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] : []),
      ],
      env: { ...process.env, HOME: home },
      viewport: { width: look.width ?? 390, height: look.height ?? 844 },
      colorScheme: look.dark === true ? 'dark' : 'light',
      locale: look.locale ?? 'en-GB',
    });
    context.setDefaultTimeout(PATIENCE_MS);
    if (look.leaps === true) await context.clock.install();
    const page = context.pages()[0] ?? (await context.newPage());
    const browser = new Browser(home, context, page);
    page.on('pageerror', (error) => browser.complaints.push(`error: ${error.message}`));
    page.on('console', (line) => {
      // A socket that does not connect is what some tests are about; a station's screen tries whether it may sound untouched.
      // And the box takes passkeys of one algorithm, whatever Chromium thinks of Windows.
      const expected = /AudioContext was not allowed|WebSocket connection|WebTransport|ERR_CONNECTION|ERR_INTERNET|ERR_QUIC|pubKeyCredParams is missing/.test(line.text());
      if (['error', 'warning'].includes(line.type()) && !expected) browser.complaints.push(line.text());
    });
    context.on('request', (request) => {
      const url = request.url();
      const own = url.startsWith(`${way.address}/`) || /^(blob|data|about):/.test(url);
      if (!own) browser.strangers.push(url);
    });
    return browser;
  }

  async close(): Promise<void> {
    await this.context.close();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Closes it as a dead battery would leave it: the profile stays. */
  async quit(): Promise<string> {
    await this.context.close();
    return this.home;
  }
}

/** A home whose certificate store has the facility's root, and nothing else. */
function newHome(way: Way): string {
  const home = mkdtempSync(join(tmpdir(), 'wardline-browser-'));
  const store = join(home, '.pki/nssdb');
  mkdirSync(store, { recursive: true });
  writeFileSync(join(home, 'root.der'), way.root);
  const certutil = (...words: string[]): void => {
    const ran = spawnSync('certutil', ['-d', `sql:${store}`, ...words], { encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`certutil ${words[0]}: ${ran.stderr}`);
  };
  certutil('-N', '--empty-password');
  certutil('-A', '-t', 'C,,', '-n', 'facility', '-i', join(home, 'root.der'));
  return home;
}
