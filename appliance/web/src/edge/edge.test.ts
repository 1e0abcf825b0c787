import 'fake-indexeddb/auto';

import { beforeEach, describe, expect, it } from 'vitest';

import { concat, fromHex, toHex, type Bytes } from '../domain/bytes.ts';
import { atRest, toSeal } from '../domain/composing.ts';
import type { Identity } from '../domain/effects.ts';
import type { ConversationId, DeviceId, MessageName, Sequence } from '../domain/ids.ts';
import type { Waiting } from '../domain/outbox.ts';
import { codePreimage, hashOf, type Hash, type JoinCode } from '../domain/proofs.ts';
import { codeHash, makeSigningKey, originBinding, sealComposed, Sealing, sign } from './keys.ts';
import { Storage } from './storage.ts';

function hash(byte: number): Hash {
  const read = hashOf(new Uint8Array(32).fill(byte));
  if (read === null) throw new Error('not 32 bytes');
  return read;
}

function bytes(hex: string): Bytes {
  const read = fromHex(hex);
  if (read === null) throw new Error('not hexadecimal');
  return read;
}

function waiting(name: string, text: string, more: Partial<Waiting> = {}): Waiting {
  return {
    name: name as MessageName,
    conversation: '0000000000000077' as ConversationId,
    text,
    priority: 'routine',
    replyTo: 0 as Sequence,
    people: [],
    roles: [],
    files: [],
    composed: 5,
    number: null,
    failed: null,
    ...more,
  };
}

function puts(...all: Waiting[]): { puts: { waiting: Waiting; version: number }[]; deletes: MessageName[]; highest: bigint } {
  return { puts: all.map((one) => ({ waiting: one, version: 1 })), deletes: [], highest: 7n };
}

beforeEach(async () => {
  await new Promise((resolve) => {
    indexedDB.deleteDatabase('wardline').onsuccess = resolve;
  });
});

describe('keys', () => {
  it('sign as the box verifies, and cannot be read', async () => {
    const key = await makeSigningKey();
    const said = new TextEncoder().encode('wardline/1 sign-in');
    const signature = await sign(key, said as Bytes);
    const known = await crypto.subtle.importKey('raw', key.point, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
    expect(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, known, signature, said)).toBe(true);
    await expect(crypto.subtle.exportKey('pkcs8', key.secret)).rejects.toThrow();
  });

  it('hash codes and origins as the page says', async () => {
    expect(toHex(await codeHash('ABCDEFGHJK' as JoinCode, false))).toBe('3086fff6cdb65ab342efce19dd58ccb19ee9abf8fb066ce027827044bcf33a93');
    expect(codePreimage('ABCDEFGHJK' as JoinCode).length).toBe(26);
    expect(toHex(await originBinding('https://box.example:8443'))).toBe('c3b944db80d9db27f35c6022c1d94aafaac3da125ac5b19db5bac8550ea0bd29');
  });

  it('seal what was composed as the page says', async () => {
    // README.md, section 5: the example.
    const name = '000102030405060708090a0b0c0d0e0f' as MessageName;
    const lease = { device: '0123456789abcdef' as DeviceId, number: 0x01a20847ec48n, key: bytes('404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f') };
    const composed = toSeal({ ...waiting(name, 'Bed 12: on my way'), number: 42n }, 42n, lease);
    expect(toHex(composed.context)).toBe('776172646c696e652f3120636f6d706f736564000123456789abcdef000001a20847ec48000102030405060708090a0b0c0d0e0f');
    const plain = '082a1210000102030405060708090a0b0c0d0e0f19770000000000000022114265642031323a206f6e206d7920776179';
    // This app says besides how urgent it is.
    expect(toHex(composed.plain)).toBe(`${plain}2801`);
    expect(toHex(await sealComposed({ ...composed, plain: bytes(plain) }, bytes('a0a1a2a3a4a5a6a7a8a9aaab')))).toBe(
      'a0a1a2a3a4a5a6a7a8a9aaab450448c85fe24ff92e83e743cdbd443ab89c0d9bfe3ececc765a8ac6ff38997ca2689104656b54fcf1d1944240bf84cb49ecf986e23a6f0eb212267f16f45009',
    );
  });

  it('open what was sealed as the same thing alone', async () => {
    const sealing = new Sealing(await Sealing.makeKey());
    const sealed = await sealing.seal('a', 'Bed 12: on my way');
    expect(await sealing.open('a', sealed)).toBe('Bed 12: on my way');
    await expect(sealing.open('b', sealed)).rejects.toThrow();
    await expect(sealing.open('a', concat([sealed.subarray(0, -1), Uint8Array.of(0)]))).rejects.toThrow();
  });
});

describe('the disk', () => {
  it('keeps what was composed, in its order, with its numbers', async () => {
    const storage = await Storage.open();
    await storage.write(puts(waiting('cc', 'first'), waiting('aa', 'second')));
    await storage.write(puts(waiting('bb', 'third'), waiting('cc', 'first', { number: 7n })));
    const again = await Storage.open();
    expect(await again.waiting()).toEqual([waiting('cc', 'first', { number: 7n }), waiting('aa', 'second'), waiting('bb', 'third')]);
    expect(await again.get('highest')).toBe(7n);
    await again.write({ ...puts(waiting('dd', 'fourth')), deletes: ['cc' as MessageName] });
    expect((await (await Storage.open()).waiting()).map((one) => one.text)).toEqual(['second', 'third', 'fourth']);
  });

  it('has no word of it in clear', async () => {
    const storage = await Storage.open();
    await storage.write(puts(waiting('aa', 'Bed 12: on my way', { failed: { code: 'ARCHIVED', advice: 'closed' } })));
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open('wardline');
      request.onsuccess = () => resolve(request.result);
    });
    const lines = await new Promise<unknown[]>((resolve) => {
      const request = database.transaction('outbox').objectStore('outbox').getAll();
      request.onsuccess = () => resolve(request.result);
    });
    expect(lines.length).toBe(1);
    const kept = JSON.stringify(lines, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value instanceof Uint8Array ? new TextDecoder().decode(value) : value));
    for (const word of ['Bed 12', 'ARCHIVED', 'closed', 'routine']) expect(kept).not.toContain(word);
    database.close();
  });

  it('keeps what was sealed under a lease as the box alone reads it', async () => {
    const sealed = { lease: 9n, number: 7n, bytes: bytes('aabb') };
    await (await Storage.open()).write(puts(atRest(waiting('aa', 'Bed 12', { number: 7n, sealed }))));
    expect(await (await Storage.open()).waiting()).toEqual([waiting('aa', '', { number: 7n, sealed })]);
  });

  it('refuses a line that was tampered with, and says nothing of it', async () => {
    const storage = await Storage.open();
    await storage.write(puts(waiting('aa', 'Bed 12')));
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open('wardline');
      request.onsuccess = () => resolve(request.result);
    });
    const store = database.transaction('outbox', 'readwrite').objectStore('outbox');
    await new Promise((resolve) => {
      const request = store.get('aa');
      request.onsuccess = () => {
        store.put({ ...(request.result as object), conversation: '0000000000000078' }).onsuccess = resolve;
      };
    });
    await expect(storage.waiting()).rejects.toThrow(/^a line of the outbox$/);
    database.close();
  });

  it('has one key for a code, however often it is tried, and another for another', async () => {
    const storage = await Storage.open();
    const key = await storage.joiningKey(hash(1));
    expect((await (await Storage.open()).joiningKey(hash(1))).point).toEqual(key.point);
    const other = await storage.joiningKey(hash(2));
    expect(other.point).not.toEqual(key.point);
    const identity: Identity = {
      device: '0123456789abcdef' as Identity['device'],
      person: '000000000000000a' as Identity['person'],
      deviceName: "Ana's phone",
      facility: 'Lindenhof',
      told: [],
      locked: false,
    };
    await storage.keepIdentity(identity, other);
    const again = await Storage.open();
    expect(await again.get('identity')).toEqual(identity);
    expect((await again.get('key'))?.point).toEqual(other.point);
    expect(await again.get('joining')).toBeUndefined();
    const kept = await again.get('key');
    if (kept === undefined) throw new Error('no key');
    expect((await sign(kept, new Uint8Array(3))).length).toBe(64);
  });
});
