import type { weeklyEn } from './weekly.en.ts';

/** Quiet hours of the week and the off-site number, in Spanish. */
export const weeklyEs: typeof weeklyEn = {
  quiet: 'Horas de silencio de la semana',
  quietHint: 'Los mensajes llegan como siempre, sin sonido. Un STAT suena de todos modos.',
  none: 'No hay ninguna.',
  clock: (zone) => `Según el reloj de ${zone}.`,
  everyDay: 'Todos los días',
  stretch: (days, from, to) => `${days}, de ${from} a ${to}`,
  remove: 'Quitar',
  removeWhich: (stretch) => `Quitar ${stretch}`,
  days: '¿Qué días empiezan?',
  from: 'De',
  to: 'A',
  toHint: 'A una hora anterior: del día siguiente.',
  add: 'Añadir estas horas',
  faults: {
    noDay: 'Elija al menos un día.',
    noTime: 'Diga desde cuándo y hasta cuándo.',
    noLength: 'Empiezan y terminan a la misma hora. Elija otro final.',
    twice: 'Estas horas ya están.',
    tooMany: 'Hay siete, y no puede haber más. Quite una antes.',
  },
  number: 'Número fuera del centro',
  numberHint: 'Dónde se le llama mientras ningún teléfono suyo está en el edificio. Quien le envía un STAT lo ve entonces, y cada consulta queda registrada. Déjelo vacío si no hay ninguno.',
  numberFault: 'Cifras y lo que se escribe entre ellas: 32 caracteres como máximo.',
  save: 'Guardar el número',
  saved: 'Guardado.',
  failed: 'Lo que usted dijo no se puede leer ahora.',
  again: 'Intentar otra vez',
};
