/** Whom a text names: `@` and a member's whole name, else a word of it that is one member's, or one role's, alone (README.md, section 5). */

import type { PersonId, RoleId } from './ids.ts';
import { MENTIONS_MAX } from './limits.ts';

/** Who can be named. */
export interface Nameable {
  readonly people: readonly { readonly id: PersonId; readonly name: string }[];
  readonly roles: readonly { readonly id: RoleId; readonly name: string }[];
}

export interface Named {
  readonly people: readonly PersonId[];
  readonly roles: readonly RoleId[];
}

/** What fits nobody, or more than one, stays a text. */
export function mentionsIn(text: string, nameable: Nameable): Named {
  const people = new Set<PersonId>();
  const roles = new Set<RoleId>();
  const candidates: readonly Candidate[] = [
    ...nameable.people.map((one) => ({ name: one.name, take: () => people.add(one.id) })),
    ...nameable.roles.map((one) => ({ name: one.name, take: () => roles.add(one.id) })),
  ];
  for (const { index } of text.matchAll(/(?<![\p{L}\p{N}])@/gu)) {
    if (people.size + roles.size >= MENTIONS_MAX) break;
    named(text.slice(index + 1), candidates)?.take();
  }
  return { people: [...people], roles: [...roles] };
}

interface Candidate {
  readonly name: string;
  readonly take: () => void;
}

function named(rest: string, candidates: readonly Candidate[]): Candidate | null {
  const whole = candidates.filter((one) => one.name !== '' && begins(rest, one.name));
  const longest = Math.max(...whole.map((one) => one.name.length));
  const fitting = whole.filter((one) => one.name.length === longest);
  if (whole.length > 0) return only(fitting);
  const word = /^[\p{L}\p{N}'’-]+/u.exec(rest)?.[0];
  return word === undefined ? null : only(candidates.filter((one) => one.name.split(/\s+/).some((part) => isSame(part, word))));
}

function only(fitting: readonly Candidate[]): Candidate | null {
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

/** The name stands there, and no longer word. */
function begins(text: string, name: string): boolean {
  return isSame(text.slice(0, name.length), name) && !/^[\p{L}\p{N}]/u.test(text.slice(name.length));
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
