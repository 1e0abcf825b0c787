//! Urgent messages that nobody has seen, told as stories: a unit's screens show them, and nothing else does.

mod ward;

use wardline_core::escalation::policy::{Dial, EscalationPolicy};
use wardline_core::escalation::{Priority, StatId};
use wardline_core::ids::{Conn, ConversationId, MessageId, Number, Sequence, UnitId};
use wardline_core::input::{Ask, Submit};
use wardline_core::text::{Sealed, Title};
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::server_frame::Body;

use ward::{BOX, Ward, group_of, refusal};

const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const DESK: Conn = Conn(50);
const ELSEWHERE: Conn = Conn(51);
/// The standard wait. Milliseconds.
const WAIT: u64 = 300_000;

/// Ana and Ben are in a channel of 4 West; its screen is there, and another unit's.
struct Shift {
    ward: Ward,
    unit: UnitId,
    place: ConversationId,
    numbers: u64,
}

impl Shift {
    fn new() -> Self {
        let mut ward = Ward::new(3);
        let [ana, ben, chidi] = ward.people[..] else { panic!("three people") };
        let unit = ward.add_unit("4 West", &[ana, ben], &[]);
        let other = ward.add_unit("Hall B", &[chidi], &[]);
        ward.enter_station(DESK, unit);
        ward.enter_station(ELSEWHERE, other);
        let fresh = ward.fresh();
        let title = Title::parse("Handover").expect("a title");
        let place = group_of(&ward.ask(ANA, Ask::OpenChannel { unit, title, fresh }));
        ward.ask(BEN, Ask::JoinChannel { conversation: place });
        Self { ward, unit, place, numbers: 0 }
    }

    fn say(&mut self, from: Conn, priority: Priority) -> (StatId, Turn) {
        self.numbers += 1;
        let (reply_to, mentions, attachments, call) = Default::default();
        let submit = Submit {
            number: Number(self.numbers),
            message: MessageId([self.numbers as u8; 16]),
            conversation: self.place,
            body: Some(Sealed(vec![0; 40])),
            priority,
            call,
            reply_to,
            mentions,
            attachments,
            order: None,
        };
        let turn = self.ward.ask(from, Ask::Submit(submit));
        assert_eq!(refusal(&turn), None);
        let sequence = self.ward.relay.state().conversations[&self.place].last;
        (StatId { conversation: self.place, sequence }, turn)
    }

    fn read(&mut self, from: Conn, delivered: u64, read: u64) -> Turn {
        let (delivered, read) = (Sequence(delivered), Sequence(read));
        self.ward.ask(from, Ask::Receipt { conversation: self.place, delivered, read })
    }

    fn set_wait(&mut self, wait: u32) -> Turn {
        let policy = EscalationPolicy::new(60, &[], Dial::parse("4410").expect("a number")).expect("fits");
        let policy = policy.with_urgent_wait(wait).expect("fits");
        self.ward.ask(BOX, Ask::SetEscalation { unit: Some(self.unit), policy: Some(policy) })
    }
}

/// What screens are told: where, of which message, and whether it waits.
fn told(turns: &[Turn]) -> Vec<(Conn, u64, bool)> {
    let told = |send: &Send| match send {
        Send::Reply { conn, body: Body::UrgentWaits(waits), .. } => Some((*conn, waits.sequence, true)),
        Send::Reply { conn, body: Body::UrgentOver(over), .. } => Some((*conn, over.sequence, false)),
        _ => None,
    };
    turns.iter().flat_map(|turn| turn.sends.iter().filter_map(told)).collect()
}

#[test]
fn an_urgent_message_that_nobody_sees_is_shown_on_its_units_screen_until_somebody_does() {
    let mut shift = Shift::new();
    let (_, turn) = shift.say(ANA, Priority::Urgent);
    assert_eq!(told(&[turn]), []);
    assert_eq!(told(&shift.ward.pass(WAIT - 1)), []);
    assert_eq!(told(&shift.ward.pass(1)), [(DESK, 1, true)]);
    // Its author's own look is none, and nor is it that a device has it.
    assert_eq!(told(&[shift.read(ANA, 1, 1), shift.read(BEN, 1, 0)]), []);
    assert_eq!(told(&[shift.read(BEN, 1, 1)]), [(DESK, 1, false)]);
    assert_eq!(told(&shift.ward.pass(2 * WAIT)), []);
}

#[test]
fn what_was_seen_or_answered_in_time_and_what_is_not_urgent_is_never_shown() {
    let mut shift = Shift::new();
    shift.say(ANA, Priority::Routine);
    shift.say(ANA, Priority::Urgent);
    shift.say(BEN, Priority::Routine);
    shift.say(ANA, Priority::Urgent);
    shift.read(BEN, 4, 4);
    assert_eq!(told(&shift.ward.pass(2 * WAIT)), []);
    assert_eq!(shift.ward.relay.state().urgents.all().count(), 0);
}

#[test]
fn a_screen_that_connects_is_told_what_waits_and_only_what_does() {
    let mut shift = Shift::new();
    shift.say(ANA, Priority::Urgent);
    shift.ward.pass(WAIT / 2);
    shift.say(ANA, Priority::Urgent);
    shift.ward.pass(WAIT / 2);
    let again = Conn(60);
    assert_eq!(told(&[shift.ward.sign_in(DESK, again)]), [(again, 1, true)]);
    assert_eq!(told(&[shift.ward.sign_in(ELSEWHERE, Conn(61))]), [], "another unit's");
    assert_eq!(told(&shift.ward.pass(WAIT / 2)), [(again, 2, true)]);
    assert_eq!(told(&[shift.say(BEN, Priority::Routine).1]), [(again, 1, false), (again, 2, false)]);
}

#[test]
fn the_wait_is_the_units_as_its_policy_says_now_and_none_is_never() {
    let mut shift = Shift::new();
    shift.say(ANA, Priority::Urgent);
    shift.ward.pass(60_000);
    assert_eq!(told(&[shift.set_wait(60)]), [(DESK, 1, true)]);
    assert_eq!(told(&[shift.set_wait(0)]), [(DESK, 1, false)]);
    // What is said while nothing is shown is not known of later.
    shift.say(ANA, Priority::Urgent);
    assert_eq!(told(&[shift.set_wait(60)]), [(DESK, 1, true)]);
    assert_eq!(told(&shift.ward.pass(600_000)), []);
}

#[test]
fn it_is_over_when_the_channel_is_closed_and_when_nobody_is_left_to_see_it() {
    let mut shift = Shift::new();
    shift.say(ANA, Priority::Urgent);
    shift.ward.pass(WAIT);
    let conversation = shift.place;
    let ben = shift.ward.people[1];
    let leave = Ask::ChangeMembers { conversation, add: Vec::new(), remove: vec![ben] };
    assert_eq!(told(&[shift.ward.ask(BEN, leave)]), [(DESK, 1, false)]);
    shift.ward.ask(BEN, Ask::JoinChannel { conversation });
    shift.say(ANA, Priority::Urgent);
    assert_eq!(told(&shift.ward.pass(WAIT)), [(DESK, 2, true)]);
    let archived = shift.ward.ask(ANA, Ask::Archive { conversation, archived: true });
    assert_eq!(told(&[archived]), [(DESK, 2, false)]);
    shift.ward.ask(ANA, Ask::Archive { conversation, archived: false });
    shift.say(ANA, Priority::Urgent);
    assert_eq!(told(&shift.ward.pass(WAIT)), [(DESK, 3, true)], "what was over stays so");
    let purged = shift.ward.ask(BOX, Ask::PurgeConversation { conversation });
    assert_eq!(told(&[purged]), [(DESK, 3, false)]);
    assert_eq!(shift.ward.relay.state().urgents.all().count(), 0);
}
