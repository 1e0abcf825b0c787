import { createContext } from 'svelte';
import type { Held } from './held.svelte.ts';
import type { PageName } from './pages.ts';

export const TABS = ['inbox', 'patients', 'onCall', 'people', 'more'] as const;
export type Tab = (typeof TABS)[number];
/** What lies behind a tab, and goes back to it. */
export type Page = PageName;

/**
 * Which tab is shown; and the device's own back, which closes a conversation. Addresses never change: what somebody reads
 * does not belong into a browser's history.
 */
export class Route {
  tab = $state<Tab>('inbox');
  page = $state<Page | null>(null);
  /** A bed that was looked at, for the page that takes beds. */
  bed: { readonly unit: string; readonly bed: string } | null = null;
  /** What the page is about: a role, a patient's stay, a person. */
  of: string | null = null;
  /** The conversation that the page lies over, where it was opened from one. */
  over = $state<string | null>(null);
  private readonly held: Held;

  constructor(held: Held) {
    this.held = held;
  }

  show(tab: Tab): void {
    this.tab = tab;
    this.leave();
    if (this.held.snapshot.conversation !== null) this.back();
  }

  open(page: Page, bed: Route['bed'] = null, of: string | null = null, over: string | null = null): void {
    this.over = over;
    this.bed = bed;
    this.of = of;
    this.page = page;
  }

  leave(): void {
    this.page = null;
    this.over = null;
  }

  /** Out of the conversation, as the device's back does it. */
  back(): void {
    if (history.state?.within === true) history.back();
    else this.held.app.closeConversation();
  }

  /** Called whenever a conversation is open: so that back has something to go back from. */
  entered(): void {
    if (history.state?.within !== true) history.pushState({ within: true }, '');
  }

  left(): void {
    if (this.over !== null && this.over === this.held.snapshot.conversation?.item.id) {
      this.leave();
      this.entered();
      return;
    }
    if (this.held.snapshot.conversation !== null) this.held.app.closeConversation();
  }
}

export const [useRoute, provideRoute] = createContext<Route>();
