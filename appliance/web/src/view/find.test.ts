import { expect, it } from 'vitest';
import { finder } from './find.ts';

it('finds by parts, whatever the accents', () => {
  expect(finder('oka 4w')('Ben Okafor', '4 West')).toBe(true);
  expect(finder('nunez')('María Núñez')).toBe(true);
  expect(finder('MARÍA')('Maria Diaz')).toBe(true);
  expect(finder('ruiz icu')('Ana Ruiz', '4 West')).toBe(false);
  expect(finder('  ')('anybody')).toBe(true);
});
