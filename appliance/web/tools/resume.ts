/**
 * How long a phone takes to come back: a whole box, Chromium with the app, and somebody who writes meanwhile. The browser stands still
 * (SIGSTOP), as a phone does in a pocket; time is from when it goes on until what was written meanwhile is painted.
 *
 *   npm run resume [-- --into FILE]     `make bench-web` has it write docs/performance.md
 */

import { Box } from '../e2e/box.ts';
import { processesOf } from '../e2e/hours.ts';
import { PersonAtApp } from '../e2e/person.ts';
import { Terminal } from '../e2e/terminal.ts';
import { intoPage } from './page.ts';

const RUNS = Number(process.env['BENCH_RUNS'] ?? 20);
const RESTARTS = 5;
/** A connection that held for less is one of many that fail, and the app takes its time. Milliseconds. */
const STEADY = 10_500;
/** The issue's, for a warm connection. Milliseconds. */
const BAR = 300;
type World = typeof globalThis & { painted: Promise<number> };

const box = await Box.start();
const lines: string[] = [];
let isMissed = false;
try {
  const ana = await PersonAtApp.join(box, 'Ana');
  const ben = Terminal.join(box, 'Ben');
  ben.run('send', 'Ana', 'the first');
  await ana.open('Ben Okafor');
  await ana.sees('the first');
  await measure('put away and taken out, the connection warm', RUNS, BAR, async (text) => {
    const pids = processesOf(ana.browser.home);
    await watch(ana, text);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    ben.run('send', 'Ana', text);
    return wake(ana, pids);
  });
  await measure('the same, the box started anew meanwhile: another connection', RESTARTS, null, async (text) => {
    await new Promise((done) => setTimeout(done, STEADY));
    const pids = processesOf(ana.browser.home);
    await watch(ana, text);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    box.killRelay();
    ben.run('send', 'Ana', text);
    return wake(ana, pids);
  });
  await ana.browser.close();
  ben.leaves();
} finally {
  await box.stop();
}

/** In the page: when a text is painted, by the machine's clock. */
function watch(who: PersonAtApp, text: string): Promise<void> {
  return who.page.evaluate((text) => {
    (globalThis as World).painted = new Promise((resolve) => {
      const look = (): void => {
        if (document.querySelector('[role=region][aria-label=Messages]')?.textContent?.includes(text) !== true) return;
        observer.disconnect();
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(Date.now())));
      };
      const observer = new MutationObserver(look);
      observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    });
  }, text);
}

async function wake(who: PersonAtApp, pids: readonly number[]): Promise<number> {
  const woken = Date.now();
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  // What a browser tells a page that comes to the front; this one never left it.
  await who.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  return (await who.page.evaluate(() => (globalThis as World).painted)) - woken;
}

async function measure(what: string, runs: number, bar: number | null, run: (text: string) => Promise<number>): Promise<void> {
  const times: number[] = [];
  console.error(`resume: ${what}`);
  while (times.length < runs) times.push(await run(`written meanwhile ${lines.length}.${times.length}`));
  times.sort((one, other) => one - other);
  const [middle, late] = [times[Math.floor(runs / 2)] ?? NaN, times[Math.min(Math.floor(runs * 0.95), runs - 1)] ?? NaN];
  if (bar !== null && late > bar) isMissed = true;
  lines.push(`| ${what} | ${middle} | ${late} | ${bar ?? '-'} | ${bar === null ? '-' : late > bar ? '**missed**' : 'met'} |`);
}

const table = [
  `Until what was written meanwhile is painted, ms, of ${RUNS} times and ${RESTARTS}.`,
  '',
  '| | median | 95th | bar | |',
  '|---|---|---|---|---|',
  ...lines,
].join('\n');
intoPage('resume', table);
process.exit(isMissed ? 1 : 0);
