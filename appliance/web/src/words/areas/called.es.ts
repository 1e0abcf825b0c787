import type { calledEn } from './called.en.ts';

/** Un STAT que llama a quien no está en su conversación, en español. */
export const calledEs: typeof calledEn = {
  title: (unit: string) => (unit === '' ? 'STAT' : `STAT · ${unit}`),
  why: 'Le llama porque nadie antes ha respondido. No está en su conversación: solo lee este mensaje.',
  asking: 'Pidiendo el mensaje…',
  again: 'Pedir otra vez',
  by: (author: string, at: string) => `${author}, ${at}`,
  recalled: 'Quien lo escribió retiró el texto.',
  call: (number: string) => `Número para llamar: ${number}`,
  over: 'Ya no le llama.',
  close: 'Ahora no',
};
