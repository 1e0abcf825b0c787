import type { stationEn } from './station.en.ts';

/** What a unit's screen says, in Spanish. */
export const stationEs: typeof stationEn = {
  quiet: 'No suena nada',
  connecting: 'Conectando…',
  watching: (since) => `Con conexión desde las ${since}`,
  off: 'SIN CONEXIÓN',
  offSince: (since) => `Desde las ${since}. Aquí no suena ningún STAT.`,
  offDo: 'Tengan los teléfonos a mano. ¿Está encendida la caja? ¿Está esta pantalla en la red de la unidad? Avise a informática.',
  rings: (n) => (n === 1 ? 'Nadie ha respondido' : `${n} sin respuesta`),
  others: (n) => (n === 1 ? 'Uno más' : `${n} más`),
  coming: 'Alguien va de camino',
  sent: (at) => `enviado a las ${at}`,
  call: 'Llame al',
  answer: 'Responda en Wardline con un teléfono. ¿No tiene? Busque al jefe de enfermería.',
  unsure: 'Sonaba cuando se perdió la conexión. Aquí no se sabe si alguien ha respondido después.',
  noSound: 'Aún no hay sonido.',
  touch: 'Toque una vez para que suene',
  asleep: 'Este dispositivo puede apagar la pantalla. Ajústelo para que quede encendida.',
  down: 'ESTA PANTALLA NO VIGILA',
  downHint: 'Aquí no suena ningún STAT hasta que se vuelva a admitir. Avise a informática.',
  settings: 'Ajustes',
  trySound: 'Probar el sonido',
};
