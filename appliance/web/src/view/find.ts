/** Finds by parts of words, in any order, whatever the case and the accents: "oka 4w" finds Ben Okafor of 4 West. */
export function finder(typed: string): (...texts: readonly string[]) => boolean {
  const parts = plain(typed).split(' ').filter((part) => part !== '');
  return (...texts) => {
    const all = texts.map(plain);
    // Written together as well: "4w" for "4 West".
    const joined = all.map((text) => text.replaceAll(' ', ''));
    return parts.every((part) => all.some((text, i) => text.includes(part) || (joined[i] ?? '').includes(part)));
  };
}

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/\s+/g, ' ').trim();
}
