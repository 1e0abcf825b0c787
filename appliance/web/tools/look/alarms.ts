import type { View } from '../look.ts';

/** What the box itself says. */
export const alarmViews: Record<string, View> = {
  alarms: { scene: 'alarms', act: (page) => page.locator('.bubble .tag').last().waitFor() },
  alarmsInbox: { scene: 'alarmsInbox' },
};
