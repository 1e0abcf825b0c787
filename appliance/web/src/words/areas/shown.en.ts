/** What stands around a code that is shown, in English. */
export const codeShownEn = {
  picture: 'The code as a picture, to be scanned',
  typed: 'Or type it:',
  until: (time: string) => `Good until ${time}.`,
};
