import { addPerson, setPost } from '../../../../domain/admin/directory.ts';
import { planStaff, STAFF_COLUMNS, type StaffField, type StaffPlan, type StaffStep } from '../../../../domain/admin/staff.ts';
import { ListRun } from '../../lists/run.svelte.ts';
import { TableFile } from '../../lists/table.svelte.ts';
import type { Admin } from '../admin.svelte.ts';

/** A staff list against the directory. */
export class StaffListModel {
  readonly file = new TableFile<StaffField>('staffColumns', STAFF_COLUMNS);
  readonly run: ListRun<StaffStep & { readonly key: string }>;
  readonly #admin: Admin;

  constructor(admin: Admin) {
    this.#admin = admin;
    this.run = new ListRun(admin, {
      refresh: () => admin.refresh(),
      steps: () => (this.plan?.steps ?? []).map((step) => ({ ...step, key: String(step.line) })),
      apply: (step) => this.#apply(step),
    });
  }

  get plan(): StaffPlan | null {
    const { table, columns } = this.file;
    if (table === null || columns.name === undefined) return null;
    return planStaff(table.rows, columns, this.#admin.people ?? [], this.#admin.units ?? []);
  }

  async read(file: File): Promise<void> {
    this.run.reset();
    await this.file.read(file);
  }

  async #apply(step: StaffStep): Promise<void> {
    const { asks } = this.#admin;
    const person = step.person ?? (await addPerson(asks, step.name, step.title));
    for (const { unit, post } of step.posts) await setPost(asks, person, unit, post);
  }
}
