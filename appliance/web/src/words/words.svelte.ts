import { en, type Words } from './en.ts';
import type { Refusal } from '../domain/snapshot.ts';
import { line } from '../view/text.ts';

export const LANGUAGES = ['en', 'es'] as const;
export type Language = (typeof LANGUAGES)[number];

/** English is there from the first; the others come when they are spoken, and nobody else loads them. */
const OTHERS: Record<Exclude<Language, 'en'>, () => Promise<Words>> = { es: () => import('./es.ts').then(({ es }) => es) };

/** Languages that are written from right to left; none has a catalogue yet, the layout is ready. */
const RIGHT_TO_LEFT: readonly string[] = ['ar', 'he', 'fa', 'ur'];

let language = $state<Language>('en');
let words = $state.raw<Words>(en);

/** The one that was chosen last. */
let asked: Language = 'en';

/** What the app says, in the language chosen. Read in a template it follows the choice. */
export function t(): Words {
  return words;
}

/** The words of a page that is loaded later, in the language chosen: `const words = area(en, es)`, and `words()` in a template. */
export function area<Shape>(english: Shape, spanish: Shape): () => Shape {
  return () => (language === 'es' ? spanish : english);
}

export function currentLanguage(): Language {
  return language;
}

/** The language stays as it is where the other one cannot be had. */
export async function speak(next: Language): Promise<void> {
  asked = next;
  const loaded = next === 'en' ? en : await OTHERS[next]().catch(() => null);
  // Another one was chosen meanwhile.
  if (loaded === null || asked !== next) return;
  [language, words] = [next, loaded];
  document.documentElement.lang = next;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(next) ? 'rtl' : 'ltr';
}

/** The first language of the device that there is a catalogue for. */
export function languageOf(preferred: readonly string[]): Language {
  const bases = preferred.map((tag) => tag.slice(0, 2).toLowerCase());
  return bases.flatMap((base) => LANGUAGES.find((one) => one === base) ?? [])[0] ?? 'en';
}

/** The device's own variety of the language chosen: how it writes times and dates. */
export function locale(): string {
  return navigator.languages.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;
}

/** A refusal as a sentence, and what to do next. */
export function refusalText(refusal: Refusal): string {
  const words = t();
  const known: Partial<Record<string, string>> = words.refusal.codes;
  const advice = line(refusal.advice, 300);
  const said = known[refusal.code] ?? (advice === '' ? words.refusal.unknown : words.refusal.boxSays(advice));
  const wait = refusal.retryAfter ?? 0;
  if (wait <= 0) return said;
  return `${said} ${words.refusal.retry(wait < 100 ? words.time.seconds(Math.ceil(wait)) : words.time.min(Math.ceil(wait / 60)))}`;
}
