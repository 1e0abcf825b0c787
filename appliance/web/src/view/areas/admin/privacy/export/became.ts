/** What became of a message, in words, a line each: how a STAT went, who could not take it, an order, a task. Names come as text of a page. */

import type { Acts, Order, Proof, Stat, StatAnswer, Task } from '../../../../../domain/export/acts.ts';
import { type Header, type Place, roleIn } from '../../../../../domain/export/record.ts';
import type { PersonId } from '../../../../../domain/ids.ts';
import { type PageWords, plain, shown } from './page.ts';

type Name = (person: PersonId) => string;

export function became(header: Header, place: Place, acts: Acts, words: PageWords, name: Name): readonly string[] {
  const lines: string[] = [];
  if (acts.stat !== null) {
    lines.push(`${words.stat.label}: ${went(acts.stat, words, name)}${proofOf(acts.stat, acts.signed, words)}`);
    // What is not signed: who gave it back, or was out of it.
    const hasSigned = (person: PersonId) => acts.signed.some((answer) => answer.person === person && answer.said.say === 'decline');
    for (const { person, declined } of acts.stat.called) if (declined !== null && !hasSigned(person)) lines.push(`${name(person)} ${words.why[declined]}`);
  }
  for (const answer of acts.signed) lines.push(`${name(answer.person)} ${said(answer, words, name)}, ${shown(answer.taken)} (${signed(answer.proof, words)})`);
  if (acts.order !== null) {
    const proofs = acts.orderSigned.map((deed) => deed.proof);
    const worst = (['wrong', 'hidden', 'right'] as const).find((proof) => proofs.includes(proof));
    lines.push(`${ordered(acts.order, words, name)}${worst === undefined ? '' : ` (${signed(worst, words)})`}`);
  }
  if (acts.task !== null) lines.push(toDo(header, place, acts.task, words, name));
  return lines;
}

function signed(proof: Proof, words: PageWords): string {
  return proof === 'wrong' ? `<span class="loud">${words.proofs.wrong}</span>` : words.proofs[proof];
}

/** Whether what it is answered by is signed: what is newest of whoever says that somebody has it. */
function proofOf(stat: Stat, answers: readonly StatAnswer[], words: PageWords): string {
  const by = stat.stands === 'accepted' ? (stat.notedBy ?? stat.by) : null;
  const sort = stat.notedBy === null ? 'accept' : 'call_note';
  const newest = answers.findLast((answer) => answer.person === by && answer.said.say === sort);
  return newest === undefined ? '' : ` (${signed(newest.proof, words)})`;
}

function went(stat: Stat, { stat: words, somebody }: PageWords, name: Name): string {
  const since = shown(stat.since);
  const by = stat.by === null ? somebody : name(stat.by);
  switch (stat.stands) {
    case 'ringing':
      return words.ringing(since);
    case 'held':
      return words.held(by, since);
    case 'closed':
      return words.closed(since);
    case 'accepted':
      return stat.notedBy === null ? words.accepted(by, since) : words.noted(stat.by === null ? words.outside : by, name(stat.notedBy), since);
  }
}

function said({ said: what }: StatAnswer, { stat: words, why }: PageWords, name: Name): string {
  if (what.say === 'accept') return words.accept;
  if (what.say === 'decline') return why[what.reason];
  const { note } = what;
  const whom = [note.reached === null ? null : name(note.reached), note.name === null ? null : plain(note.name), note.as === null ? null : plain(note.as)];
  const all = whom.filter((one) => one !== null).join(', ');
  return note.readBack ? words.reached(all, shown(note.called)) : words.reachedOnly(all, shown(note.called));
}

function ordered(order: Order, { order: words }: PageWords, name: Name): string {
  const to = order.to === null ? words.team : name(order.to);
  const parts = [order.readBack === null ? words.unread : `${words.read(name(order.readBack.by), order.readBack.message)}, ${(order.stands === 'confirmed' ? words.confirmed : order.stands === 'wrong' ? words.wrong : words.open)(shown(order.at))}`];
  if (order.replaced !== null) parts.push(words.replaced(order.replaced));
  if (order.filed !== null) parts.push(order.filed.by === null ? words.filed(shown(order.filed.at)) : words.filedBy(name(order.filed.by), shown(order.filed.at)));
  return `${order.of === null ? words.given(to) : words.instead(to, order.of)}: ${parts.join('; ')}`;
}

function toDo(header: Header, place: Place, task: Task, words: PageWords, name: Name): string {
  const role = task.role === null ? null : roleIn(header, task.role, place);
  const to = task.person === null ? words.task.holder(role === null ? words.task.aRole : plain(role)) : name(task.person);
  const state = words.task.states[task.stands];
  const parts = [task.by === null ? state : `${state} ${words.task.by(name(task.by), shown(task.at))}`];
  if (task.reason !== null) parts.push(words.why[task.reason]);
  if (task.due !== null) parts.push(words.task.due(shown(task.due)));
  if (task.overdue) parts.push(words.task.overdue);
  return `${words.task.given(to)}: ${parts.join('; ')}`;
}
