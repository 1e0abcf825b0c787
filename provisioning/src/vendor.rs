//! The vendor's policy key, for development. A release is signed by a key in hardware, elsewhere.

use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use rcgen::KeyPair;
use wardline_keys_protocol::approval::{Approval, FORMAT_VERSION, RevocationTicket};
use wardline_keys_protocol::policy::SignerKey;
use zeroize::{Zeroize, Zeroizing};

use crate::file::{self, FileError};

/// A P-256 key that signs approvals and revocation tickets. Wiped on drop.
pub struct VendorKey {
    pem: Zeroizing<String>,
    key: EcdsaKeyPair,
    public: SignerKey,
}

/// Why a key could not be made or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VendorKeyError {
    /// The library failed.
    #[error("the cryptographic library failed: try again, and if it stays so, use another computer")]
    Library,
    /// An approval under no REVOKE bit.
    #[error("an approval that no REVOKE bit ends could never be taken back: give a mask of at least one bit")]
    Irrevocable,
}

impl VendorKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`VendorKeyError::Library`].
    pub fn generate() -> Result<Self, VendorKeyError> {
        let mut key = KeyPair::generate().map_err(|_| VendorKeyError::Library)?;
        let pem = Zeroizing::new(key.serialize_pem());
        key.zeroize();
        Self::from_pem(pem)
    }

    fn from_pem(pem: Zeroizing<String>) -> Result<Self, VendorKeyError> {
        let mut parsed = KeyPair::from_pem(&pem).map_err(|_| VendorKeyError::Library)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, parsed.serialized_der());
        parsed.zeroize();
        let key = key.map_err(|_| VendorKeyError::Library)?;
        let public = SignerKey::from_sec1(key.public_key().as_ref()).ok_or(VendorKeyError::Library)?;
        Ok(Self { pem, key, public })
    }

    /// Writes the key to a new file, mode 0600.
    ///
    /// # Errors
    /// See [`FileError`]; nothing is overwritten.
    pub fn save(&self, path: &Path) -> Result<(), FileError> {
        file::write_new(path, self.pem.as_bytes(), 0o600)
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn load(path: &Path) -> Result<Self, FileError> {
        let pem = file::read_private(path)?;
        Self::from_pem(pem).map_err(|_| FileError::Content(path.into(), "not a P-256 key"))
    }

    /// The public key, which boxes trust.
    pub fn public(&self) -> &SignerKey {
        &self.public
    }

    /// Approves the image that measures `pcr11`, until a REVOKE bit of `revoke_mask` is set.
    ///
    /// # Errors
    /// [`VendorKeyError`].
    pub fn approve(&self, pcr11: [u8; 32], revoke_mask: u64) -> Result<Approval, VendorKeyError> {
        if revoke_mask == 0 {
            return Err(VendorKeyError::Irrevocable);
        }
        let signature = self.sign(&Approval::message(&self.public, &pcr11, revoke_mask))?;
        Ok(Approval { version: FORMAT_VERSION, pcr11, revoke_mask, signature })
    }

    /// A ticket that sets REVOKE `bits`; with 0, the first write that provisioning needs.
    ///
    /// # Errors
    /// [`VendorKeyError::Library`].
    pub fn revoke(&self, bits: u64) -> Result<RevocationTicket, VendorKeyError> {
        let signature = self.sign(&RevocationTicket::message(&self.public, bits))?;
        Ok(RevocationTicket { version: FORMAT_VERSION, bits, signature })
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], VendorKeyError> {
        let signature = self.key.sign(&SystemRandom::new(), message).map_err(|_| VendorKeyError::Library)?;
        signature.as_ref().try_into().map_err(|_| VendorKeyError::Library)
    }
}
