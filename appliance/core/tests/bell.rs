//! The bell: whose closed app rings, when, and whose does not.

mod ward;

use wardline_core::bell::{Bell, BellAsk, BellNews};
use wardline_core::escalation::Priority;
use wardline_core::ids::{Conn, ConversationId, DeviceId, MessageId, Number, PersonId};
use wardline_core::input::{Ask, Call, Input, Submit};
use wardline_core::limits;
use wardline_core::text::Sealed;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::Write;

use wardline_core::availability::AvailabilityAsk;
use wardline_core::escalation::{Reason, StatId};
use wardline_core::ids::Sequence;
use wardline_core::input::Zone;
use wardline_core::stat::Answer;

use ward::{BOX, HAVE_IT, Ward, acts, answer, cannot, group_of, refusal};

/// Ana sends; Ben has a bell; Chidi is in the conversation too.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);

struct House {
    ward: Ward,
    place: ConversationId,
    numbers: u64,
}

fn bell(of: &str) -> Box<Bell> {
    let endpoint = format!("https://push.example.net/p/{of}");
    Box::new(Bell::parse(endpoint, &[4; 65], &[5; 16]).expect("a bell"))
}

impl House {
    /// The facility has bells on, and the box one.
    fn new() -> Self {
        let mut ward = Ward::new(3);
        let [_, ben, chidi] = ward.people[..] else { panic!("three people") };
        let place = group_of(&ward.open_group(ANA, vec![ben, chidi]));
        ward.handle(Input::Bell(BellNews::Key(Some([4; 65]))));
        ward.ask(BOX, Ask::SetBellPolicy { on: true });
        Self { ward, place, numbers: 0 }
    }

    fn with_bens() -> Self {
        let mut house = Self::new();
        house.set(BEN, "ben");
        house.close(BEN);
        house
    }

    /// Ben has the app open.
    fn with_ben_at_it() -> Self {
        let mut house = Self::new();
        house.set(BEN, "ben");
        house.ward.ask(BEN, Ask::Here);
        house
    }

    /// The app is closed, just now.
    fn put_away(&mut self, conn: Conn) -> Vec<DeviceId> {
        rung(&self.ward.handle(Input::Closed { conn }))
    }

    /// Somebody answers what was sent last.
    fn say(&mut self, conn: Conn, said: Answer) -> Turn {
        let stat = StatId { conversation: self.place, sequence: Sequence(self.numbers) };
        self.ward.ask(conn, Ask::AnswerStat { stat, answer: said })
    }

    /// Whom time rings.
    fn pass(&mut self, ms: u64) -> Vec<DeviceId> {
        self.ward.pass(ms).iter().flat_map(rung).collect()
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn device(&self, conn: Conn) -> DeviceId {
        self.ward.relay.state().devices_of(self.person(conn)).next().expect("a device").id
    }

    fn set(&mut self, conn: Conn, of: &str) -> proto::Bell {
        let turn = self.ward.ask(conn, Ask::Bell(BellAsk::Set(bell(of))));
        let Body::Bell(told) = answer(&turn) else { panic!("{:?}", refusal(&turn)) };
        told
    }

    /// The app is closed, and nobody has been heard for long enough.
    fn close(&mut self, conn: Conn) {
        self.ward.handle(Input::Closed { conn });
        self.ward.pass(limits::REACHABLE_MS + 1);
    }

    fn send(&mut self, priority: Priority) -> Turn {
        self.numbers += 1;
        let call = match priority {
            Priority::Stat => Call { ring: vec![self.person(BEN)], unit: None },
            _ => Call::default(),
        };
        let submit = Submit {
            number: Number(self.numbers),
            message: MessageId([self.numbers as u8; 16]),
            conversation: self.place,
            body: Some(Sealed(vec![0; 40])),
            priority,
            call,
            reply_to: None,
            mentions: Default::default(),
            attachments: Vec::new(),
            order: None,
        };
        let turn = self.ward.ask(ANA, Ask::Submit(submit));
        assert!(turn.sends.iter().any(|send| matches!(send, Send::Accepted(_))), "{:?}", refusal(&turn));
        turn
    }

    fn kept(&self, conn: Conn) -> bool {
        self.ward.relay.state().bells.of.contains_key(&self.device(conn))
    }
}

fn rung(turn: &Turn) -> Vec<DeviceId> {
    let rung = turn.sends.iter().filter_map(|send| match send {
        Send::RingBell { device, .. } => Some(*device),
        _ => None,
    });
    rung.collect()
}

#[test]
fn it_is_off_until_an_administrator_turns_it_on_and_is_nothing_without_who_rings() {
    let mut ward = Ward::new(1);
    let set = |ward: &mut Ward| ward.ask(ANA, Ask::Bell(BellAsk::Set(bell("ana"))));
    assert_eq!(refusal(&set(&mut ward)), Some("REFUSAL_CODE_BELL_OFF"));
    assert_eq!(
        refusal(&ward.ask(ANA, Ask::SetBellPolicy { on: true })),
        Some("REFUSAL_CODE_NOT_ADMINISTRATOR")
    );
    let on = ward.ask(BOX, Ask::SetBellPolicy { on: true });
    assert_eq!(acts(&on).len(), 1, "on record");
    assert!(ward.ask(BOX, Ask::SetBellPolicy { on: true }).writes.is_empty(), "as it was");
    assert_eq!(refusal(&set(&mut ward)), Some("REFUSAL_CODE_BELL_NONE"));
    ward.handle(Input::Bell(BellNews::Key(Some([4; 65]))));
    let Body::Bell(told) = answer(&set(&mut ward)) else { panic!("it is set") };
    assert_eq!((told.on, told.key.len(), told.set), (true, 65, true));
    let Body::Bell(told) = answer(&ward.ask(ANA, Ask::Bell(BellAsk::Clear))) else { panic!("it is cleared") };
    assert!(!told.set);
}

#[test]
fn a_stat_rings_the_closed_app_of_whom_it_calls_and_nobody_elses() {
    let mut house = House::with_bens();
    house.set(CHIDI, "chidi");
    let device = house.device(BEN);
    assert_eq!(rung(&house.send(Priority::Stat)), [device]);
    // Ana's own, Chidi's who is not called, and whoever has the app open are not rung.
    let mut house = House::new();
    house.set(BEN, "ben");
    house.ward.ask(BEN, Ask::Here);
    assert_eq!(rung(&house.send(Priority::Stat)), []);
}

#[test]
fn it_rings_again_at_the_next_step_and_not_within_its_time() {
    let mut house = House::with_bens();
    let device = house.device(BEN);
    assert_eq!(rung(&house.send(Priority::Stat)), [device]);
    assert_eq!(rung(&house.send(Priority::Stat)), [], "the phone rings already");
    house.ward.pass(limits::BELL_APART_MS);
    assert_eq!(rung(&house.send(Priority::Stat)), [device]);
}

#[test]
fn an_urgent_message_rings_who_has_it_closed_once_a_minute_and_a_routine_one_nobody() {
    let mut house = House::with_bens();
    let device = house.device(BEN);
    assert_eq!(rung(&house.send(Priority::Routine)), []);
    assert_eq!(rung(&house.send(Priority::Urgent)), [device]);
    house.ward.pass(limits::BELL_APART_MS);
    assert_eq!(rung(&house.send(Priority::Urgent)), []);
    assert_eq!(rung(&house.send(Priority::Stat)), [device], "a STAT is worth more");
    house.ward.pass(limits::BELL_APART_URGENT_MS);
    assert_eq!(rung(&house.send(Priority::Urgent)), [device]);
}

#[test]
fn who_can_be_rung_is_no_longer_unreachable() {
    let mut house = House::with_bens();
    let (place, ben) = (house.place, house.person(BEN));
    let reach = |house: &mut House| {
        let call = Call { ring: vec![ben], unit: None };
        let turn = house.ward.ask(ANA, Ask::Prospect { conversation: place, call });
        let Body::Prospect(told) = answer(&turn) else { panic!("{:?}", refusal(&turn)) };
        told.called[0].reach()
    };
    assert!(reach(&mut house) == proto::Reach::BellOnly);
    // True only while somebody is there who rings.
    house.ward.handle(Input::Bell(BellNews::Key(None)));
    assert!(reach(&mut house) == proto::Reach::Unreachable);
    assert_eq!(rung(&house.send(Priority::Stat)), []);
}

#[test]
fn it_goes_with_the_device_the_person_the_policy_and_the_push_service() {
    let mut house = House::with_bens();
    let (ben, device) = (house.person(BEN), house.device(BEN));
    house.ward.ask(BOX, Ask::SetStanding { person: ben, suspended: true });
    house.ward.ask(BOX, Ask::SetStanding { person: ben, suspended: false });
    assert!(!house.kept(BEN), "suspended");

    let mut house = House::with_bens();
    house.ward.ask(BOX, Ask::RevokeDevice { device });
    assert!(!house.kept(BEN), "revoked");

    let mut house = House::with_bens();
    house.ward.ask(BOX, Ask::SetBellPolicy { on: false });
    house.ward.ask(BOX, Ask::SetBellPolicy { on: true });
    assert!(!house.kept(BEN), "off");

    let mut house = House::with_bens();
    house.ward.handle(Input::Bell(BellNews::Gone { device, bell: bell("another") }));
    assert!(house.kept(BEN), "it has another meanwhile");
    house.ward.handle(Input::Bell(BellNews::Gone { device, bell: bell("ben") }));
    assert!(!house.kept(BEN), "gone");
}

#[test]
fn one_browser_rings_for_whoever_set_it_last() {
    let mut house = House::new();
    house.set(BEN, "one-handset");
    house.set(CHIDI, "one-handset");
    assert!(!house.kept(BEN) && house.kept(CHIDI));
}

#[test]
fn where_a_phone_is_rung_is_in_no_log_and_no_audit() {
    let mut house = House::new();
    let turn = house.ward.ask(BEN, Ask::Bell(BellAsk::Set(bell("SECRET"))));
    for numbered in &turn.writes {
        assert!(!format!("{numbered:?}").contains("SECRET"));
        if let Write::Audited { bytes, .. } = &numbered.write {
            assert!(!String::from_utf8_lossy(bytes).contains("SECRET"));
        }
    }
    let again = house.ward.ask(BEN, Ask::Bell(BellAsk::Set(bell("SECRET"))));
    assert!(again.writes.is_empty(), "as it was");
    for bad in ["http://push.example.net/p", "https://push.example.net/p q", ""] {
        assert!(Bell::parse(bad.to_owned(), &[4; 65], &[5; 16]).is_err(), "{bad:?}");
    }
    assert!(Bell::parse(format!("https://{}", "x".repeat(2_000)), &[4; 65], &[5; 16]).is_err());
}

#[test]
fn who_puts_the_phone_away_while_a_stat_rings_there_is_rung_then() {
    let device = House::new().device(BEN);
    let mut house = House::with_ben_at_it();
    assert_eq!(rung(&house.send(Priority::Stat)), [], "it rings in the app");
    assert_eq!(house.put_away(BEN), [device], "closed");

    let mut house = House::with_ben_at_it();
    house.send(Priority::Stat);
    assert_eq!(rung(&house.ward.ask(BEN, Ask::Lock)), [device], "locked");

    // A phone in a pocket may hold its connection.
    let mut house = House::with_ben_at_it();
    house.ward.pass(15_000);
    house.send(Priority::Stat);
    assert_eq!(house.pass(limits::REACHABLE_MS - 15_000), []);
    assert_eq!(house.pass(1), [device], "not heard");

    let mut house = House::with_ben_at_it();
    house.send(Priority::Stat);
    house.ward.pass(10_000);
    house.ward.ask(BEN, Ask::Here);
    assert_eq!(house.pass(limits::REACHABLE_MS), [], "still at it");
    assert_eq!(house.pass(1), [device]);
}

#[test]
fn it_rings_once_in_a_step_however_often_the_phone_is_put_away() {
    let mut house = House::with_ben_at_it();
    let device = house.device(BEN);
    house.send(Priority::Stat);
    assert_eq!(house.put_away(BEN), [device]);
    house.ward.sign_in(BEN, Conn(21));
    house.ward.pass(limits::BELL_APART_MS);
    assert_eq!(house.put_away(Conn(21)), []);
    // Nobody is there: the next step comes within seconds, and calls him again.
    assert_eq!(house.pass(limits::REACHABLE_LOOK_MS), [device]);
}

#[test]
fn who_has_answered_or_need_not_any_more_is_not_rung() {
    type Happens = fn(&mut House);
    let cases: [(&str, Happens); 5] = [
        ("has it", |house| assert_eq!(refusal(&house.say(BEN, HAVE_IT)), None)),
        ("another has it", |house| assert_eq!(refusal(&house.say(CHIDI, HAVE_IT)), None)),
        ("cannot", |house| assert_eq!(refusal(&house.say(BEN, cannot(Reason::Busy))), None)),
        ("another is coming", |house| assert_eq!(refusal(&house.say(CHIDI, Answer::Coming)), None)),
        ("sent in error", |house| assert_eq!(refusal(&house.say(ANA, Answer::Close)), None)),
    ];
    for (case, happens) in cases {
        let mut house = House::with_ben_at_it();
        house.send(Priority::Stat);
        happens(&mut house);
        assert_eq!(house.put_away(BEN), [], "{case}");
    }
}

#[test]
fn whoever_comes_is_not_rung_for_it_nor_is_anybody_until_it_goes_on() {
    let mut house = House::with_bens();
    let device = house.device(BEN);
    house.set(CHIDI, "chidi");
    let (stat, chidi) = (house.send(Priority::Stat), house.device(CHIDI));
    assert_eq!(rung(&stat), [device]);
    house.ward.pass(limits::BELL_APART_MS);
    house.ward.ask(CHIDI, Ask::Here);
    assert_eq!(rung(&house.say(CHIDI, Answer::Coming)), [], "phones are silent");
    house.put_away(CHIDI);
    let mut rings = house.pass(limits::STAT_HELD_MS);
    rings.sort_unstable();
    let mut both = [device, chidi];
    both.sort_unstable();
    assert_eq!(rings, both, "it goes on");
}

#[test]
fn who_has_it_open_elsewhere_is_called_there() {
    let mut house = House::with_ben_at_it();
    let (ben, device) = (house.person(BEN), house.device(BEN));
    house.ward.join(Conn(31), Zone::Ward, ben);
    house.send(Priority::Stat);
    assert_eq!(house.put_away(BEN), []);
    assert_eq!(house.put_away(Conn(31)), [device]);
}

#[test]
fn who_rings_may_come_late() {
    let mut house = House::with_bens();
    let device = house.device(BEN);
    house.ward.handle(Input::Bell(BellNews::Key(None)));
    assert_eq!(rung(&house.send(Priority::Stat)), []);
    assert_eq!(rung(&house.ward.handle(Input::Bell(BellNews::Key(Some([4; 65]))))), [device]);
}

#[test]
fn an_urgent_message_that_is_not_read_rings_a_phone_that_is_put_away_within_a_minute() {
    let mut house = House::with_ben_at_it();
    let (device, conversation) = (house.device(BEN), house.place);
    assert_eq!(rung(&house.send(Priority::Urgent)), []);
    assert_eq!(house.put_away(BEN), [device]);

    let mut house = House::with_ben_at_it();
    house.send(Priority::Urgent);
    let read = Ask::Receipt { conversation, delivered: Sequence(1), read: Sequence(1) };
    house.ward.ask(BEN, read);
    assert_eq!(house.put_away(BEN), [], "read");

    let mut house = House::with_ben_at_it();
    house.send(Priority::Urgent);
    for _ in 0..6 {
        house.ward.pass(limits::BELL_APART_URGENT_MS / 6);
        house.ward.ask(BEN, Ask::Here);
    }
    assert_eq!(house.put_away(BEN), [], "it was there to be seen");

    let mut house = House::with_ben_at_it();
    house.send(Priority::Urgent);
    let until = house.ward.now.wall.after(3_600_000);
    house.ward.ask(BEN, Ask::Availability(AvailabilityAsk::Undisturbed { until: Some((until, None)) }));
    assert_eq!(house.put_away(BEN), [], "not to be disturbed");
}
