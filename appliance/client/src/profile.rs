//! What one device keeps in its directory.
//!
//! | file | holds |
//! |---|---|
//! | `joining` | only while joining: SHA-256 of the code, and the key that goes with it |
//! | `device.key` | the device's private key, PKCS#8 |
//! | `profile.json` | the box's address and root, who this is |
//! | `outbox` | what was composed and not yet accepted, texts sealed ([`crate::outbox`]) |
//! | `state` | people, conversations, watermarks and known devices, sealed; no message |
//! | `cursor` | up to where events were handed over |
//! | `lock` | held while a process uses the profile |
//! | `share` | a socket: through it that process serves others of the same user ([`crate::Guest`]) |
//!
//! Directory 0700, files 0600; it refuses to work with anything laxer, and with a profile that another process has
//! open. The key lies in a file because a server or a desk's terminal has no keystore that works without a
//! desktop session; who reads the file is the device, so it belongs on an encrypted disk.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::fcntl::{Flock, FlockArg};
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use wardline_core::ids::{DeviceId, PersonId};
use zeroize::Zeroizing;

use crate::error::ProfileError;
use crate::files;
use crate::key::DeviceKey;
use crate::link::Address;

const FORMAT: u32 = 1;

/// Who this device is and where its box.
#[derive(Clone)]
pub struct Identity {
    /// Where the box answers.
    pub address: Address,
    /// The name its certificate must bear.
    pub server_name: String,
    /// The facility root certificate.
    pub root: CertificateDer<'static>,
    /// The facility's name, as the box gave it.
    pub facility: String,
    /// This device.
    pub device: DeviceId,
    /// Whose it is.
    pub person: PersonId,
    /// That person's name when it joined.
    pub name: String,
    /// What the person calls the device.
    pub device_name: String,
}

/// `profile.json`.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    address: String,
    server_name: String,
    root: String,
    facility: String,
    device: String,
    person: String,
    name: String,
    device_name: String,
}

/// A locked directory: this process alone uses it until it is dropped.
pub struct Claim {
    directory: PathBuf,
    _lock: Flock<std::fs::File>,
}

/// An opened profile.
pub struct Profile {
    claim: Claim,
    /// Who this is.
    pub identity: Identity,
    /// The device's key.
    pub key: DeviceKey,
}

impl Claim {
    /// Takes the directory for this process, making it when `create`.
    pub fn take(directory: &Path, create: bool) -> Result<Self, ProfileError> {
        if create {
            files::private_directory(directory)?;
        } else if directory.is_dir() {
            files::check_private(directory, "700")?;
        } else {
            return Err(ProfileError::Missing(directory.to_owned()));
        }
        let path = directory.join("lock");
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = file.map_err(|e| files::io(&path, e))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Self { directory: directory.to_owned(), _lock: lock }),
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => Err(ProfileError::Busy(directory.to_owned())),
            Err((_, errno)) => Err(files::io(&path, errno.into())),
        }
    }

    /// A file of this profile.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Whether somebody joined here.
    pub fn is_joined(&self) -> bool {
        self.path("profile.json").exists()
    }

    /// The key to join with, by the hash of the code: a fresh one, on disk before the box hears of it, so that no device
    /// exists whose key is lost; or that of an earlier try with this very code, whose answer may have been lost.
    pub(crate) fn joining_key(&self, code: &[u8; 32]) -> Result<DeviceKey, ProfileError> {
        let path = self.path("joining");
        let kept = files::read_small(&path)?;
        if let Some(pkcs8) = kept.as_ref().and_then(|kept| kept.strip_prefix(code.as_slice())) {
            return Ok(DeviceKey::from_pkcs8(Zeroizing::new(pkcs8.to_vec()))?);
        }
        let key = DeviceKey::generate()?;
        files::write_whole(&path, &Zeroizing::new([code, key.to_pkcs8()].concat()))?;
        Ok(key)
    }

    /// The next try makes a key of its own.
    pub(crate) fn forget_joining(&self) -> Result<(), ProfileError> {
        self.remove("joining")
    }

    /// Writes who this is: from here on the profile is joined.
    pub(crate) fn complete(self, identity: Identity, key: DeviceKey) -> Result<Profile, ProfileError> {
        // What an earlier device left here is not this one's.
        for name in ["outbox", "state", "cursor"] {
            self.remove(name)?;
        }
        files::write_whole(&self.path("device.key"), key.to_pkcs8())?;
        let profile = Profile { claim: self, identity, key };
        profile.save()?;
        profile.claim.remove("joining")?;
        Ok(profile)
    }

    fn remove(&self, name: &str) -> Result<(), ProfileError> {
        match std::fs::remove_file(self.path(name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(files::io(&self.path(name), error)),
            Ok(()) => files::sync_parent(&self.path(name)),
        }
    }
}

impl Profile {
    /// Opens a joined profile.
    pub fn open(directory: &Path) -> Result<Self, ProfileError> {
        let claim = Claim::take(directory, false)?;
        let identity = Self::identity(directory)?;
        let key = files::read_small(&claim.path("device.key"))?;
        let key = DeviceKey::from_pkcs8(key.ok_or_else(|| ProfileError::Missing(directory.to_owned()))?)?;
        Ok(Self { claim, identity, key })
    }

    /// Who a joined profile is of. For this nobody need hold it.
    pub fn identity(directory: &Path) -> Result<Identity, ProfileError> {
        files::check_private(directory, "700")?;
        let path = directory.join("profile.json");
        let stored = files::read_small(&path)?.ok_or_else(|| ProfileError::Missing(directory.to_owned()))?;
        let damaged = |what| ProfileError::Damaged { path: path.clone(), what };
        let stored: Stored = serde_json::from_slice(&stored).map_err(|_| damaged("it is not its JSON"))?;
        stored.into_identity().map_err(damaged)
    }

    /// A file of this profile.
    pub fn path(&self, name: &str) -> PathBuf {
        self.claim.path(name)
    }

    /// Writes `profile.json`.
    pub(crate) fn save(&self) -> Result<(), ProfileError> {
        let stored = Stored::from_identity(&self.identity);
        let path = self.path("profile.json");
        let json = serde_json::to_vec_pretty(&stored).map_err(|_| ProfileError::Damaged {
            path: path.clone(),
            what: "it cannot be written as JSON",
        })?;
        files::write_whole(&path, &json)
    }
}

impl Stored {
    fn from_identity(identity: &Identity) -> Self {
        Self {
            format: FORMAT,
            address: identity.address.to_string(),
            server_name: identity.server_name.clone(),
            root: STANDARD.encode(&identity.root),
            facility: identity.facility.clone(),
            device: identity.device.to_string(),
            person: identity.person.to_string(),
            name: identity.name.clone(),
            device_name: identity.device_name.clone(),
        }
    }

    fn into_identity(self) -> Result<Identity, &'static str> {
        if self.format != FORMAT {
            return Err("another version wrote it");
        }
        let hex = |text: &str| u64::from_str_radix(text, 16).ok();
        Ok(Identity {
            address: self.address.parse().map_err(|_| "the address is none")?,
            server_name: self.server_name,
            root: STANDARD.decode(self.root).map_err(|_| "the root is not base64")?.into(),
            facility: self.facility,
            device: hex(&self.device).and_then(DeviceId::new).ok_or("the device is none")?,
            person: hex(&self.person).and_then(PersonId::new).ok_or("the person is none")?,
            name: self.name,
            device_name: self.device_name,
        })
    }
}

/// What of a profile others on this machine could read or change, each as [`ProfileError::Exposed`]. Files that are not
/// there are not looked for.
pub fn exposed(directory: &Path) -> Vec<ProfileError> {
    let files = ["joining", "device.key", "profile.json", "outbox", "state", "cursor", "lock", "share"];
    let files = files.iter().map(|name| (directory.join(name), "600")).filter(|(path, _)| path.exists());
    let all = std::iter::once((directory.to_owned(), "700")).chain(files);
    all.filter_map(|(path, wanted)| files::check_private(&path, wanted).err()).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    pub(crate) fn identity() -> Identity {
        Identity {
            address: "box.example:443".parse().unwrap(),
            server_name: "box.example".to_owned(),
            root: vec![1, 2, 3].into(),
            facility: "St. Elsewhere".to_owned(),
            device: DeviceId::new(5).unwrap(),
            person: PersonId::new(6).unwrap(),
            name: "Ana".to_owned(),
            device_name: "desk".to_owned(),
        }
    }

    pub(crate) fn joined(directory: &Path) -> Profile {
        let claim = Claim::take(directory, true).unwrap();
        let key = claim.joining_key(&[7; 32]).unwrap();
        claim.complete(identity(), key).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_profile_is_private_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("a/wardline");
        let profile = joined(&home);
        assert_eq!(mode(&home), 0o700);
        for name in ["device.key", "profile.json", "lock"] {
            assert_eq!(mode(&home.join(name)), 0o600, "{name}");
        }
        let public = *profile.key.public().as_bytes();
        drop(profile);
        let again = Profile::open(&home).unwrap();
        assert_eq!(again.key.public().as_bytes(), &public);
        assert_eq!(again.identity.device, DeviceId::new(5).unwrap());
    }

    #[test]
    fn a_profile_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("wardline");
        drop(joined(&home));
        for (name, lax) in [("device.key", 0o640), ("profile.json", 0o604), ("", 0o750)] {
            let path = if name.is_empty() { home.clone() } else { home.join(name) };
            let strict = mode(&path);
            fs::set_permissions(&path, fs::Permissions::from_mode(lax)).unwrap();
            let error = Profile::open(&home).err().unwrap();
            assert!(matches!(&error, ProfileError::Exposed { path: at, .. } if *at == path), "{error}");
            assert!(error.to_string().contains("chmod"));
            fs::set_permissions(&path, fs::Permissions::from_mode(strict)).unwrap();
        }
        assert!(Profile::open(&home).is_ok());
    }

    #[test]
    fn a_join_that_was_cut_short_goes_on_with_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let claim = Claim::take(dir.path(), true).unwrap();
        let (code, other) = ([1; 32], [2; 32]);
        let first = *claim.joining_key(&code).unwrap().public();
        assert_eq!(mode(&dir.path().join("joining")), 0o600);
        assert!(*claim.joining_key(&code).unwrap().public() == first);
        let fresh = *claim.joining_key(&other).unwrap().public();
        assert!(fresh != first, "another code, another key");
        let key = claim.joining_key(&other).unwrap();
        assert!(!claim.is_joined());
        drop(claim.complete(identity(), key).unwrap());
        assert!(!dir.path().join("joining").exists());
        assert!(*Profile::open(dir.path()).unwrap().key.public() == fresh);
    }

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let held = joined(dir.path());
        assert!(matches!(Profile::open(dir.path()), Err(ProfileError::Busy(_))));
        drop(held);
        assert!(Profile::open(dir.path()).is_ok());
    }

    #[test]
    fn a_missing_or_damaged_profile_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("none");
        assert!(matches!(Profile::open(&home), Err(ProfileError::Missing(_))));
        drop(joined(&home));
        fs::write(home.join("profile.json"), "{").unwrap();
        assert!(matches!(Profile::open(&home), Err(ProfileError::Damaged { .. })));
    }
}
