import { createContext } from 'svelte';
import type { App, Snapshot } from '../domain/snapshot.ts';

/** The app as components hold it: its newest snapshot, and what may be asked of it. */
export class Held {
  snapshot: Snapshot = $state.raw() as Snapshot;
  readonly app: App;

  constructor(app: App) {
    this.app = app;
    this.snapshot = app.snapshot;
    app.subscribe((snapshot) => (this.snapshot = snapshot));
  }
}

export const [useHeld, provideHeld] = createContext<Held>();
