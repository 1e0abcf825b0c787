import { Declines } from '../../../../domain/admin/asking.ts';
import { addPerson, setPost } from '../../../../domain/admin/directory.ts';
import { planStaff, STAFF_COLUMNS, type StaffField, type StaffPlan, type StaffStep } from '../../../../domain/admin/staff.ts';
import type { Refusal } from '../../../../domain/snapshot.ts';
import type { Admin } from '../admin.svelte.ts';
import { TableFile } from '../files/table.svelte.ts';

/** A row that the box declined for a reason of its own. */
export interface DeclinedRow {
  readonly line: number;
  readonly name: string;
  readonly refusal: Refusal;
}

/** After these the next row fares no better: it stops, and goes on when somebody says so. */
const STOPS = ['OFFLINE', 'LOCKED', 'INTERRUPTED', 'SLOW_DOWN', 'UNAVAILABLE', 'DISK_LOW', 'ZONE', 'NOT_ADMINISTRATOR'];

/**
 * A staff list being applied. Each run begins by asking the directory anew, and plans by what is there: so what was applied before, by an
 * answer that was lost too, is not applied again.
 */
export class StaffListModel {
  readonly file = new TableFile<StaffField>('staffColumns', STAFF_COLUMNS);
  applied = $state(0);
  /** How many there were when it began; 0: it has not. */
  total = $state(0);
  stopped = $state(false);
  declined = $state.raw<readonly DeclinedRow[]>([]);
  private readonly admin: Admin;

  constructor(admin: Admin) {
    this.admin = admin;
  }

  get plan(): StaffPlan | null {
    const { table, columns } = this.file;
    if (table === null || columns.name === undefined) return null;
    return planStaff(table.rows, columns, this.admin.people ?? [], this.admin.units ?? []);
  }

  /** What is still to be done: without what the box declined for good. */
  get steps(): readonly StaffStep[] {
    return (this.plan?.steps ?? []).filter((step) => !this.declined.some((row) => row.line === step.line));
  }

  async read(file: File): Promise<void> {
    [this.applied, this.total, this.stopped, this.declined] = [0, 0, false, []];
    await this.file.read(file);
  }

  async apply(done: (applied: number) => string): Promise<void> {
    const { admin } = this;
    this.stopped = false;
    const isDone = await admin.run(async () => {
      await admin.refresh();
      const { steps } = this;
      this.total = this.applied + steps.length;
      for (const step of steps) await this.#applyOne(step);
      await admin.refresh();
    });
    this.stopped = !isDone;
    // Shown as it is now, if the box still answers.
    if (!isDone) await admin.refresh().catch(() => undefined);
    else admin.done = done(this.applied);
  }

  async #applyOne(step: StaffStep): Promise<void> {
    const { asks } = this.admin;
    try {
      const person = step.person ?? (await addPerson(asks, step.name, step.title));
      for (const { unit, post } of step.posts) await setPost(asks, person, unit, post);
      this.applied += 1;
    } catch (thrown) {
      if (!(thrown instanceof Declines) || STOPS.includes(thrown.refusal.code)) throw thrown;
      this.declined = [...this.declined, { line: step.line, name: step.name, refusal: thrown.refusal }];
    }
  }
}
