//! What is written to a role: one conversation for each pair of a writer and a role, of the writer and whoever holds the role now.
//!
//! ```text
//! asked ----done----> kept by the writer alone
//!   ^                        |
//!   +---written to again-----+
//! ```
//!
//! One for each writer, so that nobody who writes to "Physician on call" reads what others wrote to it. At a shift's end its members
//! follow the rota in one turn ([`moving`]): whoever holds the role reads it from its beginning, whoever held it does no more. Where
//! nobody holds the role, whoever looks after it is in it meanwhile. Nothing of it rings: it takes no STAT.
//!
//! Beside that, which gaps of rotas the charge nurses were told of: [`gaps`].

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::access::{self, Operation, Permit};
use crate::audit::Act;
use crate::availability;
use crate::conversation::{Conversation, Kind};
use crate::draft::{Draft, actor};
use crate::ids::{Conn, ConversationId, PersonId, RequestId, RoleId, Sequence};
use crate::input::Fresh;
use crate::kept;
use crate::limits;
use crate::membership::{self, Opening};
use crate::refusal::{Fault, Refusal};
use crate::relay::Room;
use crate::role::role_of;
use crate::rota::Interval;
use crate::session::Ready;
use crate::stat;
use crate::state::State;
use crate::text::Title;
use crate::turn::Send;
use crate::wire::proto::{self, client_frame, server_frame::Body};
use crate::write::Write;

pub(crate) mod gaps;
mod moving;

pub(crate) use moving::{Scope, due, settle, touched};

/// The conversation of one writer with one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RoleInbox {
    /// Which.
    #[n(0)]
    pub conversation: ConversationId,
    /// With which role.
    #[n(1)]
    pub role: RoleId,
    /// Whose.
    #[n(2)]
    pub writer: PersonId,
}

/// A durable change of it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum InboxWrite {
    /// A conversation that is open and empty is one with a role.
    #[n(1)]
    Opened(#[n(0)] RoleInbox),
    /// When nobody will hold a role, as its charge nurses were told: all of it, up to [`limits::ROLE_GAPS_FLAGGED_MAX`].
    #[n(2)]
    GapsFlagged {
        /// Which.
        #[n(0)]
        role: RoleId,
        /// In order; none: there is none any more.
        #[n(1)]
        gaps: Vec<Interval>,
    },
}

/// Gaps as a store keeps them: CBOR (RFC 8949).
pub fn gaps_to_bytes(gaps: &[Interval]) -> Vec<u8> {
    kept::to_bytes(gaps)
}

/// What is behind such bytes.
pub fn gaps_from_bytes(bytes: &[u8]) -> Result<Vec<Interval>, minicbor::decode::Error> {
    minicbor::decode(bytes)
}

/// A request about it. Every field has been parsed.
pub enum InboxAsk {
    /// The asker's conversation with a role.
    Open {
        /// Which.
        role: RoleId,
        /// For the identifier and the key.
        fresh: Fresh,
    },
    /// Who would read what the asker writes to a role.
    Look {
        /// Which.
        role: RoleId,
    },
    /// What was asked is done.
    Finish {
        /// Where.
        conversation: ConversationId,
    },
}

/// What cannot be done with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Error)]
pub enum InboxRefusal {
    /// Members follow from the rota.
    #[error(
        "Whoever holds the role is in this conversation, and the role's name is its title: neither is changed by hand. Hand the role \
         over, or say that this is done: wardline role done."
    )]
    Members,
    /// Finished.
    #[error(
        "What was asked here is done, and nobody holds it any more. Whoever wrote it can write to the role again: wardline role write."
    )]
    Done,
    /// [`limits::ROLE_INBOXES_OPEN_MAX`], and nobody has read the last message of any.
    #[error(
        "This role has 64 open conversations that nobody has read. Telephone whoever holds it, or write to a charge nurse of the unit."
    )]
    Full,
    /// It may be looked after by somebody whom nobody called.
    #[error(
        "A role's inbox takes no STAT. Send it to whoever holds the role, who is named in it, or in the patient's thread: the unit's \
         escalation rings its roles."
    )]
    NoStat,
    /// Of another kind.
    #[error(
        "This is no conversation with a role. Only these can be done; archive a group or a channel instead."
    )]
    NotOne,
}

impl InboxRefusal {
    pub(crate) const fn code(self) -> proto::RefusalCode {
        match self {
            Self::Members => proto::RefusalCode::InRoleInbox,
            Self::Done => proto::RefusalCode::RoleInboxDone,
            Self::Full => proto::RefusalCode::RoleInboxFull,
            Self::NoStat => proto::RefusalCode::RoleInboxNoStat,
            Self::NotOne => proto::RefusalCode::NotRoleInbox,
        }
    }
}

impl From<InboxRefusal> for Refusal {
    fn from(refusal: InboxRefusal) -> Self {
        Self::Inbox(refusal)
    }
}

/// The part of [`State`] that is about it. Nothing but a write changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inboxes {
    /// Every one that is not purged.
    by_conversation: BTreeMap<ConversationId, RoleInbox>,
    by_pair: BTreeMap<(RoleId, PersonId), ConversationId>,
    /// Those that are not done.
    open: BTreeSet<(RoleId, ConversationId)>,
    /// When nobody will hold a role, as its charge nurses were told.
    gaps: BTreeMap<RoleId, Vec<Interval>>,
}

/// What a store hands back of it at start.
#[derive(Clone, Debug, Default)]
pub struct RestoredInboxes {
    /// Every one that is not purged.
    pub inboxes: Vec<RoleInbox>,
    /// Gaps that charge nurses were told of.
    pub gaps: Vec<(RoleId, Vec<Interval>)>,
}

impl Inboxes {
    pub(crate) fn restore(restored: RestoredInboxes, state: &State) -> Result<Self, Fault> {
        let mut inboxes = Self { gaps: restored.gaps.into_iter().collect(), ..Self::default() };
        for inbox in restored.inboxes {
            let place = state.conversations.get(&inbox.conversation);
            let place = place.filter(|place| place.kind == Kind::Role && !place.purged);
            let place = place.filter(|_| state.people.contains_key(&inbox.writer));
            let Some(place) = place.filter(|_| state.roles.contains_key(&inbox.role)) else {
                return Err(Fault::Inconsistent(
                    "something is written to a role, or nowhere, that is not there",
                ));
            };
            inboxes.enter(inbox);
            if place.archived {
                inboxes.open.remove(&(inbox.role, inbox.conversation));
            }
        }
        if !inboxes.gaps.keys().all(|role| state.roles.contains_key(role)) {
            return Err(Fault::Inconsistent("a gap is of a role that is not there"));
        }
        Ok(inboxes)
    }

    /// What a store hands back of it.
    pub fn to_restored(&self) -> RestoredInboxes {
        RestoredInboxes {
            inboxes: self.by_conversation.values().copied().collect(),
            gaps: self.gaps.iter().map(|(role, gaps)| (*role, gaps.clone())).collect(),
        }
    }

    /// Whose conversation with which role it is.
    pub fn get(&self, conversation: ConversationId) -> Option<RoleInbox> {
        self.by_conversation.get(&conversation).copied()
    }

    /// When nobody will hold a role, as its charge nurses were told.
    pub fn gaps_of(&self, role: RoleId) -> &[Interval] {
        self.gaps.get(&role).map_or(&[], Vec::as_slice)
    }

    fn of(&self, role: RoleId, writer: PersonId) -> Option<ConversationId> {
        self.by_pair.get(&(role, writer)).copied()
    }

    /// Those of a role that are not done, in order of identifier.
    fn open_of(&self, role: RoleId) -> impl Iterator<Item = ConversationId> + '_ {
        let from = (role, ConversationId::from_random([0; 8]));
        self.open.range(from..).take_while(move |(of, _)| *of == role).map(|(_, id)| *id)
    }

    fn enter(&mut self, inbox: RoleInbox) {
        self.by_conversation.insert(inbox.conversation, inbox);
        self.by_pair.insert((inbox.role, inbox.writer), inbox.conversation);
        self.open.insert((inbox.role, inbox.conversation));
    }

    /// Folds one write in; what is not of it changes nothing.
    pub(crate) fn apply(&mut self, write: &Write) {
        match write {
            Write::Inbox(InboxWrite::Opened(inbox)) => self.enter(*inbox),
            Write::Inbox(InboxWrite::GapsFlagged { role, gaps }) if gaps.is_empty() => {
                self.gaps.remove(role);
            }
            Write::Inbox(InboxWrite::GapsFlagged { role, gaps }) => {
                self.gaps.insert(*role, gaps.clone());
            }
            Write::ArchivedSet { conversation, archived } => {
                let Some(inbox) = self.get(*conversation) else { return };
                if *archived {
                    self.open.remove(&(inbox.role, *conversation));
                } else {
                    self.open.insert((inbox.role, *conversation));
                }
            }
            // Its writer may begin another.
            Write::KeyDestroyed { conversation } => {
                let Some(inbox) = self.by_conversation.remove(conversation) else { return };
                self.by_pair.remove(&(inbox.role, inbox.writer));
                self.open.remove(&(inbox.role, *conversation));
            }
            _ => {}
        }
    }

    /// Its parts, encoded in a fixed order, for [`State::canonical_hash`].
    pub(crate) fn encode(
        &self,
        mut part: impl FnMut(Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>>),
    ) {
        self.by_conversation.values().for_each(|inbox| part(minicbor::to_vec(inbox)));
        self.gaps.iter().for_each(|gaps| part(minicbor::to_vec(gaps)));
    }
}

pub(crate) fn parse(
    body: client_frame::Body,
    fresh: &mut impl FnMut() -> Fresh,
) -> Result<InboxAsk, Refusal> {
    let role = |id: u64| RoleId::new(id).ok_or(Refusal::NoSuchRole);
    match body {
        client_frame::Body::OpenRoleInbox(open) => {
            Ok(InboxAsk::Open { role: role(open.role)?, fresh: fresh() })
        }
        client_frame::Body::LookAtRoleInbox(look) => Ok(InboxAsk::Look { role: role(look.role)? }),
        client_frame::Body::FinishRoleInbox(finish) => {
            let conversation = ConversationId::new(finish.conversation);
            Ok(InboxAsk::Finish { conversation: conversation.ok_or(Refusal::NoSuchConversation)? })
        }
        _ => Err(Refusal::UnknownRequest),
    }
}

/// Decides a request of a signed-in person.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    ask: InboxAsk,
) -> Result<(), Refusal> {
    let body = match ask {
        InboxAsk::Open { role, fresh } => {
            let id = open(draft, who, role, fresh)?;
            membership::opened(draft, conn, request, who, id);
            return Ok(());
        }
        InboxAsk::Look { role } => look(draft, who, role)?,
        InboxAsk::Finish { conversation } => finish(draft, who, conversation)?,
    };
    draft.send(Send::Reply { conn, request, body });
    Ok(())
}

fn open(draft: &mut Draft<'_>, who: &Ready, id: RoleId, fresh: Fresh) -> Result<ConversationId, Refusal> {
    let permit = access::permit(Operation::OpenRoleInbox, access::STAFF, actor(who))?;
    let title = Title::kept(role_of(draft.state, id)?.name.reveal())?;
    let writer = who.person();
    if let Some(known) = draft.state.inboxes.of(id, writer) {
        if draft.state.conversations.get(&known).is_some_and(|place| place.archived) {
            if draft.room == Room::Scarce {
                return Err(Refusal::DiskLow);
            }
            make_room(draft, id)?;
            set_done(draft, permit, known, false);
            settle(draft, known);
        }
        return Ok(known);
    }
    if draft.room < Room::Plenty {
        return Err(Refusal::DiskLow);
    }
    make_room(draft, id)?;
    begin(draft, permit, (id, title), (writer, true), fresh)
}

/// The box's own conversation with a role: it is not in it itself, since nobody reads as the box, and it takes nobody's place there.
pub(crate) fn of_the_box(
    draft: &mut Draft<'_>,
    id: RoleId,
    writer: PersonId,
    fresh: Option<Fresh>,
) -> Result<ConversationId, Refusal> {
    let title = Title::kept(role_of(draft.state, id)?.name.reveal())?;
    let Some(known) = draft.state.inboxes.of(id, writer) else {
        return begin(
            draft,
            Permit::OF_TIME,
            (id, title),
            (writer, false),
            fresh.ok_or(Refusal::Unavailable)?,
        );
    };
    if draft.state.conversations.get(&known).is_some_and(|place| place.archived) {
        set_done(draft, Permit::OF_TIME, known, false);
        settle(draft, known);
    }
    Ok(known)
}

/// The box writes to another role from now on.
pub(crate) fn leave_to_the_box(draft: &mut Draft<'_>, id: RoleId, writer: PersonId) {
    if let Some(known) = draft.state.inboxes.of(id, writer)
        && draft.state.conversations.get(&known).is_some_and(|place| !place.archived)
    {
        set_done(draft, Permit::OF_TIME, known, true);
    }
}

fn begin(
    draft: &mut Draft<'_>,
    permit: Permit,
    (role, title): (RoleId, Title),
    (writer, enters): (PersonId, bool),
    fresh: Fresh,
) -> Result<ConversationId, Refusal> {
    let opening = Opening { kind: Kind::Role, title, unit: None };
    let conversation = membership::open(draft, Some(writer), permit, opening, fresh)?;
    draft.write(Write::Inbox(InboxWrite::Opened(RoleInbox { conversation, role, writer })));
    draft.record(permit.by(), Act::InboxOpened(conversation, role));
    let mut people: BTreeSet<PersonId> = moving::readers(draft.state, role, writer, draft.now.wall);
    people.extend(enters.then_some(writer));
    let people: Vec<PersonId> = people.into_iter().collect();
    membership::admit(draft, permit, conversation, &people);
    draft.introduce(draft.state.change, conversation, &people);
    Ok(conversation)
}

/// Of as many as may be open, the one that has been quiet for longest gives way, if its last message was read by anybody but who
/// wrote it. It is not lost: its writer has it.
fn make_room(draft: &mut Draft<'_>, role: RoleId) -> Result<(), Refusal> {
    while draft.state.inboxes.open_of(role).count() >= limits::ROLE_INBOXES_OPEN_MAX {
        let places = draft.state.inboxes.open_of(role).filter_map(|id| draft.state.conversations.get(&id));
        let quiet = places.filter(|place| is_read(place)).map(|place| (place.last_change, place.id)).min();
        let (_, id) = quiet.ok_or(InboxRefusal::Full)?;
        set_done(draft, Permit::OF_TIME, id, true);
    }
    Ok(())
}

/// Whether somebody who has the role, or had it, has seen all of it.
fn is_read(place: &Conversation) -> bool {
    let others = place.members.iter().filter(|(person, _)| Some(**person) != place.owner);
    place.last == Sequence::NONE || others.into_iter().any(|(_, member)| member.read >= place.last)
}

/// Where the watermarks of whoever comes into it begin: what nobody who has the role, or had it, has seen, is unread to the next of
/// them. None of another kind of conversation.
pub(crate) fn seen_by_newcomer(state: &State, id: ConversationId) -> Option<Sequence> {
    state.inboxes.get(id)?;
    let place = state.conversations.get(&id)?;
    let others = place.members.iter().filter(|(person, _)| Some(**person) != place.owner);
    Some(others.map(|(_, member)| member.read).max().unwrap_or(Sequence::NONE))
}

fn finish(draft: &mut Draft<'_>, who: &Ready, id: ConversationId) -> Result<Body, Refusal> {
    let place = draft.conversation_of(who, id)?;
    if place.kind != Kind::Role {
        return Err(InboxRefusal::NotOne.into());
    }
    let permit = access::permit(Operation::FinishRoleInbox, access::MEMBER, actor(who))?;
    if place.purged {
        return Err(Refusal::Purged);
    }
    if !place.archived {
        if draft.room == Room::Scarce {
            return Err(Refusal::DiskLow);
        }
        set_done(draft, permit, id, true);
    }
    Ok(Body::Done(proto::Done {}))
}

/// Done, or asked again. Who is in it follows at the end of the turn.
fn set_done(draft: &mut Draft<'_>, permit: Permit, id: ConversationId, done: bool) {
    let change = draft.write(Write::ArchivedSet { conversation: id, archived: done });
    draft.record(permit.by(), if done { Act::InboxFinished(id) } else { Act::InboxReopened(id) });
    let news = proto::ConversationChanged {
        conversation: id.value(),
        archived: Some(done),
        ..proto::ConversationChanged::default()
    };
    draft.announce(change, news, &[]);
}

/// Changes nothing and is no promise.
fn look(draft: &Draft<'_>, who: &Ready, id: RoleId) -> Result<Body, Refusal> {
    access::permit(Operation::OpenRoleInbox, access::STAFF, actor(who))?;
    let (role, now) = (role_of(draft.state, id)?, draft.now.wall);
    let holders: Vec<PersonId> = role.holders(draft.state, now).collect();
    let others = holders.iter().filter(|person| **person != who.person());
    let cover = if holders.is_empty() {
        moving::readers(draft.state, id, who.person(), now)
    } else {
        BTreeSet::new()
    };
    let on_duty = availability::on_duty(draft.state, now);
    // Where somebody is called off site is shown to who sends a STAT.
    let shown =
        |person| proto::Prospective { off_site: String::new(), ..stat::prospective(draft, &on_duty, person) };
    let next = if holders.is_empty() { gaps::next_held(draft.state, role, now) } else { None };
    Ok(Body::RoleInboxShown(proto::RoleInboxShown {
        role: id.value(),
        unit: role.unit.value(),
        name: role.name.reveal().to_owned(),
        holders: others.map(|person| shown(*person)).collect(),
        cover: cover.into_iter().map(shown).collect(),
        next: next.map_or(0, |next| next.0),
        conversation: draft.state.inboxes.of(id, who.person()).map_or(0, ConversationId::value),
        own: holders.contains(&who.person()),
    }))
}
