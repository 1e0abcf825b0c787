import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const [ana, ben, rosa] = ['0000000000000101', '0000000000000102', '0000000000000301'] as const;
const hour = 3_600_000;

describe('who is in a thread because they broke the glass', () => {
  const kept = new Map<string, string>();
  beforeEach(() => {
    kept.clear();
    vi.resetModules();
    vi.useFakeTimers({ now: 0 });
    vi.stubGlobal('localStorage', {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => void kept.set(name, value),
      removeItem: (name: string) => void kept.delete(name),
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

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
    expect(kept.has('wardline.glass')).toBe(false);
  });
  it('is forgotten when the hour is over, and by the app that is opened after it', async () => {
    const first = await import('./glass.svelte.ts');
    first.goneIn({ person: ana, emergency: '0000000000000901', conversation: rosa, until: hour });
    first.goneIn({ person: ana, emergency: '0000000000000902', conversation: ben, until: 1.5 * hour });
    vi.advanceTimersByTime(1.2 * hour);
    expect(kept.get('wardline.glass')).not.toContain('0000000000000901');
    expect(kept.get('wardline.glass')).toContain('0000000000000902');
    vi.clearAllTimers();
    vi.setSystemTime(2 * hour);
    vi.resetModules();
    await import('./glass.svelte.ts');
    expect(kept.has('wardline.glass')).toBe(false);
  });
  it('keeps identifiers alone', async () => {
    const { goneIn } = await import('./glass.svelte.ts');
    goneIn({ person: ana, emergency: '0000000000000901', conversation: rosa, until: hour });
    expect(JSON.parse(kept.get('wardline.glass') ?? '')).toEqual([{ person: ana, emergency: '0000000000000901', conversation: rosa, until: hour }]);
  });
  it('keeps nothing of what was over before', async () => {
    const { goneIn } = await import('./glass.svelte.ts');
    goneIn({ person: ana, emergency: '0000000000000901', conversation: rosa, until: hour });
    goneIn({ person: ana, emergency: '0000000000000902', conversation: ben, until: 3 * hour });
    expect(kept.get('wardline.glass')).not.toContain('0000000000000901');
  });
});
