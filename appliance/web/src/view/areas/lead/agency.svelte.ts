import { askAgency, readStays, type AgencyStay, type Coming } from '../../../domain/lead/agency.ts';
import { readCode, type CodeMade } from '../../../domain/lead/staff.ts';
import type { App, At, Id } from '../../../domain/snapshot.ts';
import { Asking } from './box.svelte.ts';

/** Pages of stays of one unit. */
const PAGES_MAX = 20;

/** Staff of a unit whom agencies sent, as the box has them. */
export class AgencyModel {
  stays = $state.raw<readonly AgencyStay[] | null>(null);
  /** Who was just admitted. */
  admitted = $state.raw<(CodeMade & { readonly name: string; readonly until: At; readonly back: boolean }) | null>(null);
  readonly asking: Asking;

  constructor(app: App) {
    this.asking = new Asking(app);
  }

  async load(unit: Id): Promise<void> {
    const stays: AgencyStay[] = [];
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const told = await this.asking.for(askAgency.list(unit, stays.at(-1)?.person ?? null), 'agencyPage');
      if (told === null) return;
      const read = readStays(told);
      stays.push(...read);
      if (told.end || read.length === 0) break;
    }
    this.stays = stays;
  }

  /** False: it was not done; `AGENCY_KNOWN` wants to be told who it is. */
  async admit(coming: Coming): Promise<boolean> {
    this.admitted = null;
    const told = await this.asking.for(askAgency.admit(coming), 'agencyAdmitted');
    if (told === null) return false;
    this.admitted = { ...readCode(told), name: coming.name, until: coming.until, back: coming.person !== null };
    await this.load(coming.unit);
    return true;
  }

  async extend(unit: Id, person: Id, until: At, grounds: string): Promise<void> {
    if (await this.asking.done(askAgency.extend(person, until, grounds))) await this.load(unit);
  }

  async end(unit: Id, person: Id): Promise<void> {
    if (await this.asking.done(askAgency.end(person))) await this.load(unit);
  }
}
