import { describe, expect, it } from 'vitest';

import { adminBox } from '../testing/adminBox.ts';
import type { InUse } from './certificate.ts';
import { askHealth, overall, verdicts, type Health } from './health.ts';

const box = adminBox();
const asks = (body: Parameters<typeof box>[0]) => Promise.resolve(box(body) ?? { reply: 'refused' as const, refusal: { code: 'OFFLINE', advice: '' } });
const DAY = 86_400_000;

async function told(change: Partial<Health> = {}): Promise<Health> {
  const health = await askHealth(asks);
  const well: Health = { ...health, free: health.total / 2, steppedAt: null, leafUntil: health.at + 11 * DAY };
  return { ...well, ...change };
}
const of = (health: Health, off = 0) => verdicts(health, health.at + off);

const certified: InUse = { names: ['wardline.mercy.example'], issuer: 'Example CA', from: 0, until: 0, sha256: '', hasKey: true, isServed: true };

describe('how the box is', () => {
  it('counts the certificate of the name, where there is one', async () => {
    const health = await told();
    const name = (days: number, more: Partial<InUse> = {}) => verdicts(health, health.at, { ...certified, until: health.at + days * DAY, ...more }).name;
    expect([of(health).name, name(31), name(29), name(2), name(-1), name(31, { hasKey: false })]).toEqual(['good', 'good', 'look', 'act', 'act', 'act']);
  });

  it('is good when all of it is', async () => {
    expect(overall(of(await told()))).toBe('good');
  });

  it('is to be looked at before it is to be acted on, matter by matter', async () => {
    const { at, total } = await told();
    const cases: [Partial<Health>, keyof ReturnType<typeof verdicts>, string][] = [
      [{ free: total * 0.1 }, 'disk', 'look'],
      [{ free: 500_000_000 }, 'disk', 'act'],
      [{ isLow: true }, 'disk', 'act'],
      [{ hasCheckFailed: true }, 'store', 'act'],
      [{ hasKeeper: false }, 'keys', 'act'],
      [{ leafUntil: at + 6 * DAY }, 'certificate', 'look'],
      [{ leafUntil: at + 4 * DAY }, 'certificate', 'act'],
      [{ leafUntil: 0 }, 'certificate', 'act'],
      [{ issuerUntil: at + 30 * DAY }, 'issuer', 'look'],
      [{ rootUntil: at + 30 * DAY }, 'root', 'act'],
      [{ steppedAt: at - 1_000 }, 'clock', 'look'],
    ];
    for (const [change, matter, verdict] of cases) {
      const all = of(await told(change));
      expect([matter, all[matter]]).toEqual([matter, verdict]);
      expect(overall(all)).toBe(verdict);
    }
  });

  it('has a clock that is held against this device’s', async () => {
    expect(of(await told(), 2 * 60_000).clock).toBe('look');
    expect(of(await told(), -6 * 60_000).clock).toBe('act');
  });
});
