import { NOW, scenes as all } from './fixtures.ts';
import type { Findings } from '../domain/check/check.ts';
import type { Ringing, Snapshot } from '../domain/snapshot.ts';
import type { Urgent } from '../domain/rings.ts';

/** Made-up screens of a ward's desk; never part of what is built. */

const closed = all['join'] as Snapshot;
const ring = (minutes: number, over: Partial<Ringing> = {}): Ringing => ({
  conversation: '0000000000000301',
  sequence: minutes,
  unit: '',
  senderTitle: 'Hospitalist',
  opened: NOW - minutes * 60_000,
  dial: '',
  outside: true,
  coming: false,
  held: false,
  ...over,
});
const urgent = (minutes: number, dial = ''): Urgent => ({ key: `0000000000000301/${minutes}`, since: NOW - minutes * 60_000, dial });
const station: Snapshot = { ...closed, stage: 'station', station: 'Desk, 4 West' };
const off = { ...closed.line, state: 'offline', by: null, since: NOW - 47 * 60_000 } as const;

export const deskScenes: Record<string, Snapshot> = {
  station,
  stationConnects: { ...station, line: { ...closed.line, state: 'connecting', by: null } },
  stationRings: { ...station, ringing: [ring(3, { dial: '4711' })] },
  stationRingsMany: { ...station, ringing: [ring(1), ring(2, { senderTitle: '' }), ring(4, { senderTitle: 'Respiratory therapist' }), ring(9), ring(12)] },
  stationUrgent: { ...station, urgents: [urgent(7, '4711')] },
  stationUrgentMany: { ...station, urgents: [urgent(23), urgent(9), urgent(6)] },
  stationRingsUrgent: { ...station, ringing: [ring(3)], urgents: [urgent(9)] },
  stationHeld: { ...station, ringing: [ring(3, { held: true })] },
  stationOff: { ...station, line: off },
  stationOffRings: { ...station, line: off, ringing: [ring(50)] },
  stationRevoked: { ...station, stage: 'ended', ended: 'revoked' },
  stationUnknown: { ...station, stage: 'joining', refusal: { code: 'DEVICE_UNKNOWN', advice: '' } },
  stationHostile: { ...station, station: `\u202eKsed ${'W'.repeat(90)}`, ringing: [ring(3, { senderTitle: `<b>${'x'.repeat(100)}` })] },
};

const well: Findings = { hasNetwork: true, host: 'box.willow.example:4433', build: 'a1b2c3', page: { is: 'answered', ms: 14, build: 'a1b2c3', boxAt: NOW, at: NOW }, socket: { is: 'answered', ms: 22 }, quic: { is: 'answered', ms: 31 }, certificateUntil: NOW + 9 * 86_400_000 };
const failed = { is: 'failed' } as const;

/** What a look at the connection found, by name. */
export function findingsOf(way: string): Findings {
  switch (way) {
    case 'silent':
      return { ...well, page: failed, socket: failed, quic: failed, certificateUntil: null };
    case 'none':
      return { ...well, host: '192.0.2.7', hasNetwork: false, page: failed, socket: failed, quic: failed, certificateUntil: null };
    case 'pagesOnly':
      return { ...well, build: 'd4e5f6', page: { is: 'answered', ms: 240, build: 'a1b2c3', boxAt: NOW, at: NOW + 7_260_000 }, socket: failed, quic: failed };
    case 'stranger':
      return { ...well, page: { is: 'stranger' }, socket: failed, quic: { is: 'unsupported' }, certificateUntil: null };
    case 'noUdp':
      return { ...well, quic: failed, certificateUntil: NOW - 60_000 };
    case 'wait':
      return { ...well, page: { is: 'wait' }, socket: { is: 'wait' }, quic: { is: 'wait' }, certificateUntil: null };
    default:
      return well;
  }
}
