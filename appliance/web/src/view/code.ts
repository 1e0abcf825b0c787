/** A join code as people type it: two groups of five, and letters that look like digits are those digits. */

export const CODE_LENGTH = 10;

/** What counts of what was typed: upper case, without spaces and dashes, O as 0, I and L as 1. */
export function normaliseCode(typed: string): string {
  return typed
    .toUpperCase()
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1')
    .replace(/[^0-9A-Z]/g, '')
    .slice(0, CODE_LENGTH);
}

/** A code as it is shown. */
export function showCode(code: string): string {
  return code.length > 5 ? `${code.slice(0, 5)} ${code.slice(5)}` : code;
}

/** The field after a keystroke: its text, and where the caret belongs. */
export function retype(typed: string, caret: number): { text: string; caret: number } {
  const before = normaliseCode(typed.slice(0, caret)).length;
  return { text: showCode(normaliseCode(typed)), caret: before > 5 ? before + 1 : before };
}
