import type { alarmEn } from './alarm.en.ts';

export const alarmEs: typeof alarmEn = {
  from: 'Alarma del servidor',
  over: 'Terminada',
  toHealth: 'Ir a Estado del servidor',
  says: {
    disk: [
      'El disco del servidor se está llenando. Dentro de poco se rechazarán mensajes nuevos. Acorte el tiempo que se guardan mensajes y archivos, borre exportaciones y copias antiguas, o prevea un disco mayor.',
      'El disco del servidor está lleno: se rechazan mensajes nuevos. Haga sitio ahora: borre exportaciones y copias antiguas, acorte el tiempo que se guardan mensajes y archivos, o llame a soporte para un disco mayor.',
    ],
    store: ['La revisión nocturna del almacén encontró daños. Conserve la última copia, no escriba nada encima y llame hoy a soporte.'],
    keeper: [
      'El guardián de las claves no responde. Los mensajes siguen, pero no se pueden comprobar los PIN, y tras un reinicio el servidor no se abriría. No reinicie el servidor. Mire wardline-keeper o llame a soporte.',
    ],
    leaf: [
      'El certificado no se renovó y termina dentro de cinco días. Después no se conecta ningún teléfono. Mire en Estado del servidor si responde el guardián de las claves.',
      'El certificado termina dentro de un día, y después no se conecta ningún teléfono. Mire en Estado del servidor si responde el guardián de las claves y llame ahora a soporte.',
    ],
    name: [
      'El certificado importado termina dentro de 30 días. Haga una nueva solicitud en Certificado.',
      'El certificado importado termina dentro de 14 días. Haga una nueva solicitud en Certificado esta semana.',
      'El certificado importado termina dentro de 3 días. Haga una nueva solicitud en Certificado hoy.',
    ],
    issuer: [
      'El certificado emisor del servidor termina dentro de 90 días. Prevea con los responsables de recuperación cuándo firmarán uno nuevo.',
      'El certificado emisor del servidor termina dentro de 30 días. Reúna a los responsables de recuperación para firmar uno nuevo.',
      'El certificado emisor del servidor termina dentro de 7 días, y después no se conecta ningún teléfono. Los responsables de recuperación firman hoy uno nuevo.',
    ],
    clock: ['El reloj del servidor se cambió en más de dos segundos. Las horas de los mensajes de ese momento pueden ser erróneas. Mire en Estado del servidor en cuánto, y si el servidor de hora es correcto.'],
  },
  isOver: {
    disk: 'El disco del servidor vuelve a tener sitio.',
    store: 'El almacén se leyó entero otra vez y está sano.',
    keeper: 'El guardián de las claves vuelve a responder.',
    leaf: 'El certificado se renovó.',
    name: 'El certificado importado vuelve a valer bastante tiempo.',
    issuer: 'El servidor tiene un nuevo certificado emisor.',
    clock: 'El reloj del servidor lleva una hora sin saltos.',
  },
  told: {
    title: 'A quién se avisa',
    hint: 'Las alarmas del servidor van como mensajes urgentes a quien tiene este puesto: en su teléfono, en las pantallas de la unidad si nadie mira, y a quien atiende el puesto cuando nadie lo tiene.',
    nobody: 'No se avisa a nadie de las alarmas. Elija quién está de guardia de informática.',
    role: (role: string, unit: string) => `${role} · ${unit}`,
    gone: 'El puesto al que se avisaba ya no existe. Elija otro.',
    holders: (names: string) => `Ahora: ${names}`,
    unheld: 'Nadie lo tiene ahora.',
    choose: 'Elegir a quién se avisa',
    nobodyChoice: 'A nadie',
    none: 'Todavía no hay ningún puesto. Cree uno en Puestos, por ejemplo «Informática de guardia», con su turno.',
    roles: 'Ir a los puestos',
    was: (role: string) => `Hasta ahora: ${role}`,
    save: 'Avisarles desde ahora',
    saveNobody: 'No avisar a nadie desde ahora',
    saved: 'Guardado. Lo que va mal ahora se avisa en un minuto.',
    stands: 'Avisadas y sin terminar',
    other: 'Algo para lo que esta versión de la aplicación no tiene palabras. El mensaje al puesto dice qué.',
    since: (at: string) => `Desde ${at}`,
  },
};
