/** Whether there is anything in a text that could be a mark (`format.ts`): of one that has none, the form is the text. */
export function hasMarks(text: string): boolean {
  return /[*_`]|^ *(?:-|\d{1,3}\.) /m.test(text);
}
