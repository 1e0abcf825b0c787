import type { Id, Person, Snapshot } from '../../../domain/snapshot.ts';

/** Units by what they are called, as far as anybody's posts name them. */
export function unitNames(snapshot: Snapshot): ReadonlyMap<Id, string> {
  const names = new Map<Id, string>();
  for (const person of snapshot.people) for (const unit of person.units) names.set(unit.id, unit.name);
  return names;
}

/** Units that this person leads. */
export function led(snapshot: Snapshot): readonly { readonly id: Id; readonly name: string }[] {
  return (snapshot.me?.units ?? []).filter((unit) => unit.chargeNurse);
}

/** Whoever works in a unit. */
export function staffOf(snapshot: Snapshot, unit: Id): readonly Person[] {
  return snapshot.people.filter((person) => !person.suspended && person.units.some((one) => one.id === unit));
}

export function nameOf(snapshot: Snapshot, person: Id | null): string {
  return snapshot.people.find((one) => one.id === person)?.name ?? '';
}

export function roleName(snapshot: Snapshot, role: Id): string {
  return snapshot.roles?.find((one) => one.id === role)?.name ?? '';
}
