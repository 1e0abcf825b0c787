//! Staff from an agency, told as stories.

mod ward;

use wardline_core::agency::{AgencyAsk, Arrival};
use wardline_core::care::TeamChange;
use wardline_core::clinical::{Admission, Clinical, Correction, Shift};
use wardline_core::directory::Post;
use wardline_core::escalation::policy::{Dial, EscalationPolicy, Ring};
use wardline_core::escalation::{Escalation, Priority, Stage};
use wardline_core::ids::{Conn, ConversationId, EncounterId, MessageId, Number, PersonId, RoleId, UnitId};
use wardline_core::input::{Ask, Call, Submit, Zone};
use wardline_core::limits;
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::role::{Roles, Which};
use wardline_core::stat::Answer;
use wardline_core::text::{Grounds, Name, Sealed, Title};
use wardline_core::time::Wall;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, HAVE_IT, Ward, all_week, answer, group_of, refusal};

/// Ana leads the hall, Ben works there; Chidi leads another unit. Ines comes from an agency.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const INES: Conn = Conn(10);
const HOUR: u64 = 3_600_000;

struct House {
    ward: Ward,
    hall: UnitId,
    west: UnitId,
    encounter: EncounterId,
    thread: ConversationId,
    numbers: u64,
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(3);
        let [ana, ben, chidi] = ward.people[..] else { panic!("three people") };
        let hall = ward.add_unit("Hall A", &[ben], &[ana]);
        let west = ward.add_unit("4 West", &[], &[chidi]);
        let record = RecordNumber::parse("0042").expect("a number");
        let new = Particulars {
            record: record.clone(),
            name: Name::parse("Rosa Diaz").expect("a name"),
            birth: BirthDate::parse("1947-03-09").expect("a day"),
            sex: Sex::Female,
        };
        let (bed, fresh) = (bed("A-1"), ward.fresh());
        let admission = Admission { record, new: Some(new), unit: hall, bed, attending: None, fresh };
        let admitted = ward.ask(BOX, Ask::Clinical(Clinical::Admit(admission)));
        let Body::Admitted(admitted) = answer(&admitted) else { panic!("not admitted") };
        let encounter = EncounterId::new(admitted.encounter).expect("an encounter");
        let thread = ConversationId::new(admitted.conversation).expect("a thread");
        Self { ward, hall, west, encounter, thread, numbers: 0 }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn arrival(&mut self, name: &str, hours: u64) -> Arrival {
        Arrival {
            returning: None,
            name: Name::parse(name).expect("a name"),
            agency: Name::parse("Brightside Nursing").expect("a name"),
            title: Title::parse("RN").expect("a title"),
            unit: self.hall,
            beds: Some(vec![bed("A-1")]),
            until: self.ward.now.wall.after(hours * HOUR),
            another: false,
            fresh: self.ward.fresh(),
        }
    }

    fn admit(&mut self, conn: Conn, arrival: Arrival) -> Turn {
        self.ward.ask(conn, Ask::Agency(AgencyAsk::Admit(Box::new(arrival))))
    }

    /// Ines is admitted for so many hours and her phone joins by the code.
    fn ines(&mut self, hours: u64) -> PersonId {
        let arrival = self.arrival("Inés Roth", hours);
        let turn = self.admit(ANA, arrival);
        let Body::AgencyAdmitted(admitted) = answer(&turn) else { panic!("{:?}", refusal(&turn)) };
        let ines = PersonId::new(admitted.person).expect("a person");
        self.ward.join_by(INES, Zone::Ward, &admitted.code);
        self.ward.ask(INES, Ask::Sync { cursor: Vec::new() });
        ines
    }

    fn extend(&mut self, conn: Conn, person: PersonId, until: Wall) -> Turn {
        let grounds = Grounds::parse("Two called in sick").expect("grounds");
        self.ward.ask(conn, Ask::Agency(AgencyAsk::Extend { person, until, grounds }))
    }

    fn is_in(&self, place: ConversationId, person: PersonId) -> bool {
        self.ward.relay.state().conversations[&place].member(person).is_some()
    }

    fn is_out(&self, person: PersonId) -> bool {
        let entry = &self.ward.relay.state().people[&person];
        let open = self.ward.relay.state().devices_of(person).any(|device| device.session_until.is_some());
        let ended = entry.agency.as_ref().is_some_and(|agency| !agency.is_running());
        assert_eq!(ended, entry.suspended && entry.posts.is_empty() && !open, "all of it or nothing");
        ended
    }

    /// Ben calls STAT here; the answer is Ines's.
    fn stat(&mut self, place: ConversationId, says: Answer) {
        self.numbers += 1;
        let sent = Ask::Submit(Submit {
            number: Number(self.numbers),
            message: MessageId([self.numbers as u8; 16]),
            conversation: place,
            reply_to: None,
            mentions: Default::default(),
            attachments: vec![],
            body: Some(Sealed(vec![0; 40])),
            priority: Priority::Stat,
            call: Call::default(),
            order: None,
        });
        assert_eq!(refusal(&self.ward.ask(BEN, sent)), None);
        let stat = self.only_stat().id;
        assert_eq!(refusal(&self.ward.ask(INES, Ask::AnswerStat { stat, answer: says })), None);
    }

    fn only_stat(&self) -> Escalation {
        self.ward.relay.state().escalations.values().next().expect("a STAT").clone()
    }
}

fn bed(name: &str) -> Bed {
    Bed::parse(name).expect("a bed")
}

fn closes(turns: &[Turn], of: Conn) -> bool {
    let sends = turns.iter().flat_map(|turn| &turn.sends);
    sends.into_iter().any(|send| matches!(send, Send::Close { conn, .. } if *conn == of))
}

fn only_audited(turn: &Turn) -> bool {
    turn.writes.iter().all(|n| matches!(n.write, Write::Audited { .. }))
}

#[test]
fn ines_comes_for_a_shift_and_is_out_to_the_minute() {
    let mut house = House::new();
    let ines = house.ines(8);
    let (thread, hall) = (house.thread, house.hall);
    let entry = house.ward.relay.state().people[&ines].clone();
    assert_eq!(entry.posts.get(&hall), Some(&Post::Staff));
    assert!(house.is_in(thread, ines), "by her beds");
    let wire = entry.to_wire();
    let told = wire.agency.expect("an agency");
    assert_eq!((told.name.as_str(), told.over), ("Brightside Nursing", false));
    house.ward.pass(8 * HOUR - 1);
    assert!(!house.is_out(ines));
    let turns = house.ward.pass(1);
    assert!(house.is_out(ines) && closes(&turns, INES));
    assert!(!house.is_in(thread, ines) && house.ward.relay.state().clinic.assignments.is_empty());
    let again = house.ward.sign_in(INES, Conn(20));
    assert_eq!(refusal(&again), Some("REFUSAL_CODE_AGENCY_OVER"), "her phone is told why");
}

#[test]
fn a_clock_that_steps_back_prolongs_nobody_and_one_that_steps_ahead_ends_them() {
    let mut house = House::new();
    let ines = house.ines(8);
    house.ward.now.wall.0 -= 86_400_000;
    house.ward.pass(8 * HOUR);
    assert!(house.is_out(ines));
    let mut house = House::new();
    let ines = house.ines(8);
    house.ward.now.wall = house.ward.now.wall.after(9 * HOUR);
    house.ward.pass(60_000);
    assert!(house.is_out(ines), "at the next sweep");
}

#[test]
fn what_she_had_of_a_stat_rings_again_and_what_she_dealt_with_long_ago_is_closed() {
    for (wait, rings) in [(10 * 60_000, true), (HOUR, false)] {
        let mut house = House::new();
        let ines = house.ines(2);
        let fresh = house.ward.fresh();
        let direct = group_of(&house.ward.ask(BEN, Ask::OpenDirect { person: ines, fresh }));
        house.ward.pass(2 * HOUR - wait);
        house.stat(direct, HAVE_IT);
        house.ward.pass(wait);
        assert!(house.is_out(ines));
        let open = house.ward.relay.state().escalations.values().next().cloned();
        assert_eq!(open.is_some(), rings, "{wait}");
        assert!(open.is_none_or(|open| matches!(open.stage, Stage::Ringing { .. })));
    }
    // By an act it rings again whenever it was answered.
    let mut house = House::new();
    let (ines, ben, encounter) = (house.ines(8), house.person(BEN), house.encounter);
    let change = TeamChange { add: vec![ben], until: None, remove: vec![] };
    house.ward.ask(ANA, Ask::Clinical(Clinical::ChangeCareTeam { encounter, change }));
    house.stat(house.thread, HAVE_IT);
    house.ward.pass(2 * HOUR);
    let turn = house.ward.ask(ANA, Ask::Agency(AgencyAsk::End { person: ines }));
    assert_eq!(refusal(&turn), None);
    assert!(house.is_out(ines) && closes(&[turn], INES));
    assert!(matches!(house.only_stat().stage, Stage::Ringing { .. }));
}

#[test]
fn everything_that_was_given_by_hand_ends_with_them() {
    let mut house = House::new();
    let ines = house.ines(8);
    let (ben, west, encounter) = (house.person(BEN), house.west, house.encounter);
    house.ward.ask(CHIDI, Ask::SetPost { person: ines, unit: west, post: Some(Post::Staff) });
    let change = TeamChange { add: vec![ines], until: None, remove: vec![] };
    house.ward.ask(ANA, Ask::Clinical(Clinical::ChangeCareTeam { encounter, change }));
    let group = group_of(&house.ward.open_group(BEN, vec![ines]));
    let (title, fresh) = (Title::parse("Huddle").expect("a title"), house.ward.fresh());
    let channel = group_of(&house.ward.ask(INES, Ask::OpenChannel { unit: house.hall, title, fresh }));
    let role = house.ward.add_role(house.hall, "Rapid response", ben);
    assert_eq!(refusal(&house.ward.take_role(INES, role, None)), None);
    let holds = |house: &House, role: RoleId| {
        let state = house.ward.relay.state();
        state.roles[&role].holders(state, house.ward.now.wall).collect::<Vec<_>>()
    };
    assert_eq!(holds(&house, role), [ines]);
    house.ward.ask(ANA, Ask::Agency(AgencyAsk::End { person: ines }));
    assert!(house.is_out(ines));
    for place in [house.thread, group, channel] {
        assert!(!house.is_in(place, ines));
    }
    assert_eq!(holds(&house, role), [ben], "the rota says again who it is");
    assert!(house.ward.relay.state().codes.values().all(|code| code.person != ines));
}

#[test]
fn who_comes_back_is_the_same_person_and_a_namesake_another() {
    let mut house = House::new();
    let ines = house.ines(2);
    let shown = |house: &mut House, name: &str| {
        let arrival = house.arrival(name, 8);
        house.admit(ANA, arrival)
    };
    let turn = shown(&mut house, "ines  ROTH");
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_AGENCY_KNOWN"), "she is here: extend");
    assert!(only_audited(&turn));
    house.ward.pass(2 * HOUR);
    let turn = shown(&mut house, "ines-roth");
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_AGENCY_KNOWN"), "she was here: say who");
    // By somebody else's identifier, or another name: a slip.
    for (person, name) in [(house.person(BEN), "Ben Ode"), (ines, "Irene Roth")] {
        let arrival = Arrival { returning: Some(person), ..house.arrival(name, 8) };
        assert_eq!(refusal(&house.admit(ANA, arrival)), Some("REFUSAL_CODE_AGENCY_OTHER"));
    }
    // In another unit, where she was never before.
    let arrival =
        Arrival { returning: Some(ines), unit: house.west, beds: None, ..house.arrival("Ines Roth", 8) };
    let Body::AgencyAdmitted(back) = answer(&house.admit(CHIDI, arrival)) else { panic!("not admitted") };
    assert_eq!((back.person, back.assignment), (ines.value(), 0));
    assert!(!house.is_out(ines));
    let signed_in = house.ward.sign_in(INES, Conn(20));
    assert!(matches!(answer(&signed_in), Body::PinNeeded(_)), "on the phone that she had, with its PIN");
    let arrival = Arrival { another: true, ..house.arrival("Ines Roth", 8) };
    let Body::AgencyAdmitted(other) = answer(&house.admit(ANA, arrival)) else { panic!("not admitted") };
    assert_ne!(other.person, ines.value());
}

#[test]
fn who_was_suspended_is_not_admitted_under_any_name_of_theirs() {
    let mut house = House::new();
    let ines = house.ines(2);
    house.ward.ask(BOX, Ask::SetStanding { person: ines, suspended: true });
    house.ward.pass(2 * HOUR);
    for another in [false, true] {
        let arrival = Arrival { another, ..house.arrival("Ines Roth", 8) };
        assert_eq!(refusal(&house.admit(ANA, arrival)), Some("REFUSAL_CODE_AGENCY_BARRED"));
    }
    let back = |house: &mut House| {
        let arrival = Arrival { returning: Some(ines), ..house.arrival("Ines Roth", 8) };
        house.admit(ANA, arrival)
    };
    assert_eq!(refusal(&back(&mut house)), Some("REFUSAL_CODE_AGENCY_BARRED"));
    let restored = house.ward.ask(BOX, Ask::SetStanding { person: ines, suspended: false });
    assert_eq!(refusal(&restored), None);
    assert!(house.is_out(ines), "her time is over all the same");
    let twice = house.ward.ask(BOX, Ask::SetStanding { person: ines, suspended: false });
    assert_eq!(refusal(&twice), Some("REFUSAL_CODE_NOT_AGENCY"), "an admission lets her in");
    assert_eq!(refusal(&back(&mut house)), None);
}

#[test]
fn an_extension_says_why_keeps_the_beds_and_is_bounded() {
    let mut house = House::new();
    let ines = house.ines(8);
    let at = house.ward.now.wall;
    assert_eq!(refusal(&house.extend(BEN, ines, at.after(9 * HOUR))), Some("REFUSAL_CODE_NOT_PERMITTED"));
    assert_eq!(refusal(&house.extend(CHIDI, ines, at.after(9 * HOUR))), Some("REFUSAL_CODE_NOT_PERMITTED"));
    for until in [at.after(8 * HOUR), at.after(16 * HOUR + 1)] {
        assert_eq!(refusal(&house.extend(ANA, ines, until)), Some("REFUSAL_CODE_END_INVALID"));
    }
    assert_eq!(refusal(&house.extend(ANA, ines, at.after(12 * HOUR))), None);
    house.ward.pass(11 * HOUR);
    assert!(!house.is_out(ines) && house.is_in(house.thread, ines), "with the beds");
    let at = house.ward.now.wall;
    assert_eq!(refusal(&house.extend(ANA, ines, at.after(16 * HOUR))), None);
    let third = house.extend(ANA, ines, at.after(16 * HOUR - 1));
    assert_eq!(refusal(&third), Some("REFUSAL_CODE_END_INVALID"), "no shorter");
    house.ward.pass(HOUR);
    let at = house.ward.now.wall;
    assert_eq!(refusal(&house.extend(ANA, ines, at.after(16 * HOUR))), Some("REFUSAL_CODE_AGENCY_EXTENDED"));
    house.ward.pass(15 * HOUR);
    assert!(house.is_out(ines) && !house.is_in(house.thread, ines));
    let over = house.extend(ANA, ines, at.after(16 * HOUR));
    assert_eq!(refusal(&over), Some("REFUSAL_CODE_NOT_PERMITTED"), "she leads nobody who is out");
    let listed = house.ward.ask(ANA, Ask::Agency(AgencyAsk::List { unit: Some(house.hall), after: None }));
    let Body::AgencyPage(page) = answer(&listed) else { panic!("no page") };
    let [stay] = &page.stays[..] else { panic!("one stay") };
    assert_eq!(stay.extensions.len(), limits::AGENCY_EXTENSIONS_MAX);
    assert_eq!(stay.extensions[0].grounds, "Two called in sick");
    assert!(stay.ended > 0 && page.end);
}

#[test]
fn an_admission_gives_no_more_than_the_charge_nurse_has() {
    let mut house = House::new();
    let arrival = house.arrival("Ines Roth", 8);
    assert_eq!(refusal(&house.admit(BEN, arrival)), Some("REFUSAL_CODE_NOT_PERMITTED"));
    let arrival = house.arrival("Ines Roth", 8);
    assert_eq!(refusal(&house.admit(CHIDI, arrival)), Some("REFUSAL_CODE_NOT_PERMITTED"), "of another unit");
    for hours in [0, 17] {
        let arrival = house.arrival("Ines Roth", hours);
        let turn = house.admit(ANA, arrival);
        assert_eq!(refusal(&turn), Some("REFUSAL_CODE_END_INVALID"));
        assert!(turn.writes.is_empty());
    }
    let (ines, hall) = (house.ines(8), house.hall);
    let attending = |attending| {
        Ask::Clinical(Clinical::UpdatePatient(Correction {
            patient: house.ward.relay.state().clinic.encounters[&house.encounter].patient,
            particulars: Particulars {
                record: RecordNumber::parse("0042").expect("a number"),
                name: Name::parse("Rosa Diaz").expect("a name"),
                birth: BirthDate::parse("1947-03-09").expect("a day"),
                sex: Sex::Female,
            },
            attending,
            encounter: None,
        }))
    };
    let attends = attending(Some(ines));
    let policy = EscalationPolicy::new(60, &[(Ring::Person(ines), 60)], Dial::default()).expect("a policy");
    let (name, fresh) = (Name::parse("Lead").expect("a name"), house.ward.fresh());
    let rota = Some(all_week(ines));
    for ask in [
        Ask::SetDuties { person: ines, administrator: true, privacy_officer: false },
        Ask::SetDuties { person: ines, administrator: false, privacy_officer: true },
        Ask::SetPost { person: ines, unit: hall, post: Some(Post::ChargeNurse) },
        Ask::SetEscalation { unit: Some(hall), policy: Some(policy) },
        Ask::Role(Roles::Set { which: Which::New(hall), name, rota, fresh }),
        attends,
    ] {
        let turn = house.ward.ask(BOX, ask);
        assert_eq!(refusal(&turn), Some("REFUSAL_CODE_AGENCY_BOUND"));
        assert!(turn.writes.is_empty());
    }
    // Beds and roles end with her at the latest.
    let until = house.ward.now.wall.after(8 * HOUR + 1);
    let shift = Shift { unit: hall, person: None, beds: vec![bed("A-2")], until, fresh: house.ward.fresh() };
    let taken = house.ward.ask(INES, Ask::Clinical(Clinical::TakeAssignment(shift)));
    assert_eq!(refusal(&taken), Some("REFUSAL_CODE_BEYOND_AGENCY_END"));
}

#[test]
fn admissions_have_their_bounds() {
    let mut house = House::new();
    let mut admitted = 0;
    loop {
        house.ward.now.mono = house.ward.now.mono.after(20_000);
        let arrival = Arrival { beds: None, ..house.arrival(&format!("Nurse {admitted}"), 16) };
        match refusal(&house.admit(ANA, arrival)) {
            None => admitted += 1,
            Some(code) => {
                assert_eq!(code, "REFUSAL_CODE_LIMIT");
                break;
            }
        }
    }
    assert_eq!(admitted, limits::AGENCY_OF_UNIT_MAX);
    let Body::AgencyPage(page) =
        answer(&house.ward.ask(BOX, Ask::Agency(AgencyAsk::List { unit: None, after: None })))
    else {
        panic!("no page")
    };
    let in_order = page.stays.is_sorted_by_key(|stay: &proto::AgencyStay| stay.person);
    assert!(page.end && in_order && page.stays.len() == admitted);
    let after = PersonId::new(page.stays[9].person);
    let rest = house.ward.ask(BOX, Ask::Agency(AgencyAsk::List { unit: None, after }));
    let Body::AgencyPage(rest) = answer(&rest) else { panic!("no page") };
    assert!(rest.stays == page.stays[10..]);
}
