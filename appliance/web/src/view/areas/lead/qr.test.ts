import decode from 'qr/decode.js';
import { describe, expect, it } from 'vitest';
import { squares } from './qr.ts';

/** The path drawn in black on white, each module of four pixels. */
function drawn({ size, path }: ReturnType<typeof squares>) {
  const side = size * 4;
  const data = new Uint8ClampedArray(side * side * 4).fill(255);
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let at = 0; at < 16; at += 1) data.fill(0, ((Number(y) * 4 + (at >> 2)) * side + Number(x) * 4 + (at & 3)) * 4, ((Number(y) * 4 + (at >> 2)) * side + Number(x) * 4 + (at & 3)) * 4 + 3);
  }
  return { width: side, height: side, data };
}

describe('a code as a picture', () => {
  it('is read again by the decoder that the app scans with', () => {
    for (const text of ['https://box.lindenhof.example:21345/#visit?code=K7QX2M4WPD', `https://${'x'.repeat(180)}.example/#join?code=K7QX2M4WPD`]) {
      expect(decode(drawn(squares(text)))).toBe(text);
    }
  });
  it('has white around it', () => {
    expect(squares('x').path).not.toMatch(/M[0-3] |M\d+ [0-3]h/);
  });
});
