/** What is wrong with the box, and what to do next, in the order of levels: more is worse. */
export const alarmEn = {
  from: 'Alarm of the box',
  over: 'Over',
  toHealth: 'To Box health',
  says: {
    disk: [
      'The disk of the box is filling. Before long new messages will be refused. Shorten how long messages and files are kept, delete old exports and backups, or plan a larger disk.',
      'The disk of the box is full: new messages are refused. Make room now: delete old exports and backups, shorten how long messages and files are kept, or call support for a larger disk.',
    ],
    store: ['The nightly look at the store found damage. Keep the last backup, write nothing over it, and call support today.'],
    keeper: [
      'The keeper of the keys does not answer. Messages go on, but PINs cannot be checked, and after a restart the box would not open. Do not restart the box. Look at wardline-keeper, or call support.',
    ],
    leaf: [
      'The certificate was not renewed and ends within five days. No phone connects after that. See under Box health whether the keeper of the keys answers.',
      'The certificate ends within a day, and no phone connects after that. See under Box health whether the keeper of the keys answers, and call support now.',
    ],
    name: [
      'The imported certificate ends within 30 days. Make a new request under Certificate.',
      'The imported certificate ends within 14 days. Make a new request under Certificate this week.',
      'The imported certificate ends within 3 days. Make a new request under Certificate today.',
    ],
    issuer: [
      'The issuing certificate of the box ends within 90 days. Plan with the recovery officers when they sign a new one.',
      'The issuing certificate of the box ends within 30 days. Call the recovery officers together to sign a new one.',
      'The issuing certificate of the box ends within 7 days, and no phone connects after that. The recovery officers sign a new one today.',
    ],
    clock: ['The clock of the box was set by more than two seconds. Times of messages around it may be wrong. See under Box health by how much, and whether the time server is right.'],
  },
  isOver: {
    disk: 'The disk of the box has room again.',
    store: 'The store was read whole again and is sound.',
    keeper: 'The keeper of the keys answers again.',
    leaf: 'The certificate was renewed.',
    name: 'The imported certificate is good for long enough again.',
    issuer: 'The box has a new issuing certificate.',
    clock: 'The clock of the box has run evenly for an hour.',
  },
  told: {
    title: 'Who is told',
    hint: 'Alarms of the box go as urgent messages to whoever holds this role: on their phone, on the station screens of its unit if nobody looks, and to whoever looks after the role when nobody holds it.',
    nobody: 'Nobody is told of alarms. Choose who is on call for IT.',
    role: (role: string, unit: string) => `${role} · ${unit}`,
    gone: 'The role that was told is not there any more. Choose another.',
    holders: (names: string) => `Now: ${names}`,
    unheld: 'Nobody holds it now.',
    choose: 'Choose who is told',
    nobodyChoice: 'Nobody',
    none: 'There is no role yet. Make one under Roles, “IT on call” for instance, with its rota.',
    roles: 'To the roles',
    was: (role: string) => `Until now: ${role}`,
    save: 'Tell them from now on',
    saveNobody: 'Tell nobody from now on',
    saved: 'Saved. What is wrong now is told within a minute.',
    stands: 'Told and not over',
    since: (at: string) => `Since ${at}`,
  },
};
