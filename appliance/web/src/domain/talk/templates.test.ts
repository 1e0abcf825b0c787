import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { TemplateSetSchema } from '../../gen/wardline_pb.js';
import { filled, offered, readTemplates, type Template, templatesAsk } from './templates.ts';

const field = (name: string, optional = false) => ({ name, hint: '', optional });
const SBAR: Template = { name: 'SBAR', fields: [field('Situation'), field('Background'), field('Assessment'), field('Recommendation')] };

describe('what there is', () => {
  it('is asked of a unit, or of the facility', () => {
    expect(templatesAsk('00000000000000a1')).toEqual({ case: 'listTemplates', value: { unit: 0xa1n } });
    expect(templatesAsk(null)).toEqual({ case: 'listTemplates', value: { unit: 0n } });
  });
  it('is read without what turns lines, and no more than a set has', () => {
    const replies = Array.from({ length: 40 }, (_, at) => `On my\u202e way ${at}`);
    const value = create(TemplateSetSchema, { replies, templates: [{ name: 'Fall\nreport', fields: [{ name: 'Bed', hint: 'which', optional: true }] }, { name: 'Empty' }] });
    const set = readTemplates({ case: 'templateSet', value });
    expect(set?.replies).toHaveLength(32);
    expect(set?.replies[0]).toBe('On my way 0');
    expect(set?.templates).toEqual([{ name: 'Fall report', fields: [{ name: 'Bed', hint: 'which', optional: true }] }]);
    expect(readTemplates({ case: undefined })).toBeNull();
  });
  it('is the nearer one of two, and SBAR always', () => {
    const own = { name: 'sbar', fields: [field('Who')] };
    const unit = { replies: ['On my way', 'Seen'], templates: [{ name: 'Fall', fields: [field('Bed')] }] };
    const facility = { replies: ['Seen', 'Thanks'], templates: [{ name: 'FALL', fields: [field('Where')] }] };
    expect(offered([unit, facility], SBAR)).toEqual({ replies: ['On my way', 'Seen', 'Thanks'], templates: [unit.templates[0], SBAR] });
    expect(offered([{ replies: [], templates: [own] }], SBAR).templates).toEqual([own]);
    expect(offered([], SBAR).templates).toEqual([SBAR]);
  });
});

describe('a template that is filled in', () => {
  const fall: Template = { name: 'Fall report', fields: [field('Bed'), field('Injuries', true), field('Seen by')] };

  it('is its name, and a line for each field that is not empty', () => {
    expect(filled(fall, [' 412-B ', '', 'Ana'])).toEqual({ text: '**Fall report**\n**Bed:** 412-B\n**Seen by:** Ana' });
    expect(filled(fall, ['412-B', 'none', 'Ana'])).toEqual({ text: '**Fall report**\n**Bed:** 412-B\n**Injuries:** none\n**Seen by:** Ana' });
  });
  it('wants each field that may not be empty', () => {
    expect(filled(fall, ['', '', '  '])).toEqual({ missing: [0, 2] });
    expect(filled(fall, [])).toEqual({ missing: [0, 2] });
  });
});
