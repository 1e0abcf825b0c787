import type { Ask, Told } from '../../../domain/frames.ts';
import type { App, Refusal } from '../../../domain/snapshot.ts';
import { WireFault } from '../../../domain/wire.ts';

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

  /** What an answer says; one that is none counts as refused. */
  async read<T>(body: Ask, reader: (told: Told) => T | null): Promise<T | null> {
    const told = await this.ask(body);
    if (told === null) return null;
    const read = readBy(told, reader);
    if (read === null) this.refusal = { code: 'UNSPECIFIED', advice: '' };
    return read;
  }

  refuse(refusal: Refusal): void {
    this.refusal = refusal;
  }
}

function readBy<T>(told: Told, reader: (told: Told) => T | null): T | null {
  try {
    return reader(told);
  } catch (error) {
    if (error instanceof WireFault) return null;
    throw error;
  }
}
