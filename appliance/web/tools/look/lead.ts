/** Made-up screens of a charge nurse and her shift, with a made-up box behind them. Everybody in here is invented. */

import { create } from '@bufbuild/protobuf';
import type { Page } from 'playwright-core';
import type { Ask, Told } from '../../src/domain/frames.ts';
import type { Reply, Snapshot } from '../../src/domain/snapshot.ts';
import { EscalationState, OfferPageSchema, RoleSetSchema } from '../../src/gen/wardline_pb.js';
import { NOW, scenes } from '../../src/view/fixtures.ts';

const minutes = (n: number) => BigInt(NOW + n * 60_000);
const [ana, ben, carla] = [0x101n, 0x102n, 0x103n];
const hex = (id: bigint) => id.toString(16).padStart(16, '0');

const base = scenes['onCall'] as Snapshot;
const offer = { id: hex(0x901n), role: '0000000000000402', giver: hex(ben), taker: base.me?.id ?? '', from: 0, until: NOW + 12 * 3_600_000, expires: NOW + 7_200_000 };
const wire = { offer: 0x901n, role: 0x402n, place: 0, giver: ben, taker: BigInt(`0x${base.me?.id ?? '1'}`), from: 0n, until: minutes(720), expires: minutes(120) };

export const leadScenes: Record<string, Snapshot> = {
  leadOffered: { ...base, offers: [offer, { ...offer, id: hex(0x903n), role: '0000000000000404', from: NOW + 3_600_000 }] },
  lead: base,
};

export function leadAnswers(body: Ask): Reply | null {
  const answer = (told: Told): Reply => ({ reply: 'answer', request: 0, body: told });
  switch (body.case) {
    case 'listOffers':
      return answer({
        case: 'offerPage',
        value: create(OfferPageSchema, {
          end: true,
          offers: [
            {
              offer: wire,
              stats: [
                { conversation: 0x301n, sequence: 7n, state: EscalationState.RINGING, unit: 0xa1n, senderTitle: 'Registered nurse', opened: minutes(-4) },
                { conversation: 0n, sequence: 0n, state: EscalationState.ACCEPTED, unit: 0xa2n, senderTitle: '\u202eRN <b>', opened: minutes(-50), stays: true },
              ],
              statsCount: 2,
              tasks: [{ conversation: 0x303n, sequence: 2n, due: minutes(-12), overdue: true }],
              tasksCount: 1,
              gaps: [{ start: minutes(720), end: minutes(1000) }],
              shifts: [{ assignment: 1n, until: minutes(60), beds: 6, patients: 5 }],
            },
            { offer: { ...wire, offer: 0x902n, role: 0x401n, giver: wire.taker, taker: carla } },
            { offer: { ...wire, offer: 0x904n, role: 0x403n, giver: ana + 9n, taker: carla } },
          ],
        }),
      });
    case 'answerOffer':
      return answer({ case: 'roleSet', value: create(RoleSetSchema, {}) });
    default:
      return null;
  }
}

interface View {
  scene: string;
  query?: string;
  act?: (page: Page) => Promise<void>;
}
const tab = (page: Page, n: number) => page.locator('nav button').nth(n).click();
const more = async (page: Page, name: RegExp) => {
  await tab(page, 4);
  await page.locator('.pages button').filter({ hasText: name }).click();
};

export const leadViews: Record<string, View> = {
  leadOffered: { scene: 'leadOffered' },
  leadOfferedBig: { scene: 'leadOffered', query: 'big' },
  leadHandover: {
    scene: 'leadOffered',
    act: async (page) => {
      await more(page, /Hand over a role|Traspasar un puesto/);
      await page.locator('form .pick button').first().click();
    },
  },
  leadHandoverMake: {
    scene: 'lead',
    act: async (page) => {
      await tab(page, 2);
      await page.getByRole('button', { name: /^(Hand over|Traspasar)/ }).first().click();
      await page.locator('form button[type=submit]').click();
      await page.locator('form').scrollIntoViewIfNeeded();
    },
  },
};
