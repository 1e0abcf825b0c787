/** A "public" certificate authority, made for a test by OpenSSL: a root that a browser is given, and an issuer below it. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SECTIONS = `[ca]
default_ca = made
[made]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
x509_extensions = server
[any]
commonName = supplied
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
[issuer]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[req]
distinguished_name = nobody
[nobody]
`;

export class Authority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'wardline-authority-'));

  constructor() {
    const write = (name: string, text: string): void => writeFileSync(join(this.#directory, name), text);
    write('ca.conf', SECTIONS);
    write('index.txt', '');
    write('serial', '01\n');
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    this.#openssl('req', '-x509', ...key, '-keyout', 'root.key', '-out', 'root.pem', '-days', '30', '-subj', '/O=Example Trust/CN=Example Root');
    this.#openssl('req', '-new', ...key, '-config', 'ca.conf', '-keyout', 'issuer.key', '-out', 'issuer.csr', '-subj', '/O=Example Trust/CN=Example CA 1');
    this.#openssl('x509', '-req', '-in', 'issuer.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-days', '20', '-extfile', 'ca.conf', '-extensions', 'issuer', '-out', 'issuer.pem');
    this.#openssl('x509', '-in', 'root.pem', '-outform', 'DER', '-out', 'root.der');
  }

  /** What a browser has in its store. */
  get root(): Buffer {
    return readFileSync(join(this.#directory, 'root.der'));
  }

  /** What its portal sends for a request: the certificate, and its issuer's. It ends at this time. */
  certify(request: string, until: number): { own: string; issuer: string } {
    writeFileSync(join(this.#directory, 'box.csr'), request);
    this.#openssl('req', '-verify', '-noout', '-in', 'box.csr');
    const moment = (at: number): string => `${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
    this.#openssl('ca', '-batch', '-notext', '-config', 'ca.conf', '-cert', 'issuer.pem', '-keyfile', 'issuer.key', '-in', 'box.csr', '-out', 'box.pem', '-startdate', moment(Date.now() - 3_600_000), '-enddate', moment(until));
    return { own: readFileSync(join(this.#directory, 'box.pem'), 'utf8'), issuer: readFileSync(join(this.#directory, 'issuer.pem'), 'utf8') };
  }

  /** Whether whoever trusts this authority alone gets in by this name, and by which certificate. */
  meets(name: string, port: number): string | null {
    const ran = spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', name, '-verify_hostname', name, '-verify_return_error', '-CAfile', 'root.pem'], { cwd: this.#directory, input: '', encoding: 'utf8' });
    return ran.status === 0 ? (/-----BEGIN CERTIFICATE-----[^-]*/.exec(ran.stdout)?.[0] ?? null) : null;
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #openssl(...words: string[]): void {
    const ran = spawnSync('openssl', words, { cwd: this.#directory, input: '', encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`openssl ${words[0]}: ${ran.stderr}`);
  }
}
