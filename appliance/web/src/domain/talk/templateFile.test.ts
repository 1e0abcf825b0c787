import { describe, expect, it } from 'vitest';

import { changesOf, readFile, setAsk, written } from './templateFile.ts';
import type { Templates } from './templates.ts';

const FILE = '\ufeff# Ours.\r\nreply On my way\nReply Seen | noted\n\n template Fall report\nfield Bed\nfield What happened |as the patient tells it\noptional Injuries\n';
const SET: Templates = {
  replies: ['On my way', 'Seen | noted'],
  templates: [
    {
      name: 'Fall report',
      fields: [
        { name: 'Bed', hint: '', optional: false },
        { name: 'What happened', hint: 'as the patient tells it', optional: false },
        { name: 'Injuries', hint: '', optional: true },
      ],
    },
  ],
};

describe('a file of templates', () => {
  it('has a line for each thing', () => {
    expect(readFile(FILE)).toEqual(SET);
    expect(readFile('# nothing\n')).toEqual({ replies: [], templates: [] });
  });
  it('is written as it is read', () => {
    expect(written(SET)).toBe('reply On my way\nreply Seen | noted\n\ntemplate Fall report\nfield Bed\nfield What happened | as the patient tells it\noptional Injuries\n');
    expect(readFile(written(SET))).toEqual(SET);
  });
  it('names the line that cannot be', () => {
    const faults: readonly (readonly [string, number, string, string])[] = [
      ['reply Seen\nanswer No', 2, 'word', 'answer'],
      ['reply  ', 1, 'empty', 'reply'],
      ['field Bed', 1, 'noTemplate', 'field'],
      ['template A\ntemplate B', 2, 'noField', 'A'],
      ['template A', 1, 'noField', 'A'],
      ['template A\nfield x\ntemplate a\nfield y', 3, 'templateTwice', 'a'],
      ['template A\nfield x\noptional X', 3, 'fieldTwice', 'X'],
      ['template A\nfield | hint', 2, 'words', ''],
      [`template ${'é'.repeat(33)}`, 1, 'words', 'é'.repeat(33)],
      [`template A\nfield x | ${'h'.repeat(81)}`, 2, 'words', 'x'],
    ];
    for (const [text, line, fault, about] of faults) expect(readFile(text)).toEqual({ line, fault, text: about });
    expect(readFile(`reply ${'é'.repeat(101)}`)).toMatchObject({ line: 1, fault: 'words' });
    expect(readFile(`reply ${'é'.repeat(100)}`)).toEqual({ replies: ['é'.repeat(100)], templates: [] });
  });
  it('is no longer than what the box takes', () => {
    const lines = (n: number, line: (at: number) => string) => Array.from({ length: n }, (_, at) => line(at)).join('\n');
    expect(readFile(lines(33, (at) => `reply ${at}`))).toMatchObject({ line: 33, fault: 'replies' });
    expect(readFile(lines(17, (at) => `template T${at}\nfield x`))).toMatchObject({ line: 33, fault: 'templates' });
    expect(readFile(`template A\n${lines(13, (at) => `field F${at}`)}`)).toMatchObject({ line: 14, fault: 'fields', text: 'A' });
    const hint = 'h'.repeat(80);
    expect(readFile(lines(16, (t) => `template T${t}\n${lines(12, (f) => `field F${t} ${f} | ${hint}`)}`))).toMatchObject({ fault: 'size' });
  });
});

describe('what a file would change', () => {
  const [fall] = SET.templates;
  it('is nothing where all is so', () => {
    expect(changesOf(SET, SET)).toEqual([]);
  });
  it('is what comes, what goes and what has other fields', () => {
    const will: Templates = { replies: ['Seen | noted', 'Thanks'], templates: [{ name: 'Fall Report', fields: fall?.fields.slice(0, 1) ?? [] }, { name: 'Round', fields: [{ name: 'Bed', hint: '', optional: false }] }] };
    expect(changesOf(SET, will).map(({ is, of, text, fields }) => [is, of, text, fields.length])).toEqual([
      ['comes', 'reply', 'Thanks', 0],
      ['goes', 'reply', 'On my way', 0],
      ['changes', 'template', 'Fall Report', 1],
      ['comes', 'template', 'Round', 1],
    ]);
    expect(changesOf(will, SET).at(-1)).toEqual({ is: 'goes', of: 'template', text: 'Round', fields: [] });
  });
  it('is an order where nothing else changes', () => {
    expect(changesOf(SET, { ...SET, replies: [...SET.replies].reverse() })).toEqual([{ is: 'order', of: 'reply', text: '', fields: [] }]);
  });
  it('is asked of a unit, or of the facility', () => {
    expect(setAsk(null, { replies: ['Seen'], templates: [] })).toEqual({ case: 'setTemplates', value: { set: { unit: 0n, replies: ['Seen'], templates: [] } } });
    expect(setAsk('00000000000000a1', SET)).toMatchObject({ value: { set: { unit: 0xa1n, templates: [{ name: 'Fall report' }] } } });
  });
});
