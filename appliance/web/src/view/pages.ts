import type { Component } from 'svelte';
import type { Snapshot } from '../domain/snapshot.ts';

/** A page that is fetched when it is first opened, words and all; the service worker has it by then. */
export interface LaterPage {
  /** Who is offered it under "More"; who cannot use it is told nothing of it. */
  readonly offered: (snapshot: Snapshot) => boolean;
  readonly load: () => Promise<{ readonly default: Component }>;
}

const leads = (snapshot: Snapshot): boolean => snapshot.me?.units.some((unit) => unit.chargeNurse) === true;

/** In the order of "More". Their names are `t().pages`. */
export const PAGES = {
  handover: { offered: (snapshot) => (snapshot.me?.units.length ?? 0) > 0, load: () => import('./areas/lead/Handover.svelte') },
  family: { offered: (snapshot) => snapshot.inbox.some((item) => item.kind === 'patient'), load: () => import('./areas/lead/Family.svelte') },
  staff: { offered: leads, load: () => import('./areas/lead/Staff.svelte') },
  plan: { offered: leads, load: () => import('./areas/lead/Plan.svelte') },
  agency: { offered: leads, load: () => import('./areas/lead/Agency.svelte') },
  census: { offered: (snapshot) => (snapshot.me?.units.length ?? 0) > 0, load: () => import('./areas/lead/Census.svelte') },
} as const satisfies Record<string, LaterPage>;

export type PageName = keyof typeof PAGES;
export const PAGE_NAMES = Object.keys(PAGES) as PageName[];

export function isLater(name: string | null): name is PageName {
  return name !== null && name in PAGES;
}
