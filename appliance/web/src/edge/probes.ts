/**
 * Looks at the way to the box by the doors that a page has: it fetches the box's page anew, opens a WebSocket and a WebTransport session
 * that say nothing, and reads until when the box's certificates hold.
 * Nobody but the box is asked, and nothing of anybody's is sent.
 */

import { buildOf, type Findings, untilOf } from '../domain/check/check.ts';
import { parseRoot, type Root } from '../domain/check/root.ts';
import { parseCertificates } from '../domain/doorways.ts';
import { hasWebTransport, openWebTransport } from './wires.ts';

/** Past the service worker, which keeps the page under another name. */
const PAGE = '/index.html';
const ROOT = '/trust/root.json';
const CERTIFICATES = '/wardline/1/certificates';
const PATH = '/wardline/1';
const SUBPROTOCOL = 'wardline.1';
/** As long as a doorway may take to open. */
const WAIT_MAX = 15_000;
/** For each leaf. */
const QUIC_MAX = 5_000;

/** Looks once; `found` is told of each thing as it is known. Returns how to stop. */
export function look(found: (findings: Findings) => void): () => void {
  const ended = new AbortController();
  let findings: Findings = { hasNetwork: navigator.onLine, host: location.host, build: ownBuild(), page: { is: 'wait' }, socket: { is: 'wait' }, quic: { is: 'wait' }, certificateUntil: null };
  const tell = (more: Partial<Findings>): void => {
    findings = { ...findings, ...more };
    if (!ended.signal.aborted) found(findings);
  };
  tell({});
  void page(ended.signal).then((page) => tell({ page }));
  void socket(ended.signal).then((socket) => tell({ socket }));
  void certificates(ended.signal).then(async (said) => {
    tell({ certificateUntil: untilOf(said) });
    tell({ quic: await quic(said) });
  });
  return () => ended.abort();
}

/** What the box says of the facility root; `null`: nothing. */
export async function root(): Promise<Root | null> {
  try {
    const answer = await fetch(ROOT, { cache: 'no-store', credentials: 'omit', redirect: 'manual', signal: AbortSignal.timeout(WAIT_MAX) });
    return answer.ok ? parseRoot(await answer.text()) : null;
  } catch {
    return null;
  }
}

async function page(ended: AbortSignal): Promise<Findings['page']> {
  const began = performance.now();
  try {
    const answer = await fetch(PAGE, { cache: 'no-store', credentials: 'omit', redirect: 'manual', signal: AbortSignal.any([ended, AbortSignal.timeout(WAIT_MAX)]) });
    const build = answer.ok ? buildOf(await answer.text()) : null;
    if (build === null) return { is: 'stranger' };
    const said = Date.parse(answer.headers.get('date') ?? '');
    return { is: 'answered', ms: performance.now() - began, build, boxAt: Number.isNaN(said) ? null : said, at: Date.now() };
  } catch {
    return { is: 'failed' };
  }
}

function socket(ended: AbortSignal): Promise<Findings['socket']> {
  const began = performance.now();
  return new Promise((resolve) => {
    let opened: WebSocket;
    try {
      opened = new WebSocket(`wss://${location.host}${PATH}`, SUBPROTOCOL);
    } catch {
      return resolve({ is: 'failed' });
    }
    const over = (outcome: Findings['socket']): void => {
      resolve(outcome);
      opened.close();
    };
    const late = setTimeout(() => over({ is: 'failed' }), WAIT_MAX);
    ended.addEventListener('abort', () => over({ is: 'failed' }));
    opened.onopen = () => over(opened.protocol === SUBPROTOCOL ? { is: 'answered', ms: performance.now() - began } : { is: 'stranger' });
    opened.onclose = () => {
      clearTimeout(late);
      over({ is: 'failed' });
    };
  });
}

/** What the box's page of certificates says; `null`: it did not come. */
async function certificates(ended: AbortSignal): Promise<unknown> {
  try {
    const answer = await fetch(CERTIFICATES, { cache: 'no-store', credentials: 'omit', redirect: 'manual', signal: AbortSignal.any([ended, AbortSignal.timeout(WAIT_MAX)]) });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** By the leaf that is served, then by the one that follows it: a browser takes one at a time. */
async function quic(said: unknown): Promise<Findings['quic']> {
  if (!hasWebTransport()) return { is: 'unsupported' };
  for (const leaf of parseCertificates(said) ?? []) {
    const began = performance.now();
    const wire = await openWebTransport(location.host, leaf, QUIC_MAX, { bytes: () => undefined, closed: () => undefined });
    if (wire === null) continue;
    wire.close();
    return { is: 'answered', ms: performance.now() - began };
  }
  return { is: 'failed' };
}

function ownBuild(): string | null {
  const scripts = [...document.querySelectorAll('script')].map((script) => script.outerHTML);
  return buildOf(scripts.join('\n'));
}
