import { createHash, createPublicKey, verify } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { fromHex, toHex, type Bytes } from './bytes.ts';
import { type ConversationId, type DeviceId, type Sequence } from './ids.ts';
import { choosePin, parseDeviceName, parsePin } from './pins.ts';
import {
  answerBytes,
  codePreimage,
  deviceKeyOf,
  hashOf,
  type Hash,
  joinBytes,
  type JoinCode,
  originPreimage,
  parseJoinCode,
  signInBytes,
} from './proofs.ts';

function bytes(hex: string): Bytes {
  const read = fromHex(hex.replace(/\s/g, ''));
  if (read === null) throw new Error('not hexadecimal');
  return read;
}

function hash(hex: string): Hash {
  const read = hashOf(bytes(hex));
  if (read === null) throw new Error('not 32 bytes');
  return read;
}

function sha256(preimage: Uint8Array): Hash {
  return hash(createHash('sha256').update(preimage).digest('hex'));
}

/** Whether the uncompressed point signed this with r and s. */
function isSigned(key: Uint8Array, said: Uint8Array, signature: Uint8Array): boolean {
  const spki = Buffer.concat([Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'), key]);
  const known = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return verify('sha256', said, { key: known, dsaEncoding: 'ieee-p1363' }, signature);
}

// README.md, section 3: the example.
const challenge = hash('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
const exporter = hash('202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f');
const device = '0123456789abcdef' as DeviceId;
const deviceKey = bytes(`047a3edf9a39d623457914779ca4906aa7f5a869a06bc18c5381d2583eed38e6219b7bbdc5abb1f7a4780f1522746407
  38e561c6a0be9f7d8ca62a12a60836f01a`);
const signIn = `776172646c696e652f31207369676e2d696e00000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c
  1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f0123456789abcdef`;
const signInSignature = bytes(`37f215439dea61995d41d3bb1dc902d74e741e9504441f7426505f9e50ad36ab2e02b3b7e5ddd99b9993df45c33b7553
  ff8766eda27ea5e08fb5547118b479bf`);
const codeHash = '3086fff6cdb65ab342efce19dd58ccb19ee9abf8fb066ce027827044bcf33a93';
const join = `776172646c696e652f31206a6f696e00000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
  202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f3086fff6cdb65ab342efce19dd58ccb1
  9ee9abf8fb066ce027827044bcf33a93047a3edf9a39d623457914779ca4906aa7f5a869a06bc18c5381d2583eed38e6
  219b7bbdc5abb1f7a4780f152274640738e561c6a0be9f7d8ca62a12a60836f01a`;
const joinSignature = bytes(`e1a68c45bedb8bb7106d415d322ae3f29b82cd617b4b3b3c328b4c7b55d80ded44b6697844accee1a042e04e41e4d6ea
  2f9425571fa1083f26ec93bd1f2d8816`);

describe('proofs', () => {
  it('of a known device are the bytes of the page', () => {
    const said = signInBytes(challenge, exporter, device);
    expect(toHex(said)).toBe(signIn.replace(/\s/g, ''));
    expect(isSigned(deviceKey, said, signInSignature)).toBe(true);
  });

  it('of a joining device are the bytes of the page', () => {
    const code = parseJoinCode(' abcde-fghjk ');
    const key = deviceKeyOf(deviceKey);
    if (code === null || key === null) throw new Error('the example is one');
    const hashed = sha256(codePreimage(code));
    expect(toHex(hashed)).toBe(codeHash);
    const said = joinBytes(challenge, exporter, hashed, key);
    expect(toHex(said)).toBe(join.replace(/\s/g, ''));
    expect(isSigned(deviceKey, said, joinSignature)).toBe(true);
  });

  it('are bound to the origin of the page by one hash', () => {
    // Frozen: the box reckons the same.
    expect(toHex(originPreimage('https://box.example:8443'))).toBe(
      '776172646c696e652f31206f726967696e0068747470733a2f2f626f782e6578616d706c653a38343433',
    );
    expect(toHex(sha256(originPreimage('https://box.example:8443')))).toBe('c3b944db80d9db27f35c6022c1d94aafaac3da125ac5b19db5bac8550ea0bd29');
    expect(() => originPreimage('https://bóx.example')).toThrow(RangeError);
  });
});

describe('answers to a STAT', () => {
  // README.md, section 20: the example.
  const facility = hash('606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f');
  const key = bytes(`04ed05d0da8bc8c3997680a7cf621cba9b39a0a64fffd25c40f3c3abca1f05c187333a01e61fbcca0f9d6e28241336a5
    630c0e6b29eb61fb4a59a8fb0d2edce8e6`);
  const signature = bytes(`977063280380a739d13dcfbe3d2f98cd4b334587509db0dee231773a0195d6ebbda11a3aed15ca5117ca5fa62a035e11
    2bab1b8e88fd2692ea80d486f719a1f2`);
  const place = { facility, device, conversation: '0000000000000077' as ConversationId, sequence: 12 as Sequence };

  it('are the bytes of the page', () => {
    const said = answerBytes({
      ...place,
      at: 0x01a20847ec48,
      said: { say: 'callNote', called: 0x01a20846fe00, readBack: true, reached: 0n, role: 'Physician on call', name: '' },
    });
    expect(toHex(said)).toBe(
      `776172646c696e652f31207374617420616e7377657200606162636465666768696a6b6c6d6e6f707172737475767778
       797a7b7c7d7e7f0123456789abcdef0000000000000077000000000000000c000001a20847ec4803000001a20846fe00
       010000000000000000001150687973696369616e206f6e2063616c6c0000`.replace(/\s/g, ''),
    );
    expect(isSigned(key, said, signature)).toBe(true);
  });

  it('that accept or decline end with what they say', () => {
    const head = toHex(answerBytes({ ...place, at: 5, said: { say: 'accept' } }));
    expect(head.endsWith('000000000000000501')).toBe(true);
    const decline = toHex(answerBytes({ ...place, at: 5, said: { say: 'decline', reason: 3 } }));
    expect(decline.endsWith('00000000000000050203')).toBe(true);
  });
});

describe('what a person types', () => {
  it('is a code whatever its case, dashes and blanks', () => {
    expect(parseJoinCode('oIl23 abcde')).toBe('01123ABCDE');
    expect(parseJoinCode('AB-CD\u00a0EF\u2013GH JK')).toBe('ABCDEFGHJK' satisfies string as JoinCode);
    for (const typed of ['', 'ABCDE-FGHJ', 'ABCDE-FGHJKM', 'ABCDE-FGHJU', 'ABCDE-FGHJ!', 'ÄBCDEFGHJK']) {
      expect(parseJoinCode(typed)).toBeNull();
    }
  });

  it('is a PIN that is not one of those that everybody has', () => {
    const common = ['123456', '654321', '000000', '121212', '123123', '567890', '098765', '24121985', '19850312', 'qwerty', 'Password1', 'abcdef'];
    for (const pin of common) expect(choosePin(pin)).toEqual({ fault: 'PIN_TOO_COMMON' });
    for (const pin of ['12345', 'a', 'ééééé']) expect(choosePin(pin)).toEqual({ fault: 'PIN_TOO_SHORT' });
    expect(choosePin('ä'.repeat(33).concat('x'))).toEqual({ fault: 'TOO_LARGE' });
    for (const pin of ['739154', 'correct horse', '80351927']) expect(choosePin(pin)).toBe(pin);
    expect(choosePin('cafe\u0301 noir')).toBe('caf\u00e9 noir');
    expect(parsePin('12345')).toBeNull();
    expect(parsePin('123456')).toBe('123456');
  });

  it('is a device name without what does not print', () => {
    expect(parseDeviceName("  Ana's phone ")).toBe("Ana's phone");
    for (const typed of ['', '  ', 'a\nb', 'ä'.repeat(33)]) expect(parseDeviceName(typed)).toBeNull();
  });
});
