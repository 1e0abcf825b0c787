//! Conversations and who is in them. A conversation is a log; a member has watermarks on it.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use crate::ids::{Change, ConversationId, PersonId, Sequence, UnitId};
use crate::limits;
use crate::text::Title;
use crate::wire::proto;

/// What sort of conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Kind {
    /// Two people, one conversation for each pair, for ever.
    #[n(1)]
    Direct,
    /// People about a topic, by invitation: with a title and an owner.
    #[n(2)]
    Group,
    /// A topic of a unit: whoever works there finds it, joins it, and reads it from its beginning.
    #[n(3)]
    Channel,
    /// The care team of one encounter: who is in it follows from [`crate::care`], and it has no owner.
    #[n(4)]
    Patient,
    /// The care team of one encounter and some of the patient's family, or the patient: [`crate::family`]. It has no owner.
    #[n(240)]
    Family,
    /// Somebody who writes to a role, and whoever holds it now: [`crate::inbox`]. Who writes owns it.
    #[n(300)]
    Role,
    /// Announcements of a unit, or of the facility: [`crate::broadcast`]. It has no owner.
    #[n(305)]
    Broadcast,
}

impl Kind {
    /// As frames number it.
    pub fn to_wire(self) -> proto::ConversationKind {
        match self {
            Self::Direct => proto::ConversationKind::Direct,
            Self::Group => proto::ConversationKind::Group,
            Self::Channel => proto::ConversationKind::Channel,
            Self::Patient => proto::ConversationKind::Patient,
            Self::Family => proto::ConversationKind::Family,
            Self::Role => proto::ConversationKind::Role,
            Self::Broadcast => proto::ConversationKind::Broadcast,
        }
    }
}

/// One conversation without its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Which.
    pub id: ConversationId,
    /// What sort.
    pub kind: Kind,
    /// Empty for a direct conversation and after a purge.
    pub title: Title,
    /// Who opened it and may remove others; nobody owns a patient's or family's thread.
    pub owner: Option<PersonId>,
    /// The change that last touched this or its list of members.
    pub changed: Change,
    /// The newest message's place.
    pub last: Sequence,
    /// The change that brought it.
    pub last_change: Change,
    /// The oldest message kept; earlier ones have expired.
    pub first: Sequence,
    /// Its key is destroyed.
    pub purged: bool,
    /// Whose channel it is; nothing else has one.
    pub unit: Option<UnitId>,
    /// Closed: can be read, and takes nothing new until it is opened again.
    pub archived: bool,
    /// How many notices there were in it: [`crate::notice`].
    pub noticed: u64,
    /// Present and past members: a past one is kept so that their devices learn that it is gone.
    pub members: BTreeMap<PersonId, Member>,
}

/// One person's place in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The first message this person may read.
    pub from: Sequence,
    /// Every message up to here is on a device of theirs: the device said so.
    pub delivered: Sequence,
    /// Every message up to here was seen: the person's client said so.
    pub read: Sequence,
    /// Gone: reads nothing more.
    pub left: bool,
    /// The change that last touched this.
    pub changed: Change,
}

impl Conversation {
    /// The present members.
    pub fn present(&self) -> impl Iterator<Item = (PersonId, &Member)> {
        self.members.iter().filter(|(_, member)| !member.left).map(|(person, member)| (*person, member))
    }

    /// Whose group it is.
    pub(crate) fn group_of(&self) -> Option<PersonId> {
        self.owner.filter(|_| self.kind == Kind::Group)
    }

    /// The first message that somebody who enters now may read: a channel's log is its unit's, a patient's thread is whoever
    /// cares for them, a group's is of those who were there. A visitor enters a family thread as one enters a group:
    /// [`crate::membership`].
    pub(crate) fn entered_at(&self) -> Sequence {
        match self.kind {
            Kind::Channel | Kind::Patient | Kind::Family | Kind::Role | Kind::Broadcast => self.first,
            Kind::Direct | Kind::Group => self.last.next(),
        }
    }

    /// The two of a direct conversation, once both are in it.
    pub(crate) fn pair(&self) -> Option<(PersonId, PersonId)> {
        let mut people = self.members.keys().copied().filter(|_| self.kind == Kind::Direct);
        Some((people.next()?, people.next()?))
    }

    /// This person's membership, while it lasts.
    pub fn member(&self, person: PersonId) -> Option<&Member> {
        self.members.get(&person).filter(|member| !member.left)
    }

    /// Whether watermarks go to everybody as they move; see [`limits::WATERMARK_PUSH_MEMBERS_MAX`]. Of announcements nobody's do.
    pub fn pushes_watermarks(&self) -> bool {
        self.kind != Kind::Broadcast
            && self.present().take(limits::WATERMARK_PUSH_MEMBERS_MAX + 1).count()
                <= limits::WATERMARK_PUSH_MEMBERS_MAX
    }

    /// These of the present members.
    pub fn members_to_wire(&self, people: &[PersonId]) -> Vec<proto::Member> {
        let present = |person: &PersonId| self.member(*person).map(|member| member.to_wire(*person));
        people.iter().filter_map(present).collect()
    }

    /// Of announcements oneself alone: nobody is seen reading.
    fn shown_to(&self, person: PersonId) -> impl Iterator<Item = (PersonId, &Member)> {
        let lists_all = self.kind != Kind::Broadcast;
        self.present().filter(move |(member, _)| lists_all || *member == person)
    }

    /// As this person sees it, but for whom a patient's thread is about: [`crate::clinic::dress`].
    pub fn to_wire(&self, person: PersonId) -> proto::Conversation {
        proto::Conversation {
            conversation: self.id.value(),
            kind: self.kind.to_wire().into(),
            title: self.title.reveal().to_owned(),
            members: self.shown_to(person).map(|(person, member)| member.to_wire(person)).collect(),
            last_sequence: self.last.0,
            first_sequence: self.member(person).map_or(self.first, |member| member.from.max(self.first)).0,
            purged: self.purged,
            unit: self.unit.map_or(0, UnitId::value),
            archived: self.archived,
            stats: Vec::new(),
            patient: None,
            encounter: None,
            family: None,
            tasks: Vec::new(),
            orders: Vec::new(),
            writer: self.owner.filter(|_| self.kind == Kind::Role).map_or(0, PersonId::value),
        }
    }
}

impl Member {
    fn to_wire(self, person: PersonId) -> proto::Member {
        proto::Member { person: person.value(), delivered: self.delivered.0, read: self.read.0 }
    }
}
