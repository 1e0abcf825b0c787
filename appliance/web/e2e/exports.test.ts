/** A privacy officer exports a record in the app, against a whole box: what is saved is whole by the terminal program too, and nothing else keeps it. */

import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { unpack } from '../src/domain/testing/unzip.ts';
import { Box } from './box.ts';
import { PersonAtApp } from './person.ts';

const DESK = { width: 1440, height: 900 };
/** Stands in a message and in nothing else; found on no disk of the officer's browser. */
const CANARY = randomBytes(12).toString('hex');
const SAID = `Pedro Alvarez next door has her glasses ${CANARY}`;
/** A recording of no sound, by its first bytes. */
const SOUND = Buffer.concat([Buffer.from('RIFF\x24\x08\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x00\x08\x00\x00', 'latin1'), Buffer.alloc(2048, 0x80)]);

describe('Luis, who is a privacy officer', () => {
  let box: Box;
  let luis: PersonAtApp;
  let home: string;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'wardline-export-'));
    box = await Box.start();
    box.patient('admit', 'R1', 'Hall A', '1', '--name', 'Rosa Delgado', '--born', '1950-01-01', '--sex', 'F');
    box.patient('admit', 'R2', 'Hall A', '2', '--name', 'Pedro Alvarez', '--born', '1951-02-02', '--sex', 'M');
    const [chidi, emil] = [await PersonAtApp.join(box, 'Chidi'), await PersonAtApp.join(box, 'Emil')];
    for (const who of [chidi, emil]) {
      await who.tab('Patients');
      await who.page.getByRole('button', { name: 'Take beds' }).click();
      await who.page.getByLabel('Or type beds and ranges').fill('1');
      await who.page.getByRole('button', { name: 'Take them' }).click();
      await who.page.getByRole('heading', { name: 'My beds' }).waitFor();
    }
    await chidi.open('Rosa Delgado');
    await chidi.say(SAID);
    await chidi.page.getByRole('button', { name: 'Add to the message' }).click();
    await chidi.page.getByRole('button', { name: 'Add a photo or file' }).click();
    await chidi.page.locator('input[type=file]').setInputFiles({ name: 'breathing.wav', mimeType: 'audio/wav', buffer: SOUND });
    await chidi.page.getByText('Ready to send').waitFor();
    await chidi.page.getByRole('button', { name: 'Send', exact: true }).click();
    await chidi.say('not breathing well', 'STAT');
    await emil.page.getByRole('button', { name: 'Open', exact: true }).first().click();
    await emil.page.getByRole('button', { name: 'I have it' }).click();
    await chidi.reads('Emil Sand has it');
    await chidi.leaves();
    await emil.leaves();
    luis = await PersonAtApp.join(box, 'Luis', DESK);
  });
  afterEach(async (context) => {
    if (context.task.result?.state === 'fail') await luis?.picture(context.task.id);
  });
  afterAll(async () => {
    await luis?.leaves();
    await box?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  async function opensExports(): Promise<void> {
    await luis.tab('More');
    await luis.page.getByRole('button', { name: 'Privacy officer', exact: true }).click();
    await luis.page.getByRole('radio', { name: 'Exports' }).check();
  }
  /** Types why, exports, and unpacks what the browser saved. */
  async function saves(): Promise<{ folder: string; files: ReadonlyMap<string, Uint8Array>; seal: string }> {
    await luis.page.getByLabel('Why', { exact: true }).fill('Request of the patient, 2026-11-20');
    const download = luis.page.waitForEvent('download');
    await luis.page.getByRole('button', { name: 'Export', exact: true }).click();
    const saved = await download;
    await luis.page.getByRole('heading', { name: 'The record is saved' }).waitFor();
    const files = unpack(readFileSync(await saved.path()));
    expect(saved.suggestedFilename()).toMatch(/^wardline-export-[0-9a-f]{16}\.zip$/);
    for (const [path, bytes] of files) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), bytes);
    }
    const seal = /[0-9a-f]{64}/.exec(await luis.page.getByText(/^[0-9a-f]{64}$/).innerText())?.[0] ?? '';
    return { folder: join(home, saved.suggestedFilename().replace('.zip', '')), files, seal };
  }
  const ending = (files: ReadonlyMap<string, Uint8Array>, end: string) => Buffer.from([...files].find(([path]) => path.endsWith(end))?.[1] ?? []);

  test('is told in plain words what is wrong, before anything is asked and after', async () => {
    await opensExports();
    await luis.page.getByRole('button', { name: 'Export', exact: true }).click();
    await luis.sees('Type the patient’s record number: 1 to 32 characters without blanks.');
    await luis.sees('Say why, in 10 characters or more.');
    await luis.page.getByLabel('Record number').fill('R404');
    await luis.page.getByLabel('Why', { exact: true }).fill('Request of the patient');
    await luis.page.getByRole('button', { name: 'Export', exact: true }).click();
    await luis.page.getByText('No patient has this record number.').waitFor();
  });

  test('saves a patient’s record: whole, signed, sealed, with no other patient’s name', async () => {
    await luis.page.getByLabel('Record number').fill('R1');
    const { folder, files, seal } = await saves();
    // By another program, byte by byte and signature by signature.
    expect(box.command('export', 'verify', folder, '--seal', seal)).toContain('Whole: 3 messages and 1 file, with 1 STAT');
    expect(createHash('sha256').update(ending(files, '/manifest.json')).digest('hex')).toBe(seal);
    const [record, page] = [ending(files, '/record.jsonl').toString(), ending(files, '/record.html').toString()];
    expect(record).toContain(`[#] next door has her glasses ${CANARY}`);
    expect(`${record}${page}`).not.toMatch(/Pedro|Alvarez/);
    expect(page).toContain('Record of Rosa Delgado');
    expect(page).toMatch(/answered by Emil Sand\w*/);
    expect(page).not.toContain('THE SIGNATURE IS WRONG');
    expect(record).toContain('"verified":true');
    expect(ending(files, 'files/000001.wav').equals(SOUND)).toBe(true);
    // A byte that is another is found.
    writeFileSync(join(folder, 'record.jsonl'), record.replace('glasses', 'classes'));
    expect(() => box.command('export', 'verify', folder, '--seal', seal)).toThrow();
    // The audit log has it, and the seal with it.
    await luis.page.getByRole('radio', { name: 'Audit log' }).check();
    await luis.page.getByText(/export/i).first().waitFor();
  });

  test('saves a person’s record: patients are numbers in it, and files of their threads are not', async () => {
    await luis.page.getByRole('radio', { name: 'Exports' }).check();
    await luis.page.getByRole('radio', { name: 'A person’s' }).check();
    await luis.page.getByLabel('Person', { exact: true }).selectOption({ label: '\u2068Chidi Eze\u2069' });
    const { folder, files, seal } = await saves();
    expect(box.command('export', 'verify', folder, '--seal', seal)).toContain('3 messages and 0 files');
    const text = ending(files, '/record.jsonl').toString() + ending(files, '/record.html').toString();
    expect(text).not.toMatch(/Rosa|Delgado|Pedro|Alvarez/);
    expect(text).toContain('Patient 1, patient thread');
    expect(text).toContain('(not included)');
  });

  test('leaves nothing of it in the browser', async () => {
    const kept = await luis.page.evaluate(async () => {
      const found: string[] = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
      for (const name of await caches.keys()) for (const { url } of await (await caches.open(name)).keys()) found.push(url);
      return found.join('\n');
    });
    expect(kept).not.toMatch(/Rosa|Delgado|wardline-export-[0-9a-f]/);
    expect(kept).not.toContain(CANARY);
    // Nor on its disk, as far as a computer has one: what it downloads lies elsewhere.
    const entries = readdirSync(luis.browser.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const holds = entries.map((entry) => join(entry.parentPath, entry.name)).filter((path) => readFileSync(path).includes(CANARY));
    expect(holds).toEqual([]);
  });
});
