/** Acts in a conversation, in real browsers against a real box: editing and recalling, groups and channels, roles, templates, orders. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

describe('three people who talk', () => {
  let box: Box;
  let ana: PersonAtApp;
  let ben: PersonAtApp;
  let chidi: PersonAtApp;

  beforeAll(async () => {
    box = await Box.start();
    ana = await PersonAtApp.join(box, 'Ana');
    ben = await PersonAtApp.join(box, 'Ben');
    chidi = await PersonAtApp.join(box, 'Chidi');
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail') return;
    await ana.picture(context.task.id);
    await ben.picture(context.task.id);
    await chidi.picture(context.task.id);
  });
  afterAll(async () => {
    await ana?.leaves();
    await ben?.leaves();
    await chidi?.leaves();
    await box?.stop();
  });

  /** An act of the head of the conversation that is open. */
  async function headAct(who: PersonAtApp, what: string, opens = true): Promise<void> {
    if (opens) await who.page.getByRole('button', { name: /^Details/ }).click();
    await who.page.getByRole('button', { name: what, exact: true }).click();
  }

  test('a message is edited, and everybody sees that it was', async () => {
    await ana.writeTo('Ben Okafor');
    await ana.say('bed 4 is free');
    await ben.open('Ana Flores');
    await ben.sees('bed 4 is free');
    await ana.act('your message', 'Edit');
    await ana.page.getByLabel('What it is to say').fill('bed 5 is free');
    await ana.page.getByRole('button', { name: 'Save' }).click();
    await ben.sees('bed 5 is free');
    await ben.sees('edited');
    expect(await ben.texts('bed 4')).toEqual([]);
  });

  test('a message is recalled, and its text is gone', async () => {
    await ana.say('this is for somebody else');
    await ben.sees('this is for somebody else');
    await ana.act('your message', 'Recall');
    await ana.page.getByRole('button', { name: 'Recall it' }).click();
    await ben.sees('This message was recalled.');
    expect(await ben.texts('this is for')).toEqual([]);
  });
  test('a group is opened, named, and left', async () => {
    await ana.tab('People');
    await ana.page.getByRole('button', { name: 'New group' }).click();
    await ana.page.getByLabel('Name of the group or channel').fill('Falls round');
    await ana.page.getByRole('button', { name: 'Open the group' }).click();
    await ana.sees('Choose somebody first.');
    await ana.page.getByRole('checkbox', { name: /Ben Okafor/ }).check();
    await ana.page.getByRole('checkbox', { name: /Chidi Eze/ }).check();
    await ana.page.getByRole('button', { name: 'Open the group' }).click();
    await ana.say('rounds at nine');
    await ben.open('Falls round');
    await ben.sees('rounds at nine');
    await headAct(ben, 'Rename');
    await ben.page.getByLabel('Name of the group or channel').fill('Ben’s round');
    await ben.page.getByRole('button', { name: 'Rename it' }).click();
    await ben.reads('Only whoever opened it');
    await ben.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await headAct(ana, 'Rename');
    await ana.page.getByLabel('Name of the group or channel').fill('Falls round, mornings');
    await ana.page.getByRole('button', { name: 'Rename it' }).click();
    await ben.page.getByRole('heading', { name: 'Falls round, mornings' }).waitFor();
    await headAct(ben, 'Leave', false);
    await ben.page.getByRole('button', { name: 'Leave it' }).click();
    await ben.page.getByRole('heading', { name: 'Inbox' }).or(ben.page.getByRole('heading', { name: 'People' })).first().waitFor();
    await ben.tab('Inbox');
    expect(await ben.page.getByText('Falls round').filter({ visible: true }).count()).toBe(0);
  });

  test('a channel of the unit is opened, found and joined, and read from its beginning', async () => {
    await ana.tab('People');
    await ana.page.getByRole('button', { name: 'Channels' }).click();
    await ana.page.getByRole('button', { name: /New channel in/ }).first().click();
    await ana.page.getByLabel('Name of the channel').fill('Night desk');
    await ana.page.getByRole('button', { name: 'Open the channel' }).click();
    await ana.say('keys are in the second drawer');
    await chidi.tab('People');
    await chidi.page.getByRole('button', { name: 'Channels' }).click();
    await chidi.page.getByRole('button', { name: /^Join .*Night desk/ }).click();
    await chidi.sees('keys are in the second drawer');
    await headAct(ana, 'Archive');
    await ana.page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click();
    await chidi.sees('This conversation takes no new messages.');
  });
});
