/** A phone that several people use. */

import type { Handset, PersonHere } from '../../src/domain/handset.ts';
import type { View } from '../look.ts';

const person = (place: number, name: string, more: Partial<PersonHere> = {}): PersonHere => ({ place, name, isHere: place === 0, waiting: 0, staying: 0, isOut: false, ...more });

const FEW = [person(0, 'Ana R.'), person(1, 'Chidi E.', { waiting: 2 }), person(2, 'Ben O.', { waiting: 1, staying: 1 })];
const FULL = [...FEW, person(3, ''), person(4, 'Maximilian-Alexander-Ign N.'), person(5, 'Dana W.', { isOut: true, waiting: 1, staying: 1 }), person(6, '\u202eViktor B.'), person(7, 'Eva S.')];

export const handsetViews: Record<string, View> = {
  handsetAlone: { scene: 'locked', query: 'handset=alone' },
  handsetLocked: { scene: 'locked', query: 'handset=few' },
  handsetFull: { scene: 'locked', query: 'handset=full' },
  handsetRings: { scene: 'lockedRings', query: 'handset=few' },
  handsetJoin: { scene: 'join', query: 'installed&handset=few' },
  handsetRemove: { scene: 'locked', query: 'handset=full', act: (page) => page.locator('.here li button[aria-haspopup]').first().click() },
  handsetMore: { scene: 'inbox', query: 'handset=few', act: (page) => page.locator('nav button').nth(4).click() },
  handsetLeave: {
    scene: 'inbox',
    query: 'handset=few',
    act: async (page) => {
      await page.locator('nav button').nth(4).click();
      await page.locator('.more .card button[aria-haspopup="dialog"]').last().click();
    },
  },
};

export function handsetOf(name: string): Handset {
  const people = name === 'few' ? FEW : name === 'full' ? FULL : FEW.slice(0, 1);
  const nothing = (): Promise<void> => new Promise(() => undefined);
  return { people, hasRoom: name !== 'full', watch: () => () => undefined, switchTo: nothing, joinHere: nothing, leave: nothing, remove: nothing };
}
