import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    runes: true,
    // Elements are made one by one, never of a string: nothing in the app makes HTML of text, and trusted types need no policy for it.
    fragments: 'tree',
  },
};
