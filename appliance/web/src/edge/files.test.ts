import { beforeEach, describe, expect, it } from 'vitest';

import { type Bytes, concat, toHex } from '../domain/bytes.ts';
import type { FileShown, Refusal } from '../domain/snapshot.ts';
import { isRefusal } from '../domain/refusals.ts';
import { RefusalCode } from '../gen/wardline_pb.js';
import { BoxFiles } from './files.ts';
import { FileBox } from './testing/file-box.ts';

const JPEG = [0xff, 0xd8, 0xff, 0xe0];
const PLACE = { conversation: '0000000000000301', sequence: 5, which: 0 };
const nobody = new AbortController().signal;

/** A photo by its first bytes, of this length. */
function photo(length: number): Bytes {
  const bytes = Uint8Array.from({ length }, (_, at) => (at * 31) % 251);
  bytes.set(JPEG.slice(0, length));
  return bytes;
}

async function shown(bytes: Bytes, over: Partial<FileShown> = {}): Promise<FileShown> {
  const sha256 = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
  return { name: 'x.jpg', kind: 'photo', size: bytes.length, sha256, thumbnail: true, ...over };
}

let box: FileBox;
let files: BoxFiles;
let pauses: number[];

beforeEach(() => {
  box = new FileBox();
  pauses = [];
  files = new BoxFiles(box.ask, box.doorway, async (wait) => void pauses.push(wait));
});

describe('sending', () => {
  const send = (bytes: Bytes, stop = nobody, progress: (sent: number) => void = () => undefined) =>
    files.send({ conversation: PLACE.conversation, bytes: new Blob([bytes]), name: 'x.jpg', picture: null }, progress, stop);

  it('brings all of it there, and says how far it is', async () => {
    const bytes = photo(150_000);
    const progress: number[] = [];
    const sent = await send(bytes, nobody, (at) => progress.push(at));
    expect(sent).toEqual({ upload: [...box.uploads.keys()][0], name: 'x.jpg' });
    expect([...box.uploads.values()]).toEqual([{ have: bytes, length: 150_000, done: true }]);
    expect(progress).toEqual([65_536, 131_072, 150_000]);
    expect(box.open).toBe(0);
  });

  it('goes on where it was cut, whatever byte that was at', async () => {
    const bytes = photo(90);
    for (let cut = 0; cut < 150; cut += 1) {
      box.uploads.clear();
      box.cuts = [cut, cut + 7];
      const sent = await send(bytes);
      expect(isRefusal(sent), `cut at ${cut}`).toBe(false);
      expect(toHex([...box.uploads.values()][0]?.have ?? new Uint8Array(0)), `cut at ${cut}`).toBe(toHex(bytes));
    }
    expect(box.uploads.size).toBe(1);
  });

  it('is patient as long as it comes further, and no longer', async () => {
    const request = 13;
    box.cuts = Array.from({ length: 30 }, () => request + 6 + 8);
    expect(isRefusal(await send(photo(200)))).toBe(false);
    box.cuts = Array.from({ length: 30 }, () => 3);
    expect(await send(photo(200))).toMatchObject({ code: 'INTERRUPTED' });
    expect(pauses.slice(-7)).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000]);
  });

  it('waits for a box that is not there, and as long as the box says', async () => {
    box.refusals = ['OFFLINE', 'UNAVAILABLE'];
    expect(isRefusal(await send(photo(50)))).toBe(false);
    const { ask } = box;
    let first = true;
    files = new BoxFiles(
      async (body) => {
        if (!first) return ask(body);
        first = false;
        return { reply: 'refused', refusal: { code: 'SLOW_DOWN', advice: '', retryAfter: 20 } };
      },
      box.doorway,
      async (wait) => void pauses.push(wait),
    );
    await send(photo(50));
    expect(pauses.at(-1)).toBe(20_000);
  });

  it('says what the box refused, at once, before it, in front of it and behind it', async () => {
    box.refusals = ['ATTACHMENT_TOO_LARGE'];
    expect(await send(photo(50))).toMatchObject({ code: 'ATTACHMENT_TOO_LARGE' });
    box.headRefused = RefusalCode.NO_SUCH_UPLOAD;
    expect(await send(photo(50))).toMatchObject({ code: 'NO_SUCH_UPLOAD' });
    box.headRefused = null;
    box.tailRefused = RefusalCode.ATTACHMENT_MISTYPED;
    expect(await send(photo(300_000))).toMatchObject({ code: 'ATTACHMENT_MISTYPED' });
    expect(pauses).toEqual([]);
    expect(box.open).toBe(0);
  });

  it('sends nothing that no box takes', async () => {
    const svg = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
    expect(await send(svg)).toMatchObject({ code: 'ATTACHMENT_MISTYPED' });
    expect(await send(new Uint8Array(0))).toMatchObject({ code: 'ATTACHMENT_MISTYPED' });
    expect(box.asked).toEqual([]);
  });

  it('ends when the app locks', async () => {
    box.heard = (had) => (box.isLocked = had > 65_536);
    expect(await send(photo(300_000))).toMatchObject({ code: 'LOCKED' });
    expect(box.streams).toBe(1);
  });

  it('ends when its person stops it, and the next one goes', async () => {
    const stop = new AbortController();
    box.heard = () => stop.abort();
    expect(isRefusal(await send(photo(300_000), stop.signal))).toBe(true);
    box.heard = () => undefined;
    expect([...box.uploads.values()].map((one) => one.done)).toEqual([false]);
    expect(isRefusal(await send(photo(50)))).toBe(false);
    expect(box.open).toBe(0);
  });

  it('sends one after the other', async () => {
    let most = 0;
    box.heard = () => (most = Math.max(most, box.open));
    await Promise.all([send(photo(200_000)), send(photo(200_000)), send(photo(200_000))]);
    expect([...box.uploads.values()].every((one) => one.done)).toBe(true);
    expect(most).toBe(1);
  });
});

describe('receiving', () => {
  const receive = async (of: FileShown | Promise<FileShown>, what: 'file' | 'picture' = 'file', stop = nobody, progress: (come: number) => void = () => undefined) =>
    files.receive(PLACE, await of, what, progress, stop);
  const bytesOf = async (came: Blob | Refusal) => (isRefusal(came) ? came.code : toHex(new Uint8Array(await came.arrayBuffer())));

  it('has all of it, as what its bytes are', async () => {
    box.file = photo(100_000);
    const come: number[] = [];
    const came = await receive(shown(box.file, { name: 'x.svg' }), 'file', nobody, (at) => come.push(at));
    expect(await bytesOf(came)).toBe(toHex(box.file));
    expect(came).toMatchObject({ type: 'image/jpeg' });
    expect(come.at(-1)).toBe(100_000);
  });

  it('goes on where it was cut, whatever byte that was at', async () => {
    box.file = photo(60);
    for (let cut = 0; cut < 90; cut += 1) {
      box.cuts = [cut, cut + 5];
      expect(await bytesOf(await receive(shown(box.file))), `cut at ${cut}`).toBe(toHex(box.file));
    }
    expect(new Set(box.offsets).size).toBeGreaterThan(40);
  });

  it('begins the small picture again when it was cut', async () => {
    box.picture = photo(500);
    box.cuts = [200, 300];
    expect(await bytesOf(await receive(shown(photo(60)), 'picture'))).toBe(toHex(box.picture));
    expect(box.offsets).toEqual([0, 0, 0].slice(0, box.offsets.length));
  });

  it('refuses what is another file than its message says, longer, or shorter', async () => {
    box.file = photo(60);
    const other = photo(60);
    other[30] = 0;
    expect(await receive(shown(other))).toMatchObject({ code: 'FILE_OTHER' });
    box.file = concat([photo(60), new Uint8Array(1)]);
    expect(await receive(shown(photo(60)))).toMatchObject({ code: 'FILE_OTHER' });
    box.file = photo(59);
    expect(await receive(shown(photo(60)))).toMatchObject({ code: 'FILE_OTHER' });
    expect(pauses).toEqual([]);
  });

  it('refuses what would run, and a small picture that is large', async () => {
    box.file = new TextEncoder().encode('<html><script>alert(1)</script></html>');
    expect(await receive(shown(box.file))).toMatchObject({ code: 'FILE_OTHER' });
    box.picture = photo(10_241);
    expect(await receive(shown(photo(60)), 'picture')).toMatchObject({ code: 'FILE_OTHER' });
  });

  it('says what the box refused', async () => {
    box.headRefused = RefusalCode.NO_SUCH_ATTACHMENT;
    expect(await receive(shown(photo(60)))).toMatchObject({ code: 'NO_SUCH_ATTACHMENT' });
    expect(await files.receive({ ...PLACE, sequence: 0 }, await shown(photo(60)), 'file', () => undefined, nobody)).toMatchObject({ code: 'NO_SUCH_ATTACHMENT' });
  });

  it('ends when its person stops it', async () => {
    box.file = photo(60);
    const stop = new AbortController();
    expect(isRefusal(await receive(shown(box.file), 'file', stop.signal, () => stop.abort()))).toBe(false);
    expect(isRefusal(await receive(shown(box.file), 'file', stop.signal))).toBe(true);
    expect(box.open).toBe(0);
  });
});
