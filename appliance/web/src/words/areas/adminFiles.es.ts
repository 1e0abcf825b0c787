import type { adminFilesEn } from './adminFiles.en.ts';

export const adminFilesEs: typeof adminFilesEn = {
  staffTitle: 'Lista de personal de un archivo',
  staffHint: 'Añade personas y dice dónde trabajan. Una lista no quita, renombra ni suspende a nadie.',
  staffFields: { name: 'Nombre', title: 'Profesión', units: 'Unidades', chargeNurse: 'Jefe de enfermería' },
  staffUnitsHint: 'Varias unidades en una celda: sepárelas con punto y coma. En «Jefe de enfermería» escriba sí, o las unidades que dirige.',
  staffAdd: (name) => `Añadir a ${name}`,
  staffPost: (unit) => `trabaja en ${unit}`,
  staffLead: (unit) => `dirige ${unit}`,
  staffAdds: (n) => (n === 1 ? 'Se añade 1 persona.' : `Se añaden ${n} personas.`),
  staffMoves: (n) => (n === 1 ? '1 persona recibe unidades.' : `${n} personas reciben unidades.`),
  staffFaults: {
    noName: () => 'Falta el nombre.',
    badName: (text) => `«${text}» es demasiado largo para un nombre: 64 caracteres como máximo.`,
    badTitle: (text) => `«${text}» es demasiado largo para una profesión: 64 caracteres como máximo.`,
    noSuchUnit: (text) => `No hay ninguna unidad «${text}». Añádala primero o corrija el nombre.`,
    twiceInFile: (text) => `${text} está dos veces en el archivo. Deje una sola fila.`,
    twiceInDirectory: (text) => `Hay varias personas que se llaman ${text}. Cámbielas una por una.`,
    suspended: (text) => `${text} tiene el acceso suspendido. Devuélvaselo primero.`,
    leadsNoUnit: () => 'Dice jefe de enfermería y no nombra ninguna unidad.',
    unclear: (text) => `«${text}» no es ni sí ni no ni una unidad.`,
    agency: (text) => `${text} viene de una agencia. La admite un jefe de enfermería.`,
    tooManyUnits: (text) => `${text} unidades: 16 como máximo.`,
  },
};
