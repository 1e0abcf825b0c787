import type { NoticeItem, NoticeKind, NoticeReason } from '../../domain/snapshot.ts';

/** What the words of a notice are made of: names as they stand in a sentence; empty: nobody, or not known. */
export interface ToldOf {
  readonly who: string;
  readonly unit: string;
  readonly bed: string;
  readonly until: string;
}

const until = (of: ToldOf): string => (of.until === '' ? '' : `, until ${of.until}`);

/** What moves in a patient's thread, as it is told between the messages, in English. */
export const noticesEn = {
  somebody: 'Somebody',
  by: (what: string, who: string) => `${what} · by ${who}`,
  answer: 'Answer',
  atBed: 'At the bed. The box knows only what they typed.',
  told: {
    admitted: ({ unit, bed }) => `Admitted to ${unit}, bed ${bed}`,
    moved: ({ unit, bed }) => `Moved to ${unit}, bed ${bed}`,
    leaveBegan: () => 'Away for a time. The bed is kept',
    leaveEnded: () => 'Back',
    discharged: () => 'Discharged. The bed is free',
    closed: () => 'Closed. This can be read, and takes no new messages',
    attending: ({ who }) => (who === '' ? 'Nobody is the attending now' : `${who} is the attending now`),
    entered: (of) => `${of.who} came in${until(of)}`,
    left: ({ who }) => `${who} left the care team`,
    hasBed: (of) => `${of.who} has the bed${until(of)}`,
    stays: (of) => `${of.who} stays until the end of the shift${of.until === '' ? '' : `, ${of.until}`}`,
    bedUnheld: () => 'Nobody has this bed',
    emergencyBegan: (of) => `${of.who} broke the glass and is in${until(of)}`,
    emergencyEnded: ({ who }) => `The emergency access of ${who} is over`,
    restricted: () => 'Restricted. Only people who are named see who this is',
    unrestricted: () => 'No longer restricted',
    recordsMerged: () => 'Two records of this patient were merged',
    recordsUnmerged: () => 'Merged records were separated. This is about one of them alone',
    familyConsented: () => 'The patient lets family write',
    familyConsentEnded: () => 'The patient lets family write no more',
    familyAsked: () => 'A visitor at the bed asks to be let in',
    familyEntered: () => 'A visitor was let in to a family thread',
    familyLeft: () => 'A visitor is out of the family thread',
  } satisfies Record<NoticeKind, (of: ToldOf) => string> as Record<NoticeItem['kind'], (of: ToldOf) => string>,
  /** Of somebody who came in: why. */
  entered: {
    attending: (of) => `${of.who} came in as the attending${until(of)}`,
    byHand: (of) => `${of.who} was put into the care team${until(of)}`,
    bed: (of) => `${of.who} came in with the bed${until(of)}`,
    emergency: (of) => `${of.who} came in by breaking the glass${until(of)}`,
    named: (of) => `${of.who} came in, named for this patient${until(of)}`,
    merged: (of) => `${of.who} came in, and cares for this patient under another record`,
  } satisfies Record<NoticeReason, (of: ToldOf) => string> as Record<NoticeReason, (of: ToldOf) => string>,
};
