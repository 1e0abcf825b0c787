/** What administration says on all its pages. */
export const adminEn = {
  menuLabel: 'Pages of administration',
  menu: { people: 'People' },
  menuHints: { people: 'Add and invite, units, devices, suspend, a list from a file' },
  profile: 'How large is your facility?',
  profiles: { small: 'Small', standard: 'Standard' },
  profileHint: 'Small leaves out pages that a small house rarely needs. Nothing is switched off by it, and it holds for this device alone.',
  asking: 'Asking the box…',
  zone: 'The box takes this only from the administration network, by an administrator. Connect this computer to that network and try again. Your IT knows which one it is; at the box itself “wardline admin --socket” does the same.',
};
