import type { checkEn } from './check.en.ts';

/** What the page that looks at the connection says, in Spanish. */
export const checkEs: typeof checkEn = {
  verdict: {
    wait: 'Comprobando…',
    works: 'La caja responde. Wardline funciona desde aquí.',
    noNetwork: 'Este dispositivo no está en ninguna red. Encienda el wifi y elija el de la unidad.',
    stranger: 'Responde algo que no es la caja. No escriba aquí ni el PIN ni un código, y avise a informática.',
    pagesOnly: 'Las páginas pasan y los mensajes no: algo en la red corta la conexión que necesitan (WebSocket). Avise a informática.',
    silent: 'La caja no responde desde aquí. Haga las tres comprobaciones.',
  },
  checks: 'Tres comprobaciones a mano',
  wifi: '¿Qué wifi?',
  wifiHow: 'Lo dicen los ajustes del dispositivo. Tiene que ser el de la unidad: ni el de visitas ni los datos móviles. Un dispositivo puede dejar por sí solo un wifi sin internet: elija «mantener la conexión».',
  portal: '¿La red pide antes un clic?',
  portalHow: 'Baje las notificaciones o abra cualquier otra página. Si aparece una página de la red, acéptela allí.',
  names: '¿DNS privado o una VPN?',
  namesHow: 'Desactive ambos en los ajustes del dispositivo. Preguntan fuera del edificio dónde está la caja, y allí nadie lo sabe.',
  namesNot: 'La dirección de aquí es de cifras, así que el DNS privado no es la causa. Una VPN puede serlo: desactívela.',
  apart: 'Si los ordenadores con cable llegan a la caja y ningún teléfono llega, el wifi separa a sus dispositivos de la caja (aislamiento de clientes). Ninguna página puede verlo; informática, sí.',
  looked: 'Lo que ha visto esta página',
  rows: { network: 'Red', page: 'Caja, por HTTPS', socket: 'Caja, por WebSocket', build: 'Esta aplicación', clock: 'Reloj' },
  says: {
    network: { there: 'Este dispositivo está en una red. Una página no puede saber en cuál.', none: 'Este dispositivo dice que no está en ninguna.' },
    page: { wait: 'Preguntando…', answered: 'Responde.', failed: 'Sin respuesta, o con una en la que este dispositivo no confía.', stranger: 'Ha respondido otra cosa.' },
    socket: { wait: 'Preguntando…', answered: 'Se abre.', failed: 'No se abre.', stranger: 'Ha respondido otra cosa.' },
    build: { same: 'La misma que en la caja.', other: 'La caja tiene otra versión. Abra Wardline y elija «Actualizar ahora».', unknown: 'No se sabe mientras la caja no responda.' },
    clock: { right: 'Bien.', unknown: 'No se sabe mientras la caja no responda.' },
  },
  ahead: (by) => `Adelantado ${by} respecto a la caja. Ponga la hora automática.`,
  behind: (by) => `Atrasado ${by} respecto a la caja. Ponga la hora automática.`,
  took: (ms) => `${ms} ms`,
  again: 'Comprobar otra vez',
  address: 'Dirección',
  marks: { ok: 'bien', wait: 'en curso', bad: 'mal', note: 'por corregir', none: 'no se sabe' },
};
