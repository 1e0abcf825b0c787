/** How the box is, in verdicts: what it says of itself, and what of that somebody should look at, or act on now. */

import { momentOf } from '../ids.ts';
import type { At } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';
import { answer, type Asks } from './asking.ts';
import { standing, type InUse, type Standing } from './certificate.ts';

export type Verdict = 'good' | 'look' | 'act';

export interface Health {
  readonly version: string;
  readonly at: At;
  readonly uptime: number;
  readonly steppedAt: At | null;
  readonly steppedBy: number;
  readonly free: number;
  readonly total: number;
  readonly isLow: boolean;
  readonly store: number;
  readonly files: number;
  readonly index: number;
  readonly checks: number;
  readonly hasCheckFailed: boolean;
  readonly hasKeeper: boolean;
  readonly leafFrom: At;
  /** 0: not known. So are those below. */
  readonly leafUntil: At;
  readonly issuerUntil: At;
  readonly rootUntil: At;
  readonly connections: number;
  readonly attached: number;
  readonly doorways: readonly string[];
  /** What was sent out, by push service: none where the box has no bell. */
  readonly bells: readonly BellCount[];
  /** Not sent: to a host that the box does not call, and for want of room. */
  readonly bellsElsewhere: number;
  readonly bellsBusy: number;
}

export interface BellCount {
  readonly host: string;
  readonly sent: number;
  readonly gone: number;
  readonly refused: number;
  readonly failed: number;
}

const DAY = 86_400_000;
const GIB = 1 << 30;

export async function askHealth(asks: Asks): Promise<Health> {
  const told = await answer(asks, { case: 'askHealth', value: {} }, 'boxHealth');
  return {
    version: cleanLine(told.version),
    at: momentOf(told.at),
    uptime: Number(told.uptime),
    steppedAt: told.steppedAt === 0n ? null : momentOf(told.steppedAt),
    steppedBy: Number(told.steppedBy),
    free: Number(told.diskFree),
    total: Number(told.diskTotal),
    isLow: told.diskLow,
    store: Number(told.storeBytes),
    files: Number(told.filesBytes),
    index: Number(told.indexBytes),
    checks: Number(told.checks),
    hasCheckFailed: told.checkFailed,
    hasKeeper: told.keeperAnswers,
    leafFrom: momentOf(told.leafNotBefore),
    leafUntil: momentOf(told.leafNotAfter),
    issuerUntil: momentOf(told.issuerNotAfter),
    rootUntil: momentOf(told.rootNotAfter),
    connections: told.connections,
    attached: told.attached,
    doorways: told.doorways.map((one) => cleanLine(one)),
    bells: told.bellHosts.map(({ host, sent, gone, refused, failed }) => ({ host: cleanLine(host), sent: Number(sent), gone: Number(gone), refused: Number(refused), failed: Number(failed) })),
    bellsElsewhere: Number(told.bellNotAllowed),
    bellsBusy: Number(told.bellBusy),
  };
}

export type Matter = 'disk' | 'store' | 'keys' | 'certificate' | 'name' | 'issuer' | 'root' | 'clock';

/** `here`: this device's clock, when the answer came. `name`: the certificate for the names that people type, where there is one. */
export function verdicts(health: Health, here: At, name: InUse | null = null): Record<Matter, Verdict> {
  const share = health.total === 0 ? 0 : health.free / health.total;
  const until = (end: At, look: number, act: number): Verdict => (end === 0 || end - health.at < act * DAY ? 'act' : end - health.at < look * DAY ? 'look' : 'good');
  const off = Math.abs(health.at - here);
  const steppedLately = health.steppedAt !== null && health.at - health.steppedAt < DAY;
  return {
    disk: health.isLow || health.free < GIB ? 'act' : share < 0.15 ? 'look' : 'good',
    store: health.hasCheckFailed ? 'act' : 'good',
    keys: health.hasKeeper ? 'good' : 'act',
    // Renewed daily, and good for some days: half of that gone says that renewing does not work.
    certificate: until(health.leafUntil, 7, 5),
    // A facility that has none is not told to get one.
    name: name === null ? 'good' : nameVerdict(standing(name, health.at)),
    issuer: until(health.issuerUntil, 60, 14),
    root: until(health.rootUntil, 365, 90),
    clock: off > 5 * 60_000 ? 'act' : off > 60_000 || steppedLately ? 'look' : 'good',
  };
}

function nameVerdict(stands: Standing): Verdict {
  return stands === 'good' ? 'good' : stands === 'month' || stands === 'fortnight' ? 'look' : 'act';
}

/** The worst of them. */
export function overall(of: Readonly<Record<Matter, Verdict>>): Verdict {
  const all = Object.values(of);
  return all.includes('act') ? 'act' : all.includes('look') ? 'look' : 'good';
}
