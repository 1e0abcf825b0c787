/**
 * What the app shows beside conversations: beds and who has them, what was looked for, tasks, and when somebody wants to be disturbed.
 * A part of the contract in `../snapshot.ts`, under the same rules: plain values, made anew, nothing of anybody's while the app is not open.
 */

import type { At, Id, Person } from '../snapshot.ts';

/** How far something that is asked for has come. */
export type Asked = 'unasked' | 'asking' | 'there' | 'failed';

export interface BedHolder {
  readonly name: string;
  readonly until: At;
  readonly mine: boolean;
}

export interface BedRow {
  readonly unit: Id;
  readonly bed: string;
  /** Somebody lies there. */
  readonly taken: boolean;
  /** The name or the alias; empty where this person may not see it. */
  readonly name: string;
  readonly flags: readonly ('restricted' | 'onLeave' | 'muted')[];
  /** Of a restricted patient: whom to ask; empty: a charge nurse. */
  readonly ask: string;
  /** The thread, where this person is in it. */
  readonly conversation: Id | null;
  readonly holders: readonly BedHolder[];
  /** This person has the bed, or the whole unit. */
  readonly mine: boolean;
}

/** A unit where this person works, bed by bed in the order in which people count them. */
export interface Ward {
  readonly id: Id;
  readonly name: string;
  readonly state: Asked;
  /** When it was so; 0: never. */
  readonly at: At;
  readonly rows: readonly BedRow[];
  /** Whoever has the whole unit. */
  readonly whole: readonly BedHolder[];
  /** Leads the unit: may see all its patients by name, on record. */
  readonly leads: boolean;
  readonly names: Asked;
}

/** Beds that this person took, with one end. */
export interface Shift {
  readonly id: Id;
  readonly unit: Id;
  readonly unitName: string;
  readonly beds: readonly string[];
  readonly whole: boolean;
  readonly until: At;
}

/** A patient in whose thread this person is, and whose bed they have not. */
export interface TeamPatient {
  readonly conversation: Id;
  readonly name: string;
  readonly bed: string;
  readonly unit: string;
  readonly flags: BedRow['flags'];
}

export interface Hit {
  readonly conversation: Id;
  readonly sequence: number;
  readonly title: string;
  readonly place: string;
  readonly author: string;
  readonly at: At;
  readonly text: string;
}

export interface FoundPatient {
  readonly stay: Id;
  readonly name: string;
  readonly bed: string;
  readonly unit: string;
  readonly recordNumber: string;
  readonly discharged: boolean;
  /** The thread, where this person is in it. */
  readonly conversation: Id | null;
}

export interface Search {
  readonly words: string;
  readonly state: Asked;
  readonly hits: readonly Hit[];
  /** So many messages fit; with `uncounted` there are more. */
  readonly atLeast: number;
  readonly uncounted: boolean;
  /** The box looked through everything. */
  readonly complete: boolean;
  /** More can be asked for. */
  readonly more: boolean;
  readonly people: readonly Person[];
  readonly peopleInAll: number;
  readonly patients: readonly FoundPatient[];
  readonly patientsInAll: number;
}

export interface Task {
  readonly conversation: Id;
  readonly sequence: number;
  readonly title: string;
  readonly place: string;
  /** Of its message; empty: not here. */
  readonly text: string;
  readonly author: string;
  /** Whose it is: a name, or a role's. */
  readonly whose: string;
  /** It is this person's to do. */
  readonly mine: boolean;
  /** This person gave it. */
  readonly gave: boolean;
  /** 0: nobody said. */
  readonly due: At;
  readonly overdue: boolean;
  readonly state: 'open' | 'taken' | 'declined';
  /** Who took or declined it. */
  readonly by: string;
  readonly may: readonly ('take' | 'done' | 'decline' | 'withdraw')[];
}

/** A task that ended while this app looked: no list of the box has it. */
export interface OverTask {
  readonly conversation: Id;
  readonly sequence: number;
  readonly title: string;
  readonly place: string;
  readonly text: string;
  readonly how: 'done' | 'withdrawn';
  /** Empty: the box withdrew it. */
  readonly by: string;
  readonly at: At;
}

export interface Availability {
  /** Does not want to be disturbed until then; 0: may be. */
  readonly until: At;
  /** Who covers; empty: nobody. */
  readonly cover: string;
  readonly covering: readonly { readonly id: Id; readonly name: string; readonly until: At }[];
}

/** The place in the open conversation that was asked for. */
export interface Found {
  readonly sequence: number;
  /** `here`: among the messages; `around`: the messages are those around it, and the newest are not. */
  readonly state: 'here' | 'asking' | 'around' | 'failed';
}

export interface Care {
  readonly wards: readonly Ward[];
  readonly shifts: readonly Shift[];
  readonly team: readonly TeamPatient[];
  readonly search: Search | null;
  readonly tasks: { readonly state: Asked; readonly list: readonly Task[]; /** The newest first. */ readonly over?: readonly OverTask[] };
  readonly availability: Availability;
}

export type CareAct =
  /** How the beds of one's units stand. */
  | { readonly act: 'askWards' }
  /** All patients of a unit by name; recorded. */
  | { readonly act: 'askNames'; readonly unit: Id }
  /** Beds by their names, 64 at most, or all of the unit, for up to 16 hours. */
  | { readonly act: 'takeBeds'; readonly unit: Id; readonly beds: readonly string[] | 'whole'; readonly hours: number }
  | { readonly act: 'endShift'; readonly shift: Id }
  | { readonly act: 'search'; readonly words: string }
  | { readonly act: 'searchMore' }
  | { readonly act: 'forgetSearch' }
  /** Opens a conversation at a message; `leaveFound` goes to the newest. */
  | { readonly act: 'openAt'; readonly conversation: Id; readonly sequence: number }
  | { readonly act: 'leaveFound' }
  | { readonly act: 'askTasks' }
  /** `minutes` from now; 0: whenever. */
  | { readonly act: 'giveTask'; readonly conversation: Id; readonly sequence: number; readonly to: { readonly person: Id } | { readonly role: Id }; readonly minutes: number }
  | { readonly act: 'answerTask'; readonly conversation: Id; readonly sequence: number; readonly answer: 'take' | 'done' | 'decline' | 'withdraw'; readonly reason?: string }
  /** For so many hours, 16 at most; 0: may be disturbed again. */
  | { readonly act: 'undisturbed'; readonly hours: number; readonly cover: Id | null }
  /** As if nothing had ever been said: quiet hours and the number too. */
  | { readonly act: 'clearAvailability' }
  | { readonly act: 'refuseCover'; readonly person: Id };
