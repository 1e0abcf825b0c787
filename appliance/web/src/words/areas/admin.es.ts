import type { adminEn } from './admin.en.ts';

export const adminEs: typeof adminEn = {
  menuLabel: 'Páginas de administración',
  menu: { people: 'Personas' },
  menuHints: { people: 'Añadir e invitar, unidades, dispositivos, suspender, una lista de un archivo' },
  profile: '¿Qué tamaño tiene su centro?',
  profiles: { small: 'Pequeño', standard: 'Normal' },
  profileHint: '«Pequeño» omite páginas que un centro pequeño rara vez necesita. No desactiva nada y vale solo para este dispositivo.',
  asking: 'Preguntando al servidor…',
  zone: 'El servidor solo lo acepta desde la red de administración y de un administrador. Conecte este ordenador a esa red e inténtelo otra vez. Informática sabe cuál es; en el propio servidor, «wardline admin --socket» hace lo mismo.',
};
