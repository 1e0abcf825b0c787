//! What the laptop remembers of each box, between one stick and the next: one small file a box in the facility's directory.
//!
//! No secret stands in it: the configuration's secrets are encrypted for their box. It is replaced whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use minicbor::{Decode, Encode};

use crate::bundle::codec::{self, Blob};
use crate::bundle::configuration::{BODY_MAX, Configuration};
use crate::bundle::{BoxId, Fault, Identity, List, NoList, Sent, Sha256};
use crate::file::{self, FileError};

/// Directory of the records within the facility's.
const DIRECTORY: &str = "boxes";
/// Most configurations that are remembered of a box.
const SHIPMENTS_MAX: usize = 4;
/// Most bytes of a record: four bodies of 64 KiB, and 5 KiB of keys and hashes.
const RECORD_MAX: u64 = 272 * 1024;

/// What is remembered of one box.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BoxRecord {
    /// The version of this file: [`BoxRecord::VERSION`].
    #[n(0)]
    version: u8,
    /// The box's keys.
    #[n(1)]
    identity: Identity,
    /// What was sent, oldest first: the last one that a receipt answered, and what was sent after it. More than one when a
    /// stick was lost.
    #[n(2)]
    shipments: List<Shipment, 1, SHIPMENTS_MAX>,
    /// SHA-256 of the last receipt that was verified; none before the first.
    #[n(3)]
    receipt: Option<Sha256>,
}

/// One configuration that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Shipment {
    /// What a receipt of it must say.
    #[n(0)]
    pub sent: Sent,
    /// Its body.
    #[n(1)]
    body: Blob<1, BODY_MAX>,
}

impl Shipment {
    /// `None` for a body that is too long, which no configuration's is.
    #[must_use]
    pub fn new(sent: Sent, configuration: &Configuration) -> Option<Self> {
        Some(Self { sent, body: Blob::new(configuration.to_bytes())? })
    }

    /// The configuration.
    ///
    /// # Errors
    /// [`Fault`] when this program cannot read it, because another release wrote it.
    pub fn configuration(&self) -> Result<Configuration, Fault> {
        Configuration::from_bytes(self.body.as_slice())
    }
}

impl BoxRecord {
    /// The version of the file.
    pub const VERSION: u8 = 1;

    /// The record after one more shipment. Of more than four that no receipt answered, the oldest is forgotten.
    ///
    /// # Errors
    /// [`NoList`] for a shipment that was there already.
    pub fn with(before: Option<&Self>, identity: Identity, shipment: Shipment) -> Result<Self, NoList> {
        let mut shipments = before.map_or_else(Vec::new, |record| record.shipments.iter().cloned().collect());
        shipments.push(shipment);
        let surplus = shipments.len().saturating_sub(SHIPMENTS_MAX);
        shipments.drain(..surplus);
        let receipt = before.and_then(|record| record.receipt);
        Ok(Self { version: Self::VERSION, identity, shipments: List::new(shipments)?, receipt })
    }

    /// The record after a receipt of this shipment: what was sent before it can be in force no more.
    ///
    /// # Errors
    /// [`NoList`] for a serial that was never sent.
    pub fn received(&self, serial: u64, receipt: Sha256) -> Result<Self, NoList> {
        let left = self.shipments.iter().filter(|shipment| shipment.sent.serial >= serial).cloned().collect();
        Ok(Self { shipments: List::new(left)?, receipt: Some(receipt), ..self.clone() })
    }

    /// The box's keys.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// SHA-256 of the last receipt that was verified.
    #[must_use]
    pub fn receipt(&self) -> Option<Sha256> {
        self.receipt
    }

    /// What was sent last.
    #[must_use]
    pub fn latest(&self) -> Option<&Shipment> {
        self.shipments.as_slice().last()
    }

    /// What was sent under this serial; otherwise the last.
    #[must_use]
    pub fn sent_as(&self, serial: Option<u64>) -> Option<&Shipment> {
        let asked = self.shipments.iter().find(|shipment| Some(shipment.sent.serial) == serial);
        asked.or_else(|| self.latest())
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
            Ok(record) if record.version == Self::VERSION && record.identity.box_id() == *box_id => {
                Ok(Some(record))
            }
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
