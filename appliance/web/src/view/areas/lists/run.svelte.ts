import { Declines } from '../../../domain/admin/asking.ts';
import type { Refusal } from '../../../domain/snapshot.ts';
import type { Doing } from '../admin/doing.svelte.ts';

/** What a row of a list comes to. */
export interface Step {
  /** The same each time that the list is looked at. */
  readonly key: string;
  /** Of the file; 0: it is in no row. */
  readonly line: number;
  readonly name: string;
}

/** A row that the box declined for a reason of its own. */
export interface DeclinedRow extends Step {
  readonly refusal: Refusal;
}

/** After these the next row fares no better: it stops, and goes on when somebody says so. */
const STOPS = ['OFFLINE', 'LOCKED', 'INTERRUPTED', 'SLOW_DOWN', 'UNAVAILABLE', 'DISK_LOW', 'ZONE', 'NOT_ADMINISTRATOR', 'NOT_BY_HAND'];

export interface Work<One extends Step> {
  /** Asks anew what is so. */
  readonly refresh: () => Promise<void>;
  /** What the list would change of that. */
  readonly steps: () => readonly One[];
  readonly apply: (step: One) => Promise<void>;
}

/**
 * A list being applied. Each run begins by asking anew what is so, and plans by that: so what was applied before, by an answer that was lost
 * too, is not applied again.
 */
export class ListRun<One extends Step> {
  applied = $state(0);
  /** How many there were when it began; 0: it has not. */
  total = $state(0);
  stopped = $state(false);
  declined = $state.raw<readonly DeclinedRow[]>([]);
  readonly #doing: Doing;
  readonly #work: Work<One>;

  constructor(doing: Doing, work: Work<One>) {
    this.#doing = doing;
    this.#work = work;
  }

  get busy(): boolean {
    return this.#doing.busy;
  }

  /** What is still to be done: without what the box declined for good. */
  get steps(): readonly One[] {
    return this.#work.steps().filter((step) => !this.declined.some((row) => row.key === step.key));
  }

  /** Another file. */
  reset(): void {
    [this.applied, this.total, this.stopped, this.declined] = [0, 0, false, []];
    this.#doing.done = '';
  }

  async apply(done: (applied: number) => string): Promise<void> {
    this.stopped = false;
    const isDone = await this.#doing.run(async () => {
      await this.#work.refresh();
      const { steps } = this;
      this.total = this.applied + steps.length;
      for (const step of steps) await this.#applyOne(step);
      await this.#work.refresh();
    });
    this.stopped = !isDone;
    // Shown as it is now, if the box still answers.
    if (!isDone) await this.#work.refresh().catch(() => undefined);
    else this.#doing.done = done(this.applied);
  }

  async #applyOne(step: One): Promise<void> {
    try {
      await this.#work.apply(step);
      this.applied += 1;
    } catch (thrown) {
      if (!(thrown instanceof Declines) || STOPS.includes(thrown.refusal.code)) throw thrown;
      this.declined = [...this.declined, { key: step.key, line: step.line, name: step.name, refusal: thrown.refusal }];
    }
  }
}
