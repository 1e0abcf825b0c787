import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { EmergencyAskedSchema, EmergencyBeganSchema, EmergencyRequestSchema } from '../../gen/wardline_pb.js';
import type { Ask, Told } from '../frames.ts';
import { breakGlass, glassFault, lookAtRequest, readNumber, spellNumber, type Whom } from './glass.ts';

const rosa: Whom = { by: 'record', recordNumber: ' 0042 ' };
const bed: Whom = { by: 'bed', unit: '00000000000000a1', bed: ' A-1 ' };
const WHY = ' Found on the floor, no pulse ';

function box(told: Told) {
  const asked: Ask[] = [];
  return { asked, asks: (body: Ask) => (asked.push(body), Promise.resolve({ reply: 'answer', request: 0, body: told } as const)) };
}

describe('breaking the glass', () => {
  it('wants somebody and a reason, of the length that the box takes', () => {
    expect([glassFault(rosa, WHY), glassFault(bed, WHY)]).toEqual([null, null]);
    expect(glassFault({ by: 'record', recordNumber: '' }, WHY)).toBe('record');
    expect([glassFault({ ...bed, bed: '' }, WHY), glassFault({ ...bed, unit: '' }, WHY)]).toEqual(['bed', 'bed']);
    expect(['too short', '         x', 'é'.repeat(251)].map((why) => glassFault(rosa, why))).toEqual(['grounds', 'grounds', 'grounds']);
    expect([glassFault(rosa, '1234567890'), glassFault(rosa, 'é'.repeat(250))]).toEqual([null, null]);
  });
  it('is in at once', async () => {
    const { asks, asked } = box({ case: 'emergencyBegan', value: create(EmergencyBeganSchema, { emergency: 7n, conversation: 8n, until: 9_000n }) });
    expect(await breakGlass(asks, bed, WHY)).toEqual({ is: 'in', emergency: '0000000000000007', conversation: '0000000000000008', until: 9_000 });
    expect(asked).toEqual([{ case: 'breakGlass', value: { unit: 0xa1n, bed: 'A-1', grounds: 'Found on the floor, no pulse' } }]);
  });
  it('waits for a second person where the patient is restricted', async () => {
    const { asks } = box({ case: 'emergencyAsked', value: create(EmergencyAskedSchema, { emergency: 7n, until: 9_000n }) });
    expect(await breakGlass(asks, rosa, WHY)).toEqual({ is: 'asked', emergency: '0000000000000007', until: 9_000 });
  });
  it('is asked for by a number that is read out', async () => {
    const number = readNumber(' 00F1 a2b3 C4d5 e6f7 ');
    expect(number).toBe('00f1a2b3c4d5e6f7');
    if (number === null) return;
    expect(spellNumber(number)).toBe('00f1 a2b3 c4d5 e6f7');
    expect([readNumber('00f1'), readNumber('0000000000000000'), readNumber('zz')]).toEqual([null, null, null]);
    const { asks } = box({ case: 'emergencyRequest', value: create(EmergencyRequestSchema, { emergency: 7n, person: 5n, bed: 'A-1', alias: 'Star\u202e 9', grounds: 'why', until: 9n }) });
    expect(await lookAtRequest(asks, number)).toMatchObject({ person: '0000000000000005', bed: 'A-1', grounds: 'why', until: 9 });
  });
});
