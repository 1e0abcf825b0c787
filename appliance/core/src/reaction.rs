//! Reactions: a word of a small set, put to a message by whoever reads it, and taken back.
//!
//! The core remembers no message, so whoever asks brings along what the doorway has just read of it, as for an edit
//! ([`crate::alteration`]). What is written is the whole list of a message, never a difference: whoever hears of it late or twice
//! comes to the same.
//!
//! Refuses to be an answer to a STAT: while one is open its message takes none.

use minicbor::{Decode, Encode};

use crate::access::{self, Operation};
use crate::alteration::{self, Found};
use crate::audit::Act;
use crate::broadcast::BroadcastRefusal;
use crate::channel;
use crate::conversation::Kind as Sort;
use crate::draft::{Draft, actor};
use crate::escalation::StatId;
use crate::hold;
use crate::ids::{Conn, PersonId, RequestId};
use crate::limits;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Ready;
use crate::turn::{Event, Send};
use crate::wire::proto::{self, event::Kind, server_frame::Body};
use crate::write::Write;

/// What one may put to a message. Each is a word of the ward and stands for itself; none stands for "I have it".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reaction {
    /// One is of the same mind.
    Agree,
    /// Thank you.
    Thanks,
    /// It is done.
    Done,
    /// One looks into it.
    Looking,
    /// It is not clear.
    Question,
    /// Something about it worries.
    Concern,
}

impl Reaction {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Agree, Self::Thanks, Self::Done, Self::Looking, Self::Question, Self::Concern];

    /// As the wire has it.
    pub fn to_wire(self) -> proto::ReactionKind {
        match self {
            Self::Agree => proto::ReactionKind::Agree,
            Self::Thanks => proto::ReactionKind::Thanks,
            Self::Done => proto::ReactionKind::Done,
            Self::Looking => proto::ReactionKind::Looking,
            Self::Question => proto::ReactionKind::Question,
            Self::Concern => proto::ReactionKind::Concern,
        }
    }

    /// Out of the wire; none where it is none.
    pub fn parse(kind: proto::ReactionKind) -> Option<Self> {
        Self::ALL.into_iter().find(|reaction| reaction.to_wire() == kind)
    }

    /// Its number in the audit: the wire's.
    fn number(self) -> u32 {
        self.to_wire() as u32
    }

    /// Its place among [`Self::ALL`].
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What one person has put to a message: one of each kind at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Kinds(#[n(0)] u8);

impl Kinds {
    const EVERY: u8 = (1 << Reaction::ALL.len()) - 1;

    /// It is among them.
    pub fn has(self, reaction: Reaction) -> bool {
        self.0 & reaction.bit() != 0
    }

    /// With this one, or without it.
    fn with(self, reaction: Reaction, given: bool) -> Self {
        if given { Self(self.0 | reaction.bit()) } else { Self(self.0 & !reaction.bit()) }
    }
}

/// What has been put to a message, by whom: in order of people, nobody twice, nobody with nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Reactions(#[n(0)] Vec<Reacted>);

/// What one person has put to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Reacted {
    /// Who.
    #[n(0)]
    pub person: PersonId,
    /// What.
    #[n(1)]
    pub kinds: Kinds,
}

/// Bytes of one person's, as kept: an identifier, big-endian, and a bit for each kind.
const BYTES: usize = 9;

impl Reactions {
    /// Nobody has put anything to it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// By how many people.
    pub fn people(&self) -> usize {
        self.0.len()
    }

    /// What this person has put to it.
    pub fn of(&self, person: PersonId) -> Kinds {
        self.place(person).map_or(Kinds::default(), |at| self.0[at].kinds)
    }

    fn place(&self, person: PersonId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&person, |of| of.person)
    }

    /// With one more of this person's, or one less.
    #[must_use]
    pub fn with(mut self, person: PersonId, reaction: Reaction, given: bool) -> Self {
        let kinds = self.of(person).with(reaction, given);
        match self.place(person) {
            Ok(at) if kinds == Kinds::default() => drop(self.0.remove(at)),
            Ok(at) => self.0[at].kinds = kinds,
            Err(at) if kinds != Kinds::default() => self.0.insert(at, Reacted { person, kinds }),
            Err(_) => {}
        }
        self
    }

    /// As clients see them: by kind, in order, each with who.
    pub fn to_wire(&self) -> Vec<proto::Reaction> {
        let of = |reaction: Reaction| {
            let people = self.0.iter().filter(|of| of.kinds.has(reaction));
            let people = people.map(|of| of.person.value()).collect();
            proto::Reaction { kind: reaction.to_wire().into(), people }
        };
        Reaction::ALL.into_iter().map(of).filter(|reaction| !reaction.people.is_empty()).collect()
    }

    /// As a store keeps them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * BYTES);
        for Reacted { person, kinds } in &self.0 {
            bytes.extend_from_slice(&person.value().to_be_bytes());
            bytes.push(kinds.0);
        }
        bytes
    }

    /// Out of what a store keeps; none where it is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (all, []) = bytes.as_chunks::<BYTES>() else { return None };
        if all.len() > limits::REACTORS_MAX {
            return None;
        }
        let reacted = all.iter().map(|[person @ .., kinds]| {
            let person = PersonId::new(u64::from_be_bytes(*person))?;
            (1..=Kinds::EVERY).contains(kinds).then_some(Reacted { person, kinds: Kinds(*kinds) })
        });
        let reacted: Vec<Reacted> = reacted.collect::<Option<_>>()?;
        reacted.is_sorted_by(|a, b| a.person < b.person).then_some(Self(reacted))
    }
}

/// A reaction to a message, or one that is taken back.
pub struct React {
    /// To which.
    pub message: StatId,
    /// What.
    pub reaction: Reaction,
    /// Not any more.
    pub taken_back: bool,
    /// The message as it stood.
    pub found: Found,
}

/// Gives a reaction, or takes it back. One that is so already is left as it is.
pub(crate) fn react(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    react: React,
) -> Result<(), Refusal> {
    let React { message: of, reaction, taken_back, found } = react;
    let kept = alteration::kept(draft, who, of, found)?;
    let permit = access::permit(Operation::React, access::MEMBER, actor(who))?;
    let place = draft.state.conversations.get(&of.conversation);
    if place.is_some_and(|place| place.kind == Sort::Broadcast) {
        return Err(BroadcastRefusal::NoReactions.into());
    }
    if kept.standing.recalled {
        return Err(Refusal::MessageRecalled);
    }
    let (person, given) = (who.person(), !taken_back);
    if kept.reactions.of(person).has(reaction) != given {
        if given {
            may_give(draft, who, of, &kept.reactions)?;
        } else {
            // What is taken back is gone from the record.
            if hold::keeps(draft.state, of.conversation) {
                return Err(Refusal::KeptAsWritten);
            }
            if draft.room == Room::Scarce {
                return Err(Refusal::DiskLow);
            }
        }
        let reactions = kept.reactions.with(person, reaction, given);
        let StatId { conversation, sequence } = of;
        let written = Write::ReactionsSet {
            conversation,
            sequence,
            message: kept.change,
            reactions: reactions.clone(),
        };
        let change = draft.write(written);
        let number = reaction.number();
        draft.record(
            permit.by(),
            if given {
                Act::ReactionGiven(conversation, sequence, number)
            } else {
                Act::ReactionTakenBack(conversation, sequence, number)
            },
        );
        let told = proto::MessageReactions {
            conversation: conversation.value(),
            sequence: sequence.0,
            reactions: reactions.to_wire(),
        };
        draft.alterations.note_reactions(change, of, reactions);
        let conns = alteration::readers(draft, of);
        if !conns.is_empty() {
            let event = Event::Small(Box::new(Kind::Reactions(told)));
            draft.send(Send::Fanout { change, event, conns });
        }
    }
    draft.send(Send::Reply { conn, request, body: Body::Done(proto::Done {}) });
    Ok(())
}

fn may_give(draft: &Draft<'_>, who: &Ready, of: StatId, reactions: &Reactions) -> Result<(), Refusal> {
    if draft.state.escalations.contains_key(&of) {
        return Err(Refusal::StatWantsAnswer);
    }
    channel::takes_more(draft.conversation_of(who, of.conversation)?)?;
    if reactions.people() >= limits::REACTORS_MAX && reactions.of(who.person()) == Kinds::default() {
        return Err(Refusal::ReactionsFull);
    }
    if draft.room < Room::Plenty {
        return Err(Refusal::DiskLow);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(number: u8) -> PersonId {
        PersonId::from_random([number; 8])
    }

    #[test]
    fn one_of_each_kind_and_nobody_with_nothing() {
        let all = Reactions::default().with(person(2), Reaction::Done, true);
        let all = all.with(person(1), Reaction::Thanks, true).with(person(2), Reaction::Done, true);
        let all = all.with(person(2), Reaction::Agree, true).with(person(3), Reaction::Agree, false);
        assert_eq!(all.people(), 2);
        let told: Vec<_> = all.to_wire().into_iter().map(|told| (told.kind(), told.people)).collect();
        let (one, two) = (person(1).value(), person(2).value());
        use proto::ReactionKind as Kind;
        assert!(told == [(Kind::Agree, vec![two]), (Kind::Thanks, vec![one]), (Kind::Done, vec![two])]);
        let less = all.with(person(1), Reaction::Thanks, false).with(person(2), Reaction::Done, false);
        assert_eq!(less.people(), 1);
        assert!(less.with(person(2), Reaction::Agree, false).is_empty());
    }

    #[test]
    fn what_is_kept_is_read_and_what_is_damaged_is_not() {
        let all = Reactions::default().with(person(1), Reaction::Concern, true);
        let all = all.with(person(2), Reaction::Agree, true).with(person(2), Reaction::Done, true);
        let bytes = all.to_bytes();
        assert_eq!(Reactions::from_bytes(&bytes), Some(all));
        assert_eq!(Reactions::from_bytes(&[]), Some(Reactions::default()));
        for end in [1, 8, 10, 17] {
            assert_eq!(Reactions::from_bytes(&bytes[..end]), None, "{end}");
        }
        assert_eq!(Reactions::from_bytes(&[&bytes[9..], &bytes[..9]].concat()), None, "out of order");
        assert_eq!(Reactions::from_bytes(&[&bytes[..9], &bytes[..9]].concat()), None, "somebody twice");
        for kinds in [0, Kinds::EVERY + 1, 0xff] {
            assert_eq!(Reactions::from_bytes(&[&bytes[..8], &[kinds]].concat()), None, "{kinds}");
        }
        assert_eq!(Reactions::from_bytes(&[0, 0, 0, 0, 0, 0, 0, 0, 1]), None, "nobody");
    }
}
