//! Permission to read, as a value. The store's readers demand one; only the core makes one, in the turn that
//! decides and records the access.

use std::collections::BTreeSet;

use crate::escalation::StatId;
use crate::ids::{Change, ConversationId, DeviceId, ExportId, PatientId, PersonId, Sequence, UploadId};
use crate::search::Search;
use crate::text::Title;
use crate::time::Wall;

/// A page of one conversation's history, newest first, within what the person may see. A slow reader may hold it for long:
/// whoever reads by it asks again whether the person is still a member.
#[derive(Debug, PartialEq, Eq)]
pub struct PageGrant {
    person: PersonId,
    conversation: ConversationId,
    from: Sequence,
    before: Sequence,
    limit: u32,
    right: Right,
}

/// What somebody reads by, and what is asked again when they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// As a member of the conversation.
    Member,
    /// The one message of a STAT that rings for them, while it is open.
    Rung,
}

impl PageGrant {
    pub(crate) fn new(
        person: PersonId,
        conversation: ConversationId,
        (from, before): (Sequence, Sequence),
        limit: u32,
    ) -> Self {
        Self { person, conversation, from, before, limit, right: Right::Member }
    }

    pub(crate) fn of_stat(person: PersonId, StatId { conversation, sequence }: StatId) -> Self {
        Self { person, conversation, from: sequence, before: sequence.next(), limit: 1, right: Right::Rung }
    }

    /// By what.
    pub fn right(&self) -> Right {
        self.right
    }

    /// Who reads.
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// Whose history.
    pub fn conversation(&self) -> ConversationId {
        self.conversation
    }

    /// The first sequence that may be read.
    pub fn from(&self) -> Sequence {
        self.from
    }

    /// One past the last sequence that may be read.
    pub fn before(&self) -> Sequence {
        self.before
    }

    /// How many messages at most.
    pub fn limit(&self) -> u32 {
        self.limit
    }
}

/// A file may come in from the connection that it is given to, until its session ends. Made in the turn that decides it.
#[derive(Debug, PartialEq, Eq)]
pub struct UploadGrant {
    device: DeviceId,
    name: UploadId,
    file: Change,
    done: bool,
}

impl UploadGrant {
    pub(crate) fn new(device: DeviceId, name: UploadId, file: Change, done: bool) -> Self {
        Self { device, name, file, done }
    }

    /// Which device brings it.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Its name.
    pub fn name(&self) -> UploadId {
        self.name
    }

    /// The change that began it.
    pub fn file(&self) -> Change {
        self.file
    }

    /// It is there already.
    pub fn is_done(&self) -> bool {
        self.done
    }
}

/// One file of one message, or the small picture of it. A slow reader may hold it for long: whoever reads by it asks again whether the
/// person is still a member, and whether it is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentGrant {
    person: PersonId,
    message: StatId,
    which: u32,
    thumbnail: bool,
    by: FileRight,
}

/// What somebody reads a file by, and what is asked again when they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileRight {
    /// As a member of the conversation.
    Member,
    /// As a privacy officer who exports a record; of what this person wrote alone, or of everybody.
    Export(Option<PersonId>),
}

impl AttachmentGrant {
    pub(crate) fn new(person: PersonId, message: StatId, which: u32, thumbnail: bool) -> Self {
        Self { person, message, which, thumbnail, by: FileRight::Member }
    }

    pub(crate) fn of_export(officer: PersonId, message: StatId, which: u32, only: Option<PersonId>) -> Self {
        Self { person: officer, message, which, thumbnail: false, by: FileRight::Export(only) }
    }

    /// By what.
    pub fn right(&self) -> FileRight {
        self.by
    }

    /// Who reads.
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// Of which message.
    pub fn message(&self) -> StatId {
        self.message
    }

    /// The how many-eth of it, from 0.
    pub fn which(&self) -> u32 {
        self.which
    }

    /// The small picture of it alone.
    pub fn is_thumbnail(&self) -> bool {
        self.thumbnail
    }
}

/// A page of one conversation of an export, oldest first. A slow reader may hold it for long: whoever reads by it asks again whether the
/// officer still is one, and whether the conversation is there.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportGrant {
    /// Who reads.
    pub officer: PersonId,
    /// For which.
    pub export: ExportId,
    /// Where.
    pub conversation: ConversationId,
    /// The first message that may be read.
    pub from: Sequence,
    /// The last.
    pub through: Sequence,
    /// Of these, what this person wrote.
    pub only: Option<PersonId>,
    /// What the conversation is called.
    pub title: Title,
    /// With what moved in the thread.
    pub notices: bool,
    /// Whose names may be read: the records of whoever's record it is.
    pub shown: Vec<PatientId>,
    /// Whom the thread is about, and no word of whose name may be read.
    pub hidden: Vec<PatientId>,
}

/// A page of the audit log. Whoever reads by it asks again whether the officer still is one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditGrant {
    /// Who reads.
    pub officer: PersonId,
    /// Entries before this one.
    pub before: u64,
    /// By or about somebody, or on one of these devices of theirs.
    pub person: Option<(PersonId, Vec<DeviceId>)>,
    /// About a patient: by these records, and in these threads.
    pub patient: Option<(Vec<PatientId>, Vec<ConversationId>)>,
    /// The numbers of acts; none: any.
    pub acts: BTreeSet<u32>,
    /// From then on.
    pub since: Wall,
    /// Before then.
    pub until: Wall,
}

/// Everything that is one person's at the time of each read: conversations, people, messages since a cursor. Ends
/// with the session that it was given to: the driver drops it on [`crate::turn::Send::Detach`].
#[derive(Debug, PartialEq, Eq)]
pub struct SyncGrant {
    person: PersonId,
}

impl SyncGrant {
    pub(crate) fn new(person: PersonId) -> Self {
        Self { person }
    }

    /// Whose.
    pub fn person(&self) -> PersonId {
        self.person
    }
}

/// One search among what a person may see at the time of reading. A slow reader may hold it for long: whoever reads by it asks
/// again where the person is a member, and from which message on.
#[derive(Debug, PartialEq, Eq)]
pub struct SearchGrant {
    person: PersonId,
    search: Search,
}

impl SearchGrant {
    pub(crate) fn new(person: PersonId, search: Search) -> Self {
        Self { person, search }
    }

    /// Who looks.
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// For what.
    pub fn search(&self) -> &Search {
        &self.search
    }
}
