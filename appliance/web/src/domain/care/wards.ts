/** Beds of the units where the person works, and which of them are theirs (README.md, section 7a). */

import type { Bed, BedPage, Holder, ListedPatient, PatientPage } from '../../gen/wardline_pb.js';
import type { Book } from '../book.ts';
import type { Conversation } from '../conversation.ts';
import type { Ask } from '../frames.ts';
import { type ConversationId, idOf, momentOf, parseId, type PersonId, type ShiftId, type StayId, type UnitId, wireId } from '../ids.ts';
import type { KnownPatient, KnownStay } from '../known.ts';
import type { Id } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';
import { readId, readPatient, readStay } from '../wire.ts';
import { BEDS_OF_SHIFT_MAX } from './beds.ts';
import type { CareLink } from './care.ts';
import type { Asked, BedHolder, BedRow, Shift, TeamPatient, Ward } from './contract.ts';

/** Beds of a unit; those beyond are not listed. 16 units with 1,000 beds of 400 bytes are 6 MB. */
const BEDS_MAX = 1_000;
/** Units of one person, as the protocol bounds posts. */
const WARDS_MAX = 16;
/** Holders of a bed that are kept; a unit has 300 assignments at most. */
const HOLDERS_MAX = 50;
const HOURS_MAX = 16;

interface KnownHolder {
  readonly shift: ShiftId;
  readonly person: PersonId;
  readonly until: number;
}

interface KnownBed {
  readonly bed: string;
  readonly stay: StayId | null;
  readonly holders: readonly KnownHolder[];
  readonly alias: string;
  readonly ask: PersonId | null;
}

interface Named {
  readonly patient: KnownPatient;
  readonly stay: KnownStay;
}

class List {
  state: Asked = 'unasked';
  at = 0;
  beds: readonly KnownBed[] = [];
  whole: readonly KnownHolder[] = [];
  /** Pages that have come of the list that is under way. */
  coming: KnownBed[] = [];
  names: Asked = 'unasked';
  named = new Map<StayId, Named>();
}

export class Wards {
  readonly #book: Book;
  readonly #link: CareLink;
  readonly #lists = new Map<UnitId, List>();
  revision = 0;

  constructor(book: Book, link: CareLink) {
    this.#book = book;
    this.#link = link;
  }

  ask(me: PersonId): void {
    for (const { unit } of this.#posts(me)) this.#askBeds(unit, '');
  }

  askNames(id: Id): void {
    const unit = parseId<UnitId>(id);
    if (unit === null || this.#list(unit).names === 'asking') return;
    this.#list(unit).named.clear();
    this.#askPatients(unit, '');
  }

  /** `boxWall`: the box's clock. */
  take(id: Id, beds: readonly string[] | 'whole', hours: number, boxWall: number): void {
    const unit = parseId<UnitId>(id);
    const isWhole = beds === 'whole';
    if (unit === null || !(hours > 0 && hours <= HOURS_MAX)) return;
    if (!isWhole && (beds.length === 0 || beds.length > BEDS_OF_SHIFT_MAX)) return;
    // A second less than the most, which a clock that goes by must not make too far.
    const until = BigInt(Math.floor(boxWall) + Math.min(hours * 3_600_000, HOURS_MAX * 3_600_000 - 1_000));
    this.#link.ask({ call: 'care', of: 'shift', unit }, { case: 'takeAssignment', value: { unit: wireId(unit), beds: isWhole ? [] : [...beds], wholeUnit: isWhole, until } });
  }

  end(id: Id, me: PersonId): void {
    const shift = parseId<ShiftId>(id);
    const unit = this.#shifts(me).find((one) => one.id === shift)?.unit;
    if (shift === null || unit === undefined) return;
    this.#link.ask({ call: 'care', of: 'shift', unit: unit as UnitId }, { case: 'endAssignment', value: { assignment: wireId(shift) } });
  }

  /** Beds were taken, or a shift has ended. */
  changed(unit: UnitId): void {
    this.#askBeds(unit, '');
  }

  /** Throws a `WireFault`. */
  beds(unit: UnitId, page: BedPage, wall: number): void {
    const list = this.#list(unit);
    list.coming.push(...page.beds.map(readBed).slice(0, BEDS_MAX - list.coming.length));
    const last = list.coming.at(-1);
    if (!page.end && page.beds.length > 0 && last !== undefined && list.coming.length < BEDS_MAX) return this.#askBeds(unit, last.bed);
    list.beds = list.coming;
    list.whole = readHolders(page.whole);
    list.coming = [];
    list.state = 'there';
    list.at = wall;
    this.revision += 1;
  }

  /** Throws a `WireFault`. */
  patients(unit: UnitId, page: PatientPage): void {
    const list = this.#list(unit);
    const named = page.patients.map(readListed).filter((one) => one !== null);
    for (const one of named) if (one.stay.id !== null && list.named.size < BEDS_MAX) list.named.set(one.stay.id, one);
    const last = named.at(-1);
    if (!page.end && last !== undefined && list.named.size < BEDS_MAX) return this.#askPatients(unit, last.stay.bed);
    list.names = 'there';
    this.revision += 1;
  }

  failed(unit: UnitId, what: 'beds' | 'patients'): void {
    const list = this.#list(unit);
    if (what === 'beds') {
      list.state = 'failed';
      list.coming = [];
    } else list.names = 'failed';
    this.revision += 1;
  }

  shown(me: PersonId): { readonly wards: readonly Ward[]; readonly shifts: readonly Shift[]; readonly team: readonly TeamPatient[] } {
    const threads = this.#threads(me);
    const wards = this.#posts(me).map(({ unit, chargeNurse }) => this.#ward(unit, chargeNurse, threads, me));
    const held = new Set(wards.flatMap((ward) => ward.rows.flatMap((row) => (row.mine && row.conversation !== null ? [row.conversation] : []))));
    const team = [...threads.values()]
      .filter(({ id, known }) => !held.has(id) && known.stay?.state !== 'discharged')
      .map(({ id, known: { patient, stay } }) => ({
        conversation: id,
        name: patient?.particulars?.name ?? patient?.alias ?? '',
        bed: stay?.bed ?? '',
        unit: stay?.unit == null ? '' : (this.#book.units.get(stay.unit)?.name ?? ''),
        flags: flagsOf(patient, stay),
      }));
    team.sort((one, other) => (one.unit < other.unit ? -1 : one.unit > other.unit ? 1 : one.bed < other.bed ? -1 : 1));
    return { wards, shifts: this.#shifts(me), team };
  }

  #ward(unit: UnitId, leads: boolean, threads: ReadonlyMap<StayId, Conversation>, me: PersonId): Ward {
    const list = this.#lists.get(unit) ?? new List();
    const whole = list.whole.map((holder) => this.#holder(holder, me));
    const hasAll = whole.some((holder) => holder.mine);
    return {
      id: unit,
      name: this.#book.units.get(unit)?.name ?? '',
      state: list.state,
      at: list.at,
      rows: list.beds.map((bed) => this.#row(unit, list, bed, threads, me, hasAll)),
      whole,
      leads,
      names: list.names,
    };
  }

  #row(unit: UnitId, list: List, { bed, stay, holders, alias, ask }: KnownBed, threads: ReadonlyMap<StayId, Conversation>, me: PersonId, hasAll: boolean): BedRow {
    const thread = stay === null ? undefined : threads.get(stay);
    const named = stay === null ? undefined : list.named.get(stay);
    const patient = thread?.known.patient ?? named?.patient ?? null;
    const flags = flagsOf(patient, thread?.known.stay ?? named?.stay ?? null);
    return {
      unit,
      bed,
      taken: stay !== null,
      name: patient?.particulars?.name ?? (patient?.alias || alias),
      flags: alias !== '' && !flags.includes('restricted') ? ['restricted', ...flags] : flags,
      ask: ask === null ? '' : this.#book.nameOf(ask, null),
      conversation: thread?.id ?? null,
      holders: holders.map((holder) => this.#holder(holder, me)),
      mine: hasAll || holders.some((holder) => holder.person === me),
    };
  }

  #shifts(me: PersonId): readonly Shift[] {
    const shifts = new Map<ShiftId, { readonly beds: string[]; readonly unit: UnitId; readonly whole: boolean; readonly until: number }>();
    for (const [unit, list] of this.#lists) {
      for (const { shift, person, until } of list.whole) if (person === me) shifts.set(shift, { beds: [], unit, whole: true, until });
      for (const { bed, holders } of list.beds) {
        for (const { shift, person, until } of holders) {
          if (person !== me) continue;
          const known = shifts.get(shift) ?? { beds: [], unit, whole: false, until };
          known.beds.push(bed);
          shifts.set(shift, known);
        }
      }
    }
    return [...shifts].map(([id, { unit, ...shift }]) => ({ id, unit, unitName: this.#book.units.get(unit)?.name ?? '', ...shift }));
  }

  /** Threads of patients in which this person is, by stay. */
  #threads(me: PersonId): ReadonlyMap<StayId, Conversation> {
    const threads = new Map<StayId, Conversation>();
    for (const conversation of this.#book.conversations.values()) {
      const { kind, stay, purged } = conversation.known;
      if (kind === 'patient' && !purged && stay?.id != null && conversation.members.has(me)) threads.set(stay.id, conversation);
    }
    return threads;
  }

  #holder({ person, until }: KnownHolder, me: PersonId): BedHolder {
    return { name: this.#book.nameOf(person, null), until, mine: person === me };
  }

  #posts(me: PersonId): readonly { readonly unit: UnitId; readonly chargeNurse: boolean }[] {
    return (this.#book.people.get(me)?.posts ?? []).slice(0, WARDS_MAX);
  }

  #list(unit: UnitId): List {
    const list = this.#lists.get(unit) ?? new List();
    this.#lists.set(unit, list);
    return list;
  }

  #askBeds(unit: UnitId, after: string): void {
    const list = this.#list(unit);
    if (after === '' && list.state === 'asking') return;
    if (after === '') list.coming = [];
    this.#asked(unit, 'beds', { case: 'listBeds', value: { unit: wireId(unit), after } });
  }

  #askPatients(unit: UnitId, after: string): void {
    this.#asked(unit, 'patients', { case: 'listPatients', value: { unit: wireId(unit), after } });
  }

  #asked(unit: UnitId, what: 'beds' | 'patients', body: Ask): void {
    const list = this.#list(unit);
    const state = this.#link.ask({ call: 'look', at: what, unit }, body) ? 'asking' : 'failed';
    if (what === 'beds') list.state = state;
    else list.names = state;
    this.revision += 1;
  }
}

export function flagsOf(patient: KnownPatient | null, stay: KnownStay | null): BedRow['flags'] {
  return [
    ...(patient !== null && patient.alias !== '' ? (['restricted'] as const) : []),
    ...(stay?.state === 'onLeave' ? (['onLeave'] as const) : []),
    ...(stay?.muted === true ? (['muted'] as const) : []),
  ];
}

/** `null` where it names no patient. Throws a `WireFault`. */
export function readListed({ patient, encounter }: ListedPatient): (Named & { readonly conversation: ConversationId | null }) | null {
  if (patient === undefined || encounter === undefined) return null;
  return { patient: readPatient(patient), stay: readStay(encounter), conversation: idOf<ConversationId>(encounter.conversation) };
}

function readBed(wire: Bed): KnownBed {
  return { bed: cleanLine(wire.bed), stay: idOf<StayId>(wire.encounter), holders: readHolders(wire.holders), alias: cleanLine(wire.alias), ask: idOf<PersonId>(wire.ask) };
}

function readHolders(wire: readonly Holder[]): readonly KnownHolder[] {
  return wire.slice(0, HOLDERS_MAX).map((one) => ({ shift: readId<ShiftId>(one.assignment), person: readId<PersonId>(one.person), until: momentOf(one.until) }));
}
