import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { FamilyPageSchema } from '../../gen/wardline_pb.js';
import { ask, readFamily, usualWay, type Family, type VisitRequest } from './family.ts';

const STAY = '0000000000000007';
const page = (over: object = {}) => readFamily(create(FamilyPageSchema, over));

describe('a page of family', () => {
  it('is read, hostile names made harmless, and what has no name passed over', () => {
    const family = page({
      consentBy: 3n,
      consentAt: 9n,
      consentWords: 'herself,\u0000\u202e at the bed',
      blocked: ['\u202eViktor'],
      codeExpires: 5n,
      requests: [{ device: 1n, name: '\u202eMaria\n', relation: 'daughter', deviceName: 'iPhone', at: 1n, until: 2n, blocked: true }, { device: 0n, name: 'x' }],
      visitors: [{ person: 2n, name: 'Dora', relation: '', conversation: 8n, until: 4n, by: 3n, devices: 2 }, { person: 0n }],
      threads: [{ conversation: 8n, title: 'The daughters', ended: true }, { conversation: 0n, title: 'x' }],
    });
    expect(family.consent).toEqual({ by: '0000000000000003', at: 9, words: 'herself, at the bed' });
    expect(family.blocked).toEqual(['Viktor']);
    expect(family.requests).toEqual([{ device: '0000000000000001', name: 'Maria ', relation: 'daughter', deviceName: 'iPhone', at: 1, until: 2, blocked: true }]);
    expect(family.visitors.map((one) => [one.person, one.conversation, one.devices])).toEqual([['0000000000000002', '0000000000000008', 2]]);
    expect(family.threads).toEqual([{ conversation: '0000000000000008', title: 'The daughters', own: false, ended: true }]);
  });
  it('says when nobody has consented', () => {
    expect(page().consent).toBeNull();
  });
});

describe('one tap', () => {
  const request: VisitRequest = { device: '0000000000000001', name: 'Maria Lopez', relation: 'daughter', deviceName: '', at: 0, until: 0, blocked: false };
  const thread = (conversation: string, over: Partial<Family['threads'][number]> = {}) => ({ conversation, title: 'x', own: false, ended: false, ...over });
  it('lets somebody into the one thread there is', () => {
    const family = { ...page(), threads: [thread('0000000000000008'), thread('0000000000000009', { own: true }), thread('000000000000000a', { ended: true })] };
    expect(usualWay(family, request)).toEqual({ into: 'thread', thread: '0000000000000008' });
  });
  it('makes a new one where there is none, or where it could be either', () => {
    expect(usualWay(page(), request)).toEqual({ into: 'new', title: 'Maria Lopez' });
    expect(usualWay({ ...page(), threads: [thread('0000000000000008'), thread('0000000000000009')] }, request)).toEqual({ into: 'new', title: 'Maria Lopez' });
  });
  it('never lets a family into the patient’s own', () => {
    expect(usualWay({ ...page(), threads: [thread('0000000000000008', { own: true })] }, request).into).toBe('new');
  });
  it('cuts a name that is too long for a title by whole letters', () => {
    const way = usualWay(page(), { ...request, name: 'ñ'.repeat(64) });
    expect(way).toEqual({ into: 'new', title: 'ñ'.repeat(40) });
  });
});

describe('what is asked', () => {
  it('names the stay', () => {
    expect(ask.list(STAY)).toEqual({ case: 'listFamily', value: { encounter: 7n } });
    expect(ask.list('7')).toBeNull();
    expect(ask.code(STAY, true)).toEqual({ case: 'issueBedsideCode', value: { encounter: 7n, end: true } });
  });
  it('says how consent was given, in words enough', () => {
    expect(ask.consent(STAY, ' too short ')).toBeNull();
    expect(ask.consent(STAY, 'x'.repeat(501))).toBeNull();
    expect(ask.consent(STAY, ' The patient herself ')).toEqual({ case: 'setFamilyConsent', value: { encounter: 7n, given: true, words: 'The patient herself' } });
  });
  it('lets in in each of the four ways', () => {
    const asked = (way: Parameters<typeof ask.letIn>[1]) => ask.letIn('0000000000000001', way, 5);
    expect(asked({ into: 'new', title: ' The daughters ' })).toEqual({ case: 'answerVisit', value: { device: 1n, answer: { case: 'newThread', value: 'The daughters' }, until: 5n } });
    expect(asked({ into: 'thread', thread: '0000000000000008' })).toMatchObject({ value: { answer: { case: 'thread', value: 8n } } });
    expect(asked({ into: 'own' })).toMatchObject({ value: { answer: { case: 'own' } } });
    expect(asked({ into: 'same', person: '0000000000000002' })).toMatchObject({ value: { answer: { case: 'person', value: 2n } } });
    expect(asked({ into: 'new', title: ' ' })).toBeNull();
    expect(asked({ into: 'thread', thread: 'x' })).toBeNull();
  });
  it('blocks and unblocks by name', () => {
    expect(ask.block(STAY, ' Viktor ', true)).toEqual({ case: 'setFamilyBlock', value: { encounter: 7n, name: 'Viktor', blocked: true } });
    expect(ask.block(STAY, ' ', true)).toBeNull();
    expect(ask.block(STAY, 'ñ'.repeat(33), true)).toBeNull();
  });
});
