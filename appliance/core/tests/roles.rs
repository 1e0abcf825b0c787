//! Roles, told as stories: who holds one, how it changes hands, and whom a STAT rings for that comes to it.

mod ward;

use wardline_core::escalation::StatId;
use wardline_core::escalation::policy::{Dial, EscalationPolicy, Ring};
use wardline_core::ids::{Conn, PersonId, RoleId, Sequence, UnitId};
use wardline_core::input::{Ask, Call};
use wardline_core::limits;
use wardline_core::role::{Roles, Which};
use wardline_core::rota::{Date, Exception, Pattern, Place, Says, Shift, Sources, Team, TimeZone, Weekday};
use wardline_core::text::Name;
use wardline_core::turn::Turn;
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, all_week, answer, group_of, refusal};

/// Ana and Chidi work in the unit that Ben leads; Dana works elsewhere.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
const HOUR_MS: u64 = 3_600_000;

struct House {
    ward: Ward,
    unit: UnitId,
    hall: UnitId,
    role: RoleId,
}

impl House {
    /// Ana holds the role, whatever the time.
    fn new() -> Self {
        let mut ward = Ward::new(4);
        let [ana, ben, chidi, dana] = ward.people[..] else { panic!("four people") };
        let unit = ward.add_unit("4 West", &[ana, chidi], &[ben]);
        let hall = ward.add_unit("Hall B", &[dana], &[]);
        let role = ward.add_role(unit, "Physician on call", ana);
        Self { ward, unit, hall, role }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn shown(&mut self) -> proto::Role {
        let turn = self.ward.ask(DANA, Ask::Role(Roles::List { unit: None, after: None }));
        let Body::RolePage(page) = answer(&turn) else { panic!("no page") };
        assert!(page.end);
        page.roles.into_iter().find(|role| role.role == self.role.value()).expect("the role")
    }

    fn holders(&mut self) -> Vec<u64> {
        self.shown().holders
    }

    fn set(&mut self, from: Conn, which: Which, rota: Option<Sources>) -> Turn {
        let (name, fresh) = (Name::parse("Physician on call").expect("a name"), self.ward.fresh());
        self.ward.ask(from, Ask::Role(Roles::Set { which, name, rota, fresh }))
    }

    fn pass(&mut self, ms: u64) {
        self.ward.now.wall = self.ward.now.wall.after(ms);
        self.ward.now.mono = self.ward.now.mono.after(ms);
    }
}

/// Ana by day, Chidi by night, in Berlin.
fn day_and_night(house: &House) -> Sources {
    let mut sources = Sources::new(TimeZone::parse("Europe/Berlin").expect("a zone"));
    let days = Weekday::ALL;
    let (seven, nineteen) = (7 * 60, 19 * 60);
    let mut shifts = Vec::new();
    for (at, day) in days.into_iter().enumerate() {
        let next = days[(at + 1) % 7];
        shifts.push(Shift::weekly(0, (day, seven), (day, nineteen), Team::one(house.person(ANA))));
        shifts.push(Shift::weekly(0, (day, nineteen), (next, seven), Team::one(house.person(CHIDI))));
    }
    sources.patterns.push(Pattern { from: Date::FIRST, until: None, weeks: 1, place: None, shifts });
    sources
}

#[test]
fn a_role_changes_hands_as_its_rota_says_without_a_gap() {
    let mut house = House::new();
    let rota = Some(day_and_night(&house));
    let which = Which::Known(house.role);
    assert_eq!(refusal(&house.set(BEN, which, rota)), None);
    let (ana, chidi) = (house.person(ANA).value(), house.person(CHIDI).value());
    let mut seen = Vec::new();
    for _ in 0..8 {
        let shown = house.shown();
        assert!(shown.gaps.is_empty() && shown.zone == "Europe/Berlin");
        seen.push(shown.holders);
        let left = u64::try_from(shown.until - house.ward.now.wall.0).expect("it lies ahead");
        assert!(left <= 12 * HOUR_MS);
        house.pass(left - 1);
        assert_eq!(Some(&house.holders()), seen.last(), "to the last moment");
        house.pass(1);
    }
    let turns = if seen[0] == [ana] { [ana, chidi] } else { [chidi, ana] };
    assert!(seen.chunks(2).all(|pair| pair == [vec![turns[0]], vec![turns[1]]]), "{seen:?}");
}

#[test]
fn whoever_takes_it_holds_it_until_then_and_no_longer() {
    let mut house = House::new();
    let (ana, chidi) = (house.person(ANA).value(), house.person(CHIDI).value());
    assert_eq!(house.holders(), [ana]);
    assert_eq!(refusal(&house.ward.take_role(CHIDI, house.role, None)), None);
    let shown = house.shown();
    assert_eq!((shown.holders, shown.until), (vec![chidi], house.ward.now.wall.after(HOUR_MS).0));
    house.pass(HOUR_MS - 1);
    assert_eq!(house.holders(), [chidi]);
    house.pass(1);
    assert_eq!(house.holders(), [ana], "the rota says again who holds it");
    house.ward.take_role(BEN, house.role, Some(house.person(CHIDI)));
    assert_eq!(house.holders(), [chidi], "given by the charge nurse");
    let back = Ask::Role(Roles::Return { role: house.role, place: Place::FIRST });
    assert_eq!(refusal(&house.ward.ask(CHIDI, back)), None);
    assert_eq!(house.holders(), [ana]);
}

#[test]
fn whoever_loses_the_post_loses_what_they_took_by_hand() {
    let mut house = House::new();
    let (ana, chidi, unit) = (house.person(ANA).value(), house.person(CHIDI), house.unit);
    assert_eq!(refusal(&house.ward.take_role(CHIDI, house.role, None)), None);
    assert_eq!(house.holders(), [chidi.value()]);
    let turn = house.ward.ask(BEN, Ask::SetPost { person: chidi, unit, post: None });
    assert_eq!(refusal(&turn), None);
    assert_eq!(house.holders(), [ana], "in the same turn");
}

/// By a role one reads what is written to it.
#[test]
fn whoever_administers_and_works_nowhere_is_named_by_no_rota() {
    let mut house = House::new();
    let (dana, hall) = (house.person(DANA), house.hall);
    let duties = Ask::SetDuties { person: dana, administrator: true, privacy_officer: false };
    assert_eq!(refusal(&house.ward.ask(BOX, duties)), None);
    assert_eq!(
        refusal(&house.set(BOX, Which::New(house.unit), Some(all_week(dana)))),
        None,
        "she nurses as well"
    );
    let leaves = Ask::SetPost { person: dana, unit: hall, post: None };
    assert_eq!(refusal(&house.ward.ask(BOX, leaves)), None);
    let turn = house.set(BOX, Which::New(house.unit), Some(all_week(dana)));
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_NOT_STAFF_OF_UNIT"));
    assert!(turn.writes.iter().all(|n| matches!(n.write, Write::Audited { .. })));
}

#[test]
fn what_is_taken_again_and_again_takes_no_more_room() {
    let mut house = House::new();
    for turn in 0..4 * limits::ROTA_BY_HAND_MAX {
        house.pass(2 * HOUR_MS / 3);
        let from = if turn % 2 == 0 { CHIDI } else { ANA };
        assert_eq!(refusal(&house.ward.take_role(from, house.role, None)), None);
    }
    let role = &house.ward.relay.state().roles[&house.role];
    assert_eq!(role.rota.sources().by_hand.len(), 1);
}

#[test]
fn what_was_taken_stays_when_the_rota_is_set_anew() {
    let mut house = House::new();
    house.ward.take_role(CHIDI, house.role, None);
    let rota = Some(all_week(house.person(BEN)));
    let which = Which::Known(house.role);
    house.set(BEN, which, rota);
    assert_eq!(house.holders(), [house.person(CHIDI).value()]);
    house.pass(HOUR_MS);
    assert_eq!(house.holders(), [house.person(BEN).value()]);
}

#[test]
fn who_may_not_sign_in_holds_nothing() {
    let mut house = House::new();
    let ana = house.person(ANA);
    house.ward.ask(BOX, Ask::SetStanding { person: ana, suspended: true });
    assert!(house.holders().is_empty());
    assert_eq!(
        refusal(&house.ward.take_role(BEN, house.role, Some(ana))),
        Some("REFUSAL_CODE_NO_SUCH_PERSON")
    );
    assert_eq!(refusal(&house.ward.take_role(CHIDI, house.role, None)), None);
    let back = Ask::Role(Roles::Return { role: house.role, place: Place::FIRST });
    assert_eq!(
        refusal(&house.ward.ask(CHIDI, back)),
        Some("REFUSAL_CODE_ROLE_UNHELD"),
        "nobody would hold it"
    );
}

#[test]
fn a_rota_that_cannot_be_changes_nothing_and_says_why() {
    let mut house = House::new();
    let before = house.ward.relay.state().roles.clone();
    let (ana, dana) = (house.person(ANA), house.person(DANA));
    let twice = |house: &House| {
        let mut sources = all_week(house.person(ANA));
        sources.patterns.push(sources.patterns[0].clone());
        sources
    };
    let which = Which::Known(house.role);
    let rota = Some(twice(&house));
    assert_eq!(refusal(&house.set(BEN, which, rota)), Some("REFUSAL_CODE_ROTA"));
    let mut backwards = all_week(ana);
    let day = Date::new(2026, 12, 24).expect("a day");
    backwards.exceptions.push(Exception {
        from: day.at(600),
        until: day.at(600),
        says: Says::Team(Team::NOBODY),
    });
    assert_eq!(refusal(&house.set(BEN, which, Some(backwards))), Some("REFUSAL_CODE_ROTA"));
    house.ward.ask(BOX, Ask::SetStanding { person: dana, suspended: true });
    assert_eq!(refusal(&house.set(BEN, which, Some(all_week(dana)))), Some("REFUSAL_CODE_NO_SUCH_PERSON"));
    let nowhere = Which::Known(RoleId::new(5).expect("a number"));
    assert_eq!(refusal(&house.set(BEN, nowhere, None)), Some("REFUSAL_CODE_NO_SUCH_ROLE"));
    let nowhere = Which::New(UnitId::new(5).expect("a number"));
    assert_eq!(refusal(&house.set(BOX, nowhere, None)), Some("REFUSAL_CODE_NO_SUCH_UNIT"));
    assert_eq!(refusal(&house.ward.take_role(BEN, house.role, Some(house.person(BEN)))), None);
    let (place, role) = (Place::FIRST, house.role);
    for until in [house.ward.now.wall, house.ward.now.wall.after(limits::ASSIGNMENT_TIME_MAX_MS + 1)] {
        let ask = Roles::Take { role, place, person: None, until };
        assert_eq!(refusal(&house.ward.ask(CHIDI, Ask::Role(ask))), Some("REFUSAL_CODE_END_INVALID"));
    }
    let back = Ask::Role(Roles::Return { role, place });
    house.ward.ask(BEN, back);
    let after = &house.ward.relay.state().roles[&role];
    assert_eq!((&after.name, &after.rota), (&before[&role].name, &before[&role].rota));
}

#[test]
fn a_rota_says_when_nobody_will_hold_it() {
    let mut house = House::new();
    let mut sources = all_week(house.person(ANA));
    let day = Date::new(2026, 11, 28).expect("a day");
    sources.exceptions.push(Exception::on(day, 0, 360, Says::Team(Team::NOBODY)));
    let which = Which::Known(house.role);
    house.set(BEN, which, Some(sources));
    let gaps = house.shown().gaps;
    assert_eq!(gaps.iter().map(|gap| gap.end - gap.start).collect::<Vec<_>>(), [6 * HOUR_MS as i64]);
}

fn policy_of(role: RoleId) -> Option<EscalationPolicy> {
    Some(EscalationPolicy::new(15, &[(Ring::Role(role), 60)], Dial::default()).expect("a policy"))
}

#[test]
fn a_step_rings_whoever_holds_the_role_when_it_begins() {
    let mut house = House::new();
    let (unit, policy) = (Some(house.unit), policy_of(house.role));
    assert_eq!(refusal(&house.ward.ask(BEN, Ask::SetEscalation { unit, policy })), None);
    let dana = house.person(DANA);
    let place = group_of(&house.ward.open_group(BEN, vec![dana]));
    let call = Call { ring: vec![dana], unit };
    house.ward.send_stat(BEN, place, call);
    let stat = StatId { conversation: place, sequence: Sequence(1) };
    // Handed over while it rings for Dana.
    house.ward.take_role(CHIDI, house.role, None);
    house.ward.pass(15_000);
    let open = &house.ward.relay.state().escalations[&stat];
    let rung: Vec<PersonId> =
        open.rung.iter().filter(|(_, rung)| rung.step == 1).map(|(who, _)| *who).collect();
    assert_eq!(rung, [house.person(CHIDI)]);
}

#[test]
fn a_policy_is_refused_where_nobody_will_hold_its_role() {
    let mut house = House::new();
    let unit = Some(house.unit);
    let nowhere = policy_of(RoleId::new(5).expect("a number"));
    let turn = house.ward.ask(BEN, Ask::SetEscalation { unit, policy: nowhere });
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_NO_SUCH_ROLE"));
    let mut sources = all_week(house.person(ANA));
    let day = Date::new(2026, 12, 1).expect("a day");
    sources.exceptions.push(Exception::on(day, 180, 181, Says::Team(Team::NOBODY)));
    let which = Which::Known(house.role);
    house.set(BEN, which, Some(sources));
    let turn = house.ward.ask(BEN, Ask::SetEscalation { unit, policy: policy_of(house.role) });
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_STEP_RINGS_NOBODY"), "for a minute of one night");
    assert!(!turn.writes.iter().any(|n| matches!(n.write, Write::EscalationPolicySet { .. })));
}
