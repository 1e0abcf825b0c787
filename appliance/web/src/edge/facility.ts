/**
 * Which facility this is: SHA-256 of its root certificate, which answers to a STAT are signed with. A page cannot see the
 * connection's certificates, so it is told: by the link that a person joins with, or by the page itself.
 */

import { fromBase64url } from '../domain/bytes.ts';
import { type Hash, hashOf } from '../domain/proofs.ts';

/** `<meta name="wardline-root" content="…">`, as in a join link: base64url, 43 characters. */
const META = 'wardline-root';

/** `null`: nothing says so, or what says so is damaged. */
export function facilityOf(page: Document, address: Location): Hash | null {
  const said = page.querySelector<HTMLMetaElement>(`meta[name="${META}"]`)?.content ?? rootOfLink(address);
  const bytes = said === null ? null : fromBase64url(said, 32);
  return bytes === null ? null : hashOf(bytes);
}

/** Of a join link that was opened in the browser: `?code=…&root=…`, or behind `#`, where no server is told. */
function rootOfLink({ search, hash }: Location): string | null {
  const parts = [search.replace(/^\?/, ''), hash.replace(/^#?[^?]*\??/, ''), hash.replace(/^#/, '')];
  for (const part of parts) {
    const root = /(?:^|&)root=([^&]*)/.exec(part)?.[1];
    if (root !== undefined) return root;
  }
  return null;
}
