import type { listsEn } from './lists.en.ts';

export const listsEs: typeof listsEn = {
  choose: 'Elegir un archivo',
  chooseAnother: 'Elegir otro archivo',
  csv: 'Una tabla como la guardan las hojas de cálculo (CSV). La primera fila nombra las columnas. El archivo no sale de este dispositivo; de la elección de columnas solo se recuerdan sus títulos.',
  fault: {
    empty: 'El archivo está vacío. Guarde la tabla como CSV y elíjala otra vez.',
    noRows: 'El archivo tiene una primera fila y nada debajo. La primera fila nombra las columnas.',
    tooLong: 'El archivo es demasiado largo: 5.000 filas como máximo. Divídalo en dos.',
    quote: (line) => `En la línea ${line} se abren unas comillas que no se cierran. Corríjalo y elija el archivo otra vez.`,
  },
  columns: '¿Qué es cada columna?',
  noColumn: 'no está en el archivo',
  columnMissing: (field) => `Diga qué columna es «${field}».`,
  whatChanges: 'Lo que cambiaría',
  changesNothing: 'Nada: todo lo que dice el archivo ya es así.',
  unchanged: (n) => (n === 1 ? '1 fila ya es así.' : `${n} filas ya son así.`),
  errors: (n) => (n === 1 ? '1 fila no se puede aplicar' : `${n} filas no se pueden aplicar`),
  errorsHint: 'Estas filas se omiten. Corríjalas en el archivo y elíjalo otra vez: lo ya aplicado no se aplica dos veces.',
  line: (n) => `Línea ${n}`,
  more: (n) => `y ${n} más`,
  apply: (n) => (n === 1 ? 'Aplicar 1 cambio' : `Aplicar ${n} cambios`),
  goOn: (n) => (n === 1 ? 'Seguir: queda 1 cambio' : `Seguir: quedan ${n} cambios`),
  progress: (done, of) => `${done} de ${of} aplicados`,
  applied: (n) => (n === 1 ? 'Se aplicó 1 cambio.' : `Se aplicaron ${n} cambios.`),
  stopped: 'Se detuvo aquí. Lo aplicado queda aplicado y no se repite cuando siga.',
};
