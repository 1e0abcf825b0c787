/** A charge nurse brings her unit's list of residents in, from a file, against a real box. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

const DESK = { width: 1440, height: 900 };
let box: Box;
let ana: PersonAtApp;

beforeAll(async () => {
  box = await Box.start();
  box.patient('admit', '101', 'Hall A', '1', '--name', 'Noor Haddad', '--born', '1950-01-01', '--sex', 'F');
  box.patient('admit', '102', 'Hall A', '2', '--name', 'Otto Lang', '--born', '1938-05-06', '--sex', 'M');
  ana = await PersonAtApp.join(box, 'Ana', DESK);
});
afterEach(async (context) => {
  if (context.task.result?.state === 'fail') await ana.picture(context.task.id);
});
afterAll(async () => {
  await ana?.leaves();
  await box?.stop();
});

const does = (name: string) => ana.page.getByRole('button', { name, exact: true }).click();
const choose = (list: string) => ana.page.locator('input[type=file]').setInputFiles({ name: 'residents.csv', mimeType: 'text/csv', buffer: Buffer.from(list) });

test('sees who would come, move and go, is asked twice where many would go, and applies it once', async () => {
  await ana.tab('More');
  await does('Admit, move, discharge');
  await does('List of residents from a file');
  const list = 'MRN,Resident Name,DOB,Sex,Room,Bed\n101,Noor Haddad,01.01.1950,F,5,A\n103,Rosa Díaz,09.03.1947,F,1,\n104,Pat Moss,31.02.1947,F,8,\n';
  await choose(list);
  await ana.page.getByText('1 is admitted.').waitFor();
  await ana.page.getByText('1 is moved.').waitFor();
  await ana.page.getByText('1 row cannot be applied').waitFor();
  await ana.reads('is no date of birth');
  await ana.page.getByRole('radio', { name: 'They are discharged' }).check();
  await ana.page.getByText('1 is discharged.').waitFor();
  await does('Apply 3 changes');
  await ana.page.getByRole('dialog').getByText('Otto Lang').waitFor();
  await does('Discharge 1 and apply the rest');
  await ana.page.getByText('It would discharge 1 of 2: more than a tenth.').waitFor();
  expect(await ana.page.getByRole('dialog').getByRole('button', { name: 'Discharge 1 and apply the rest' }).isDisabled()).toBe(true);
  await ana.page.getByLabel('Type 1 to go on').fill('1');
  await does('Discharge 1 and apply the rest');
  await ana.page.getByText('3 changes were applied.').waitFor();
  await choose(list);
  await ana.page.getByText('2 rows are so already.').waitFor();
  await ana.page.getByText('Nothing: everything in the file is so already.').waitFor();
  expect(JSON.stringify(await ana.page.evaluate(() => ({ ...localStorage })))).not.toMatch(/Rosa|Noor|Haddad|Moss/);
});

test('admits again, by number, who was here before, and corrects who is written otherwise', async () => {
  await choose('MRN,Name,DOB,Bed\n102,Otto Lange,1938-05-06,2\n103,Rosa Diaz,,1\n');
  await does('Apply 2 changes');
  await ana.page.getByText('2 changes were applied.').waitFor();
  // Otto was known to the box as Lang: the list says otherwise, which is seen before it is done.
  await ana.reads('name: Otto Lange');
  await does('Apply 1 change');
  await ana.page.getByText('Nothing: everything in the file is so already.').waitFor();
});

test('of a list without a first row of names, nobody’s is kept on this device', async () => {
  await choose('MV-7731,Mila Vogel,1951-02-03,11\nMV-7732,Teo Brandt,1949-12-01,12\n');
  await ana.page.getByRole('combobox', { name: /^Record number/ }).selectOption({ label: 'MV-7731 (MV-7732)' });
  await ana.page.getByRole('combobox', { name: /^Bed/ }).selectOption({ label: '11 (12)' });
  await ana.page.getByText('1 is admitted.').waitFor();
  expect(JSON.stringify(await ana.page.evaluate(() => ({ ...localStorage })))).not.toMatch(/mila|vogel|7731|1951/i);
});

test('corrects by hand how somebody is written; it stands so in the thread', async () => {
  await ana.tab('Patients');
  await ana.page.getByRole('button', { name: 'Take beds' }).click();
  await ana.page.getByLabel('Or type beds and ranges').fill('1');
  await ana.page.getByRole('button', { name: 'Take them' }).click();
  await ana.page.getByRole('heading', { name: 'My beds' }).waitFor();
  await ana.tab('More');
  await does('Admit, move, discharge');
  await ana.page.getByRole('button', { name: /^Correct .*Rosa Diaz/ }).click();
  await ana.page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('Rosa Díaz Vega');
  await ana.page.getByRole('dialog').getByRole('button', { name: 'Write it so' }).click();
  await ana.page.getByRole('button', { name: /^Correct .*Rosa Díaz Vega/ }).waitFor();
  await ana.open('Rosa Díaz Vega');
});
