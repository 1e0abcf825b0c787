import { locale } from '../../../words/words.svelte.ts';

/** How large a file is, in words: "1.8 MB". */
export function fileSize(bytes: number): string {
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, 'kilobyte'] : [bytes / 1e6, 'megabyte'];
  return new Intl.NumberFormat(locale(), { maximumSignificantDigits: 2, style: 'unit', unit }).format(value);
}

export function percent(part: number, whole: number): string {
  return new Intl.NumberFormat(locale(), { style: 'percent' }).format(whole === 0 ? 0 : Math.min(1, part / whole));
}
