//! Secrets in a configuration: each encrypted for one box, one serial and one purpose, under a key that only this box's chip
//! gives out.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), whose 24 random bytes of nonce need no count. The key (32 random bytes) is
//! drawn anew for each configuration, wrapped by TPM2_MakeCredential to the endorsement key and the attestation key's Name
//! (TPM 2.0 Part 1, 24), and nowhere else.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::codec::{Blob, List};
use super::fault::Fault;
use super::identity::BoxId;
use super::values::{BadValue, SecretName};

/// Most bytes of one secret.
pub const SECRET_MAX: usize = 1_024;
/// Most secrets of one configuration.
pub const SECRETS_MAX: usize = 8;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// The key of one configuration's secrets. Wiped on drop; does not print.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(pub [u8; 32]);

impl core::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A [`SecretKey`] that one chip opens, in the encodings that TPM2_ActivateCredential takes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Wrapped {
    /// The buffer of TPM2B_ID_OBJECT (TPM 2.0 Part 2, 12.4.3).
    #[n(0)]
    pub credential_blob: Blob<1, 512>,
    /// The buffer of TPM2B_ENCRYPTED_SECRET (Part 2, 11.4.3).
    #[n(1)]
    pub encrypted_secret: Blob<1, 512>,
}

/// One secret as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Sealed {
    /// What it is for.
    #[n(0)]
    pub name: SecretName,
    /// The nonce.
    #[n(1)]
    pub nonce: Blob<NONCE_BYTES, NONCE_BYTES>,
    /// Ciphertext and tag.
    #[n(2)]
    pub ciphertext: Blob<{ TAG_BYTES + 1 }, { SECRET_MAX + TAG_BYTES }>,
}

/// All secrets of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Secrets {
    /// Their key.
    #[n(0)]
    pub wrapped: Wrapped,
    /// The secrets.
    #[n(1)]
    pub list: List<Sealed, 1, SECRETS_MAX>,
}

/// What was secret. Wiped on drop.
pub type Clear = Zeroizing<Vec<u8>>;

/// Encrypts one secret. `nonce` must be random.
///
/// # Errors
/// [`BadValue`] for a secret that is empty or above [`SECRET_MAX`].
pub fn seal(
    key: &SecretKey,
    nonce: [u8; NONCE_BYTES],
    for_box: &BoxId,
    serial: u64,
    name: SecretName,
    clear: &[u8],
) -> Result<Sealed, BadValue> {
    let bad = || {
        BadValue::new(
            format!("The secret {name} is empty or above {SECRET_MAX} bytes"),
            "a file with a password",
        )
    };
    if clear.is_empty() || clear.len() > SECRET_MAX {
        return Err(bad());
    }
    let aad = bound_to(for_box, serial, &name);
    let payload = Payload { msg: clear, aad: &aad };
    let ciphertext =
        cipher(key).encrypt(&XNonce::from(nonce), payload).ok().and_then(Blob::new).ok_or_else(bad)?;
    let nonce = Blob::new(nonce).ok_or_else(bad)?;
    Ok(Sealed { name, nonce, ciphertext })
}

/// Opens every secret, or none.
pub(crate) fn open_all(
    secrets: &Secrets,
    key: &SecretKey,
    for_box: &BoxId,
    serial: u64,
) -> Result<Vec<(SecretName, Clear)>, Fault> {
    let open = |sealed: &Sealed| {
        let nonce: [u8; NONCE_BYTES] = sealed.nonce.as_slice().try_into().map_err(|_| Fault::SecretClosed)?;
        let aad = bound_to(for_box, serial, &sealed.name);
        let payload = Payload { msg: sealed.ciphertext.as_slice(), aad: &aad };
        let clear = cipher(key).decrypt(&XNonce::from(nonce), payload).map_err(|_| Fault::SecretClosed)?;
        Ok((sealed.name.clone(), Zeroizing::new(clear)))
    };
    secrets.list.iter().map(open).collect()
}

fn cipher(key: &SecretKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(key.0))
}

/// A ciphertext that is put under another name, into another configuration or before another box does not open.
fn bound_to(for_box: &BoxId, serial: u64, name: &SecretName) -> Vec<u8> {
    [b"wardline-secret-v1\0".as_slice(), &for_box.0, &serial.to_be_bytes(), name.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    /// draft-irtf-cfrg-xchacha-03, A.3.1.
    #[test]
    fn the_cipher_is_the_drafts() {
        let clear = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let key: [u8; 32] = core::array::from_fn(|i| 0x80 + u8::try_from(i).unwrap());
        let nonce: [u8; 24] = core::array::from_fn(|i| 0x40 + u8::try_from(i).unwrap());
        let aad = unhex("50515253c0c1c2c3c4c5c6c7");
        let want = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";
        let made = cipher(&SecretKey(key)).encrypt(&XNonce::from(nonce), Payload { msg: clear, aad: &aad });
        assert_eq!(made.unwrap(), unhex(want));
    }

    #[test]
    fn a_secret_opens_for_its_box_serial_and_name_alone() {
        let key = SecretKey([7; 32]);
        let name: SecretName = "directory-password".parse().unwrap();
        let sealed = seal(&key, [9; 24], &BoxId([1; 32]), 4, name, b"hunter2").unwrap();
        let wrapped = Wrapped {
            credential_blob: Blob::new(*b"x").unwrap(),
            encrypted_secret: Blob::new(*b"y").unwrap(),
        };
        let of = |sealed: &Sealed| Secrets {
            wrapped: wrapped.clone(),
            list: List::new(vec![sealed.clone()]).unwrap(),
        };
        let opened = open_all(&of(&sealed), &key, &BoxId([1; 32]), 4).unwrap();
        assert_eq!(opened[0].1.as_slice(), b"hunter2");
        let closed = Err(Fault::SecretClosed);
        assert_eq!(open_all(&of(&sealed), &key, &BoxId([2; 32]), 4), closed);
        assert_eq!(open_all(&of(&sealed), &key, &BoxId([1; 32]), 5), closed);
        assert_eq!(open_all(&of(&sealed), &SecretKey([8; 32]), &BoxId([1; 32]), 4), closed);
        let renamed = Sealed { name: "emr-password".parse().unwrap(), ..sealed.clone() };
        assert_eq!(open_all(&of(&renamed), &key, &BoxId([1; 32]), 4), closed);
        assert!(seal(&key, [9; 24], &BoxId([1; 32]), 4, sealed.name.clone(), &[]).is_err());
        assert!(seal(&key, [9; 24], &BoxId([1; 32]), 4, sealed.name, &[0; SECRET_MAX + 1]).is_err());
        assert_eq!(format!("{key:?}"), "SecretKey(..)");
    }
}
