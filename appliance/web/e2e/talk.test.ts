/** Acts in a conversation, in real browsers against a real box: editing and recalling, groups and channels, roles, templates, orders. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

describe('two people who talk', () => {
  let box: Box;
  let ana: PersonAtApp;
  let ben: PersonAtApp;

  beforeAll(async () => {
    box = await Box.start();
    ana = await PersonAtApp.join(box, 'Ana');
    ben = await PersonAtApp.join(box, 'Ben');
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail') return;
    await ana.picture(context.task.id);
    await ben.picture(context.task.id);
  });
  afterAll(async () => {
    await ana?.leaves();
    await ben?.leaves();
    await box?.stop();
  });

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
});
