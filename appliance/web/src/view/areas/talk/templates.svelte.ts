import { readTemplates, templatesAsk, type Templates } from '../../../domain/talk/templates.ts';
import type { App, Id } from '../../../domain/snapshot.ts';
import { readBy } from './doing.svelte.ts';

/** What was asked last, of each app and person: shown at once while it is asked again. Nothing of a patient is in it. */
const before = new WeakMap<App, { readonly person: Id; readonly sets: readonly Templates[] }>();

/** The sets of one's units and of the facility, the nearest first. */
export class KnownTemplates {
  sets = $state.raw<readonly Templates[]>([]);
  state = $state<'asking' | 'there' | 'failed'>('asking');

  async load(app: App, person: Id, units: readonly Id[]): Promise<void> {
    const known = before.get(app);
    if (known?.person === person) this.sets = known.sets;
    const replies = await Promise.all([...units, null].map((unit) => app.ask(templatesAsk(unit))));
    const sets = replies.flatMap((reply) => (reply.reply === 'answer' ? (readBy(reply.body, readTemplates) ?? []) : []));
    this.state = sets.length === 0 ? 'failed' : 'there';
    if (sets.length === 0) return;
    this.sets = sets;
    before.set(app, { person, sets });
  }
}
