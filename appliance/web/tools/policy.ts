/**
 * What the relay sets on every answer, of its source: the service worker keeps the app's files with it. Where it alone has changed, these
 * have to be fetched anew as well, or an installed app goes on under the policy of the day on which it was installed.
 */

export const POLICY_SOURCE = '../relay/src/front/assets.rs';

/** The headers, as they are written there. */
export function policyOf(source: string): string {
  const found = /fn harden\([^]*?\n\}/.exec(source)?.[0] ?? '';
  if (!found.includes('content-security-policy')) throw new Error(`${POLICY_SOURCE} sets no policy where it was`);
  return found;
}
