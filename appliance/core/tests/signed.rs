//! Answers to a STAT that their device signs, and call notes, told as stories.

mod ward;

use wardline_core::escalation::signed::{CallNote, Said, SignedAnswer, Unproven};
use wardline_core::escalation::{Reason, Stage, StatId};
use wardline_core::ids::{Conn, ConversationId, PersonId, Sequence, UnitId};
use wardline_core::input::{Ask, Call};
use wardline_core::stat::Answer;
use wardline_core::text::{Name, Title};
use wardline_core::time::Wall;
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto::{self, event::Kind, server_frame::Body};
use wardline_core::write::Write;

use ward::{HAVE_IT, Ward, cannot, group_of, note, refusal};

/// Ana sends, Ben and Chidi are called, Dana leads the unit and is in the conversation too.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);

const UNSIGNED: Option<&str> = Some("REFUSAL_CODE_STAT_UNSIGNED");

struct Night {
    ward: Ward,
    unit: UnitId,
    place: ConversationId,
    stat: StatId,
}

impl Night {
    fn new() -> Self {
        let mut ward = Ward::new(4);
        let [ana, ben, chidi, dana] = ward.people[..] else { panic!("four people") };
        let unit = ward.add_unit("4 West", &[ana, ben, chidi], &[dana]);
        let place = group_of(&ward.open_group(ANA, vec![ben, chidi, dana]));
        let call = Call { ring: vec![ben, chidi], unit: Some(unit) };
        let sent = ward.send_stat(ANA, place, call);
        assert_eq!(refusal(&sent), None);
        let stat = StatId { conversation: place, sequence: Sequence(1) };
        Self { ward, unit, place, stat }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn answer(&mut self, from: Conn, answer: Answer) -> Turn {
        self.ward.ask(from, Ask::AnswerStat { stat: self.stat, answer })
    }

    /// As it is, whoever signed it.
    fn bring(&mut self, from: Conn, answer: Answer) -> Turn {
        self.ward.ask_as_it_is(from, Ask::AnswerStat { stat: self.stat, answer })
    }

    fn stage(&self) -> Stage {
        self.ward.relay.state().escalations[&self.stat].stage
    }

    fn noted(&mut self, note: CallNote) -> Turn {
        self.answer(DANA, Answer::Unsigned(Said::Note(note)))
    }

    fn is_refused(&mut self, turn: &Turn, code: Option<&str>) {
        assert_eq!(refusal(turn), code);
        assert!(turn.writes.is_empty(), "a refusal changes nothing");
        assert!(matches!(self.stage(), Stage::Ringing { step: 0, .. }));
    }
}

fn kept(turn: &Turn) -> Vec<&SignedAnswer> {
    let kept = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::StatAnswered(answer) => Some(&**answer),
        _ => None,
    });
    kept.collect()
}

fn shown(turn: &Turn) -> proto::Escalation {
    let shown = turn.sends.iter().find_map(|send| match send {
        Send::Fanout { event: Event::Small(kind), .. } => match &**kind {
            Kind::Escalation(shown) => Some(shown.clone()),
            _ => None,
        },
        _ => None,
    });
    shown.expect("how it stands")
}

fn call(reached: Option<PersonId>, called: Wall) -> CallNote {
    CallNote { reached, role: None, name: None, called, read_back: true }
}

#[test]
fn an_answer_is_kept_as_its_device_signed_it() {
    let mut night = Night::new();
    let turn = night.answer(BEN, cannot(Reason::Busy));
    assert_eq!(refusal(&turn), None);
    let [declined] = kept(&turn)[..] else { panic!("one") };
    let device = night.ward.relay.state().devices.values().find(|device| device.person == night.person(BEN));
    let device = device.expect("a device");
    assert_eq!((declined.id, declined.person), (night.stat, night.person(BEN)));
    assert_eq!((declined.device, declined.key), (device.id, device.key));
    assert_eq!((&declined.said, declined.signature), (&Said::Decline(Reason::Busy), [1; 64]));
    let turn = night.answer(CHIDI, HAVE_IT);
    assert_eq!(kept(&turn).len(), 1);
    let again = night.answer(CHIDI, HAVE_IT);
    assert_eq!((refusal(&again), again.writes.len()), (None, 0), "said twice, signed once");
}

#[test]
fn what_needs_no_signature_goes_without_one() {
    let mut night = Night::new();
    for (from, answer) in
        [(BEN, Answer::Coming), (CHIDI, HAVE_IT), (CHIDI, Answer::HandBack), (ANA, Answer::Close)]
    {
        let signed = answer == HAVE_IT;
        let turn = night.answer(from, answer);
        assert_eq!((refusal(&turn), kept(&turn).len()), (None, usize::from(signed)));
    }
}

#[test]
fn an_unsigned_answer_is_refused_and_it_rings_on() {
    let mut night = Night::new();
    let called = night.ward.now.wall;
    for answer in [HAVE_IT, cannot(Reason::Busy), note(None, called)] {
        let turn = night.bring(BEN, answer);
        night.is_refused(&turn, UNSIGNED);
    }
}

#[test]
fn a_signature_is_worth_nothing_about_another_stat_or_by_another_device() {
    let mut night = Night::new();
    let before = night.ward.signed(BEN, night.stat, Said::Accept);
    let about_the_first = night.ward.signed(CHIDI, night.stat, Said::Accept);
    let turn = night.bring(CHIDI, before.clone());
    night.is_refused(&turn, UNSIGNED);
    let chidi = vec![night.person(CHIDI)];
    let sent = night.ward.send_stat(BEN, night.place, Call { ring: chidi, unit: Some(night.unit) });
    assert_eq!(refusal(&sent), None);
    let other = StatId { sequence: Sequence(2), ..night.stat };
    let turn = night.ward.ask_as_it_is(CHIDI, Ask::AnswerStat { stat: other, answer: about_the_first });
    night.is_refused(&turn, UNSIGNED);
    assert_eq!(refusal(&night.bring(BEN, before)), None, "where it belongs it does");
}

#[test]
fn nobody_signs_for_a_device_with_another_key() {
    let mut night = Night::new();
    let device_of = |conn| {
        let person = night.person(conn);
        night.ward.relay.state().devices.values().find(|device| device.person == person).expect("a device")
    };
    let by = Some((device_of(BEN).id, device_of(CHIDI).key));
    let unproven = Unproven { stat: night.stat, said: Said::Accept, at: Wall(1), signature: vec![1; 64] };
    let proven = unproven.verify(&ward::AnySignature, &[9; 32], by).expect("any signature will do");
    let turn = night.bring(BEN, Answer::Signed(Box::new(proven)));
    night.is_refused(&turn, UNSIGNED);
}

#[test]
fn a_signature_of_another_length_and_that_of_nobody_prove_nothing() {
    let stat = Night::new().stat;
    let signed = |length| Unproven { stat, said: Said::Accept, at: Wall(1), signature: vec![1; length] };
    for length in [0, 63, 65] {
        assert!(signed(length).verify(&ward::AnySignature, &[9; 32], None).is_err());
    }
    assert_eq!(signed(64).verify(&ward::AnySignature, &[9; 32], None), Err(Said::Accept));
}

#[test]
fn a_call_note_says_who_when_and_as_what_and_whoever_it_names_is_told() {
    let mut night = Night::new();
    night.ward.now.wall = night.ward.now.wall.after(30_000);
    let (ben, called) = (night.person(BEN), night.ward.now.wall);
    let role = Title::parse("Physician on call").ok();
    let turn = night.noted(CallNote { role, ..call(Some(ben), called) });
    assert_eq!((refusal(&turn), kept(&turn).len()), (None, 1));
    let stage = Stage::Accepted { step: 0, at: called, by: Some(ben), noted_by: Some(night.person(DANA)) };
    assert_eq!(night.stage(), stage);
    let told = shown(&turn).note.expect("the note");
    assert_eq!((told.reached, told.called, told.read_back), (ben.value(), called.0, true));
    assert_eq!(told.role, "Physician on call");
    let silent = |send: &Send| matches!(send, Send::Reply { conn: CHIDI, body: Body::Silence(_), .. });
    assert!(turn.sends.iter().any(silent), "it is silent for everybody");
    let rings = |send: &Send| {
        matches!(send, Send::Reply { conn: BEN, body: Body::Ring(ring), .. }
        if ring.state() == proto::EscalationState::Accepted)
    };
    assert!(turn.sends.iter().any(rings), "who is named is told at once");
    let turn = night.answer(BEN, HAVE_IT);
    assert_eq!((kept(&turn).len(), shown(&turn).note.is_none()), (1, true), "now they say so themselves");
}

#[test]
fn a_call_note_names_somebody_outside_or_a_role_in_words() {
    for (role, name) in
        [("Cardiologist on call", ""), ("", "Dr. Okafor"), ("Cardiologist on call", "Dr. Okafor")]
    {
        let mut night = Night::new();
        let called = night.ward.now.wall;
        let (role, name) = (Title::parse(role).ok(), Name::parse(name).ok());
        let turn = night.noted(CallNote { role: role.clone(), name: name.clone(), ..call(None, called) });
        assert_eq!(refusal(&turn), None);
        assert!(matches!(night.stage(), Stage::Accepted { by: None, noted_by: Some(_), .. }));
        let told = shown(&turn).note.expect("the note");
        assert_eq!(told.role, role.map_or(String::new(), |role| role.reveal().to_owned()));
        assert_eq!(told.name, name.map_or(String::new(), |name| name.reveal().to_owned()));
        assert_eq!(refusal(&night.answer(DANA, Answer::HandBack)), None);
        assert!(night.ward.relay.state().escalations[&night.stat].note.is_none(), "it rings again");
    }
}

#[test]
fn a_call_was_not_before_the_stat_and_is_not_ahead() {
    let mut night = Night::new();
    let opened = night.ward.now.wall;
    night.ward.now.wall = opened.after(180_000);
    for called in [Wall(opened.0 - 60_000), opened.after(300_000)] {
        let turn = night.noted(call(None, called));
        assert_eq!(refusal(&turn), Some("REFUSAL_CODE_CALL_NOTE_WHEN"));
        assert!(turn.writes.is_empty());
    }
    // The clock of the box is set back behind the sending: still a call can be noted.
    night.ward.now.wall = Wall(opened.0 - 3_600_000);
    let now = night.ward.now.wall;
    assert_eq!(refusal(&night.noted(call(None, now))), None);
}
