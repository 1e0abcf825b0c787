import type { practiceEn } from './practice.en.ts';

/** The practice shift, in Spanish. */
export const practiceEs: typeof practiceEn = {
  title: 'Turno de práctica',
  mark: 'PRÁCTICA',
  nothing: 'Aquí todas las personas son inventadas. Nada sale de este dispositivo y nada suena.',
  leave: 'Dejar la práctica',
  next: 'Siguiente',
  finish: 'Terminar',
  well: 'Hecho.',
  of: (step, all) => `Paso ${step} de ${all}`,
  steps: {
    read: 'Ha llegado un mensaje de su paciente. Toque «Rosa Práctica» en los mensajes y léalo.',
    stat: 'Un STAT le llama. Uno de verdad suena. Ábralo y toque «Lo tengo»: entonces calla para todos.',
    cannot: 'Otro STAT, y usted está con Rosa. Ábralo, toque «No puedo» y diga por qué: pasa a otros enseguida.',
    beds: 'Empieza su turno. Toque «Pacientes», luego «Tomar camas», elija la cama 12 y tómela: desde ahora le llegan sus mensajes.',
    note: 'El turno acaba pronto. Abra la conversación de Rosa y escriba lo que debe saber el turno siguiente.',
    end: 'Entregue el turno: toque «Pacientes» y luego «Terminar el turno» junto a su cama.',
  },
  after: {
    read: 'Quien lo escribió ve que usted lo ha leído.',
    stat: 'Todos ven que lo tiene usted. Si al final no puede: «Devolver», y vuelve a sonar.',
    cannot: 'Ya no suena para usted y sigue sonando para los demás.',
    beds: 'Rosa está en su lista hasta el final del turno.',
    note: 'Quien tome la cama después lo lee todo, desde el principio.',
    end: 'La cama queda libre, y sus mensajes van a quien la tome después.',
  },
  over: 'Eso ha sido un turno.',
  overHint: 'En la aplicación de verdad, un STAT solo suena mientras Wardline está abierto en la pantalla. Encontrará esta práctica en «Más».',
  made: {
    facility: 'Práctica',
    unit: 'Sala de práctica',
    you: 'Usted',
    yourTitle: 'Enfermería',
    other: 'Robin Ejemplo',
    otherTitle: 'Medicina',
    rosa: 'Rosa Práctica',
    otto: 'Otto Práctica',
    read: 'Rosa ha dormido mal. Pase a verla antes del desayuno, por favor.',
    stat: 'Rosa está pálida y suda. Venga a la cama 12, por favor.',
    cannot: 'Otto se ha caído junto a su cama. ¿Quién puede venir a la cama 14?',
  },
};
