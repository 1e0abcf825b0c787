/** What is said of a device that was used by a copy of its key, in English. */
export const copiedEn = {
  yours: (device: string) => `Somebody else used a copy of your device ${device}. It is out.`,
  yoursDo: 'If you have only one phone and lost none, tell your charge nurse and IT now: whoever made the copy had that device or its computer in their hands. For it to come back, ask for a new join code.',
  theirs: (who: string, device: string) => `Somebody used a copy of a device of ${who}: ${device}. It is out.`,
  theirsDo: 'Ask them face to face who had the device, and tell IT and the privacy officer. Then give them a code for a new phone.',
  seen: 'I have seen it',
};
