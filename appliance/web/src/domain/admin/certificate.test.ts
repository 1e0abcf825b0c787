import { describe, expect, it } from 'vitest';

import { adminBox } from '../testing/adminBox.ts';
import { askCertificate, daysLeft, FILE_MAX, parseNames, pemOf, readCertificate, requestCertificate, standing, tidy, type InUse } from './certificate.ts';

const box = adminBox();
const asks = (body: Parameters<typeof box>[0]) => Promise.resolve(box(body) ?? { reply: 'refused' as const, refusal: { code: 'OFFLINE', advice: '' } });
const DAY = 86_400_000;

describe('the certificate for the names that people type', () => {
  it('is told by the box', async () => {
    const told = await askCertificate(asks);
    expect(told.inUse?.names).toEqual(['wardline.mercy.example']);
    expect(told.inUse?.sha256).toHaveLength(64);
    expect(told.waiting?.pem).toContain('CERTIFICATE REQUEST');
    expect((await requestCertificate(asks, ['wardline.mercy.example'])).pem).toContain('CERTIFICATE REQUEST');
    expect((await readCertificate(asks, 'x'))?.issuer).toBe('Example Trust, Example CA 1');
  });

  it('warns at thirty days, at fourteen and at three', async () => {
    const { inUse, at } = await askCertificate(asks);
    const left = (days: number, more: Partial<InUse> = {}) => standing({ ...(inUse as InUse), from: at - DAY, until: at + days * DAY, ...more }, at);
    expect([left(30), left(29.9), left(14), left(13.9), left(3), left(2.9), left(-0.1)]).toEqual(['good', 'month', 'month', 'fortnight', 'fortnight', 'days', 'ended']);
    expect(left(60, { hasKey: false })).toBe('keyless');
    expect(left(60, { from: at + 1 })).toBe('early');
    expect(daysLeft({ ...(inUse as InUse), until: at + 2.9 * DAY }, at)).toBe(2);
    expect(daysLeft({ ...(inUse as InUse), until: at - DAY }, at)).toBe(0);
  });
});

describe('names', () => {
  it('are taken as they are typed or copied', () => {
    expect(parseNames('Wardline.Mercy.example, old.mercy.example.\nhttps://wardline.mercy.example:8443/join')).toEqual(['wardline.mercy.example', 'old.mercy.example']);
  });
  it('are full, no address and no asterisk', () => {
    for (const bad of ['', 'wardline', '10.0.0.7', '*.mercy.example', 'a_b.example', 'münchen.example', Array.from({ length: 9 }, (_, i) => `h${i}.example`).join(' ')]) {
      expect([bad, parseNames(bad)]).toEqual([bad, null]);
    }
  });
});

describe('a file', () => {
  const one = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
  it('is taken without what stands around its certificates', () => {
    expect(tidy(`Bag Attributes\n  friendlyName: x\n${one}\nsubject=CN = y\n${one}`)).toBe(`${one}\n${one}\n`);
    expect(tidy('  no certificate ')).toBe('no certificate');
  });
  it('of one certificate in DER becomes PEM', () => {
    expect(pemOf(new Uint8Array([0x30, 0x82, 1, 2]))).toBe('-----BEGIN CERTIFICATE-----\nMIIBAg==\n-----END CERTIFICATE-----\n');
  });
  it('that is long and no certificate is left to the box to refuse', () => {
    expect(pemOf(new Uint8Array(FILE_MAX).fill(0x30))).not.toContain('CERTIFICATE');
  });
  it('does not carry a private key off this device', () => {
    const key = '-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----';
    expect(tidy(`${one}\n${key}`)).not.toContain('c2VjcmV0');
    expect(tidy(`${one}\n${key}`)).toContain('PRIVATE KEY-----');
  });
});
