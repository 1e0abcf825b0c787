//! The store: one encrypted SQLite file that holds everything the box must not forget.
//!
//! It persists the core's writes in order, hands back the state they fold to, and answers reads to whoever holds a
//! grant of the core's. One connection writes; a few read. Terms: a *batch* is what one [`Store::commit`] takes, and
//! is one transaction; a *change* is a write's global number.
//!
//! What it refuses to do:
//! - decide anything: it draws no identifier, reads no clock, and checks no permission but the grant's own bounds;
//! - take a batch that does not follow the last one without a gap;
//! - go on after a batch failed: the core's memory is ahead of the disk then, and only opening again puts them level;
//! - open a file under a wrong key, of a newer release, or that does not check out;
//! - run on a library that is not SQLCipher, or on an SQLite with the WAL-reset bug (before 3.51.3);
//! - show a key, a name, a title or a body in an error or a log.
//!
//! Order within a batch: see [`plan`], which turns a batch into what it comes to.

mod aged;
mod audited;
mod changes;
mod check;
mod commit;
mod error;
mod export;
mod files;
mod filing;
mod find;
mod hash;
mod key;
mod notices;
mod open;
mod orders;
mod packed;
mod plan;
mod plan_alarms;
mod plan_bell;
mod plan_broadcast;
mod plan_clinic;
mod plan_family;
mod plan_files;
mod plan_holds;
mod plan_inbox;
mod plan_urgent;
mod reactions;
mod read;
mod readers;
mod restore;
mod row;
mod row_clinic;
mod row_family;
pub(crate) mod rows;
mod search;
mod signed;
mod stat_load;
mod tasks;
mod wal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use wardline_core::alteration;
use wardline_core::clinic::{Encounter, Patient};
use wardline_core::conversation::Conversation;
use wardline_core::directory::{Person, Unit};
use wardline_core::escalation::{Escalation, Priority};
use wardline_core::ids::{Change, ConversationId, DeviceId, MessageId, PersonId, Sequence};
use wardline_core::mention::Mention;
use wardline_core::notice::Notice;
use wardline_core::order::Order;
use wardline_core::reaction::Reactions;
use wardline_core::task::Task;
use wardline_core::text::Sealed;
use wardline_core::time::Wall;
use wardline_core::wire::proto;

use crate::keyring::Origin;

pub use aged::WouldGo;
pub use audited::Audited;
pub use error::StoreError;
pub use export::{Acts, Exported, ExportedPage};
pub use files::StoredFile;
pub use key::StoreKey;
#[cfg(test)]
pub(crate) use read::CHUNK_MESSAGES;
#[cfg(test)]
pub(crate) use readers::Gate;
pub use readers::Readers;
pub use row_family::Kin;
pub use search::{Standing, Window};
pub use stat_load::UnitLoad;

/// The writer's side: one connection, one batch at a time.
pub struct Store {
    writer: SqliteConnection,
    readers: Readers,
    path: PathBuf,
    last: Change,
    /// Cleared while a batch is under way and after one failed.
    sound: bool,
    statements: rows::Statements,
}

/// What became of a batch.
#[must_use = "sends may leave only after Committed"]
#[derive(Debug)]
pub enum Commit {
    /// On disk.
    Committed,
    /// Rolled back for certain. The store takes no more batches until it is opened again.
    Refused(StoreError),
    /// Nobody knows: it is there or it is not, whole in either case. Open again to see.
    Unknown(StoreError),
}

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// The change that brought it.
    pub change: Change,
    /// Where.
    pub conversation: ConversationId,
    /// Its place there.
    pub sequence: Sequence,
    /// Its name.
    pub id: MessageId,
    /// Its author.
    pub sender: PersonId,
    /// The device that sent it: its body is bound to it.
    pub device: DeviceId,
    /// When the box took it.
    pub at: Wall,
    /// Its text under the conversation's key.
    pub body: Sealed,
    /// How urgent it is.
    pub priority: Priority,
    /// What it is in reply to.
    pub reply_to: Sequence,
    /// Whom it names.
    pub mentions: Vec<Mention>,
    /// How often it was edited: its body is bound to that too.
    pub edits: u32,
    /// There is no body any more.
    pub recalled: bool,
    /// When it was last edited, or recalled.
    pub altered_at: Wall,
    /// What was put to it.
    pub reactions: Reactions,
    /// How many files it has.
    pub files: u32,
}

impl StoredMessage {
    /// What became of it, as clients see it.
    pub fn standing(&self) -> alteration::Standing {
        alteration::Standing { edits: self.edits, edit: None, recalled: self.recalled, at: self.altered_at }
    }

    /// What was put to it, as clients see it.
    pub fn reactions(&self) -> proto::MessageReactions {
        proto::MessageReactions {
            conversation: self.conversation.value(),
            sequence: self.sequence.0,
            reactions: self.reactions.to_wire(),
        }
    }

    /// What its body is bound to.
    pub fn origin(&self) -> Origin {
        let Self { conversation, id: message, device, edits: version, .. } = *self;
        Origin { conversation, message, device, version }
    }
}

/// What a retry is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The message's name.
    pub message: MessageId,
    /// Where.
    pub conversation: ConversationId,
    /// Its place there.
    pub sequence: Sequence,
    /// When the box took it.
    pub at: Wall,
    /// The change that brought it.
    pub change: Change,
}

/// What one person has missed, all seen at one moment: that of `head`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The last change it knows of.
    pub head: Change,
    /// Everything anew: what the device has that is not in here is gone.
    pub snapshot: bool,
    /// Units that are new or have another name, by identifier.
    pub units: Vec<Unit>,
    /// People whose entry changed, by identifier.
    pub people: Vec<Person>,
    /// The person's conversations that changed, whole, by identifier.
    pub conversations: Vec<Conversation>,
    /// Whom those of them that are patients' threads are about: their records, the surviving one first.
    pub bedsides: BTreeMap<ConversationId, (Encounter, Vec<Patient>)>,
    /// Whose those of them that are family threads are, and how those in them are called.
    pub kin: BTreeMap<ConversationId, Kin>,
    /// Conversations that the person left or was taken out of.
    pub gone: Vec<ConversationId>,
    /// Watermarks that moved, where watermarks are pushed and the conversation is not listed whole: where, whose,
    /// delivered, read, and the change that moved it. In order of change.
    pub watermarks: Vec<(ConversationId, PersonId, Sequence, Sequence, Change)>,
    /// STATs of the person's conversations, open or closed, that stand differently; and all that are open in those that are
    /// listed whole. By identifier.
    pub stats: Vec<Escalation>,
    /// What was told meanwhile in the threads of the person's patients; of a snapshot, the newest of each. By change.
    pub notices: Vec<(Change, Notice)>,
    /// Tasks of the person's conversations, open or over, that stand differently, about messages that they may read; and all that are
    /// open in those that are listed whole. By identifier.
    pub tasks: Vec<Task>,
    /// Orders, the same: those that are not filed.
    pub orders: Vec<Order>,
    /// Messages that this person may read; fetch them with [`Readers::messages`]. By change.
    pub messages: Vec<Missed>,
    /// Messages that they had before and that were edited or recalled since; in a snapshot, all that ever were and are not among
    /// `messages`. In the same way.
    pub altered: Vec<Missed>,
    /// Messages that they had before, that are not among `altered`, and to which something was put since; none in a snapshot. In the
    /// same way.
    pub reacted: Vec<Missed>,
}

/// What a grant for a page gives by the time that it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// These, newest first.
    Of(Vec<StoredMessage>),
    /// Nothing: the person has left meanwhile, or was taken out.
    NotAMember,
    /// Nothing: the conversation was purged meanwhile.
    Purged,
}

/// A message that is yet to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missed {
    /// The change that brought it.
    pub change: Change,
    /// Where.
    pub conversation: ConversationId,
    /// Bytes of its body, as sealed.
    pub size: u64,
}

impl Store {
    /// The pool of readers.
    pub fn readers(&self) -> Readers {
        self.readers.clone()
    }

    /// The last change on disk.
    pub fn last(&self) -> Change {
        self.last
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for reads under way, ends all others, puts everything into the one file.
    pub async fn close(self) -> Result<(), StoreError> {
        self.readers.close().await?;
        Ok(self.writer.close().await?)
    }
}
