/**
 * A shift of eight hours, driven through the browsers of three of its people: the box's clocks and theirs leap from look to look.
 * Whoever is called by a STAT has a phone that is frozen, as in a pocket; what the others write comes by the terminal.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { Hours } from './hours.ts';
import { PersonAtApp } from './person.ts';
import { Terminal } from './terminal.ts';

const MINUTE = 60_000;
/** Minutes between two looks at a phone; five in a proof by hand. */
const EVERY = Number(process.env['WARDLINE_SHIFT_EVERY'] ?? 30);
/** PINs that anybody may have to type. */
const PINS_MAX = 12;
const DESK = 'Desk, Hall A';
const RESIDENTS = 12;

/** A STAT of the shift: when, for whom, and who takes it within how many seconds. */
interface Stat {
  readonly at: number;
  readonly bed: number;
  readonly frozen: readonly PersonAtApp[];
  readonly taker: PersonAtApp;
  readonly within: number;
}

describe('eight hours on Hall A', () => {
  let box: Box;
  let hours: Hours;
  let ana: PersonAtApp;
  let chidi: PersonAtApp;
  let emil: PersonAtApp;
  let desk: PersonAtApp;
  let grace: Terminal;
  /** What was written in each thread, in order. */
  const written = new Map<string, string[]>();

  beforeAll(async () => {
    box = await Box.start();
    for (let bed = 1; bed <= RESIDENTS; bed += 1) {
      box.patient('admit', `${100 + bed}`, 'Hall A', `${bed}`, '--name', resident(bed), '--born', '1940-02-29', '--sex', 'F');
    }
    [ana, chidi, emil] = await Promise.all(['Ana', 'Chidi', 'Emil'].map((name) => PersonAtApp.join(box, name, { leaps: true }))) as [PersonAtApp, PersonAtApp, PersonAtApp];
    grace = Terminal.join(box, 'Grace');
    box.admin('add-station', 'Hall A', DESK);
    desk = await PersonAtApp.arrive(box, 'Desk', { width: 1024, height: 768, leaps: true });
    await desk.goOnInBrowser();
    await desk.redeem(box.code(DESK));
    await desk.page.getByText('Nothing rings', { exact: true }).waitFor();
    hours = new Hours(box, [ana, chidi, emil, desk]);
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail') return;
    for (const one of [ana, chidi, emil, desk]) await one.picture(context.task.id);
  });
  afterAll(async () => {
    for (const one of [ana, chidi, emil, desk]) await one?.leaves();
    grace?.leaves();
    await box?.stop();
  });

  test('nobody types a PIN more than twelve times, and everything that was said is there', async () => {
    await takesBeds(ana, '9-12');
    await takesBeds(chidi, '1-4');
    await takesBeds(emil, '5-8');
    grace.run('shift', 'take', 'Hall A', '1-12', '--hours', '8');
    for (const one of [ana, chidi, emil]) await one.addPasskey();

    // At 08:30, 11:30 and 13:30. The last time nobody's phone moves until the screen at the desk rings.
    const stats: Stat[] = [
      { at: 90, bed: 2, frozen: [chidi], taker: ana, within: 70 },
      { at: 270, bed: 6, frozen: [emil, ana], taker: chidi, within: 130 },
      { at: 390, bed: 10, frozen: [ana, chidi, emil], taker: chidi, within: 250 },
    ];
    for (let minute = EVERY; minute < 8 * 60; minute += EVERY) {
      await hours.pass(EVERY * MINUTE);
      if (stats.length > 0 && minute >= (stats[0] as Stat).at) await rings(stats.shift() as Stat);
      for (const [who, beds] of [[ana, 9], [chidi, 1], [emil, 5]] as const) {
        const bed = beds + ((minute / EVERY) % 4);
        await hours.opens(who);
        const news = `minute ${minute}: seen in bed ${bed}`;
        say(bed, news, () => grace.run('send', resident(bed), news));
        await who.open(resident(bed));
        await who.sees(news);
        const answer = `minute ${minute}: bed ${bed} is well`;
        await who.say(answer);
        await who.sees(answer);
        say(bed, answer, () => undefined);
      }
    }

    await hours.pass(EVERY * MINUTE);
    for (const [who, beds] of [[ana, [9, 10, 11, 12]], [chidi, [1, 2, 3, 4]], [emil, [5, 6, 7, 8]]] as const) {
      await hours.opens(who);
      for (const bed of beds) {
        await who.open(resident(bed));
        expect(await who.allTexts('minute')).toEqual(written.get(resident(bed)) ?? []);
      }
    }
    const pins = [ana, chidi, emil].map((one) => one.pins);
    console.log(`PINs typed in eight hours, looked at every ${EVERY} minutes: ${pins.join(', ')}`);
    expect(Math.max(...pins)).toBeLessThanOrEqual(PINS_MAX);
  }, 900_000);

  /** Rings for whoever has the bed, whose phone does not move, and goes on until somebody has it. */
  async function rings({ bed, frozen, taker, within }: Stat): Promise<void> {
    for (const one of frozen) hours.freeze(one);
    const isLast = frozen.includes(taker);
    if (!isLast) await hours.opens(taker);
    grace.run('stat', 'send', resident(bed), `bed ${bed} does not breathe`, '--for', holder(bed));
    if (isLast) {
      await hours.until(desk.page.getByText('Nobody has answered', { exact: true }), within);
      await hours.thaw(taker);
      await hours.opens(taker);
    }
    const called = taker.page.getByRole('button', { name: 'Open', exact: true });
    await hours.until(called.first(), within);
    await called.first().click();
    await taker.sees(`bed ${bed} does not breathe`);
    await taker.page.getByRole('button', { name: 'I have it' }).last().click();
    await taker.page.getByText('You have it').or(taker.page.getByText(/has it$/)).filter({ visible: true }).first().waitFor();
    // Who is not in the patient's thread is shown the message over what they did.
    const over = taker.page.getByRole('dialog').getByRole('button', { name: 'Not now' });
    if (await over.isVisible()) await over.click();
    if (isLast) await desk.page.getByText('Nothing rings', { exact: true }).waitFor();
    for (const one of frozen) await hours.thaw(one);
  }

  function holder(bed: number): string {
    return bed <= 4 ? 'Chidi Eze' : bed <= 8 ? 'Emil Sand' : 'Ana Flores';
  }

  function say(bed: number, text: string, how: () => unknown): void {
    how();
    written.set(resident(bed), [...(written.get(resident(bed)) ?? []), text]);
  }

  async function takesBeds(who: PersonAtApp, beds: string): Promise<void> {
    await who.tab('Patients');
    await who.page.getByRole('button', { name: 'Take beds' }).click();
    await who.page.getByLabel('Or type beds and ranges').fill(beds);
    await who.page.getByRole('button', { name: 'Take them' }).click();
    await who.page.getByRole('heading', { name: 'My beds' }).waitFor();
  }
});

function resident(bed: number): string {
  const names = ['Noor', 'Pavel', 'Rosa', 'Sven', 'Tilda', 'Umar', 'Vera', 'Wanda', 'Xenia', 'Yusuf', 'Zora', 'Quirin'];
  return `${names[bed - 1]} Made-up`;
}
