/** vitest's `expect`, in one place. */
export { expect } from 'vitest';
