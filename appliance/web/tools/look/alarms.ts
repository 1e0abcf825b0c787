import type { View } from '../look.ts';

/** What the box itself says. */
export const alarmViews: Record<string, View> = {
  alarmsInbox: { scene: 'alarmsInbox' },
};
