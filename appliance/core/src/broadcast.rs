//! Announcements: a conversation of a unit, or of the facility, that few write and everybody reads.
//!
//! A unit's are written by whoever leads it, the facility's by whom an administrator has named. Whoever works in the unit is in it,
//! and everybody of the directory in the facility's: that follows from posts and directory, at the end of the turn in which those
//! change ([`settle`]). Nobody answers there and nobody reacts, so a reader's name is on nobody's screen: members are not listed, their
//! watermarks are not told, and whoever announces sees how many have read a message, not who.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::access::{self, Operation, Permit, Relations};
use crate::audit::{Act, Actor};
use crate::conversation::{Conversation, Kind};
use crate::directory::Person;
use crate::draft::{Draft, actor};
use crate::escalation::Priority;
use crate::ids::{Conn, ConversationId, PersonId, RequestId, Sequence, UnitId};
use crate::input::Fresh;
use crate::limits;
use crate::membership::{self, Opening};
use crate::refusal::{Fault, Refusal};
use crate::relay::Room;
use crate::session::Ready;
use crate::state::State;
use crate::text::Title;
use crate::turn::Send;
use crate::wire::proto::{self, client_frame, server_frame::Body};
use crate::write::Write;

mod following;

pub(crate) use following::{settle, touched};

/// How urgent an announcement may be. A STAT is none: it wants somebody who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BroadcastPolicy {
    /// A unit's may be urgent.
    #[n(0)]
    pub unit_urgent: bool,
    /// The facility's may be.
    #[n(1)]
    pub facility_urgent: bool,
}

impl BroadcastPolicy {
    /// Until an administrator says otherwise: what is urgent to everybody in the house is urgent to nobody.
    pub const STANDARD: Self = Self { unit_urgent: true, facility_urgent: false };

    const fn allows_urgent(self, unit: Option<UnitId>) -> bool {
        if unit.is_some() { self.unit_urgent } else { self.facility_urgent }
    }
}

/// A durable change of them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum BroadcastWrite {
    /// Somebody may announce to the facility, or may no more.
    #[n(1)]
    AnnouncerSet {
        /// Who.
        #[n(0)]
        person: PersonId,
        /// May.
        #[n(1)]
        announces: bool,
    },
    /// How urgent they may be.
    #[n(2)]
    PolicySet(#[n(0)] BroadcastPolicy),
}

/// A request of somebody who is signed in. Every field has been parsed.
pub enum BroadcastAsk {
    /// The announcements of a unit, or of the facility, to write there: opened where there are none.
    Open {
        /// Whose; none: the facility's.
        unit: Option<UnitId>,
        /// For the identifier and the key.
        fresh: Fresh,
    },
    /// How many have received and read a message.
    Look {
        /// Where.
        conversation: ConversationId,
        /// Which.
        sequence: Sequence,
    },
}

/// A request of theirs, or of a service of the box.
pub enum AnnouncerAsk {
    /// Which announcements there are for the asker, who announces to the facility, and how urgently.
    List,
    /// Somebody may announce to the facility, or may no more.
    Set {
        /// Who.
        person: PersonId,
        /// May.
        announces: bool,
    },
    /// How urgent announcements may be.
    SetPolicy(BroadcastPolicy),
}

/// What cannot be done with them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Error)]
pub enum BroadcastRefusal {
    /// Members follow from posts.
    #[error(
        "Whoever works here reads these announcements: nobody is added, leaves, renames or archives them. Say who works in the unit \
         instead: wardline unit."
    )]
    Members,
    /// By the policy.
    #[error(
        "These announcements are routine here: an administrator says how urgent they may be. Send it as routine, or a STAT to those who \
         are to answer."
    )]
    Priority,
    /// Nobody could answer.
    #[error(
        "An announcement is never a STAT, since nobody answers there. Send a STAT where somebody can: wardline stat send; the unit's \
         escalation rings everybody in the end."
    )]
    NoStat,
    /// Nobody is to be seen reading.
    #[error("Announcements take no reactions. Write to whoever announced it.")]
    NoReactions,
    /// Of another kind.
    #[error(
        "This is no conversation of announcements. Who has read a message of another is shown with it: wardline history."
    )]
    NotOne,
}

impl BroadcastRefusal {
    pub(crate) const fn code(self) -> proto::RefusalCode {
        match self {
            Self::Members => proto::RefusalCode::InBroadcast,
            Self::Priority => proto::RefusalCode::BroadcastPriority,
            Self::NoStat => proto::RefusalCode::BroadcastNoStat,
            Self::NoReactions => proto::RefusalCode::BroadcastNoReactions,
            Self::NotOne => proto::RefusalCode::NotBroadcast,
        }
    }
}

impl From<BroadcastRefusal> for Refusal {
    fn from(refusal: BroadcastRefusal) -> Self {
        Self::Broadcast(refusal)
    }
}

/// The part of [`State`] that is about them. Nothing but a write changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broadcasts {
    /// Those that are not purged: of units, and of the facility.
    of: BTreeMap<Option<UnitId>, ConversationId>,
    /// Who may announce to the facility.
    announcers: BTreeSet<PersonId>,
    /// Where it was set.
    policy: Option<BroadcastPolicy>,
}

/// What a store hands back of it at start, beside the conversations.
#[derive(Clone, Debug, Default)]
pub struct RestoredBroadcasts {
    /// Who may announce to the facility.
    pub announcers: Vec<PersonId>,
    /// Where it was set.
    pub policy: Option<BroadcastPolicy>,
}

impl Broadcasts {
    pub(crate) fn restore(restored: RestoredBroadcasts, state: &State) -> Result<Self, Fault> {
        let announcers: BTreeSet<PersonId> = restored.announcers.into_iter().collect();
        if !announcers.iter().all(|person| state.people.contains_key(person)) {
            return Err(Fault::Inconsistent("somebody may announce who is not in the directory"));
        }
        let mut broadcasts = Self { of: BTreeMap::new(), announcers, policy: restored.policy };
        for place in state.conversations.values().filter(|it| it.kind == Kind::Broadcast && !it.purged) {
            if broadcasts.of.insert(place.unit, place.id).is_some() {
                return Err(Fault::Inconsistent("a unit has two conversations of announcements"));
            }
        }
        Ok(broadcasts)
    }

    /// What a store hands back of it.
    pub fn to_restored(&self) -> RestoredBroadcasts {
        RestoredBroadcasts { announcers: self.announcers.iter().copied().collect(), policy: self.policy }
    }

    /// A unit's, or the facility's, if there are any.
    pub fn of(&self, unit: Option<UnitId>) -> Option<ConversationId> {
        self.of.get(&unit).copied()
    }

    /// Whether somebody may announce to the facility.
    pub fn announces(&self, person: PersonId) -> bool {
        self.announcers.contains(&person)
    }

    /// How urgent they may be.
    pub fn policy(&self) -> BroadcastPolicy {
        self.policy.unwrap_or(BroadcastPolicy::STANDARD)
    }

    /// Folds one write in; what is not of it changes nothing.
    pub(crate) fn apply(&mut self, write: &Write) {
        match write {
            Write::ConversationOpened { conversation, kind: Kind::Broadcast, unit, .. } => {
                self.of.insert(*unit, *conversation);
            }
            Write::KeyDestroyed { conversation } => self.of.retain(|_, id| id != conversation),
            Write::Broadcast(BroadcastWrite::AnnouncerSet { person, announces: true }) => {
                self.announcers.insert(*person);
            }
            Write::Broadcast(BroadcastWrite::AnnouncerSet { person, announces: false }) => {
                self.announcers.remove(person);
            }
            Write::Broadcast(BroadcastWrite::PolicySet(policy)) => self.policy = Some(*policy),
            _ => {}
        }
    }

    /// Its parts, encoded in a fixed order, for [`State::canonical_hash`].
    pub(crate) fn encode(
        &self,
        mut part: impl FnMut(Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>>),
    ) {
        part(minicbor::to_vec((&self.announcers, self.policy)));
    }
}

pub(crate) fn parse(
    body: client_frame::Body,
    fresh: &mut impl FnMut() -> Fresh,
) -> Result<BroadcastAsk, Refusal> {
    match body {
        client_frame::Body::OpenBroadcast(open) => {
            let unit = if open.unit == 0 { None } else { Some(crate::wire::unit(open.unit)?) };
            Ok(BroadcastAsk::Open { unit, fresh: fresh() })
        }
        client_frame::Body::LookAtBroadcast(look) => {
            let conversation = ConversationId::new(look.conversation).ok_or(Refusal::NoSuchConversation)?;
            Ok(BroadcastAsk::Look { conversation, sequence: Sequence(look.sequence) })
        }
        _ => Err(Refusal::UnknownRequest),
    }
}

pub(crate) fn parse_announcer(body: client_frame::Body) -> Result<AnnouncerAsk, Refusal> {
    match body {
        client_frame::Body::ListBroadcasts(_) => Ok(AnnouncerAsk::List),
        client_frame::Body::SetAnnouncer(set) => {
            let person = PersonId::new(set.person).ok_or(Refusal::NoSuchPerson)?;
            Ok(AnnouncerAsk::Set { person, announces: set.announces })
        }
        client_frame::Body::SetBroadcastPolicy(set) => Ok(AnnouncerAsk::SetPolicy(BroadcastPolicy {
            unit_urgent: set.unit_urgent,
            facility_urgent: set.facility_urgent,
        })),
        _ => Err(Refusal::UnknownRequest),
    }
}

/// What somebody is to the announcements of a unit, or of the facility.
fn to(state: &State, person: PersonId, unit: Option<UnitId>) -> (Operation, Relations) {
    match unit {
        Some(unit) => (Operation::Announce, access::to_unit(state, person, unit)),
        None => (Operation::AnnounceToAll, access::to_facility(state, person)),
    }
}

/// Whether whoever reads these may also write there, so urgently.
pub(crate) fn may_send(
    draft: &Draft<'_>,
    who: &Ready,
    place: &Conversation,
    priority: Priority,
) -> Result<(), Refusal> {
    let (operation, is) = to(draft.state, who.person(), place.unit);
    access::permit(operation, is, actor(who))?;
    match priority {
        Priority::Routine => Ok(()),
        Priority::Urgent if draft.state.broadcasts.policy().allows_urgent(place.unit) => Ok(()),
        Priority::Urgent => Err(BroadcastRefusal::Priority.into()),
        Priority::Stat => Err(BroadcastRefusal::NoStat.into()),
    }
}

/// Whether somebody reads the announcements of a unit, or of the facility. A visitor and a screen read none.
fn reads(person: &Person, unit: Option<UnitId>) -> bool {
    let is_staff = person.station.is_none() && person.visitor.is_none() && !person.the_box;
    let is_over = person.agency.as_ref().is_some_and(|agency| agency.ended.is_some());
    match unit {
        Some(unit) => is_staff && person.works_in(unit),
        None => is_staff && !is_over,
    }
}

/// Decides a request of a signed-in person.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    ask: BroadcastAsk,
) -> Result<(), Refusal> {
    match ask {
        BroadcastAsk::Open { unit, fresh } => {
            let id = open(draft, who, unit, fresh)?;
            membership::opened(draft, conn, request, who, id);
        }
        BroadcastAsk::Look { conversation, sequence } => {
            let body = look(draft, who, conversation, sequence)?;
            draft.send(Send::Reply { conn, request, body });
        }
    }
    Ok(())
}

fn open(
    draft: &mut Draft<'_>,
    who: &Ready,
    unit: Option<UnitId>,
    fresh: Fresh,
) -> Result<ConversationId, Refusal> {
    let title = match unit {
        Some(unit) => Title::kept(draft.state.units.get(&unit).ok_or(Refusal::NoSuchUnit)?.name.reveal())?,
        None => Title::default(),
    };
    let (operation, is) = to(draft.state, who.person(), unit);
    let permit = access::permit(operation, is, actor(who))?;
    if let Some(known) = draft.state.broadcasts.of(unit) {
        return Ok(known);
    }
    let opening = Opening { kind: Kind::Broadcast, title, unit };
    let id = membership::open(draft, None, permit, opening, fresh)?;
    let readers = draft.state.people.values().filter(|person| reads(person, unit));
    let readers: Vec<PersonId> = readers.map(|person| person.id).collect();
    following::admit(draft, id, &readers);
    Ok(id)
}

/// Numbers alone: whoever announces is not told who has read it.
fn look(draft: &Draft<'_>, who: &Ready, id: ConversationId, sequence: Sequence) -> Result<Body, Refusal> {
    let place = draft.conversation_of(who, id)?;
    if place.kind != Kind::Broadcast {
        return Err(BroadcastRefusal::NotOne.into());
    }
    let (operation, is) = to(draft.state, who.person(), place.unit);
    access::permit(operation, is, actor(who))?;
    if sequence == Sequence::NONE || sequence > place.last {
        return Err(Refusal::NoSuchMessage);
    }
    let (mut readers, mut delivered, mut read) = (0, 0, 0);
    for (_, member) in place.present().filter(|(person, _)| *person != who.person()) {
        readers += 1;
        delivered += u32::from(member.delivered >= sequence);
        read += u32::from(member.read >= sequence);
    }
    let (conversation, sequence) = (id.value(), sequence.0);
    Ok(Body::BroadcastReceipts(proto::BroadcastReceipts { conversation, sequence, readers, delivered, read }))
}

/// Decides a request of a signed-in person or a service of the box.
pub(crate) fn administer(
    draft: &mut Draft<'_>,
    (by, is): (Actor, Relations),
    ask: AnnouncerAsk,
) -> Result<Body, Refusal> {
    match ask {
        AnnouncerAsk::List => {
            access::permit(Operation::ListAnnouncements, is, by)?;
            Ok(list(draft.state, by))
        }
        AnnouncerAsk::Set { person, announces } => {
            let permit = access::permit(Operation::NameAnnouncer, is, by)?;
            let entry = draft.state.colleague(person)?;
            if entry.station.is_some() || (announces && entry.suspended) {
                return Err(Refusal::NoSuchPerson);
            }
            if draft.state.broadcasts.announces(person) != announces {
                if announces && draft.state.broadcasts.announcers.len() >= limits::ANNOUNCERS_MAX {
                    return Err(Refusal::Limit);
                }
                change(draft, permit, BroadcastWrite::AnnouncerSet { person, announces })?;
                draft.record(permit.by(), Act::AnnouncerSet(person, announces.into()));
            }
            Ok(Body::Done(proto::Done {}))
        }
        AnnouncerAsk::SetPolicy(policy) => {
            let permit = access::permit(Operation::SetAnnouncementPolicy, is, by)?;
            if draft.state.broadcasts.policy != Some(policy) {
                change(draft, permit, BroadcastWrite::PolicySet(policy))?;
                let BroadcastPolicy { unit_urgent, facility_urgent } = policy;
                let act = Act::BroadcastPolicySet(unit_urgent.into(), facility_urgent.into());
                draft.record(permit.by(), act);
            }
            Ok(Body::Done(proto::Done {}))
        }
    }
}

fn change(draft: &mut Draft<'_>, _: Permit, write: BroadcastWrite) -> Result<(), Refusal> {
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    draft.write(Write::Broadcast(write));
    Ok(())
}

fn list(state: &State, by: Actor) -> Body {
    let asker = match by {
        Actor::Person { person, .. } => state.people.get(&person),
        _ => None,
    };
    let units = asker.into_iter().flat_map(|asker| asker.posts.keys().copied().map(Some).chain([None]));
    let broadcasts = units.map(|unit| {
        let place = state.broadcasts.of(unit).and_then(|id| state.conversations.get(&id));
        let may = asker.is_some_and(|asker| {
            let (operation, is) = to(state, asker.id, unit);
            access::permit(operation, is, by).is_ok()
        });
        proto::Broadcast {
            unit: unit.map_or(0, UnitId::value),
            conversation: place.map_or(0, |place| place.id.value()),
            announces: may,
            readers: place.map_or(0, |place| place.present().count() as u32),
        }
    });
    let policy = state.broadcasts.policy();
    Body::BroadcastList(proto::BroadcastList {
        broadcasts: broadcasts.collect(),
        announcers: state.broadcasts.announcers.iter().map(|person| person.value()).collect(),
        unit_urgent: policy.unit_urgent,
        facility_urgent: policy.facility_urgent,
    })
}
