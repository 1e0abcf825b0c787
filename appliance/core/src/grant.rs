//! Permission to read, as a value. The store's readers demand one; only the core makes one, in the turn that
//! decides and records the access.

use crate::ids::{ConversationId, PersonId, Sequence};

/// A page of one conversation's history, newest first, within what the person may see. A slow reader may hold it for long:
/// whoever reads by it asks again whether the person is still a member.
#[derive(Debug, PartialEq, Eq)]
pub struct PageGrant {
    person: PersonId,
    conversation: ConversationId,
    from: Sequence,
    before: Sequence,
    limit: u32,
}

impl PageGrant {
    pub(crate) fn new(
        person: PersonId,
        conversation: ConversationId,
        (from, before): (Sequence, Sequence),
        limit: u32,
    ) -> Self {
        Self { person, conversation, from, before, limit }
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
