import { refusalIn, type Asks } from '../../../domain/admin/asking.ts';
import type { App, Refusal } from '../../../domain/snapshot.ts';

/** What a page asks of the box, one thing after the other, and what came of it. */
export class Doing {
  busy = $state(false);
  refusal = $state.raw<Refusal | null>(null);
  /** What was done, in words; until the next is asked. */
  done = $state('');
  readonly asks: Asks;
  #last: Promise<unknown> = Promise.resolve();

  constructor(app: App) {
    this.asks = (body) => app.ask(body);
  }

  /** Does something that changes what the box knows. Whether it was done. */
  run(act: () => Promise<void>, done = ''): Promise<boolean> {
    return this.#next(async () => {
      this.refusal = null;
      this.done = '';
      await act();
      this.done = done;
    });
  }

  /** Asks what is to be shown: what was said of an act before stays. */
  look(act: () => Promise<void>): Promise<boolean> {
    return this.#next(act);
  }

  /** Behind what is under way. Nothing here is read before that: an effect that asks does not follow what it changes. */
  #next(act: () => Promise<void>): Promise<boolean> {
    const turn = this.#last.then(async () => {
      this.busy = true;
      try {
        await act();
        return true;
      } catch (thrown) {
        this.refusal = refusalIn(thrown);
        return false;
      } finally {
        this.busy = false;
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
