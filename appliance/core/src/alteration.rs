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
use crate::channel;
use crate::draft::{Draft, actor};
use crate::escalation::{Priority, StatId};
use crate::hold;
use crate::ids::{Change, Conn, ConversationId, DeviceId, EditId, MessageId, PersonId, RequestId, Sequence};
use crate::limits;
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
    /// What became of it.
    pub standing: Standing,
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
    recent: VecDeque<(Change, StatId, Standing)>,
    /// Alterations up to this change are not in here any more.
    forgotten: Change,
}

impl Alterations {
    fn note(&mut self, change: Change, of: StatId, standing: Standing) {
        if self.recent.len() >= limits::ALTERATIONS_REMEMBERED
            && let Some((oldest, ..)) = self.recent.pop_front()
        {
            self.forgotten = oldest;
        }
        self.recent.push_back((change, of, standing));
    }

    /// How the message stands, if that changed after `as_of`; none: as it stood then.
    fn since(&self, as_of: Change, of: StatId) -> Result<Option<Standing>, Refusal> {
        if as_of < self.forgotten {
            return Err(Refusal::Unavailable);
        }
        let newest = self.recent.iter().rev().take_while(|(change, ..)| *change > as_of);
        Ok(newest.into_iter().find(|(_, other, _)| *other == of).map(|(.., standing)| *standing))
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
        let passed = |since: Mono| now.mono.0.saturating_sub(since.0);
        let (last, began) = self.began;
        if message.change <= last {
            let by_wall = u64::try_from(now.wall.0.saturating_sub(message.at.0)).unwrap_or(0);
            return by_wall.max(passed(began));
        }
        let behind = self.looks.partition_point(|(change, _)| *change < message.change);
        self.looks.get(behind).map_or(0, |(_, at)| passed(*at))
    }
}

/// The message, as it stands now, if the person may read it.
fn kept(draft: &Draft<'_>, who: &Ready, of: StatId, found: Found) -> Result<Kept, Refusal> {
    let conversation = draft.conversation_of(who, of.conversation)?;
    if conversation.purged {
        return Err(Refusal::Purged);
    }
    let from = conversation.member(who.person()).map_or(Sequence::NONE, |member| member.from);
    let within = of.sequence >= from.max(conversation.first) && of.sequence <= conversation.last;
    let mut kept = found.message.filter(|_| within).ok_or(Refusal::NoSuchMessage)?;
    if let Some(standing) = draft.alterations.since(found.as_of, of)? {
        kept.standing = standing;
    }
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
        if kept.priority == Priority::Stat {
            return Err(Refusal::StatNotEdited);
        }
        channel::takes_more(draft.conversation_of(who, conversation)?)?;
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
        kept.standing = Standing { edits: version, edit: Some(name), recalled: false, at };
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
        if draft.state.escalations.contains_key(&of) {
            return Err(Refusal::StatOpen);
        }
        if draft.ages.of(&kept, draft.now) >= limits::RECALL_MS {
            return Err(Refusal::RecallTooLate);
        }
        if draft.room == Room::Scarce {
            return Err(Refusal::DiskLow);
        }
        kept.standing = Standing { recalled: true, at: draft.now.wall, ..kept.standing };
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
    draft.alterations.note(change, of, kept.standing);
    let readers =
        draft.state.conversations.get(&of.conversation).into_iter().flat_map(|place| place.present());
    let readers = readers.filter(|(_, member)| member.from <= of.sequence);
    let conns: Vec<Conn> =
        readers.filter_map(|(person, _)| draft.attached.get(&person)).flatten().copied().collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(change: u64, at: i64) -> Kept {
        Kept {
            change: Change(change),
            id: MessageId([1; 16]),
            sender: PersonId::from_random([1; 8]),
            device: DeviceId::from_random([1; 8]),
            at: Wall(at),
            priority: Priority::Routine,
            reply_to: None,
            standing: Standing::default(),
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
        let recalled = Standing { recalled: true, ..Standing::default() };
        alterations.note(Change(5), of(1), Standing { edits: 1, ..Standing::default() });
        alterations.note(Change(7), of(1), recalled);
        assert_eq!(alterations.since(Change(4), of(1)), Ok(Some(recalled)));
        assert_eq!(alterations.since(Change(7), of(1)), Ok(None));
        assert_eq!(alterations.since(Change(4), of(2)), Ok(None));
        for more in 0..limits::ALTERATIONS_REMEMBERED as u64 {
            alterations.note(Change(10 + more), of(3), recalled);
        }
        assert_eq!(alterations.since(Change(6), of(1)), Err(Refusal::Unavailable));
        assert_eq!(alterations.since(Change(7), of(1)), Ok(None));
    }
}
