import { readFileSync, writeFileSync } from 'node:fs';

/** Prints a table, and puts it between its marks (`<!-- name -->`) in a page where `--into PAGE` was given. */
export function intoPage(name: string, table: string): void {
  console.log(table);
  const into = process.argv.includes('--into') ? process.argv[process.argv.indexOf('--into') + 1] : undefined;
  if (into === undefined) return;
  const text = readFileSync(into, 'utf8');
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  writeFileSync(into, text.slice(0, text.indexOf(begin) + begin.length) + `\n${table}\n` + text.slice(text.indexOf(end)));
}
