import { applyResident, type DayOrder, dayOrder, listResidents, planResidents, RESIDENT_COLUMNS, type Resident, type ResidentField, type ResidentPlan, type ResidentStep } from '../../../domain/lead/residents.ts';
import type { UnitId } from '../../../domain/ids.ts';
import type { KnownUnit } from '../../../domain/known.ts';
import type { App } from '../../../domain/snapshot.ts';
import { iso, present } from '../../time.svelte.ts';
import { Doing } from '../admin/doing.svelte.ts';
import { ListRun } from '../lists/run.svelte.ts';
import { TableFile } from '../lists/table.svelte.ts';

/** A list of residents against who lies in the units that somebody leads. */
export class ResidentsModel extends Doing {
  readonly file = new TableFile<ResidentField>('residentColumns', RESIDENT_COLUMNS);
  readonly list: ListRun<ResidentStep>;
  readonly units: readonly KnownUnit[];
  /** For rows that name none. */
  unit = $state<UnitId | null>(null);
  /** `null`: nobody has said it, and the days do not. */
  order = $state<DayOrder | null>(null);
  isWhole = $state(false);
  /** `null`: not asked for yet. */
  here = $state.raw<readonly Resident[] | null>(null);

  constructor(app: App, units: readonly KnownUnit[]) {
    super(app);
    this.units = units;
    this.unit = units[0]?.id ?? null;
    this.list = new ListRun<ResidentStep>(this, { refresh: () => this.#refresh(), steps: () => this.plan?.steps ?? [], apply: (step) => applyResident(this.asks, step) });
  }

  /** Columns without which a list says nothing. */
  get required(): readonly ResidentField[] {
    return this.file.columns.room === undefined ? ['recordNumber', 'bed'] : ['recordNumber'];
  }

  /** Days can be meant in two ways, and somebody has to say in which. */
  get isUnclear(): boolean {
    return this.#order === null;
  }

  get plan(): ResidentPlan | null {
    const { table, columns } = this.file;
    const [order, unit, here] = [this.order ?? this.#order, this.unit, this.here];
    if (table === null || here === null || order === null || unit === null || this.required.some((field) => columns[field] === undefined)) return null;
    const reading = { unit, order: order === 'none' ? 'dayFirst' : order, isWhole: this.isWhole, today: iso(present()).slice(0, 10) } as const;
    return planResidents(table.rows, columns, here, this.units, reading);
  }

  async read(file: File): Promise<void> {
    this.list.reset();
    [this.isWhole, this.order] = [false, null];
    await this.file.read(file);
    // Looked at anew with each file, and on record: not before there is one.
    if (this.file.table !== null) await this.look(() => this.#refresh());
  }

  get #order(): DayOrder | 'none' | null {
    return this.file.table === null ? 'none' : dayOrder(this.file.table.rows, this.file.columns);
  }

  async #refresh(): Promise<void> {
    this.here = await listResidents(
      this.asks,
      this.units.map((unit) => unit.id),
    );
  }
}
