//! What a browser and an authenticator answer to a challenge, for the fuzzer of the core's inputs.

use sha2::{Digest, Sha256};

/// Of every page here.
pub const ORIGIN: &str = "https://ward.example";

/// What a browser says of it (WebAuthn, 5.8.1).
pub fn client_data(kind: &str, challenge: &[u8]) -> Vec<u8> {
    // RFC 4648, section 5, without padding.
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bit = |at: usize| challenge.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let digits = (0..(challenge.len() * 8).div_ceil(6))
        .map(|digit| (0..6).fold(0, |sum, at| sum << 1 | usize::from(bit(digit * 6 + at))));
    let challenge: String = digits.map(|digit| char::from(LETTERS[digit])).collect();
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{ORIGIN}","crossOrigin":false}}"#)
        .into_bytes()
}

/// With a key of that credential's, or none.
pub fn authenticator_data(made: Option<&[u8]>) -> Vec<u8> {
    let mut data = Sha256::digest("ward.example").to_vec();
    data.push(if made.is_some() { 0x45 } else { 0x05 });
    data.extend([0; 4]);
    if let Some(credential) = made {
        data.extend([0; 16]);
        data.extend((credential.len() as u16).to_be_bytes());
        data.extend(credential);
        data.extend([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20]);
        data.extend([credential[0]; 32]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend([credential[0]; 32]);
    }
    data
}
