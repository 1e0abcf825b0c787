//! Availability: what people say of when they want to be disturbed, and what a STAT makes of it.

mod ward;

use wardline_core::audit::Act;
use wardline_core::availability::{AvailabilityAsk as Says, AvailabilityRefusal, Hours, Quiet};
use wardline_core::directory::Post;
use wardline_core::escalation::policy::Dial;
use wardline_core::escalation::{Priority, Reason, StatId};
use wardline_core::ids::{Conn, ConversationId, MessageId, Number, PersonId, UnitId};
use wardline_core::input::{Ask, Call, Input, Submit};
use wardline_core::limits;
use wardline_core::rota::TimeZone;
use wardline_core::text::Sealed;
use wardline_core::time::Wall;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, RefusalCode as Code, server_frame::Body};

use ward::{BOX, Ward, acts, answer, cannot, group_of, heard, refusal};

/// Leads Hall A.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
/// Works nowhere.
const DANA: Conn = Conn(4);
const HOUR: u64 = 3_600_000;

struct House {
    ward: Ward,
    unit: UnitId,
    place: ConversationId,
    sent: u64,
}

impl House {
    /// All four are in a group.
    fn new() -> Self {
        let mut ward = Ward::new(4);
        let [ana, ben, chidi, dana] = [0, 1, 2, 3].map(|at| ward.people[at]);
        let unit = ward.add_unit("Hall A", &[ben, chidi], &[ana]);
        let place = group_of(&ward.open_group(ANA, vec![ben, chidi, dana]));
        Self { ward, unit, place, sent: 0 }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn say(&mut self, conn: Conn, says: Says) -> Turn {
        self.ward.ask(conn, Ask::Availability(says))
    }

    fn undisturbed(&mut self, conn: Conn, ms: u64, cover: Option<Conn>) -> Turn {
        let until = self.ward.now.wall.after(ms);
        let cover = cover.map(|cover| self.person(cover));
        self.say(conn, Says::Undisturbed { until: Some((until, cover)) })
    }

    fn look(&mut self, from: Conn, at: Conn) -> proto::Availability {
        let person = self.person(at);
        let Body::AvailabilityPage(page) = answer(&self.say(from, Says::Look(vec![person]))) else {
            panic!("not told")
        };
        page.people.into_iter().next().expect("one")
    }

    fn stat(&mut self, ring: &[Conn]) -> (StatId, Turn) {
        self.ward.now.mono = self.ward.now.mono.after(30_000);
        self.sent += 1;
        let call = Call { ring: ring.iter().map(|conn| self.person(*conn)).collect(), unit: None };
        let submit = Submit {
            number: Number(self.sent),
            message: MessageId([self.sent as u8; 16]),
            conversation: self.place,
            body: Some(Sealed(vec![0; 40])),
            priority: Priority::Stat,
            call,
            reply_to: None,
            mentions: Default::default(),
            attachments: vec![],
            order: None,
        };
        let turn = self.ward.ask(ANA, Ask::Submit(submit));
        let sequence = self.ward.relay.state().conversations[&self.place].last;
        (StatId { conversation: self.place, sequence }, turn)
    }
}

/// Where it rings by this turn.
fn rings(turn: &Turn) -> Vec<Conn> {
    let mut conns = heard(turn).0;
    conns.sort_unstable();
    conns
}

/// What a device is told of its own person.
fn told(turn: &Turn, to: Conn) -> Option<proto::OwnAvailability> {
    turn.sends.iter().find_map(|send| match send {
        Send::Reply { conn, body: Body::OwnAvailability(told), .. } if *conn == to => Some(told.clone()),
        _ => None,
    })
}

fn refused(turn: &Turn, why: AvailabilityRefusal) {
    let advice = turn.sends.iter().find_map(|send| match send {
        Send::Reply { body: Body::Refused(refused), .. } => Some((refused.code(), refused.advice.clone())),
        _ => None,
    });
    let (code, advice) = advice.expect("a refusal");
    assert!(code == Code::Availability && advice == why.to_string(), "{advice}");
    assert!(turn.writes.is_empty(), "a refusal changes nothing");
}

#[test]
fn ben_is_not_disturbed_for_an_hour_and_everybody_sees_until_when_and_who_covers() {
    let mut house = House::new();
    let (ben, chidi) = (house.person(BEN), house.person(CHIDI));
    let until = house.ward.now.wall.after(HOUR);
    let turn = house.undisturbed(BEN, HOUR, Some(CHIDI));
    assert_eq!(acts(&turn), [Act::UndisturbedSet(ben, until, Some(chidi))]);
    // His phone is told how long it is silent, Chidi's for whom he covers.
    let own = told(&turn, BEN).expect("told");
    assert!(own.silences == [proto::SilentSpan { begins_in: 0, ends_in: HOUR }]);
    assert!(
        told(&turn, CHIDI).expect("told").covering
            == [proto::Covering { person: ben.value(), until: until.0 }]
    );
    let seen = house.look(ANA, BEN);
    assert_eq!((seen.silent_until, seen.cover), (until.0, chidi.value()));
    // It is over by itself.
    let turns = house.ward.pass(HOUR);
    assert!(turns.iter().any(|turn| acts(turn) == [Act::UndisturbedEnded(ben)]));
    let last = turns.iter().rev().find_map(|turn| told(turn, CHIDI)).expect("told");
    assert!(last.covering.is_empty());
    assert_eq!(house.look(ANA, BEN).silent_until, 0);
}

#[test]
fn whoever_covers_may_refuse_and_whoever_is_covered_hears_of_it() {
    let mut house = House::new();
    let (ben, chidi) = (house.person(BEN), house.person(CHIDI));
    house.undisturbed(BEN, HOUR, Some(CHIDI));
    let turn = house.say(CHIDI, Says::RefuseCover { person: ben });
    assert_eq!(acts(&turn), [Act::CoverEnded(ben, chidi)]);
    let own = told(&turn, BEN).expect("told");
    assert!(own.cover == 0 && own.undisturbed_until > 0, "he is not disturbed all the same");
    refused(&house.say(CHIDI, Says::RefuseCover { person: ben }), AvailabilityRefusal::NotCovering);
}

#[test]
fn there_is_no_chain_and_no_circle_and_no_cover_from_elsewhere() {
    let mut house = House::new();
    refused(&house.undisturbed(BEN, HOUR, Some(BEN)), AvailabilityRefusal::Cover);
    refused(&house.undisturbed(BEN, HOUR, Some(DANA)), AvailabilityRefusal::Cover);
    refused(&house.undisturbed(BEN, 16 * HOUR + 1, None), AvailabilityRefusal::Until);
    refused(&house.undisturbed(BEN, 0, None), AvailabilityRefusal::Until);
    house.undisturbed(BEN, HOUR, Some(CHIDI));
    refused(&house.undisturbed(CHIDI, HOUR, Some(BEN)), AvailabilityRefusal::Covering);
    refused(&house.undisturbed(CHIDI, HOUR, None), AvailabilityRefusal::Covering);
    refused(&house.undisturbed(ANA, HOUR, Some(BEN)), AvailabilityRefusal::CoverUndisturbed);
    // The longest that there is.
    assert_eq!(refusal(&house.undisturbed(ANA, 16 * HOUR, None)), None);
    // Room is scarce: nothing new, but the old ends.
    house.ward.handle(Input::Disk { free: limits::DISK_SCARCE_BYTES - 1 });
    assert_eq!(refusal(&house.undisturbed(ANA, HOUR, None)), Some(Code::DiskLow.as_str_name()));
    assert_eq!(refusal(&house.say(BEN, Says::Undisturbed { until: None })), None);
}

#[test]
fn a_stat_rings_through_and_for_the_cover_at_once_or_for_the_cover_instead() {
    let mut house = House::new();
    house.undisturbed(BEN, HOUR, Some(CHIDI));
    let (_, turn) = house.stat(&[BEN]);
    assert_eq!(rings(&turn), [BEN, CHIDI]);
    assert_eq!(refusal(&house.say(BOX, Says::Policy { cover_instead: true })), None);
    let (_, turn) = house.stat(&[BEN]);
    assert_eq!(rings(&turn), [CHIDI]);
    // Nobody covers: then it rings for him, whatever the facility says.
    let ben = house.person(BEN);
    house.say(CHIDI, Says::RefuseCover { person: ben });
    let (_, turn) = house.stat(&[BEN]);
    assert_eq!(rings(&turn), [BEN]);
    // Quiet hours never keep a STAT away.
    house.say(BEN, Says::Clear);
    let always = Hours { days: 127, from: 0, to: 1_439 };
    let quiet = Quiet::new(TimeZone::utc(), vec![always]).expect("hours");
    house.say(BEN, Says::Quiet(Some(quiet)));
    let (_, turn) = house.stat(&[BEN]);
    assert_eq!(rings(&turn), [BEN]);
}

/// The cover who called is not called back by it.
#[test]
fn a_stat_of_the_cover_rings_for_whoever_they_cover() {
    let mut house = House::new();
    house.undisturbed(BEN, HOUR, Some(ANA));
    house.say(BOX, Says::Policy { cover_instead: true });
    let (_, turn) = house.stat(&[BEN]);
    assert_eq!(rings(&turn), [BEN]);
}

#[test]
fn a_later_step_rings_for_the_cover_of_whoever_it_calls() {
    let mut house = House::new();
    // Ana leads the unit and sends; Ben becomes the second charge nurse and is not to be disturbed.
    let (ben, unit) = (house.person(BEN), house.unit);
    house.ward.ask(BOX, Ask::SetPost { person: ben, unit, post: Some(Post::ChargeNurse) });
    house.undisturbed(BEN, HOUR, Some(CHIDI));
    house.stat(&[DANA]);
    let turns = house.ward.pass(60_000);
    let rung: Vec<Vec<Conn>> = turns.iter().map(rings).filter(|conns| !conns.is_empty()).collect();
    assert!(rung.iter().any(|conns| conns.contains(&BEN) && conns.contains(&CHIDI)), "{rung:?}");
}

/// She covers instead of him, and cannot: a step that calls him rings for him then.
#[test]
fn a_cover_who_cannot_leaves_nobody_unrung() {
    let mut house = House::new();
    let (ben, unit) = (house.person(BEN), house.unit);
    house.ward.ask(BOX, Ask::SetPost { person: ben, unit, post: Some(Post::ChargeNurse) });
    house.undisturbed(BEN, HOUR, Some(CHIDI));
    house.say(BOX, Says::Policy { cover_instead: true });
    let (stat, turn) = house.stat(&[CHIDI]);
    assert_eq!(rings(&turn), [CHIDI]);
    // Of the first step nobody is left: the charge nurses come next, and of them Ben.
    let turn = house.ward.ask(CHIDI, Ask::AnswerStat { stat, answer: cannot(Reason::Busy) });
    assert_eq!(rings(&turn), [BEN]);
}

#[test]
fn before_a_stat_its_sender_sees_who_is_off_site_and_where_to_call() {
    let mut house = House::new();
    let number = Dial::parse("+49 171 5550123").expect("a number");
    house.say(BEN, Says::Number(number));
    house.undisturbed(CHIDI, HOUR, Some(BEN));
    let ask = |house: &mut House| {
        let (conversation, call) =
            (house.place, Call { ring: vec![house.person(BEN), house.person(CHIDI)], unit: None });
        let Body::Prospect(prospect) = answer(&house.ward.ask(ANA, Ask::Prospect { conversation, call }))
        else {
            panic!("no prospect")
        };
        let by = |conn: Conn| {
            let person = house.person(conn).value();
            prospect.called.iter().find(|called| called.person == person).cloned().expect("called")
        };
        (by(BEN), by(CHIDI))
    };
    let (ben, chidi) = ask(&mut house);
    assert_eq!(ben.off_site, "", "his phone is here");
    assert_eq!((chidi.silent_until > 0, chidi.cover), (true, ben.person));
    // He goes home.
    house.ward.handle(Input::Closed { conn: BEN });
    let (ben, _) = ask(&mut house);
    assert_eq!(ben.off_site, "+49 171 5550123");
    // Who is called by the STAT sees it too; who has nothing to do with it does not.
    let (stat, _) = house.stat(&[BEN, CHIDI]);
    let Body::OffSiteNumbers(numbers) = answer(&house.say(CHIDI, Says::Numbers(stat))) else {
        panic!("no numbers")
    };
    assert!(numbers.numbers.len() == 1 && numbers.numbers[0].number == "+49 171 5550123");
    assert_eq!(house.look(ANA, BEN).number, "", "and it is nobody else's to look at");
    house.ward.enter(Conn(5));
    assert_eq!(
        refusal(&house.ward.ask(Conn(5), Ask::Availability(Says::Numbers(stat)))),
        Some(Code::NoSuchConversation.as_str_name())
    );
}

#[test]
fn whoever_is_suspended_or_works_elsewhere_has_no_availability_and_covers_for_nobody() {
    let mut house = House::new();
    let (ben, chidi, unit) = (house.person(BEN), house.person(CHIDI), house.unit);
    house.undisturbed(BEN, HOUR, Some(CHIDI));
    let turn = house.ward.ask(BOX, Ask::SetPost { person: chidi, unit, post: None });
    assert!(acts(&turn).contains(&Act::CoverEnded(ben, chidi)));
    house.ward.ask(BOX, Ask::SetPost { person: chidi, unit, post: Some(Post::Staff) });
    house.undisturbed(BEN, HOUR, Some(CHIDI));
    let turn = house.ward.ask(BOX, Ask::SetStanding { person: chidi, suspended: true });
    assert!(acts(&turn).contains(&Act::CoverEnded(ben, chidi)));
    let turn = house.ward.ask(BOX, Ask::SetStanding { person: ben, suspended: true });
    assert!(acts(&turn).contains(&Act::AvailabilityCleared(ben)));
    assert!(house.ward.relay.state().availability.people.is_empty());
}

#[test]
fn a_clock_that_steps_makes_a_silence_no_longer_than_it_was() {
    let mut house = House::new();
    house.undisturbed(BEN, HOUR, None);
    house.ward.now.wall = Wall(house.ward.now.wall.0 - 10 * HOUR as i64);
    house.ward.pass(HOUR);
    assert_eq!(house.look(ANA, BEN).silent_until, 0);
}

/// On duty is whoever holds a role or beds now: nobody says it.
#[test]
fn who_is_on_duty_follows_from_what_they_hold() {
    let mut house = House::new();
    assert!(!house.look(ANA, BEN).on_duty);
    let (ben, unit) = (house.person(BEN), house.unit);
    house.ward.add_role(unit, "Physician on call", ben);
    assert!(house.look(ANA, BEN).on_duty);
}
