import type { healthEn } from './health.en.ts';

/** How the box is, in Spanish. */
export const healthEs: typeof healthEn = {
  title: 'Estado del servidor',
  hint: 'Como el servidor lo dice de sí mismo, ahora. No avisa a nadie: mire aquí una vez al día, y lo que su vigilancia lee de sus cifras.',
  again: 'Mirar otra vez',
  overall: { good: 'Todo está bien.', look: 'Alguien debería mirar algo.', act: 'Algo le necesita ahora.' },
  verdict: { good: 'bien', look: 'mírelo', act: 'actúe ya' },
  names: { disk: 'Espacio en el disco', store: 'El almacén', keys: 'Claves', certificate: 'Certificado', issuer: 'Certificado emisor', root: 'Raíz del centro', clock: 'Reloj' },
  says: {
    disk: {
      good: 'Hay espacio.',
      look: 'Queda libre menos del 15 %. Acorte el tiempo que se guardan mensajes o archivos, o prevea un disco mayor.',
      act: 'Casi lleno: pronto, o ya, no se aceptan mensajes nuevos. Libere espacio en el volumen de estado ahora, o llame a soporte.',
    },
    store: {
      good: 'No se ha encontrado ningún fallo en él.',
      look: 'Vuelva a mirar después de la próxima noche.',
      act: 'La última revisión del almacén entero falló. Conserve la última copia, no cambie nada y llame a soporte.',
    },
    keys: {
      good: 'El guardián responde: ha abierto las claves para este arranque de este servidor.',
      look: 'Vuelva a mirar dentro de un minuto.',
      act: 'El guardián no responde: nadie puede desbloquear ni entrar. Mire wardline-keeper en el servidor y arránquelo de nuevo.',
    },
    certificate: {
      good: 'Se renueva solo cada día.',
      look: 'Ya debería haberse renovado. Mire wardline-keeper en el servidor.',
      act: 'Termina pronto, y después no se conecta ningún dispositivo. Arranque wardline-keeper de nuevo ya; si no ayuda, llame a soporte.',
    },
    issuer: {
      good: 'Renuévelo desde la raíz del centro antes de que termine.',
      look: 'Renuévelo en las próximas semanas: guía de preparación, con la raíz del centro.',
      act: 'Renuévelo ya, o el servidor no podrá renovar su propio certificado.',
    },
    root: {
      good: 'Los dispositivos confían en ella.',
      look: 'Termina en menos de un año. Prevea cómo recibirán los dispositivos la siguiente.',
      act: 'Termina pronto: los dispositivos dejarán de confiar en el servidor. Llame a soporte ya.',
    },
    clock: {
      good: 'Coincide con el de este dispositivo.',
      look: 'Se ajustó en el último día, o difiere del de este dispositivo en más de un minuto. Vea cuál está mal, y el servidor de hora.',
      act: 'Difiere del de este dispositivo en más de cinco minutos. Vea cuál está mal y configure el servidor de hora: los registros llevan la hora del servidor.',
    },
  },
  free: (free, all) => `${free} libres de ${all}`,
  sizes: (store, files, index) => `Mensajes y registros ${store}, archivos ${files}, índice de búsqueda ${index}.`,
  checks: (n) => (n === 0 ? 'Desde el arranque aún no se ha leído entero; se hace una vez cada noche.' : n === 1 ? 'Leído entero una vez desde el arranque, y sano.' : `Leído entero ${n} veces desde el arranque, y sano.`),
  until: (time) => `Hasta ${time}.`,
  from: (time) => `Desde ${time}.`,
  unknown: 'El servidor no sabe cuándo termina.',
  boxTime: (time) => `El servidor tiene ${time}.`,
  stepped: (time, by) => `Se ajustó ${by}, advertido ${time}.`,
  forwards: (seconds) => `${seconds} hacia delante`,
  backwards: (seconds) => `${seconds} hacia atrás`,
  never: 'No se ha ajustado desde el arranque.',
  besides: 'Además',
  version: 'Versión',
  uptime: 'En marcha desde hace',
  connections: 'Conexiones',
  connected: (all, attached) => `${all} abiertas, ${attached} de ellas con sesión`,
  doorways: 'Los dispositivos lo alcanzan en',
  days: (n) => (n === 1 ? '1 día' : `${n} días`),
  hours: (n) => (n === 1 ? '1 hora' : `${n} horas`),
  minutes: (n) => (n === 1 ? '1 minuto' : `${n} minutos`),
};
