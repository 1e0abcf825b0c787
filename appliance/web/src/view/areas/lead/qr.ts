import encodeQR from 'qr';

/** White around it, in modules, as the standard asks (ISO/IEC 18004, 9.1). */
const QUIET = 4;

/** A text as a QR code: its side in modules, and the dark ones as one path. */
export function squares(text: string): { readonly size: number; readonly path: string } {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET });
  const path = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('');
  return { size: rows.length, path };
}
