import { defineConfig } from 'vitest/config';

/** Browsers against a whole box: one file at a time, since two cores are all there may be. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 120_000,
    // As long as everything else is waited for (browser.ts).
    expect: { poll: { timeout: 20_000 } },
    bail: 1,
  },
});
