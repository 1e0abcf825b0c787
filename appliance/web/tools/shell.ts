import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { readFileSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** What a person waits for on the first visit may weigh no more than this, compressed. Bytes. */
const FIRST_LOAD_MAX = 150 * 1024;
const COMPRESSED = /\.(html|js|css|svg|webmanifest|json)$/;
const NOT_SHIPPED = /\/fixtures\.ts$|\/tools\/|\.test\.ts$/;

/** Our part of the build: the service worker is told its files; each file is written compressed as well; and the weight is watched. */
export function shell(): Plugin {
  let out = 'dist';
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
        const hash = createHash('sha256');
        const files: string[] = [];
        const add = (path: string, content: string | Uint8Array) => {
          files.push(path);
          hash.update(`${path}\0`).update(content).update('\0');
        };
        for (const name of Object.keys(bundle).sort()) {
          const item = bundle[name];
          if (item?.type === 'chunk' && item.moduleIds.some((id) => NOT_SHIPPED.test(id))) throw new Error(`${name} has made-up screens in it`);
          if (item === undefined || name === 'sw.js' || name.endsWith('.map')) continue;
          add(name === 'index.html' ? '/' : `/${name}`, item.type === 'chunk' ? item.code : item.source);
        }
        for (const name of readdirSync('public').sort()) add(`/${name}`, readFileSync(join('public', name)));
        const version = hash.digest('hex').slice(0, 16);
        worker.code = worker.code.replaceAll('__SHELL__', JSON.stringify({ version, files }));
        if (worker.code.includes('import')) throw new Error('the service worker imports: it must be one file');
      },
    },
    async closeBundle() {
      const names = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => COMPRESSED.test(name));
      await Promise.all(names.map((name) => compress(join(out, name))));
      await weigh(out);
    },
  };
}

async function compress(path: string): Promise<void> {
  const content = await readFile(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  await writeFile(`${path}.br`, await promisify(brotliCompress)(content, { params }));
  await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
}

/** Every script, style and page, whether it is loaded at once or a little later: all of it is there before a message is. */
async function weigh(out: string): Promise<void> {
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => COMPRESSED.test(name));
  const total = async (ending: string) => (await Promise.all(files.map((name) => readFile(join(out, name + ending))))).reduce((sum, content) => sum + content.length, 0);
  const [brotli, gzipped] = [await total('.br'), await total('.gz')];
  console.log(`first load: ${(brotli / 1024).toFixed(1)} KiB brotli, ${(gzipped / 1024).toFixed(1)} KiB gzip (${files.join(', ')}); at most ${FIRST_LOAD_MAX / 1024} KiB`);
  if (Math.max(brotli, gzipped) > FIRST_LOAD_MAX) throw new Error('the first load is too heavy');
}
