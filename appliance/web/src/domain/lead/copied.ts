/** Devices whose key somebody else held a copy of, so that the box has put them out (README.md, "Login secrets"): told once, to whoever can do something. */

import type { DeviceCopied } from '../../gen/wardline_pb.js';
import { type DeviceId, idOf, type PersonId } from '../ids.ts';
import type { Id } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';

export interface CopiedDevice {
  readonly device: Id;
  readonly person: Id;
  readonly name: string;
}

/** More at once are one attack, of which the first ones say enough. */
const COPIED_MAX = 20;

export class Copied {
  #list: readonly CopiedDevice[] = [];

  told({ person, device }: DeviceCopied): void {
    const [whose, which] = [idOf<PersonId>(person), idOf<DeviceId>(device?.device ?? 0n)];
    if (whose === null || which === null || this.#list.length >= COPIED_MAX || this.#list.some((one) => one.device === which)) return;
    this.#list = [...this.#list, { device: which, person: whose, name: cleanLine(device?.name ?? '') }];
  }

  get shown(): readonly CopiedDevice[] {
    return this.#list;
  }
}
