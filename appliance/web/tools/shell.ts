import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { readFileSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin, Rolldown } from 'vite';
import { POLICY_SOURCE, policyOf } from './policy.ts';

type OutputBundle = Rolldown.OutputBundle;

/** What a person waits for on the first visit may weigh no more than this, compressed. Bytes. */
const FIRST_LOAD_MAX = 150 * 1024;
/** A page that is opened later, or what several of them share. Bytes. */
const LATER_MAX = 64 * 1024;
/** What shows PDF files: large, and fetched by those alone who open one. */
const PDF = /^assets\/pdf(\.(reader|worker|renderer)-|-[\d.]+\/)/;
/** One file of it, and all that showing one fetches; what only a scanned page needs comes besides. Bytes. */
const PDF_FILE_MAX = 400 * 1024;
const PDF_MAX = 640 * 1024;
const PDFJS = 'node_modules/pdfjs-dist';
/** Decoders of scanned pages, which pdf.js fetches by these names: without WebAssembly, which the box's policy does not run. */
const DECODERS = ['jbig2_nowasm_fallback.js', 'openjpeg_nowasm_fallback.js'];
const COMPRESSED = /\.(html|js|css|svg|webmanifest|json)$/;
const NOT_SHIPPED = /\/fixtures[.\w]*\.ts$|\/tools\/|\.test\.ts$/;

/** Our part of the build: the service worker is told its files; each file is written compressed as well; and the weight is watched. */
export function shell(): Plugin {
  let out = 'dist';
  let later = new Set<string>();
  return {
    name: 'wardline-shell',
    apply: 'build',
    configResolved(config) {
      out = config.build.outDir;
    },
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const worker = bundle['sw.js'];
        if (worker?.type !== 'chunk') throw new Error('no service worker was built');
        later = laterOf(bundle);
        const hash = createHash('sha256');
        const files: string[] = [];
        const late: string[] = [];
        const add = (path: string, content: string | Uint8Array) => {
          (PDF.test(path.slice(1)) ? late : files).push(path);
          hash.update(`${path}\0`).update(content).update('\0');
        };
        for (const name of Object.keys(bundle).sort()) {
          const item = bundle[name];
          if (item?.type === 'chunk' && item.moduleIds.some((id) => NOT_SHIPPED.test(id))) throw new Error(`${name} has made-up screens in it`);
          if (item === undefined || name === 'sw.js' || name.endsWith('.map')) continue;
          add(name === 'index.html' ? '/' : `/${name}`, item.type === 'chunk' ? item.code : item.source);
        }
        // What is emitted here is not among what was there to be gone through.
        for (const [name, source] of pdfFiles()) {
          this.emitFile({ type: 'asset', fileName: name, source });
          add(`/${name}`, source);
        }
        for (const name of readdirSync('public').sort()) add(`/${name}`, readFileSync(join('public', name)));
        hash.update(policyOf(readFileSync(POLICY_SOURCE, 'utf8')));
        const version = hash.digest('hex').slice(0, 16);
        worker.code = worker.code.replaceAll('__SHELL__', JSON.stringify({ version, files, late }));
        if (worker.code.includes('import')) throw new Error('the service worker imports: it must be one file');
      },
    },
    async closeBundle() {
      // Where the build failed there is nothing to weigh.
      if (later.size === 0) return;
      const names = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => COMPRESSED.test(name));
      await Promise.all(names.map((name) => compress(join(out, name))));
      await weigh(out, later);
    },
  };
}

/** Files of pdf.js that go as they are, under its version; and what their makers want to be told with them. */
function* pdfFiles(): Generator<[string, string]> {
  const read = (name: string): string => readFileSync(join(PDFJS, name), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { version: string };
  for (const name of DECODERS) yield [`assets/pdf-${version}/${name}`, read(`wasm/${name}`)];
  const licences = ['LICENSE', 'standard_fonts/LICENSE_FOXIT', 'wasm/LICENSE_JBIG2', 'wasm/LICENSE_OPENJPEG', 'wasm/LICENSE_PDFJS_JBIG2', 'wasm/LICENSE_PDFJS_OPENJPEG'];
  yield [`assets/pdf-${version}/licences.txt`, licences.map((name) => `${name}\n\n${read(name)}`).join('\n\n')];
}

async function compress(path: string): Promise<void> {
  const content = await readFile(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  await writeFile(`${path}.br`, await promisify(brotliCompress)(content, { params }));
  await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
}

const FIRST = /\/src\/main\.ts$/;

/** Whether the first page needs this module at once: something names it that does, up to the page's own script. */
export function inFirst(id: string, context: Rolldown.ChunkingContext): boolean {
  const seen = new Set<string>();
  const asked = [id];
  for (let at = asked.pop(); at !== undefined; at = asked.pop()) {
    if (FIRST.test(at)) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    asked.push(...(context.getModuleInfo(at)?.importers ?? []));
  }
  return false;
}

/** Files of pages that are fetched when they are first opened: what the first page does not name, itself or by what it names. */
function laterOf(bundle: OutputBundle): Set<string> {
  const first = new Set<string>();
  const visit = (name: string): void => {
    const item = bundle[name];
    if (first.has(name) || item?.type !== 'chunk') return;
    first.add(name);
    for (const style of item.viteMetadata?.importedCss ?? []) first.add(style);
    for (const imported of item.imports) visit(imported);
  };
  for (const item of Object.values(bundle)) if (item.type === 'chunk' && (item.isEntry || item.moduleIds.some((id) => FIRST.test(id)))) visit(item.fileName);
  return new Set(Object.keys(bundle).filter((name) => /\.(js|css)$/.test(name) && !first.has(name)));
}

/** Every script, style and page that is there before a message is; and, by itself, what each later page brings. */
async function weigh(out: string, later: ReadonlySet<string>): Promise<void> {
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => COMPRESSED.test(name));
  const total = async (names: readonly string[], ending: string) => (await Promise.all(names.map((name) => readFile(join(out, name + ending))))).reduce((sum, content) => sum + content.length, 0);
  const first = files.filter((name) => !later.has(name) && !PDF.test(name));
  const [brotli, gzipped] = [await total(first, '.br'), await total(first, '.gz')];
  console.log(`first load: ${kib(brotli)} brotli, ${kib(gzipped)} gzip (${first.join(', ')}); at most ${kib(FIRST_LOAD_MAX)}`);
  if (Math.max(brotli, gzipped) > FIRST_LOAD_MAX) throw new Error('the first load is too heavy');
  let pdf = 0;
  for (const name of files.filter((name) => !first.includes(name))) {
    const weight = await total([name], '.gz');
    console.log(`later: ${name} ${kib(weight)} gzip`);
    if (PDF.test(name) && !DECODERS.some((decoder) => name.endsWith(decoder))) pdf += weight;
    if (weight > (PDF.test(name) ? PDF_FILE_MAX : LATER_MAX)) throw new Error(`${name} is too heavy`);
  }
  console.log(`a PDF: ${kib(pdf)} gzip; at most ${kib(PDF_MAX)}`);
  if (pdf > PDF_MAX) throw new Error('what shows a PDF is too heavy');
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}
