import type { Component } from 'svelte';
import type { Shell } from '../shell/shell.svelte.ts';

/** Addresses of their own, for whoever cannot sign in: none of them starts the app. */
export const ASIDES = {
  '/check': { title: 'checkTitle', load: () => import('./areas/desk/Check.svelte') },
  '/trust': { title: 'trustTitle', load: () => import('./areas/desk/Trust.svelte') },
} as const satisfies Record<string, { readonly title: string; readonly load: () => Promise<{ readonly default: Component<{ shell: Shell }> }> }>;

export type AsideName = keyof typeof ASIDES;

/** Which of them an address is; `null`: the app's. */
export function asideOf(path: string): AsideName | null {
  const name = path.length > 1 ? path.replace(/\/$/, '') : path;
  return name in ASIDES ? (name as AsideName) : null;
}
