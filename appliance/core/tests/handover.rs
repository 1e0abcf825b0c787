//! A role is handed over: offered, accepted or not, and what rings for it meanwhile.

mod ward;

use std::collections::BTreeSet;

use wardline_core::directory::Post;
use wardline_core::escalation::policy::{Dial, EscalationPolicy, Ring};
use wardline_core::escalation::{Stage, StatId};
use wardline_core::ids::{Conn, OfferId, PersonId, RoleId, Sequence, UnitId};
use wardline_core::input::{Ask, Call};
use wardline_core::limits;
use wardline_core::role::Roles;
use wardline_core::role::offer::{Answer, Offered};
use wardline_core::rota::Place;
use wardline_core::stat;
use wardline_core::time::Wall;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, HAVE_IT, Ward, answer, group_of, heard, refusal};

/// Ana, Chidi and Emil work in the unit that Ben leads; Dana works elsewhere. Ana holds the role, whatever the time.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
const EMIL: Conn = Conn(5);
const HOUR_MS: u64 = 3_600_000;

struct House {
    ward: Ward,
    unit: UnitId,
    role: RoleId,
    stat: StatId,
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(5);
        let [ana, ben, chidi, dana, emil] = ward.people[..] else { panic!("five people") };
        let unit = ward.add_unit("4 West", &[ana, chidi, emil], &[ben]);
        ward.add_unit("Hall B", &[dana], &[]);
        let role = ward.add_role(unit, "Physician on call", ana);
        let place = group_of(&ward.open_group(DANA, vec![ben]));
        let stat = StatId { conversation: place, sequence: Sequence(1) };
        Self { ward, unit, role, stat }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn offer_at(&mut self, by: Conn, to: Conn, from: Option<Wall>, until: Wall) -> Turn {
        let offered = Offered { role: self.role, place: Place::FIRST, taker: self.person(to), from, until };
        let fresh = self.ward.fresh();
        self.ward.ask(by, Ask::Role(Roles::Offer { offered, fresh }))
    }

    /// For eight hours from now on.
    fn offer(&mut self, by: Conn, to: Conn) -> OfferId {
        let until = self.ward.now.wall.after(8 * HOUR_MS);
        let Body::RoleOffered(made) = answer(&self.offer_at(by, to, None, until)) else {
            panic!("not offered")
        };
        OfferId::new(made.offer).expect("an identifier")
    }

    fn answer(&mut self, by: Conn, offer: OfferId, answer: Answer) -> Turn {
        self.ward.ask(by, Ask::Role(Roles::Answer { offer, answer }))
    }

    fn holders(&self) -> Vec<PersonId> {
        let state = self.ward.relay.state();
        state.roles[&self.role].holders(state, self.ward.now.wall).collect()
    }

    fn offers(&self) -> usize {
        self.ward.relay.state().roles[&self.role].offers.len()
    }

    fn open(&mut self, by: Conn) -> Vec<proto::OpenOffer> {
        let Body::OfferPage(page) = answer(&self.ward.ask(by, Ask::Role(Roles::Offers { after: None })))
        else {
            panic!("no page")
        };
        assert!(page.end);
        page.offers
    }

    /// Dana's STAT has rung for Ben in vain and rings for the role now.
    fn rings_for_the_role(&mut self) {
        let (unit, role) = (Some(self.unit), Ring::Role(self.role));
        let policy = EscalationPolicy::new(15, &[(role, 60), (Ring::ChargeNurses, 60)], Dial::default());
        self.ward.ask(BEN, Ask::SetEscalation { unit, policy: Some(policy.expect("a policy")) });
        let call = Call { ring: vec![self.person(BEN)], unit };
        self.ward.send_stat(DANA, self.stat.conversation, call);
        for conn in [ANA, CHIDI, EMIL] {
            self.ward.ask(conn, Ask::Here);
        }
        self.ward.pass(15_000);
        for conn in [ANA, CHIDI, EMIL] {
            self.ward.ask(conn, Ask::Here);
        }
    }

    fn callable(&self) -> BTreeSet<PersonId> {
        self.ward.relay.state().escalations[&self.stat].callable().collect()
    }

    fn answer_stat(&mut self, by: Conn, answer: stat::Answer) -> Turn {
        self.ward.ask(by, Ask::AnswerStat { stat: self.stat, answer })
    }
}

/// Writes besides what is recorded.
fn changes(turn: &Turn) -> usize {
    turn.writes.iter().filter(|n| !matches!(n.write, Write::Audited { .. })).count()
}

fn news(turn: &Turn) -> Vec<(Conn, &'static str)> {
    let told = |send: &Send| match send {
        Send::Reply { conn, body: Body::OfferNews(news), .. } => Some((*conn, news.fate().as_str_name())),
        _ => None,
    };
    turn.sends.iter().filter_map(told).collect()
}

#[test]
fn a_role_passes_when_it_is_accepted_and_not_before() {
    let mut house = House::new();
    let (ana, chidi) = (house.person(ANA), house.person(CHIDI));
    let offer = house.offer(ANA, CHIDI);
    house.ward.pass(HOUR_MS);
    assert_eq!(house.holders(), [ana], "while it waits");
    let turn = house.answer(CHIDI, offer, Answer::Accept);
    assert_eq!(refusal(&turn), None);
    assert_eq!(house.holders(), [chidi]);
    assert_eq!(news(&turn), [(ANA, "OFFER_FATE_ACCEPTED"), (CHIDI, "OFFER_FATE_ACCEPTED")]);
    // One write has both: that it passed, and that nothing is offered any more.
    assert_eq!(changes(&turn), 1);
    assert_eq!(house.offers(), 0);
    house.ward.pass(7 * HOUR_MS - 1);
    assert_eq!(house.holders(), [chidi], "to the last moment");
    house.ward.pass(1);
    assert_eq!(house.holders(), [ana], "whom the rota names");
    assert_eq!(refusal(&house.answer(CHIDI, offer, Answer::Accept)), Some("REFUSAL_CODE_NO_SUCH_OFFER"));
}

#[test]
fn only_whom_it_is_about_answers() {
    let mut house = House::new();
    let until = house.ward.now.wall.after(HOUR_MS);
    let denied = Some("REFUSAL_CODE_NOT_PERMITTED");
    assert_eq!(refusal(&house.offer_at(CHIDI, EMIL, None, until)), denied, "he does not hold it");
    assert_eq!(refusal(&house.offer_at(DANA, CHIDI, None, until)), denied);
    let offer = house.offer(ANA, CHIDI);
    for (who, wish) in [
        (ANA, Answer::Accept),
        (BEN, Answer::Accept),
        (EMIL, Answer::Accept),
        (ANA, Answer::Decline),
        (CHIDI, Answer::Withdraw),
        (EMIL, Answer::Withdraw),
    ] {
        let turn = house.answer(who, offer, wish);
        assert_eq!(refusal(&turn), denied, "{who} {wish:?}");
        assert_eq!(changes(&turn), 0);
    }
    assert_eq!([ANA, BEN, CHIDI, DANA, EMIL].map(|who| house.open(who).len()), [1, 1, 1, 0, 0]);
    assert_eq!(refusal(&house.answer(CHIDI, offer, Answer::Decline)), None);
    assert_eq!(house.offers(), 0);
    let offer = house.offer(BEN, EMIL);
    assert_eq!(house.open(EMIL)[0].offer.as_ref().map(|offer| offer.giver), Some(house.person(ANA).value()));
    assert_eq!(refusal(&house.answer(BEN, offer, Answer::Withdraw)), None);
    assert_eq!((house.offers(), house.holders()), (0, vec![house.person(ANA)]));
}

#[test]
fn what_cannot_be_offered_is_refused_and_changes_nothing() {
    let mut house = House::new();
    let now = house.ward.now.wall;
    let hours = |hours: u64| now.after(hours * HOUR_MS);
    for (to, from, until, code) in [
        (DANA, None, hours(1), "NOT_STAFF_OF_UNIT"),
        (ANA, None, hours(1), "OFFER_TO_HOLDER"),
        (CHIDI, None, now, "OFFER_TIME"),
        (CHIDI, None, Wall(hours(16).0 + 1), "OFFER_TIME"),
        (CHIDI, Some(hours(2)), hours(2), "OFFER_TIME"),
        (CHIDI, Some(hours(16)), hours(17), "OFFER_TIME"),
    ] {
        let turn = house.offer_at(ANA, to, from, until);
        assert_eq!(refusal(&turn), Some(format!("REFUSAL_CODE_{code}").as_str()), "{code}");
        assert_eq!(changes(&turn), 0);
    }
    // Ana's own hours by hand end before it would begin.
    let (role, place) = (house.role, Place::FIRST);
    let chidi = house.person(CHIDI);
    house.ward.ask(BEN, Ask::Role(Roles::Take { role, place, person: Some(chidi), until: hours(1) }));
    assert_eq!(
        refusal(&house.offer_at(CHIDI, EMIL, Some(hours(1)), hours(4))),
        Some("REFUSAL_CODE_OFFER_TIME")
    );
    assert_eq!(refusal(&house.offer_at(CHIDI, EMIL, Some(Wall(hours(1).0 - 1)), hours(4))), None);
    let second =
        Offered { role, place: Place::new(1).expect("a place"), taker: chidi, from: None, until: hours(1) };
    let fresh = house.ward.fresh();
    let turn = house.ward.ask(BEN, Ask::Role(Roles::Offer { offered: second, fresh }));
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_PLACE_UNHELD"));
}

#[test]
fn an_offer_for_later_waits_for_its_time() {
    let mut house = House::new();
    let now = house.ward.now.wall;
    let turn = house.offer_at(ANA, CHIDI, Some(now.after(HOUR_MS)), now.after(4 * HOUR_MS));
    let Body::RoleOffered(made) = answer(&turn) else { panic!("not offered") };
    let offer = OfferId::new(made.offer).expect("an identifier");
    house.ward.pass(HOUR_MS - 1);
    let turn = house.answer(CHIDI, offer, Answer::Accept);
    assert_eq!(refusal(&turn), Some("REFUSAL_CODE_OFFER_EARLY"));
    assert_eq!(changes(&turn), 0);
    house.ward.pass(1);
    assert_eq!(refusal(&house.answer(CHIDI, offer, Answer::Accept)), None);
    assert_eq!(house.holders(), [house.person(CHIDI)]);
}

#[test]
fn an_offer_that_nobody_answers_is_over() {
    let mut house = House::new();
    let offer = house.offer(ANA, CHIDI);
    let turns = house.ward.pass(limits::OFFER_MS - 1);
    assert!(turns.iter().all(|turn| news(turn).is_empty()) && house.offers() == 1);
    let told: Vec<_> = house.ward.pass(1).iter().flat_map(news).collect();
    assert_eq!(told, [(ANA, "OFFER_FATE_EXPIRED"), (CHIDI, "OFFER_FATE_EXPIRED")]);
    assert_eq!((house.offers(), house.holders()), (0, vec![house.person(ANA)]));
    // By the steady clock too, wherever the wall clock went meanwhile.
    let offer_again = house.offer(ANA, CHIDI);
    assert_ne!(offer_again, offer);
    house.ward.now.wall = Wall(house.ward.now.wall.0 - 24 * HOUR_MS as i64);
    house.ward.pass(limits::OFFER_MS);
    assert_eq!(house.offers(), 0);
}

#[test]
fn a_newer_offer_and_anybody_who_takes_the_role_put_an_end_to_it() {
    let mut house = House::new();
    let first = house.offer(ANA, CHIDI);
    let until = house.ward.now.wall.after(HOUR_MS);
    let turn = house.offer_at(ANA, EMIL, None, until);
    assert_eq!(
        news(&turn),
        [
            (ANA, "OFFER_FATE_SUPERSEDED"),
            (CHIDI, "OFFER_FATE_SUPERSEDED"),
            (ANA, "OFFER_FATE_MADE"),
            (EMIL, "OFFER_FATE_MADE")
        ]
    );
    assert_eq!(refusal(&house.answer(CHIDI, first, Answer::Accept)), Some("REFUSAL_CODE_NO_SUCH_OFFER"));
    let chidi = house.person(CHIDI);
    let turn = house.ward.take_role(CHIDI, house.role, None);
    assert_eq!(news(&turn), [(ANA, "OFFER_FATE_SUPERSEDED"), (EMIL, "OFFER_FATE_SUPERSEDED")]);
    assert_eq!((house.offers(), house.holders()), (0, vec![chidi]));
}

#[test]
fn whoever_is_out_gives_and_takes_nothing() {
    let suspended = |person| Ask::SetStanding { person, suspended: true };
    let reviews = |person| Ask::SetDuties { person, administrator: false, privacy_officer: true };
    for out in [ANA, CHIDI] {
        for how in 0..3 {
            let mut house = House::new();
            let (person, unit) = (house.person(out), house.unit);
            let offer = house.offer(ANA, CHIDI);
            let ask = [suspended(person), reviews(person), Ask::SetPost { person, unit, post: None }];
            let ask = ask.into_iter().nth(how).expect("three ways");
            let turn = house.ward.ask(BOX, ask);
            let other = if out == ANA { CHIDI } else { ANA };
            assert!(news(&turn).contains(&(other, "OFFER_FATE_ENDED")), "{out} {how}");
            assert_eq!(house.offers(), 0, "{out} {how}");
            let code = refusal(&house.answer(CHIDI, offer, Answer::Accept));
            assert!(code.is_some() || (out == CHIDI && how == 0), "{out} {how}");
            assert_ne!(house.holders(), [house.person(CHIDI)]);
        }
    }
}

#[test]
fn what_rings_for_the_role_rings_for_its_new_holder_at_once_and_not_for_the_old_one() {
    let mut house = House::new();
    let (ana, ben, chidi) = (house.person(ANA), house.person(BEN), house.person(CHIDI));
    house.rings_for_the_role();
    assert_eq!(house.callable(), BTreeSet::from([ana, ben]));
    let offer = house.offer(ANA, CHIDI);
    let open = &house.open(CHIDI)[0];
    let seen: Vec<_> = open.stats.iter().map(|open| (open.conversation, open.unit, open.stays)).collect();
    assert_eq!(
        (seen, open.stats_count),
        (vec![(0, house.unit.value(), false)], 1),
        "not of which conversation"
    );
    house.ward.pass(20_000);
    let turn = house.answer(CHIDI, offer, Answer::Accept);
    assert_eq!(heard(&turn), (vec![CHIDI], vec![ANA]));
    assert_eq!(house.callable(), BTreeSet::from([ben, chidi]));
    assert_eq!(refusal(&house.answer_stat(ANA, HAVE_IT)), Some("REFUSAL_CODE_NO_SUCH_CONVERSATION"));
    // The step's time goes on: 20 s of its 60 had passed.
    house.ward.ask(CHIDI, Ask::Here);
    let step = |house: &House| house.ward.relay.state().escalations[&house.stat].stage.step();
    house.ward.pass(15_000);
    house.ward.ask(CHIDI, Ask::Here);
    house.ward.pass(15_000);
    house.ward.ask(CHIDI, Ask::Here);
    house.ward.pass(9_999);
    assert_eq!(step(&house), Some(1));
    house.ward.pass(1);
    assert!(step(&house) > Some(1));
    assert_eq!(refusal(&house.answer_stat(CHIDI, HAVE_IT)), None);
    // Back again, and on.
    let offer = house.offer(CHIDI, ANA);
    assert!(house.open(ANA)[0].stats.iter().all(|open| open.stays), "Chidi has it");
    let turn = house.answer(ANA, offer, Answer::Accept);
    assert_eq!(heard(&turn), (vec![], vec![]), "what is answered rings for nobody");
    assert!(matches!(
        house.ward.relay.state().escalations[&house.stat].stage,
        Stage::Accepted { by: Some(by), .. } if by == chidi
    ));
}

#[test]
fn whoever_is_called_for_another_reason_too_or_is_coming_stays_called() {
    // Coming.
    let mut house = House::new();
    house.rings_for_the_role();
    assert_eq!(refusal(&house.answer_stat(ANA, stat::Answer::Coming)), None);
    let offer = house.offer(ANA, CHIDI);
    let turn = house.answer(CHIDI, offer, Answer::Accept);
    assert_eq!(heard(&turn), (vec![CHIDI], vec![]));
    assert_eq!(house.callable(), BTreeSet::from([ANA, BEN, CHIDI].map(|who| house.person(who))));
    // Leads the unit, which a later step rings.
    let mut house = House::new();
    let (person, unit) = (house.person(ANA), house.unit);
    house.rings_for_the_role();
    house.ward.ask(BOX, Ask::SetPost { person, unit, post: Some(Post::ChargeNurse) });
    let offer = house.offer(ANA, CHIDI);
    house.ward.pass(60_000);
    let turn = house.answer(CHIDI, offer, Answer::Accept);
    assert_eq!(heard(&turn), (vec![CHIDI], vec![]));
    // Has said no: the role does not ask again, and goes on at once to whoever is next.
    let mut house = House::new();
    house.rings_for_the_role();
    let offer = house.offer(ANA, CHIDI);
    house.answer(CHIDI, offer, Answer::Accept);
    house.answer_stat(CHIDI, ward::cannot(wardline_core::escalation::Reason::Busy));
    let (offer, before) = (house.offer(CHIDI, EMIL), house.callable());
    let turn = house.answer(EMIL, offer, Answer::Accept);
    assert!(heard(&turn).0.contains(&EMIL) && !before.contains(&house.person(EMIL)));
    let offer = house.offer(EMIL, CHIDI);
    house.answer(CHIDI, offer, Answer::Accept);
    assert!(!house.callable().contains(&house.person(CHIDI)));
    assert!(!house.callable().contains(&house.person(EMIL)));
}

/// Taken while the clock was months ahead: once that is set right, the place is the rota's again, and is offered by whom the rota names.
#[test]
fn what_was_taken_by_a_clock_far_ahead_is_not_held_once_it_is_set_back() {
    let mut house = House::new();
    let right = house.ward.now.wall;
    house.ward.now.wall = right.after(60 * 24 * HOUR_MS);
    let taken = house.ward.take_role(CHIDI, house.role, None);
    assert!(matches!(answer(&taken), Body::RoleSet(_)));
    house.ward.now.wall = right;
    let until = right.after(HOUR_MS);
    assert!(refusal(&house.offer_at(CHIDI, EMIL, None, until)).is_some());
    assert!(matches!(answer(&house.offer_at(ANA, EMIL, None, until)), Body::RoleOffered(_)));
}
