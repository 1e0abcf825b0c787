/** The two beds of the practice hall, as the app shows beds. */

import type { BedRow, Care } from '../care/contract.ts';
import type { At, Id } from '../snapshot.ts';

interface Hall {
  readonly unit: Id;
  readonly name: string;
  readonly you: string;
  readonly beds: readonly { readonly bed: string; readonly name: string; readonly conversation: Id | null }[];
  readonly shift: { readonly id: Id; readonly beds: readonly string[]; readonly until: At } | null;
}

export function careOf({ unit, name, you, beds, shift }: Hall, now: At): Care {
  const rows = beds.map(({ bed, ...lies }): BedRow => {
    const mine = shift?.beds.includes(bed) ?? false;
    const holders = mine && shift !== null ? [{ name: you, until: shift.until, mine: true }] : [];
    return { unit, bed, taken: true, flags: [], ask: '', holders, mine, name: lies.name, conversation: lies.conversation };
  });
  return {
    wards: [{ id: unit, name, state: 'there', at: now, rows, whole: [], leads: false, names: 'unasked' }],
    shifts: shift === null ? [] : [{ ...shift, unit, unitName: name, whole: false }],
    team: [],
    search: null,
    tasks: { state: 'there', list: [] },
    availability: { until: 0, cover: '', covering: [] },
  };
}
