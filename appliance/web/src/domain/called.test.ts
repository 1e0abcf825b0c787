import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { HistoryPageSchema, Priority } from '../gen/wardline_pb.js';
import { askCalled, readCalled } from './called.ts';

const page = (over: object = {}) =>
  create(HistoryPageSchema, { messages: [{ conversation: 7n, sequence: 3n, message: new Uint8Array(16), sender: 2n, at: 5n, text: 'bed 2 \u202edoes not breathe', priority: Priority.STAT, ...over }] });

describe('a STAT that calls somebody outside its conversation', () => {
  it('is asked for by its place alone', () => {
    expect(askCalled('0000000000000007', 3)).toEqual({ case: 'readStat', value: { conversation: 7n, sequence: 3n } });
    expect(askCalled('not one', 3)).toBeNull();
    expect(askCalled('0000000000000007', 0.5)).toBeNull();
  });

  it('is one message, of which a recalled one shows nothing', () => {
    expect(readCalled({ case: 'historyPage', value: page() })).toMatchObject({ sender: '0000000000000002', at: 5 });
    expect(readCalled({ case: 'historyPage', value: page({ recalledAt: 6n }) })?.text).toBe('');
    expect(readCalled({ case: 'historyPage', value: create(HistoryPageSchema, {}) })).toBeNull();
  });
});
