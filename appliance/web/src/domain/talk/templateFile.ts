/** Files of templates and quick replies, as the terminal client reads and writes them too (docs/guides/templates.md), and what one would change. */

import { utf8Length } from '../bytes.ts';
import type { Ask } from '../frames.ts';
import { parseId, type UnitId, wireId } from '../ids.ts';
import type { Id } from '../snapshot.ts';
import { FIELDS_MAX, REPLIES_MAX, type Template, type TemplateField, type Templates, TEMPLATES_MAX } from './templates.ts';

const NAME_MAX = 64;
const HINT_MAX = 80;
const REPLY_MAX = 200;
const WORDS_MAX = 12 * 1024;
/** Larger than any file that the box takes. */
export const FILE_MAX = 64 * 1024;

/** Why a line cannot be. */
export type LineFault = 'empty' | 'word' | 'noTemplate' | 'noField' | 'words' | 'templateTwice' | 'fieldTwice' | 'fields' | 'replies' | 'templates' | 'size';

export interface Misread {
  /** From 1. */
  readonly line: number;
  readonly fault: LineFault;
  /** The word or name that it is about. */
  readonly text: string;
}

type Begun = { name: string; fields: TemplateField[] };

/** A whole set; or the first line that cannot be, by which nothing is set. */
export function readFile(text: string): Templates | Misread {
  const replies: string[] = [];
  const templates: Begun[] = [];
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  let size = 0;
  for (const [at, whole] of lines.entries()) {
    const line = whole.trim();
    if (line === '' || line.startsWith('#')) continue;
    const fault = readLine(line, replies, templates);
    if (fault !== null) return { line: at + 1, ...fault };
    size += said(line);
    if (size > WORDS_MAX) return { line: at + 1, fault: 'size', text: '' };
  }
  const last = templates.at(-1);
  return last !== undefined && last.fields.length === 0 ? { line: lines.length, fault: 'noField', text: last.name } : { replies, templates };
}

type Fault = Pick<Misread, 'fault' | 'text'> | null;

function readLine(line: string, replies: string[], templates: Begun[]): Fault {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/su.exec(line) ?? [];
  const kind = word.toLowerCase();
  if (!['reply', 'template', 'field', 'optional'].includes(kind)) return { fault: 'word', text: word };
  if (rest === '') return { fault: 'empty', text: word };
  const last = templates.at(-1);
  if (kind === 'reply') {
    if (!fits(rest, REPLY_MAX)) return { fault: 'words', text: rest };
    replies.push(rest);
    return replies.length > REPLIES_MAX ? { fault: 'replies', text: '' } : null;
  }
  if (kind === 'template') {
    if (last?.fields.length === 0) return { fault: 'noField', text: last.name };
    if (!fits(rest, NAME_MAX)) return { fault: 'words', text: rest };
    if (templates.some((one) => same(one.name, rest))) return { fault: 'templateTwice', text: rest };
    templates.push({ name: rest, fields: [] });
    return templates.length > TEMPLATES_MAX ? { fault: 'templates', text: '' } : null;
  }
  if (last === undefined) return { fault: 'noTemplate', text: word };
  const bar = rest.indexOf('|');
  const [name, hint] = bar < 0 ? [rest, ''] : [rest.slice(0, bar).trim(), rest.slice(bar + 1).trim()];
  if (!fits(name, NAME_MAX) || (hint !== '' && !fits(hint, HINT_MAX))) return { fault: 'words', text: name };
  if (last.fields.some((one) => same(one.name, name))) return { fault: 'fieldTwice', text: name };
  last.fields.push({ name, hint, optional: kind === 'optional' });
  return last.fields.length > FIELDS_MAX ? { fault: 'fields', text: last.name } : null;
}

/** As a file, which {@link readFile} reads. */
export function written({ replies, templates }: Templates): string {
  const field = ({ name, hint, optional }: TemplateField) => `${optional ? 'optional' : 'field'} ${name}${hint === '' ? '' : ` | ${hint}`}\n`;
  return [...replies.map((reply) => `reply ${reply}\n`), ...templates.map((one) => `\ntemplate ${one.name}\n${one.fields.map(field).join('')}`)].join('');
}

export interface TemplateChange {
  readonly is: 'comes' | 'goes' | 'changes' | 'order';
  readonly of: 'reply' | 'template';
  /** The reply, or the template's name; of an order nothing. */
  readonly text: string;
  /** Of a template that comes or changes: its fields as they will be. */
  readonly fields: readonly TemplateField[];
}

/** What setting the second in the place of the first would change, in the order in which it is listed. */
export function changesOf(was: Templates, will: Templates): readonly TemplateChange[] {
  const reply = (is: 'comes' | 'goes') => (text: string): TemplateChange => ({ is, of: 'reply', text, fields: [] });
  const fields = (one: Template) => JSON.stringify([one.name, ...one.fields.map((field) => [field.name, field.hint, field.optional])]);
  const find = (set: Templates, name: string) => set.templates.find((one) => same(one.name, name));
  const changes: TemplateChange[] = [
    ...will.replies.filter((text) => !was.replies.includes(text)).map(reply('comes')),
    ...was.replies.filter((text) => !will.replies.includes(text)).map(reply('goes')),
    ...will.templates.flatMap((one): TemplateChange[] => {
      const before = find(was, one.name);
      if (before !== undefined && fields(before) === fields(one)) return [];
      return [{ is: before === undefined ? 'comes' : 'changes', of: 'template', text: one.name, fields: one.fields }];
    }),
    ...was.templates.filter((one) => find(will, one.name) === undefined).map((one): TemplateChange => ({ is: 'goes', of: 'template', text: one.name, fields: [] })),
  ];
  // Nobody wants to hear of an order where something comes or goes as well.
  if (changes.length > 0 || written(was) === written(will)) return changes;
  const isReplies = was.replies.join('\n') !== will.replies.join('\n');
  return [{ is: 'order', of: isReplies ? 'reply' : 'template', text: '', fields: [] }];
}

/** All of them, from now on. `null`: the facility's. */
export function setAsk(unit: Id | null, { replies, templates }: Templates): Ask {
  const wire = templates.map((one) => ({ name: one.name, fields: one.fields.map((field) => ({ ...field })) }));
  return { case: 'setTemplates', value: { set: { unit: unit === null ? 0n : wireId(parseId<UnitId>(unit)), replies: [...replies], templates: wire } } };
}

function fits(text: string, most: number): boolean {
  return text.trim() !== '' && utf8Length(text) <= most && !/\p{Cc}/u.test(text);
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Bytes of a line that count: without its first word and the bar. */
function said(line: string): number {
  return utf8Length(line.replace(/^\S+\s*/u, '').replace(/\s*\|\s*/u, ''));
}
