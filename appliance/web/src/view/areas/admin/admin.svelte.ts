import { listPeople, listUnits, type Member } from '../../../domain/admin/directory.ts';
import type { KnownUnit } from '../../../domain/known.ts';
import { keep, kept } from './kept.ts';
import { Doing } from './doing.svelte.ts';
import { PROFILES, type AdminPageName, type Profile } from './pages.ts';

/** What several pages of administration know: which is open, people and units. */
export class Admin extends Doing {
  page = $state<AdminPageName | null>(null);
  profile = $state<Profile>(PROFILES.find((one) => one === kept('profile')) ?? 'standard');
  /** `null`: not asked for yet. */
  people = $state.raw<readonly Member[] | null>(null);
  units = $state.raw<readonly KnownUnit[] | null>(null);
  #isGuided = false;

  /** `null`: back to the menu, or to the first steps, where one came from there. */
  open(page: AdminPageName | null): void {
    this.page = page ?? (this.#isGuided && this.page !== 'firstSteps' ? 'firstSteps' : null);
    this.refusal = null;
    this.done = '';
  }

  /** A page that is one of the first steps: back from it are the others. */
  guide(page: AdminPageName): void {
    this.#isGuided = true;
    this.open(page);
  }

  leaveSteps(): void {
    this.#isGuided = false;
    this.open(null);
  }

  /** Nobody but whoever set the box up, and no unit: what to do first is shown first. */
  get isEmpty(): boolean {
    return this.units?.length === 0 && this.staff.length <= 1;
  }

  /** Asks again; what is shown stays until the answer is there. */
  load(): Promise<boolean> {
    return this.look(() => this.refresh());
  }

  /** Within something else that is done. */
  async refresh(): Promise<void> {
    this.units = await listUnits(this.asks);
    this.people = await listPeople(this.asks);
  }

  chooseProfile(profile: Profile): void {
    keep('profile', profile);
    this.profile = profile;
  }

  /** People who can be asked to do something: no screens, nobody suspended. */
  get staff(): readonly Member[] {
    return (this.people ?? []).filter((one) => !one.isStation && !one.suspended);
  }

  nameOf(id: string | null): string {
    return this.people?.find((one) => one.id === id)?.name ?? '';
  }

  unitName(id: string | null): string {
    return this.units?.find((one) => one.id === id)?.name ?? '';
  }
}
