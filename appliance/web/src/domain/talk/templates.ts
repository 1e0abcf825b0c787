/** Templates and quick replies (README.md, section 17): what there is for somebody, and the message that a template becomes. */

import type { TemplateSet } from '../../gen/wardline_pb.js';
import type { Ask, Told } from '../frames.ts';
import { parseId, type UnitId, wireId } from '../ids.ts';
import type { Id } from '../snapshot.ts';
import { cleanLine } from '../texts.ts';

export const REPLIES_MAX = 32;
export const TEMPLATES_MAX = 16;
export const FIELDS_MAX = 12;

export interface TemplateField {
  readonly name: string;
  readonly hint: string;
  readonly optional: boolean;
}

export interface Template {
  readonly name: string;
  readonly fields: readonly TemplateField[];
}

/** What a unit, or the facility, has. */
export interface Templates {
  readonly replies: readonly string[];
  readonly templates: readonly Template[];
}

/** `null`: the facility's. */
export function templatesAsk(unit: Id | null): Ask {
  return { case: 'listTemplates', value: { unit: unit === null ? 0n : wireId(parseId<UnitId>(unit)) } };
}

/** `null`: another answer. */
export function readTemplates(told: Told): Templates | null {
  return told.case === 'templateSet' ? readSet(told.value) : null;
}

/** Of several sets, the nearest first: each reply once, and of two templates of one name the nearer one. */
export function offered(sets: readonly Templates[], always: Template): Templates {
  const replies = new Set(sets.flatMap((set) => set.replies));
  const templates = new Map<string, Template>();
  for (const template of [...sets.flatMap((set) => set.templates), always]) {
    const key = template.name.toLowerCase();
    if (!templates.has(key)) templates.set(key, template);
  }
  return { replies: [...replies], templates: [...templates.values()] };
}

/** The message, by the fields' places; or those that are wanted and empty. */
export function filled(template: Template, values: readonly string[]): { readonly text: string } | { readonly missing: readonly number[] } {
  const given = template.fields.map((field, at) => ({ field, at, value: (values[at] ?? '').trim() }));
  const missing = given.filter(({ field, value }) => value === '' && !field.optional).map(({ at }) => at);
  if (missing.length > 0) return { missing };
  const lines = given.filter(({ value }) => value !== '').map(({ field, value }) => `**${field.name}:** ${value}`);
  return { text: [`**${template.name}**`, ...lines].join('\n') };
}

function readSet(wire: TemplateSet): Templates {
  const templates = wire.templates.slice(0, TEMPLATES_MAX).map((template) => ({
    name: cleanLine(template.name),
    fields: template.fields.slice(0, FIELDS_MAX).map((field) => ({ name: cleanLine(field.name), hint: cleanLine(field.hint), optional: field.optional })),
  }));
  return {
    replies: wire.replies.slice(0, REPLIES_MAX).map(cleanLine).filter((reply) => reply.trim() !== ''),
    templates: templates.filter((template) => template.name !== '' && template.fields.length > 0),
  };
}
