import type { scanEn } from './scan.en.ts';

export const scanEs: typeof scanEn = {
  title: 'Escanear el código',
  hint: 'Ponga la imagen del código delante de la cámara.',
  view: 'Lo que ve la cámara',
  starting: 'Iniciando la cámara…',
  denied: 'Aquí no se puede usar la cámara. Permítala para esta página en el navegador, o escriba el código.',
  other: 'Esta imagen no contiene ningún código de Wardline.',
  elsewhere: 'Este código es del servidor de otro centro. Abra la dirección de ese servidor, o pida un código de este.',
  type: 'Escribir el código',
};
