import type { passTaskEn } from './passTask.en.ts';

export const passTaskEs: typeof passTaskEn = {
  task: 'Tarea',
  pass: 'Pasarla',
  title: '¿Quién la hace ahora?',
  hint: 'Es suya desde ahora, con la hora que se dijo. Tiene que estar en la conversación.',
  label: 'Para quién',
  search: 'Buscar personas',
  nobody: 'No se encontró a nadie.',
  more: (n) => `${n} más: búsquelas.`,
  go: 'Dársela',
  pick: 'Elija a alguien.',
  refusals: {
    TASK_NOT_READER: 'No puede leer el mensaje. Elija a alguien de la conversación.',
    NOT_PERMITTED: 'No puede leer el mensaje, o no le toca a usted pasarla.',
  },
};
