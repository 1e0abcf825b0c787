//! The key by which push services know this box (RFC 8292), and the tokens that it signs.
//!
//! It is no secret of the facility's: with it, and with a subscription, somebody could ring a phone, and nothing else. A
//! browser binds its subscription to it, so a new one means that every phone subscribes again when its app is next opened.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use zeroize::Zeroizing;

/// The key's file in the state directory: PKCS#8, DER.
pub const FILE: &str = "vapid.p8";
/// How long a token is good for. RFC 8292 section 2 allows 24 hours; a ring takes a minute.
pub const TOKEN_S: u64 = 60 * 60;

/// The box's key for push services.
pub struct VapidKey {
    pair: EcdsaKeyPair,
    public: [u8; 65],
    contact: String,
}

impl VapidKey {
    /// Reads the key, or makes it where there is none. `contact` is told to every push service (RFC 8292 section 2.1).
    ///
    /// # Errors
    /// What the system reports; [`io::ErrorKind::InvalidData`] when the file is no key, and
    /// [`io::ErrorKind::PermissionDenied`] when others may read it.
    pub fn open(state: &Path, contact: &str) -> io::Result<Self> {
        fs::create_dir_all(state)?;
        let path = state.join(FILE);
        let der = match fs::read(&path) {
            Ok(der) => {
                if fs::metadata(&path)?.permissions().mode() & 0o077 != 0 {
                    return Err(io::ErrorKind::PermissionDenied.into());
                }
                Zeroizing::new(der)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(state, &path)?,
            Err(error) => return Err(error),
        };
        let unsound = || io::Error::from(io::ErrorKind::InvalidData);
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).map_err(|_| unsound())?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| unsound())?;
        Ok(Self { pair, public, contact: contact.to_owned() })
    }

    /// P-256, SEC1 uncompressed: what a browser subscribes with.
    pub fn public(&self) -> &[u8; 65] {
        &self.public
    }

    /// The `Authorization` header for one push service (RFC 8292 section 3); `None` when the system has no randomness.
    pub fn authorization(&self, authority: &str, unix_s: u64) -> Option<String> {
        let header = serde_json::json!({ "typ": "JWT", "alg": "ES256" });
        let claims = serde_json::json!({
            "aud": format!("https://{authority}"),
            "exp": unix_s + TOKEN_S,
            "sub": self.contact,
        });
        let said = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), said.as_bytes()).ok()?;
        Some(format!("vapid t={said}.{}, k={}", BASE64.encode(signature), BASE64.encode(self.public)))
    }
}

/// Made whole or not at all: a file that a power cut left half is never at the key's place.
fn make(state: &Path, path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let none = || io::Error::other("the system has no randomness");
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| none())?;
    let coming = state.join("vapid.p8.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&coming)?;
    file.write_all(der.as_ref())?;
    file.sync_all()?;
    fs::rename(&coming, path)?;
    File::open(state)?.sync_all()?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_kept_from_others() {
        let state = tempfile::tempdir().unwrap();
        let first = *VapidKey::open(state.path(), "mailto:it@example.org").unwrap().public();
        let path = state.path().join(FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(*VapidKey::open(state.path(), "mailto:it@example.org").unwrap().public(), first);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = VapidKey::open(state.path(), "mailto:it@example.org").err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn what_is_no_key_is_not_replaced() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join(FILE);
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
        let error = VapidKey::open(state.path(), "mailto:it@example.org").err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}
