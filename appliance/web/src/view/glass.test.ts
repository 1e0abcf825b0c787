import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const [ana, ben, rosa] = ['0000000000000101', '0000000000000102', '0000000000000301'] as const;
const hour = 3_600_000;

describe('who is in a thread because they broke the glass', () => {
  const kept = new Map<string, string>();
  beforeEach(() => {
    kept.clear();
    vi.resetModules();
    vi.stubGlobal('localStorage', { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => void kept.set(name, value) });
  });
  afterEach(() => vi.unstubAllGlobals());

  it('is known to the app that is opened again, until the hour is over, and to nobody else on the same phone', async () => {
    const first = await import('./glass.svelte.ts');
    first.goneIn({ person: ana, emergency: '0000000000000901', conversation: rosa, until: hour });
    vi.resetModules();
    const again = await import('./glass.svelte.ts');
    expect(again.insideOf(ana, rosa, hour - 1)?.emergency).toBe('0000000000000901');
    expect(again.insideOf(ana, rosa, hour)).toBeNull();
    expect(again.insideOf(ben, rosa, hour - 1)).toBeNull();
    again.goneOut({ person: ana, emergency: '0000000000000901', conversation: rosa, until: hour });
    expect(again.insideOf(ana, rosa, hour - 1)).toBeNull();
    expect(kept.get('wardline.glass')).toBe('[]');
  });
  it('keeps nothing of what was over before', async () => {
    const { goneIn } = await import('./glass.svelte.ts');
    goneIn({ person: ana, emergency: '0000000000000901', conversation: rosa, until: hour });
    goneIn({ person: ana, emergency: '0000000000000902', conversation: ben, until: 3 * hour });
    expect(kept.get('wardline.glass')).not.toContain('0000000000000901');
  });
});
