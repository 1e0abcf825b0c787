import { platform } from '../../platform.ts';

/** Where a certificate is taken in differently. */
export const PLATFORMS = ['apple', 'android', 'windows', 'mac', 'firefox'] as const;
export type TrustPlatform = (typeof PLATFORMS)[number];

/** The files of the facility root, each as its platform wants it. */
export const FILES = {
  apple: '/trust/wardline.mobileconfig',
  android: '/trust/facility-root.crt',
  windows: '/trust/facility-root.crt',
  mac: '/trust/facility-root.crt',
  firefox: '/trust/facility-root.pem',
} as const satisfies Record<TrustPlatform, string>;

/** Which of them this probably is. */
export function trustPlatform(agent: string = navigator.userAgent, touches: number = navigator.maxTouchPoints): TrustPlatform {
  const on = platform(agent, touches);
  if (on === 'iphone' || on === 'ipad') return 'apple';
  if (on === 'android') return 'android';
  // Firefox on a desk keeps certificates of its own.
  if (/Firefox\//.test(agent)) return 'firefox';
  return /Macintosh/.test(agent) ? 'mac' : 'windows';
}
