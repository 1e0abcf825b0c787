import { describe, expect, it } from 'vitest';

import { Doorways, leavesText, parseCertificates, parseLeaves } from './doorways.ts';
import { hashOf } from './proofs.ts';
import { need } from './testing/bench.ts';

const leaf = (byte: number) => need(hashOf(new Uint8Array(32).fill(byte)));

describe('which way to go', () => {
  it('is QUIC, until that has come to nothing, and then again after ever longer', () => {
    const doorways = new Doorways();
    expect(doorways.triesQuic(0)).toBe(true);
    const waits = Array.from({ length: 7 }, () => {
      doorways.missed(0);
      return doorways.looksAt() / 60_000;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30]);
    expect(doorways.triesQuic(1_799_999)).toBe(false);
    expect(doorways.triesQuic(1_800_000)).toBe(true);
    doorways.worked();
    doorways.missed(0);
    expect(doorways.looksAt()).toBe(60_000);
  });

  it('is asked anew on another network', () => {
    const doorways = new Doorways();
    doorways.missed(0);
    doorways.networkChanged();
    expect(doorways.triesQuic(1)).toBe(true);
  });

  it('knows two leaves, and says when they are others', () => {
    const doorways = new Doorways([leaf(1), leaf(2), leaf(3)]);
    expect(doorways.leaves).toEqual([leaf(1), leaf(2)]);
    expect(doorways.learn([leaf(1), leaf(2)])).toBe(false);
    expect(doorways.learn([])).toBe(false);
    expect(doorways.learn([leaf(2), leaf(3)])).toBe(true);
    expect(doorways.leaves).toEqual([leaf(2), leaf(3)]);
  });
});

describe('leaves', () => {
  it('are read back as they were kept, and nothing else is', () => {
    expect(parseLeaves(leavesText([leaf(1), leaf(2)]))).toEqual([leaf(1), leaf(2)]);
    expect(parseLeaves('')).toEqual([]);
    expect(parseLeaves(`nonsense ${leavesText([leaf(4)])}`)).toEqual([leaf(4)]);
  });

  it('come from the box as hexadecimal', () => {
    expect(parseCertificates({ hashes: ['01'.repeat(32), '02'.repeat(32)], until: 1 })).toEqual([leaf(1), leaf(2)]);
    for (const page of [null, 'x', {}, { hashes: 'x' }, { hashes: [1, 'zz'] }, { hashes: [] }]) expect(parseCertificates(page)).toBeNull();
  });
});
