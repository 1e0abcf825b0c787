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
  stationHostile: { scene: 'stationHostile' },
};
