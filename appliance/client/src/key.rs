//! The device's own key: signs challenges, and is what the profile's own encryption is derived from.
//!
//! Never prints itself and never leaves the process but into `device.key`.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use wardline_core::directory::PublicKey;
use zeroize::Zeroizing;

use crate::error::KeyError;

/// An ECDSA P-256 key pair.
pub struct DeviceKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
    pkcs8: Zeroizing<Vec<u8>>,
}

/// 32 bytes of key for HKDF's type system.
struct Length32;

impl KeyType for Length32 {
    fn len(&self) -> usize {
        32
    }
}

impl DeviceKey {
    /// A fresh key.
    pub fn generate() -> Result<Self, KeyError> {
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| KeyError::Unusable)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyError::Unusable)?;
        Self::from_pkcs8(Zeroizing::new(pkcs8.as_ref().to_vec()))
    }

    /// A key as `device.key` holds it.
    pub fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8)
            .map_err(|_| KeyError::Unusable)?;
        let public = PublicKey::parse(pair.public_key().as_ref()).ok_or(KeyError::Unusable)?;
        Ok(Self { pair, public, pkcs8 })
    }

    /// What `device.key` holds.
    pub fn to_pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// What the box knows this device by.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// ECDSA P-256 SHA-256, r || s.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(|_| KeyError::Unusable)?;
        Ok(signature.as_ref().to_vec())
    }

    /// A secret for one purpose: HKDF-SHA256 over the private key's scalar.
    pub fn derive(&self, purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let scalar: aws_lc_rs::encoding::EcPrivateKeyBin<'_> =
            aws_lc_rs::encoding::AsBigEndian::as_be_bytes(&self.pair.private_key())
                .map_err(|_| KeyError::Unusable)?;
        let secret = Salt::new(HKDF_SHA256, b"wardline/1 profile").extract(scalar.as_ref());
        let mut derived = Zeroizing::new([0; 32]);
        secret
            .expand(&[purpose], Length32)
            .and_then(|okm| okm.fill(derived.as_mut()))
            .map_err(|_| KeyError::Unusable)?;
        Ok(derived)
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn a_key_survives_its_file_and_signs() {
        let key = DeviceKey::generate().unwrap();
        let again = DeviceKey::from_pkcs8(Zeroizing::new(key.to_pkcs8().to_vec())).unwrap();
        assert_eq!(key.public().as_bytes(), again.public().as_bytes());
        assert_eq!(*key.derive(b"a").unwrap(), *again.derive(b"a").unwrap());
        assert_ne!(*key.derive(b"a").unwrap(), *key.derive(b"b").unwrap());
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public().as_bytes());
        assert!(public.verify(b"hello", &again.sign(b"hello").unwrap()).is_ok());
        assert_eq!(format!("{key:?}"), "DeviceKey(…)");
    }
}
