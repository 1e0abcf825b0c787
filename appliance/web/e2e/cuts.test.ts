/**
 * A network that is cut at random moments, and people who go on writing: everything arrives once and in order.
 *
 * `WARDLINE_CUTS` (50) and `WARDLINE_SEED` say how often and where.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { Cable } from './cable.ts';
import { PersonAtApp } from './person.ts';

const MESSAGES = 200;
const CUTS = Number(process.env['WARDLINE_CUTS'] ?? 50);
const SEED = Number(process.env['WARDLINE_SEED'] ?? 1);

describe.each(['WebSocket', 'WebTransport'] as const)('two people on a bad network, over %s', (by) => {
  let box: Box;
  let cables: [Cable, Cable];
  let ana: PersonAtApp;
  let ben: PersonAtApp;

  beforeAll(async () => {
    box = await Box.start();
    const udp = by === 'WebTransport';
    cables = [await Cable.lay(box, { udp }), await Cable.lay(box, { udp })];
    ana = await PersonAtApp.join(box, 'Ana', {}, cables[0]);
    ben = await PersonAtApp.join(box, 'Ben', {}, cables[1]);
    expect([await ana.doorway(), await ben.doorway()]).toEqual([by, by]);
    await ana.writeTo('Ben Okafor');
    await ana.say('hello');
    await ben.open('Ana Flores');
    await ben.sees('hello');
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail') return;
    await ana.picture(context.task.id);
    await ben.picture(context.task.id);
  });
  afterAll(async () => {
    await ana?.leaves();
    await ben?.leaves();
    cables?.forEach((cable) => cable.remove());
    await box?.stop();
  });

  test(
    `of ${MESSAGES} messages with ${CUTS} cuts none is lost, none comes twice, all are in order`,
    async () => {
      const chance = dice(SEED);
      const moments = new Set<number>();
      while (moments.size < CUTS) moments.add(Math.floor(chance() * MESSAGES));
      const said: Record<'ana' | 'ben', string[]> = { ana: [], ben: [] };
      for (let at = 0; at < MESSAGES; at += 1) {
        const who = chance() < 0.5 ? 'ana' : 'ben';
        const text = `${who} ${String(said[who].length).padStart(3, '0')}`;
        said[who].push(text);
        await (who === 'ana' ? ana : ben).say(text);
        if (!moments.has(at)) continue;
        const cable = cables[chance() < 0.5 ? 0 : 1];
        if (chance() < 0.7) cable.cut();
        else cable.deaden();
        // Mended after some more messages were written, which wait on the phone meanwhile.
        const more = Math.floor(chance() * 3);
        for (let extra = 0; extra < more && at + 1 < MESSAGES; extra += 1) {
          at += 1;
          const other = `ana ${String(said.ana.length).padStart(3, '0')}`;
          said.ana.push(other);
          await ana.say(other);
        }
        cable.mend();
      }
      for (const [writer, reader, texts] of [
        [ana, ben, said.ana],
        [ben, ana, said.ben],
      ] as const) {
        const last = texts.at(-1) ?? '';
        for (const { page } of [reader, writer]) {
          const came = page.getByText(last, { exact: true }).filter({ visible: true }).last();
          await came.waitFor({ timeout: 90_000 }).catch(async (thrown: unknown) => {
            const all = [await ana.allTexts('(ana|ben)'), await ben.allTexts('(ana|ben)')];
            throw new Error(`${last} is not in sight; the ends of what Ana and Ben have: ${JSON.stringify(all.map((one) => one.slice(-30)))}`, { cause: thrown });
          });
        }
      }
      const prefix = '(ana|ben) \\d{3}$';
      const [anaSees, benSees] = [await ana.allTexts(prefix), await ben.allTexts(prefix)];
      expect(benSees).toEqual(anaSees);
      for (const who of ['ana', 'ben'] as const) {
        expect(anaSees.filter((text) => text.startsWith(who))).toEqual(said[who]);
      }
    },
    600_000,
  );

  test('what is written without a network, and locked away, leaves by itself when there is one', async () => {
    cables[0].cut();
    // Over QUIC a cut is silence: what is sent and not answered tells.
    if (by === 'WebSocket') await ana.page.getByText(/Not connected|Connecting/).filter({ visible: true }).first().waitFor();
    await ana.say('written offline');
    await ana.page.getByText('Waiting to be sent').filter({ visible: true }).last().waitFor();
    await ana.lock();
    await ana.page.getByText('One message waits to be sent').filter({ visible: true }).waitFor();
    const shown = await ana.page.locator('body').innerText();
    expect(shown).not.toContain('written offline');
    cables[0].mend();
    await ben.sees('written offline');
    expect((await ben.allTexts('written offline')).length).toBe(1);
  });
});

/** mulberry32: one seed is one history. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
