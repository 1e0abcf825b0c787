import { currentLanguage, languageOf, LANGUAGES, speak, type Language } from '../words/words.svelte.ts';

/** What the person chose for this device: nothing of a patient's, nothing of the facility's. */
export const LOOKS = ['system', 'light', 'dark'] as const;
export type Look = (typeof LOOKS)[number];

let look = $state<Look>('system');
let letters = $state(false);
let practice = $state(false);

export function currentLook(): Look {
  return look;
}

/** Whether PINs are typed with letters: which keyboard comes up. */
export function pinLetters(): boolean {
  return letters;
}

/** Whether the practice shift is offered: until it was begun on this device, or declined. */
export function isPracticeOffered(): boolean {
  return practice;
}

export function endPracticeOffer(): void {
  keep('practice', 'over');
  practice = false;
}

export function chooseLanguage(next: Language): Promise<void> {
  keep('language', next);
  return spoken(next);
}

export function chooseLook(next: Look): void {
  keep('look', next);
  show(next);
}

export function choosePinLetters(next: boolean): void {
  keep('pin', next ? 'letters' : 'digits');
  letters = next;
}

/** Takes up what was chosen before; called once. Resolves when it can be drawn: the words are there. */
export function recallPreferences(): Promise<void> {
  const language = kept('language');
  const chosen = kept('look');
  show(LOOKS.find((one) => one === chosen) ?? 'system');
  letters = kept('pin') === 'letters';
  practice = kept('practice') === null;
  return spoken(LANGUAGES.find((one) => one === language) ?? languageOf(navigator.languages));
}

function spoken(next: Language): Promise<void> {
  const speaks = speak(next);
  void speaks.then(tellWorker);
  return speaks;
}

/** The service worker has no words of its own choice: it shows the bell's text in this language, and reads it where `sw.ts` says. */
async function tellWorker(): Promise<void> {
  try {
    const chosen = await caches.open('chosen');
    await chosen.put('/language', new Response(currentLanguage()));
  } catch {
    // None is kept: then it is the browser's.
    return;
  }
}

function show(next: Look): void {
  look = next;
  document.documentElement.dataset['look'] = next;
  // The device's own bars follow the choice as well.
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const night = next === 'dark' || (next === 'system' && meta.media.includes('dark'));
    meta.content = night ? '#0c1217' : '#eff2f4';
  }
}

// Private windows may forbid storage: then a choice lasts as long as the window.
function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`wardline.${name}`, value);
  } catch {
    return;
  }
}

function kept(name: string): string | null {
  try {
    return localStorage.getItem(`wardline.${name}`);
  } catch {
    return null;
  }
}
