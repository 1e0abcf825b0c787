import { endShift, listBeds, readPlan, type Plan, type Share } from '../../../domain/lead/plan.ts';
import { askStaff } from '../../../domain/lead/staff.ts';
import type { Told } from '../../../domain/frames.ts';
import type { App, At, Id } from '../../../domain/snapshot.ts';
import { Asking } from './box.svelte.ts';

type Page = Extract<Told, { case: 'bedPage' }>['value'];
/** Pages of one unit. */
const PAGES_MAX = 20;

/** The beds of a unit and who has them, as the box has it. */
export class PlanModel {
  plan = $state.raw<Plan | null>(null);
  /** Of the last round: who has got theirs, and who was the first to get nothing. */
  outcome = $state.raw<{ readonly done: readonly Id[]; readonly failed: Id | null }>({ done: [], failed: null });
  readonly asking: Asking;

  constructor(app: App) {
    this.asking = new Asking(app);
  }

  async load(unit: Id): Promise<void> {
    const pages: Page[] = [];
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const told = await this.asking.for(listBeds(unit, pages.at(-1)?.beds.at(-1)?.bed ?? ''), 'bedPage');
      if (told === null) return;
      pages.push(told);
      if (told.end || told.beds.length === 0) break;
    }
    this.plan = readPlan(pages);
  }

  /** One share after the other; the first that is refused ends it. True: everybody has theirs. */
  async give(unit: Id, shares: readonly Share[], until: At): Promise<boolean> {
    const done: Id[] = [];
    for (const share of shares) {
      if (!(await this.asking.done(askStaff.giveBeds(unit, share.person, share.beds, until), 'assignmentTaken'))) {
        const { refusal } = this.asking;
        this.outcome = { done, failed: share.person };
        await this.load(unit);
        this.asking.refusal = refusal;
        return false;
      }
      done.push(share.person);
    }
    this.outcome = { done, failed: null };
    await this.load(unit);
    return true;
  }

  async end(unit: Id, shift: Id): Promise<void> {
    if (await this.asking.done(endShift(shift))) await this.load(unit);
  }
}
