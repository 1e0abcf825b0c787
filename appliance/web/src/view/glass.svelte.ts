import type { At, Id } from '../domain/snapshot.ts';

/** Somebody is in a thread because they broke the glass. Identifiers alone; until when is by the box's clock. */
export interface Inside {
  readonly emergency: Id;
  readonly conversation: Id;
  readonly until: At;
}

const KEPT = 'wardline.glass';
let inside = $state.raw<readonly Inside[]>(read());

/** Why one is in this thread, if it is that and not over. */
export function insideOf(conversation: Id, now: At): Inside | null {
  return inside.find((one) => one.conversation === conversation && one.until > now) ?? null;
}

export function goneIn(one: Inside): void {
  keep([...inside.filter((other) => other.conversation !== one.conversation), one]);
}

export function goneOut(conversation: Id): void {
  keep(inside.filter((one) => one.conversation !== conversation));
}

// For as long as the tab: a reload in the midst of it does not take away the way out.
function keep(next: readonly Inside[]): void {
  inside = next;
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(next));
  } catch {
    return;
  }
}

function read(): readonly Inside[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEPT) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isInside) : [];
  } catch {
    return [];
  }
}

function isInside(one: unknown): one is Inside {
  if (typeof one !== 'object' || one === null) return false;
  const { emergency, conversation, until } = one as Record<string, unknown>;
  return typeof emergency === 'string' && typeof conversation === 'string' && typeof until === 'number';
}
