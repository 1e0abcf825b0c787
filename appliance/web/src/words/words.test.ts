import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RefusalCode } from '../gen/wardline_pb.js';
import { en } from './en.ts';
import { es } from './es.ts';

/** Words of pages that are the same in both languages: names and abbreviations. */
const SAME_IN_AREAS: readonly string[] = ['platforms.apple', 'platforms.android', 'platforms.windows', 'platforms.mac', 'platforms.firefox', 'quick.sbar', 'note.no'];

type Leaf = readonly [path: string, value: unknown];

function leaves(of: unknown, path = ''): Leaf[] {
  if (typeof of !== 'object' || of === null || Array.isArray(of)) return [[path, of]];
  return Object.entries(of).flatMap(([key, value]) => leaves(value, path === '' ? key : `${path}.${key}`));
}

/** The words of pages that are loaded later: `areas/NAME.en.ts` and `areas/NAME.es.ts`, each with one export of that shape. */
const files = import.meta.glob<Record<string, object>>('./areas/*.ts', { eager: true });
const areaOf = (file: string): object => Object.values(files[file] ?? {})[0] ?? {};
const areas = Object.keys(files)
  .filter((file) => file.endsWith('.en.ts'))
  .map((file) => ({ name: file.slice('./areas/'.length, -'.en.ts'.length), en: areaOf(file), es: areaOf(file.replace('.en.ts', '.es.ts')) }));

describe.each([{ name: 'app', en: en as object, es: es as object }, ...areas])('the catalogue of $name', ({ en, es }) => {
  const english = new Map(leaves(en));
  const spanish = new Map(leaves(es));

  it('says the same things', () => {
    expect([...spanish.keys()].sort()).toEqual([...english.keys()].sort());
  });
  it('puts the same things into their sentences', () => {
    for (const [path, value] of english) {
      const other = spanish.get(path);
      if (typeof value === 'function') expect(`${path} ${(other as () => string).length}`).toBe(`${path} ${value.length}`);
      if (Array.isArray(value)) expect((other as unknown[]).length).toBe(value.length);
    }
  });
  it('is translated', () => {
    const same = [...english].filter(([path, value]) => typeof value === 'string' && value === spanish.get(path)).map(([path]) => path);
    const both = ['app.name', 'conversation.attachment.pdf', 'inbox.sections.stat', 'lang.en', 'lang.es', 'pin.label', 'priority.stat', 'ring.stat', ...SAME_IN_AREAS];
    expect(same.filter((path) => !both.includes(path))).toEqual([]);
  });
  it('holds no word that nothing says', () => {
    const code = sources(join(import.meta.dirname, '../view')).join('\n');
    // What is looked up by a name that the code computes.
    const computed = /^(verdict|says|rows|marks|line\.(checkTitle|trustTitle)|after|made|steps|get|platforms|pages\.names|refusal\.codes|ended|lang|nav|conversation\.(kinds|fate|attachment)|compose\.reach|priority|stat\.(why|accept|coming|cannot|close|handBack)|inbox\.sections|more\.looks|join\.deviceName|care\.(flags|beds\.fault|tasks\.whens)|acts|codes|groupCodes|order\.(states|acts)|note\.whens|refusals|fault|ways|missing|sexes)\b/;
    // So is `.posts[`; and `.fields}` hands all of them on.
    const chosen = (path: string) => path.includes('.') && ['[', '}'].some((end) => code.includes(`.${path.slice(0, path.lastIndexOf('.'))}${end}`));
    const unused = [...english.keys()].filter((path) => !computed.test(path) && !chosen(path) && !code.includes(`.${path}`) && !code.includes(`words.${path.split('.').at(-1)}`));
    expect(unused).toEqual([]);
  });
});

describe('refusals', () => {
  it('name codes that the box or the app has', () => {
    const own = ['OFFLINE', 'TEXT_EMPTY', 'DEVICE_NAME', 'OUTBOX_FULL', 'STAT_NOT_SENT', 'STAT_NOT_SURE', 'NO_FACILITY', 'INTERRUPTED', 'FILE_OTHER', 'NOBODY_CHOSEN', 'TITLE_EMPTY', 'ORDER_NOT_SENT', 'ORDER_NOT_SURE', 'VISITOR_NAME', 'PRACTICE'];
    expect(Object.keys(en.refusal.codes).filter((code) => !(code in RefusalCode) && !own.includes(code))).toEqual([]);
  });
});

function sources(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|svelte)$/.test(name))
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .concat(readFileSync(join(directory, '../words/words.svelte.ts'), 'utf8').replaceAll('words.refusal.', '.refusal.').replaceAll('words.time.', '.time.'));
}
