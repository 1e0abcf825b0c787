import { describe, expect, it } from 'vitest';

import type { MessageItem } from '../snapshot.ts';
import { editAsk, mayEdit, mayRecall, parseText, recallAsk } from './changes.ts';

const MINUTE = 60_000;
const own: MessageItem = {
  key: 'k', sequence: 4, author: 'Ana', authorTitle: '', mine: true, at: 1_000 * MINUTE, text: 'bed 4', priority: 'routine', edited: true, edits: 2, recalled: false,
  replyTo: null, reactions: [], attachments: [], mentionsMe: false, fate: 'read', refusal: null, stat: null,
};
const after = (minutes: number): number => own.at + minutes * MINUTE;

describe("one's own message", () => {
  it('may be edited for fifteen minutes, and a little while clocks differ', () => {
    expect(mayEdit(own, true, after(14))).toBe(true);
    expect(mayEdit(own, true, after(16))).toBe(true);
    expect(mayEdit(own, true, after(18))).toBe(false);
  });

  it('is not edited where it cannot be', () => {
    for (const other of [{ mine: false }, { sequence: 0 }, { recalled: true }, { priority: 'stat' }, { edits: 10 }] as const) {
      expect(mayEdit({ ...own, ...other }, true, after(1))).toBe(false);
    }
    expect(mayEdit(own, false, after(1))).toBe(false);
  });

  it('may be recalled for a day, a STAT and in an archived conversation too', () => {
    expect(mayRecall({ ...own, priority: 'stat' }, after(24 * 60))).toBe(true);
    expect(mayRecall(own, after(24 * 60 + 3))).toBe(false);
    expect(mayRecall({ ...own, mine: false }, after(1))).toBe(false);
    expect(mayRecall({ ...own, recalled: true }, after(1))).toBe(false);
  });

  it('is changed in its place, as the edit behind those that were seen', () => {
    const edit = new Uint8Array(16).fill(7);
    expect(editAsk('0000000000000077', own, 'bed 5', edit)).toEqual({ case: 'editMessage', value: { conversation: 0x77n, sequence: 4n, version: 3, edit, text: 'bed 5' } });
    expect(recallAsk('0000000000000077', own)).toEqual({ case: 'recallMessage', value: { conversation: 0x77n, sequence: 4n } });
    expect(editAsk('77', own, 'bed 5', edit)).toBeNull();
    expect(recallAsk('0000000000000077', { ...own, sequence: 0 })).toBeNull();
  });
});

describe('another text', () => {
  it('is what was typed, without the blanks around it', () => {
    expect(parseText('  bed 5,\n not bed 4 ')).toEqual({ text: 'bed 5,\n not bed 4' });
  });
  it('is neither empty nor longer than a message, in bytes', () => {
    expect(parseText(' \n ')).toMatchObject({ fault: { code: 'TEXT_EMPTY' } });
    expect(parseText('ä'.repeat(4_096))).toHaveProperty('text');
    expect(parseText('ä'.repeat(4_096) + 'x')).toMatchObject({ fault: { code: 'TOO_LARGE' } });
  });
});
