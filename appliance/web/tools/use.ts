/** Uses the app as people do, and says what did not come out: npm run use [-- PART_OF_A_NAME] */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import { buildLook, serve } from './look-server.ts';
import { pageUses } from './use/pages.ts';

const SITE = join(tmpdir(), 'wardline-use-site');
const phone = { viewport: { width: 390, height: 844 }, locale: 'en-US', hasTouch: true } as const;

interface Fixture {
  asked: { command: string; values: unknown[] }[];
  snapshot: { inbox: object[]; conversation: { messages: object[] } & object };
  set(change: object): void;
}
type World = typeof globalThis & { fixture: Fixture };

const asked = (page: Page, command: string): Promise<unknown[][]> =>
  page.evaluate((name) => (globalThis as World).fixture.asked.filter((one) => one.command === name).map((one) => one.values), command);
/** Ten thousand messages of all heights in the conversation that is open. */
const fillWith = (page: Page, count: number) =>
  page.evaluate((count) => {
    const { fixture } = globalThis as World;
    const { conversation } = fixture.snapshot;
    const messages = Array.from({ length: count }, (_, at) => longMessage(conversation.messages[1] as object, at));
    fixture.set({ conversation: { ...conversation, older: 'some', messages } });
    function longMessage(pattern: object, at: number): object {
      return { ...pattern, stat: null, replyTo: null, key: `long${at}`, sequence: at + 1, mine: at % 3 === 0, text: `number ${at} ${'and so on '.repeat((at * 7919) % 40)}` };
    }
  }, count);
/** Where on the screen what is read stands: the first message that is wholly in sight. */
const eye = (page: Page) =>
  page.locator('.messages').evaluate((scroller) => {
    const from = scroller.getBoundingClientRect().top;
    const row = [...scroller.querySelectorAll('[data-sequence]')].find((one) => one.getBoundingClientRect().top >= from);
    return { sequence: Number(row?.getAttribute('data-sequence')), top: row?.getBoundingClientRect().top ?? 0 };
  });
const placeOf = (page: Page, sequence: number) => page.locator(`[data-sequence="${sequence}"]`).evaluate((row) => row.getBoundingClientRect().top);
const frames = (page: Page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const top = (page: Page) => page.locator('.messages').evaluate((element) => element.scrollTop);

const shownKeys = (page: Page) => page.locator('[data-sequence]').evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-sequence'))));

const uses: Record<string, (page: Page, open: (query: string) => Promise<void>) => Promise<void>> = {
  async 'joins with a code as it was typed'(page, open) {
    await open('scene=join&installed');
    await page.getByLabel('Join code').pressSequentially('abo-il 12345zz');
    assert.equal(await page.getByLabel('Join code').inputValue(), 'AB011 12345');
    await page.getByLabel('Join code').press('Home');
    await page.getByLabel('Join code').press('Delete');
    assert.equal(await page.getByLabel('Join code').inputValue(), 'B0111 2345');
    await page.getByLabel('Join code').pressSequentially('a');
    const pins = page.locator('input[type=password]');
    await pins.nth(0).fill('123456');
    await pins.nth(1).fill('123456');
    await page.locator('button[type=submit]').click();
    assert.deepEqual(await asked(page, 'join'), [], 'a PIN that is too common is not sent');
    await pins.nth(0).fill('482915');
    await pins.nth(1).fill('482915');
    await page.locator('button[type=submit]').click();
    assert.deepEqual(await asked(page, 'join'), [['AB01112345', '482915', 'Desk computer']]);
  },
  async 'says "coming" from the lock screen with one tap'(page, open) {
    await open('scene=lockedRings');
    assert.match(await page.title(), /^STAT/);
    await page.getByRole('button', { name: 'Coming' }).tap();
    assert.equal((await asked(page, 'answerStat'))[0]?.[2], 'coming');
    const shown = await page.locator('body').innerText();
    assert.doesNotMatch(shown, /Rosa|SpO2|412/, 'no name and no text while locked');
  },
  async 'asks once before a STAT, and says whom it rings for'(page, open) {
    await open('scene=conversation');
    await page.locator('textarea').fill('Need help in 412-B');
    await page.locator('.compose label.stat').tap();
    await page.locator('.compose button[type=submit]').tap();
    assert.deepEqual(await asked(page, 'send'), []);
    assert.match(await page.locator('dialog').innerText(), /Ben Okafor/);
    await page.locator('dialog .alarm').tap();
    assert.deepEqual((await asked(page, 'send')).map((values) => values.slice(1)), [['Need help in 412-B', 'stat', 0, []]]);
    assert.equal(await page.locator('textarea').inputValue(), '');
    assert.equal(await page.locator('dialog').count(), 0);
  },
  async 'answers a STAT, with a reason where one cannot come'(page, open) {
    await open('scene=conversationStat');
    await page.getByRole('button', { name: "Can't" }).tap();
    await page.getByRole('button', { name: 'Off duty' }).tap();
    assert.deepEqual((await asked(page, 'answerStat'))[0]?.slice(2), ['cannot', 'offDuty']);
    await page.getByRole('button', { name: 'I have it' }).tap();
    assert.deepEqual((await asked(page, 'answerStat'))[1]?.slice(2), ['accept']);
  },
  async 'opens a conversation at the STAT that calls'(page, open) {
    await open('scene=inboxRings');
    await page.getByRole('button', { name: 'Open' }).tap();
    await page.getByRole('button', { name: 'I have it' }).waitFor();
    const box = await page.getByRole('button', { name: 'I have it' }).boundingBox();
    assert.ok(box !== null && box.y > 60 && box.y < 700, 'in sight');
  },
  async 'comes back to the inbox where it was left'(page, open) {
    await open('scene=inbox');
    await page.evaluate(() => {
      const { fixture } = globalThis as World;
      const pattern = fixture.snapshot.inbox[0] as object;
      fixture.set({ inbox: Array.from({ length: 50 }, (_, at) => ({ ...pattern, id: `group${at}`, kind: 'group', title: `Group ${at}.`, patient: null, stat: null, section: 'rest' })) });
    });
    const row = page.getByRole('button', { name: 'Group 30.' });
    await row.scrollIntoViewIfNeeded();
    await frames(page);
    const before = await row.boundingBox();
    await row.tap();
    await page.getByRole('button', { name: 'Back', exact: true }).waitFor();
    assert.equal(await page.getByRole('heading', { name: 'Inbox' }).count(), 0, 'a reader does not hear what lies under the conversation');
    await page.waitForFunction(() => document.activeElement?.id === 'conversation-title');
    await page.getByRole('button', { name: 'Back', exact: true }).tap();
    await row.waitFor();
    assert.deepEqual(await row.boundingBox(), before);
    assert.ok(await row.evaluate((element) => element === document.activeElement), 'the focus is where it was');
  },
  async 'keeps what is read where it is'(page, open) {
    await open('scene=hostile');
    const add = (where: 'above' | 'below', key: string) =>
      page.evaluate(
        ([where, key]) => {
          const { fixture } = globalThis as World;
          const { conversation } = fixture.snapshot;
          const pattern = conversation.messages[1] as object;
          const one = { ...pattern, key, sequence: where === 'above' ? 0 : 999, mine: false };
          fixture.set({ conversation: { ...conversation, messages: where === 'above' ? [one, ...conversation.messages] : [...conversation.messages, one] } });
        },
        [where, key] as const,
      );
    const end = () => page.locator('.messages').evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop);
    assert.ok((await end()) < 2, 'begins at the end');
    await add('below', 'new1');
    await page.waitForTimeout(100);
    assert.ok((await end()) < 2, 'stays at the end');
    await page.locator('.messages').evaluate((element) => (element.scrollTop = 300));
    await page.waitForTimeout(100);
    await add('below', 'new2');
    await page.waitForTimeout(100);
    assert.equal(await top(page), 300, 'a new message does not move the page');
    const mark = page.locator('.messages ol > li').nth(1);
    const before = (await mark.boundingBox())?.y ?? 0;
    await add('above', 'old1');
    await page.waitForTimeout(100);
    const after = (await page.locator('.messages ol > li').nth(2).boundingBox())?.y ?? 0;
    assert.ok(Math.abs(before - after) < 2, `older ones do not either: ${before}, ${after}`);
    await page.getByRole('button', { name: 'New messages' }).tap();
    assert.ok((await end()) < 2);
  },
  async 'at the end of a short conversation, older messages that come are in the page too'(page, open) {
    await open('scene=conversation');
    await fillWith(page, 3);
    await page.waitForTimeout(300);
    assert.deepEqual(await shownKeys(page), [1, 2, 3]);
    // As when somebody's own wait to be sent, and what others wrote meanwhile comes before them.
    await page.evaluate(() => {
      const { fixture } = globalThis as World;
      const { conversation } = fixture.snapshot;
      const [pattern] = conversation.messages as [object];
      const older = Array.from({ length: 30 }, (_, at) => ({ ...pattern, key: `before${at}`, sequence: 1_000 + at, mine: false, text: 'ok' }));
      fixture.set({ conversation: { ...conversation, messages: [...older, ...conversation.messages] } });
    });
    await page.locator('[data-sequence="1000"]').waitFor({ timeout: 5_000 });
    assert.equal((await shownKeys(page)).length, 33);
  },
  async 'scrolls through ten thousand messages, and each stays under the eye'(page, open) {
    await open('scene=conversation');
    await fillWith(page, 10_000);
    await frames(page);
    const scroller = page.locator('.messages');
    let least = 10_000;
    for (let steps = 0; steps < 60; steps += 1) {
      const before = await eye(page);
      const moved = await scroller.evaluate((element) => {
        const was = element.scrollTop;
        element.scrollTop -= 500;
        return was - element.scrollTop;
      });
      await frames(page);
      const after = await placeOf(page, before.sequence);
      assert.ok(Math.abs(after - before.top - moved) < 2, `step ${steps}: message ${before.sequence} was at ${before.top}, is at ${after}, scrolled by ${moved}`);
      assert.ok((await page.locator('[data-sequence]').count()) <= 160, 'bounded');
      least = Math.min(least, before.sequence);
    }
    assert.ok(least < 9_900, `came far: ${least}`);
    assert.equal(await page.locator('.messages li[aria-posinset]').first().getAttribute('aria-setsize'), '-1');
    const before = await eye(page);
    await page.evaluate((from) => {
      const { fixture } = globalThis as World;
      const { conversation } = fixture.snapshot;
      const reactions = [{ kind: 'agree', people: ['Ben Okafor'], mine: false }];
      const messages = conversation.messages.map((one, at) => (at > from - 15 && at < from - 1 ? { ...one, reactions } : one));
      fixture.set({ conversation: { ...conversation, messages } });
    }, before.sequence);
    await frames(page);
    assert.ok(Math.abs((await placeOf(page, before.sequence)) - before.top) < 2, 'reactions above move nothing');
    await scroller.focus();
    await page.keyboard.press('Home');
    await frames(page);
    assert.equal((await eye(page)).sequence, 1);
    await page.keyboard.press('End');
    await frames(page);
    await page.locator('[data-sequence="10000"]').waitFor();
  },
  async 'goes to the newest when asked'(page, open) {
    await open('scene=conversation');
    await fillWith(page, 500);
    await frames(page);
    assert.equal(await page.getByRole('button', { name: 'To the newest' }).count(), 0);
    await page.locator('.messages').evaluate((element) => (element.scrollTop -= 3_000));
    await page.getByRole('button', { name: 'To the newest' }).tap();
    await frames(page);
    assert.ok((await page.locator('.messages').evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop)) < 2);
  },
  async 'opens at an older message'(page, open) {
    await open('scene=conversation');
    await fillWith(page, 500);
    await frames(page);
    await page.evaluate(() => {
      const { fixture } = globalThis as World;
      fixture.set({ conversation: { ...fixture.snapshot.conversation, found: { sequence: 100, state: 'here' } } });
    });
    await frames(page);
    const box = await page.locator('[data-sequence="100"]').boundingBox();
    assert.ok(box !== null && box.y > 60 && box.y + box.height < 760, `in sight: ${box?.y}`);
    await page.getByRole('button', { name: 'To the newest' }).tap();
    await page.locator('[data-sequence="500"]').waitFor();
  },
  async 'is used with the keyboard alone'(page, open) {
    await open('scene=inbox');
    const row = page.locator('.inbox li button').nth(1);
    for (let i = 0; i < 20 && !(await row.evaluate((element) => element === document.activeElement)); i += 1) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('#conversation-title').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'conversation-title');
    for (let i = 0; i < 40 && !(await page.locator('textarea').evaluate((element) => element === document.activeElement)); i += 1) await page.keyboard.press('Tab');
    await page.keyboard.type('On my way');
    await page.keyboard.press('Control+Enter');
    assert.deepEqual((await asked(page, 'send')).map((values) => values.slice(1)), [['On my way', 'routine', 0, []]]);
    await page.goBack();
    await page.locator('.inbox h1').waitFor();
    assert.ok(await row.evaluate((element) => element === document.activeElement), 'the focus is where it was');
  },
  async 'replies and reacts without a long press'(page, open) {
    await open('scene=conversation');
    await page.locator('.more[aria-haspopup]').last().tap();
    await page.getByRole('button', { name: 'Looking into it' }).tap();
    assert.deepEqual((await asked(page, 'react'))[0]?.slice(2), ['looking', false]);
    await page.locator('.more[aria-haspopup]').last().tap();
    await page.getByRole('button', { name: 'Reply', exact: true }).tap();
    await page.locator('textarea').fill('Seen');
    await page.locator('.compose button[type=submit]').tap();
    const [sent] = await asked(page, 'send');
    assert.ok(Number(sent?.[3]) > 0);
  },
  async 'says what was read, and not before'(page, open) {
    await open('scene=conversation');
    await page.waitForTimeout(200);
    assert.ok((await asked(page, 'seen')).length > 0);
  },
};

/** The built app itself: its worker takes the shell over, which then opens with nobody there to serve it. */
async function opensOffline(browser: Browser): Promise<void> {
  const { origin, stop } = await serve(`${process.cwd()}/dist`);
  const context = await browser.newContext();
  const page = await context.newPage();
  const told: string[] = [];
  page.on('console', (message) => {
    if (/Content Security|TrustedScript|Trusted Type/i.test(message.text())) told.push(message.text());
  });
  page.on('pageerror', (error) => told.push(error.message));
  await page.goto(origin);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await stop();
  await page.goto(`${origin}/somewhere`);
  assert.equal(await page.title(), 'Wardline');
  const styled = await page.evaluate(() => getComputedStyle(document.body).margin);
  assert.equal(styled, '0px', 'the style is there');
  assert.deepEqual(await page.evaluate(() => fetch('/wardline/anything').then(() => 'kept', () => 'gone')), 'gone');
  assert.deepEqual(told, []);
  await context.close();
}

await buildLook(SITE);
const { origin, stop } = await serve(SITE);
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
let failed = 0;
const tell = async (name: string, use: () => Promise<void>) => {
  try {
    await use();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n${String(error).slice(0, 800)}`);
  }
};
const only = process.argv[2] ?? '';
for (const [name, use] of Object.entries({ ...uses, ...pageUses }).filter(([name]) => name.includes(only))) {
  const context = await browser.newContext(phone);
  context.setDefaultTimeout(5000);
  const page = await context.newPage();
  await tell(name, () =>
    use(page, async (query) => {
      await page.goto(`${origin}/tools/look/?${query}`);
      await page.locator('#app > *').first().waitFor();
    }),
  );
  await context.close();
}
await stop();
if (existsSync('dist/sw.js')) await tell('opens without the box', () => opensOffline(browser));
await browser.close();
process.exit(failed === 0 ? 0 : 1);
