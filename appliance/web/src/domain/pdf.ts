/**
 * How large a page of a PDF is drawn. Its size stands in the file, so whoever made the file chose it: what is drawn is bounded by what a
 * phone can hold, whatever stands there.
 */

/** Of a longer one the first are shown: nobody reads more of them on a phone. */
export const PDF_PAGES_MAX = 500;
/** How much larger than the screen is wide. */
export const PDF_ZOOMS = [1, 1.5, 2.2, 3.2, 4.8] as const;
/** The most that is drawn, in pixels: a side, and in all. An older iPhone draws nothing beyond 16 million. */
const SIDE_MAX = 4_096;
const PIXELS_MAX = 6_000_000;
/** A page that is longer than this many times its width is shown narrower. */
const LONGEST = 8;
/** What is a size at all, in points: within what a scale of it can be reckoned. */
const SIDES = { least: 0.001, most: 1e12 };
/** A4 (ISO 216), in points: for a page whose size is none. */
const LETTER = { width: 595, height: 842 };

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface DrawnPage {
  /** From the page's points to what is drawn. */
  readonly scale: number;
  /** Pixels. */
  readonly drawn: Size;
  /** On the screen, in its own measure. */
  readonly shown: Size;
}

/** A page within `room`, as a screen of this `density` shows it, `zoom` times as large. */
export function drawnPage(page: Size, room: number, zoom: number, density: number): DrawnPage {
  const { width, height } = isSize(page) ? page : LETTER;
  const fits = Math.min(room / width, (room * LONGEST) / height);
  const shown = { width: whole(width * fits * zoom), height: whole(height * fits * zoom) };
  const sharp = fits * zoom * density;
  const side = SIDE_MAX / Math.max(width, height);
  const pixels = Math.sqrt(PIXELS_MAX / width / height);
  const scale = Math.min(sharp, side, pixels);
  return { scale, drawn: { width: whole(width * scale), height: whole(height * scale) }, shown };
}

/** The page after or before one, if there is such a page. */
export function pageBeside(page: number, step: 1 | -1, pages: number): number | null {
  const next = page + step;
  return next >= 1 && next <= Math.min(pages, PDF_PAGES_MAX) ? next : null;
}

function isSize({ width, height }: Size): boolean {
  return [width, height].every((side) => side >= SIDES.least && side <= SIDES.most);
}

function whole(side: number): number {
  return Math.max(1, Math.round(side));
}
