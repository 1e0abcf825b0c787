//! What an author does to a message after it was said: another text for it, or none any more.
//!
//! The core remembers no message. So whoever asks brings along what the doorway has just read of it, and up to which change
//! that is true: a [`Found`]. What was decided since and may not be in it, [`Alterations`] remembers. A message ages by the
//! steady clock, as far as this run knows it: [`Ages`].
//!
//! Refuses to hold an earlier text: an edit overwrites it, a recall leaves none.

use std::collections::VecDeque;

use minicbor::{Decode, Encode};

use crate::access::{self, Operation};
use crate::audit::Act;
use crate::broadcast;
use crate::channel;
use crate::conversation::Kind as PlaceKind;
use crate::draft::{Draft, actor};
use crate::escalation::{Priority, StatId};
use crate::hold;
use crate::ids::{Change, Conn, ConversationId, DeviceId, EditId, MessageId, PersonId, RequestId, Sequence};
use crate::limits;
use crate::mention::{self, Mention};
use crate::order::OrderRefusal;
use crate::reaction::Reactions;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Ready;
use crate::text::Sealed;
use crate::time::{Mono, Now, Wall};
use crate::turn::{Event, Send};
use crate::wire::proto::{self, event::Kind, server_frame::Body};
use crate::write::Write;

/// What became of a message since it was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Standing {
    /// How often it was edited.
    #[n(0)]
    pub edits: u32,
    /// The last edit.
    #[n(1)]
    pub edit: Option<EditId>,
    /// It was recalled: there is no text any more.
    #[n(2)]
    pub recalled: bool,
    /// When it was last edited, or recalled.
    #[n(3)]
    pub at: Wall,
}

/// A message as the store has it, but for its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The change that brought it.
    pub change: Change,
    /// Its name.
    pub id: MessageId,
    /// Its author.
    pub sender: PersonId,
    /// The device that sent it.
    pub device: DeviceId,
    /// When it was accepted.
    pub at: Wall,
    /// How urgent it is.
    pub priority: Priority,
    /// What it is in reply to.
    pub reply_to: Option<Sequence>,
    /// Whom it names. Of a recalled one nobody.
    pub mentions: Vec<Mention>,
    /// What became of it.
    pub standing: Standing,
    /// What was put to it since it was said, or last edited. Of a recalled one nothing.
    pub reactions: Reactions,
    /// It is an order, filed or not, or the read-back of one: it stays as it was sent.
    pub is_order: bool,
}

/// What the doorway read before it asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Everything up to this change is in it.
    pub as_of: Change,
    /// None: there is no such message.
    pub message: Option<Kept>,
}

/// Another text for a message.
pub struct Edit {
    /// Where.
    pub conversation: ConversationId,
    /// Which.
    pub sequence: Sequence,
    /// The how many-eth edit of it this is, from 1: so that one does not overwrite another that its author has not seen.
    pub version: u32,
    /// Its name: the same in every retry.
    pub name: EditId,
    /// The new text, sealed by the doorway; `None` where it has no key, or no message.
    pub body: Option<Sealed>,
    /// The message as it stood.
    pub found: Found,
}

impl Standing {
    /// As clients see it: fills in what a message bears of it.
    pub fn dress(self, message: &mut proto::Message) {
        if self.recalled {
            message.recalled_at = self.at.0;
        } else if self.edits > 0 {
            (message.edits, message.edited_at) = (self.edits, self.at.0);
        }
    }
}

impl Kept {
    /// An edit is another text: what was put to the earlier one goes with it. A recall leaves nothing that was said.
    pub fn stands(&mut self, standing: Standing) {
        self.standing = standing;
        self.reactions = Reactions::default();
        if standing.recalled {
            self.mentions.clear();
        }
    }

    /// As clients see it, without its text.
    fn to_wire(&self, conversation: ConversationId, sequence: Sequence) -> proto::Message {
        let mut message = proto::Message {
            conversation: conversation.value(),
            sequence: sequence.0,
            message: self.id.0.to_vec(),
            sender: self.sender.value(),
            at: self.at.0,
            text: String::new(),
            priority: self.priority.to_wire().into(),
            reply_to: self.reply_to.unwrap_or_default().0,
            mentions: mention::to_wire(&self.mentions),
            reactions: self.reactions.to_wire(),
            ..proto::Message::default()
        };
        self.standing.dress(&mut message);
        message
    }
}

/// The last alterations that were decided: what a look at the store may have come too early for. A look that is older than what
/// is remembered is refused, and made again.
#[derive(Debug, Default)]
pub(crate) struct Alterations {
    recent: VecDeque<(Change, StatId, Altered)>,
    /// Alterations up to this change are not in here any more.
    forgotten: Change,
}

/// What one did: how the message stands from then on, without what was put to it before; or what is put to it.
#[derive(Clone, Debug)]
enum Altered {
    Standing(Standing),
    Reactions(Reactions),
}

impl Alterations {
    pub(crate) fn note_reactions(&mut self, change: Change, of: StatId, reactions: Reactions) {
        self.note(change, of, Altered::Reactions(reactions));
    }

    fn note(&mut self, change: Change, of: StatId, altered: Altered) {
        if self.recent.len() >= limits::ALTERATIONS_REMEMBERED
            && let Some((oldest, ..)) = self.recent.pop_front()
        {
            self.forgotten = oldest;
        }
        self.recent.push_back((change, of, altered));
    }

    /// The message as it stands, out of how it stood at `as_of`.
    fn bring_up(&self, as_of: Change, of: StatId, kept: &mut Kept) -> Result<(), Refusal> {
        if as_of < self.forgotten {
            return Err(Refusal::Unavailable);
        }
        let first = self.recent.partition_point(|(change, ..)| *change <= as_of);
        for (.., altered) in self.recent.range(first..).filter(|(_, other, _)| *other == of) {
            match altered {
                Altered::Standing(standing) => kept.stands(*standing),
                Altered::Reactions(reactions) => kept.reactions = reactions.clone(),
            }
        }
        Ok(())
    }
}

/// How old messages are, by the steady clock: which change there was at each look, a minute apart.
#[derive(Debug)]
pub(crate) struct Ages {
    /// The last change before this run, and when the run began.
    began: (Change, Mono),
    looks: VecDeque<(Change, Mono)>,
}

impl Ages {
    pub(crate) fn new(last: Change, now: Mono) -> Self {
        Self { began: (last, now), looks: VecDeque::new() }
    }

    /// Everything up to this change is at least as old as this moment.
    pub(crate) fn look(&mut self, last: Change, now: Mono) {
        if self.looks.back().is_some_and(|(change, _)| *change == last) {
            return;
        }
        if self.looks.len() >= limits::AGE_LOOKS {
            self.looks.pop_front();
        }
        self.looks.push_back((last, now));
    }

    /// A message's age in milliseconds, up to a minute too low. One that is older than this run ages by the wall clock, and
    /// by what the run has lasted if that is more: a clock that steps back makes nothing young again.
    fn of(&self, message: &Kept, now: Now) -> u64 {
        self.since(message.change, message.at, now)
    }

    /// The same of anything that this change brought about, at this time by the wall clock of then.
    pub(crate) fn since(&self, change: Change, at: Wall, now: Now) -> u64 {
        let passed = |since: Mono| now.mono.0.saturating_sub(since.0);
        let (last, began) = self.began;
        if change <= last {
            let by_wall = u64::try_from(now.wall.0.saturating_sub(at.0)).unwrap_or(0);
            return by_wall.max(passed(began));
        }
        let behind = self.looks.partition_point(|(looked, _)| *looked < change);
        self.looks.get(behind).map_or(0, |(_, at)| passed(*at))
    }
}

/// The message, as it stands now, if the person may read it.
pub(crate) fn kept(draft: &Draft<'_>, who: &Ready, of: StatId, found: Found) -> Result<Kept, Refusal> {
    let conversation = draft.conversation_of(who, of.conversation)?;
    if conversation.purged {
        return Err(Refusal::Purged);
    }
    let from = conversation.member(who.person()).map_or(Sequence::NONE, |member| member.from);
    let within = of.sequence >= from.max(conversation.first) && of.sequence <= conversation.last;
    let mut kept = found.message.filter(|_| within).ok_or(Refusal::NoSuchMessage)?;
    draft.alterations.bring_up(found.as_of, of, &mut kept)?;
    Ok(kept)
}

/// Puts another text in a message's place. A retry is answered as the first time.
pub(crate) fn edit(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    edit: Edit,
) -> Result<(), Refusal> {
    let Edit { conversation, sequence, version, name, body, found } = edit;
    let of = StatId { conversation, sequence };
    let mut kept = kept(draft, who, of, found)?;
    let is = access::to_message(who.person(), &kept);
    let permit = access::permit(Operation::EditMessage, is, actor(who))?;
    let before = kept.standing;
    if before.recalled {
        return Err(Refusal::MessageRecalled);
    }
    if before.edit != Some(name) {
        if hold::keeps(draft.state, conversation) {
            return Err(Refusal::KeptAsWritten);
        }
        if kept.is_order {
            return Err(Refusal::Order(OrderRefusal::AsSent));
        }
        if kept.priority == Priority::Stat {
            return Err(Refusal::StatNotEdited);
        }
        let place = draft.conversation_of(who, conversation)?;
        channel::takes_more(place)?;
        // Whoever announces no more says nothing more by an earlier announcement either.
        if place.kind == PlaceKind::Broadcast {
            broadcast::may_send(draft, who, place, Priority::Routine)?;
        }
        if before.edits >= limits::EDITS_MAX {
            return Err(Refusal::EditsSpent);
        }
        if version != before.edits + 1 {
            return Err(Refusal::EditedMeanwhile);
        }
        if draft.ages.of(&kept, draft.now) >= limits::EDIT_MS {
            return Err(Refusal::EditTooLate);
        }
        if draft.room < Room::Plenty {
            return Err(Refusal::DiskLow);
        }
        let body = body.ok_or(Refusal::Unavailable)?;
        if body.0.len() > limits::TEXT_MAX + limits::SEAL_OVERHEAD {
            return Err(Refusal::TooLarge);
        }
        let at = draft.now.wall;
        kept.stands(Standing { edits: version, edit: Some(name), recalled: false, at });
        let message = kept.change;
        let edited = Write::MessageEdited { conversation, sequence, message, standing: kept.standing, body };
        let change = draft.write(edited);
        draft.record(permit.by(), Act::MessageEdited(conversation, sequence, version));
        tell(draft, change, of, &kept, true);
    }
    draft.send(Send::Reply { conn, request, body: Body::Done(proto::Done {}) });
    Ok(())
}

/// Destroys a message's text. One that is recalled already is left as it is.
pub(crate) fn recall(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    who: &Ready,
    of: StatId,
    found: Found,
) -> Result<(), Refusal> {
    let mut kept = kept(draft, who, of, found)?;
    let is = access::to_message(who.person(), &kept);
    let permit = access::permit(Operation::RecallMessage, is, actor(who))?;
    if !kept.standing.recalled {
        if hold::keeps(draft.state, of.conversation) {
            return Err(Refusal::KeptAsWritten);
        }
        if kept.is_order {
            return Err(Refusal::Order(OrderRefusal::AsSent));
        }
        if draft.state.escalations.contains_key(&of) {
            return Err(Refusal::StatOpen);
        }
        if draft.ages.of(&kept, draft.now) >= limits::RECALL_MS {
            return Err(Refusal::RecallTooLate);
        }
        if draft.room == Room::Scarce {
            return Err(Refusal::DiskLow);
        }
        kept.stands(Standing { recalled: true, at: draft.now.wall, ..kept.standing });
        let StatId { conversation, sequence } = of;
        let message = kept.change;
        let recalled = Write::MessageRecalled { conversation, sequence, message, at: draft.now.wall };
        let change = draft.write(recalled);
        draft.record(permit.by(), Act::MessageRecalled(conversation, sequence));
        tell(draft, change, of, &kept, false);
    }
    draft.send(Send::Reply { conn, request, body: Body::Done(proto::Done {}) });
    Ok(())
}

/// Every member who may read the message hears how it stands now, the asking connection too; and what it said before is wiped from the
/// log.
fn tell(draft: &mut Draft<'_>, change: Change, of: StatId, kept: &Kept, has_text: bool) {
    draft.alterations.note(change, of, Altered::Standing(kept.standing));
    let conns = readers(draft, of);
    if !conns.is_empty() {
        let message = Box::new(kept.to_wire(of.conversation, of.sequence));
        let event = if has_text {
            Event::Edited(message)
        } else {
            Event::Small(Box::new(Kind::MessageChanged(*message)))
        };
        draft.send(Send::Fanout { change, event, conns });
    }
    draft.send(Send::ScrubLog);
}

/// Every connection of whoever may read the message.
pub(crate) fn readers(draft: &Draft<'_>, of: StatId) -> Vec<Conn> {
    let place = draft.state.conversations.get(&of.conversation);
    let readers = place.into_iter().flat_map(|place| place.present());
    let readers = readers.filter(|(_, member)| member.from <= of.sequence);
    readers.filter_map(|(person, _)| draft.attached.get(&person)).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reaction::Reaction;

    fn message(change: u64, at: i64) -> Kept {
        Kept {
            change: Change(change),
            id: MessageId([1; 16]),
            sender: PersonId::from_random([1; 8]),
            device: DeviceId::from_random([1; 8]),
            at: Wall(at),
            priority: Priority::Routine,
            reply_to: None,
            mentions: Vec::new(),
            standing: Standing::default(),
            reactions: Reactions::default(),
            is_order: false,
        }
    }

    #[test]
    fn a_message_ages_by_the_steady_clock_and_one_of_before_by_both() {
        let mut ages = Ages::new(Change(10), Mono(1_000));
        ages.look(Change(10), Mono(60_000));
        ages.look(Change(14), Mono(120_000));
        ages.look(Change(14), Mono(180_000));
        ages.look(Change(20), Mono(240_000));
        let at = |mono, wall| Now { mono: Mono(mono), wall: Wall(wall) };
        // Whatever the wall clock says.
        assert_eq!(ages.of(&message(12, 0), at(200_000, 1_000_000_000)), 80_000);
        assert_eq!(ages.of(&message(15, 0), at(250_000, -5)), 10_000);
        assert_eq!(ages.of(&message(21, 0), at(250_000, 90_000)), 0, "no look since");
        assert_eq!(ages.of(&message(9, 50_000), at(250_000, 70_000)), 249_000, "the clock stepped back");
        assert_eq!(ages.of(&message(9, 50_000), at(2_000, 70_000)), 20_000);
    }

    #[test]
    fn what_was_decided_since_a_look_is_known_and_a_look_too_old_is_refused() {
        let place = ConversationId::from_random([3; 8]);
        let of = |sequence| StatId { conversation: place, sequence: Sequence(sequence) };
        let mut alterations = Alterations::default();
        let standing = |edits, recalled| Standing { edits, recalled, ..Standing::default() };
        let liked = Reactions::default().with(PersonId::from_random([5; 8]), Reaction::Agree, true);
        alterations.note_reactions(Change(4), of(1), liked.clone());
        alterations.note(Change(5), of(1), Altered::Standing(standing(1, false)));
        alterations.note_reactions(Change(6), of(1), liked.clone());
        alterations.note(Change(7), of(1), Altered::Standing(standing(1, true)));
        let seen_at = |as_of, sequence| {
            let mut kept = message(2, 0);
            alterations.bring_up(Change(as_of), of(sequence), &mut kept).map(|()| kept)
        };
        assert_eq!(seen_at(4, 1).map(|kept| kept.standing), Ok(standing(1, true)));
        assert_eq!(seen_at(7, 1), Ok(message(2, 0)));
        assert_eq!(seen_at(4, 2), Ok(message(2, 0)));
        // An edit takes with it what was put to the text before it, and nothing that came behind it.
        alterations.recent.truncate(3);
        let mut kept = Kept { reactions: liked.clone(), ..message(2, 0) };
        alterations.bring_up(Change(4), of(1), &mut kept).expect("a new look");
        assert_eq!((kept.standing.edits, &kept.reactions), (1, &liked));
        alterations.recent.truncate(2);
        alterations.bring_up(Change(3), of(1), &mut kept).expect("a new look");
        assert!(kept.reactions.is_empty());
        for more in 0..limits::ALTERATIONS_REMEMBERED as u64 {
            alterations.note_reactions(Change(10 + more), of(3), liked.clone());
        }
        assert_eq!(alterations.bring_up(Change(4), of(1), &mut kept), Err(Refusal::Unavailable));
        assert_eq!(alterations.bring_up(Change(5), of(1), &mut kept), Ok(()));
    }
}
