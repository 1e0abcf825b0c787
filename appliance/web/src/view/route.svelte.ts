import type { Held } from './held.svelte.ts';

export const TABS = ['inbox', 'onCall', 'people', 'more'] as const;
export type Tab = (typeof TABS)[number];

/**
 * Which tab is shown; and the device's own back, which closes a conversation. Addresses never change: what somebody reads
 * does not belong into a browser's history.
 */
export class Route {
  tab = $state<Tab>('inbox');
  private readonly held: Held;

  constructor(held: Held) {
    this.held = held;
  }

  show(tab: Tab): void {
    this.tab = tab;
    if (this.held.snapshot.conversation !== null) this.back();
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
    if (this.held.snapshot.conversation !== null) this.held.app.closeConversation();
  }
}
