import type { bellEn } from './bell.en.ts';

/** The bell, in Spanish. */
export const bellEs: typeof bellEn = {
  title: 'Avisar a este teléfono con Wardline cerrado',
  hint: 'Con Wardline cerrado, un teléfono no oye nada. Con este interruptor encendido, el servidor lo hace sonar a través del fabricante de su navegador: Google, Apple, Mozilla o Microsoft.',
  sees: 'Ellos ven que este teléfono sonó, cuándo y con la clave de qué servidor. Nunca ven quién escribió, qué ni sobre quién: cada aviso es siempre el mismo texto.',
  own: 'Solo para su propio teléfono, no para uno que pasa de mano en mano.',
  on: 'Encender',
  off: 'Apagar',
  isOn: 'Encendido. Un STAT hace sonar este teléfono, y un mensaje urgente una vez por minuto como máximo.',
  isOff: 'Apagado. Mantenga Wardline abierto para que suene.',
  notHere: 'El timbre del servidor no funciona ahora. Avise a informática. Un teléfono con Wardline cerrado no suena.',
  refusals: {
    BELL_DENIED: 'Este teléfono no deja que Wardline muestre notificaciones. Permítalas en los ajustes del teléfono o del navegador y pruebe otra vez.',
    BELL_FAILED: 'No se pudo preparar el aviso en este navegador. En un iPhone, añada primero Wardline a la pantalla de inicio y ábralo allí; si no, pruebe más tarde.',
    OFFLINE: 'Ahora no se llega al servidor. Pruebe otra vez cuando se pueda.',
  },
  policy: 'Avisar con la aplicación cerrada',
  policyHint: 'Apagado de fábrica. Encendido: cada persona puede hacer que su propio teléfono suene a través del fabricante de su navegador con Wardline cerrado. El servidor llama entonces a Google, Apple, Mozilla y Microsoft, con un único programa suyo, que se cuenta en «Estado del servidor».',
  policyOff: 'Apagado, no suena ya ningún teléfono, y cada persona tiene que encenderlo de nuevo.',
  policyState: { yes: 'Encendido', no: 'Apagado' },
  policyNone: 'El timbre de este servidor no funciona ahora: encendido no hace nada hasta que informática arranque «wardline-bell».',
  saved: 'Guardado.',
  counts: 'Enviado fuera de este servidor',
  countsHint: 'Desde que arrancó el timbre. Este programa es lo único del servidor que llama afuera; cada aviso es siempre el mismo texto.',
  countsOf: (sent, gone, refused, failed) => `${sent} enviados · ${gone} a teléfonos que ya no están · ${refused} rechazados · ${failed} fallidos`,
  countsNone: (other, busy) => `${other} a destinos que el servidor no llama, ${busy} por falta de sitio: sin enviar`,
};
