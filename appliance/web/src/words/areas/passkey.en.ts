/** Passkeys, in English. */
export const passkeyEn = {
  open: 'Open with passkey',
  orPin: 'Or type your PIN:',
  title: 'Unlock with a passkey',
  hint: 'After the first PIN of your shift, your finger, face or screen lock opens Wardline on this phone. Twelve hours after the PIN it is asked for again.',
  add: 'Add a passkey',
  another: 'Add another one',
  added: 'Added. The next time Wardline locks, tap “Open with passkey”.',
  removed: 'Removed. Only your PIN opens Wardline now, or another passkey in this list.',
  asks: 'One moment. Your phone may ask for your finger, face or screen lock.',
  of: (day: string) => `Passkey of ${day}`,
  remove: 'Remove',
  removeTitle: 'Remove this passkey?',
  removeHint: 'It opens nothing any more. Your phone may still show it in its settings, where you can delete it.',
  refusals: {
    PASSKEY_CANCELLED: 'Nothing was done: it was cancelled, took too long, or this phone does not have the passkey. Try again, or use your PIN.',
    PASSKEY_FAILED: 'This phone or browser could not use a passkey. Switch on a screen lock in its settings, or use your PIN.',
    PASSKEY_THERE: 'This phone has a passkey for Wardline already.',
    OFFLINE: 'The box cannot be reached now. A passkey needs it, as the PIN does.',
    LOCKED: 'The box has to ask again. Wait a moment, then try once more.',
  } as Partial<Record<string, string>>,
};
