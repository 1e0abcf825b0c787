//! Encryption of what the profile keeps: AES-256-GCM under a key derived from the device's own.
//!
//! Worth: a copy of the file alone (a backup, a synchronised folder, a page of a broken disk) says nothing. Who
//! copies the whole profile has the device key with it and reads everything.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::error::KeyError;
use crate::key::DeviceKey;

/// Seals for one purpose.
pub(crate) struct Sealing {
    key: LessSafeKey,
}

impl Sealing {
    /// For what stands in the file of this name.
    pub(crate) fn new(device: &DeviceKey, purpose: &str) -> Result<Self, KeyError> {
        let key = device.derive(purpose.as_bytes())?;
        let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).map_err(|_| KeyError::Unusable)?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// Random nonce (12) || ciphertext || tag (16). `bound` must be the same when it is opened.
    pub(crate) fn seal(&self, bound: &[u8], plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let nonce: [u8; NONCE_LEN] = crate::clock::random()?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let (_, body) = sealed.split_at_mut(NONCE_LEN);
        let tag = self
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), body)
            .map_err(|_| KeyError::Unusable)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// What was sealed, or nothing: it is damaged, or another device's.
    pub(crate) fn open(&self, bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self.key.open_in_place(nonce, Aad::from(bound), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_device_and_place_opens() {
        let (ana, ben) = (DeviceKey::generate().unwrap(), DeviceKey::generate().unwrap());
        let sealing = Sealing::new(&ana, "outbox").unwrap();
        let sealed = sealing.seal(b"one", b"hello").unwrap();
        assert_eq!(sealing.open(b"one", &sealed).unwrap().as_slice(), b"hello");
        assert!(sealing.open(b"two", &sealed).is_none());
        assert!(sealing.open(b"one", &sealed[..sealed.len() - 1]).is_none());
        assert!(sealing.open(b"one", b"").is_none());
        assert!(Sealing::new(&ben, "outbox").unwrap().open(b"one", &sealed).is_none());
        assert!(Sealing::new(&ana, "state").unwrap().open(b"one", &sealed).is_none());
    }
}
