/** Firefox with a profile of its own that trusts the facility root by its own store (NSS). No certificate check is switched off. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Box } from './box.ts';

export const FIREFOX = '/usr/bin/firefox-esr';
const NAME = 'box.lindenhof.example';

/** In the place of the facility's name server; and nothing asks anybody else. */
export const FIREFOX_PREFERENCES = {
  'network.dns.localDomains': NAME,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'intl.accept_languages': 'en-GB',
};

/** A profile whose certificate store has the facility's root, and nothing else. */
export function firefoxProfile(home: string, box: Box): string {
  const folder = join(home, 'profile');
  mkdirSync(folder);
  writeFileSync(join(home, 'root.der'), box.root);
  for (const words of [
    ['-N', '--empty-password'],
    ['-A', '-t', 'C,,', '-n', 'facility', '-i', join(home, 'root.der')],
  ]) {
    const ran = spawnSync('certutil', ['-d', `sql:${folder}`, ...words], { encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`certutil ${words[0]}: ${ran.stderr}`);
  }
  return folder;
}
