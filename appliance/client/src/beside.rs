//! What stands beside a message's text: what it answers, whom it names, and what is put to it.

use std::future::Future;

use wardline_core::ids::{ConversationId, PersonId, RoleId, Sequence};
use wardline_core::wire::proto::{self, client_frame::Body as Ask};

pub use wardline_core::reaction::Reaction;

use crate::call::Calls;
use crate::error::Error;
use crate::event;
use crate::orders::Deed;

/// What an author gives along with a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// The earlier message of the conversation that this one answers.
    pub reply_to: Option<Sequence>,
    /// Members of the conversation whom it names; with `roles` 16 at most.
    pub people: Vec<PersonId>,
    /// Roles that it names: each is whoever of the conversation holds it when the box takes the message.
    pub roles: Vec<RoleId>,
    /// In a patient's thread: it is an order, or the read-back of one. Its device signs it.
    pub order: Option<Deed>,
}

/// Somebody whom a message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Who.
    pub person: PersonId,
    /// As whoever held this role then.
    pub role: Option<RoleId>,
}

/// One kind of reaction to a message, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reacted {
    /// What.
    pub reaction: Reaction,
    /// Who, by identifier: 50 at most.
    pub people: Vec<PersonId>,
}

impl Beside {
    /// Only an answer, to this message or to none.
    pub fn reply(reply_to: Option<Sequence>) -> Self {
        Self { reply_to, ..Self::default() }
    }

    /// Into what is submitted.
    pub(crate) fn dress(&self, submit: &mut proto::Submit) {
        submit.reply_to = self.reply_to.unwrap_or_default().0;
        submit.mention_people = self.people.iter().map(|person| person.value()).collect();
        submit.mention_roles = self.roles.iter().map(|role| role.value()).collect();
        submit.order = self.order.map(Deed::to_part);
    }

    /// Out of it; none where an identifier is none.
    pub(crate) fn of(submit: &proto::Submit) -> Option<Self> {
        Some(Self {
            reply_to: Some(Sequence(submit.reply_to)).filter(|to| *to > Sequence::NONE),
            people: submit.mention_people.iter().map(|id| PersonId::new(*id)).collect::<Option<_>>()?,
            roles: submit.mention_roles.iter().map(|id| RoleId::new(*id)).collect::<Option<_>>()?,
            order: match &submit.order {
                Some(part) => Some(deed(part.deed(), part.of, part.to)?),
                None => None,
            },
        })
    }
}

/// What a message is to an order.
pub(crate) fn deed(deed: proto::OrderDeed, of: u64, to: u64) -> Option<Deed> {
    Deed::from_parts(deed, Sequence(of), Sequence::NONE, PersonId::new(to))
}

impl Mention {
    pub(crate) fn from_wire(wire: proto::Mention) -> Result<Self, Error> {
        Ok(Self { person: event::person(wire.person)?, role: RoleId::new(wire.role) })
    }
}

/// A kind that a later version brought is passed over.
pub(crate) fn reactions(wire: Vec<proto::Reaction>) -> Result<Vec<Reacted>, Error> {
    let mut all = Vec::with_capacity(wire.len());
    for told in wire {
        let people = told.people.iter().map(|id| event::person(*id)).collect::<Result<_, _>>()?;
        if let Some(reaction) = Reaction::parse(told.kind()) {
            all.push(Reacted { reaction, people });
        }
    }
    Ok(all)
}

/// Putting something to messages.
pub trait Reacts: Calls {
    /// Puts a reaction to a message, or takes one's own back. A connection that breaks meanwhile is waited for: what is so already is
    /// done.
    fn react(
        &self,
        conversation: ConversationId,
        sequence: Sequence,
        reaction: Reaction,
        given: bool,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        self.persistently(Ask::React(proto::React {
            conversation: conversation.value(),
            sequence: sequence.0,
            reaction: reaction.to_wire().into(),
            taken_back: !given,
        }))
    }
}

impl<C: Calls> Reacts for C {}
