/** Photos and files, from one phone to the other: whole, over both ways, cut in the midst, and such as mean harm. */

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Box } from './box.ts';
import { Cable } from './cable.ts';
import { PersonAtApp } from './person.ts';

const NAME = `"><img src=x onerror=alert(1)>\u202Egnp.svg`;
const SVG = `<svg xmlns="http://www.w3.org/2000/svg"><script>document.title='broken'</script></svg>`;
/** Stands in a file; found on no disk. */
const CANARY = randomBytes(24).toString('hex');

/** Sound that plays, of about this many bytes. */
function wave(bytes: number): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + bytes, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(8_000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(bytes, 40);
  const sound = randomBytes(bytes);
  sound.write(CANARY, 100);
  return Buffer.concat([head, sound]);
}

class Phone {
  readonly who: PersonAtApp;

  constructor(who: PersonAtApp) {
    this.who = who;
  }

  get page() {
    return this.who.page;
  }

  async choose(name: string, buffer: Buffer, mimeType: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Add to the message' }).click();
    await this.page.getByRole('button', { name: 'Add a photo or file' }).click();
    await this.page.locator('input[type=file]').setInputFiles({ name, mimeType, buffer });
  }

  async photograph(): Promise<void> {
    await this.page.getByRole('button', { name: 'Add to the message' }).click();
    await this.page.getByRole('button', { name: 'Add a photo or file' }).click();
    await this.page.getByRole('button', { name: 'Take a photo' }).click();
    await this.page.getByRole('button', { name: 'Take the photo' }).click();
    await this.page.getByRole('button', { name: 'Use this photo' }).click();
  }

  async send(): Promise<void> {
    await this.page.getByText('Ready to send').waitFor({ timeout: 60_000 });
    await this.page.getByRole('button', { name: 'Send', exact: true }).click();
  }

  /** The newest file of the conversation, over the screen. */
  async openNewest(kind: string): Promise<void> {
    await this.page.getByRole('button', { name: new RegExp(`^${kind}: `) }).last().click();
  }

  async close(): Promise<void> {
    await this.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await this.page.getByRole('dialog').waitFor({ state: 'detached' });
  }

  /** How wide the photo in the sheet is, once it is there. */
  async photoWidth(): Promise<number> {
    const photo = this.page.getByRole('dialog').getByRole('img', { name: 'Photo' });
    await photo.waitFor({ timeout: 60_000 });
    return photo.evaluate((image) => (image as HTMLImageElement).decode().then(() => (image as HTMLImageElement).naturalWidth));
  }

  /** How long the recording in the sheet is, in seconds. */
  async duration(): Promise<number> {
    const sound = this.page.getByRole('dialog').locator('audio');
    await sound.waitFor({ timeout: 60_000 });
    return sound.evaluate(
      (audio) =>
        new Promise<number>((resolve) => {
          const element = audio as HTMLAudioElement;
          if (element.readyState > 0) resolve(element.duration);
          else element.onloadedmetadata = () => resolve(element.duration);
        }),
    );
  }
}

describe.each([
  { way: 'WebSocket', udp: false },
  { way: 'WebTransport', udp: true },
])('files over $way', ({ way, udp }) => {
  let box: Box;
  let cable: Cable;
  let ana: Phone;
  let ben: Phone;

  beforeAll(async () => {
    box = await Box.start();
    cable = await Cable.lay(box, { udp });
    ana = new Phone(await PersonAtApp.join(box, 'Ana', { camera: true }, cable));
    ben = new Phone(await PersonAtApp.join(box, 'Ben', {}, cable));
    expect(await ana.who.doorway()).toBe(way);
    await ana.who.writeTo('Ben Okafor');
    await ana.who.say('hello');
    await ben.who.open('Ana Flores');
    await ben.who.sees('hello');
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail') return;
    await ana.who.picture(context.task.id);
    await ben.who.picture(context.task.id);
  });
  afterAll(async () => {
    await ana?.who.leaves();
    await ben?.who.leaves();
    cable?.remove();
    await box?.stop();
  });

  test('a photo by the camera is on the other screen: small, then whole', async () => {
    await ana.photograph();
    await ana.send();
    await ben.who.sees('Photo');
    const small = ben.page.getByRole('button', { name: /^Photo: / }).last().locator('img');
    await small.waitFor();
    expect(await small.evaluate((image) => (image as HTMLImageElement).decode().then(() => (image as HTMLImageElement).naturalWidth))).toBeLessThanOrEqual(160);
    await ben.openNewest('Photo');
    expect(await ben.photoWidth()).toBeGreaterThan(160);
    await ben.page.getByRole('button', { name: 'Larger' }).click();
    await ben.close();
    expect(await ben.page.locator('dialog').count()).toBe(0);
  });

  test('a recording that is cut on its way there and on its way back is whole', async () => {
    const sent = cable.cutAfter(1_500_000);
    await ana.choose('handover.wav', wave(4_000_000), 'audio/wav');
    await sent;
    cable.mend();
    await ana.send();
    await ben.page.getByRole('button', { name: /^Audio note: / }).last().waitFor({ timeout: 60_000 });
    const come = cable.cutAfter(1_500_000);
    await ben.openNewest('Audio note');
    await come;
    cable.mend();
    expect(await ben.duration()).toBeCloseTo(500, 0);
    await ben.close();
  });

  test('what is locked away is gone, and on no disk', async () => {
    await ana.choose('left behind.wav', wave(20_000), 'audio/wav');
    await ana.page.getByText('Ready to send').waitFor();
    await ana.who.lock();
    await ana.who.unlock();
    await ana.who.open('Ben Okafor');
    expect(await ana.page.getByText('left behind').count()).toBe(0);
    for (const phone of [ana, ben]) {
      const kept = await phone.page.evaluate(async () => {
        const paths: string[] = [];
        for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys()) paths.push(new URL(request.url).pathname);
        return paths;
      });
      expect(kept.filter((path) => !/^\/($|language$|assets\/|[\w.-]+\.(png|svg|js|webmanifest|html)$)/.test(path))).toEqual([]);
      expect(filesWith(phone.who.browser.home, CANARY)).toEqual([]);
    }
  });
});

/** Files below a folder that have these letters in them. */
function filesWith(folder: string, letters: string): string[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return all.map((entry) => join(entry.parentPath, entry.name)).filter((path) => readFileSync(path).includes(letters));
}

describe('files that mean harm', () => {
  let box: Box;
  let ana: Phone;
  let ben: Phone;
  const alerts: string[] = [];

  beforeAll(async () => {
    box = await Box.start();
    ana = new Phone(await PersonAtApp.arrive(box, 'Ana'));
    // What the app would never send leaves all the same: the box is to refuse it.
    await ana.page.addInitScript(cheat, SVG);
    await ana.page.reload();
    await ana.who.goOnInBrowser();
    await ana.who.redeem(box.code('Ana'));
    await ana.who.seesInbox();
    ben = new Phone(await PersonAtApp.join(box, 'Ben'));
    for (const { page } of [ana, ben]) {
      page.on('dialog', (dialog) => {
        alerts.push(dialog.message());
        void dialog.dismiss();
      });
    }
    await ana.who.writeTo('Ben Okafor');
    await ana.who.say('hello');
    await ben.who.open('Ana Flores');
    await ben.who.sees('hello');
  });
  afterEach(async (context) => {
    for (const { page } of [ana, ben]) expect(await page.title()).toBe('Wardline');
    expect(alerts).toEqual([]);
    if (context.task.result?.state !== 'fail') return;
    await ana.who.picture(context.task.id);
    await ben.who.picture(context.task.id);
  });
  afterAll(async () => {
    await ana?.who.leaves();
    await ben?.who.leaves();
    await box?.stop();
  });

  test('a name is letters; two files may have one; a PDF that is none says so', async () => {
    const pdf = Buffer.from('%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj');
    await ana.choose(NAME, pdf, 'application/pdf');
    await ana.page.getByText('Ready to send').waitFor();
    await ana.choose(NAME, pdf, 'application/pdf');
    await ana.page.getByText('Ready to send').nth(1).waitFor();
    await ana.page.getByRole('button', { name: 'Send', exact: true }).click();
    await ben.who.sees('Document');
    const named = ben.page.getByRole('button', { name: /^PDF: / });
    await named.nth(1).waitFor();
    expect(await named.first().innerText()).toContain('"><img src=x onerror=alert(1)>gnp.svg');
    expect(await ben.page.getByRole('main').locator('img').count()).toBe(0);
    await named.first().click();
    await ben.page.getByText('This PDF cannot be shown').waitFor();
    await ben.close();
  });

  test('a drawing that calls itself a photo is refused by the app', async () => {
    await ana.choose('photo.png', Buffer.from(SVG), 'image/png');
    await ana.page.getByText('This file cannot be sent').waitFor();
    expect(await ana.page.getByRole('button', { name: 'Send', exact: true }).isDisabled()).toBe(true);
    await ana.page.getByRole('button', { name: /^Take away/ }).click();
  });

  test('and by the box', async () => {
    // The length is the drawing's: what is on its way is exchanged for it.
    const recording = Buffer.alloc(SVG.length);
    recording.write('OggS');
    await ana.choose('cheat.ogg', recording, 'audio/ogg');
    await ana.page.getByText('This file cannot be sent').waitFor();
    await ana.page.getByRole('button', { name: /^Take away/ }).click();
  });

  test('a photo that begins like one and is none cannot be sent, and where it was sent cannot be shown', async () => {
    const broken = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), randomBytes(2_000)]);
    await ana.choose('broken.jpg', broken, 'image/jpeg');
    await ana.page.getByText('This photo cannot be read on this device').waitFor();
    await ana.page.getByRole('button', { name: /^Take away/ }).click();
    // As another program would: it calls itself a recording to the app, and a photo to the box.
    await ana.choose('heel.jpg', Buffer.concat([Buffer.from('OggSJPEG'), randomBytes(2_000)]), 'image/jpeg');
    await ana.send();
    await ben.openNewest('Photo');
    await ben.page.getByText('This photo cannot be shown').waitFor();
    await ben.close();
    await ben.who.say('still here');
    await ana.who.sees('still here');
  });
});

/** In the page, before the app: exchanges what is hashed and sent of some files, and what they are announced as. */
function cheat(svg: string): void {
  const digest = crypto.subtle.digest.bind(crypto.subtle);
  const letters = (bytes: Uint8Array, count: number): string => String.fromCharCode(...bytes.subarray(0, count));
  const exchange = (bytes: Uint8Array): void => {
    if (letters(bytes, 8) === 'OggSJPEG') bytes.set([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0]);
    else if (bytes.length === svg.length && letters(bytes, 4) === 'OggS') bytes.set(new TextEncoder().encode(svg));
    else return;
    isPhoto = bytes[0] === 0xff;
  };
  let isPhoto = false;
  // The app hashes the very bytes that it then sends.
  crypto.subtle.digest = (how, data) => {
    if (data instanceof Uint8Array) exchange(data);
    return digest(how, data);
  };
  // BeginUpload.media, behind the conversation: field 3, OGG (6), is to be JPEG (1).
  const write = WritableStreamDefaultWriter.prototype.write;
  const send = WebSocket.prototype.send;
  const announce = (bytes: unknown): void => {
    if (!isPhoto || !(bytes instanceof Uint8Array)) return;
    for (let at = 9; at + 3 < bytes.length; at += 1) {
      if (bytes[at - 9] !== 0x11 || bytes[at] !== 0x18 || bytes[at + 1] !== 6 || bytes[at + 2] !== 0x20) continue;
      bytes[at + 1] = 1;
      isPhoto = false;
    }
  };
  WritableStreamDefaultWriter.prototype.write = function (bytes) {
    announce(bytes);
    return write.call(this, bytes);
  };
  WebSocket.prototype.send = function (bytes) {
    announce(bytes);
    return send.call(this, bytes);
  };
}
