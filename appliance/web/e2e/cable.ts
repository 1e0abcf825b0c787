/**
 * The cable between a browser and the box, which a test can cut: bytes pass as they are, TLS ends in the box. It has a port of its own,
 * so the browser's origin is the cable's.
 */

import { connect, createServer, type Server, type Socket } from 'node:net';

import type { Box } from './box.ts';

export class Cable {
  readonly address: string;
  readonly hostRule: string;
  readonly root: Buffer;
  readonly #server: Server;
  readonly #ends = new Set<Socket>();
  #is: 'whole' | 'cut' | 'dead' = 'whole';

  private constructor(box: Box, server: Server, port: number) {
    this.address = box.address.replace(/:\d+$/, `:${port}`);
    this.hostRule = box.hostRule;
    this.root = box.root;
    this.#server = server;
  }

  static async lay(box: Box): Promise<Cable> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const at = server.address();
    if (at === null || typeof at === 'string') throw new Error('no port');
    const cable = new Cable(box, server, at.port);
    server.on('connection', (near) => cable.#join(near, box.port));
    return cable;
  }

  /** Cut: whatever is under way is gone at once, and nothing new gets through. */
  cut(): void {
    this.#is = 'cut';
    for (const end of this.#ends) end.destroy();
  }

  /** As a phone behind a closed door: nothing arrives, and nobody says so. */
  deaden(): void {
    this.#is = 'dead';
    for (const end of this.#ends) end.pause();
  }

  mend(): void {
    // What hung in a dead cable is not carried on: a network that comes back has forgotten it.
    if (this.#is === 'dead') for (const end of this.#ends) end.destroy();
    this.#is = 'whole';
  }

  remove(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket, port: number): void {
    if (this.#is === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#ends.add(from);
      from.setNoDelay(true);
      from.on('data', (bytes) => {
        if (this.#is === 'whole') to.write(bytes);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#ends.delete(from);
        to.destroy();
      });
      if (this.#is === 'dead') from.pause();
    }
  }
}
