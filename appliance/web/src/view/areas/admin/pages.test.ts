import { describe, expect, it } from 'vitest';
import { adminPages, SMALL_MAX } from './pages.ts';

describe('the pages of administration', () => {
  it('are at most eight where a facility is small', () => {
    expect(adminPages('small').length).toBeLessThanOrEqual(SMALL_MAX);
  });
  it('are all there where it is not', () => {
    expect(adminPages('standard')).toEqual(expect.arrayContaining([...adminPages('small')]));
  });
});
