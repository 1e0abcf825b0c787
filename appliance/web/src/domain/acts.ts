/** What a person asks for once the app is open, brought to the desk. */

import type { Command } from './effects.ts';
import type { Desk, Now } from './desk.ts';
import type { DeviceId, MessageName } from './ids.ts';
import type { Hash } from './proofs.ts';

/** Commands about what is on the desk; the others are about the device. */
export type Act = Exclude<Command, { readonly command: 'join' | 'unlock' | 'unlockByPasskey' | 'lock' | 'touched' | 'dismissRefusal' | 'devicesShown' | 'discard' }>;

/** What an act is done with. */
export interface Means {
  readonly now: Now;
  /** The box's clock is so much ahead of the device's. */
  readonly boxAhead: number;
  readonly device: DeviceId;
  readonly facility: Hash | null;
  /** For a message that is composed. */
  name(): MessageName;
}

export function act(desk: Desk, act: Act, means: Means): void {
  switch (act.command) {
    case 'openConversation':
      return desk.openConversation(...act.with);
    case 'closeConversation':
      return desk.closeConversation();
    case 'seen':
      return desk.seen(...act.with, means.now);
    case 'loadOlder':
      return desk.loadOlder();
    case 'draft':
      return desk.draft(...act.with, means.now);
    case 'askProspect':
      return desk.askProspect();
    case 'send': {
      const [conversation, text, priority, replyTo, files = []] = act.with;
      return desk.send(conversation, text, priority, replyTo, files, means.name(), means.now);
    }
    case 'answerStat': {
      const [conversation, sequence, answer, reason] = act.with;
      return desk.answerStat(conversation, sequence, answer, reason, means, means.now);
    }
    case 'react':
      return desk.react(...act.with);
    case 'care':
      return desk.act(act.with[0], means.now.wall + means.boxAhead);
    case 'talk':
      return desk.talk.act(act.with[0], { ...means, wall: means.now.wall });
    case 'writeTo':
      return desk.writeTo(...act.with);
    case 'writeToRole':
      return desk.writeToRole(...act.with);
    case 'askRoles':
      return desk.askRoles();
    case 'takeRole':
      return desk.takeRole(act.with[0], means.now.wall + means.boxAhead);
    case 'returnRole':
      return desk.returnRole(...act.with);
  }
}
