/** Acts in a conversation, in real browsers against a real box: editing and recalling, groups and channels, roles, templates, orders. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';
import { Terminal } from './terminal.ts';

describe('three people who talk', () => {
  let box: Box;
  let ana: PersonAtApp;
  let ben: PersonAtApp;
  let chidi: PersonAtApp;
  let charge: Terminal;

  beforeAll(async () => {
    box = await Box.start();
    ana = await PersonAtApp.join(box, 'Ana');
    ben = await PersonAtApp.join(box, 'Ben');
    chidi = await PersonAtApp.join(box, 'Chidi');
    charge = Terminal.join(box, 'Ana');
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
    charge?.leaves();
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
  test('a charge nurse renames, archives and opens again a channel that she is not in', async () => {
    await chidi.tab('People');
    await chidi.page.getByRole('button', { name: 'Channels' }).click();
    await chidi.page.getByRole('button', { name: /New channel in/ }).first().click();
    await chidi.page.getByLabel('Name of the channel').fill('Wound care');
    await chidi.page.getByRole('button', { name: 'Open the channel' }).click();
    await chidi.say('dressings have come');
    await chidi.tab('People');
    await chidi.page.getByRole('button', { name: 'Channels' }).click();
    await chidi.page.getByRole('button', { name: /^Open .*Wound care/ }).waitFor();
    expect(await chidi.page.getByRole('button', { name: /^Manage/ }).count()).toBe(0);
    await ana.tab('People');
    await ana.page.getByRole('button', { name: 'Channels' }).click();
    await ana.page.getByRole('button', { name: /^Manage .*Wound care/ }).click();
    await ana.page.getByLabel('Name of the channel').fill('Wounds and pressure');
    await ana.page.getByRole('button', { name: 'Rename it' }).click();
    await ana.reads('It is called Wounds and pressure now.');
    await ana.page.getByRole('button', { name: /^Manage .*Wounds and pressure/ }).click();
    await ana.page.getByRole('button', { name: 'Archive', exact: true }).click();
    await ana.reads('Wounds and pressure is archived.');
    await chidi.page.getByRole('button', { name: /^Open .*Wound care/ }).click();
    await chidi.sees('This conversation takes no new messages.');
    await ana.page.getByRole('button', { name: /^Manage .*Wounds and pressure/ }).click();
    await ana.page.getByRole('button', { name: 'Open again', exact: true }).click();
    await ana.reads('Wounds and pressure takes messages again.');
    await chidi.say('and more tomorrow');
    // She leads the unit, and read nothing of it.
    expect(await ana.page.getByRole('button', { name: /^Join .*Wounds and pressure/ }).count()).toBe(1);
  });
  test('a quick reply and SBAR are in the message with one tap', async () => {
    charge.runWith(['reply On my way', 'template Fall report', 'field Bed', 'optional Injuries'], 'template', 'set', '--unit', 'Hall A');
    await chidi.writeTo('Ana Flores');
    await chidi.page.getByRole('button', { name: 'Add to the message' }).click();
    await chidi.page.getByRole('button', { name: 'On my way' }).click();
    await chidi.page.getByRole('button', { name: 'Send', exact: true }).click();
    await ana.open('Chidi Eze');
    await ana.sees('On my way');
    await chidi.page.getByRole('button', { name: 'Add to the message' }).click();
    await chidi.page.getByRole('button', { name: 'SBAR' }).click();
    await chidi.page.getByLabel('Situation').fill('bed 4 fell');
    await chidi.page.getByLabel('Background').fill('hip surgery on Monday');
    await chidi.page.getByLabel('Assessment').fill('no injury, 120/80');
    await chidi.page.getByRole('button', { name: 'Put it into the message' }).click();
    await chidi.reads('Recommendation is missing.');
    await chidi.page.getByLabel('Recommendation').fill('please come by');
    await chidi.page.getByRole('button', { name: 'Put it into the message' }).click();
    await chidi.page.getByRole('button', { name: 'Send', exact: true }).click();
    await ana.page.getByText('hip surgery on Monday').filter({ visible: true }).first().waitFor();
    // What the template sets bold is bold, and no mark of it is left in sight.
    await ana.page.getByRole('region', { name: 'Messages', exact: true }).getByRole('strong').filter({ hasText: /^Situation/ }).waitFor();
    expect(await ana.page.getByText('**').filter({ visible: true }).count()).toBe(0);
  });

  test('a charge nurse sets her unit’s templates from a file, and sees first what it would change', async () => {
    const choose = (text: string) => ana.page.locator('input[type=file]').setInputFiles({ name: 'templates.txt', mimeType: 'text/plain', buffer: Buffer.from(text) });
    await ana.tab('More');
    await ana.page.getByRole('button', { name: 'Templates and quick replies', exact: true }).click();
    await ana.reads('What Hall A has now');
    await ana.sees('Fall report');
    await choose('reply Seen\nfield Bed\n');
    await ana.page.getByRole('alert').filter({ hasText: 'Line 2: a field comes below its template.' }).waitFor();
    await choose('reply On my way\nreply Seen, thank you\ntemplate Fall report\nfield Bed | of the patient\n');
    await ana.reads('New quick reply: Seen, thank you');
    await ana.reads('Other fields in: Fall report');
    // Nothing is set by looking.
    expect(charge.run('template', 'export', '--unit', 'Hall A')).toContain('optional Injuries');
    await ana.page.getByRole('button', { name: 'Apply 2 changes' }).click();
    await ana.reads('Set for Hall A');
    expect(charge.run('template', 'export', '--unit', 'Hall A').trim()).toBe('reply On my way\nreply Seen, thank you\n\ntemplate Fall report\nfield Bed | of the patient');
    await ana.page.getByRole('button', { name: 'Take all of it away' }).click();
    await ana.reads('Template goes: Fall report');
    await ana.page.getByRole('button', { name: 'Leave it as it is' }).click();
    await chidi.writeTo('Ben Okafor');
    await chidi.page.getByRole('button', { name: 'Add to the message' }).click();
    await chidi.page.getByRole('button', { name: 'Seen, thank you' }).click();
    await chidi.page.getByRole('button', { name: 'Send', exact: true }).click();
    await chidi.sees('Seen, thank you');
    await ana.open('Chidi Eze');
  });

  test('marks form what they stand around, and markup between them is a text', async () => {
    await chidi.writeTo('Ana Flores');
    await chidi.say('give **5 mg** _slowly_, then:\n- `BP` every *15 min*\n- **<b onclick=1>call</b>** me');
    const messages = ana.page.getByRole('region', { name: 'Messages', exact: true });
    await messages.getByRole('strong').filter({ hasText: /^5 mg$/ }).waitFor();
    await messages.getByRole('emphasis').filter({ hasText: /^slowly$/ }).waitFor();
    await messages.getByRole('code').filter({ hasText: /^BP$/ }).waitFor();
    await messages.getByRole('strong').filter({ hasText: /^<b onclick=1>call<\/b>$/ }).waitFor();
  });

  test('who writes to a role is told who reads it, and that nobody holds it', async () => {
    charge.run('role', 'add', 'Hall A', 'Physician on call');
    await ben.tab('On call');
    await ben.page.getByRole('button', { name: /^Write to .*Physician on call/ }).click();
    await ben.sees('Nobody holds this role now.');
    await ben.reads('Until somebody does, this is read by Ana Flores');
    await ben.page.getByRole('button', { name: 'Write all the same' }).click();
    await ben.say('bed 4 wants a look');
    charge.run('role', 'take', 'Physician', '--for', 'Chidi Eze', '--hours', '4');
    await ben.reads('Read by Chidi Eze');
    await chidi.open('Physician on call');
    await chidi.sees('bed 4 wants a look');
    await chidi.page.getByRole('button', { name: 'Done', exact: true }).click();
    await chidi.page.getByRole('dialog').getByRole('button', { name: 'Done', exact: true }).click();
    await ben.sees('What was asked here is done.');
    await ben.page.getByRole('button', { name: 'Ask something new' }).click();
    await ben.say('and bed 5');
    await chidi.open('Physician on call');
    await chidi.sees('and bed 5');
  });
  test('an order is given, read back, confirmed and filed, each signed by the device of who says it', async () => {
    box.patient('admit', '101', 'Hall A', '1', '--name', 'Noor Haddad', '--born', '1950-01-01', '--sex', 'F');
    charge.run('order', 'set-policy', '--role', 'Physician on call');
    charge.run('role', 'take', 'Physician', '--for', 'Chidi Eze', '--hours', '4');
    for (const who of [chidi, ana]) {
      await who.tab('Patients');
      await who.page.getByRole('button', { name: 'Take beds' }).click();
      await who.page.getByLabel('Or type beds and ranges').fill('1');
      await who.page.getByRole('button', { name: 'Take them' }).click();
      await who.page.getByRole('heading', { name: 'My beds' }).waitFor();
    }
    await chidi.tab('On call');
    await chidi.sees('You hold this');
    await chidi.open('Noor Haddad');
    await chidi.page.getByRole('button', { name: 'Add to the message' }).click();
    await chidi.page.getByRole('button', { name: 'Give an order by text' }).click();
    await chidi.page.getByLabel('Drug, dose, way and time').fill('Paracetamol 500 mg by mouth now');
    await chidi.page.getByRole('button', { name: 'Sign and send the order' }).click();
    await ana.open('Noor Haddad');
    await ana.page.getByRole('button', { name: 'Read back' }).click();
    await ana.page.getByLabel('What you are going to do').fill('Paracetamol five hundred milligrams by mouth');
    await ana.page.getByRole('button', { name: 'Sign and send the read-back' }).click();
    await chidi.page.getByRole('button', { name: 'Is the read-back right?' }).click();
    await chidi.page.getByRole('button', { name: 'Yes, that is right' }).click();
    await ana.reads('Read back and confirmed.');
    expect(charge.run('order', 'show', 'Noor Haddad', '1')).not.toContain('NOT VERIFIED');
    await ana.page.getByRole('button', { name: 'It is in the record' }).click();
    await ana.page.getByRole('dialog').getByRole('button', { name: 'It is in the record' }).click();
    await ana.reads('It is in the record.');
  });

  test('a telephone call answers a STAT, signed', async () => {
    await chidi.say('bed 1 does not breathe', 'STAT');
    await ana.reads('Rings for you');
    await chidi.act('your message', 'Note a telephone call');
    await chidi.page.getByLabel('Whom you reached').selectOption({ label: '\u2068Ana Flores\u2069' });
    await chidi.page.getByRole('radio', { name: 'Yes' }).check();
    await chidi.page.getByRole('button', { name: 'Sign and note it' }).click();
    await chidi.reads('Ana Flores has it');
  });
  test('a charge nurse announces to her unit, and sees how many have read it', async () => {
    await ana.tab('More');
    await ana.page.getByRole('button', { name: 'Announcements', exact: true }).click();
    await ana.page.getByRole('button', { name: /^Announce to .*Hall A/ }).click();
    await ana.say('the lift is out until noon');
    await chidi.tab('More');
    await chidi.page.getByRole('button', { name: 'Announcements', exact: true }).click();
    await chidi.page.getByRole('button', { name: /^Read the announcements of .*Hall A/ }).click();
    await chidi.sees('the lift is out until noon');
    expect(await chidi.page.getByLabel('Message', { exact: true }).count()).toBe(0);
    await ana.act('your message', 'How many have read it');
    await ana.reads('of 3 have read it');
  });
});
