/**
 * A whole box for the browsers: software TPM, keeper and relay as `make run` starts them, in a directory of its own.
 *
 * The programs are those that were built last: `WARDLINE_PROGRAMS` says where they are.
 */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a development box's certificate names besides its address. */
const NAME = 'box.lindenhof.example';
/** Six TPM objects are made at the first start. */
const START_MAX_MS = 60_000;

export class Box {
  readonly directory: string;
  readonly port: number;
  #ahead = 0;
  #child: ChildProcess | null = null;
  #said = '';

  /** How `wardline-bell` is started, if it is. */
  readonly #bell: readonly string[];

  private constructor(directory: string, port: number, bell: readonly string[]) {
    this.#bell = bell;
    this.directory = directory;
    this.port = port;
  }

  /** Starts one with the demo facility's people, and a bell where it is said how. */
  static async start(bell: readonly string[] = []): Promise<Box> {
    const box = new Box(mkdtempSync(join(tmpdir(), 'wardline-box-')), await freePort(), bell);
    await box.#up();
    return box;
  }

  /** Starts one as it comes out of its carton: keys are made, and nobody is in its directory. */
  static async empty(): Promise<Box> {
    const box = await Box.start();
    await box.#forget();
    return box;
  }

  /** What people type, and what browsers call the origin. */
  get address(): string {
    return `https://${NAME}:${this.port}`;
  }

  /** For Chromium, in the place of the facility's name server. */
  get hostRule(): string {
    return `MAP ${NAME} 127.0.0.1`;
  }

  /** The facility root, as its file on IT's laptop has it. */
  get root(): Buffer {
    return readFileSync(join(this.directory, 'box/facility/facility-root.crt.der'));
  }

  /** A fresh join code for somebody, as an administrator reads it out. */
  code(person: string): string {
    return this.admin('code', person).split(/\s/)[0] ?? '';
  }

  /** `wardline admin` on the box's own socket. */
  admin(...words: string[]): string {
    return this.command('admin', '--socket', join(this.directory, 'box/relay.sock'), ...words);
  }

  /** `wardline patient`, as a service of the box enters them. */
  patient(...words: string[]): string {
    return this.command('patient', '--socket', join(this.directory, 'box/relay.sock'), ...words);
  }

  /** The terminal client. */
  command(...words: string[]): string {
    const ran = spawnSync(program('wardline'), words, { encoding: 'utf8', timeout: 30_000 });
    if (ran.status !== 0) throw new Error(`wardline ${words[0]} ${words[3] ?? ''}: ${ran.stderr}`);
    return ran.stdout;
  }

  /** Both of the relay's clocks leap ahead, as those of a machine do that slept; it looks at them within a second. */
  leap(ms: number): void {
    this.#ahead += ms;
    writeFileSync(this.#clock, String(this.#ahead));
  }

  /** Kills the relay as a power cut would; the box starts it again. */
  killRelay(): void {
    const pids = [...this.#said.matchAll(/relay (\d+), keeper/g)];
    const pid = Number(pids.at(-1)?.[1]);
    if (!(pid > 1)) throw new Error('the box did not say which process its relay is');
    process.kill(pid, 'SIGKILL');
  }

  /** The keeper says nothing until it is let go on: as one that hangs. What is returned lets it. */
  holdKeeper(): () => void {
    const pids = [...this.#said.matchAll(/keeper (\d+)/g)];
    const pid = Number(pids.at(-1)?.[1]);
    if (!(pid > 1)) throw new Error('the box did not say which process its keeper is');
    process.kill(pid, 'SIGSTOP');
    return () => void process.kill(pid, 'SIGCONT');
  }

  /** Stops it in order, so that devices hear of it; its directory stays. */
  async down(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    await ended;
  }

  /** Starts it again where it was. */
  async up(): Promise<void> {
    await this.#up();
  }

  async stop(): Promise<void> {
    await this.down();
    rmSync(this.directory, { recursive: true, force: true });
  }

  get #clock(): string {
    return join(this.directory, 'clock');
  }

  /**
   * The demo facility is in the store by the time that the box is up. So the store is taken away while nothing runs on it; the relay,
   * started again, makes a new one, as at its first start.
   */
  async #forget(): Promise<void> {
    const { pid } = this.#child ?? {};
    if (pid === undefined) throw new Error('the box does not run');
    // Whoever would start the relay again is held until the store is gone.
    process.kill(pid, 'SIGSTOP');
    this.killRelay();
    const store = join(this.directory, 'box/relay');
    for (const name of readdirSync(store)) rmSync(join(store, name), { recursive: true });
    const isUp = this.#says('Up again');
    process.kill(pid, 'SIGCONT');
    await isUp;
  }

  /** Resolves when the box prints this. */
  #says(words: string): Promise<void> {
    const { stdout } = this.#child ?? {};
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the box did not say "${words}": ${this.#said}`)), START_MAX_MS);
      const heard = (): void => {
        if (!this.#said.includes(words)) return;
        clearTimeout(late);
        stdout?.off('data', heard);
        resolve();
      };
      stdout?.on('data', heard);
    });
  }

  async #up(): Promise<void> {
    const listen = `127.0.0.1:${this.port}`;
    const args = ['--directory', join(this.directory, 'box'), '--listen', listen, ...this.#bell.map((one) => `--bell=${one}`)];
    // It has to be there when the relay starts, which confines itself to the files that there are.
    writeFileSync(this.#clock, String(this.#ahead));
    const child = spawn(program('wardline-devbox'), args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, WARDLINE_CLOCK: this.#clock } });
    this.#child = child;
    this.#said = '';
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`the box did not start: ${this.#said}`)), START_MAX_MS);
      const heard = (chunk: Buffer): void => {
        this.#said += chunk.toString();
        if (!this.#said.includes('Ctrl-C stops the box.')) return;
        clearTimeout(late);
        resolve();
      };
      child.stdout.on('data', heard);
      child.stderr.on('data', heard);
      child.once('exit', (code) => reject(new Error(`the box ended with ${code}: ${this.#said}`)));
    });
  }
}

function program(name: string): string {
  const folder = process.env['WARDLINE_PROGRAMS'];
  if (folder === undefined) throw new Error('WARDLINE_PROGRAMS does not say where the programs are');
  return join(folder, name);
}

/** One that no system hands to whoever asks for any: below 32,768 (ip(7), `ip_local_port_range`). */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer().once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
