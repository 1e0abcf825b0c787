import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  ConversationKind,
  DeclineReason,
  DoneSchema,
  ExportBegunSchema,
  ExportPageSchema,
  ExportPlacesSchema,
  MediaType,
  NoticeKind,
  OrderDeed,
  Priority,
} from '../../gen/wardline_pb.js';
import { recordPage } from '../../view/areas/admin/privacy/export/page.ts';
import { exportPageEn } from '../../words/areas/exportPage.en.ts';
import { Declines } from '../admin/asking.ts';
import { ascii, type Bytes, bigEndian64, concat, fromHex, toHex } from '../bytes.ts';
import type { Ask, Told } from '../frames.ts';
import { parseId, type DeviceId, type PersonId } from '../ids.ts';
import { answerBytes, type Hash } from '../proofs.ts';
import type { Refusal, Reply } from '../snapshot.ts';
import { unpack } from '../testing/unzip.ts';
import { type ExportEdge, exportRecord, type Progress } from './exporting.ts';
import { time } from './record.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const ROOT = new Uint8Array(32).fill(7);
const ANA = 0x101n;
const LUIS = parseId<PersonId>('0000000000000107') as PersonId;
const PHOTO = concat([Uint8Array.of(0xff, 0xd8, 0xff), ascii('photo')]);

const sha256 = async (bytes: Bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

/** A box with one patient's thread: a STAT that was answered and signed, a photo, a notice; and what it is asked. */
class Box {
  readonly asked: Ask[] = [];
  /** What the next asks are refused with. */
  refusals: Refusal[] = [];
  files: (Bytes | Refusal)[] = [PHOTO];
  waits: number[] = [];
  patientNumber = 0;
  signature = new Uint8Array(64);
  key = new Uint8Array(65);
  seal = '';

  /** Ana's device accepts the STAT. */
  async sign(): Promise<void> {
    const pair = await crypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
    const said = answerBytes({ facility: ROOT as Hash, device: parseId('0000000000000501') as DeviceId, conversation: parseId('0000000000000301') as never, sequence: 2 as never, at: 1_796_000_000_120, said: { say: 'accept' } });
    this.signature = new Uint8Array(await crypto.subtle.sign({ ...CURVE, hash: 'SHA-256' }, pair.privateKey, said));
    this.key = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  }

  asks = (body: Ask): Promise<Reply> => {
    this.asked.push(body);
    const refusal = this.refusals.shift();
    if (refusal !== undefined) return Promise.resolve({ reply: 'refused', refusal });
    return Promise.resolve({ reply: 'answer', request: 1, body: this.#answer(body) });
  };

  #answer(body: Ask): Told {
    const place = { conversation: 0x301n, kind: ConversationKind.PATIENT, first: 1n, through: 3n, patientNumber: this.patientNumber };
    switch (body.case) {
      case 'beginExport':
        return { case: 'exportBegun', value: create(ExportBegunSchema, { export: 0x77n, at: 1_796_000_000_000n, places: 1, patient: { patient: 0x201n, particulars: { recordNumber: 'R1', name: 'Rosa <Delgado>', birthDate: '1950-01-01' } } }) };
      case 'listExport':
        return { case: 'exportPlaces', value: create(ExportPlacesSchema, { places: body.value.after === 0n ? [place] : [], end: body.value.after !== 0n }) };
      case 'readExport':
        return { case: 'exportPage', value: create(ExportPageSchema, body.value.after === 0n ? this.#first() : { conversation: 0x301n, through: 3n, end: true }) };
      case 'finishExport':
        this.seal = toHex(body.value.manifestSha256 ?? new Uint8Array(0));
        return { case: 'done', value: create(DoneSchema) };
      default:
        throw new Error(`asked ${body.case}`);
    }
  }

  #first() {
    const message = (sequence: bigint, text: string, more: object = {}) => ({ conversation: 0x301n, sequence, message: new Uint8Array(16).fill(Number(sequence)), sender: ANA, at: 1_796_000_000_000n, text, ...more });
    return {
      conversation: 0x301n,
      through: 2n,
      namesHidden: 1,
      notices: [{ conversation: 0x301n, number: 1n, after: 1n, at: 1_796_000_000_000n, kind: NoticeKind.LEFT, person: ANA }, { conversation: 0x301n, number: 2n, after: 1n, at: 0n, kind: 999 as NoticeKind }],
      messages: [
        message(1n, '</p><script>alert(1)</script>\u202e [#] is next door', { attachments: [{ media: MediaType.JPEG, length: BigInt(PHOTO.length), sha256: new Uint8Array(32).fill(3), name: '../../wound.jpg' }] }),
        message(2n, 'come now', { priority: Priority.STAT }),
      ],
      acts: [
        {
          sequence: 2n,
          stat: { conversation: 0x301n, sequence: 2n, state: 3, since: 1_796_000_000_000n, by: ANA, called: [{ person: ANA, step: 0, declined: DeclineReason.UNSPECIFIED }] },
          signed: [{ conversation: 0x301n, sequence: 2n, person: ANA, device: 0x501n, deviceKey: this.key, at: 1_796_000_000_120n, taken: 1_796_000_000_200n, said: { case: 'accept' as const, value: {} }, signature: this.signature }],
          order: { conversation: 0x301n, sequence: 2n, author: ANA, sort: 1, state: 1 },
          orderSigned: [{ conversation: 0x301n, sequence: 2n, person: ANA, device: 0x501n, deviceKey: this.key, deed: OrderDeed.GIVE, message: new Uint8Array(16).fill(2), said: 2n }],
        },
      ],
    };
  }

  edge: ExportEdge = {
    facility: () => Promise.resolve({ name: 'Mercy', root: ROOT }),
    sha256,
    isSignedBy: async (key, signature, bytes) => {
      const point = await crypto.subtle.importKey('raw', key, CURVE, false, ['verify']);
      return crypto.subtle.verify({ ...CURVE, hash: 'SHA-256' }, point, signature, bytes);
    },
    file: () => Promise.resolve(this.files.shift() ?? { code: 'NO_SUCH_ATTACHMENT', advice: '' }),
    pause: (seconds) => (this.waits.push(seconds), Promise.resolve()),
  };
}

async function exported(box: Box, stop = new AbortController().signal) {
  const told: Progress[] = [];
  const names = { people: new Map([['0000000000000101', { name: 'Ana Ruiz', title: 'RN' }]]), units: new Map<string, string>(), roles: new Map<string, string>(), by: LUIS };
  const done = await exportRecord({ of: 'patient', recordNumber: ' R1 ' }, ' Request of the patient ', { asks: box.asks, edge: box.edge, page: recordPage(exportPageEn), names: () => Promise.resolve(names), told: (next) => told.push(next), stop });
  const files = new Map([...unpack(concat(done.parts))].map(([path, bytes]) => [path.replace('wardline-export-0000000000000077/', ''), bytes]));
  const text = (path: string) => new TextDecoder().decode(files.get(path));
  const lines = text('record.jsonl').trimEnd().split('\n');
  return { done, told, files, text, lines, parsed: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('an exported record', () => {
  it('is whole: each line, its chain, the manifest, and the seal that the box records', async () => {
    const box = new Box();
    await box.sign();
    const { done, files, text, lines, parsed, told } = await exported(box);
    expect([...files.keys()]).toEqual(['record.jsonl', 'record.html', 'chain.txt', 'files/000001.jpg', 'manifest.json']);
    expect(parsed.map((line) => line['record'])).toEqual(['header', 'conversation', 'message', 'notice', 'message', 'stat', 'stat_answer', 'order', 'order_signed', 'conversation_end']);
    let link = await sha256(ascii('wardline-export/1\n'));
    for (const [at, line] of lines.entries()) {
      const own = await sha256(new TextEncoder().encode(line));
      link = await sha256(concat([link, own]));
      expect(text('chain.txt').split('\n')[at]).toBe(`${toHex(own)} ${toHex(link)}`);
    }
    const manifest = JSON.parse(text('manifest.json')) as { chain: string; count: Record<string, number>; files: { path: string; bytes: number; sha256: string }[] };
    expect(manifest.chain).toBe(toHex(link));
    expect(manifest.count).toEqual({ lines: 10, conversations: 1, messages: 2, notices: 1, stats: 1, orders: 1, tasks: 0, signed: 2, unverified: 0, files: 1, files_withheld: 0, names_hidden: 1 });
    for (const { path, bytes, sha256: hash } of manifest.files.filter(({ path }) => !path.startsWith('files/'))) {
      expect(`${path} ${files.get(path)?.length}`).toBe(`${path} ${bytes}`);
      expect(toHex(await sha256(concat([files.get(path) ?? new Uint8Array(0)])))).toBe(hash);
    }
    expect(toHex(await sha256(concat([files.get('manifest.json') ?? new Uint8Array(0)])))).toBe(toHex(done.seal));
    expect(box.seal).toBe(toHex(done.seal));
    expect(done).toMatchObject({ name: 'wardline-export-0000000000000077.zip', isRecorded: true });
    expect(told.at(-1)).toEqual({ places: 1, of: 1, messages: 2, files: 1 });
    expect(box.asked[0]?.value).toMatchObject({ grounds: 'Request of the patient', subject: { value: 'R1' } });
  });
  it('says of each signature whether it verifies, and shows nothing where a name is hidden', async () => {
    const box = new Box();
    await box.sign();
    const right = (await exported(box)).parsed;
    const answer = right.find((line) => line['record'] === 'stat_answer');
    expect(answer).toMatchObject({ said: 'accept', verified: true, hidden: false, at: '2026-11-30T00:53:20.12Z', at_ms: 1_796_000_000_120 });
    expect(fromHex(answer?.['signed'] as string)?.subarray(-9)).toEqual(concat([bigEndian64(1_796_000_000_120n), Uint8Array.of(1)]));
    expect(right.find((line) => line['record'] === 'order_signed')).toMatchObject({ verified: null, hidden: true, signed: null, signature: null, text_sha256: null });
    const other = new Box();
    await other.sign();
    other.signature[5] = (other.signature[5] ?? 0) ^ 1;
    const { done, text } = await exported(other);
    expect(done.count.unverified).toBe(1);
    expect(text('record.html')).toContain('THE SIGNATURE IS WRONG');
  });
  it('lets nothing that somebody wrote be more than text, nor a path', async () => {
    const box = new Box();
    await box.sign();
    const { text, files } = await exported(box);
    const page = text('record.html');
    expect(page).not.toMatch(/<script|\u202e|Rosa <D/);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;\ufffd [#] is next door');
    expect([...files.keys()].some((path) => path.includes('wound'))).toBe(false);
  });
  it('has no file of a patient whose record it is not, and says so; nor one that is gone', async () => {
    for (const box of [Object.assign(new Box(), { patientNumber: 4 }), Object.assign(new Box(), { files: [] })]) {
      await box.sign();
      const { done, parsed } = await exported(box);
      expect(done.count).toMatchObject({ files: 0, files_withheld: 1 });
      expect(parsed.find((line) => line['record'] === 'message')).toMatchObject({ attachments: [{ file: null }] });
    }
  });
});

describe('an export', () => {
  it('goes on where the box is away for a while, and waits as long as it says', async () => {
    const box = new Box();
    await box.sign();
    const begun = box.asks;
    box.asks = (body) => {
      if (body.case === 'readExport' && box.waits.length === 0) box.refusals = [{ code: 'SLOW_DOWN', advice: '', retryAfter: 9 }, { code: 'OFFLINE', advice: '' }];
      return begun(body);
    };
    expect((await exported(box)).done.count.messages).toBe(2);
    expect(box.waits).toEqual([9, 2]);
  });
  it('ends at once where it is refused, stopped or too large', async () => {
    const refused = new Box();
    refused.refusals = [{ code: 'NO_SUCH_PATIENT', advice: '' }];
    await expect(exported(refused)).rejects.toThrow('NO_SUCH_PATIENT');
    expect(refused.asked).toHaveLength(1);
    const stop = new AbortController();
    stop.abort();
    await expect(exported(new Box(), stop.signal)).rejects.toThrow('EXPORT_STOPPED');
    const broken = Object.assign(new Box(), { files: [{ code: 'FILE_OTHER', advice: '' }] });
    await broken.sign();
    await expect(exported(broken)).rejects.toThrow(Declines);
    expect(broken.seal).toBe('');
  });
  it('says when it does not know whether the seal was recorded', async () => {
    const box = new Box();
    await box.sign();
    const begun = box.asks;
    box.asks = (body) => {
      if (body.case === 'finishExport' && box.waits.length === 0) box.refusals = [{ code: 'INTERRUPTED', advice: '' }, { code: 'NO_SUCH_EXPORT', advice: '' }];
      return begun(body);
    };
    expect((await exported(box)).done.isRecorded).toBe(false);
  });
});

describe('a moment', () => {
  it('is written without what is zero behind the second', () => {
    const moments = [1_796_000_000_000n, 1_796_000_000_100n, 1_796_000_000_120n, 1_796_000_000_123n, 9_000_000_000_000_000_000n].map(time);
    expect(moments).toEqual(['2026-11-30T00:53:20Z', '2026-11-30T00:53:20.1Z', '2026-11-30T00:53:20.12Z', '2026-11-30T00:53:20.123Z', '']);
  });
});
