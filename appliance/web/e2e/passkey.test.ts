/**
 * Passkeys, with Chromium's own virtual authenticator against a real box: added, opening, refused, removed. What the authenticator makes
 * and signs is as real as a phone's; only the finger is played.
 */

import type { CDPSession } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

describe('a nurse who unlocks with her finger', () => {
  let box: Box;
  let ana: PersonAtApp;
  let phone: CDPSession;
  let authenticatorId: string;

  const opens = () => ana.page.getByRole('button', { name: 'Open with passkey' });
  const card = () => ana.page.getByRole('region', { name: 'Unlock with a passkey' });

  beforeAll(async () => {
    box = await Box.start();
    ana = await PersonAtApp.join(box, 'Ana');
    phone = await ana.browser.context.newCDPSession(ana.page);
    await phone.send('WebAuthn.enable');
    const options = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } as const;
    ({ authenticatorId } = await phone.send('WebAuthn.addVirtualAuthenticator', { options }));
  });
  afterAll(async () => {
    await ana?.leaves();
    await box?.stop();
  });

  test('is not offered it before she has added one', async () => {
    await ana.lock();
    await ana.page.getByLabel('PIN', { exact: true }).waitFor();
    expect(await opens().count()).toBe(0);
    await ana.unlock();
    await ana.seesInbox();
  });

  test('adds one in two taps, and it opens what she locked', async () => {
    await ana.tab('More');
    await card().getByRole('button', { name: 'Add a passkey' }).click();
    await card().getByText(/^Added/).waitFor();
    await ana.lock();
    await opens().click();
    await ana.page.getByRole('navigation').first().waitFor();
    // Nobody typed a PIN.
    await ana.tab('Inbox');
    await ana.seesInbox();
  });

  test('is refused when the phone did not know her, and the PIN is there all the same', async () => {
    await ana.lock();
    await phone.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await opens().click();
    await ana.page.getByText(/Try again, or/).waitFor();
    await phone.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
    await opens().click();
    await ana.page.getByRole('navigation').first().waitFor();
  });

  test('finds it after the app was closed and opened again', async () => {
    await ana.lock();
    await ana.page.reload();
    await opens().click();
    await ana.page.getByRole('navigation').first().waitFor();
  });

  test('removes it, and only the PIN opens', async () => {
    await ana.tab('More');
    await card().getByRole('button', { name: 'Remove' }).click();
    await ana.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await card().getByText(/^Removed/).waitFor();
    await ana.lock();
    await ana.page.getByLabel('PIN', { exact: true }).waitFor();
    expect(await opens().count()).toBe(0);
    await ana.unlock();
    await ana.page.getByRole('navigation').first().waitFor();
    expect(ana.browser.complaints).toEqual([]);
  });
});
