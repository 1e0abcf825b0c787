/**
 * Lighthouse's performance of the app on its phone (the mobile preset), served by a whole box: medians of five runs.
 *
 *   npm run lighthouse [-- --into FILE]     `make bench-web` has it write docs/performance.md
 */

import { Box, freePort } from '../../e2e/box.ts';
import { Browser } from '../../e2e/browser.ts';
import { Lookout, type Seen } from '../../e2e/lighthouse.ts';
import { intoPage } from '../page.ts';

const RUNS = Number(process.env['BENCH_RUNS'] ?? 5);
const PIN = '739154';
const FIGURES = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'speed-index'] as const;

const box = await Box.start();
const debugPort = await freePort();
const browser = await Browser.open(box, { debugPort });
const { page } = browser;
const lines: string[] = [];
try {
  await page.goto(`${box.address}/`);
  const lookout = await Lookout.at(debugPort);
  await measure('first visit, nothing kept', () => lookout.speed(box.address, true));
  await page.goto(`${box.address}/`);
  await page.getByRole('button', { name: 'Go on in the browser' }).click();
  await page.getByLabel('Join code').fill(box.code('Ana'));
  await page.getByLabel('Choose a PIN').fill(PIN);
  await page.getByLabel('Type the PIN again').fill(PIN);
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await page.getByRole('heading', { name: 'Inbox' }).waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
  await measure('somebody who has joined, opened again', () => lookout.speed(box.address, false));
  await lookout.leaves();
} finally {
  await browser.close();
  await box.stop();
}

async function measure(what: string, run: () => Promise<Seen>): Promise<void> {
  const runs: Seen[] = [];
  while (runs.length < RUNS) {
    console.error(`lighthouse: ${what}, ${runs.length + 1} of ${RUNS}`);
    runs.push(await run());
  }
  const middle = (of: (one: Seen) => number): number => runs.map(of).toSorted((one, other) => one - other)[Math.floor(RUNS / 2)] ?? NaN;
  const scores = runs.map(({ scores }) => scores.performance ?? 0);
  const figures = FIGURES.map((name) => middle(({ figures }) => figures[name] ?? NaN).toFixed(0));
  const shift = middle(({ figures }) => figures['cumulative-layout-shift'] ?? NaN).toFixed(3);
  lines.push(`| ${what} | ${middle(({ scores }) => scores.performance ?? 0)} (${Math.min(...scores)}–${Math.max(...scores)}) | ${figures.join(' | ')} | ${shift} |`);
}

const table = [
  `Medians of ${RUNS} runs (least–greatest).`,
  '',
  '| | performance, of 100 | first contentful paint, ms | largest, ms | total blocking time, ms | speed index, ms | layout shift |',
  '|---|---|---|---|---|---|---|',
  ...lines,
].join('\n');
intoPage('lighthouse', table);
process.exit(0);
