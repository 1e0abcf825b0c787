/** What the box refuses of a PIN, looked at before it is asked: it saves a round trip, the box decides. */
export type PinFault = 'short' | 'long' | 'common';

const ROWS = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'azertyuiop', '1qaz2wsx3edc', 'qazwsxedc'];
const WORDS = ['password', 'passwort', 'contraseña', 'contrasena', 'letmein', 'welcome', 'admin', 'iloveyou', 'monkey', 'dragon', 'hospital', 'nurse', 'wardline'];

/** In the one form in which PINs are sent. */
export function pinAsSent(typed: string): string {
  return typed.normalize('NFC');
}

export function pinFault(pin: string): PinFault | null {
  const letters = Array.from(pin);
  if (letters.length < 6) return 'short';
  if (new TextEncoder().encode(pin).length > 64) return 'long';
  return tooCommon(letters) ? 'common' : null;
}

function tooCommon(letters: readonly string[]): boolean {
  const pin = letters.join('').toLowerCase();
  const bare = pin.replace(/[\d!.]+$/, '');
  return repeats(letters) || runs(pin) || isDate(pin) || WORDS.includes(bare) || (bare.length >= 4 && ROWS.some((row) => row.includes(bare)));
}

/** One to three characters, again and again. */
function repeats(letters: readonly string[]): boolean {
  return [1, 2, 3].some((every) => letters.every((letter, i) => letter === letters[i % every]));
}

/** Up or down by one each; after 9 comes 0. */
function runs(pin: string): boolean {
  const steps = [1, -1].map((by) =>
    Array.from(pin).every((letter, i, all) => {
      const last = all[i - 1];
      if (last === undefined) return true;
      if (/^\d$/.test(letter) && /^\d$/.test(last)) return (Number(last) + by + 10) % 10 === Number(letter);
      return letter.charCodeAt(0) - last.charCodeAt(0) === by;
    }),
  );
  return steps.includes(true);
}

/** Eight digits that are a day of 1900 to 2099, in any of the usual orders. */
function isDate(pin: string): boolean {
  if (!/^\d{8}$/.test(pin)) return false;
  const part = (from: number, to: number) => Number(pin.slice(from, to));
  const day = (year: number, month: number, date: number) => year >= 1900 && year <= 2099 && month >= 1 && month <= 12 && date >= 1 && date <= 31;
  return day(part(0, 4), part(4, 6), part(6, 8)) || day(part(4, 8), part(0, 2), part(2, 4)) || day(part(4, 8), part(2, 4), part(0, 2));
}
