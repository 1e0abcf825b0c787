//! Announcements: of a unit by whoever leads it, of the facility by whom an administrator named.

use std::future::Future;

use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::error::Error;
use crate::event::Conversation;
use crate::{ConversationId, PersonId, Sequence, UnitId};

/// Which announcements there are for whoever asks, and the facility's rules for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcasts {
    /// Of the units where they work, and of the facility last.
    pub all: Vec<Announcements>,
    /// Who may announce to the facility.
    pub announcers: Vec<PersonId>,
    /// How urgent announcements may be.
    pub policy: Policy,
}

/// Those of a unit, or of the facility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcements {
    /// None: the facility's.
    pub unit: Option<UnitId>,
    /// None: nothing was announced yet.
    pub conversation: Option<ConversationId>,
    /// Whoever asks may announce there.
    pub announces: bool,
    /// How many read them.
    pub readers: u32,
}

/// Whether announcements may be urgent; they are never a STAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Those of units.
    pub unit_urgent: bool,
    /// Those of the facility.
    pub facility_urgent: bool,
}

/// How many have an announcement, and have read it: whoever asks is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipts {
    /// How many are to read it.
    pub readers: u32,
    /// On a device of theirs.
    pub delivered: u32,
    /// They have seen it.
    pub read: u32,
}

/// Requests about announcements.
pub trait BroadcastCalls: Calls {
    /// Which there are for whoever asks, and the rules.
    fn broadcasts(&self) -> impl Future<Output = Result<Broadcasts, Error>> + Send {
        async move {
            let list = match self.call(Ask::ListBroadcasts(proto::ListBroadcasts {})).await? {
                Answer::BroadcastList(list) => list,
                other => return odd(other),
            };
            let policy = Policy { unit_urgent: list.unit_urgent, facility_urgent: list.facility_urgent };
            let of = |one: proto::Broadcast| Announcements {
                unit: UnitId::new(one.unit),
                conversation: ConversationId::new(one.conversation),
                announces: one.announces,
                readers: one.readers,
            };
            Ok(Broadcasts {
                all: list.broadcasts.into_iter().map(of).collect(),
                announcers: list.announcers.into_iter().filter_map(PersonId::new).collect(),
                policy,
            })
        }
    }

    /// A unit's, or the facility's, to announce there: opened where there are none.
    fn open_broadcast(
        &self,
        unit: Option<UnitId>,
    ) -> impl Future<Output = Result<Conversation, Error>> + Send {
        let unit = unit.map_or(0, UnitId::value);
        async move { self.opened(Ask::OpenBroadcast(proto::OpenBroadcast { unit })).await }
    }

    /// How many have read one. For whoever announces there.
    fn broadcast_receipts(
        &self,
        conversation: ConversationId,
        sequence: Sequence,
    ) -> impl Future<Output = Result<Receipts, Error>> + Send {
        async move {
            let (conversation, sequence) = (conversation.value(), sequence.0);
            let ask = Ask::LookAtBroadcast(proto::LookAtBroadcast { conversation, sequence });
            match self.call(ask).await? {
                Answer::BroadcastReceipts(proto::BroadcastReceipts { readers, delivered, read, .. }) => {
                    Ok(Receipts { readers, delivered, read })
                }
                other => odd(other),
            }
        }
    }

    /// Somebody may announce to the facility, or may no more. For administrators.
    fn set_announcer(
        &self,
        person: PersonId,
        announces: bool,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let person = person.value();
        async move {
            match self.call(Ask::SetAnnouncer(proto::SetAnnouncer { person, announces })).await? {
                Answer::Done(_) => Ok(()),
                other => odd(other),
            }
        }
    }

    /// Whether announcements may be urgent. For administrators.
    fn set_broadcast_policy(&self, policy: Policy) -> impl Future<Output = Result<(), Error>> + Send {
        let Policy { unit_urgent, facility_urgent } = policy;
        async move {
            let ask = Ask::SetBroadcastPolicy(proto::SetBroadcastPolicy { unit_urgent, facility_urgent });
            match self.call(ask).await? {
                Answer::Done(_) => Ok(()),
                other => odd(other),
            }
        }
    }
}

impl<C: Calls> BroadcastCalls for C {}
