/**
 * Looks at every screen: in both languages, by day and at night, on a phone and on a desk, at twice the size and on the narrowest
 * phone; under the rules that the box serves the app by. Fails where axe finds fault, where something is wider than the screen, or a
 * target is too small. With OUT it writes pictures there; NOW and ZONE set another time for what is shown, as
 * NOW=2026-11-01T05:50:00Z ZONE=America/New_York, in the hour that comes twice.
 *
 *   OUT=pictures npm run look [-- PART_OF_A_NAME [SIZE]]
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { leadViews } from './look/lead.ts';
import { adminViews } from './look/admin.ts';
import { files } from './look/files.ts';
import { buildLook, serve } from './look-server.ts';
import { handsetViews } from './look/handset.ts';
import { deskViews } from './look/desk.ts';
import { alarmViews } from './look/alarms.ts';
import { noticeViews } from './look/notices.ts';
import { talkViews } from './look/talk.ts';

const OUT = process.env['OUT'] ?? '';
const SITE = mkdtempSync(join(tmpdir(), 'wardline-look-'));
const AT = process.env['NOW'] ?? '';
const only = process.argv[2] ?? '';
const onlySize = process.argv[3] ?? '';
const phone = { width: 390, height: 844 };
const sizes = { phone, desk: { width: 1440, height: 900 }, narrow: { width: 320, height: 640 }, zoomed: { width: 640, height: 400 } };
type Size = keyof typeof sizes;
const sizesAsked = (Object.keys(sizes) as Size[]).filter((size) => size.includes(onlySize));

/** A scene, and what is done in it before it is looked at. */
export interface View {
  scene: string;
  query?: string;
  act?: (page: Page) => Promise<void>;
}
const tab = (name: number) => (page: Page) => page.locator('nav button').nth(name).click();
const write = async (page: Page) => {
  await page.locator('textarea').fill('BP 72/40, pale. Need help in 412-B now.');
  await page.locator('.compose label.stat').click();
};
const views: Record<string, View> = {
  starting: { scene: 'starting' },
  install: { scene: 'join' },
  join: { scene: 'join', query: 'installed' },
  joinFault: { scene: 'joinFault', query: 'installed', act: (page) => page.locator('button[type=submit]').click() },
  locked: { scene: 'locked' },
  lockedPasskey: { scene: 'lockedPasskey' },
  lockedPasskeyNot: { scene: 'lockedPasskey', act: (page) => page.locator('form .passkey .button').click() },
  lockedRings: { scene: 'lockedRings' },
  lockedFault: { scene: 'lockedFault' },
  inbox: { scene: 'inbox', query: 'update' },
  inboxRings: { scene: 'inboxRings' },
  calledOutside: { scene: 'calledOutside', act: (page) => page.locator('.onred .ghostonstat').click() },
  takenOutside: { scene: 'takenOutside' },
  inboxEmpty: { scene: 'inboxEmpty' },
  offline: { scene: 'offline' },
  conversation: { scene: 'conversation' },
  conversationStat: { scene: 'conversationStat' },
  conversationAccepted: { scene: 'conversationAccepted' },
  conversationDetails: { scene: 'conversation', act: (page) => page.locator('.about').click() },
  composeStat: { scene: 'conversation', act: write },
  confirmStat: {
    scene: 'conversation',
    act: async (page) => {
      await write(page);
      await page.locator('.compose button[type=submit]').click();
    },
  },
  cannot: { scene: 'conversationStat', act: (page) => page.locator('.button.cannot').click() },
  react: { scene: 'conversation', act: (page) => page.locator('.more[aria-haspopup]').first().click() },
  hostile: { scene: 'hostile' },
  lapsed: { scene: 'lapsed' },
  patients: { scene: 'inbox', act: tab(1) },
  patientsNone: { scene: 'careNone', act: tab(1) },
  patientOutside: {
    scene: 'inbox',
    act: async (page) => {
      await tab(1)(page);
      await page.locator('.patients .row[aria-haspopup]').nth(1).click();
    },
  },
  shiftEnd: {
    scene: 'inbox',
    act: async (page) => {
      await tab(1)(page);
      await page.locator('.shift [aria-haspopup]').first().click();
    },
  },
  bedsTake: {
    scene: 'inbox',
    act: async (page) => {
      await tab(1)(page);
      await page.locator('.acts .button.main').click();
      await page.locator('.known .button').nth(1).click();
      await page.locator('.take input.input').fill('500-502');
    },
  },
  bedsFault: {
    scene: 'inbox',
    act: async (page) => {
      await tab(1)(page);
      await page.locator('.acts .button.main').click();
      await page.locator('.take input.input').fill('34-20');
    },
  },
  search: {
    scene: 'search',
    act: async (page) => {
      await page.locator('.tools button').first().click();
      await page.locator('input[type=search]').fill('potassium');
    },
  },
  searchNone: { scene: 'searchNone', act: (page) => page.locator('.tools button').first().click() },
  found: { scene: 'found' },
  tasks: { scene: 'inbox', act: (page) => page.locator('.tools button').nth(1).click() },
  tasksNone: { scene: 'careNone', act: (page) => page.locator('.tools button').nth(1).click() },
  taskCannot: {
    scene: 'inbox',
    act: async (page) => {
      await page.locator('.tools button').nth(1).click();
      await page.locator('.tasks [aria-haspopup]').first().click();
    },
  },
  taskGive: {
    scene: 'conversation',
    act: async (page) => {
      await page.locator('.more[aria-haspopup]').first().click();
      await page.locator('dialog .button:not(.main)').first().click();
    },
  },
  quiet: { scene: 'quiet', act: tab(4) },
  quietChoose: {
    scene: 'inbox',
    act: async (page) => {
      await tab(4)(page);
      await page.locator('.more [aria-haspopup]').first().click();
    },
  },
  quietWeekly: {
    scene: 'inbox',
    act: async (page) => {
      await tab(4)(page);
      await page.getByRole('button', { name: /^(Quiet hours and number|Horas de silencio y número)$/ }).click();
      await page.locator('dialog .days').waitFor();
    },
  },
  bigPatients: { scene: 'inbox', query: 'big', act: tab(1) },
  bigTasks: { scene: 'inbox', query: 'big', act: (page) => page.locator('.tools button').nth(1).click() },
  onCall: { scene: 'onCall', act: tab(2) },
  take: {
    scene: 'onCall',
    act: async (page) => {
      await tab(2)(page);
      await page.locator('.roles [aria-haspopup]').nth(1).click();
    },
  },
  people: { scene: 'people', act: tab(3) },
  peopleFound: {
    scene: 'people',
    act: async (page) => {
      await tab(3)(page);
      await page.locator('input[type=search]').fill('icu');
    },
  },
  more: { scene: 'more', act: tab(4) },
  rtl: { scene: 'conversationStat', query: 'rtl' },
  rtlInbox: { scene: 'inboxRings', query: 'rtl' },
  // Letters twice as large, as the phone's own setting makes them.
  bigLocked: { scene: 'lockedRings', query: 'big' },
  bigInbox: { scene: 'inboxRings', query: 'big' },
  bigStat: { scene: 'conversationStat', query: 'big' },
  bigOnCall: { scene: 'onCall', query: 'big', act: tab(2) },
  bigMore: { scene: 'more', query: 'big', act: tab(4) },
  ...files,
  superseded: { scene: 'superseded' },
  suspended: { scene: 'suspended' },
  revoked: { scene: 'revoked' },
  tooOld: { scene: 'tooOld' },
  storage: { scene: 'storage' },
  ...deskViews,
  ...handsetViews,
  ...talkViews,
  ...alarmViews, ...noticeViews,
  ...leadViews,
  ...adminViews,
};

const faults: string[] = [];
const spent = { opening: 0, axe: 0, layout: 0, pictures: 0 };
let count = 0;

type Theme = 'light' | 'dark';
type Language = 'en' | 'es';

/** Colours are the same on the narrowest and at twice the size. */
const themesOf = (size: Size): readonly Theme[] => (size === 'phone' || size === 'desk' ? ['light', 'dark'] : ['light']);
/** Twice the letters are looked at on phones; on the narrowest one alone what is used in a hurry. */
const isLooked = (name: string, view: View, size: Size) => view.query !== 'big' || size === 'phone' || (name === 'bigStat' && size === 'narrow');

/** What axe looks for: everything once in each language, by what a size or a colour changes after that. */
function rulesOf(size: Size, theme: Theme, language: Language): readonly string[] | 'all' {
  if (theme === 'dark') return language === 'en' ? ['color-contrast'] : [];
  if (size === sizesAsked[0]) return 'all';
  if (language !== 'en') return [];
  return size === 'desk' ? 'all' : ['target-size', 'scrollable-region-focusable'];
}

async function timed<T>(what: keyof typeof spent, run: Promise<T>): Promise<T> {
  const began = performance.now();
  const done = await run;
  spent[what] += performance.now() - began;
  return done;
}

const drawn = (page: Page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const show = (page: Page, theme: Theme, language: Language) =>
  page.evaluate((as) => (globalThis as unknown as { show(theme: string, language: string): void }).show(...as), [theme, language] as const);

async function open(page: Page, origin: string, called: string, view: View, size: Size): Promise<void> {
  await page.setViewportSize(sizes[size]);
  await page.goto(`${origin}/tools/look/?scene=${view.scene}&language=en&look=light&now=${AT}&${view.query ?? ''}`);
  await page.locator('#app > *').first().waitFor();
  try {
    await view.act?.(page);
  } catch (error) {
    faults.push(`${called}: ${String(error).slice(0, 300)}`);
  }
}

/** One view, opened once: then in every size, in both languages, by day and at night, as the app changes them while it is open. */
async function look(page: Page, origin: string, name: string, view: View): Promise<void> {
  const own = sizesAsked.filter((size) => isLooked(name, view, size));
  const [first] = own;
  if (first === undefined) return;
  await timed('opening', open(page, origin, name, view, first));
  for (const size of own) {
    await page.setViewportSize(sizes[size]);
    for (const language of ['en', 'es'] as const) {
      for (const theme of themesOf(size)) {
        const called = `${name}-${language}-${theme}-${size}`;
        const rules = rulesOf(size, theme, language);
        if (rules.length === 0 && theme === 'dark' && OUT === '') continue;
        count += 1;
        await show(page, theme, language);
        await drawn(page);
        if (OUT !== '') await timed('pictures', page.screenshot({ path: `${OUT}/${called}.png` }));
        const found = rules.length === 0 ? [] : await timed('axe', axeFaults(page, rules === 'all' ? null : [...rules]));
        if (theme === 'light') found.push(...(await timed('layout', layoutFaults(page))));
        for (const fault of found) faults.push(`${called}: ${fault}`);
      }
    }
  }
}

async function axeFaults(page: Page, rules: string[] | null): Promise<string[]> {
  return page.evaluate(async (only) => {
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> } };
    const { violations } = await axe.run({ resultTypes: ['violations'], iframes: false, preload: false, selectors: false, ...(only === null ? {} : { runOnly: only }) });
    return violations.map((one) => `axe ${one.id}: ${one.nodes.map((node) => `${node.html.slice(0, 160)} (${node.failureSummary.slice(0, 200)})`).join(' | ')}`);
  }, rules);
}

/** Nothing to be scrolled sideways, nothing to be touched that is smaller than 56 by 44, or than 56 high. */
async function layoutFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const named = (element: Element) => `${element.tagName.toLowerCase()}.${element.className} ${(element.textContent ?? '').trim().slice(0, 30)}`;
    for (const element of document.querySelectorAll('*')) {
      const style = getComputedStyle(element);
      const scrolls = ['auto', 'scroll'].includes(style.overflowX) || element === document.documentElement;
      if (scrolls && element.scrollWidth > element.clientWidth + 1 && element.tagName !== 'TEXTAREA') found.push(`wider than the screen: ${named(element)}`);
    }
    for (const element of document.querySelectorAll('button, input:not([type=radio]), select, textarea, summary, fieldset label')) {
      const box = element.getBoundingClientRect();
      if (box.width > 0 && (box.height < 55.5 || box.width < 55.5)) found.push(`small target ${Math.round(box.width)}x${Math.round(box.height)}: ${named(element)}`);
      if (box.width > 0 && (box.left < -1 || box.right > innerWidth + 1)) found.push(`off the screen: ${named(element)}`);
    }
    return found;
  });
}

if (OUT !== '') mkdirSync(OUT, { recursive: true });
await buildLook(SITE);
const { origin, stop } = await serve(SITE);
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const asked = Object.entries(views).filter(([name]) => name.includes(only));

/** One page that looks at what none has looked at yet. */
async function looker(): Promise<void> {
  const page = await browser.newPage({ locale: 'en-US', timezoneId: process.env['ZONE'] ?? 'UTC', reducedMotion: 'reduce' });
  let on = '';
  // A screen is there at once, or it is not what was meant.
  page.setDefaultTimeout(5_000);
  await page.addInitScript(readFileSync('node_modules/axe-core/axe.min.js', 'utf8'));
  page.on('pageerror', (error) => faults.push(`${on}: page: ${error.message}`));
  page.on('console', (told) => {
    // A station's screen tries whether it may sound without a touch.
    if (/AudioContext was not allowed/.test(told.text())) return;
    if (told.type() === 'error' || told.type() === 'warning') faults.push(`${on}: console: ${told.text().slice(0, 300)}`);
  });
  for (let one = asked.shift(); one !== undefined; one = asked.shift()) {
    on = one[0];
    await look(page, origin, ...one);
  }
}
await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, looker));
await browser.close();
await stop();
rmSync(SITE, { recursive: true });
for (const fault of new Set(faults)) console.log(fault);
const seconds = Object.entries(spent).map(([what, ms]) => `${what} ${Math.round(ms / 1000)} s`);
console.log(`${count} screens looked at, ${faults.length} faults; ${seconds.join(', ')}${OUT === '' ? '' : `; pictures are in ${OUT}`}`);
process.exit(faults.length === 0 ? 0 : 1);
