import type { copiedEn } from './copied.en.ts';

export const copiedEs: typeof copiedEn = {
  yours: (device) => `Alguien usó una copia de su dispositivo ${device}. Está fuera.`,
  yoursDo: 'Si solo tiene un teléfono y no perdió ninguno, avise ahora a su jefe de enfermería y a informática: quien hizo la copia tuvo en sus manos ese dispositivo o su ordenador. Para que vuelva, pida un código nuevo.',
  theirs: (who, device) => `Alguien usó una copia de un dispositivo de ${who}: ${device}. Está fuera.`,
  theirsDo: 'Pregúntele en persona quién tuvo el dispositivo, y avise a informática y al responsable de privacidad. Después dele un código para un teléfono nuevo.',
  seen: 'Lo he visto',
};
