//! Keys in software that look like a TPM's, for the tests of this crate.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

use crate::marshal::sized;
use crate::public::endorsement_template;

/// An attestation key's attributes as the keeper makes it: fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, noDA,
/// restricted, sign.
pub(crate) const ATTESTATION_ATTRIBUTES: u32 = 0x0005_0472;

pub(crate) fn pair() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

pub(crate) fn point(pair: &EcdsaKeyPair) -> [u8; 65] {
    pair.public_key().as_ref().try_into().unwrap()
}

/// ECDSA, r then s.
pub(crate) fn sign(pair: &EcdsaKeyPair, message: &[u8]) -> [u8; 64] {
    pair.sign(&SystemRandom::new(), message).unwrap().as_ref().try_into().unwrap()
}

/// The TPM2B_PUBLIC of an ECDSA P-256 key.
pub(crate) fn signing_public(attributes: u32, point: &[u8; 65]) -> Vec<u8> {
    let head = [0x00, 0x23, 0x00, 0x0B];
    let parameters = [0x00, 0x10, 0x00, 0x18, 0x00, 0x0B, 0x00, 0x03, 0x00, 0x10];
    let (x, y) = point[1..].split_at(32);
    sized(&[&head, attributes.to_be_bytes().as_slice(), &[0, 0], &parameters, &sized(x), &sized(y)].concat())
}

/// The TPM2B_PUBLIC of an endorsement key with this point.
pub(crate) fn endorsement_public(point: &[u8; 65]) -> Vec<u8> {
    let template = endorsement_template();
    let (x, y) = point[1..].split_at(32);
    sized(&[&template[..template.len() - 68], &sized(x), &sized(y)].concat())
}
