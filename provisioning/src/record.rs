//! What the laptop remembers of each box, between one stick and the next: one small file a box in the facility's directory.
//!
//! No secret stands in it: the configuration's secrets are encrypted for their box. It is replaced whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use minicbor::{Decode, Encode};

use crate::bundle::codec::{self, Blob};
use crate::bundle::configuration::{BODY_MAX, Configuration};
use crate::bundle::{BoxId, Identity, Sent, Sha256};
use crate::file::{self, FileError};

/// Directory of the records within the facility's.
const DIRECTORY: &str = "boxes";
/// Most bytes of a record: a body and 5 KiB of keys and hashes.
const RECORD_MAX: u64 = 128 * 1024;

/// What is remembered of one box.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BoxRecord {
    /// The version of this file: [`BoxRecord::VERSION`].
    #[n(0)]
    pub version: u8,
    /// The box's keys.
    #[n(1)]
    pub identity: Identity,
    /// What was sent last.
    #[n(2)]
    pub sent: Sent,
    /// Its body.
    #[n(3)]
    body: Blob<1, BODY_MAX>,
    /// SHA-256 of the last receipt that was verified; none before the first.
    #[n(4)]
    pub receipt: Option<Sha256>,
}

impl BoxRecord {
    /// The version of the file.
    pub const VERSION: u8 = 1;

    /// A record of what is about to be sent; `None` for a body that is too long, which no configuration's is.
    #[must_use]
    pub fn new(
        identity: Identity,
        sent: Sent,
        configuration: &Configuration,
        receipt: Option<Sha256>,
    ) -> Option<Self> {
        let body = Blob::new(configuration.to_bytes())?;
        Some(Self { version: Self::VERSION, identity, sent, body, receipt })
    }

    /// The configuration that was sent last.
    ///
    /// # Errors
    /// [`FileError::Content`] when this program cannot read it.
    pub fn configuration(&self, facility: &Path) -> Result<Configuration, FileError> {
        let unreadable = |_| FileError::Content(path(facility, &self.identity.box_id()), "another release wrote it");
        Configuration::from_bytes(self.body.as_slice()).map_err(unreadable)
    }

    /// Reads the record of a box; `None` when there is none.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn load(facility: &Path, box_id: &BoxId) -> Result<Option<Self>, FileError> {
        let path = path(facility, box_id);
        let bytes = match file::read_bounded(&path, RECORD_MAX) {
            Err(FileError::Io(_, error)) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        match codec::decode::<Self>(&bytes) {
            Ok(record) if record.version == Self::VERSION && record.identity.box_id() == *box_id => Ok(Some(record)),
            _ => Err(FileError::Content(path, "not the record of this box")),
        }
    }

    /// Writes the record, in place of the one that was there.
    ///
    /// # Errors
    /// See [`FileError`].
    pub fn save(&self, facility: &Path) -> Result<(), FileError> {
        let directory = facility.join(DIRECTORY);
        fs::create_dir_all(&directory).map_err(|error| FileError::Io(directory, error))?;
        file::replace(&path(facility, &self.identity.box_id()), &codec::encode(self), 0o600)
    }
}

/// The first 16 digits of the box's number name its file: enough for a person to tell two apart, and the file says the rest.
fn path(facility: &Path, box_id: &BoxId) -> PathBuf {
    let digits = box_id.to_string();
    facility.join(DIRECTORY).join(format!("{}.box", &digits[..16]))
}
