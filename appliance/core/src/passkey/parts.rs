//! The parts of what an authenticator says, byte by byte.

use sha2::{Digest, Sha256};

use super::CredentialId;
use super::client_data::ClientData;
use crate::directory::PublicKey;

/// A P-256 key for ES256 in COSE (RFC 9053, 7.1), in the one order and length that CTAP2's canonical CBOR has for it: kty EC2, alg -7,
/// crv P-256; then x of 32 bytes, and y.
const COSE_HEAD: [u8; 10] = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
/// In front of y.
const COSE_Y: [u8; 3] = [0x22, 0x58, 0x20];

/// Flags (WebAuthn, 6.1).
const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const ATTESTED: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

/// Authenticator data (WebAuthn, 6.1).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AuthenticatorData {
    rp_id_hash: [u8; 32],
    flags: u8,
    /// The key that was made, where one was.
    pub(super) attested: Option<(CredentialId, PublicKey)>,
}

impl AuthenticatorData {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>()?;
        let (flags, rest) = rest.split_first()?;
        // The counter: see above.
        let (_, rest) = rest.split_first_chunk::<4>()?;
        let (attested, rest) = match flags & ATTESTED {
            0 => (None, rest),
            _ => {
                // The AAGUID says which make it is, if anything.
                let (_, rest) = rest.split_first_chunk::<16>()?;
                let (length, rest) = rest.split_first_chunk::<2>()?;
                let (credential, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
                let (key, rest) = cose_key(rest)?;
                (Some((CredentialId::parse(credential)?, key)), rest)
            }
        };
        // None is asked for; what comes unasked (credProtect) is a CBOR map that nothing depends on.
        if rest.is_empty() != (flags & EXTENSIONS == 0) {
            return None;
        }
        Some(Self { rp_id_hash: *rp_id_hash, flags: *flags, attested })
    }

    /// Whether it was said to a page of this origin's host.
    pub(super) fn is_for(&self, origin: &str) -> bool {
        host(origin).is_some_and(|host| self.rp_id_hash == <[u8; 32]>::from(Sha256::digest(host)))
    }

    /// By their finger, face or code, and not only that somebody was there.
    pub(super) fn user_was_verified(&self) -> bool {
        self.flags & (USER_PRESENT | USER_VERIFIED) == USER_PRESENT | USER_VERIFIED
    }
}

/// The name that a page's passkeys are bound to: its origin's host. An address is none (WebAuthn, 5.1.2: a domain).
fn host(origin: &str) -> Option<&str> {
    let authority = origin.strip_prefix("https://")?;
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    (!host.is_empty() && !host.starts_with('[')).then_some(host)
}

fn cose_key(bytes: &[u8]) -> Option<(PublicKey, &[u8])> {
    let (x, rest) = bytes.strip_prefix(&COSE_HEAD)?.split_first_chunk::<32>()?;
    let (y, rest) = rest.strip_prefix(&COSE_Y)?.split_first_chunk::<32>()?;
    Some((PublicKey::parse(&[&[4], x.as_slice(), y].concat())?, rest))
}

/// An ECDSA signature of P-256 as r || s, out of the one DER form that it has (SEC 1, C.8; X.690, 10): short lengths, positive and
/// shortest numbers, nothing behind.
pub fn ecdsa_signature(der: &[u8]) -> Option<[u8; 64]> {
    let (&[tag, length], numbers) = der.split_first_chunk::<2>()?;
    if tag != 0x30 || usize::from(length) != numbers.len() || length >= 0x80 {
        return None;
    }
    let (r, rest) = integer(numbers)?;
    let (s, rest) = integer(rest)?;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(&s);
    rest.is_empty().then_some(signature)
}

/// A number from 1 to 2^256 - 1.
fn integer(der: &[u8]) -> Option<([u8; 32], &[u8])> {
    let (&[tag, length], rest) = der.split_first_chunk::<2>()?;
    let (number, rest) = rest.split_at_checked(length.into())?;
    let digits = match number {
        // A zero in front only where the number would be negative without it.
        [0, first, ..] if *first >= 0x80 => &number[1..],
        [first, ..] if (1..0x80).contains(first) => number,
        _ => return None,
    };
    let mut padded = [0; 32];
    padded.get_mut(32_usize.checked_sub(digits.len())?..)?.copy_from_slice(digits);
    (tag == 2).then_some((padded, rest))
}

/// Without padding (RFC 4648, 5).
pub(super) fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let mut bits = 0_u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(three.get(at).copied().unwrap_or(0));
        }
        for digit in 0..=three.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * digit)) as usize & 63]));
        }
    }
    text
}

/// Whether bytes are authenticator data, and of how long an identifier if a key was made: for the fuzzer.
pub fn authenticator_data(bytes: &[u8]) -> Option<Option<usize>> {
    let data = AuthenticatorData::read(bytes)?;
    Some(data.attested.map(|(credential, _)| credential.as_bytes().len()))
}

/// Whether bytes are client data that says so: for the fuzzer.
pub fn client_data_is(bytes: &[u8], kind: &str, challenge: &[u8; 32], origin: &str) -> Option<bool> {
    Some(ClientData::read(bytes)?.says(kind, challenge, origin))
}
