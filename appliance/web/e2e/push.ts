/**
 * A push service of RFC 8030 on this machine, and the browser's half of a subscription's keys (RFC 8291): in the place of Google's, which
 * no test can ask. Everything before and behind it is as it is on a phone.
 */

import { spawnSync } from 'node:child_process';
import { createDecipheriv, createECDH, hkdfSync, randomBytes, type ECDH } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What it was sent. */
export interface Came {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export class PushService {
  readonly came: Came[] = [];
  readonly roots: string;
  readonly #home: string;
  readonly #server: Server;
  readonly #key: ECDH = createECDH('prime256v1');
  readonly #auth = randomBytes(16);

  private constructor(home: string) {
    this.#home = home;
    this.roots = join(home, 'cert.pem');
    this.#key.generateKeys();
    this.#server = createServer({ key: readFileSync(join(home, 'key.pem')), cert: readFileSync(this.roots) }, (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        this.came.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(parts) });
        response.writeHead(201, { Location: '/message/1' }).end();
      });
    });
  }

  static async start(): Promise<PushService> {
    const home = mkdtempSync(join(tmpdir(), 'wardline-push-'));
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=push'];
    const names = ['-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE'];
    const made = spawnSync('openssl', [...request, ...names, '-keyout', join(home, 'key.pem'), '-out', join(home, 'cert.pem')], { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
    const service = new PushService(home);
    await new Promise<void>((resolve) => service.#server.listen(0, 'localhost', resolve));
    return service;
  }

  get #host(): string {
    return `localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What `wardline-bell` is started with. */
  get bell(): string[] {
    return ['--contact', 'mailto:it@example.org', '--allow', this.#host, '--roots', this.roots];
  }

  /** What a browser's `PushManager.subscribe` would bring. */
  get subscription(): { readonly endpoint: string; readonly p256dh: number[]; readonly auth: number[] } {
    return { endpoint: `https://${this.#host}/push/JzLQ3raZ`, p256dh: [...this.#key.getPublicKey()], auth: [...this.#auth] };
  }

  /** What the message says. */
  open({ body }: Came): string {
    const [salt, theirs, record] = [body.subarray(0, 16), body.subarray(21, 86), body.subarray(86)];
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.#key.getPublicKey(), theirs]);
    const input = Buffer.from(hkdfSync('sha256', this.#key.computeSecret(theirs), this.#auth, info, 32));
    const derive = (name: string, length: number) => Buffer.from(hkdfSync('sha256', input, salt, `Content-Encoding: ${name}\0`, length));
    const cipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
    cipher.setAuthTag(record.subarray(-16));
    const text = Buffer.concat([cipher.update(record.subarray(0, -16)), cipher.final()]);
    if (text.at(-1) !== 2) throw new Error('not the last record');
    return text.subarray(0, -1).toString();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#home, { recursive: true, force: true });
  }
}
