/**
 * The cable between a browser and the box, which a test can cut: bytes and datagrams pass as they are, TLS ends in the box. It has a port
 * of its own, so the browser's origin is the cable's. Datagrams pass only where that is asked for: many networks drop them.
 */

import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { connect, createServer, type Server, type Socket } from 'node:net';

import type { Box } from './box.ts';

export class Cable {
  readonly address: string;
  readonly hostRule: string;
  readonly root: Buffer;
  readonly #server: Server;
  readonly #ends = new Set<Socket>();
  readonly #udp = createSocket('udp4');
  /** For each port of a browser's, the one by which the box knows it: a network's translation of addresses. */
  readonly #flows = new Map<number, Datagrams>();
  #passesUdp: boolean;
  #left = Infinity;
  #whenCut: () => void = () => undefined;
  #is: 'whole' | 'cut' | 'dead' = 'whole';

  private constructor(box: Box, server: Server, port: number, passesUdp: boolean) {
    this.#passesUdp = passesUdp;
    this.address = box.address.replace(/:\d+$/, `:${port}`);
    this.hostRule = box.hostRule;
    this.root = box.root;
    this.#server = server;
  }

  static async lay(box: Box, { udp = false } = {}): Promise<Cable> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const at = server.address();
    if (at === null || typeof at === 'string') throw new Error('no port');
    const cable = new Cable(box, server, at.port, udp);
    server.on('connection', (near) => cable.#join(near, box.port));
    await new Promise<void>((resolve) => cable.#udp.bind(at.port, '127.0.0.1', resolve));
    cable.#udp.on('message', (bytes, from) => cable.#datagram(bytes, from.port, box.port));
    return cable;
  }

  /** Whether datagrams pass from now on; those that do not vanish without a word. */
  passUdp(passes: boolean): void {
    this.#passesUdp = passes;
  }

  /** Cut: whatever is under way is gone at once, and nothing new gets through. */
  cut(): void {
    this.#is = 'cut';
    for (const end of this.#ends) end.destroy();
    this.#forgetFlows();
  }

  /** Cut by itself once so many more bytes have passed either way; resolves then. */
  cutAfter(bytes: number): Promise<void> {
    this.#left = bytes;
    return new Promise((resolve) => (this.#whenCut = resolve));
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
    this.#udp.close();
  }

  #datagram(bytes: Buffer, near: number, port: number): void {
    if (this.#is !== 'whole' || !this.#passesUdp) return;
    let flow = this.#flows.get(near);
    if (flow === undefined) {
      flow = createSocket('udp4');
      this.#flows.set(near, flow);
      flow.on('message', (answer) => {
        if (this.#is !== 'whole' || !this.#passesUdp) return;
        this.#udp.send(answer, near, '127.0.0.1');
        this.#passed(answer.length);
      });
    }
    flow.send(bytes, port, '127.0.0.1');
    this.#passed(bytes.length);
  }

  #passed(bytes: number): void {
    this.#left -= bytes;
    if (this.#left > 0) return;
    this.#left = Infinity;
    this.cut();
    this.#whenCut();
  }

  #forgetFlows(): void {
    for (const flow of this.#flows.values()) flow.close();
    this.#flows.clear();
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
        if (this.#is !== 'whole') return;
        to.write(bytes);
        this.#passed(bytes.length);
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
