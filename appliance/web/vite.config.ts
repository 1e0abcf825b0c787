import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  define: { __VERSION__: JSON.stringify(process.env['WARDLINE_VERSION'] ?? 'dev') },
});
