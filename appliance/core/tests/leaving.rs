//! Who is suspended at two in the morning, told as stories.

mod ward;

use wardline_core::clinical::{Clinical, Shift};
use wardline_core::escalation::{Priority, Stage};
use wardline_core::ids::{Conn, ConversationId, MessageId, Number, PersonId, RoleId, UnitId};
use wardline_core::input::{Ask, Call, Submit, Zone};
use wardline_core::leaving::Leaving;
use wardline_core::limits;
use wardline_core::particulars::Bed;
use wardline_core::role::{Roles, Which};
use wardline_core::rota::{Date, Pattern, Place, Sources, Team, TimeZone, Weekday};
use wardline_core::text::{Name, Sealed, Title};
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, server_frame::Body};

use ward::{BOX, HAVE_IT, Ward, answer, group_of, refusal};

/// Ana leads the hall; Ben, Chidi and Dana work there; Keiko administers.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
const KEIKO: Conn = Conn(5);
const HOUR: u64 = 3_600_000;

struct House {
    ward: Ward,
    hall: UnitId,
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(4);
        ward.enter_from(KEIKO, Zone::Admin);
        let [ana, ben, chidi, dana, keiko] = ward.people[..] else { panic!("five people") };
        let hall = ward.add_unit("Hall A", &[ben, chidi, dana], &[ana]);
        ward.ask(BOX, Ask::SetDuties { person: keiko, administrator: true, privacy_officer: false });
        Self { ward, hall }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn suspend(&mut self, conn: Conn, person: PersonId) -> Turn {
        self.ward.ask(conn, Ask::Leaving(Leaving::Suspend { person }))
    }

    fn decide(&mut self, conn: Conn, person: PersonId, confirmed: bool) -> Turn {
        self.ward.ask(conn, Ask::Leaving(Leaving::Decide { person, confirmed }))
    }

    fn is_out(&self, person: PersonId) -> bool {
        self.ward.relay.state().people[&person].suspended
    }

    fn overdue(&self, person: PersonId) -> Option<bool> {
        self.ward.relay.state().people[&person].waits.map(|waits| waits.overdue)
    }

    fn take(&mut self, conn: Conn, beds: &[&str]) {
        let beds = beds.iter().map(|bed| Bed::parse(bed).expect("a bed")).collect();
        let (until, fresh) = (self.ward.now.wall.after(8 * HOUR), self.ward.fresh());
        let shift = Shift { unit: self.hall, person: None, beds, until, fresh };
        let taken = self.ward.ask(conn, Ask::Clinical(Clinical::TakeAssignment(shift)));
        assert_eq!(refusal(&taken), None);
    }

    /// Ben is first all week, Dana from the backup's place.
    fn role(&mut self, team: Vec<PersonId>) -> RoleId {
        let mut sources = Sources::new(TimeZone::utc());
        let start = (Weekday::Monday, 0);
        let team = Team::new(team).expect("people");
        let shifts = vec![wardline_core::rota::Shift::weekly(0, start, start, team)];
        sources.patterns.push(Pattern { from: Date::FIRST, until: None, weeks: 1, place: None, shifts });
        let (name, fresh) = (Name::parse("Rapid response").expect("a name"), self.ward.fresh());
        let ask = Roles::Set { which: Which::New(self.hall), name, rota: Some(sources), fresh };
        let Body::RoleSet(set) = answer(&self.ward.ask(BOX, Ask::Role(ask))) else { panic!("no role") };
        RoleId::new(set.role).expect("a role")
    }

    fn stat(&mut self, place: ConversationId, by: Conn, has_it: Conn) {
        let sent = Ask::Submit(Submit {
            number: Number(1),
            message: MessageId([1; 16]),
            conversation: place,
            reply_to: None,
            mentions: Default::default(),
            attachments: vec![],
            body: Some(Sealed(vec![0; 40])),
            priority: Priority::Stat,
            call: Call::default(),
            order: None,
        });
        assert_eq!(refusal(&self.ward.ask(by, sent)), None);
        let stat = *self.ward.relay.state().escalations.keys().next().expect("a STAT");
        assert_eq!(refusal(&self.ward.ask(has_it, Ask::AnswerStat { stat, answer: HAVE_IT })), None);
    }
}

/// How many wait and are overdue, as a connection was told.
fn told(turns: &[Turn], to: Conn) -> Option<(u32, u32)> {
    let sends = turns.iter().flat_map(|turn| &turn.sends);
    let mut told = sends.filter_map(|send| match send {
        Send::Reply { conn, body: Body::SuspensionsWaiting(told), .. } if *conn == to => {
            Some((told.waiting, told.overdue))
        }
        _ => None,
    });
    told.next_back()
}

fn left(turn: &Turn) -> proto::Suspended {
    let Body::Suspended(left) = answer(turn) else { panic!("{:?}", refusal(turn)) };
    left
}

#[test]
fn a_charge_nurses_suspension_works_at_once_and_waits_for_an_administrator() {
    let mut house = House::new();
    let ben = house.person(BEN);
    let turn = house.suspend(ANA, ben);
    assert!(left(&turn).waits && house.is_out(ben));
    assert!(turn.sends.iter().any(|send| matches!(send, Send::Close { conn, .. } if *conn == BEN)));
    assert_eq!(told(&[turn], KEIKO), Some((1, 0)), "in the same turn");
    assert_eq!(refusal(&house.decide(ANA, ben, true)), Some("REFUSAL_CODE_NOT_ADMINISTRATOR"));
    let listed = house.ward.ask(KEIKO, Ask::Leaving(Leaving::List { after: None }));
    let Body::SuspensionPage(page) = answer(&listed) else { panic!("no page") };
    assert_eq!(
        (page.suspensions[0].person, page.suspensions[0].by),
        (ben.value(), house.person(ANA).value())
    );
    let confirmed = house.decide(KEIKO, ben, true);
    assert_eq!((refusal(&confirmed), told(&[confirmed], KEIKO)), (None, Some((0, 0))));
    assert!(house.is_out(ben) && house.overdue(ben).is_none());
    assert_eq!(refusal(&house.decide(KEIKO, ben, false)), Some("REFUSAL_CODE_NO_SUCH_SUSPENSION"), "once");
}

#[test]
fn reversed_they_are_in_again() {
    let mut house = House::new();
    let ben = house.person(BEN);
    house.ward.ask(ANA, Ask::SetStanding { person: ben, suspended: true });
    assert_eq!(house.overdue(ben), Some(false), "by the older request too");
    assert_eq!(refusal(&house.decide(BOX, ben, false)), None);
    assert!(!house.is_out(ben) && house.overdue(ben).is_none());
    house.suspend(ANA, ben);
    house.ward.ask(KEIKO, Ask::SetStanding { person: ben, suspended: false });
    assert!(!house.is_out(ben) && house.overdue(ben).is_none(), "who restores has decided");
}

#[test]
fn after_a_day_they_are_still_out_and_it_is_said() {
    for step in [0, -10 * 86_400_000, 86_400_000] {
        let mut house = House::new();
        let ben = house.person(BEN);
        house.suspend(ANA, ben);
        house.ward.now.wall.0 += step;
        let wait = if step > 0 { 60_000 } else { limits::SUSPENSION_WAITS_MS };
        let before = house.ward.pass(wait - 1);
        assert!(step > 0 || house.overdue(ben) == Some(false), "{step}");
        let turns: Vec<Turn> = before.into_iter().chain(house.ward.pass(1)).collect();
        assert_eq!((house.overdue(ben), told(&turns, KEIKO)), (Some(true), Some((1, 1))), "{step}");
        house.ward.pass(7 * limits::SUSPENSION_WAITS_MS);
        assert!(house.is_out(ben), "no clock lets anybody in");
        assert_eq!(refusal(&house.decide(KEIKO, ben, false)), None);
    }
}

#[test]
fn an_administrators_suspension_waits_for_nobody_and_who_signs_in_is_told_of_others() {
    let mut house = House::new();
    let (ben, chidi) = (house.person(BEN), house.person(CHIDI));
    assert!(!left(&house.suspend(KEIKO, ben)).waits);
    assert!(!left(&house.suspend(BOX, chidi)).waits);
    let dana = house.person(DANA);
    house.suspend(ANA, dana);
    let back = house.ward.sign_in(KEIKO, Conn(20));
    assert_eq!(told(&[back], Conn(20)), Some((1, 0)));
}

#[test]
fn the_answer_says_what_is_left_behind_and_with_whom() {
    let mut house = House::new();
    let [ana, ben, chidi, dana] = [ANA, BEN, CHIDI, DANA].map(|conn| house.person(conn));
    house.take(BEN, &["A-3", "A-4"]);
    house.take(CHIDI, &["A-1"]);
    house.take(DANA, &["A-5", "A-6"]);
    let both = house.role(vec![ben, dana]);
    let alone = house.role(vec![ben]);
    house.ward.take_role(BEN, alone, None);
    let place = group_of(&house.ward.open_group(CHIDI, vec![ben, dana]));
    house.stat(place, CHIDI, BEN);
    let turn = house.suspend(ANA, ben);
    let left = left(&turn);
    let role = |id: RoleId| left.roles.iter().find(|role| role.role == id.value()).expect("the role");
    assert_eq!((role(both).now, role(both).successor), (true, dana.value()), "who is on call with them");
    assert_eq!(
        (role(alone).now, role(alone).successor),
        (true, ana.value()),
        "nobody else: the charge nurse"
    );
    let [shift] = &left.shifts[..] else { panic!("one shift") };
    assert_eq!(shift.beds, ["A-3", "A-4"]);
    assert_eq!(shift.successor, dana.value(), "A-5 is next to A-4");
    let [stat] = &left.stats[..] else { panic!("one STAT") };
    assert_eq!((stat.conversation, stat.successor), (place.value(), dana.value()), "whom it rang for");
    let state = house.ward.relay.state();
    let open = state.escalations.values().next().expect("a STAT");
    assert!(matches!(open.stage, Stage::Ringing { .. }) && open.callable().any(|who| who == dana));
    assert!(state.clinic.assignments.values().all(|held| held.person != ben));
    assert!(state.roles[&alone].holders(state, house.ward.now.wall).next().is_none());
    let again = house.suspend(KEIKO, ben);
    assert!(crate::left(&again) == proto::Suspended { waits: true, ..Default::default() });
    // Without beds next to theirs and without anybody else: the charge nurse.
    house.suspend(ANA, dana);
    let turn = house.suspend(ANA, chidi);
    assert_eq!(crate::left(&turn).shifts[0].successor, ana.value());
}

#[test]
fn a_place_by_hand_goes_back_to_the_rota() {
    let mut house = House::new();
    let (ben, chidi) = (house.person(BEN), house.person(CHIDI));
    let role = house.role(vec![ben]);
    assert_eq!(refusal(&house.ward.take_role(CHIDI, role, None)), None);
    house.suspend(ANA, chidi);
    let state = house.ward.relay.state();
    let holders: Vec<_> = state.roles[&role].holders(state, house.ward.now.wall).collect();
    assert_eq!((holders, Place::FIRST.value()), (vec![ben], 0));
}

/// A house whose last administrator is gone is not lost: on the box itself somebody names another.
#[test]
fn the_last_administrator_can_be_suspended_and_recovery_names_a_new_one() {
    let mut house = House::new();
    let (keiko, ben, dana) = (house.person(KEIKO), house.person(BEN), house.person(DANA));
    house.suspend(ANA, ben);
    let turn = house.suspend(KEIKO, keiko);
    assert!(!left(&turn).waits && house.is_out(keiko));
    assert!(turn.sends.iter().any(|send| matches!(send, Send::Close { conn, .. } if *conn == KEIKO)));
    let administers = |house: &House| {
        let people = house.ward.relay.state().people.values();
        people.filter(|person| person.administrator && !person.suspended).count()
    };
    assert_eq!(administers(&house), 0);
    let named = Ask::SetDuties { person: dana, administrator: true, privacy_officer: false };
    let turn = house.ward.ask(BOX, named);
    assert_eq!((refusal(&turn), administers(&house)), (None, 1));
    assert_eq!(told(&[turn], DANA), Some((1, 0)), "and is told what waits");
    let (title, fresh) = (Title::default(), house.ward.fresh());
    let name = Name::parse("Noor").expect("a name");
    let added = house.ward.ask(BOX, Ask::AddPerson { name, title, administrator: true, fresh });
    assert_eq!(refusal(&added), None, "or somebody new");
    assert_eq!(refusal(&house.decide(BOX, ben, false)), None);
}
