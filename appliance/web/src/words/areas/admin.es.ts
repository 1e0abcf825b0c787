import type { adminEn } from './admin.en.ts';

export const adminEs: typeof adminEn = {
  menuLabel: 'Páginas de administración',
  menu: { firstSteps: 'Primeros pasos', policies: 'Normas', people: 'Personas', units: 'Unidades y pantallas', roles: 'Puestos y cuadrantes', escalation: 'Escalado', channels: 'Canales', health: 'Estado del servidor', certificate: 'Certificado' },
  menuHints: {
    firstSteps: 'De un servidor vacío a una planta que funciona',
    policies: 'Cuánto se guardan los mensajes, archivos, anuncios',
    people: 'Añadir e invitar, unidades, dispositivos, suspender, una lista de un archivo',
    units: 'Plantas y alas, y las pantallas que suenan para ellas',
    roles: 'Quién está de guardia y cuándo',
    channels: 'De cada unidad, por título: abrir, renombrar, archivar',
    health: 'Disco, claves, certificados, reloj: lo que le necesita',
    certificate: 'El nombre que la gente escribe, conocido por todos los teléfonos',
    escalation: 'Lo que hace un STAT hasta que alguien responde, y cómo fue',
  },
  profile: '¿Qué tamaño tiene su centro?',
  profiles: { small: 'Pequeño', standard: 'Normal' },
  profileHint: '«Pequeño» omite páginas que un centro pequeño rara vez necesita. No desactiva nada y vale solo para este dispositivo.',
  asking: 'Preguntando al servidor…',
  zone: 'El servidor solo lo acepta desde la red de administración y de un administrador. Conecte este ordenador a esa red e inténtelo otra vez. Informática sabe cuál es; en el propio servidor, «wardline admin --socket» hace lo mismo.',
  stepsHint: 'Hágalos uno tras otro. Puede parar después de cualquiera y volver: lo hecho, hecho queda.',
  stepsAll: 'Todo está hecho. Su centro puede trabajar.',
  stepStates: { done: 'hecho', standard: 'rige el estándar', open: 'pendiente' },
  stepGo: 'Abrir',
  steps: { unit: 'Nombrar la primera unidad', people: 'Añadir personas', role: 'Añadir un puesto', station: 'Añadir una pantalla de control', escalation: 'Decir cómo sigue un STAT' },
  stepHints: {
    unit: 'Una planta o un ala. Sus camas no necesitan lista: existen en cuanto alguien las toma para su turno.',
    people: 'Una por una o de un archivo. Diga dónde trabajan, nombre a un jefe de enfermería y dé un código a cada una.',
    role: 'Aquello para lo que alguien está de guardia, «Médico de guardia», y su cuadrante.',
    station: 'Una pantalla en el mostrador suena cuando nadie más ha respondido.',
    escalation: 'Para quién suena cuando los primeros no responden. Verá a quién llega antes de que valga.',
  },
};
