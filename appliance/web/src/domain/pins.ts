/** PINs and device names, as a person types them. */

import { utf8Length } from './bytes.ts';
import { NAME_MAX, PIN_CHARACTERS_MIN, PIN_MAX } from './limits.ts';

declare const sort: unique symbol;
/** In the one form in which it is sent, always: NFC. Never kept. */
export type Pin = string & { readonly [sort]: 'pin' };

export type PinFault = 'PIN_TOO_SHORT' | 'PIN_TOO_COMMON' | 'TOO_LARGE';

/** A PIN that is chosen. What is too common is as the box has it, which has the last word: this saves a round trip. */
export function choosePin(typed: string): Pin | { readonly fault: PinFault } {
  const pin = typed.normalize('NFC');
  if ([...pin].length < PIN_CHARACTERS_MIN) return { fault: 'PIN_TOO_SHORT' };
  if (utf8Length(pin) > PIN_MAX) return { fault: 'TOO_LARGE' };
  return isCommon(pin.toLowerCase()) ? { fault: 'PIN_TOO_COMMON' } : (pin as Pin);
}

/** A PIN that is typed to unlock; `null`: it can be nobody's. */
export function parsePin(typed: string): Pin | null {
  const pin = typed.normalize('NFC');
  return [...pin].length >= PIN_CHARACTERS_MIN && utf8Length(pin) <= PIN_MAX ? (pin as Pin) : null;
}

/** A device's name; `null`: empty, too long, or with control characters. */
export function parseDeviceName(typed: string): string | null {
  const name = typed.trim();
  return name.length > 0 && utf8Length(name) <= NAME_MAX && !/\p{Cc}/u.test(name) ? name : null;
}

/** Who somebody at a bed says they are; `null`: no name, or one that is too long. */
export function parseVisit(name: string, relation: string): { readonly name: string; readonly relation: string } | null {
  const [named, is] = [parseDeviceName(name), relation.trim() === '' ? '' : parseDeviceName(relation)];
  return named === null || is === null ? null : { name: named, relation: is };
}

const LISTED = new Set(
  ('password passw0rd qwerty qwertz azerty asdfgh zxcvbn letmein iloveyou welcome wardline hospital monkey dragon abc123 ' +
    'admin1 nurse1 159753 147258 147258369').split(' '),
);

/** Repeats of up to three characters, runs up or down, dates of eight digits, keyboard rows and the head of every leaked list. */
function isCommon(pin: string): boolean {
  if (LISTED.has(pin) || LISTED.has(pin.replace(/\p{N}+$/u, ''))) return true;
  const bytes = [...new TextEncoder().encode(pin)];
  const pairs = bytes.slice(1).map((byte, at) => [bytes[at] ?? 0, byte] as const);
  const repeats = [1, 2, 3].some((period) => bytes.every((byte, at) => at < period || byte === bytes[at - period]));
  const areDigits = /^\d+$/.test(pin);
  const follows = (low: number, high: number): boolean => high === low + 1 || (areDigits && low === 0x39 && high === 0x30);
  const isRun = pairs.every(([one, next]) => follows(one, next)) || pairs.every(([one, next]) => follows(next, one));
  return repeats || isRun || isDate(pin);
}

/** DDMMYYYY, MMDDYYYY and YYYYMMDD of the last and this century. Six digits are too few to tell a date by. */
function isDate(pin: string): boolean {
  if (!/^\d{8}$/.test(pin)) return false;
  const number = (from: number, to: number): number => Number(pin.slice(from, to));
  const isDay = (day: number, month: number): boolean => day >= 1 && day <= 31 && month >= 1 && month <= 12;
  const isYear = (year: number): boolean => year >= 1900 && year < 2100;
  const [a, b] = [number(0, 2), number(2, 4)];
  return (
    (isYear(number(4, 8)) && (isDay(a, b) || isDay(b, a))) || (isYear(number(0, 4)) && isDay(number(6, 8), number(4, 6)))
  );
}
