import type { Ask, Told } from '../../../domain/frames.ts';
import type { App, Refusal } from '../../../domain/snapshot.ts';
import { refusalText } from '../../../words/words.svelte.ts';

type Case = Exclude<Told['case'], undefined>;
type Values = { readonly [One in Told as One extends { case: string } ? One['case'] : never]: One extends { case: string; value: infer Value } ? Value : never };

/** What a page asks the box: one thing after the other, and why the last one was not done. */
export class Asking {
  busy = $state(false);
  refusal = $state.raw<Refusal | null>(null);
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  /** `null`: it was not done, and {@link refusal} says why. */
  async for<Name extends Case>(body: Ask | null, wanted: Name): Promise<Values[Name] | null> {
    if (body === null) return this.#refuse({ code: 'INVALID', advice: '' });
    this.busy = true;
    this.refusal = null;
    const reply = await this.#app.ask(body);
    this.busy = false;
    if (reply.reply === 'refused') return this.#refuse(reply.refusal);
    return is(reply.body, wanted) ? reply.body.value : this.#refuse({ code: 'UNKNOWN_REQUEST', advice: '' });
  }

  /** The same, with an answer of no other content than that it is done. */
  async done(body: Ask | null, wanted: Case = 'done'): Promise<boolean> {
    return (await this.for(body, wanted)) !== null;
  }

  #refuse(refusal: Refusal): null {
    this.refusal = refusal;
    return null;
  }
}

/** A refusal in the words of a page that knows it better, else in the app's. */
export function refusalIn(words: Partial<Record<string, string>>, refusal: Refusal): string {
  return words[refusal.code] ?? refusalText(refusal);
}

function is<Name extends Case>(body: Told, wanted: Name): body is Told & { case: Name; value: Values[Name] } {
  return body.case === wanted;
}
