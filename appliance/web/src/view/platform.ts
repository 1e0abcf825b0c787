export type Platform = 'iphone' | 'ipad' | 'android' | 'desk';

/** What this runs on, as far as words depend on it: how an app gets on the home screen, and what a device is called. */
export function platform(agent: string = navigator.userAgent, touches: number = navigator.maxTouchPoints): Platform {
  if (/iPhone|iPod/.test(agent)) return 'iphone';
  // An iPad says that it is a Mac; Macs have no touch screens.
  if (/iPad/.test(agent) || (/Macintosh/.test(agent) && touches > 1)) return 'ipad';
  return /Android/.test(agent) ? 'android' : 'desk';
}
