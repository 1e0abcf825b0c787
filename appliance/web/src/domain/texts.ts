/**
 * Texts are hostile (README.md, top): what is shown of them has no control characters and nothing that turns the reading
 * direction around. That no markup of theirs runs is the view's.
 */

// U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069.
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const CONTROL = /\p{Cc}/gu;
const CONTROL_BUT_BREAKS = /[^\P{Cc}\n\t]/gu;

/** A name, title or advice: one line. */
export function cleanLine(text: string): string {
  return text.replace(TURNING, '').replace(/[\n\r\t\u2028\u2029]+/g, ' ').replace(CONTROL, '');
}

/** A message's text: line breaks stay, which the view keeps within the message. */
export function cleanText(text: string): string {
  return text
    .replace(TURNING, '')
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(CONTROL_BUT_BREAKS, '');
}
