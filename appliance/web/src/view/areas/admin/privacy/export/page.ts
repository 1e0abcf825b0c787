/**
 * The page of an exported record to read and to print: one file, no scripts, nothing fetched from anywhere, light or dark as the reader's
 * system is. Everything that somebody wrote is hostile: it goes in as text, with what turns the reading direction shown as `�`.
 */

import type { Acts } from '../../../../../domain/export/acts.ts';
import type { Notice } from '../../../../../domain/export/notices.ts';
import { type Header, type Message, nameIn, type Place, time } from '../../../../../domain/export/record.ts';
import type { Count, PageWriter } from '../../../../../domain/export/writing.ts';
import type { exportPageEn } from '../../../../../words/areas/exportPage.en.ts';
import { became } from './became.ts';

export type PageWords = typeof exportPageEn;

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --soft: #57606a; --line: #d0d7de; --loud: #a40e26; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa4af; --line: #3d444d; --loud: #ff9492; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 52rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; border-top: 1px solid var(--line); padding-top: 1.25rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; } dt, .soft, time { color: var(--soft); } dd { margin: 0; }
article { margin: .9rem 0; break-inside: avoid; } article p { margin: .1rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.notice { margin: .5rem 0; color: var(--soft); font-style: italic; } .loud { color: var(--loud); font-weight: 600; }
ul { margin: .2rem 0 0; padding-left: 1.2rem; }
@media print {
  :root { --ink: #000; --paper: #fff; --soft: #444; --line: #888; --loud: #000; color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 10pt; } a { color: inherit; }
}
`;
const ESCAPED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
/** What turns the reading direction, and what is no character of a text. */
const HOSTILE = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\u2028\u2029]|(?![\n\t])\p{Cc}/gu;

/** As text of a page, or in the quotes of an attribute. */
export function plain(text: string): string {
  return text.replaceAll(HOSTILE, '\ufffd').replace(/[&<>"']/g, (character) => ESCAPED[character] ?? '');
}

/** "2026-11-27 02:14:09 UTC". */
export function shown(at: bigint): string {
  const moment = time(at);
  return `<time datetime="${moment}">${moment.slice(0, 19).replace('T', ' ')} UTC</time>`;
}

function rows(list: readonly (readonly [what: string, is: string])[]): string {
  const lines = list.filter(([, is]) => is !== '').map(([what, is]) => `<dt>${plain(what)}</dt><dd>${is}</dd>\n`);
  return `<dl>\n${lines.join('')}</dl>\n`;
}

/** In the language of whoever exports. */
export function recordPage(words: PageWords): PageWriter {
  const named = (header: Header, place: Place | null) => (person: Message['sender']) => plain(nameIn(header, person, place, words.visitor));
  const unitOf = (header: Header, unit: string | null) => (unit === null ? '' : (header.units.get(unit) ?? ''));

  function begins(header: Header): string {
    const { patient, person } = header;
    const name = named(header, null);
    const whose = patient !== null ? plain(patient.name) : person === null ? '' : name(person);
    const list =
      patient !== null
        ? ([
            [words.about.recordNumber, plain(patient.recordNumber)],
            [words.about.merged, plain(patient.merged.join(', '))],
            [words.about.born, plain(patient.birthDate)],
            [words.about.sex, words.sexes[patient.sex]],
          ] as const)
        : ([
            [words.about.title, plain(header.people.get(person ?? '')?.title ?? '')],
            [words.about.identifier, person ?? ''],
          ] as const);
    const how = [
      [words.about.facility, plain(header.facility)],
      [words.about.exported, shown(header.at)],
      [words.about.by, name(header.by)],
      [words.about.export, header.export],
    ] as const;
    const title = words.recordOf(whose);
    return (
      `<!DOCTYPE html>\n<html lang="${words.lang}">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n` +
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">\n<meta name="referrer" content="no-referrer">\n` +
      `<title>${title}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<h1>${title}</h1>\n${rows([...list, ...how])}` +
      `<p class="soft">${patient !== null ? words.notePatient : words.notePerson}</p>\n`
    );
  }

  function called(header: Header, place: Place, title: string): string {
    const { patientNumber, kind } = place;
    if (patientNumber !== null) return words.numbered[kind === 'family' ? 'family' : 'patient'](patientNumber);
    if (kind === 'patient') return words.patientThread;
    if (kind === 'family') return title === '' ? words.ownThread : words.familyThread(title);
    if (kind === 'direct') return place.pair.map((person) => nameIn(header, person, place, words.visitor)).join(` ${words.and} `);
    return title === '' ? words.kinds[kind] : title;
  }

  function placed(header: Header, place: Place, title: string): string {
    const { stay } = place;
    const list: [string, string][] = [[words.about.conversation, `${place.id} (${words.kinds[place.kind]})`]];
    if (stay !== null) {
      list.push([words.about.bed, plain(`${unitOf(header, stay.unit)}, ${stay.bed}`)], [words.about.admitted, shown(stay.admitted)]);
      if (stay.discharged !== null) list.push([words.about.discharged, shown(stay.discharged)]);
      if (stay.attending !== null) list.push([words.about.attending, named(header, place)(stay.attending)]);
    }
    if (place.onlyTheirs) list.push([words.about.contains, words.onlyTheirs]);
    return `<section>\n<h2>${plain(called(header, place, title))}</h2>\n${rows(list)}`;
  }

  function message(header: Header, place: Place, one: Message, files: readonly (string | null)[], acts: Acts | null): string {
    const name = named(header, place);
    const marks: string[] = [];
    if (one.priority !== 'routine') marks.push(`<span class="loud">${words.priorities[one.priority]}</span>`);
    if (one.replyTo !== null) marks.push(`<span class="soft">${words.answers(one.replyTo)}</span>`);
    if (one.editedAt !== null) marks.push(`<span class="soft">${words.edited(shown(one.editedAt))}</span>`);
    const body = one.recalledAt !== null ? `<p class="soft">${words.recalled(shown(one.recalledAt))}</p>` : `<p dir="auto">${plain(one.text)}</p>`;
    const attached = one.files.map((file, at) => {
      const [said, path] = [words.file(plain(file.name), file.type ?? words.kinds.other, String(file.size)), files[at] ?? null];
      return path === null ? `<li>${said} <span class="soft">${words.notIncluded}</span></li>` : `<li><a href="${plain(path)}">${said}</a></li>`;
    });
    const reactions = one.reactions.map(({ reaction, people }) => `<div class="soft">${words.reactions[reaction as keyof PageWords['reactions']]}: ${people.map(name).join(', ')}</div>`);
    const lines = acts === null ? [] : became(header, place, acts, words, name).map((line) => `<div>${line}</div>`);
    const list = attached.length === 0 ? '' : `<ul>${attached.join('')}</ul>`;
    return `<article><span class="soft">#${one.sequence}</span> ${shown(one.at)} <strong>${name(one.sender)}</strong>${marks.map((mark) => ` ${mark}`).join('')}${body}${list}${reactions.join('')}${lines.join('')}</article>\n`;
  }

  function notice(header: Header, place: Place, told: Notice): string {
    const name = (person: Message['sender']) => nameIn(header, person, place, words.visitor);
    const where = told.unit === null ? '' : `${unitOf(header, told.unit)}, ${told.bed ?? ''}`;
    const why = told.reason === null ? '' : words.reasons[told.reason];
    let what = words.told[told.told](told.person === null ? '' : name(told.person), where, why);
    if (told.until !== null) what = words.until(what, time(told.until).slice(0, 16).replace('T', ' '));
    // Who did it is said where it was not whoever it is about.
    if (told.by !== null && told.by !== told.person) what = words.byWhom(what, name(told.by));
    return `<div class="notice">${shown(told.at)} ${plain(what)}</div>\n`;
  }

  function ends(count: Count): string {
    const list = (Object.keys(words.counts) as (keyof PageWords['counts'])[]).map((what) => [words.counts[what], String(count[what])] as const);
    return `<footer><h2>${words.end}</h2>\n${rows(list)}</footer>\n</body>\n</html>\n`;
  }

  return { begins, place: placed, message, notice, placeEnds: () => '</section>\n', ends };
}
