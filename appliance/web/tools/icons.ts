/** Draws the icons that must be PNGs from public/icon.svg; run by hand when that changes. */
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const svg = readFileSync('public/icon.svg', 'utf8');
// A launcher cuts a maskable icon to its own shape: the ground goes to the edges, the drawing keeps to the middle.
const maskable = svg.replace('rx="112"', '').replace(/<path/g, '<path transform="translate(51 51) scale(.8)"');
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage();
for (const [name, drawing, size] of [
  ['icon-180', maskable, 180],
  ['icon-192', svg, 192],
  ['icon-512', svg, 512],
  ['icon-maskable-512', maskable, 512],
] as const) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(`<style>body{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${drawing}`);
  await page.screenshot({ path: `public/${name}.png`, omitBackground: true });
}
await browser.close();
