import { describe, expect, it } from 'vitest';

import { practiceEn } from '../../words/areas/practice.en.ts';
import { OTTO, Practice, ROSA, SHIFT, STEPS, UNIT } from './practice.ts';

function started(): Practice {
  return new Practice(practiceEn.made, () => 1_000_000);
}

/** Does what a step asks for, as the app's screens do it. */
function doStep(practice: Practice): void {
  const { step } = practice;
  const newest = (id: string) => {
    practice.openConversation(id);
    const sequence = practice.snapshot.conversation?.messages.at(-1)?.sequence ?? 0;
    practice.seen(sequence);
    return sequence;
  };
  if (step === 'read') newest(ROSA);
  if (step === 'stat') practice.answerStat(ROSA, newest(ROSA), 'accept');
  if (step === 'cannot') practice.answerStat(OTTO, newest(OTTO), 'cannot');
  if (step === 'beds') practice.care({ act: 'takeBeds', unit: UNIT, beds: ['12'], hours: 8 });
  if (step === 'note') practice.send(ROSA, 'slept, ate, walked', 'routine');
  if (step === 'end') practice.care({ act: 'endShift', shift: SHIFT });
}

function upTo(step: (typeof STEPS)[number]): Practice {
  const practice = started();
  while (practice.step !== step) {
    doStep(practice);
    practice.next();
  }
  return practice;
}

describe('a practice shift', () => {
  it('is six steps, each done before the next begins', () => {
    const practice = started();
    for (const step of STEPS) {
      expect(practice.step).toBe(step);
      practice.next();
      expect(practice.step).toBe(step);
      doStep(practice);
      expect(practice.isDone).toBe(true);
      practice.next();
    }
    expect(practice.step).toBe('over');
    practice.next();
    expect(practice.step).toBe('over');
  });

  it('begins with one message that is not read', () => {
    const practice = started();
    expect(practice.snapshot.inbox).toMatchObject([{ title: 'Rosa Practice', unread: 1, stat: null }]);
    expect(practice.snapshot.ringing).toEqual([]);
    practice.openConversation(ROSA);
    expect(practice.isDone).toBe(false);
    practice.seen(1);
    expect(practice.snapshot.inbox[0]?.unread).toBe(0);
  });

  it('a STAT rings, is silent when somebody is coming, and over when somebody has it', () => {
    const practice = upTo('stat');
    expect(practice.snapshot.ringing).toMatchObject([{ conversation: ROSA, held: false }]);
    practice.answerStat(ROSA, 2, 'coming');
    expect(practice.snapshot.ringing).toMatchObject([{ held: true, coming: true }]);
    expect(practice.isDone).toBe(false);
    practice.answerStat(ROSA, 2, 'accept');
    expect(practice.snapshot.ringing).toEqual([]);
    expect(practice.isDone).toBe(true);
    practice.answerStat(ROSA, 2, 'handBack');
    expect(practice.snapshot.ringing.length).toBe(1);
  });

  it('an answer is another snapshot of an open conversation, and changes none that was shown', () => {
    const practice = upTo('stat');
    practice.openConversation(ROSA);
    const before = practice.snapshot.conversation?.messages;
    practice.answerStat(ROSA, 2, 'accept');
    expect(before?.at(-1)?.stat?.state).toBe('open');
    expect(practice.snapshot.conversation?.messages.at(-1)?.stat?.state).toBe('accepted');
  });

  it('a wrong answer can be mended', () => {
    const practice = upTo('stat');
    practice.answerStat(ROSA, 2, 'cannot');
    expect(practice.isDone).toBe(false);
    practice.openConversation(ROSA);
    expect(practice.snapshot.conversation?.messages.at(-1)?.stat?.may).toEqual(['accept']);
    const other = upTo('cannot');
    other.answerStat(OTTO, 1, 'accept');
    expect(other.isDone).toBe(false);
    other.answerStat(OTTO, 1, 'handBack');
    other.answerStat(OTTO, 1, 'cannot');
    expect(other.isDone).toBe(true);
  });

  it('another bed is taken, and is not what was asked for', () => {
    const practice = upTo('beds');
    practice.care({ act: 'takeBeds', unit: UNIT, beds: ['14'], hours: 8 });
    expect(practice.isDone).toBe(false);
    practice.care({ act: 'takeBeds', unit: UNIT, beds: 'whole', hours: 8 });
    expect(practice.isDone).toBe(true);
    expect(practice.snapshot.care?.shifts).toMatchObject([{ beds: ['12', '14'] }]);
  });

  it('a bed that was given back too soon is there to be handed over', () => {
    const practice = upTo('note');
    practice.care({ act: 'endShift', shift: SHIFT });
    doStep(practice);
    practice.next();
    expect(practice.snapshot.care?.shifts.length).toBe(1);
  });

  it('reaches no box: whatever asks one is told so', async () => {
    const practice = started();
    expect(await practice.ask()).toMatchObject({ reply: 'refused', refusal: { code: 'PRACTICE' } });
    practice.care({ act: 'search', words: 'x' });
    expect(practice.snapshot.refusal?.code).toBe('PRACTICE');
    practice.dismissRefusal();
    expect(practice.snapshot.refusal).toBeNull();
  });

  it('an empty note is none', () => {
    const practice = upTo('note');
    practice.send(ROSA, '  ', 'routine');
    expect(practice.isDone).toBe(false);
  });
});
