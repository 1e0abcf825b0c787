import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RefusalCode } from '../gen/wardline_pb.js';
import { en } from './en.ts';
import { es } from './es.ts';

type Leaf = readonly [path: string, value: unknown];

function leaves(of: unknown, path = ''): Leaf[] {
  if (typeof of !== 'object' || of === null || Array.isArray(of)) return [[path, of]];
  return Object.entries(of).flatMap(([key, value]) => leaves(value, path === '' ? key : `${path}.${key}`));
}

describe('catalogues', () => {
  const english = new Map(leaves(en));
  const spanish = new Map(leaves(es));

  it('say the same things', () => {
    expect([...spanish.keys()].sort()).toEqual([...english.keys()].sort());
  });
  it('put the same things into their sentences', () => {
    for (const [path, value] of english) {
      const other = spanish.get(path);
      if (typeof value === 'function') expect(`${path} ${(other as () => string).length}`).toBe(`${path} ${value.length}`);
      if (Array.isArray(value)) expect((other as unknown[]).length).toBe(value.length);
    }
  });
  it('are translated', () => {
    const same = [...english].filter(([path, value]) => typeof value === 'string' && value === spanish.get(path)).map(([path]) => path);
    expect(same.sort()).toEqual(['app.name', 'conversation.attachment.pdf', 'inbox.sections.stat', 'lang.en', 'lang.es', 'pin.label', 'priority.stat', 'ring.stat'].sort());
  });
  it('hold no word that nothing says', () => {
    const code = sources(join(import.meta.dirname, '../view')).join('\n');
    // What is looked up by a name that the code computes.
    const computed = /^(refusal\.codes|ended|lang|nav|conversation\.(kinds|fate|attachment)|compose\.reach|priority|stat\.(why|accept|coming|cannot|close|handBack)|inbox\.sections|more\.looks|join\.deviceName|care\.(flags|beds\.fault|tasks\.whens))\b/;
    const unused = [...english.keys()].filter((path) => !computed.test(path) && !code.includes(`.${path}`) && !code.includes(`words.${path.split('.').at(-1)}`));
    expect(unused).toEqual([]);
  });
});

describe('refusals', () => {
  it('name codes that the box or the app has', () => {
    const own = ['OFFLINE', 'TEXT_EMPTY', 'DEVICE_NAME', 'OUTBOX_FULL', 'STAT_NOT_SENT', 'STAT_NOT_SURE', 'NO_FACILITY', 'INTERRUPTED'];
    expect(Object.keys(en.refusal.codes).filter((code) => !(code in RefusalCode) && !own.includes(code))).toEqual([]);
  });
});

function sources(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|svelte)$/.test(name))
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .concat(readFileSync(join(directory, '../words/words.svelte.ts'), 'utf8').replaceAll('words.refusal.', '.refusal.').replaceAll('words.time.', '.time.'));
}
