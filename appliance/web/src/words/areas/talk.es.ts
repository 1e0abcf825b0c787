import type { talkEn } from './talk.en.ts';

/** Lo mismo, en español. */
export const talkEs: typeof talkEn = {
  busy: 'Preguntando al servidor…',
  acts: {
    edit: 'Editar',
    recall: 'Retirar',
  },
  edit: {
    title: 'Editar su mensaje',
    label: 'Lo que debe decir',
    hint: 'Todos ven que se editó. Lo que decía antes desaparece. Puede editar un mensaje durante 15 minutos, diez veces como máximo.',
    save: 'Guardar',
  },
  recall: {
    title: '¿Retirar este mensaje?',
    what: 'Su texto se destruye en el servidor y en todos los dispositivos conectados. En su lugar queda que usted lo retiró.',
    hint: 'Quien lo leyó, lo leyó. Si estaba en la conversación equivocada o era de otro paciente, avíseles.',
    go: 'Retirarlo',
  },
  codes: {
    EDIT_TOO_LATE: 'Un mensaje se puede editar durante 15 minutos, y este es más antiguo. Envíe otro que diga lo correcto.',
    EDITS_SPENT: 'Este mensaje ya se editó diez veces. Envíe otro que diga lo correcto.',
    EDITED_MEANWHILE: 'Lo editó entretanto en otro dispositivo. Cierre esto, mire lo que dice ahora y edítelo otra vez.',
    RECALL_TOO_LATE: 'Un mensaje se puede retirar durante 24 horas, y este es más antiguo. Envíe otro que diga lo correcto.',
    MESSAGE_RECALLED: 'Este mensaje ya se retiró. No queda nada que cambiar.',
    STAT_OPEN: 'Este STAT aún suena. Ciérrelo primero y retírelo después.',
    KEPT_AS_WRITTEN: 'Por ahora los mensajes de aquí deben quedar como están. Envíe otro que diga lo correcto.',
  },
};
