import { ask, readFamily, usualWay, VISIT, type Family, type LetIn, type VisitRequest } from '../../../domain/lead/family.ts';
import type { Ask } from '../../../domain/frames.ts';
import { momentOf } from '../../../domain/ids.ts';
import type { App, At, Id } from '../../../domain/snapshot.ts';
import { cleanLine } from '../../../domain/texts.ts';
import { Asking } from './box.svelte.ts';

/** One patient's family, as the box has it; each act is followed by another look. */
export class FamilyModel {
  family = $state.raw<Family | null>(null);
  /** The code that was just made: the box says it once. */
  code = $state.raw<{ readonly code: string; readonly expires: At } | null>(null);
  readonly asking: Asking;
  readonly #stay: Id;

  constructor(app: App, stay: Id) {
    this.asking = new Asking(app);
    this.#stay = stay;
  }

  async load(): Promise<void> {
    const page = await this.asking.for(ask.list(this.#stay), 'familyPage');
    if (page !== null) this.family = readFamily(page);
  }

  usualWay(request: VisitRequest): LetIn | null {
    return this.family === null ? null : usualWay(this.family, request);
  }

  async letIn(request: VisitRequest, way: LetIn, until: At): Promise<void> {
    const answered = await this.asking.for(ask.letIn(request.device, way, until), 'visitAnswered');
    if (answered !== null) await this.load();
  }

  decline(request: VisitRequest): Promise<boolean> {
    return this.#do(ask.decline(request.device));
  }

  consent(words: string): Promise<boolean> {
    return this.#do(ask.consent(this.#stay, words));
  }

  async withdraw(): Promise<void> {
    if (await this.#do(ask.withdraw(this.#stay))) this.code = null;
  }

  block(name: string, blocked: boolean): Promise<boolean> {
    return this.#do(ask.block(this.#stay, name, blocked));
  }

  async makeCode(): Promise<void> {
    const made = await this.asking.for(ask.code(this.#stay, false), 'bedsideCode');
    if (made === null) return;
    this.code = { code: cleanLine(made.code), expires: momentOf(made.expires) };
    await this.load();
  }

  async endCode(): Promise<void> {
    if (await this.#do(ask.code(this.#stay, true))) this.code = null;
  }

  end(person: Id): Promise<boolean> {
    return this.#do(ask.end(person));
  }

  prolong(person: Id, now: At): Promise<boolean> {
    return this.#do(ask.prolong(person, now + VISIT));
  }

  endThread(thread: Id): Promise<boolean> {
    return this.#do(ask.endThread(thread));
  }

  async #do(body: Ask | null): Promise<boolean> {
    const isDone = await this.asking.done(body);
    if (isDone) await this.load();
    return isDone;
  }
}
