/** Somebody at the terminal client: what a charge nurse or an administrator sets there, for tests of the app. */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Box } from './box.ts';
import { PIN } from './person.ts';

export class Terminal {
  readonly #box: Box;
  readonly #home: string;

  private constructor(box: Box, home: string) {
    this.#box = box;
    this.#home = home;
  }

  /** Joins as one more device of somebody. */
  static join(box: Box, person: string): Terminal {
    const home = mkdtempSync(join(tmpdir(), 'wardline-terminal-'));
    writeFileSync(join(home, 'pin'), `${PIN}\n`, { mode: 0o600 });
    const terminal = new Terminal(box, home);
    const root = createHash('sha256').update(box.root).digest('hex');
    const said = box.admin('code', person, '--address', `127.0.0.1:${box.port}`, '--root', root);
    const link = /wardline:\/\/\S+/.exec(said)?.[0];
    if (link === undefined) throw new Error(`no link: ${said}`);
    terminal.run('join', link);
    return terminal;
  }

  run(...words: string[]): string {
    const profile = ['--profile', join(this.#home, 'profile'), '--pin-file', join(this.#home, 'pin')];
    for (let tries = 0; ; tries += 1) {
      try {
        return this.#box.command(...words, ...profile);
      } catch (error) {
        // Nothing was done, and the box asks for it again.
        if (tries >= 5 || !String(error).includes('cannot do this right now')) throw error;
      }
    }
  }

  /** The same with a file of these lines at the end. */
  runWith(lines: readonly string[], ...words: string[]): string {
    const path = join(this.#home, 'lines');
    writeFileSync(path, `${lines.join('\n')}\n`);
    return this.run(...words, path);
  }

  leaves(): void {
    rmSync(this.#home, { recursive: true, force: true });
  }
}
