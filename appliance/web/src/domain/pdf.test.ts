import { describe, expect, test } from 'vitest';

import { drawnPage, PDF_PAGES_MAX, PDF_ZOOMS, pageBeside } from './pdf.ts';

const A4 = { width: 595, height: 842 };

describe('a page is drawn', () => {
  test('as wide as the screen, sharp', () => {
    expect(drawnPage(A4, 390, 1, 3)).toEqual({ scale: (390 / 595) * 3, drawn: { width: 1170, height: 1656 }, shown: { width: 390, height: 552 } });
  });

  test('larger, and no sharper than can be held', () => {
    const { drawn, shown } = drawnPage(A4, 390, 4.8, 3);
    expect(shown).toEqual({ width: 1872, height: 2649 });
    expect(drawn.width * drawn.height).toBeLessThanOrEqual(6_010_000);
    expect(drawn.width / drawn.height).toBeCloseTo(595 / 842, 2);
  });

  const SIZES = [1e-9, 1, 595, 14_400, 1e9, 1e300, 0, -1, Number.NaN, Infinity];
  test.each(SIZES.flatMap((width) => SIZES.map((height) => [width, height] as const)))('within bounds, of %d by %d points', (width, height) => {
    for (const zoom of PDF_ZOOMS) {
      for (const room of [1, 320, 1280]) {
        const { scale, drawn, shown } = drawnPage({ width, height }, room, zoom, 3);
        expect(scale).toBeGreaterThan(0);
        expect(Number.isFinite(scale)).toBe(true);
        for (const side of [drawn.width, drawn.height]) {
          expect(Number.isInteger(side) && side >= 1 && side <= 4_096, `${side}`).toBe(true);
        }
        expect(drawn.width * drawn.height).toBeLessThanOrEqual(6_010_000);
        expect(shown.width).toBeLessThanOrEqual(Math.max(1, Math.round(room * zoom)));
        expect(shown.height).toBeLessThanOrEqual(Math.max(1, Math.round(room * zoom * 8)));
      }
    }
  });
});

test('nothing is before the first page or behind the last that is shown', () => {
  expect(pageBeside(1, -1, 7)).toBeNull();
  expect(pageBeside(1, 1, 7)).toBe(2);
  expect(pageBeside(7, 1, 7)).toBeNull();
  expect(pageBeside(2, -1, 7)).toBe(1);
  expect(pageBeside(1, 1, 0)).toBeNull();
  expect(pageBeside(PDF_PAGES_MAX, 1, 100_000)).toBeNull();
});
