/**
 * The browser's way over QUIC, as a page of the box's origin goes it, in Chromium and in Firefox: the hashes over HTTPS, a session
 * with one of them, a device that joins over it, and a goodbye with its code. Both trust the facility root by their own store, and no
 * certificate check is switched off.
 */

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type ClientFrame, ClientFrameSchema, type ServerFrame, ServerFrameSchema } from '../src/gen/wardline_pb.js';
import { Box } from './box.ts';
import { Browser, browserProgram } from './browser.ts';
import { FIREFOX, FIREFOX_PREFERENCES, firefoxProfile } from './firefox.ts';
import { PIN } from './person.ts';

/** What Playwright's and Puppeteer's pages have in common. */
interface Page {
  evaluate<A, R>(run: (arg: A) => R | Promise<R>, arg: A): Promise<R>;
}

interface Line {
  transport: WebTransport;
  writer: WritableStreamDefaultWriter<Uint8Array>;
  reader: ReadableStreamDefaultReader<Uint8Array>;
  rest: number[];
}

declare global {
  var line: Line | undefined;
}

const SUPERSEDED = 18;
const OVERSIZE = 0x101;

const sha256 = (...parts: (string | Uint8Array)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** A device that can join and sign in, from outside the page. */
class Device {
  readonly #pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  id = 0n;

  get key(): Uint8Array {
    const { x, y } = this.#pair.publicKey.export({ format: 'jwk' });
    return Buffer.concat([Buffer.from([4]), Buffer.from(x ?? '', 'base64url'), Buffer.from(y ?? '', 'base64url')]);
  }

  sign(...parts: (string | Uint8Array)[]): Uint8Array {
    const message = Buffer.concat(parts.map((part) => Buffer.from(part)));
    return sign('sha256', message, { key: this.#pair.privateKey, dsaEncoding: 'ieee-p1363' });
  }
}

/** One session of a page; frames are made and read here. */
class Session {
  readonly #page: Page;
  readonly #binding: Uint8Array;
  #request = 0n;

  private constructor(page: Page, binding: Uint8Array) {
    this.#page = page;
    this.#binding = binding;
  }

  /** Opens one with these hashes; null when the browser says no. */
  static async open(page: Page, address: string, hashes: readonly string[]): Promise<Session | null> {
    const opened = await page.evaluate(
      async ({ url, values }) => {
        const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
        const options = values.length === 0 ? {} : { serverCertificateHashes: values.map((hex) => ({ algorithm: 'sha-256', value: bytes(hex) })) };
        try {
          const transport = new WebTransport(url, options);
          transport.closed.catch(() => undefined);
          await transport.ready;
          const stream = await transport.createBidirectionalStream();
          globalThis.line = { transport, writer: stream.writable.getWriter(), reader: stream.readable.getReader(), rest: [] };
          return true;
        } catch {
          return false;
        }
      },
      { url: `${address}/wardline/1`, values: [...hashes] },
    );
    if (!opened) return null;
    const leaf = Buffer.from(hashes[0] ?? '', 'hex');
    return new Session(page, sha256('wardline/1 origin+leaf\0', address, '\0', leaf));
  }

  async ask(body: ClientFrame['body']): Promise<ServerFrame['body']> {
    const frame = toBinary(ClientFrameSchema, create(ClientFrameSchema, { request: ++this.#request, body }));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    const answer = await this.#page.evaluate(
      async (bytes) => {
        const line = globalThis.line;
        if (line === undefined) throw new Error('no session');
        await line.writer.write(Uint8Array.from(bytes));
        const due = (): number => {
          if (line.rest.length < 4) return 4;
          const [a, b, c, d] = line.rest as [number, number, number, number];
          return 4 + ((a << 24) | (b << 16) | (c << 8) | d);
        };
        while (line.rest.length < due()) {
          const { value, done } = await line.reader.read();
          if (done) throw new Error('the stream ended');
          line.rest.push(...value);
        }
        return line.rest.splice(0, due()).slice(4);
      },
      [...length, ...frame],
    );
    return fromBinary(ServerFrameSchema, Uint8Array.from(answer)).body;
  }

  async hello(device: bigint): Promise<{ challenge: Uint8Array; leafHashes: Uint8Array[] }> {
    const answer = await this.ask({ case: 'hello', value: { $typeName: 'wardline.v1.Hello', versionMin: 1, versionMax: 1, client: 'e2e', device } });
    if (answer.case !== 'welcome') throw new Error(`hello was answered with ${answer.case}`);
    return answer.value;
  }

  async join(device: Device, code: string): Promise<void> {
    const { challenge } = await this.hello(0n);
    const plain = code.replaceAll('-', '');
    const signature = device.sign('wardline/1 join\0', challenge, this.#binding, sha256('wardline/1 code\0', plain), device.key);
    const answer = await this.ask({
      case: 'join',
      value: { $typeName: 'wardline.v1.Join', code: plain, deviceKey: device.key, deviceName: 'e2e', pin: PIN, signature, rotates: false, loginSecret: new Uint8Array(0) },
    });
    if (answer.case !== 'signedIn') throw new Error(`the join was answered with ${answer.case}`);
    device.id = answer.value.device;
  }

  async signIn(device: Device): Promise<string | undefined> {
    const { challenge } = await this.hello(device.id);
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(device.id);
    const signature = device.sign('wardline/1 sign-in\0', challenge, this.#binding, number);
    return (await this.ask({ case: 'prove', value: { $typeName: 'wardline.v1.Prove', device: device.id, signature, rotates: false, loginSecret: new Uint8Array(0) } })).case;
  }

  /** The code that the box ends it with, once the page has read to the end. */
  static closed(page: Page): Promise<number | undefined> {
    return page.evaluate(async () => {
      const line = globalThis.line;
      if (line === undefined) throw new Error('no session');
      while (!(await line.reader.read()).done);
      await line.writer.close().catch(() => undefined);
      return (await line.transport.closed).closeCode;
    }, null);
  }
}

async function hashes(page: Page): Promise<string[]> {
  const said = await page.evaluate(async () => {
    const answer = await fetch('/wardline/1/certificates');
    return (await answer.json()) as { hashes: string[]; until: number };
  }, null);
  expect(said.until).toBeGreaterThan(Date.now());
  return said.hashes;
}

describe('a page with WebTransport', () => {
  let box: Box;
  beforeAll(async () => {
    box = await Box.start();
  });
  afterAll(async () => {
    await box?.stop();
  });

  /** The same in every browser; `other` is another page of the same browser. */
  async function goesThere(page: Page, other: Page, who: string): Promise<void> {
    const known = await hashes(page);
    expect(known).toHaveLength(2);
    const [current = '', next = ''] = known;
    expect(await Session.open(page, box.address, []), 'a private root is taken, and the hashes are for nothing').toBeNull();
    expect(await Session.open(page, box.address, ['00'.repeat(32)]), 'another hash').toBeNull();
    expect(await Session.open(page, box.address, [next]), 'the leaf that is not served yet').toBeNull();

    const device = new Device();
    const session = await Session.open(page, box.address, [current]);
    if (session === null) throw new Error('no session with the right hash');
    await session.join(device, box.code(who));

    const later = await Session.open(other, box.address, [current]);
    if (later === null) throw new Error('no second connection');
    const welcome = await later.hello(device.id);
    expect(welcome.leafHashes.map((hash) => Buffer.from(hash).toString('hex'))).toEqual(known);
    const again = await Session.open(other, box.address, [current]);
    expect(await again?.signIn(device)).toBe('signedIn');
    expect(await Session.closed(page)).toBe(SUPERSEDED);

    // Why a session ends is heard each time, however soon it does.
    const codes = new Set<number | undefined>();
    for (let once = 0; once < 20; once += 1) {
      expect(await Session.open(other, box.address, [current])).not.toBeNull();
      await other.evaluate(() => globalThis.line?.writer.write(Uint8Array.from([255, 255, 255, 255])), null);
      codes.add(await Session.closed(other));
    }
    expect([...codes]).toEqual([OVERSIZE]);
  }

  test.runIf(browserProgram() !== null)('in Chromium; and a page of another origin does not get there', async () => {
    const browser = await Browser.open(box);
    const site = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><title>win a prize</title>'));
    try {
      const [page, other] = [browser.page, await browser.context.newPage()];
      await page.goto(`${box.address}/`);
      await other.goto(`${box.address}/`);
      await goesThere(page as Page, other as Page, 'Ana');

      const known = await hashes(page as Page);
      await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
      const at = site.address();
      if (at === null || typeof at === 'string') throw new Error('no port');
      await other.goto(`http://127.0.0.1:${at.port}/`);
      expect(await other.evaluate(() => typeof WebTransport), 'not a page that could try').toBe('function');
      expect(await Session.open(other as Page, box.address, known.slice(0, 1)), 'a page of another origin').toBeNull();
    } finally {
      site.close();
      await browser.close();
    }
  });

  test.runIf(existsSync(FIREFOX))('in Firefox', async () => {
    const home = mkdtempSync(join(tmpdir(), 'wardline-firefox-'));
    const firefox = await puppeteer.launch({
      browser: 'firefox',
      executablePath: FIREFOX,
      userDataDir: firefoxProfile(home, box),
      acceptInsecureCerts: false,
      extraPrefsFirefox: FIREFOX_PREFERENCES,
      env: { ...process.env, HOME: home },
    });
    try {
      const [page, other] = [await firefox.newPage(), await firefox.newPage()];
      await page.goto(`${box.address}/`);
      await other.goto(`${box.address}/`);
      await goesThere(page as Page, other as Page, 'Ben');
    } finally {
      await firefox.close();
      rmSync(home, { recursive: true, force: true });
    }
  });
});
