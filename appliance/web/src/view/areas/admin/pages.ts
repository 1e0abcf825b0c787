import type { Component } from 'svelte';
import type { Admin } from './admin.svelte.ts';

/** How large the facility is: what of administration it is shown. */
export const PROFILES = ['small', 'standard'] as const;
export type Profile = (typeof PROFILES)[number];

/** Pages of administration that a small facility has, at most. */
export const SMALL_MAX = 8;

interface AdminPage {
  readonly load: () => Promise<{ readonly default: Component<{ admin: Admin }> }>;
  /** Not in the way where a facility is small. */
  readonly isStandard?: true;
}

/** In the order of the menu. Their names are `words().menu`. */
export const ADMIN_PAGES = {
  firstSteps: { load: () => import('./house/FirstSteps.svelte') },
  people: { load: () => import('./people/People.svelte') },
  units: { load: () => import('./house/Units.svelte') },
  roles: { load: () => import('./house/Roles.svelte') },
  escalation: { load: () => import('./house/Escalation.svelte') },
  policies: { load: () => import('./policies/Policies.svelte') },
  channels: { load: () => import('./house/Channels.svelte'), isStandard: true },
  health: { load: () => import('./house/Health.svelte') },
  certificate: { load: () => import('./house/Certificate.svelte') },
} as const satisfies Record<string, AdminPage>;

export type AdminPageName = keyof typeof ADMIN_PAGES;

export function adminPages(profile: Profile): readonly AdminPageName[] {
  const names = Object.keys(ADMIN_PAGES) as AdminPageName[];
  return names.filter((name) => profile === 'standard' || (ADMIN_PAGES[name] as AdminPage).isStandard !== true);
}
