/** What this page makes a script of by its address: the service worker, and two workers that read a PDF. Nothing else ever. */

export const WORKER = '/sw.js';
const OURS = /^\/(sw|assets\/pdf\.(worker|renderer)-[\w-]+)\.js$/;

interface TrustedTypesFactory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The page's one trusted-types policy: the box allows one, and no second of its name. */
let policy: ReturnType<TrustedTypesFactory['createPolicy']> | undefined;

export function scriptUrl(url: string): string {
  const factory = (globalThis as { trustedTypes?: TrustedTypesFactory }).trustedTypes;
  policy ??= factory?.createPolicy('wardline-worker', {
    createScriptURL: (asked) => {
      if (!OURS.test(asked) && !import.meta.env.DEV) throw new TypeError('not our worker');
      return asked;
    },
  });
  return policy?.createScriptURL(url) ?? url;
}
