import type { passkeyEn } from './passkey.en.ts';

/** Passkeys, in Spanish. */
export const passkeyEs: typeof passkeyEn = {
  open: 'Abrir con clave de acceso',
  orPin: 'O escriba su PIN:',
  title: 'Desbloquear con una clave de acceso',
  hint: 'Después del primer PIN de su turno, su huella, su cara o el bloqueo de pantalla abren Wardline en este teléfono. Doce horas después del PIN se pide de nuevo.',
  add: 'Añadir una clave de acceso',
  another: 'Añadir otra',
  added: 'Añadida. La próxima vez que Wardline se bloquee, toque «Abrir con clave de acceso».',
  removed: 'Quitada. Ahora solo su PIN abre Wardline, u otra clave de esta lista.',
  asks: 'Un momento. Su teléfono puede pedir su huella, su cara o el bloqueo de pantalla.',
  of: (day) => `Clave de acceso del ${day}`,
  remove: 'Quitar',
  removeTitle: '¿Quitar esta clave de acceso?',
  removeHint: 'Ya no abrirá nada. Su teléfono puede mostrarla todavía en sus ajustes, donde puede borrarla.',
  refusals: {
    PASSKEY_CANCELLED: 'No se ha hecho nada: se canceló, tardó demasiado o este teléfono no tiene la clave. Inténtelo de nuevo o use su PIN.',
    PASSKEY_FAILED: 'Este teléfono o navegador no ha podido usar una clave de acceso. Active el bloqueo de pantalla en sus ajustes o use su PIN.',
    PASSKEY_THERE: 'Este teléfono ya tiene una clave de acceso para Wardline.',
    OFFLINE: 'Ahora no se puede contactar con el servidor. Una clave de acceso lo necesita, como el PIN.',
    LOCKED: 'El servidor tiene que preguntar de nuevo. Espere un momento e inténtelo otra vez.',
  },
};
