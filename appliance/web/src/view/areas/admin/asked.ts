import type { AdminPageName } from './pages.ts';

/** The page of administration that somebody elsewhere asked for. Taken once: opened from the menu it begins at the menu. */
let asked: AdminPageName | null = null;

export function askFor(page: AdminPageName): void {
  asked = page;
}

export function takeAsked(): AdminPageName | null {
  const page = asked;
  asked = null;
  return page;
}
