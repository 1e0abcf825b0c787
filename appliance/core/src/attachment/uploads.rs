//! Files that were begun and belong to no message yet: all that the core remembers of any file. Once a message has one, it is
//! history, and in the store alone.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::media::{AttachmentPolicy, Media};
use crate::ids::{Change, ConversationId, DeviceId, PersonId, UploadId};
use crate::text::Sealed;
use crate::time::Wall;
use crate::write::Write;

/// A file as it is announced.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NewUpload {
    /// Of which device.
    #[n(0)]
    pub device: DeviceId,
    /// Its name, the device's own.
    #[n(1)]
    pub name: UploadId,
    /// Whose.
    #[n(2)]
    pub person: PersonId,
    /// Where it is to be said.
    #[n(3)]
    pub conversation: ConversationId,
    /// What it is said to be.
    #[n(4)]
    pub media: Media,
    /// Bytes.
    #[n(5)]
    pub length: u64,
    /// Of all of it.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
    /// When.
    #[n(7)]
    pub at: Wall,
    /// The file's key under its conversation's.
    #[n(8)]
    pub key: Sealed,
    /// A small picture of it under the file's key; empty: none.
    #[n(9)]
    pub thumbnail: Sealed,
}

/// What the core remembers of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Upload {
    /// The change that began it, by which the box names the file.
    #[n(0)]
    pub file: Change,
    /// Whose.
    #[n(1)]
    pub person: PersonId,
    /// Where it is to be said.
    #[n(2)]
    pub conversation: ConversationId,
    /// What it is.
    #[n(3)]
    pub media: Media,
    /// Bytes.
    #[n(4)]
    pub length: u64,
    /// Of all of it.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
    /// When it was begun.
    #[n(6)]
    pub at: Wall,
    /// It is there whole, and is what was announced.
    #[n(7)]
    pub done: bool,
    /// There is a small picture of it.
    #[n(8)]
    pub thumbnail: bool,
}

/// A file as it goes with a message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Sent {
    /// The upload it was.
    #[n(0)]
    pub upload: UploadId,
    /// The change that began it.
    #[n(1)]
    pub file: Change,
    /// What it is.
    #[n(2)]
    pub media: Media,
    /// Bytes.
    #[n(3)]
    pub length: u64,
    /// Of all of it.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
    /// There is a small picture of it.
    #[n(5)]
    pub thumbnail: bool,
    /// Its file name under the conversation's key.
    #[n(6)]
    pub title: Sealed,
}

/// Files on their way, and what may be attached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uploads {
    /// By device, and the device's own name for it.
    pub open: BTreeMap<(DeviceId, UploadId), Upload>,
    /// Where somebody said.
    pub policy: Option<AttachmentPolicy>,
}

impl NewUpload {
    /// Begun by this change.
    pub fn begun(&self, file: Change) -> Upload {
        Upload {
            file,
            person: self.person,
            conversation: self.conversation,
            media: self.media,
            length: self.length,
            sha256: self.sha256,
            at: self.at,
            done: false,
            thumbnail: !self.thumbnail.0.is_empty(),
        }
    }
}

impl Uploads {
    /// What may be attached.
    pub fn policy(&self) -> AttachmentPolicy {
        self.policy.unwrap_or(AttachmentPolicy::STANDARD)
    }

    /// How many a device has.
    pub(super) fn of_device(&self, device: DeviceId) -> usize {
        let ends = (device, UploadId([0; 16]))..=(device, UploadId([0xff; 16]));
        self.open.range(ends).count()
    }

    /// Bytes that may still come: what is there of those under way counts twice, once here and once on the disk.
    pub(super) fn announced(&self) -> u64 {
        self.open.values().filter(|upload| !upload.done).map(|upload| upload.length).sum()
    }

    pub(crate) fn apply(&mut self, change: Change, write: &Write) {
        match write {
            Write::UploadBegun(new) => {
                self.open.insert((new.device, new.name), new.begun(change));
            }
            Write::UploadFinished { device, name, .. } => {
                if let Some(upload) = self.open.get_mut(&(*device, *name)) {
                    upload.done = true;
                }
            }
            Write::UploadDropped { device, name, .. } => {
                self.open.remove(&(*device, *name));
            }
            Write::AttachmentsSent { device, files, .. } => {
                for file in files {
                    self.open.remove(&(*device, file.upload));
                }
            }
            // What it was to be said in is gone, and its key with it.
            Write::KeyDestroyed { conversation } => {
                self.open.retain(|_, upload| upload.conversation != *conversation);
            }
            Write::AttachmentPolicySet(policy) => self.policy = Some(*policy),
            _ => {}
        }
    }
}
