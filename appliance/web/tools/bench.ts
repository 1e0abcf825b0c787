/**
 * How quick the app is with 50,000 messages, beside an empty page of the same framework, in the same browser and the same minutes.
 *
 *   npm run bench [-- --into FILE]     `make bench-web` has it write docs/performance.md
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

import type { Clock } from './bench/clock.ts';
import { buildLook, serve } from './look-server.ts';
import { intoPage } from './page.ts';

const SITE = join(tmpdir(), 'wardline-bench-site');
const ROUNDS = 5;
const OPENINGS = 10;
const KEYS = 24;
const SCROLLS = 240;
const BAR = 2;
type World = typeof globalThis & { clock: Clock; timed: Promise<number> };

const lines: string[] = [];
let isMissed = false;

await buildLook(SITE, ['tools/bench/index.html', 'tools/bench/empty.html']);
const { origin, stop } = await serve(SITE);
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });

/** One touch, and how long until it is answered. */
async function timed(page: Page, event: 'click' | 'keydown', selector: string | null, act: () => Promise<void>): Promise<number> {
  await page.evaluate(([event, selector]) => {
    const world = globalThis as World;
    world.timed = world.clock.time(event, selector);
  }, [event, selector] as const);
  await act();
  return page.evaluate(() => (globalThis as World).timed);
}

async function openings(page: Page, row: (at: number) => string, from: number): Promise<number[]> {
  const times: number[] = [];
  await page.bringToFront();
  for (let at = from; at < from + OPENINGS; at += 1) {
    const button = page.locator(row(at)).first();
    await button.scrollIntoViewIfNeeded();
    times.push(await timed(page, 'click', '#conversation-title', () => button.click()));
    await page.getByRole('button', { name: 'Back', exact: true }).last().click();
    await page.getByRole('heading', { name: 'Inbox' }).waitFor();
  }
  return times;
}

async function typing(page: Page, row: string): Promise<number[]> {
  await page.bringToFront();
  await page.locator(row).first().click();
  const field = page.getByLabel('Message', { exact: true });
  await field.focus();
  const times: number[] = [];
  for (let at = 0; at < KEYS; at += 1) times.push(await timed(page, 'keydown', null, () => page.keyboard.press(at % 6 === 5 ? 'Space' : 'a')));
  await field.fill('');
  await page.getByRole('button', { name: 'Back', exact: true }).last().click();
  return times;
}

const at = (times: number[], part: number): number => times.toSorted((one, other) => one - other)[Math.min(Math.floor(times.length * part), times.length - 1)] ?? NaN;
const ms = (time: number): string => time.toFixed(1);

function tell(what: string, app: number[], empty: number[], bar: boolean): void {
  const [middle, ratio] = [at(app, 0.5) / at(empty, 0.5), at(app, 0.95) / at(empty, 0.95)];
  const isMet = ratio <= BAR;
  if (bar && !isMet) isMissed = true;
  const verdict = bar ? (isMet ? 'met' : '**missed**') : '-';
  const line = `| ${what} | ${ms(at(empty, 0.5))} / ${ms(at(empty, 0.95))} | ${ms(at(app, 0.5))} / ${ms(at(app, 0.95))} | ${middle.toFixed(2)} | ${ratio.toFixed(2)} | ${bar ? BAR : '-'} | ${verdict} |`;
  console.error(line);
  lines.push(line);
}

const context = async (): Promise<Page> => (await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'en-GB' })).newPage();
const [app, empty] = [await context(), await context()];
app.setDefaultTimeout(60_000);
await empty.goto(`${origin}/tools/bench/empty.html`);
await app.goto(`${origin}/tools/bench/`);
await app.getByLabel('Join code').fill('ABCDEFGHJK');
await app.getByLabel('Choose a PIN').fill('739154');
await app.getByLabel('Type the PIN again').fill('739154');
const joining = Date.now();
await app.getByRole('button', { name: 'Join', exact: true }).click();
await app.getByRole('main').getByText('Group 999').waitFor();
const joined = Date.now() - joining;

for (const slower of [1, 4]) {
  for (const page of [app, empty]) await (await page.context().newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: slower });
  const times = { openApp: [] as number[], openEmpty: [] as number[], typeApp: [] as number[], typeEmpty: [] as number[] };
  for (let round = 0; round < (slower === 1 ? ROUNDS : 1); round += 1) {
    console.error(`bench: round ${round + 1} of ${ROUNDS}${slower === 1 ? '' : ', slowed'}`);
    times.openEmpty.push(...(await openings(empty, () => '.row', 0)));
    times.openApp.push(...(await openings(app, (at) => `.inbox li:nth-child(${2 + (at % 40)}) button`, round * OPENINGS)));
    times.typeEmpty.push(...(await typing(empty, '.row')));
    times.typeApp.push(...(await typing(app, `.inbox li:nth-child(${30 + round}) button`)));
  }
  const on = slower === 1 ? '' : `, processor slowed to a ${slower}th`;
  tell(`inbox to conversation${on}`, times.openApp, times.openEmpty, slower === 1);
  tell(`a letter typed${on}`, times.typeApp, times.typeEmpty, slower === 1);
}

const scrolled = await scrolling(app);
await browser.close();
await stop();

/** All 10,000 of one conversation, fetched as one scrolls up; then from end to end of what is here. */
async function scrolling(page: Page): Promise<{ messages: number; worst: number; frame: number; nodes: number; heap: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  await page.bringToFront();
  await page.getByRole('main').getByRole('button', { name: 'Ben' }).first().click();
  const scroller = page.getByRole('region', { name: 'Messages', exact: true });
  console.error('bench: scrolling');
  // Each time the beginning of what is here comes into sight, older ones are fetched.
  await scroller.press('Home');
  await scroller.evaluate(async (element) => {
    while (!element.textContent.includes('The conversation begins here.')) {
      element.scrollTop = 500;
      await new Promise((done) => requestAnimationFrame(done));
      element.scrollTop = 0;
      await new Promise((done) => requestAnimationFrame(done));
    }
  });
  await scroller.press('End');
  const told = await scroller.evaluate(async (element, times) => {
    const frame = () => new Promise<number>((done) => requestAnimationFrame(done));
    const rows = () => [...element.querySelectorAll<HTMLElement>('[data-sequence]')];
    let [worst, most] = [0, 0];
    const frames: number[] = [];
    await frame();
    for (let step = 0; step < times; step += 1) {
      const from = element.getBoundingClientRect().top;
      const eye = rows().find((one) => one.getBoundingClientRect().top >= from);
      const was = eye?.getBoundingClientRect().top ?? 0;
      const top = element.scrollTop;
      element.scrollTop -= 700;
      const moved = top - element.scrollTop;
      const began = performance.now();
      await frame();
      await frame();
      frames.push((performance.now() - began) / 2);
      const is = rows().find((one) => one.dataset['sequence'] === eye?.dataset['sequence'])?.getBoundingClientRect().top ?? NaN;
      worst = Math.max(worst, Math.abs(is - was - moved));
      most = Math.max(most, rows().length);
    }
    frames.sort((one, other) => one - other);
    return { worst, most, frame: frames[Math.floor(frames.length * 0.95)] ?? NaN };
  }, SCROLLS);
  const messages = Number(await scroller.getByRole('listitem').first().getAttribute('aria-setsize'));
  await session.send('HeapProfiler.collectGarbage');
  await session.send('Performance.enable');
  const { metrics } = await session.send('Performance.getMetrics');
  const metric = (name: string): number => metrics.find((one) => one.name === name)?.value ?? NaN;
  return { messages, worst: told.worst, frame: told.frame, nodes: metric('Nodes'), heap: metric('JSHeapUsedSize') / 1e6 };
}

const table = [
  `Until it is painted, ms, median / 95th of ${ROUNDS * OPENINGS} openings and ${ROUNDS * KEYS} letters; ${ROUNDS} rounds of the empty page and the app by turns.`,
  '',
  '| | empty page | the app, 50,000 messages | ratio of the medians | of the 95th | bar | |',
  '|---|---|---|---|---|---|---|',
  ...lines,
  '',
  `A conversation of ${scrolled.messages.toLocaleString('en')} messages, scrolled up ${SCROLLS} times by 700 px: what is read was never off its place by more than ${scrolled.worst.toFixed(1)} px; the 95th frame took ${ms(scrolled.frame)} ms.`,
  `The app then holds ${scrolled.heap.toFixed(0)} MB of script memory, the made-up box and its copy of every message among it. The first snapshot, of 50,000 messages, was there after ${(joined / 1000).toFixed(1)} s.`,
].join('\n');
intoPage('bench-web', table);
process.exit(isMissed || scrolled.worst > 2 ? 1 : 0);
