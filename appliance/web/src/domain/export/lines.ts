/** Lines of `record.jsonl`, as the terminal program writes and verifies them too. Names of fields stay what they are: a later version adds some. */

import { toHex } from '../bytes.ts';
import type { PersonId, Sequence } from '../ids.ts';
import type { Acts, Note, Order, OrderSaid, Stat, StatAnswer, Task } from './acts.ts';
import type { Notice } from './notices.ts';
import { type Header, type Message, nameIn, type Place, roleIn, time } from './record.ts';

/** What a manifest says that this is. Another number: fields have another meaning. */
export const FORMAT = 'wardline-export/1';

/** Written by a program for programs: its words are the format's. */
const NOBODY = '(visitor)';

export type Line = Readonly<Record<string, unknown>>;

export function headerLine(header: Header): Line {
  const whom = header.person === null ? undefined : header.people.get(header.person);
  const { patient } = header;
  return {
    record: 'header',
    format: FORMAT,
    facility: header.facility,
    facility_sha256: toHex(header.root),
    export: header.export,
    at: time(header.at),
    by: header.by,
    by_name: nameIn(header, header.by, null, NOBODY),
    patient: patient === null ? null : { patient: patient.id, record_number: patient.recordNumber, merged_record_numbers: patient.merged, name: patient.name, birth_date: patient.birthDate, sex: patient.sex },
    person: header.person,
    person_name: header.person === null ? null : nameIn(header, header.person, null, NOBODY),
    person_title: whom?.title ?? null,
  };
}

export function placeLine(header: Header, place: Place, title: string): Line {
  const { stay } = place;
  return {
    record: 'conversation',
    conversation: place.id,
    kind: place.kind,
    title,
    between: place.pair.map((person) => nameIn(header, person, place, NOBODY)),
    patient_number: place.patientNumber,
    only_theirs: place.onlyTheirs,
    stay:
      stay === null
        ? null
        : {
            encounter: stay.id,
            unit: stay.unit,
            unit_name: unitName(header, stay.unit),
            bed: stay.bed,
            attending: stay.attending === null ? null : nameIn(header, stay.attending, place, NOBODY),
            admitted: time(stay.admitted),
            discharged: moment(stay.discharged),
          },
  };
}

/** `files`: where each of its files lies; `null`: not included. */
export function messageLine(header: Header, place: Place, message: Message, files: readonly (string | null)[]): Line {
  const who = naming(header, place);
  return {
    record: 'message',
    conversation: place.id,
    sequence: message.sequence,
    message: message.name,
    at: time(message.at),
    sender: message.sender,
    sender_name: nameIn(header, message.sender, place, NOBODY),
    priority: message.priority,
    text: message.text,
    reply_to: message.replyTo,
    edits: message.edits,
    edited_at: moment(message.editedAt),
    recalled_at: moment(message.recalledAt),
    mentions: message.mentions.map(who),
    reactions: message.reactions.map(({ reaction, people }) => ({ reaction, people: people.map(who) })),
    attachments: message.files.map((file, at) => ({ name: file.name, type: file.type, bytes: file.size, sha256: file.sha256, file: files[at] ?? null })),
  };
}

export function noticeLine(header: Header, place: Place, notice: Notice): Line {
  const name = (person: PersonId | null) => (person === null ? null : nameIn(header, person, place, NOBODY));
  return {
    record: 'notice',
    conversation: place.id,
    number: notice.number,
    after: notice.after,
    at: time(notice.at),
    notice: notice.told,
    reason: notice.reason,
    by: notice.by,
    by_name: name(notice.by),
    person: notice.person,
    person_name: name(notice.person),
    unit: notice.unit,
    unit_name: unitName(header, notice.unit),
    bed: notice.bed,
    until: moment(notice.until),
  };
}

/** In the order in which they are written. */
export function actLines(header: Header, place: Place, sequence: Sequence, acts: Acts): readonly Line[] {
  const who = naming(header, place);
  const lines: Line[] = [];
  if (acts.stat !== null) lines.push(statLine(header, acts.stat, who));
  lines.push(...acts.signed.map((answer) => answerLine(answer, who)));
  if (acts.order !== null) lines.push(orderLine(acts.order, who));
  lines.push(...acts.orderSigned.map((deed) => deedLine(deed, who)));
  if (acts.task !== null) lines.push(taskLine(header, place, acts.task, who));
  return lines.map((line) => ({ ...line, conversation: place.id, sequence }));
}

type Who = (person: PersonId) => { readonly person: PersonId; readonly name: string };

function naming(header: Header, place: Place): Who {
  return (person) => ({ person, name: nameIn(header, person, place, NOBODY) });
}

function orNobody(who: Who, person: PersonId | null): ReturnType<Who> | null {
  return person === null ? null : who(person);
}

function noteFields(note: Note, who: Who): Line {
  return { reached: orNobody(who, note.reached), reached_as: note.as, reached_name: note.name, called: time(note.called), read_back: note.readBack };
}

function statLine(header: Header, stat: Stat, who: Who): Line {
  return {
    record: 'stat',
    stands: stat.stands,
    since: time(stat.since),
    by: orNobody(who, stat.by),
    noted_by: orNobody(who, stat.notedBy),
    note: stat.note === null ? null : noteFields(stat.note, who),
    step: stat.step,
    steps: stat.steps,
    unit: stat.unit,
    unit_name: unitName(header, stat.unit),
    called: stat.called.map(({ person, step, declined }) => ({ ...who(person), step, declined })),
    called_count: stat.calledCount,
  };
}

function answerLine(answer: StatAnswer, who: Who): Line {
  const { said } = answer;
  const note = said.say === 'call_note' ? noteFields(said.note, who) : { reached: null, reached_as: null, reached_name: null, called: null, read_back: null };
  return { record: 'stat_answer', ...signedFields(answer, who), said: said.say, reason: said.say === 'decline' ? said.reason : null, ...note };
}

function deedLine(deed: OrderSaid, who: Who): Line {
  return {
    record: 'order_signed',
    ...signedFields(deed, who),
    said: deed.said,
    of: deed.of,
    read_back: deed.readBack,
    to: orNobody(who, deed.to),
    message: deed.words?.message ?? null,
    text_sha256: deed.words === null || deed.proof === 'hidden' ? null : toHex(deed.words.text),
  };
}

function signedFields(signed: StatAnswer | OrderSaid, who: Who): Line {
  const isThere = signed.proof !== 'hidden';
  return {
    by: who(signed.person),
    device: signed.device,
    at: time(signed.at),
    at_ms: signed.at,
    taken: time(signed.taken),
    device_key: toHex(signed.key),
    signed: isThere ? toHex(signed.bytes) : null,
    signature: isThere ? toHex(signed.signature) : null,
    verified: isThere ? signed.proof === 'right' : null,
    hidden: !isThere,
  };
}

function orderLine(order: Order, who: Who): Line {
  return {
    record: 'order',
    author: who(order.author),
    sort: order.sort,
    of: order.of,
    to: orNobody(who, order.to),
    given: time(order.given),
    stands: order.stands,
    read_by: orNobody(who, order.readBack?.by ?? null),
    read_back: order.readBack?.message ?? null,
    at: order.readBack === null ? null : time(order.at),
    replaced: order.replaced,
    filed: order.filed === null ? null : time(order.filed.at),
    filed_by: orNobody(who, order.filed?.by ?? null),
  };
}

function taskLine(header: Header, place: Place, task: Task, who: Who): Line {
  return {
    record: 'task',
    author: who(task.author),
    for: orNobody(who, task.person),
    for_role: task.role,
    for_role_name: task.role === null ? null : roleIn(header, task.role, place),
    given: time(task.given),
    due: moment(task.due),
    stands: task.stands,
    reason: task.reason,
    by: orNobody(who, task.by),
    // Nobody: the box withdrew it.
    at: task.at === 0n ? null : time(task.at),
    overdue: task.overdue,
  };
}

function moment(at: bigint | null): string | null {
  return at === null ? null : time(at);
}

function unitName(header: Header, unit: string | null): string | null {
  return unit === null ? null : (header.units.get(unit) ?? null);
}

/** One line as JSON: what a device's clock showed is written as the number that it is, however far away. */
export function toJson({ at_ms: at, ...line }: Line): string {
  const json = JSON.stringify(line);
  return typeof at === 'bigint' ? `${json.slice(0, -1)},"at_ms":${at}}` : json;
}
