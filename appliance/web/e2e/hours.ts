/** Hours that pass at once, for a box and the phones of its people. */

import type { CDPSession, Locator } from 'playwright-core';

import type { Box } from './box.ts';
import type { PersonAtApp } from './person.ts';

/** Until the box has noticed a leap (a second at most) and said what follows. */
const NOTICED_MS = 2_000;

export class Hours {
  readonly #box: Box;
  readonly #phones: readonly PersonAtApp[];
  /** Those whose page does not move, as in a pocket, and how long it has slept. */
  readonly #frozen = new Map<PersonAtApp, { session: CDPSession; slept: number }>();

  constructor(box: Box, phones: readonly PersonAtApp[]) {
    this.#box = box;
    this.#phones = phones;
  }

  /** The box first: a phone that wakes up asks it. */
  async pass(ms: number): Promise<void> {
    this.#box.leap(ms);
    for (const phone of this.#phones) {
      const frozen = this.#frozen.get(phone);
      if (frozen === undefined) await phone.page.clock.fastForward(ms);
      else frozen.slept += ms;
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

  async freeze(phone: PersonAtApp): Promise<void> {
    const session = await phone.browser.context.newCDPSession(phone.page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    this.#frozen.set(phone, { session, slept: 0 });
  }

  async thaw(phone: PersonAtApp): Promise<void> {
    const frozen = this.#frozen.get(phone);
    if (frozen === undefined) return;
    this.#frozen.delete(phone);
    await frozen.session.send('Page.setWebLifecycleState', { state: 'active' });
    await frozen.session.detach();
    await phone.page.clock.fastForward(frozen.slept);
  }

  /** Takes the phone out, and is in the inbox. */
  async opens(who: PersonAtApp): Promise<void> {
    await who.page.getByRole('heading', { name: /^(Locked|Inbox)$/ }).filter({ visible: true }).first().waitFor();
    if (await who.page.getByRole('heading', { name: 'Locked' }).isVisible()) await who.opens();
  }
}
