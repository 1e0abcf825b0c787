/**
 * What can be told of the way to the box from within a page, and what follows from it. A page learns that an answer came or that none
 * did, never why: what cannot be told apart is said as what it may be.
 */

import type { At } from '../snapshot.ts';

/** One attempt. `stranger`: something answered that is not the box. */
export type Probe<Answer> = { readonly is: 'wait' } | { readonly is: 'failed' } | { readonly is: 'stranger' } | ({ readonly is: 'answered'; readonly ms: number } & Answer);

export interface Findings {
  /** The device says that it is in a network; it does not know in which. */
  readonly hasNetwork: boolean;
  /** The address that was typed. */
  readonly host: string;
  /** The build of this page; `null`: not known. */
  readonly build: string | null;
  /** The box's page, fetched anew: of which build it is, the box's clock, and this device's at that moment. */
  readonly page: Probe<{ readonly build: string | null; readonly boxAt: At | null; readonly at: At }>;
  readonly socket: Probe<object>;
  /** Over QUIC, which is UDP; `unsupported`: this browser does not have it. */
  readonly quic: Probe<object> | { readonly is: 'unsupported' };
  /** Until when the certificates hold that the box names for it; `null`: not known. */
  readonly certificateUntil: At | null;
}

export type Mark = 'ok' | 'wait' | 'bad' | 'note' | 'none';

/** A line of the page: what was looked at, how it is, and which sentence says so. */
export type Line =
  | { readonly what: 'network'; readonly mark: Mark; readonly says: 'there' | 'none' }
  | { readonly what: 'page' | 'socket'; readonly mark: Mark; readonly says: 'wait' | 'answered' | 'failed' | 'stranger'; readonly ms: number }
  | { readonly what: 'quic'; readonly mark: Mark; readonly says: 'wait' | 'answered' | 'failed' | 'unsupported'; readonly ms: number }
  | { readonly what: 'certificate'; readonly mark: Mark; readonly says: 'until' | 'over' | 'unknown'; readonly until: At }
  | { readonly what: 'build'; readonly mark: Mark; readonly says: 'same' | 'other' | 'unknown' }
  | { readonly what: 'clock'; readonly mark: Mark; readonly says: 'right' | 'off' | 'unknown'; readonly seconds: number };

/** All of it in one sentence. */
export type Verdict = 'wait' | 'works' | 'noNetwork' | 'stranger' | 'pagesOnly' | 'silent';

/** Certificates and sessions bear this much; `wardline doctor` warns from here, too. Seconds. */
const CLOCK_MAX = 60;

export function linesOf(findings: Findings): Line[] {
  const { hasNetwork, page, socket, build, quic, certificateUntil } = findings;
  const answered = page.is === 'answered' ? page : null;
  return [
    hasNetwork ? { what: 'network', mark: 'ok', says: 'there' } : { what: 'network', mark: 'bad', says: 'none' },
    probed('page', page),
    probed('socket', socket),
    quicLine(quic),
    certificateLine(certificateUntil, answered?.boxAt ?? null),
    buildLine(build, answered?.build ?? null),
    clockLine(answered?.boxAt ?? null, answered?.at ?? 0),
  ];
}

export function verdictOf({ hasNetwork, page, socket }: Findings): Verdict {
  if (page.is === 'stranger' || socket.is === 'stranger') return 'stranger';
  if (socket.is === 'answered') return 'works';
  if (page.is === 'wait' || socket.is === 'wait') return 'wait';
  if (page.is === 'answered') return 'pagesOnly';
  return hasNetwork ? 'silent' : 'noNetwork';
}

/** An address of digits needs no name service, so that private DNS cannot be what is wrong. */
export function needsNames(host: string): boolean {
  return !/^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])(:\d+)?$/i.test(host);
}

/** Which build a page is of: the name of its script, which has a hash of what is in it. `null`: this is no page of ours. */
export function buildOf(html: string): string | null {
  return /\/assets\/index-([\w-]{4,40})\.js/.exec(html)?.[1] ?? null;
}

function probed(what: 'page' | 'socket', probe: Probe<object>): Line {
  const mark = { wait: 'wait', answered: 'ok', failed: 'bad', stranger: 'bad' } as const;
  return { what, mark: mark[probe.is], says: probe.is, ms: probe.is === 'answered' ? Math.round(probe.ms) : 0 };
}

/** Without it all goes over WebSocket: nothing is lost but speed where a phone roams, so it is no more than a note. */
function quicLine(probe: Findings['quic']): Line {
  const says = probe.is === 'stranger' ? 'failed' : probe.is;
  const mark = { wait: 'wait', answered: 'ok', failed: 'note', unsupported: 'none' } as const;
  return { what: 'quic', mark: mark[says], says, ms: probe.is === 'answered' ? Math.round(probe.ms) : 0 };
}

/** Against the box's own clock. */
function certificateLine(until: At | null, boxAt: At | null): Line {
  if (until === null) return { what: 'certificate', mark: 'none', says: 'unknown', until: 0 };
  return boxAt !== null && until <= boxAt ? { what: 'certificate', mark: 'note', says: 'over', until } : { what: 'certificate', mark: 'ok', says: 'until', until };
}

/** What the box's page of certificates says of their end; `null`: nothing. */
export function untilOf(page: unknown): At | null {
  if (typeof page !== 'object' || page === null || !('until' in page) || typeof page.until !== 'number') return null;
  return Number.isSafeInteger(page.until) && page.until > 0 ? page.until : null;
}

function buildLine(own: string | null, box: string | null): Line {
  if (own === null || box === null) return { what: 'build', mark: 'none', says: 'unknown' };
  return own === box ? { what: 'build', mark: 'ok', says: 'same' } : { what: 'build', mark: 'note', says: 'other' };
}

function clockLine(boxAt: At | null, at: At): Line {
  if (boxAt === null) return { what: 'clock', mark: 'none', says: 'unknown', seconds: 0 };
  const seconds = Math.round((at - boxAt) / 1000);
  return Math.abs(seconds) <= CLOCK_MAX ? { what: 'clock', mark: 'ok', says: 'right', seconds } : { what: 'clock', mark: 'note', says: 'off', seconds };
}
