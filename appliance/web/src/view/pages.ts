import type { Component } from 'svelte';
import type { Snapshot } from '../domain/snapshot.ts';

/** A page that is fetched when it is first opened, words and all; the service worker has it by then. */
export interface LaterPage {
  /** Who is offered it under "More"; who cannot use it is told nothing of it. */
  readonly offered: (snapshot: Snapshot) => boolean;
  readonly load: () => Promise<{ readonly default: Component }>;
}

/** In the order of "More". Their names are `t().pages`. */
export const PAGES = {
  // Opened from "People".
  group: { offered: () => false, load: () => import('./areas/talk/NewGroup.svelte') },
  channels: { offered: () => false, load: () => import('./areas/talk/Channels.svelte') },
  announcements: { offered: () => true, load: () => import('./areas/talk/Announcements.svelte') },
} as const satisfies Record<string, LaterPage>;

export type PageName = keyof typeof PAGES;
export const PAGE_NAMES = Object.keys(PAGES) as PageName[];

export function isLater(name: string | null): name is PageName {
  return name !== null && name in PAGES;
}
