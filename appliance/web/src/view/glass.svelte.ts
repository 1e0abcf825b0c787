import type { At, Id, InboxItem, VisitAsked } from '../domain/snapshot.ts';

/** Somebody is in a thread because they broke the glass. Identifiers alone; until when is by the box's clock. */
export interface Inside {
  readonly person: Id;
  readonly emergency: Id;
  readonly conversation: Id;
  readonly until: At;
}

const KEPT = 'wardline.glass';
/** As long as one is in. */
const HOUR_MS = 3_600_000;
/** For a phone whose clock is ahead of the box's. */
const AHEAD_MS = 300_000;
/** What a browser can wait for. */
const WAIT_MAX_MS = 2_147_483_647;
let inside = $state.raw<readonly Inside[]>(read());
let due: ReturnType<typeof setTimeout> | undefined;
forget();

/** Why one is in this thread, if it is that and not over. */
export function insideOf(person: Id, conversation: Id, now: At): Inside | null {
  return inside.find((one) => one.person === person && one.conversation === conversation && one.until > now) ?? null;
}

/** Who waits at the bed of a patient, for whoever may let them in: who broke the glass is in no care team. */
export function visitOf(item: InboxItem, me: Id, now: At): VisitAsked | null {
  const visit = item.visit ?? null;
  return visit !== null && visit.until > now && insideOf(me, item.id, now) === null ? visit : null;
}

export function goneIn(one: Inside): void {
  // What was over before this one began goes.
  keep([...inside.filter((other) => other.until > one.until - HOUR_MS && !isSame(other, one)), one]);
}

export function goneOut(one: Inside): void {
  keep(inside.filter((other) => !isSame(other, one)));
}

function isSame(one: Inside, other: Inside): boolean {
  return one.person === other.person && one.conversation === other.conversation;
}

// The hour goes on where the app was closed: opened again, it shows the way out as before. What is over is of no use to anybody but who
// wants to know who was in which thread: it goes then, or when the app is opened next.
function keep(next: readonly Inside[]): void {
  inside = next;
  clearTimeout(due);
  try {
    if (next.length === 0) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, JSON.stringify(next));
  } catch {
    // As long as the page, then.
  }
  const end = Math.min(...next.map((one) => one.until)) + AHEAD_MS;
  if (next.length > 0) due = setTimeout(forget, Math.min(Math.max(end - Date.now(), 0) + 1, WAIT_MAX_MS));
}

function forget(): void {
  keep(inside.filter((one) => one.until + AHEAD_MS > Date.now()));
}

function read(): readonly Inside[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isInside) : [];
  } catch {
    return [];
  }
}

function isInside(one: unknown): one is Inside {
  if (typeof one !== 'object' || one === null) return false;
  const { person, emergency, conversation, until } = one as Record<string, unknown>;
  return typeof person === 'string' && typeof emergency === 'string' && typeof conversation === 'string' && typeof until === 'number';
}
