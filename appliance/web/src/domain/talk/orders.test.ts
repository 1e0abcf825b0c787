import { createHash } from 'node:crypto';

import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { ConversationKind, OrderDeed, OrderPoliciesSchema, OrderState } from '../../gen/wardline_pb.js';
import { fromHex, toHex } from '../bytes.ts';
import type { ConversationId, DeviceId, MessageName, PersonId, Sequence } from '../ids.ts';
import { hashOf } from '../proofs.ts';
import { ANA, BEN, Box, WARD } from '../testing/box.ts';
import { Bench, hex, need } from '../testing/bench.ts';
import { orderBytes, readOrderRoles, TEXT_HASH_AT } from './orders.ts';

const THREAD = hex(WARD);

describe('what is signed about an order', () => {
  // README.md, section 22: the example.
  const facility = need(hashOf(need(fromHex('606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f'))));
  const said = {
    facility,
    device: '0123456789abcdef' as DeviceId,
    conversation: THREAD as ConversationId,
    deed: 'correct' as const,
    name: '000102030405060708090a0b0c0d0e0f' as MessageName,
    of: 12 as Sequence,
    readBack: 0 as Sequence,
    to: hex(5n) as PersonId,
    at: 0x01a20847ec48,
  };

  it('is the bytes of the page, once the hash of the text is in its place', () => {
    const bytes = orderBytes(said);
    bytes.set(createHash('sha256').update('Paracetamol 500 mg now').digest(), TEXT_HASH_AT);
    expect(toHex(bytes)).toBe(
      `776172646c696e652f31206f7264657200606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e
       7f0123456789abcdef0000000000000077000102030405060708090a0b0c0d0e0f868ada84051959b14d438fca804d7d
       8883062f19750b44219f7822877dd2cba902000000000000000c00000000000000000000000000000005000001a20847
       ec48`.replace(/\s/g, ''),
    );
  });

  it('has no name and no text where it is an answer', () => {
    const bytes = toHex(orderBytes({ ...said, deed: 'confirm', name: null, readBack: 13 as Sequence, to: null }));
    expect(bytes.slice(2 * 65)).toBe(`${'00'.repeat(48)}05000000000000000c000000000000000d0000000000000000000001a20847ec48`);
  });
});

/** Ana is in a patient's thread with Ben. */
function thread(boxTime = 0n): { box: Box; bench: Bench } {
  const box = new Box();
  box.boxTime = boxTime;
  const bench = new Bench(box);
  bench.start();
  bench.settle();
  const members = [ANA, BEN].map((person) => ({ person, delivered: 0n, read: 0n }));
  box.change({ case: 'conversation', value: { conversation: WARD, kind: ConversationKind.PATIENT, members, firstSequence: 1n } });
  bench.settle();
  bench.command('openConversation', THREAD);
  return { box, bench };
}
const shown = (bench: Bench, at: number) => bench.snapshot.conversation?.messages[at]?.order ?? null;

describe('an order', () => {
  it('is signed with the hash of its text, and leaves with its signature', () => {
    const { box, bench } = thread();
    bench.command('talk', { act: 'order', conversation: THREAD, text: ' Paracetamol 500 mg ', deed: 'give', of: 0, to: hex(BEN) });
    expect(bench.effects.findLast((effect) => effect.effect === 'sign')).toMatchObject({ key: 'device', hashed: { at: TEXT_HASH_AT, text: 'Paracetamol 500 mg' } });
    bench.settle();
    const submit = box.heard.findLast((body) => body.case === 'submit')?.value;
    expect(submit?.text).toBe('Paracetamol 500 mg');
    expect(submit?.order).toMatchObject({ deed: OrderDeed.GIVE, of: 0n, to: BEN, signature: new Uint8Array(64).fill(5) });
  });

  it('that is nothing is not given', () => {
    const { bench } = thread();
    bench.command('talk', { act: 'order', conversation: THREAD, text: '  ', deed: 'give', of: 0, to: null });
    expect(bench.snapshot.refusal?.code).toBe('TEXT_EMPTY');
  });

  it('is not sent later than a minute: its author is told', () => {
    const { bench } = thread();
    bench.box.declines = () => true;
    bench.command('talk', { act: 'order', conversation: THREAD, text: 'Paracetamol 500 mg', deed: 'give', of: 0, to: null });
    bench.pass(30_000);
    expect(shown(bench, 0)).toMatchObject({ sort: 'give', state: 'sending' });
    bench.pass(31_000);
    expect(bench.snapshot.conversation?.messages[0]?.refusal?.code).toMatch(/^ORDER_NOT_/);
  });

  it('shows how it stands, and what may be said to it', () => {
    const { box, bench } = thread();
    box.say('Paracetamol 500 mg');
    const order = { conversation: WARD, sequence: 1n, author: BEN };
    box.change({ case: 'order', value: { ...order, state: OrderState.GIVEN } });
    bench.settle();
    expect(shown(bench, 0)).toMatchObject({ state: 'given', may: ['readBack'] });
    box.change({ case: 'order', value: { ...order, state: OrderState.GIVEN, to: BEN } });
    bench.settle();
    expect(shown(bench, 0)?.may).toEqual([]);
    box.change({ case: 'order', value: { ...order, author: ANA, state: OrderState.READ_BACK, readBy: BEN, readBack: 1n } });
    bench.settle();
    expect(shown(bench, 0)).toMatchObject({ by: 'Ben', readBack: 1, readBackText: 'Paracetamol 500 mg', may: ['answer', 'correct', 'cancel'] });
    box.change({ case: 'order', value: { ...order, author: ANA, state: OrderState.CONFIRMED, readBy: BEN, readBack: 1n, replaced: 9n } });
    bench.settle();
    expect(shown(bench, 0)).toMatchObject({ replaced: true, may: ['file'] });
    box.change({ case: 'order', value: { ...order, author: ANA, state: OrderState.CONFIRMED, filed: 5n } });
    bench.settle();
    expect(shown(bench, 0)).toMatchObject({ filed: true, may: [] });
  });

  it('is answered, signed, about the message that reads it back', () => {
    const { box, bench } = thread();
    bench.command('talk', { act: 'answerOrder', conversation: THREAD, sequence: 1, readBack: 2, right: true });
    bench.settle();
    const answer = box.heard.findLast((body) => body.case === 'answerOrder')?.value;
    expect(answer).toMatchObject({ conversation: WARD, sequence: 1n, readBack: 2n, right: true, signature: new Uint8Array(64).fill(5) });
  });
});

it('a call note is signed, with whom one reached, and when by the clock of the box', () => {
  const { box, bench } = thread(5_300_000n);
  bench.command('talk', { act: 'callNote', conversation: THREAD, sequence: 1, ago: 5, readBack: true, reached: hex(BEN), role: ' Cardiologist ', name: '' });
  bench.settle();
  const answer = box.heard.findLast((body) => body.case === 'answerStat')?.value;
  expect(answer?.answer).toMatchObject({ case: 'callNote', value: { reached: BEN, readBack: true, role: 'Cardiologist', name: '' } });
  const called = answer?.answer.case === 'callNote' ? answer.answer.value.called : null;
  expect(called).toBe(5_000_000n);
  expect(answer?.signature).toEqual(new Uint8Array(64).fill(5));
});

it('whose orders count is said by the policies', () => {
  const value = create(OrderPoliciesSchema, { policies: [{ unit: 0n, roles: [7n] }, { unit: 1n, roles: [8n] }] });
  expect(readOrderRoles({ case: 'orderPolicies', value })).toEqual([hex(7n), hex(8n)]);
  expect(readOrderRoles({ case: undefined })).toBeNull();
});
