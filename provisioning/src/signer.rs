//! The facility's key that signs configurations. Not the root's: whoever has it can tell a box what to do, and cannot make
//! a phone believe another box.

use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use rcgen::{KeyPair, PKCS_ED25519};
use zeroize::{Zeroize, Zeroizing};

use crate::bundle::SignerKey;
use crate::bundle::checked::Draft;
use crate::file::{self, FileError};

/// Its file in the facility's directory: PKCS#8, PEM, mode 0600.
pub const SIGNER_KEY_FILE: &str = "facility-configuration.key.pem";

/// The key. Its text is wiped on drop; aws-lc wipes the key itself.
pub struct ConfigurationKey {
    pem: Zeroizing<String>,
    key: Ed25519KeyPair,
    public: SignerKey,
}

/// The cryptographic library failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library failed: try again, and if it stays so, use another computer")]
pub struct LibraryFailed;

impl ConfigurationKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`LibraryFailed`].
    pub fn generate() -> Result<Self, LibraryFailed> {
        let mut key = KeyPair::generate_for(&PKCS_ED25519).map_err(|_| LibraryFailed)?;
        let pem = Zeroizing::new(key.serialize_pem());
        key.zeroize();
        Self::from_pem(pem)
    }

    fn from_pem(pem: Zeroizing<String>) -> Result<Self, LibraryFailed> {
        let mut parsed = KeyPair::from_pem(&pem).map_err(|_| LibraryFailed)?;
        let key = Ed25519KeyPair::from_pkcs8(parsed.serialized_der());
        parsed.zeroize();
        let key = key.map_err(|_| LibraryFailed)?;
        let public = key.public_key().as_ref().try_into().map(SignerKey).map_err(|_| LibraryFailed)?;
        Ok(Self { pem, key, public })
    }

    /// Writes the key into the facility's directory, which is there.
    ///
    /// # Errors
    /// See [`FileError`]; nothing is overwritten.
    pub fn save(&self, dir: &Path) -> Result<(), FileError> {
        file::write_new(&dir.join(SIGNER_KEY_FILE), self.pem.as_bytes(), 0o600)
    }

    /// Reads the key from the facility's directory.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn load(dir: &Path) -> Result<Self, FileError> {
        let path = dir.join(SIGNER_KEY_FILE);
        let pem = file::read_private(&path)?;
        Self::from_pem(pem).map_err(|LibraryFailed| FileError::Content(path, "not an Ed25519 key"))
    }

    /// The public key, to which a box belongs from its first configuration on.
    #[must_use]
    pub fn public(&self) -> SignerKey {
        self.public
    }

    /// The finished file.
    ///
    /// # Errors
    /// [`LibraryFailed`].
    pub fn sign(&self, draft: Draft) -> Result<Vec<u8>, LibraryFailed> {
        let signature = self.key.sign(draft.message());
        let signature: [u8; 64] = signature.as_ref().try_into().map_err(|_| LibraryFailed)?;
        Ok(draft.signed(&signature))
    }
}
