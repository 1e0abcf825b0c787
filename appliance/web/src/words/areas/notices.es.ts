import type { noticesEn, ToldOf } from './notices.en.ts';

const until = (of: ToldOf): string => (of.until === '' ? '' : `, hasta: ${of.until}`);

export const noticesEs: typeof noticesEn = {
  somebody: 'Alguien',
  by: (what, who) => `${what} · por ${who}`,
  answer: 'Responder',
  atBed: 'Junto a la cama. El servidor solo sabe lo que escribieron.',
  told: {
    admitted: ({ unit, bed }) => `Ingreso en ${unit}, cama ${bed}`,
    moved: ({ unit, bed }) => `Traslado a ${unit}, cama ${bed}`,
    leaveBegan: () => 'Fuera por un tiempo. La cama se guarda',
    leaveEnded: () => 'De vuelta',
    discharged: () => 'De alta. La cama está libre',
    closed: () => 'Cerrada. Se puede leer y no admite mensajes nuevos',
    attending: ({ who }) => (who === '' ? 'Ahora no hay médico responsable' : `${who} es ahora responsable del paciente`),
    entered: (of) => `${of.who} entró${until(of)}`,
    left: ({ who }) => `${who} dejó el equipo`,
    hasBed: (of) => `${of.who} tiene la cama${until(of)}`,
    stays: (of) => `${of.who} sigue hasta el final de su turno${of.until === '' ? '' : `: ${of.until}`}`,
    bedUnheld: () => 'Nadie tiene esta cama',
    emergencyBegan: (of) => `${of.who} entró con acceso de emergencia${until(of)}`,
    emergencyEnded: ({ who }) => `Terminó el acceso de emergencia de ${who}`,
    restricted: () => 'Restringido. Solo las personas nombradas ven quién es',
    unrestricted: () => 'Ya no está restringido',
    recordsMerged: () => 'Se unieron dos historias de este paciente',
    recordsUnmerged: () => 'Se separaron historias unidas. Esto trata de una sola de ellas',
    familyConsented: () => 'El paciente deja que su familia escriba',
    familyConsentEnded: () => 'El paciente ya no deja que su familia escriba',
    familyAsked: () => 'Una visita pide entrar desde la cama',
    familyEntered: () => 'Una visita entró en una conversación familiar',
    familyLeft: () => 'Una visita salió de la conversación familiar',
  },
  entered: {
    attending: (of) => `${of.who} entró como responsable del paciente${until(of)}`,
    byHand: (of) => `Se añadió a ${of.who} al equipo${until(of)}`,
    bed: (of) => `${of.who} entró con la cama${until(of)}`,
    emergency: (of) => `${of.who} entró con acceso de emergencia${until(of)}`,
    named: (of) => `${of.who} entró, con permiso para este paciente${until(of)}`,
    merged: (of) => `${of.who} entró: atiende a este paciente con otra historia`,
  },
};
