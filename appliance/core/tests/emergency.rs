//! Breaking the glass, told as stories.

mod ward;

use wardline_core::care::TeamChange;
use wardline_core::clinical::{Admission, Clinical, Shift};
use wardline_core::directory::Post;
use wardline_core::emergency::{Emergency, EmergencyAccess, Finding, Whom};
use wardline_core::ids::{Conn, ConversationId, EmergencyId, EncounterId, PersonId, UnitId};
use wardline_core::input::Ask;
use wardline_core::limits;
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::text::{Grounds, Name};
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, answer, refusal};

/// Ana leads the patient's unit; Ben and Chidi work in another one; Dana is the privacy officer; Emil works nowhere.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
const EMIL: Conn = Conn(5);
const MINUTE: u64 = 60_000;

struct House {
    ward: Ward,
    hall: UnitId,
    encounter: EncounterId,
    thread: ConversationId,
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(5);
        let [ana, ben, chidi, dana, _] = ward.people[..] else { panic!("five people") };
        let hall = ward.add_unit("Hall A", &[], &[ana]);
        ward.add_unit("4 West", &[ben, chidi], &[]);
        ward.ask(BOX, Ask::SetDuties { person: dana, administrator: false, privacy_officer: true });
        let record = RecordNumber::parse("0042").expect("a number");
        let new = Particulars {
            record: record.clone(),
            name: Name::parse("Rosa Diaz").expect("a name"),
            birth: BirthDate::parse("1947-03-09").expect("a day"),
            sex: Sex::Female,
        };
        let (bed, fresh) = (Bed::parse("A-1").expect("a bed"), ward.fresh());
        let admission = Admission { record, new: Some(new), unit: hall, bed, attending: None, fresh };
        let admitted = ward.ask(BOX, Ask::Clinical(Clinical::Admit(admission)));
        let Body::Admitted(admitted) = answer(&admitted) else { panic!("not admitted") };
        let encounter = EncounterId::new(admitted.encounter).expect("an encounter");
        let thread = ConversationId::new(admitted.conversation).expect("a thread");
        Self { ward, hall, encounter, thread }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn is_in(&self, conn: Conn) -> bool {
        self.ward.relay.state().conversations[&self.thread].member(self.person(conn)).is_some()
    }

    fn emergency(&mut self, conn: Conn, ask: Emergency) -> Turn {
        self.ward.ask(conn, Ask::Clinical(Clinical::Emergency(ask)))
    }

    fn break_glass(&mut self, conn: Conn) -> Turn {
        let whom = Whom::Record(RecordNumber::parse("0042").expect("a number"));
        let grounds = Grounds::parse("Found on the floor, no pulse").expect("grounds");
        let fresh = self.ward.fresh();
        self.emergency(conn, Emergency::Begin { whom, grounds, fresh })
    }

    fn pass(&mut self, ms: u64) {
        self.ward.pass(ms);
    }

    fn kept(&self) -> Vec<EmergencyAccess> {
        self.ward.relay.state().clinic.emergencies.values().cloned().collect()
    }
}

/// What a connection was told waits for a review.
fn told(turn: &Turn, to: Conn) -> Option<u32> {
    turn.sends.iter().find_map(|send| match send {
        Send::Reply { conn, body: Body::EmergenciesWaiting(told), .. } if *conn == to => Some(told.waiting),
        _ => None,
    })
}

#[test]
fn ben_finds_a_patient_of_another_unit_on_the_floor() {
    let mut house = House::new();
    let turn = house.break_glass(BEN);
    let Body::EmergencyBegan(began) = answer(&turn) else { panic!("not let in") };
    assert_eq!(began.conversation, house.thread.value());
    assert_eq!(began.until, house.ward.now.wall.after(limits::EMERGENCY_MS).0);
    assert!(house.is_in(BEN));
    assert_eq!(told(&turn, DANA), Some(1), "in the same turn");
    assert_eq!(told(&turn, ANA), None);
    house.pass(limits::EMERGENCY_MS - 1);
    assert!(house.is_in(BEN));
    house.pass(1);
    assert!(!house.is_in(BEN), "to the moment");
    assert_eq!(house.kept().len(), 1, "it waits for its review");
}

#[test]
fn a_clock_that_steps_back_prolongs_no_emergency() {
    let mut house = House::new();
    house.break_glass(BEN);
    house.ward.now.wall.0 -= 86_400_000;
    house.pass(limits::EMERGENCY_MS);
    assert!(!house.is_in(BEN));
}

#[test]
fn who_is_in_by_it_alone_puts_nobody_into_the_care_team() {
    let mut house = House::new();
    house.break_glass(BEN);
    for who in [BEN, CHIDI] {
        let change = TeamChange { add: vec![house.person(who)], until: None, remove: vec![] };
        let ask = Clinical::ChangeCareTeam { encounter: house.encounter, change };
        assert_eq!(refusal(&house.ward.ask(BEN, Ask::Clinical(ask))), Some("REFUSAL_CODE_NOT_PERMITTED"));
    }
    assert!(!house.is_in(CHIDI));
}

#[test]
fn an_assignment_keeps_whom_the_emergency_let_in() {
    let mut house = House::new();
    let (ben, hall) = (house.person(BEN), house.hall);
    house.break_glass(BEN);
    house.ward.ask(BOX, Ask::SetPost { person: ben, unit: hall, post: Some(Post::Staff) });
    let until = house.ward.now.wall.after(8 * 60 * MINUTE);
    let fresh = house.ward.fresh();
    let shift = Shift { unit: hall, person: None, beds: vec![], until, fresh };
    assert_eq!(refusal(&house.ward.ask(BEN, Ask::Clinical(Clinical::TakeAssignment(shift)))), None);
    house.pass(limits::EMERGENCY_MS);
    assert!(house.is_in(BEN), "one reason is enough");
}

#[test]
fn nobody_breaks_what_is_open_to_them_or_is_not_theirs_to_break() {
    let mut house = House::new();
    assert_eq!(refusal(&house.break_glass(EMIL)), Some("REFUSAL_CODE_NOT_PERMITTED"), "works nowhere");
    assert_eq!(refusal(&house.break_glass(DANA)), Some("REFUSAL_CODE_NOT_PERMITTED"), "reviews it");
    assert_eq!(refusal(&house.break_glass(BOX)), Some("REFUSAL_CODE_NOT_PERMITTED"));
    house.break_glass(BEN);
    assert_eq!(refusal(&house.break_glass(BEN)), Some("REFUSAL_CODE_EMERGENCY_NOT_NEEDED"));
    let whom = Whom::InBed(house.hall, Bed::parse("A-2").expect("a bed"));
    let (grounds, fresh) = (Grounds::parse("Found on the floor").expect("grounds"), house.ward.fresh());
    let nobody = house.emergency(CHIDI, Emergency::Begin { whom, grounds, fresh });
    assert_eq!(refusal(&nobody), Some("REFUSAL_CODE_NO_SUCH_PATIENT"));
    assert!(nobody.writes.iter().all(|n| matches!(n.write, Write::Audited { .. })));
    assert!(Grounds::parse("because").is_err(), "says nothing");
}

#[test]
fn the_privacy_officer_reads_why_and_says_what_she_found() {
    let mut house = House::new();
    house.break_glass(BEN);
    house.break_glass(CHIDI);
    assert_eq!(
        refusal(&house.emergency(ANA, Emergency::List { after: None })),
        Some("REFUSAL_CODE_NOT_PERMITTED")
    );
    let turn = house.emergency(DANA, Emergency::List { after: None });
    let Body::EmergencyPage(page) = answer(&turn) else { panic!("no page") };
    assert!(page.end && page.emergencies.len() == 2);
    let one = page.emergencies.iter().find(|one| one.person == house.person(BEN).value()).expect("Ben's");
    assert_eq!(one.grounds, "Found on the floor, no pulse");
    let whose = one.patient.as_ref().and_then(|patient| patient.particulars.as_ref()).expect("a patient");
    assert_eq!((whose.record_number.as_str(), one.ended, one.finding), ("0042", 0, 0));
    let id = EmergencyId::new(one.emergency).expect("an identifier");
    let turn = house.emergency(DANA, Emergency::Review { id, finding: Finding::NotJustified });
    assert_eq!((refusal(&turn), told(&turn, DANA)), (None, Some(1)));
    assert!(house.is_in(BEN), "a finding ends nothing: she cannot change who reads");
    let again = house.emergency(DANA, Emergency::Review { id, finding: Finding::Justified });
    assert_eq!(refusal(&again), Some("REFUSAL_CODE_NO_SUCH_EMERGENCY"), "said once");
    assert_eq!(refusal(&house.emergency(BEN, Emergency::End { id })), None);
    assert!(!house.is_in(BEN) && house.kept().len() == 1, "over and reviewed: the store's alone");
}

#[test]
fn it_ends_with_the_access_with_the_last_post_and_by_the_charge_nurse() {
    for how in 0..4 {
        let mut house = House::new();
        house.break_glass(BEN);
        let (ben, id) = (house.person(BEN), house.kept()[0].id);
        let unit = *house.ward.relay.state().people[&ben].posts.keys().next().expect("a post");
        let turn = match how {
            0 => house.ward.ask(BOX, Ask::SetStanding { person: ben, suspended: true }),
            1 => house.ward.ask(BOX, Ask::SetPost { person: ben, unit, post: None }),
            2 => {
                let duty = Ask::SetDuties { person: ben, administrator: false, privacy_officer: true };
                house.ward.ask(BOX, duty)
            }
            _ => house.emergency(ANA, Emergency::End { id }),
        };
        assert_eq!(refusal(&turn), None);
        assert!(!house.is_in(BEN), "{how}");
    }
}

/// An emergency is not refused because nobody reviews.
#[test]
fn the_oldest_that_is_over_gives_way_when_nobody_reviews() {
    let mut house = House::new();
    let mut times = 0;
    while house.kept().len() < limits::EMERGENCIES_KEPT_MAX || times < limits::EMERGENCIES_KEPT_MAX + 3 {
        house.pass(20_000);
        assert_eq!(refusal(&house.break_glass(BEN)), None);
        let id = house.kept().iter().find(|access| access.is_running()).expect("Ben's").id;
        house.pass(20_000);
        house.emergency(BEN, Emergency::End { id });
        times += 1;
    }
    assert_eq!(house.kept().len(), limits::EMERGENCIES_KEPT_MAX);
    let page = house.emergency(DANA, Emergency::List { after: None });
    let Body::EmergencyPage(page) = answer(&page) else { panic!("no page") };
    assert!(!page.end && page.emergencies.len() == limits::EMERGENCIES_PAGE_MAX);
    let after = page.emergencies.last().and_then(|last| EmergencyId::new(last.emergency));
    let next = house.emergency(DANA, Emergency::List { after });
    let Body::EmergencyPage(next) = answer(&next) else { panic!("no page") };
    assert!(next.emergencies.iter().all(|one| EmergencyId::new(one.emergency) > after));
    assert!(next.emergencies.iter().all(|one: &proto::EmergencyAccess| one.patient.is_some()));
}
