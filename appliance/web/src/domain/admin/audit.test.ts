import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { auditEn } from '../../words/areas/audit.en.ts';
import { auditEs } from '../../words/areas/audit.es.ts';
import { says, type Telling } from '../../view/areas/admin/privacy/says.ts';
import { adminBox } from '../testing/adminBox.ts';
import { ACT_GROUPS, csvCell, EVERYTHING, readAudit, readForFile } from './audit.ts';

const box = adminBox();
const asks = (body: Parameters<typeof box>[0]) => Promise.resolve(box(body) ?? { reply: 'refused' as const, refusal: { code: 'OFFLINE', advice: '' } });

/** Every kind of act that the box has, by its number, and how many parts it has at most. */
function acts(): Map<number, number> {
  const source = readFileSync(new URL('../../../../core/src/audit.rs', import.meta.url), 'utf8');
  const within = source.slice(source.indexOf('pub enum Act {'), source.indexOf('impl Act {'));
  return new Map([...within.matchAll(/#\[n\((\d+)\)\]\n {4}(\w+)(?:\(([^\n]*)\))?,\n/g)].map((found) => [Number(found[1]), (found[3] ?? '').split('#[n(').length - 1]));
}

describe('the audit log in words', () => {
  it('has a sentence for every kind of act in both languages, and a group', () => {
    const grouped = new Set<number>(Object.values(ACT_GROUPS).flat());
    for (const [act, parts] of acts()) {
      for (const words of [auditEn, auditEs]) {
        const sentence = words.acts[act];
        expect(sentence, `act ${act}`).toBeDefined();
        for (const [, at] of sentence?.matchAll(/\{(\d)/g) ?? []) expect(Number(at), `act ${act}`).toBeLessThan(parts);
      }
      expect(grouped.has(act), `act ${act} is in a group`).toBe(true);
    }
    expect(Object.keys(auditEn.acts).length).toBe(acts().size);
  });

  it('says who did what to whom, and of what it does not know that it does not', async () => {
    const page = await readAudit(asks, EVERYTHING, 0);
    const how: Telling = { words: auditEn, names: page.names, named: (name) => name, moment: String };
    const all = page.entries.map((one) => says(one, how));
    expect(all[0]).toBe('Ana Ruiz printed the downtime sheet of 4 West: 2 pages');
    expect(all[1]).toBe('Ben Okafor broke the glass: entered the thread of Blue Heron');
    expect(all[2]).toBe('The session on the device Ben’s phone of Ben Okafor locked (by The box)');
    expect(all[3]).toMatch(/ said what Eli Nakamura is in ICU: charge nurse$/);
    expect(all[4]).toBe('A service of the box set how the facility escalates');
    expect(all[5]).toBe('Carla Méndez read older messages in the thread of Blue Heron, up to message 41');
    expect(all[6]).toBe('Somebody who had proved nothing did something that this app does not know yet (kind 9999)');
  });

  it('is a file page by page, and ends where the box does not lead on', async () => {
    const found = await readForFile(asks, EVERYTHING, () => undefined);
    expect(found).toMatchObject({ isWhole: true });
    expect(found.entries.length).toBe(14);
  });

  it('gives a spreadsheet no formula', () => {
    expect(['=1+1', 'a, "b"', 'plain'].map(csvCell)).toEqual(["'=1+1", '"a, ""b"""', 'plain']);
    // A spreadsheet whose lists have semicolons, as Spanish ones do, begins a cell there.
    expect(csvCell('phone; =HYPERLINK("http://x")')).toBe(`"phone;' =HYPERLINK(""http://x"")"`);
    expect(['a;b;-c', ' +1', '＝1', 'a\n=1', 'a;"=1"', 'a;b-c'].map(csvCell)).toEqual(["a;b;'-c", "' +1", "'＝1", 'a =1', `"a;'""=1"""`, 'a;b-c']);
  });
});
