//! Edits, recalls and replies, one rule at a time. The test plays the doorway: it looks a message up before it asks.

mod ward;

use wardline_core::alteration::{Edit, Found, Kept};
use wardline_core::audit::Act;
use wardline_core::escalation::{Priority, StatId};
use wardline_core::ids::{Conn, ConversationId, EditId, MessageId, Number, PersonId, Sequence};
use wardline_core::input::{Ask, Submit};
use wardline_core::limits;
use wardline_core::stat::Answer;
use wardline_core::text::Sealed;
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto::{self, RefusalCode as Code, event::Kind};
use wardline_core::write::Write;

use ward::{BOX, HAVE_IT, Ward, acts, group_of, kept, refusal};

const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const MINUTE: u64 = 60_000;

/// Ana, Ben and Chidi; Ana and Ben are in a group. And a store, as far as messages go.
struct Floor {
    ward: Ward,
    place: ConversationId,
    stored: Vec<Kept>,
    numbers: u64,
}

impl Floor {
    fn new() -> Self {
        let mut ward = Ward::new(3);
        let ben = ward.people[1];
        let place = group_of(&ward.open_group(ANA, vec![ben]));
        Self { ward, place, stored: Vec::new(), numbers: 0 }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn of(&self, sequence: u64) -> StatId {
        StatId { conversation: self.place, sequence: Sequence(sequence) }
    }

    /// What is decided is on disk at once.
    fn ask(&mut self, from: Conn, ask: Ask) -> Turn {
        let turn = self.ward.ask(from, ask);
        for numbered in &turn.writes {
            self.stored.extend(kept(numbered));
            match &numbered.write {
                Write::MessageEdited { sequence, standing, .. } => {
                    self.stored[sequence.0 as usize - 1].standing = *standing;
                }
                Write::MessageRecalled { sequence, at, .. } => {
                    let standing = &mut self.stored[sequence.0 as usize - 1].standing;
                    (standing.recalled, standing.at) = (true, *at);
                }
                _ => {}
            }
        }
        turn
    }

    fn say_as(&mut self, from: Conn, priority: Priority, reply_to: u64) -> Turn {
        self.numbers += 1;
        let (number, body) = (Number(self.numbers), Some(Sealed(vec![0; 40])));
        let (message, conversation) = (MessageId([self.numbers as u8; 16]), self.place);
        let reply_to = Some(Sequence(reply_to)).filter(|to| *to > Sequence::NONE);
        let (call, mentions, attachments) = Default::default();
        let submit = Submit {
            number,
            message,
            conversation,
            body,
            priority,
            call,
            reply_to,
            mentions,
            attachments,
            order: None,
        };
        self.ask(from, Ask::Submit(submit))
    }

    fn say(&mut self, from: Conn) {
        assert_eq!(refusal(&self.say_as(from, Priority::Routine, 0)), None);
    }

    fn look_up(&self, sequence: u64) -> Found {
        let message = self.stored.get(sequence as usize - 1).cloned();
        Found { as_of: self.ward.relay.state().change, message }
    }

    fn edit_by(&mut self, from: Conn, sequence: u64, version: u32, name: u8, found: Found) -> Turn {
        let StatId { conversation, sequence } = self.of(sequence);
        let (name, body) = (EditId([name; 16]), Some(Sealed(vec![9; 40])));
        self.ask(from, Ask::Edit(Edit { conversation, sequence, version, name, body, found }))
    }

    fn edit(&mut self, from: Conn, sequence: u64, version: u32, name: u8) -> Turn {
        let found = self.look_up(sequence);
        self.edit_by(from, sequence, version, name, found)
    }

    fn recall(&mut self, from: Conn, sequence: u64) -> Turn {
        let (message, found) = (self.of(sequence), self.look_up(sequence));
        self.ask(from, Ask::Recall { message, found })
    }

    /// Time passes, and the box notices.
    fn pass(&mut self, ms: u64) {
        let until = self.ward.now.mono.after(ms);
        while let Some(due) = self.ward.relay.poll_timeout().filter(|due| *due <= until) {
            let step = due.0.saturating_sub(self.ward.now.mono.0);
            self.ward.now.wall = self.ward.now.wall.after(step);
            self.ward.now.mono = self.ward.now.mono.max(due);
            self.ward.relay.handle_timeout(self.ward.now);
        }
        self.ward.now.wall = self.ward.now.wall.after(until.0 - self.ward.now.mono.0);
        self.ward.now.mono = until;
    }
}

fn is(turn: &Turn, code: Code) {
    assert_eq!(refusal(turn), Some(code.as_str_name()));
    assert!(
        turn.writes.iter().all(|n| matches!(n.write, Write::Audited { .. })),
        "a refusal changes nothing"
    );
}

fn told(turn: &Turn) -> Vec<(proto::Message, Vec<Conn>)> {
    let told = turn.sends.iter().filter_map(|send| match send {
        Send::Fanout { event: Event::Edited(message), conns, .. } => Some((*message.clone(), conns.clone())),
        Send::Fanout { event: Event::Small(kind), conns, .. } => match &**kind {
            Kind::MessageChanged(message) => Some((message.clone(), conns.clone())),
            _ => None,
        },
        _ => None,
    });
    told.collect()
}

fn scrubs(turn: &Turn) -> bool {
    turn.sends.iter().any(|send| matches!(send, Send::ScrubLog))
}

#[test]
fn an_author_edits_and_everybody_who_may_read_it_hears_of_it() {
    let mut floor = Floor::new();
    floor.say(ANA);
    let chidi = floor.person(CHIDI);
    floor.ward.change(ANA, floor.place, &[chidi], &[]);
    let turn = floor.edit(ANA, 1, 1, 7);
    assert_eq!(refusal(&turn), None);
    assert_eq!(acts(&turn), [Act::MessageEdited(floor.place, Sequence(1), 1)]);
    let told = told(&turn);
    assert_eq!(told.len(), 1);
    let (message, conns) = &told[0];
    assert_eq!((message.edits, message.edited_at, message.recalled_at), (1, floor.ward.now.wall.0, 0));
    assert_eq!(message.text, "", "the driver has the text");
    assert_eq!(conns, &[ANA, BEN], "Chidi came later, and may not read it");
    assert!(scrubs(&turn), "the earlier text is wiped from the log");
}

#[test]
fn nobody_else_edits_or_recalls_and_whoever_is_out_is_told_that_there_is_no_conversation() {
    let mut floor = Floor::new();
    floor.say(ANA);
    is(&floor.edit(BEN, 1, 1, 7), Code::NotPermitted);
    is(&floor.recall(BEN, 1), Code::NotPermitted);
    is(&floor.edit(CHIDI, 1, 1, 7), Code::NoSuchConversation);
    is(&floor.recall(CHIDI, 1), Code::NoSuchConversation);
    is(&floor.edit(ANA, 2, 1, 7), Code::NoSuchMessage);
    floor.say(BEN);
    let ben = floor.person(BEN);
    floor.ward.change(ANA, floor.place, &[], &[ben]);
    is(&floor.recall(BEN, 2), Code::NoSuchConversation);
    floor.ward.change(ANA, floor.place, &[ben], &[]);
    is(&floor.recall(BEN, 2), Code::NoSuchMessage);
}

#[test]
fn the_same_edit_again_is_done_and_another_one_that_did_not_see_it_is_not() {
    let mut floor = Floor::new();
    floor.say(ANA);
    let before = floor.look_up(1);
    assert_eq!(refusal(&floor.edit(ANA, 1, 1, 7)), None);
    // The answer was lost. The doorway looks again, or had looked before.
    for found in [floor.look_up(1), before.clone()] {
        let again = floor.edit_by(ANA, 1, 1, 7, found);
        assert_eq!((refusal(&again), again.writes.len()), (None, 0));
    }
    // Ana's other device had not seen it.
    is(&floor.edit(ANA, 1, 1, 8), Code::EditedMeanwhile);
    is(&floor.edit_by(ANA, 1, 1, 8, before), Code::EditedMeanwhile);
    assert_eq!(refusal(&floor.edit(ANA, 1, 2, 8)), None);
    is(&floor.edit(ANA, 1, 2, 7), Code::EditedMeanwhile);
}

#[test]
fn a_message_is_edited_ten_times_and_for_fifteen_minutes() {
    let mut floor = Floor::new();
    floor.say(ANA);
    for version in 1..=limits::EDITS_MAX {
        assert_eq!(refusal(&floor.edit(ANA, 1, version, version as u8)), None);
    }
    is(&floor.edit(ANA, 1, 11, 11), Code::EditsSpent);
    floor.say(ANA);
    floor.pass(14 * MINUTE);
    assert_eq!(refusal(&floor.edit(ANA, 2, 1, 7)), None);
    floor.pass(2 * MINUTE);
    is(&floor.edit(ANA, 2, 2, 8), Code::EditTooLate);
    // A retry is answered all the same.
    assert_eq!(refusal(&floor.edit(ANA, 2, 1, 7)), None);
}

#[test]
fn no_clock_that_is_set_makes_a_message_older_or_younger() {
    let mut floor = Floor::new();
    floor.say(ANA);
    floor.ward.now.wall.0 += 10 * 365 * 24 * 60 * MINUTE as i64;
    assert_eq!(refusal(&floor.edit(ANA, 1, 1, 7)), None);
    floor.pass(16 * MINUTE);
    floor.ward.now.wall.0 -= 20 * 365 * 24 * 60 * MINUTE as i64;
    is(&floor.edit(ANA, 1, 2, 8), Code::EditTooLate);
    assert_eq!(refusal(&floor.recall(ANA, 1)), None);
}

#[test]
fn a_recall_leaves_a_mark_and_nothing_to_edit_and_a_second_one_is_done() {
    let mut floor = Floor::new();
    floor.say(ANA);
    assert_eq!(refusal(&floor.edit(ANA, 1, 1, 7)), None);
    floor.pass(23 * 60 * MINUTE);
    let at = floor.ward.now.wall.0;
    let turn = floor.recall(ANA, 1);
    assert_eq!(acts(&turn), [Act::MessageRecalled(floor.place, Sequence(1))]);
    let told = told(&turn);
    assert_eq!((told[0].0.recalled_at, told[0].0.edits, &told[0].1[..]), (at, 0, &[ANA, BEN][..]));
    assert!(scrubs(&turn));
    let again = floor.recall(ANA, 1);
    assert_eq!((refusal(&again), again.writes.len()), (None, 0));
    is(&floor.edit(ANA, 1, 2, 8), Code::MessageRecalled);
    is(&floor.edit(ANA, 1, 1, 7), Code::MessageRecalled);
    floor.say(ANA);
    floor.pass(24 * 60 * MINUTE + MINUTE);
    is(&floor.recall(ANA, 2), Code::RecallTooLate);
}

#[test]
fn a_look_that_came_too_early_does_not_undo_a_recall() {
    let mut floor = Floor::new();
    floor.say(ANA);
    let before = floor.look_up(1);
    assert_eq!(refusal(&floor.recall(ANA, 1)), None);
    is(&floor.edit_by(ANA, 1, 1, 7, before), Code::MessageRecalled);
}

#[test]
fn a_stat_stays_what_rang_and_is_recalled_when_it_is_closed() {
    let mut floor = Floor::new();
    assert_eq!(refusal(&floor.say_as(ANA, Priority::Stat, 0)), None);
    is(&floor.edit(ANA, 1, 1, 7), Code::StatNotEdited);
    is(&floor.recall(ANA, 1), Code::StatOpen);
    let stat = floor.of(1);
    assert_eq!(refusal(&floor.ask(BEN, Ask::AnswerStat { stat, answer: HAVE_IT })), None);
    is(&floor.recall(ANA, 1), Code::StatOpen);
    assert_eq!(refusal(&floor.ask(ANA, Ask::AnswerStat { stat, answer: Answer::Close })), None);
    is(&floor.edit(ANA, 1, 1, 7), Code::StatNotEdited);
    assert_eq!(refusal(&floor.recall(ANA, 1)), None);
}

#[test]
fn an_archived_conversation_takes_no_edit_and_a_recall_a_purged_one_neither() {
    let mut floor = Floor::new();
    floor.say(ANA);
    let conversation = floor.place;
    assert_eq!(refusal(&floor.ask(ANA, Ask::Archive { conversation, archived: true })), None);
    is(&floor.edit(ANA, 1, 1, 7), Code::Archived);
    assert_eq!(refusal(&floor.recall(ANA, 1)), None);
    floor.say_as(ANA, Priority::Routine, 0);
    floor.ask(BOX, Ask::PurgeConversation { conversation });
    is(&floor.recall(ANA, 1), Code::Purged);
    is(&floor.edit(ANA, 1, 1, 7), Code::Purged);
}

#[test]
fn alterations_of_one_device_are_paced() {
    let mut floor = Floor::new();
    floor.say(ANA);
    for _ in 0..limits::ALTERATIONS.burst {
        floor.edit(ANA, 1, 1, 7);
    }
    is(&floor.edit(ANA, 1, 1, 7), Code::SlowDown);
    floor.pass(2_000);
    assert_eq!(refusal(&floor.edit(ANA, 1, 1, 7)), None);
}

#[test]
fn a_reply_names_what_its_author_may_read_whatever_became_of_it() {
    let mut floor = Floor::new();
    floor.say(ANA);
    assert_eq!(refusal(&floor.recall(ANA, 1)), None);
    let turn = floor.say_as(BEN, Priority::Routine, 1);
    assert_eq!(refusal(&turn), None);
    assert_eq!(floor.stored[1].reply_to, Some(Sequence(1)));
    is(&floor.say_as(BEN, Priority::Routine, 3), Code::NoSuchMessage);
    let chidi = floor.person(CHIDI);
    floor.ward.change(ANA, floor.place, &[chidi], &[]);
    is(&floor.say_as(CHIDI, Priority::Routine, 2), Code::NoSuchMessage);
    floor.say(ANA);
    assert_eq!(refusal(&floor.say_as(CHIDI, Priority::Routine, 3)), None);
}
