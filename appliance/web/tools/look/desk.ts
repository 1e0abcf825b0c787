import type { View } from '../look.ts';

/** The pages of a ward's desk. */
export const deskViews: Record<string, View> = {
  station: { scene: 'station' },
  stationConnects: { scene: 'stationConnects' },
  stationSettings: { scene: 'station', act: (page) => page.locator('footer [aria-haspopup]').click() },
  stationRings: { scene: 'stationRings' },
  stationRingsMany: { scene: 'stationRingsMany' },
  stationHeld: { scene: 'stationHeld' },
  stationOff: { scene: 'stationOff' },
  stationOffRings: { scene: 'stationOffRings' },
  stationRevoked: { scene: 'stationRevoked' },
  stationUnknown: { scene: 'stationUnknown', query: 'installed' },
  check: { scene: 'join', query: 'aside=/check' },
  checkSilent: { scene: 'join', query: 'aside=/check&way=silent' },
  checkNone: { scene: 'join', query: 'aside=/check&way=none' },
  checkPagesOnly: { scene: 'join', query: 'aside=/check&way=pagesOnly' },
  checkStranger: { scene: 'join', query: 'aside=/check&way=stranger' },
  checkWait: { scene: 'join', query: 'aside=/check&way=wait' },
  checkBanner: { scene: 'offline', query: 'way=silent', act: (page) => page.locator('.top [aria-haspopup]').first().click() },
  trust: { scene: 'join', query: 'aside=/trust&trusted' },
  trustNone: { scene: 'join', query: 'aside=/trust&noRoot' },
  trustApple: { scene: 'join', query: 'aside=/trust', act: (page) => page.locator('label.apple').click() },
  trustWindows: { scene: 'join', query: 'aside=/trust', act: (page) => page.locator('label.windows').click() },
  stationHostile: { scene: 'stationHostile' },
};
