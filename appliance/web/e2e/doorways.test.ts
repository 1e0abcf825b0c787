/**
 * Which way the app comes to its box: over QUIC where datagrams pass, over TCP where they do not, and back when they do; and past the
 * end of the leaf that it knew.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { Cable } from './cable.ts';
import { PersonAtApp } from './person.ts';

describe('somebody whose network changes', () => {
  let box: Box;
  let cable: Cable;
  let ana: PersonAtApp;
  let ben: PersonAtApp;

  beforeAll(async () => {
    box = await Box.start();
    cable = await Cable.lay(box);
    ana = await PersonAtApp.join(box, 'Ana', {}, cable);
    ben = await PersonAtApp.join(box, 'Ben');
  });
  afterAll(async () => {
    await ana?.leaves();
    await ben?.leaves();
    cable?.remove();
    await box?.stop();
  });

  test('goes over TCP where datagrams are dropped, and over QUIC once they pass, without a word of a lost connection', async () => {
    expect(await ana.doorway()).toBe('WebSocket');
    expect(await ben.doorway()).toBe('WebTransport');
    await ana.writeTo('Ben Okafor');
    await ana.say('over TCP');
    cable.passUdp(true);
    // As the browser tells of another network.
    await ana.page.evaluate(() => dispatchEvent(new Event('online')));
    await expect.poll(() => ana.doorway(), { timeout: 20_000 }).toBe('WebTransport');
    await ana.open('Ben Okafor');
    await ana.say('over QUIC');
    await ben.open('Ana Flores');
    await ben.sees('over QUIC');
    expect(await ben.texts('over')).toEqual(['over TCP', 'over QUIC']);
  });

  test('moves along to another address with the connection that there is', async () => {
    // What the network knew of the flow is gone, as after a walk to another access point.
    cable.cut();
    cable.mend();
    await ana.say('from elsewhere');
    await ben.sees('from elsewhere');
    expect(await ana.doorway()).toBe('WebTransport');
  });

  test('meets a box with other leaves, over QUIC again', async () => {
    await box.down();
    await box.up();
    await ana.open('Ben Okafor');
    await ana.say('after the night');
    await ben.sees('after the night');
    // Over TCP meanwhile, if the box was not there yet for QUIC.
    for (const who of [ana, ben]) {
      await who.page.evaluate(() => dispatchEvent(new Event('online')));
      await expect.poll(() => who.doorway()).toBe('WebTransport');
    }
  });
});
