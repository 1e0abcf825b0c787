//! What is written to a role: who would read it, and the conversation.

use std::future::Future;

use wardline_core::time::Wall;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::error::Error;
use crate::event::Conversation;
use crate::{ConversationId, PersonId, RoleId, UnitId};

/// Who would read what is written to a role, as of now. It is no promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readers {
    /// Whoever holds it, but for whoever asks, in the order in which they are asked.
    pub holders: Vec<PersonId>,
    /// Where nobody holds it: whoever reads it until somebody does. Nobody: it waits for the next holder.
    pub cover: Vec<PersonId>,
    /// Where nobody holds it: when somebody will, in the next two weeks.
    pub next: Option<Wall>,
    /// Whoever asks holds it themselves.
    pub own: bool,
    /// The conversation of whoever asks with the role, if there is one.
    pub conversation: Option<ConversationId>,
}

/// A time in which nobody will hold a role, as its charge nurses are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapAhead {
    /// Which.
    pub role: RoleId,
    /// Whose.
    pub unit: UnitId,
    /// What the role is called.
    pub name: String,
    /// Milliseconds since 1970.
    pub start: i64,
    /// First moment behind it; as far as is known, two weeks ahead at most.
    pub end: i64,
    /// An escalation policy rings this role.
    pub rung: bool,
}

impl GapAhead {
    pub(crate) fn from_wire(wire: proto::RoleGapAhead) -> Result<Self, Error> {
        Ok(Self {
            role: RoleId::new(wire.role).ok_or(Error::Protocol("a role without identifier"))?,
            unit: UnitId::new(wire.unit).ok_or(Error::Protocol("a unit without identifier"))?,
            name: wire.name,
            start: wire.start,
            end: wire.end,
            rung: wire.rung,
        })
    }
}

/// Requests about what is written to roles.
pub trait InboxCalls: Calls {
    /// Who would read it. Changes nothing.
    fn role_readers(&self, role: RoleId) -> impl Future<Output = Result<Readers, Error>> + Send {
        async move {
            let shown =
                match self.call(Ask::LookAtRoleInbox(proto::LookAtRoleInbox { role: role.value() })).await? {
                    Answer::RoleInboxShown(shown) => shown,
                    other => return odd(other),
                };
            let people =
                |all: &[proto::Prospective]| all.iter().filter_map(|one| PersonId::new(one.person)).collect();
            Ok(Readers {
                holders: people(&shown.holders),
                cover: people(&shown.cover),
                next: (shown.next != 0).then_some(Wall(shown.next)),
                own: shown.own,
                conversation: ConversationId::new(shown.conversation),
            })
        }
    }

    /// One's conversation with a role: opened, or opened again.
    fn open_role_inbox(&self, role: RoleId) -> impl Future<Output = Result<Conversation, Error>> + Send {
        async move { self.opened(Ask::OpenRoleInbox(proto::OpenRoleInbox { role: role.value() })).await }
    }

    /// What was asked of a role is done.
    fn finish_role_inbox(&self, place: ConversationId) -> impl Future<Output = Result<(), Error>> + Send {
        async move {
            let ask = Ask::FinishRoleInbox(proto::FinishRoleInbox { conversation: place.value() });
            match self.call(ask).await? {
                Answer::Done(_) => Ok(()),
                other => odd(other),
            }
        }
    }
}

impl<C: Calls> InboxCalls for C {}
