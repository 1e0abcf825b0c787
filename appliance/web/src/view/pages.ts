import type { Component } from 'svelte';
import { PRACTISER } from '../domain/practice/who.ts';
import type { Snapshot } from '../domain/snapshot.ts';

/** A page that is fetched when it is first opened, words and all; the service worker has it by then. */
export interface LaterPage {
  /** Who is offered it under "More"; who cannot use it is told nothing of it. */
  readonly offered: (snapshot: Snapshot) => boolean;
  readonly load: () => Promise<{ readonly default: Component }>;
  /** Takes the whole of a wide screen, not the list's part of it. */
  readonly isWide?: true;
}

const leads = (snapshot: Snapshot): boolean => snapshot.me?.units.some((unit) => unit.chargeNurse) === true;

/** In the order of "More". Their names are `t().pages`. */
export const PAGES = {
  // Opened from above the inbox, and from "Patients".
  search: { offered: () => false, load: () => import('./screens/Search.svelte') },
  tasks: { offered: () => false, load: () => import('./screens/Tasks.svelte') },
  beds: { offered: () => false, load: () => import('./screens/TakeBeds.svelte'), isWide: true },
  // Opened from "People".
  group: { offered: () => false, load: () => import('./areas/talk/NewGroup.svelte'), isWide: true },
  channels: { offered: () => false, load: () => import('./areas/talk/Channels.svelte'), isWide: true },
  handover: { offered: (snapshot) => (snapshot.me?.units.length ?? 0) > 0, load: () => import('./areas/lead/Handover.svelte'), isWide: true },
  family: { offered: (snapshot) => snapshot.inbox.some((item) => item.kind === 'patient'), load: () => import('./areas/lead/Family.svelte'), isWide: true },
  glass: { offered: (snapshot) => (snapshot.me?.units.length ?? 0) > 0, load: () => import('./areas/glass/Glass.svelte'), isWide: true },
  admin: { offered: ({ me }) => me?.administrator === true, load: () => import('./areas/admin/Admin.svelte'), isWide: true },
  privacy: { offered: ({ me }) => me?.privacyOfficer === true, load: () => import('./areas/admin/privacy/Privacy.svelte'), isWide: true },
  downtime: { offered: leads, load: () => import('./areas/desk/Downtime.svelte'), isWide: true },
  practice: { offered: ({ me }) => me?.id !== PRACTISER, load: () => import('./areas/desk/Practice.svelte') },
  staff: { offered: leads, load: () => import('./areas/lead/Staff.svelte'), isWide: true },
  plan: { offered: leads, load: () => import('./areas/lead/Plan.svelte'), isWide: true },
  agency: { offered: leads, load: () => import('./areas/lead/Agency.svelte'), isWide: true },
  census: { offered: (snapshot) => (snapshot.me?.units.length ?? 0) > 0, load: () => import('./areas/lead/Census.svelte'), isWide: true },
  restricted: { offered: leads, load: () => import('./areas/lead/Restricted.svelte'), isWide: true },
  templates: { offered: (snapshot) => leads(snapshot) || snapshot.me?.administrator === true, load: () => import('./areas/lead/Templates.svelte'), isWide: true },
  announcements: { offered: () => true, load: () => import('./areas/talk/Announcements.svelte'), isWide: true },
} as const satisfies Record<string, LaterPage>;

export type PageName = keyof typeof PAGES;
export const PAGE_NAMES = Object.keys(PAGES) as PageName[];

export function isLater(name: string | null): name is PageName {
  return name !== null && name in PAGES;
}
