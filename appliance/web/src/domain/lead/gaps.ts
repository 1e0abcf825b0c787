/** Times ahead in which nobody will hold a role, as whoever leads its unit is told of them (README.md, section 19). */

import type { RoleGapAhead } from '../../gen/wardline_pb.js';
import { idOf, momentOf, type RoleId } from '../ids.ts';
import type { At, Id } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';

export interface Gap {
  readonly role: Id;
  readonly name: string;
  readonly start: At;
  readonly end: At;
  /** An escalation rings this role. */
  readonly rung: boolean;
}

/** As many as are listed; a unit has fewer roles. */
const GAPS_MAX = 100;

export class Gaps {
  readonly #gaps = new Map<string, Gap>();
  #list: readonly Gap[] = [];

  told({ role, name, start, end, rung }: RoleGapAhead): void {
    const id = idOf<RoleId>(role);
    const gap = { name: cleanLine(name), start: momentOf(start), end: momentOf(end), rung };
    if (id === null || (this.#gaps.size >= GAPS_MAX && !this.#gaps.has(`${id} ${gap.start}`))) return;
    this.#gaps.set(`${id} ${gap.start}`, { role: id, ...gap });
    this.#list = [...this.#gaps.values()].sort((one, other) => one.start - other.start);
  }

  /** The box tells of all that are ahead after each sync. */
  forget(): void {
    this.#gaps.clear();
    this.#list = [];
  }

  get shown(): readonly Gap[] {
    return this.#list;
  }
}
