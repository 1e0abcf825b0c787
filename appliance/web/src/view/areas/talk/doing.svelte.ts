import type { Ask, Told } from '../../../domain/frames.ts';
import type { App, Refusal } from '../../../domain/snapshot.ts';

/** One thing at a time that a sheet asks the box: under way, or refused, and why. */
export class Doing {
  isBusy = $state(false);
  refusal = $state.raw<Refusal | null>(null);
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  /** `null`: refused, or something else is under way still. */
  async ask(body: Ask): Promise<Told | null> {
    if (this.isBusy) return null;
    this.isBusy = true;
    this.refusal = null;
    const reply = await this.#app.ask(body);
    this.isBusy = false;
    if (reply.reply === 'answer') return reply.body;
    this.refusal = reply.refusal;
    return null;
  }

  refuse(refusal: Refusal): void {
    this.refusal = refusal;
  }
}
