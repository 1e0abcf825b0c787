/** The number that a unit's policy has called when nobody answers a STAT. */

import type { EscalationPolicies } from '../../gen/wardline_pb.js';
import { parseId, type UnitId, wireId } from '../ids.ts';
import type { Id } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';

/** Empty: none is set. The facility's holds where the unit has no policy. */
export function unitDial({ policies }: EscalationPolicies, unit: Id): string {
  const id = wireId(parseId<UnitId>(unit));
  const own = policies.find((one) => one.unit === id && id !== 0n);
  return cleanLine((own ?? policies.find((one) => one.unit === 0n))?.dial ?? '');
}
