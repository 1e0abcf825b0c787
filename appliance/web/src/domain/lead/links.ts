/**
 * Codes as they are scanned or followed: the ten characters, and where the box is.
 *
 * ```text
 * https://box.example:8443/#join?code=ABCDEFGHJK    behind the #, where no server and no log sees it
 * https://box.example:8443/#visit?code=ABCDEFGHJK   hangs at a bed
 * wardline://box.example:4433/join?code=ABCDE-FGHJK&root=…   what the terminal program prints
 * ABCDE-FGHJK                                       typed
 * ```
 *
 * To read one is all that happens by itself: nothing is redeemed before somebody has chosen a PIN and said so.
 */

import { type JoinCode, parseJoinCode } from '../proofs.ts';

export interface CodeRead {
  readonly to: 'join' | 'visit';
  readonly code: JoinCode;
}

/** Longer than any link of ours: a name of 253 characters, a port, a code and a root. */
const LINK_MAX = 512;

export function linkOf(origin: string, to: CodeRead['to'], code: string): string {
  return `${origin}/#${to}?code=${code}`;
}

/** `elsewhere`: of another box than the one at `origin`. `null`: no code of ours. */
export function readLink(text: string, origin: string): CodeRead | 'elsewhere' | null {
  const said = text.trim();
  if (said.length > LINK_MAX) return null;
  const bare = parseJoinCode(said);
  if (bare !== null) return { to: 'join', code: bare };
  const [, scheme = '', host = '', to = '', query = ''] = /^(https|wardline):\/\/([^/?#\s]+)\/#?\/?(join|visit)\?([^#\s]*)$/i.exec(said) ?? [];
  const written = query
    .split('&')
    .find((part) => part.startsWith('code='))
    ?.slice('code='.length);
  const code = written === undefined ? null : parseJoinCode(written);
  if (code === null) return null;
  if (scheme.toLowerCase() === 'https' && `https://${host.toLowerCase()}` !== origin.toLowerCase()) return 'elsewhere';
  return { to: to.toLowerCase() === 'visit' ? 'visit' : 'join', code };
}

/** What the page's own address has of a code: its part behind the # or the ?. */
export function readAddress(hash: string, search: string): CodeRead | null {
  for (const part of [hash, search]) {
    const [, to = 'join', query = ''] = /^[#?]?\/?(?:(join|visit)\?)?(.*)$/i.exec(part) ?? [];
    const written = query.split('&').find((one) => one.startsWith('code='));
    const code = written === undefined ? null : parseJoinCode(written.slice('code='.length));
    if (code !== null) return { to: to.toLowerCase() === 'visit' ? 'visit' : 'join', code };
  }
  return null;
}
