import { hasMarks } from '../domain/marks.ts';

let formats = $state.raw<typeof import('../domain/format.ts') | null>(null);
let isAsked = false;

/** Words alone, for a place of one line. What reads the marks is fetched when the first text has any; until then they stand for themselves. */
export function plain(text: string): string {
  if (!hasMarks(text)) return text;
  if (!isAsked) {
    isAsked = true;
    void import('../domain/format.ts').then(
      (there) => (formats = there),
      () => (isAsked = false),
    );
  }
  return formats?.plain(text) ?? text;
}
