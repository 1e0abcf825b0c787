import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { POLICY_SOURCE, policyOf } from './policy.ts';

const source = readFileSync(POLICY_SOURCE, 'utf8');

it('is another one when a header is another, and the same when only something beside it is', () => {
  const policy = policyOf(source);
  for (const header of ["frame-ancestors 'none'", 'nosniff', 'permissions-policy']) expect(policy).toContain(header);
  expect(policyOf(source.replace("form-action 'none'", "form-action 'self'"))).not.toBe(policy);
  expect(policyOf(source.replace('/// A file for a request of GET or HEAD.', ''))).toBe(policy);
});

it('is missed where it is not', () => {
  expect(() => policyOf('fn serve() {}')).toThrow('sets no policy');
});
