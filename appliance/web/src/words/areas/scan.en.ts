/** What the app says while it looks through the camera for a code, in English. */
export const scanEn = {
  title: 'Scan the code',
  hint: 'Hold the picture of the code in front of the camera.',
  view: 'What the camera sees',
  starting: 'Starting the camera…',
  denied: 'The camera cannot be used here. Allow it for this page in the browser, or type the code.',
  other: 'This picture holds no code of Wardline.',
  elsewhere: 'This code is of another facility’s box. Open that box’s address, or ask for a code of this one.',
  type: 'Type the code instead',
};
