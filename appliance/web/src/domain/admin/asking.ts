/** How the pages of administration ask the box: an answer of the sort that was wanted, or a {@link Declines}. */

import type { Ask, Told } from '../frames.ts';
import type { Refusal, Reply } from '../snapshot.ts';
import { WireFault } from '../wire.ts';

export type Asks = (body: Ask) => Promise<Reply>;

/** The box declined, or what came is no answer. */
export class Declines extends Error {
  override readonly name = 'Declines';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

type Case = NonNullable<Told['case']>;
type Bodies = { [T in Told as T['case'] & string]: T['value'] };
type Body<C extends Case> = Bodies[C];

/** What the box answers. Throws {@link Declines}. */
export async function answer<C extends Case>(asks: Asks, body: Ask, wanted: C): Promise<Body<C>> {
  const reply = await asks(body);
  if (reply.reply === 'refused') throw new Declines(reply.refusal);
  if (!isOf(reply.body, wanted)) throw new Declines({ code: 'INTERRUPTED', advice: '' });
  return reply.body.value;
}

/** The refusal in what was thrown; anything else is thrown on: it is ours. */
export function refusalIn(thrown: unknown): Refusal {
  if (thrown instanceof Declines) return thrown.refusal;
  if (thrown instanceof WireFault) return { code: 'INTERRUPTED', advice: '' };
  throw thrown;
}

/** Pages of a list, one after the other until the box says that there are no more. */
export async function pages<Item, Id>(page: (after: Id | null) => Promise<{ items: readonly Item[]; end: boolean }>, id: (item: Item) => Id): Promise<readonly Item[]> {
  const all: Item[] = [];
  for (let after: Id | null = null; ; ) {
    const { items, end } = await page(after);
    all.push(...items);
    const last = items.at(-1);
    // A box that says neither "end" nor anything else would be asked for ever.
    if (end || last === undefined || all.length >= LISTED_MAX) return all;
    after = id(last);
  }
}

/** As many as a facility has people. */
const LISTED_MAX = 50_000;

function isOf<C extends Case>(body: Told, wanted: C): body is Told & { case: C; value: Body<C> } {
  return body.case === wanted;
}
