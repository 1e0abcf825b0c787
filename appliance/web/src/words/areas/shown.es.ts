import type { codeShownEn } from './shown.en.ts';

export const codeShownEs: typeof codeShownEn = {
  picture: 'El código como imagen, para escanear',
  typed: 'O escríbalo:',
  until: (time) => `Vale hasta ${time}.`,
};
