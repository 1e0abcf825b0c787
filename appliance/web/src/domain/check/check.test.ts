import { describe, expect, it } from 'vitest';

import { buildOf, type Findings, linesOf, needsNames, untilOf, verdictOf } from './check.ts';

const page = { is: 'answered', ms: 12.4, build: 'aBc-12_3', boxAt: 1_000_000, at: 1_000_400 } as const;
const well: Findings = { hasNetwork: true, host: 'box.example:4433', build: 'aBc-12_3', page, socket: { is: 'answered', ms: 20 }, quic: { is: 'answered', ms: 30 }, certificateUntil: 2_000_000 };
const failed = { is: 'failed' } as const;

function marks(findings: Findings): Record<string, string> {
  return Object.fromEntries(linesOf(findings).map((line) => [line.what, `${line.mark} ${line.says}`]));
}

describe('what a page can tell', () => {
  it('is all well', () => {
    expect(verdictOf(well)).toBe('works');
    expect(marks(well)).toEqual({ network: 'ok there', page: 'ok answered', socket: 'ok answered', quic: 'ok answered', certificate: 'ok until', build: 'ok same', clock: 'ok right' });
  });

  it('names what is wrong, the gravest first', () => {
    expect(verdictOf({ ...well, page: failed, socket: failed })).toBe('silent');
    expect(verdictOf({ ...well, hasNetwork: false, page: failed, socket: failed })).toBe('noNetwork');
    expect(verdictOf({ ...well, socket: failed })).toBe('pagesOnly');
    expect(verdictOf({ ...well, page: { is: 'stranger' } })).toBe('stranger');
    // The device is wrong about its network now and then: what answers counts.
    expect(verdictOf({ ...well, hasNetwork: false })).toBe('works');
    expect(verdictOf({ ...well, page: failed })).toBe('works');
  });

  it('waits until it knows', () => {
    const waits = { ...well, page: { is: 'wait' }, socket: { is: 'wait' } } as const;
    expect(verdictOf(waits)).toBe('wait');
    expect(marks(waits)).toMatchObject({ page: 'wait wait', build: 'none unknown', clock: 'none unknown' });
    expect(verdictOf({ ...well, socket: { is: 'wait' } })).toBe('wait');
  });

  it('works without UDP, and says so', () => {
    expect(verdictOf({ ...well, quic: failed })).toBe('works');
    expect(marks({ ...well, quic: failed })).toMatchObject({ quic: 'note failed' });
    expect(marks({ ...well, quic: { is: 'unsupported' } })).toMatchObject({ quic: 'none unsupported' });
  });

  it('says until when the certificates hold, by the clock of the box', () => {
    expect(marks({ ...well, certificateUntil: page.boxAt })).toMatchObject({ certificate: 'note over' });
    expect(marks({ ...well, certificateUntil: page.boxAt + 1 })).toMatchObject({ certificate: 'ok until' });
    expect(marks({ ...well, certificateUntil: null })).toMatchObject({ certificate: 'none unknown' });
    expect(untilOf({ hashes: [], until: 5 })).toBe(5);
    for (const said of [null, [], {}, { until: '5' }, { until: -1 }, { until: 1.5 }, { until: Infinity }]) expect(untilOf(said)).toBeNull();
  });

  it('says that this page is of another build', () => {
    expect(marks({ ...well, build: 'other' })).toMatchObject({ build: 'note other' });
    expect(marks({ ...well, build: null })).toMatchObject({ build: 'none unknown' });
  });

  it('says by how much this clock is off, either way, from a minute on', () => {
    const off = (ms: number) => linesOf({ ...well, page: { ...page, at: page.boxAt + ms } }).find((line) => line.what === 'clock');
    expect(off(60_400)).toMatchObject({ mark: 'ok', seconds: 60 });
    expect(off(61_000)).toMatchObject({ mark: 'note', says: 'off', seconds: 61 });
    expect(off(-7_200_000)).toMatchObject({ mark: 'note', seconds: -7_200 });
  });
});

describe('an address', () => {
  it('of digits needs no name service', () => {
    for (const host of ['192.0.2.7', '192.0.2.7:4433', '[2001:db8::7]', '[2001:db8::7]:443']) expect(needsNames(host)).toBe(false);
    for (const host of ['box.example', 'box.example:4433', '192.0.2.example', 'localhost:1']) expect(needsNames(host)).toBe(true);
  });
});

describe('a page of ours', () => {
  it('is known by its script', () => {
    expect(buildOf('<script type="module" crossorigin src="/assets/index-Dk_kTs9j.js"></script>')).toBe('Dk_kTs9j');
    expect(buildOf('<h1>Welcome to the guest Wi-Fi</h1>')).toBeNull();
    expect(buildOf(`/assets/index-${'x'.repeat(60)}.js`)).toBeNull();
  });
});
