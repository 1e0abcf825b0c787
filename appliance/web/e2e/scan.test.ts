/** A join code read by a camera: what one screen shows is what another phone's camera sees, in the place of a hand that holds it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

/** What the camera sees: a screen that fills the middle of it. */
const [WIDTH, HEIGHT, MODULE] = [640, 480, 8];

/** A film of one frame, which the made-up camera repeats. `dark`: columns and rows of the picture's dark modules. */
function film(size: number, dark: readonly (readonly [number, number])[]): Buffer {
  const light = Buffer.alloc(WIDTH * HEIGHT, 200);
  const [left, top] = [Math.floor((WIDTH - size * MODULE) / 2), Math.floor((HEIGHT - size * MODULE) / 2)];
  for (const [column, row] of dark) {
    for (let y = 0; y < MODULE; y += 1) light.fill(30, (top + row * MODULE + y) * WIDTH + left + column * MODULE, (top + row * MODULE + y) * WIDTH + left + (column + 1) * MODULE);
  }
  const frame = Buffer.concat([Buffer.from('FRAME\n'), light, Buffer.alloc((WIDTH * HEIGHT) / 2, 128)]);
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`), frame, frame]);
}

test('a colleague scans the code on the charge nurse’s screen, and joins', async () => {
  const box = await Box.start();
  const folder = mkdtempSync(join(tmpdir(), 'wardline-film-'));
  const ana = await PersonAtApp.join(box, 'Ana');
  await ana.tab('More');
  await ana.page.getByRole('button', { name: 'Staff: codes and access', exact: true }).click();
  await ana.page.getByRole('button', { name: /Emil Sand/ }).click();
  await ana.page.getByRole('button', { name: 'Code for a new phone' }).click();
  const picture = ana.page.getByRole('img', { name: /The code as a picture/ });
  await picture.waitFor();
  const drawn = await picture.evaluate((svg) => ({ size: Number(svg.getAttribute('viewBox')?.split(' ')[2]), path: svg.querySelector('path')?.getAttribute('d') ?? '' }));
  const dark = [...drawn.path.matchAll(/M(\d+) (\d+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
  expect(drawn.size * MODULE).toBeLessThan(HEIGHT);
  const camera = join(folder, 'screen.y4m');
  writeFileSync(camera, film(drawn.size, dark));

  const emil = await PersonAtApp.arrive(box, 'Emil', { camera });
  await emil.goOnInBrowser();
  await emil.page.getByRole('button', { name: 'Scan the code' }).click();
  const code = ((await ana.page.getByText(/^[0-9A-Z]{5} [0-9A-Z]{5}$/).first().textContent()) ?? '').trim();
  // The camera may not have begun yet: that nothing stands over the page says nothing of what was read.
  await expect.poll(() => emil.page.getByLabel('Join code').inputValue()).toBe(code);
  await emil.page.getByRole('dialog').waitFor({ state: 'detached' });
  await emil.redeem(code);
  await emil.seesInbox();
  await ana.leaves();
  await emil.leaves();
  await box.stop();
  rmSync(folder, { recursive: true });
});
