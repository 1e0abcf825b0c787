/** Somebody at the app, as far as a test has to know it: what they see and touch, by its words, never by a class or an id. */

import type { CDPSession } from 'playwright-core';

import { expect } from './expect.ts';
import type { Box } from './box.ts';
import { Browser, type Look, type Way } from './browser.ts';

/** A PIN that is no canary. */
export const PIN = '739154';

export class PersonAtApp {
  readonly name: string;
  browser: Browser;
  /** How often a PIN was typed to open the app. */
  pins = 0;
  #finger: CDPSession | null = null;

  private constructor(name: string, browser: Browser) {
    this.name = name;
    this.browser = browser;
  }

  /** A sentence with somebody's name in it stands on the screen: names are isolated there (U+2068, U+2069). */
  async reads(sentence: string): Promise<void> {
    const parts = sentence.split(' ').map((word) => word.replace(/[^\w]/g, '\\$&'));
    const loosely = new RegExp(parts.join('[\\s\u2066-\u2069]+'));
    await this.page.getByText(loosely).filter({ visible: true }).last().waitFor();
  }

  /** In a browser that is open already, whose profile knows them. */
  static again(name: string, browser: Browser): PersonAtApp {
    return new PersonAtApp(name, browser);
  }

  /** Opens the app in a fresh browser. */
  static async arrive(way: Way, name: string, look: Look = {}): Promise<PersonAtApp> {
    const browser = await Browser.open(way, look);
    await browser.page.goto(`${way.address}/`);
    return new PersonAtApp(name, browser);
  }

  /** The same, and joins with a fresh code. */
  static async join(box: Box, name: string, look: Look = {}, way: Way = box): Promise<PersonAtApp> {
    const person = await PersonAtApp.arrive(way, name, look);
    await person.goOnInBrowser();
    await person.redeem(box.code(name));
    await person.seesInbox();
    return person;
  }

  get page() {
    return this.browser.page;
  }

  async goOnInBrowser(): Promise<void> {
    await this.page.getByRole('button', { name: 'Go on in the browser' }).click();
  }

  async redeem(code: string, pin = PIN): Promise<void> {
    await this.page.getByLabel('Join code').fill(code);
    await this.page.getByLabel('Choose a PIN').fill(pin);
    await this.page.getByLabel('Type the PIN again').fill(pin);
    await this.page.getByRole('button', { name: 'Join', exact: true }).click();
  }

  async seesInbox(): Promise<void> {
    await this.page.getByRole('heading', { name: 'Inbox' }).waitFor();
  }

  /** By which way the app is connected, as its page says. */
  async doorway(): Promise<string> {
    await this.tab('More');
    await this.page.getByRole('button', { name: 'Details', exact: true }).filter({ visible: true }).click();
    const way = this.page.getByRole('dialog').getByText(/^Web(Transport|Socket) \(/);
    await way.waitFor();
    const [name = ''] = ((await way.textContent()) ?? '').split(' ');
    await this.page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).click();
    return name;
  }

  async lock(): Promise<void> {
    await this.tab('More');
    await this.page.getByRole('button', { name: 'Lock now' }).click();
    await this.page.getByRole('heading', { name: 'Locked' }).waitFor();
  }

  async unlock(pin = PIN): Promise<void> {
    this.pins += 1;
    await this.page.getByLabel('PIN', { exact: true }).fill(pin);
    await this.page.getByRole('button', { name: 'Open', exact: true }).click();
  }

  /** Opens the locked app as its person would: by passkey where that will do, by PIN where it is due. */
  async opens(): Promise<void> {
    const inbox = this.page.getByRole('heading', { name: 'Inbox' });
    if (this.#finger === null) await this.unlock();
    // Whoever wakes a phone whose connection died in its sleep touches it again, once it has another.
    for (let touches = 0; this.#finger !== null && touches < 4; touches += 1) {
      await this.page.getByRole('button', { name: 'Open with passkey' }).click();
      if (await inbox.waitFor({ timeout: 6_000 }).then(() => true, () => false)) return;
    }
    await this.seesInbox();
  }

  /** A passkey of Chromium's own virtual authenticator: from then on the finger opens. */
  async addPasskey(): Promise<void> {
    this.#finger = await this.browser.context.newCDPSession(this.page);
    await this.#finger.send('WebAuthn.enable');
    const options = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } as const;
    await this.#finger.send('WebAuthn.addVirtualAuthenticator', { options });
    await this.tab('More');
    const card = this.page.getByRole('region', { name: 'Unlock with a passkey' });
    await card.getByRole('button', { name: 'Add a passkey' }).click();
    await card.getByText(/^Added/).waitFor();
  }

  async tab(name: 'Inbox' | 'Patients' | 'On call' | 'People' | 'More'): Promise<void> {
    // Out of a conversation, and out of the page that it was opened from.
    const back = this.page.getByRole('button', { name: 'Back', exact: true }).filter({ visible: true });
    const within = this.page.getByLabel('Message', { exact: true }).filter({ visible: true });
    if ((await within.count()) > 0 && (await back.count()) > 0) {
      await back.last().click();
      await within.waitFor({ state: 'detached' });
    }
    if ((await back.count()) > 0) await back.last().click();
    await this.page.getByRole('navigation').getByText(name, { exact: true }).click();
  }

  /** Opens the conversation with somebody of the directory. */
  async writeTo(name: string): Promise<void> {
    await this.tab('People');
    await this.page.getByLabel('Search people and roles').fill(name);
    await this.page.getByRole('button', { name }).first().click();
    await this.page.getByLabel('Message', { exact: true }).waitFor();
  }

  /** Opens one that stands in the inbox. */
  async open(title: string): Promise<void> {
    await this.tab('Inbox');
    await this.page.getByRole('main').getByText(title).filter({ visible: true }).first().click();
    await this.page.getByLabel('Message', { exact: true }).waitFor();
  }

  async say(text: string, priority: 'Routine' | 'Urgent' | 'STAT' = 'Routine'): Promise<void> {
    await this.page.getByLabel('Message', { exact: true }).fill(text);
    if (priority !== 'Routine') await this.page.getByRole('radio', { name: priority }).check();
    if (priority !== 'STAT') {
      await this.page.getByRole('button', { name: 'Send', exact: true }).click();
      return;
    }
    await this.page.getByRole('button', { name: 'Send STAT' }).click();
    await this.page.getByRole('dialog').getByRole('button', { name: 'Send STAT' }).click();
  }

  /** Does something with the newest message of somebody, by its three dots. */
  async act(whose: string, what: string): Promise<void> {
    await this.page.getByRole('button', { name: new RegExp(`eact to .*${whose}`) }).last().click();
    await this.page.getByRole('dialog').getByRole('button', { name: what, exact: true }).click();
  }

  async sees(text: string): Promise<void> {
    await this.page.getByText(text, { exact: true }).filter({ visible: true }).first().waitFor();
  }

  /** Texts of the open conversation that begin with this, in the order of the screen. */
  async texts(prefix: string): Promise<string[]> {
    const found = this.page.getByRole('list').getByText(new RegExp(`^${prefix}`)).filter({ visible: true });
    return (await found.allTextContents()).map((text) => text.trim());
  }

  /** The same of the whole conversation: older messages are fetched, and all of it is scrolled through. */
  async allTexts(prefix: string): Promise<string[]> {
    const scroller = this.page.getByRole('region', { name: 'Messages', exact: true });
    const beginning = scroller.getByText('The conversation begins here.');
    const drawn = () => this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    do {
      await scroller.press('Home');
      await drawn();
    } while (!(await beginning.isVisible()));
    await scroller.press('Home');
    await drawn();
    const found = new Map<number, string>();
    for (let isEnd = false; !isEnd; ) {
      const rows = await scroller.getByRole('listitem').evaluateAll((items) =>
        items.flatMap((item) => [...item.querySelectorAll('bdi')].map((text) => [Number(item.ariaPosInSet), text.textContent.trim()] as const)),
      );
      for (const [place, text] of rows) if (new RegExp(`^${prefix}`).test(text)) found.set(place, text);
      isEnd = await scroller.evaluate((element) => {
        const was = element.scrollTop;
        element.scrollTop += element.clientHeight * 0.8;
        return element.scrollTop === was;
      });
      await drawn();
    }
    return [...found].sort(([one], [other]) => one - other).map(([, text]) => text);
  }

  /** What is on the screen, into `e2e/out`, for whoever looks why a test failed. */
  async picture(name: string): Promise<void> {
    const path = `${import.meta.dirname}/out/${this.name}${name}`;
    await this.page.screenshot({ path: `${path}.png` });
  }

  /** Nothing went wrong that only a developer would see, and nothing was asked of anybody but the box. */
  async leaves(): Promise<void> {
    expect(this.browser.complaints, `${this.name}'s browser complained`).toEqual([]);
    expect(this.browser.strangers, `${this.name}'s browser asked others`).toEqual([]);
    await this.browser.close();
  }
}
