import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = join(import.meta.dirname, '..');

function files(part: string): { name: string; text: string }[] {
  return readdirSync(join(src, part), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|svelte)$/.test(name) && !name.endsWith('.test.ts'))
    .map((name) => ({ name: `${part}/${name}`, text: readFileSync(join(src, part, name), 'utf8') }));
}
const imports = (text: string) => [...text.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map((match) => match[1] ?? '');

describe('the view', () => {
  it('knows the domain alone, never the edge or the wire', () => {
    const wrong = files('view').flatMap(({ name, text }) => imports(text).filter((from) => /\/(edge|gen)\//.test(from)).map((from) => `${name}: ${from}`));
    expect(wrong).toEqual([]);
  });
  it('makes no HTML of text, and no style attributes', () => {
    const wrong = files('view').filter(({ text }) => /\{@html|innerHTML|insertAdjacentHTML|\sstyle=|\sstyle:[\w-]+[=}]/.test(text)).map(({ name }) => name);
    expect(wrong).toEqual([]);
  });
  it('lets the browser keep no text of a field: Chromium writes them into its session on the disk', () => {
    const untyped = /type=(["'])(radio|checkbox|file)\1/;
    const wrong = files('view').flatMap(({ name, text }) =>
      text.split(/<(?=(?:input|textarea)\b)/).slice(1).filter((field) => {
        const tag = field.slice(0, field.search(/\/>|\n\s*>|"\s*>|\}\s*>|\w>/) + 1);
        return !untyped.test(tag) && !tag.includes('autocomplete=');
      }).map((field) => `${name}: ${field.slice(0, 40)}`),
    );
    expect(wrong).toEqual([]);
  });
  it('asks nobody but the box', () => {
    const wrong = files('view').filter(({ text }) => /https?:\/\/|fetch\(|XMLHttpRequest|WebSocket/.test(text)).map(({ name }) => name);
    expect(wrong).toEqual([]);
  });
});

describe('the domain', () => {
  it('knows no browser', () => {
    const browser = /(?<![.\w'"`-])(document|window|navigator|localStorage|sessionStorage|indexedDB|WebSocket|WebTransport|fetch|HTMLElement|requestAnimationFrame|setTimeout|setInterval|location)(?=[.([\s;,)])/;
    const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').replace(/'[^'\n]*'|`[^`]*`/g, "''");
    const wrong = files('domain').flatMap(({ name, text }) => {
      const found = browser.exec(code(text));
      return found === null ? [] : [`${name}: ${found[1]}`];
    });
    expect(wrong).toEqual([]);
  });
  it('knows neither the view nor the edge', () => {
    const wrong = files('domain').flatMap(({ name, text }) => imports(text).filter((from) => /\/(edge|view|words|shell)\/|svelte/.test(from)).map((from) => `${name}: ${from}`));
    expect(wrong).toEqual([]);
  });
});
