//! What a rota is made of besides its weeks, and the end of a role: shifts of a calendar, and a role that is retired.

mod ward;

use wardline_core::escalation::StatId;
use wardline_core::escalation::policy::{Dial, EscalationPolicy, Ring};
use wardline_core::ids::{Conn, PersonId, RoleId, Sequence, UnitId};
use wardline_core::input::{Ask, Call};
use wardline_core::limits;
use wardline_core::role::offer::Offered;
use wardline_core::role::{Import, Roles, Which};
use wardline_core::rota::{Imported, Interval, Place, Sources, TimeZone};
use wardline_core::text::Name;
use wardline_core::time::Wall;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, all_week, answer, group_of, heard, refusal};

/// Ana and Chidi work in the unit that Ben leads; Dana works elsewhere.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
const HOUR_MS: u64 = 3_600_000;

struct House {
    ward: Ward,
    unit: UnitId,
    role: RoleId,
    start: Wall,
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(4);
        let [ana, ben, chidi, dana] = ward.people[..] else { panic!("four people") };
        let unit = ward.add_unit("4 West", &[ana, chidi], &[ben]);
        ward.add_unit("Hall B", &[dana], &[]);
        let role = ward.add_role(unit, "Physician on call", ana);
        let start = ward.now.wall;
        Self { ward, unit, role, start }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    /// From the beginning on.
    fn hour(&self, hours: u64) -> Wall {
        self.start.after(hours * HOUR_MS)
    }

    fn shift(&self, who: Conn, from: u64, to: u64) -> Imported {
        let when = Interval { start: self.hour(from), end: self.hour(to) };
        Imported { place: Place::FIRST, when, person: self.person(who) }
    }

    fn import(&mut self, by: Conn, (from, to): (u64, u64), shifts: Vec<Imported>) -> Turn {
        let window = Interval { start: self.hour(from), end: self.hour(to) };
        let (role, import) = (self.role, Import::new(window, shifts).expect("an import"));
        self.ward.ask(by, Ask::Role(Roles::Import { role, import }))
    }

    fn set(&mut self, rota: Sources) -> Turn {
        let (name, fresh) = (Name::parse("Physician on call").expect("a name"), self.ward.fresh());
        let which = Which::Known(self.role);
        self.ward.ask(BEN, Ask::Role(Roles::Set { which, name, rota: Some(rota), fresh }))
    }

    fn holders_at(&self, at: Wall) -> Vec<PersonId> {
        let state = self.ward.relay.state();
        state.roles[&self.role].holders(state, at).collect()
    }

    fn shown(&mut self) -> proto::Role {
        let turn = self.ward.ask(DANA, Ask::Role(Roles::List { unit: None, after: None }));
        let Body::RolePage(page) = answer(&turn) else { panic!("no page") };
        page.roles.into_iter().find(|role| role.role == self.role.value()).expect("the role")
    }

    fn retire(&mut self, by: Conn) -> Turn {
        let role = self.role;
        self.ward.ask(by, Ask::Role(Roles::Retire { role }))
    }

    fn set_policy(&mut self, unit: Option<UnitId>, later: &[(Ring, u32)]) -> Turn {
        let policy = EscalationPolicy::new(15, later, Dial::default()).expect("a policy");
        let from = if unit.is_some() { BEN } else { BOX };
        self.ward.ask(from, Ask::SetEscalation { unit, policy: Some(policy) })
    }
}

fn writes(turn: &Turn) -> usize {
    turn.writes.len()
}

#[test]
fn a_calendar_counts_where_nothing_else_says_anything() {
    let mut house = House::new();
    let (ana, chidi) = (house.person(ANA), house.person(CHIDI));
    let night = house.shift(CHIDI, 8, 16);
    assert_eq!(refusal(&house.import(BEN, (0, 24), vec![night])), None);
    let (before, then) = (house.hour(1), house.hour(9));
    assert_eq!(house.holders_at(then), [ana], "the weekly line is stronger");
    house.set(Sources::new(TimeZone::utc()));
    assert_eq!(
        (house.holders_at(before), house.holders_at(then)),
        (vec![], vec![chidi]),
        "and stays when it is set"
    );
    assert_eq!(house.shown().imported_until, house.hour(24).0);
    let gaps = house.shown().gaps;
    assert_eq!(gaps[0].end, house.hour(8).0);
    assert_eq!(gaps[1].start, house.hour(16).0, "nothing is known of what is later");
}

#[test]
fn an_import_takes_the_place_of_the_last_one_for_its_time_alone() {
    let mut house = House::new();
    house.set(Sources::new(TimeZone::utc()));
    let [ana, chidi] = [ANA, CHIDI].map(|who| house.person(who));
    let whole = house.shift(ANA, 0, 24);
    house.import(BEN, (0, 48), vec![whole]);
    let part = house.shift(CHIDI, 9, 10);
    house.import(BEN, (8, 12), vec![part]);
    let at = |house: &House, hour| house.holders_at(house.hour(hour));
    assert_eq!(at(&house, 7), [ana]);
    assert_eq!(at(&house, 8), []);
    assert_eq!(at(&house, 9), [chidi]);
    assert_eq!(at(&house, 11), []);
    assert_eq!(at(&house, 12), [ana], "behind it, as before");
    assert_eq!(house.shown().imported_until, house.hour(48).0);
    // The same again changes nothing.
    let part = house.shift(CHIDI, 9, 10);
    assert_eq!(writes(&house.import(BEN, (8, 12), vec![part])), 0);
    house.import(BEN, (0, 48), vec![]);
    assert_eq!((at(&house, 7), house.shown().imported_until), (vec![], 0));
}

#[test]
fn what_cannot_be_imported_changes_nothing() {
    let mut house = House::new();
    house.set(Sources::new(TimeZone::utc()));
    let dana = house.person(DANA);
    house.ward.ask(BOX, Ask::SetStanding { person: dana, suspended: true });
    let night = house.shift(CHIDI, 1, 9);
    let out = house.shift(DANA, 1, 2);
    let twice = house.shift(ANA, 8, 10);
    for (by, shifts, code) in [
        (CHIDI, vec![night], "NOT_PERMITTED"),
        (BEN, vec![out], "NO_SUCH_PERSON"),
        (BEN, vec![night, twice], "ROTA"),
    ] {
        let turn = house.import(by, (0, 24), shifts);
        assert_eq!(refusal(&turn), Some(format!("REFUSAL_CODE_{code}").as_str()), "{code}");
        assert!(!turn.writes.iter().any(|n| matches!(n.write, Write::RoleSet(_))), "{code}");
    }
    let window = |from, to| Interval { start: house.hour(from), end: house.hour(to) };
    for (window, shifts) in [
        (window(0, 8), vec![night]),
        (window(2, 24), vec![night]),
        (window(3, 3), vec![]),
        (window(0, 24 * u64::from(limits::CALENDAR_AHEAD_DAYS) + 1), vec![]),
        (window(0, 24), vec![night; limits::IMPORT_SHIFTS_MAX + 1]),
    ] {
        assert!(Import::new(window, shifts).is_err(), "{window:?}");
    }
}

#[test]
fn a_role_takes_so_many_shifts_and_no_more() {
    let mut house = House::new();
    let start = house.ward.now.wall;
    let part = |house: &mut House, at: u64, count: u64| {
        let window = Interval { start: start.after(at * 1_000), end: start.after((at + count) * 1_000) };
        let shift = |at: u64| Imported {
            place: Place::FIRST,
            when: Interval { start: start.after(at * 1_000), end: start.after(at * 1_000 + 500) },
            person: house.person(ANA),
        };
        let import = Import::new(window, (at..at + count).map(shift).collect()).expect("an import");
        let role = house.role;
        house.ward.ask(BEN, Ask::Role(Roles::Import { role, import }))
    };
    let (most, each) = (limits::ROLE_IMPORTED_MAX as u64, limits::IMPORT_SHIFTS_MAX as u64);
    for at in (0..most).step_by(limits::IMPORT_SHIFTS_MAX) {
        assert_eq!(refusal(&part(&mut house, at, each)), None);
    }
    assert_eq!(refusal(&part(&mut house, most, 1)), Some("REFUSAL_CODE_LIMIT"));
}

#[test]
fn a_role_that_a_policy_rings_is_not_retired() {
    let mut house = House::new();
    let (unit, ring) = (Some(house.unit), Ring::Role(house.role));
    for whose in [unit, None] {
        house.set_policy(whose, &[(ring, 60)]);
        let turn = house.retire(BEN);
        assert_eq!(refusal(&turn), Some("REFUSAL_CODE_ROLE_IS_RUNG"));
        assert_eq!(writes(&turn), 0);
        house.set_policy(whose, &[]);
    }
    assert_eq!(refusal(&house.retire(CHIDI)), Some("REFUSAL_CODE_NOT_PERMITTED"));
    assert_eq!(refusal(&house.retire(BEN)), None);
    let turn = house.set_policy(unit, &[(ring, 60)]);
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_ROLE_RETIRED"));
}

#[test]
fn nobody_holds_or_gets_a_retired_role() {
    let mut house = House::new();
    let (role, place, until) = (house.role, Place::FIRST, house.hour(4));
    let offered = Offered { role, place, taker: house.person(CHIDI), from: None, until };
    let fresh = house.ward.fresh();
    house.ward.ask(ANA, Ask::Role(Roles::Offer { offered, fresh }));
    let turn = house.retire(BEN);
    let told = turn.sends.iter().filter(|send| matches!(send, Send::Reply { body: Body::OfferNews(_), .. }));
    assert_eq!(told.count(), 2, "to both");
    let shown = house.shown();
    assert!(shown.retired && shown.holders.is_empty() && shown.gaps.is_empty() && shown.until == 0);
    let retired = Some("REFUSAL_CODE_ROLE_RETIRED");
    let fresh = house.ward.fresh();
    for ask in [
        Roles::Take { role, place, person: None, until },
        Roles::Return { role, place },
        Roles::Rota { role },
        Roles::Offer { offered, fresh },
        Roles::Retire { role },
    ] {
        assert_eq!(refusal(&house.ward.ask(ANA, Ask::Role(ask))), retired);
    }
    assert_eq!(refusal(&house.set(all_week(house.person(ANA)))), retired);
    let night = house.shift(CHIDI, 1, 9);
    assert_eq!(refusal(&house.import(BEN, (0, 24), vec![night])), retired);
}

#[test]
fn what_rings_for_a_role_that_is_retired_goes_on_at_once() {
    let mut house = House::new();
    let (unit, ring) = (Some(house.unit), Ring::Role(house.role));
    let chidi = house.person(CHIDI);
    house.set_policy(unit, &[(ring, 600), (Ring::Person(chidi), 60)]);
    let dana = house.person(DANA);
    let place = group_of(&house.ward.open_group(BEN, vec![dana]));
    let call = Call { ring: vec![dana], unit };
    house.ward.send_stat(BEN, place, call);
    let stat = StatId { conversation: place, sequence: Sequence(1) };
    house.ward.ask(ANA, Ask::Here);
    house.ward.pass(15_000);
    house.ward.ask(ANA, Ask::Here);
    let called = |house: &House| house.ward.relay.state().escalations[&stat].callable().collect::<Vec<_>>();
    let mut rings = vec![house.person(ANA), dana];
    rings.sort_unstable();
    assert_eq!(called(&house), rings);
    // The policy of before goes on, until the role is retired.
    house.set_policy(unit, &[]);
    assert_eq!(called(&house), rings);
    let turn = house.retire(BEN);
    let silent = turn
        .sends
        .iter()
        .any(|send| matches!(send, Send::Reply { conn, body: Body::Silence(_), .. } if *conn == ANA));
    assert!(silent, "not hers any more");
    let mut rings = vec![chidi, dana];
    rings.sort_unstable();
    assert_eq!(called(&house), rings, "who is next");
    assert_eq!(house.ward.relay.state().escalations[&stat].stage.step(), Some(2));
}

/// Ana has it for an hour, then Chidi for one; a STAT of Ben's to Dana has come to the role half a minute before the hour.
fn rings_before_the_hour() -> (House, StatId) {
    let mut house = House::new();
    house.set(Sources::new(TimeZone::utc()));
    let shifts = vec![house.shift(ANA, 0, 1), house.shift(CHIDI, 1, 2)];
    house.import(BEN, (0, 2), shifts);
    // Of the facility: a policy of a unit is refused, since nobody has the role later.
    let (unit, ring) = (Some(house.unit), Ring::Role(house.role));
    house.set(all_week(house.person(ANA)));
    house.set_policy(unit, &[(ring, 600), (Ring::ChargeNurses, 60)]);
    house.set(Sources::new(TimeZone::utc()));
    house.ward.pass(HOUR_MS - 45_000);
    let dana = house.person(DANA);
    let place = group_of(&house.ward.open_group(BEN, vec![dana]));
    let call = Call { ring: vec![dana], unit };
    house.ward.send_stat(BEN, place, call);
    for conn in [ANA, CHIDI] {
        house.ward.ask(conn, Ask::Here);
    }
    house.ward.pass(15_000);
    (house, StatId { conversation: place, sequence: Sequence(1) })
}

fn called(house: &House, stat: StatId) -> Vec<PersonId> {
    house.ward.relay.state().escalations[&stat].callable().collect()
}

fn sorted(mut people: Vec<PersonId>) -> Vec<PersonId> {
    people.sort_unstable();
    people
}

#[test]
fn a_stat_goes_with_the_shift_at_its_very_end() {
    let (mut house, stat) = rings_before_the_hour();
    let [ana, chidi, dana] = [ANA, CHIDI, DANA].map(|who| house.person(who));
    let stage = |house: &House| house.ward.relay.state().escalations[&stat].stage;
    house.ward.pass(29_999);
    house.ward.ask(ANA, Ask::Here);
    assert_eq!(called(&house, stat), sorted(vec![ana, dana]), "to the last moment");
    let before = stage(&house);
    let turns = house.ward.pass(1);
    assert_eq!(called(&house, stat), sorted(vec![chidi, dana]));
    let moved = turns.iter().map(heard).find(|heard| *heard != (vec![], vec![]));
    assert_eq!(
        moved,
        Some((vec![CHIDI], vec![ANA])),
        "in one turn: no moment without either, and none with both"
    );
    assert_eq!(stage(&house), before, "the step's time goes on");
    // And only once.
    house.ward.ask(CHIDI, Ask::Here);
    assert!(house.ward.pass(15_000).iter().all(|turn| heard(turn) == (vec![], vec![])));
}

#[test]
fn what_somebody_has_or_is_coming_for_stays_theirs_when_their_shift_ends() {
    let (mut house, stat) = rings_before_the_hour();
    let [ana, chidi, dana] = [ANA, CHIDI, DANA].map(|who| house.person(who));
    house.ward.ask(ANA, Ask::AnswerStat { stat, answer: wardline_core::stat::Answer::Coming });
    house.ward.pass(30_000);
    assert_eq!(called(&house, stat), sorted(vec![ana, chidi, dana]));
    house.ward.ask(ANA, Ask::AnswerStat { stat, answer: ward::HAVE_IT });
    house.ward.pass(60_000);
    let open = &house.ward.relay.state().escalations[&stat];
    assert_eq!(open.acceptor(), Some(ana));
}

#[test]
fn a_shift_that_begins_after_a_gap_is_rung_when_it_begins() {
    let (mut house, stat) = rings_before_the_hour();
    let [ben, chidi, dana] = [BEN, CHIDI, DANA].map(|who| house.person(who));
    let late = house.shift(CHIDI, 1, 2);
    house.import(BEN, (0, 1), vec![]);
    assert!(called(&house, stat).contains(&dana));
    assert_eq!(
        house.ward.relay.state().escalations[&stat].stage.step(),
        Some(3),
        "nobody had the role, and the only charge nurse sent it: the stations ring"
    );
    assert!(
        !called(&house, stat).contains(&chidi) && !called(&house, stat).contains(&ben),
        "it is her own STAT"
    );
    house.import(BEN, (1, 2), vec![late]);
    house.ward.pass(HOUR_MS);
    assert!(called(&house, stat).contains(&chidi));
}

#[test]
fn whoever_takes_a_role_is_rung_at_once_and_who_had_it_is_not() {
    let (mut house, stat) = rings_before_the_hour();
    let [ana, chidi, dana] = [ANA, CHIDI, DANA].map(|who| house.person(who));
    let (role, place, until) = (house.role, Place::FIRST, house.hour(4));
    let turn = house.ward.ask(CHIDI, Ask::Role(Roles::Take { role, place, person: None, until }));
    assert_eq!(heard(&turn), (vec![CHIDI], vec![ANA]));
    assert_eq!(called(&house, stat), sorted(vec![chidi, dana]));
    let turn = house.ward.ask(CHIDI, Ask::Role(Roles::Return { role, place }));
    assert_eq!(heard(&turn), (vec![ANA], vec![CHIDI]));
    assert_eq!(called(&house, stat), sorted(vec![ana, dana]));
}

#[test]
fn a_wall_clock_that_steps_over_a_shift_s_end_is_noticed_within_a_minute() {
    let (mut house, stat) = rings_before_the_hour();
    let [ana, chidi] = [ANA, CHIDI].map(|who| house.person(who));
    house.ward.now.wall = house.ward.now.wall.after(10 * 60_000);
    house.ward.pass(60_000);
    assert!(called(&house, stat).contains(&chidi) && !called(&house, stat).contains(&ana));
}
