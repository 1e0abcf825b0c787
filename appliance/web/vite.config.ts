import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { inFirst, shell } from './tools/shell.ts';

export default defineConfig({
  plugins: [svelte(), shell()],
  define: { __VERSION__: JSON.stringify(process.env['WARDLINE_VERSION'] ?? 'dev') },
  worker: { format: 'es' },
  assetsInclude: ['**/*.pfb'],
  build: {
    // No script or style inside the page, no data: address: the server allows only its own files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: { index: 'index.html', sw: 'src/shell/sw.ts' },
      output: {
        // What the first page is made of comes as one file: in thirty it weighs 12 kB more.
        codeSplitting: { groups: [{ name: (id, context) => (inFirst(id, context) ? 'index' : null) }] },
        // The service worker's address must not change; all else is named by its content.
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
});
