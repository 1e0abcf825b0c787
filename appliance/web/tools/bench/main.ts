/** The app as it is, before a made-up box in the page: one conversation of 10,000 messages, and 1,000 others with 50 each. */

import { mount } from 'svelte';

import { BEN, Box, type BoxConnection, type EventKind } from '../../src/domain/testing/box.ts';
import { startApp } from '../../src/edge/app.ts';
import { ConversationKind } from '../../src/gen/wardline_pb.js';
import { Shell } from '../../src/shell/shell.svelte.ts';
import App from '../../src/view/App.svelte';
import '../../src/view/app.css';
import './clock.ts';

const CONVERSATIONS = 1_000;
const EACH = 50;
const LONG = 10_000;

const box = new Box();
box.idleLock = 0n;
for (let at = 0; at < LONG; at += 1) box.say(`number ${at} ${'and so on '.repeat((at * 7919) % 40)}`);
box.snapshotAlso = Array.from({ length: CONVERSATIONS }, (_, at) => conversation(at)).flat();

function conversation(at: number): EventKind[] {
  const id = BigInt(0x1000 + at);
  const members = [0xan, BEN].map((person) => ({ person, delivered: 0n, read: BigInt(EACH) }));
  const value = { conversation: id, kind: ConversationKind.GROUP, title: `Group ${at}`, members, firstSequence: 1n, lastSequence: BigInt(EACH) };
  const messages = Array.from({ length: EACH }, (_, message): EventKind => {
    const name = new Uint8Array(16);
    new DataView(name.buffer).setBigUint64(0, id);
    name[15] = message;
    const sender = message % 3 === 0 ? 0xan : BEN;
    const text = `message ${message} of ${at} ${'and more '.repeat((message * 7) % 20)}`;
    return { case: 'message', value: { conversation: id, sequence: BigInt(message + 1), message: name, sender, at: BigInt(1_790_000_000_000 + at * 60_000 + message), text } };
  });
  return [{ case: 'conversation', value }, ...messages];
}

/** The only thing that is not the app's: what it takes for a WebSocket ends in the box above. */
class Socket extends EventTarget {
  static readonly OPEN = 1;
  readyState = 0;
  readonly bufferedAmount = 0;
  binaryType = 'arraybuffer';
  readonly protocol: string;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly #connection: BoxConnection;

  constructor(_url: string, protocol: string) {
    super();
    this.protocol = protocol;
    this.#connection = box.connect(
      (bytes) => setTimeout(() => this.onmessage?.({ data: Uint8Array.from(bytes).buffer })),
      (code) => this.onclose?.({ code: 4_000 + code }),
    );
    setTimeout(() => {
      this.readyState = 1;
      this.onopen?.();
    });
  }
  send(bytes: Uint8Array): void {
    this.#connection.take(Uint8Array.from(bytes));
  }
  close(): void {
    this.readyState = 3;
  }
}
Object.assign(globalThis, { WebSocket: Socket });

class BenchShell extends Shell {
  override get isInstalled(): boolean {
    return true;
  }
}
mount(App, { target: document.getElementById('app') as HTMLElement, props: { app: startApp(), shell: new BenchShell() } });
Object.assign(globalThis, { box });
