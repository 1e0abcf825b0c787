/**
 * The person's devices. They are told of each that they did not know of, once (README.md, "A person's devices"): whoever redeemed a
 * code reads as them.
 */

import type { DeviceId } from './ids.ts';
import type { Snapshot } from './snapshot.ts';

export interface Listed {
  readonly id: DeviceId;
  readonly name: string;
}

/** Every device of a person, 8 at most, is a line; those beyond, of a box that is none, are not kept. */
const DEVICES_MAX = 32;

export class Devices {
  #listed: readonly Listed[] = [];

  /** The list of a sign-in, whole. Of those that were told, who is still in it. */
  list(devices: readonly Listed[], told: readonly DeviceId[]): readonly DeviceId[] {
    // A box of an earlier version lists none, not even this one: that is no reason to forget any.
    if (devices.length === 0) return told;
    this.#listed = devices.slice(0, DEVICES_MAX);
    return told.filter((id) => this.#listed.some((one) => one.id === id));
  }

  joined(device: Listed): void {
    if (this.#listed.some((one) => one.id === device.id) || this.#listed.length >= DEVICES_MAX) return;
    this.#listed = [...this.#listed, device];
  }

  /** All of them were on the screen. */
  ids(): readonly DeviceId[] {
    return this.#listed.map((one) => one.id);
  }

  shown(own: DeviceId, told: readonly DeviceId[]): Snapshot['devices'] {
    return this.#listed.map(({ id, name }) => ({ id, name, isThis: id === own, isNew: id !== own && !told.includes(id) }));
  }
}
