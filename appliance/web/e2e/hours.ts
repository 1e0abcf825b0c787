/** Hours that pass at once, for a box and the phones of its people. */

import { readdirSync, readFileSync } from 'node:fs';

import type { Locator } from 'playwright-core';

import type { Box } from './box.ts';
import type { PersonAtApp } from './person.ts';

/** Until the box has noticed a leap (a second at most) and said what follows. */
const NOTICED_MS = 2_000;

export class Hours {
  readonly #box: Box;
  readonly #phones: readonly PersonAtApp[];
  /** Those that stand still, and for how long they have. */
  readonly #frozen = new Map<PersonAtApp, number>();

  constructor(box: Box, phones: readonly PersonAtApp[]) {
    this.#box = box;
    this.#phones = phones;
  }

  /** The box first: a phone that wakes up asks it. */
  async pass(ms: number): Promise<void> {
    this.#box.leap(ms);
    for (const phone of this.#phones) {
      const slept = this.#frozen.get(phone);
      if (slept === undefined) await phone.page.clock.fastForward(ms);
      else this.#frozen.set(phone, slept + ms);
    }
  }

  /** Lets time pass in leaps of ten seconds until somebody is shown it; how many seconds went by. */
  async until(shown: Locator, secondsMax: number): Promise<number> {
    for (let seconds = 0; seconds <= secondsMax; seconds += 10) {
      const isShown = await shown.waitFor({ timeout: NOTICED_MS }).then(() => true, () => false);
      if (isShown) return seconds;
      await this.pass(10_000);
    }
    throw new Error(`not within ${secondsMax} s`);
  }

  /** All of its browser stands still, as a phone does in a pocket. */
  freeze(phone: PersonAtApp): void {
    this.#frozen.set(phone, 0);
    for (const pid of processesOf(phone.browser.home)) process.kill(pid, 'SIGSTOP');
  }

  async thaw(phone: PersonAtApp): Promise<void> {
    const slept = this.#frozen.get(phone);
    if (slept === undefined) return;
    this.#frozen.delete(phone);
    for (const pid of processesOf(phone.browser.home)) process.kill(pid, 'SIGCONT');
    await phone.page.clock.fastForward(slept);
  }

  /** Takes the phone out, and is in the inbox. */
  async opens(who: PersonAtApp): Promise<void> {
    await who.page.getByRole('heading', { name: /^(Locked|Inbox)$/ }).filter({ visible: true }).first().waitFor();
    if (await who.page.getByRole('heading', { name: 'Locked' }).isVisible()) await who.opens();
  }
}

/** The browser with this home, and all that it has started. */
export function processesOf(home: string): number[] {
  const parents = new Map<number, number>();
  const found: number[] = [];
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      // proc(5): after the name in brackets the state, and then the parent.
      const [, parent = '0'] = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      parents.set(Number(name), Number(parent));
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(home)) found.push(Number(name));
    } catch {
      // Gone meanwhile.
    }
  }
  const isIts = (pid: number): boolean => pid > 1 && (found.includes(pid) || isIts(parents.get(pid) ?? 0));
  return [...parents.keys()].filter(isIts);
}
