//! The keeper's files: what must survive a restart, and nothing that opens without the TPM.
//!
//! All of them live in one directory, `keys`, below the state directory. Provisioning fills a sibling directory and
//! renames it into place, so there are keys or there are none. The sibling is made before the TPM is changed and stays
//! until it is renamed: so long as it is there, a TPM that counts epochs without keys is a provisioning that was cut
//! short, and afterwards it is one whose keys were lost. Later changes replace one file: write a temporary
//! file, sync it, rename it over the old one, sync the directory. A process killed anywhere leaves the old content
//! or the new.
//!
//! A file is a magic, a version, its own kind, a length and a SHA-256 in front of the content, so that "missing",
//! "damaged" and "another file in its place" are told apart. The checksum is against accidents; against malice stand
//! the TPM and its policy. Refuses: content over [`CONTENT_BYTES_MAX`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use minicbor::{Decode, Encode};
use wardline_keys_protocol::Blob;
use wardline_keys_protocol::policy::sha256;

/// The most bytes of content: a chain of 2 certificates of 8 KiB is the largest, 32 KiB is twice that.
pub const CONTENT_BYTES_MAX: usize = 32 * 1024;

const MAGIC: &[u8; 8] = b"WARDKEEP";
const VERSION: u8 = 1;
/// Magic, version, kind, length, SHA-256.
const HEAD_BYTES: usize = 8 + 1 + 1 + 4 + 32;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is not there.
    #[error("the file `{}` is missing", .0.file_name())]
    Missing(Blob),
    /// It is not what was written.
    #[error("the file `{}` is damaged", .0.file_name())]
    Corrupt(Blob),
    /// The file system failed.
    #[error("the keeper's state directory cannot be used")]
    Io(#[from] io::Error),
}

/// The state directory.
#[derive(Debug, Clone)]
pub struct Store {
    state: PathBuf,
}

impl Store {
    /// Uses `state`, making it (mode 0700) when it is not there. Changes nothing in it: another keeper may be at work.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn open(state: impl Into<PathBuf>) -> io::Result<Self> {
        let state = state.into();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&state)?;
        Ok(Self { state })
    }

    fn keys(&self) -> PathBuf {
        self.state.join("keys")
    }

    fn staging(&self) -> PathBuf {
        self.state.join("keys.new")
    }

    /// Whether there are keys here.
    ///
    /// # Errors
    /// [`StoreError::Io`] when that cannot be told: a state directory that is gone or unreadable is not an empty one.
    pub fn provisioned(&self) -> Result<bool, StoreError> {
        if is_there(&self.keys())? {
            return Ok(true);
        }
        fs::read_dir(&self.state)?;
        Ok(false)
    }

    /// Whether a provisioning was begun and neither finished nor begun anew.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn unfinished(&self) -> Result<bool, StoreError> {
        is_there(&self.staging())
    }

    /// Reads one file.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn read<T: for<'b> Decode<'b, ()>>(&self, blob: Blob) -> Result<T, StoreError> {
        let mut bytes = Vec::new();
        match File::open(self.keys().join(blob.file_name())) {
            Ok(file) => file.take((HEAD_BYTES + CONTENT_BYTES_MAX + 1) as u64).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(StoreError::Missing(blob)),
            Err(error) => return Err(error.into()),
        };
        let content = unframe(blob, &bytes).ok_or(StoreError::Corrupt(blob))?;
        let mut decoder = minicbor::Decoder::new(content);
        match decoder.decode() {
            Ok(value) if decoder.position() == content.len() => Ok(value),
            _ => Err(StoreError::Corrupt(blob)),
        }
    }

    /// Replaces one file, durably.
    ///
    /// # Errors
    /// What the file system reports; the old content then stands.
    pub fn write<T: Encode<()>>(&self, blob: Blob, value: &T) -> io::Result<()> {
        let keys = self.keys();
        let temporary = keys.join(format!(".{}.new", blob.file_name()));
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        write_file(&temporary, &frame(blob, value)?)?;
        fs::rename(&temporary, keys.join(blob.file_name()))?;
        sync_dir(&keys)
    }

    /// Begins a first provisioning, durably; call it before the TPM is changed. What an earlier one left is removed.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn stage(&self) -> io::Result<Staged> {
        let staging = self.staging();
        match fs::remove_dir_all(&staging) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::DirBuilder::new().mode(0o700).create(&staging)?;
        sync_dir(&self.state)?;
        Ok(Staged { store: self.clone() })
    }
}

/// A set of files that become the keeper's together.
#[derive(Debug)]
pub struct Staged {
    store: Store,
}

impl Staged {
    /// Adds one file.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn write<T: Encode<()>>(&self, blob: Blob, value: &T) -> io::Result<()> {
        write_file(&self.store.staging().join(blob.file_name()), &frame(blob, value)?)
    }

    /// Makes the set the keeper's, durably.
    ///
    /// # Errors
    /// What the file system reports; then there are no keys.
    pub fn commit(self) -> io::Result<()> {
        sync_dir(&self.store.staging())?;
        fs::rename(self.store.staging(), self.store.keys())?;
        sync_dir(&self.store.state)
    }
}

fn kind(blob: Blob) -> u8 {
    match blob {
        Blob::Identity => 0,
        Blob::DatabaseKey => 1,
        Blob::IssuingKey => 2,
        Blob::Pepper => 3,
        Blob::AttestationKey => 4,
        Blob::IssuingChain => 5,
        Blob::Approvals => 6,
    }
}

fn frame<T: Encode<()>>(blob: Blob, value: &T) -> io::Result<Vec<u8>> {
    let content = minicbor::to_vec(value).map_err(io::Error::other)?;
    if content.len() > CONTENT_BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let len = (content.len() as u32).to_be_bytes();
    let sum = sha256(&[MAGIC, &[VERSION, kind(blob)], &len, &content]);
    Ok([MAGIC.as_slice(), &[VERSION, kind(blob)], &len, &sum, &content].concat())
}

fn unframe(blob: Blob, bytes: &[u8]) -> Option<&[u8]> {
    let (head, content) = bytes.split_at_checked(HEAD_BYTES)?;
    let (label, sum) = head.split_at(HEAD_BYTES - 32);
    let expected = [MAGIC.as_slice(), &[VERSION, kind(blob)], &(content.len() as u32).to_be_bytes()].concat();
    (label == expected && sum == sha256(&[label, content])).then_some(content)
}

/// Whether a directory is there; anything else in its place is an error, as is not being able to look.
fn is_there(path: &Path) -> Result<bool, StoreError> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => Ok(true),
        Ok(_) => Err(io::Error::from(io::ErrorKind::NotADirectory).into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_and_every_truncation_is_noticed() {
        let bytes = frame(Blob::Pepper, &7u64).unwrap();
        assert!(unframe(Blob::Pepper, &bytes).is_some());
        assert!(unframe(Blob::DatabaseKey, &bytes).is_none(), "another file's content in its place");
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(unframe(Blob::Pepper, &bad).is_none(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(unframe(Blob::Pepper, &bytes[..len]).is_none(), "cut at {len}");
        }
    }

    #[test]
    fn a_file_is_old_or_new_and_staging_is_all_or_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("state")).unwrap();
        let staged = store.stage().unwrap();
        staged.write(Blob::Pepper, &1u64).unwrap();
        assert!(!store.provisioned().unwrap());
        // A killed provisioning leaves its staging; opening again leaves it alone, and staging again forgets it.
        let store = Store::open(dir.path().join("state")).unwrap();
        assert!(store.unfinished().unwrap());
        let staged = store.stage().unwrap();
        staged.write(Blob::Approvals, &2u64).unwrap();
        staged.commit().unwrap();
        assert!(store.provisioned().unwrap() && !store.unfinished().unwrap());
        assert!(matches!(store.read::<u64>(Blob::Pepper), Err(StoreError::Missing(Blob::Pepper))));
        store.write(Blob::Approvals, &3u64).unwrap();
        assert_eq!(store.read::<u64>(Blob::Approvals).unwrap(), 3);
    }

    #[test]
    fn a_directory_that_cannot_be_looked_into_is_not_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let store = Store::open(&state).unwrap();
        assert!(!store.provisioned().unwrap());
        fs::write(state.join("keys"), b"").unwrap();
        assert!(matches!(store.provisioned(), Err(StoreError::Io(_))), "a file in its place");
        fs::remove_dir_all(&state).unwrap();
        assert!(matches!(store.provisioned(), Err(StoreError::Io(_))), "a state directory that went away");
    }
}
