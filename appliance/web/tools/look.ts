/**
 * Looks at every screen: in both languages, by day and at night, on a phone and on a desk, at twice the size and on the narrowest
 * phone; under the rules that the box serves the app by. Writes pictures, and fails where axe finds fault, where something is wider than the screen, or a target is too small.
 *
 *   npm run look [-- PART_OF_A_NAME [SIZE]]
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdirSync, readFileSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';
import { leadViews } from './look/lead.ts';
import { adminViews } from './look/admin.ts';
import { files } from './look/files.ts';
import { buildLook, serve } from './look-server.ts';
import { deskViews } from './look/desk.ts';
import { talkViews } from './look/talk.ts';

const OUT = process.env['OUT'] ?? join(tmpdir(), 'wardline-look');
const SITE = `${OUT}-site`;
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
  ...talkViews,
  ...leadViews,
  ...adminViews,
};

const faults: string[] = [];
/** What is looked at, for faults that the page reports by itself. */
let looking = '';

async function look(page: Page, origin: string, name: string, view: View, language: string, theme: string, size: Size): Promise<void> {
  const called = `${name}-${language}-${theme}-${size}`;
  looking = called;
  await page.setViewportSize(sizes[size]);
  await page.goto(`${origin}/tools/look/?scene=${view.scene}&language=${language}&look=${theme}&${view.query ?? ''}`);
  await page.locator('#app > *').first().waitFor();
  try {
    await view.act?.(page);
  } catch (error) {
    faults.push(`${called}: ${String(error).slice(0, 300)}`);
  }
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.screenshot({ path: `${OUT}/${called}.png` });
  for (const fault of [...(await axeFaults(page)), ...(await layoutFaults(page))]) faults.push(`${called}: ${fault}`);
}

async function axeFaults(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> } };
    const { violations } = await axe.run({ resultTypes: ['violations'] });
    return violations.map((one) => `axe ${one.id}: ${one.nodes.map((node) => `${node.html.slice(0, 160)} (${node.failureSummary.slice(0, 200)})`).join(' | ')}`);
  });
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

mkdirSync(OUT, { recursive: true });
await buildLook(SITE);
const { origin, stop } = await serve(SITE);
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ locale: 'en-US', timezoneId: 'UTC', reducedMotion: 'reduce' });
// A screen is there at once, or it is not what was meant.
page.setDefaultTimeout(5_000);
await page.addInitScript(readFileSync('node_modules/axe-core/axe.min.js', 'utf8'));
page.on('pageerror', (error) => faults.push(`${looking}: page: ${error.message}`));
page.on('console', (told) => {
  // A station's screen tries whether it may sound without a touch.
  if (/AudioContext was not allowed/.test(told.text())) return;
  if (told.type() === 'error' || told.type() === 'warning') faults.push(`${looking}: console: ${told.text().slice(0, 300)}`);
});

let count = 0;
for (const [name, view] of Object.entries(views).filter(([name]) => name.includes(only))) {
  for (const size of sizesAsked) {
    // Twice the letters are looked at on phones; on the narrowest one alone what is used in a hurry.
    if (name.startsWith('big') && size !== 'phone' && !(name === 'bigStat' && size === 'narrow')) continue;
    for (const language of ['en', 'es']) {
      for (const theme of ['light', 'dark']) {
        // Colours are the same on the narrowest and at twice the size.
        if (theme === 'dark' && (size === 'narrow' || size === 'zoomed')) continue;
        await look(page, origin, name, view, language, theme, size);
        count += 1;
      }
    }
  }
}
await browser.close();
await stop();
for (const fault of new Set(faults)) console.log(fault);
console.log(`${count} screens looked at, ${faults.length} faults; pictures are in ${OUT}`);
process.exit(faults.length === 0 ? 0 : 1);
