//! Wrapping a secret to one key of one TPM, on a computer that has none.
//!
//! This is TPM2_MakeCredential (TPM 2.0 Part 3, 12.6) in software for the one endorsement key that boxes have. What comes of
//! it opens in the TPM that holds the endorsement key, and there only while a key of that very Name is loaded beside it
//! (TPM2_ActivateCredential, Part 3, 12.5). So whoever answers with the secret holds both, in one TPM. Refuses to draw
//! randomness: the caller brings it, and never the same twice.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::marshal::{Point, Reader, on_curve, sized};
use crate::policy::{Digest, Name, sha256};
use crate::public::EndorsementPublic;
use crate::secret::{CREDENTIAL_MAX, Credential};

/// The most bytes of a wrapped credential's first half: a TPM2B of an HMAC, and a TPM2B of the credential encrypted.
pub const BLOB_BYTES_MAX: usize = 2 + 32 + 2 + CREDENTIAL_MAX;
/// The most bytes of its second half: two coordinates.
pub const SECRET_BYTES_MAX: usize = 2 * (2 + 32);

/// Why a credential was not wrapped, or is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFault {
    /// Not of the form that a TPM takes; the fault of whoever made it.
    #[error("this is no wrapped credential: make it again from the box's newest request")]
    Malformed,
    /// The random bytes are none that a private key can be made of. Of 2^32 draws one is.
    #[error("these random bytes are no private key: draw others")]
    Draw,
    /// The library failed.
    #[error("the cryptographic library failed: try again, and if it stays so, use another computer")]
    Library,
}

/// A credential as TPM2_ActivateCredential takes it, of the right form. Whether it opens only the TPM can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedCredential {
    blob: Vec<u8>,
    secret: Vec<u8>,
}

impl WrappedCredential {
    /// Checks the form of both halves: their lengths, and that the second is a point of the curve.
    ///
    /// # Errors
    /// [`CredentialFault::Malformed`].
    pub fn parse(blob: &[u8], secret: &[u8]) -> Result<Self, CredentialFault> {
        let blob_is_good = |mut reader: Reader<'_>| {
            let mac = reader.sized(32)?;
            // The credential's own length is encrypted with it.
            let encrypted = reader.take(blob.len().checked_sub(2 + mac.len())?)?;
            let carries = (2 + 1..=2 + CREDENTIAL_MAX).contains(&encrypted.len());
            (mac.len() == 32 && carries).then_some(())
        };
        let point = |mut reader: Reader<'_>| reader.point().and_then(|point| reader.end(point));
        match (blob_is_good(Reader::new(blob)), point(Reader::new(secret))) {
            (Some(()), Some(point)) if on_curve(&point) => {
                Ok(Self { blob: blob.to_vec(), secret: secret.to_vec() })
            }
            _ => Err(CredentialFault::Malformed),
        }
    }

    /// The buffer of TPM2B_ID_OBJECT (Part 2, 12.4.3), at most [`BLOB_BYTES_MAX`] bytes.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The buffer of TPM2B_ENCRYPTED_SECRET (Part 2, 11.4.3), a TPMS_ECC_POINT of at most [`SECRET_BYTES_MAX`] bytes.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }
}

/// Wraps `credential` to the TPM of `ek` and, in it, to the key of the Name `key`. `ephemeral` is 32 bytes from a good
/// generator, used for nothing else and not again.
///
/// # Errors
/// [`CredentialFault::Draw`], [`CredentialFault::Library`].
pub fn make_credential(
    ek: &EndorsementPublic,
    key: &Name,
    credential: &Credential,
    ephemeral: &[u8; 32],
) -> Result<WrappedCredential, CredentialFault> {
    let (seed, point) = share(ek, ephemeral)?;
    let encrypting = kdfa(&seed, b"STORAGE", key, 128);
    let mut identity = Zeroizing::new(sized(credential.expose()));
    encrypt(&encrypting[..16], &mut identity)?;
    let integrity = kdfa(&seed, b"INTEGRITY", &[], 256);
    let mac = hmac_sha256(&integrity, &[&identity, key]);
    let (x, y) = point[1..].split_at(32);
    Ok(WrappedCredential {
        blob: [sized(mac.as_slice()), identity.to_vec()].concat(),
        secret: [sized(x), sized(y)].concat(),
    })
}

/// One-pass ECDH with the endorsement key (Part 1, C.6.1): the seed, and the ephemeral point that the TPM makes it of.
fn share(
    ek: &EndorsementPublic,
    ephemeral: &[u8; 32],
) -> Result<(Zeroizing<Digest>, Point), CredentialFault> {
    let private = PrivateKey::from_private_key(&ECDH_P256, ephemeral).map_err(|_| CredentialFault::Draw)?;
    let public = private.compute_public_key().map_err(|_| CredentialFault::Library)?;
    let point = Point::try_from(public.as_ref()).map_err(|_| CredentialFault::Library)?;
    let peer = UnparsedPublicKey::new(&ECDH_P256, ek.point());
    let seed = agree(&private, peer, CredentialFault::Library, |z| {
        Ok(Zeroizing::new(kdfe(z, b"IDENTITY", &point[1..33], ek.x())))
    })?;
    Ok((seed, point))
}

/// KDFe (Part 1, 11.4.10.3; SP 800-56A, 5.8.1) for 256 bits, which is one round of SHA-256. `label` without its zero.
fn kdfe(z: &[u8], label: &[u8], party_u: &[u8], party_v: &[u8]) -> Digest {
    let input = Zeroizing::new([&1u32.to_be_bytes(), z, label, &[0], party_u, party_v].concat());
    sha256(&[&input])
}

/// KDFa (Part 1, 11.4.10.2; SP 800-108, counter mode) for at most 256 bits, which is one round of HMAC-SHA-256: the first
/// `bits` of what is returned. `label` without its zero; the second context is empty wherever this is used.
fn kdfa(key: &Digest, label: &[u8], context: &[u8], bits: u32) -> Zeroizing<Digest> {
    hmac_sha256(key, &[&1u32.to_be_bytes(), label, &[0], context, &bits.to_be_bytes()])
}

fn hmac_sha256(key: &Digest, parts: &[&[u8]]) -> Zeroizing<Digest> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &parts.concat());
    let mut out = Zeroizing::new([0; 32]);
    out.copy_from_slice(tag.as_ref());
    out
}

/// AES-128-CFB in place under an initial value of zeroes (Part 1, 24.4): the key is used once.
fn encrypt(key: &[u8], bytes: &mut [u8]) -> Result<(), CredentialFault> {
    let key = UnboundCipherKey::new(&AES_128, key).and_then(EncryptingKey::cfb128);
    let zeroes = EncryptionContext::Iv128((&[0; 16]).into());
    key.and_then(|key| key.less_safe_encrypt(bytes, zeroes).map(|_| ())).map_err(|_| CredentialFault::Library)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests;
