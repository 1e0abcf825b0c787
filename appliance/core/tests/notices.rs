//! What a patient's thread tells of itself, told as stories.

mod ward;

use wardline_core::care::TeamChange;
use wardline_core::clinical::{Admission, Clinical, Shift};
use wardline_core::emergency::{Emergency, Whom};
use wardline_core::escalation::Priority;
use wardline_core::ids::{Conn, ConversationId, EncounterId, MessageId, Number, PersonId, Sequence, UnitId};
use wardline_core::input::{Ask, Submit};
use wardline_core::limits;
use wardline_core::notice::{Notice, Told, Why};
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::policy::Policy;
use wardline_core::text::{Grounds, Name, Sealed};
use wardline_core::time::Wall;
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto::{event::Kind, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, answer};

/// Ana leads Hall A, where Ben holds the beds; Chidi holds those of Hall B; Dana works in 4 West.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
const HOUR: u64 = 3_600_000;

struct House {
    ward: Ward,
    hall_a: UnitId,
    hall_b: UnitId,
    encounter: EncounterId,
    thread: ConversationId,
}

fn bed(name: &str) -> Bed {
    Bed::parse(name).expect("a bed")
}

/// What was told in this turn, in order.
fn notices(turn: &Turn) -> Vec<Notice> {
    let made = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::NoticeMade(notice) => Some(notice.clone()),
        _ => None,
    });
    made.collect()
}

fn told(turn: &Turn) -> Vec<Told> {
    notices(turn).into_iter().map(|notice| notice.told).collect()
}

/// The numbers of the notices that a connection hears of.
fn heard(turn: &Turn, by: Conn) -> Vec<u64> {
    let heard = turn.sends.iter().filter_map(|send| match send {
        Send::Fanout { event: Event::Small(kind), conns, .. } if conns.contains(&by) => match &**kind {
            Kind::Notice(notice) => Some(notice.number),
            _ => None,
        },
        _ => None,
    });
    heard.collect()
}

impl House {
    /// Rosa is admitted to Hall A, A-1.
    fn new() -> (Self, Turn) {
        let mut ward = Ward::new(4);
        let [ana, ben, chidi, dana] = ward.people[..] else { panic!("four people") };
        let hall_a = ward.add_unit("Hall A", &[ben], &[ana]);
        let hall_b = ward.add_unit("Hall B", &[chidi], &[]);
        ward.add_unit("4 West", &[dana], &[]);
        take(&mut ward, BEN, hall_a, 8 * HOUR);
        take(&mut ward, CHIDI, hall_b, 4 * HOUR);
        let new = Particulars {
            record: RecordNumber::parse("0042").expect("a number"),
            name: Name::parse("Rosa Diaz").expect("a name"),
            birth: BirthDate::parse("1947-03-09").expect("a day"),
            sex: Sex::Female,
        };
        let (record, fresh) = (new.record.clone(), ward.fresh());
        let (new, bed, attending) = (Some(new), bed("A-1"), Some(ana));
        let admission = Admission { record, new, unit: hall_a, bed, attending, fresh };
        let turn = ward.ask(BEN, Ask::Clinical(Clinical::Admit(admission)));
        let Body::Admitted(admitted) = answer(&turn) else { panic!("not admitted") };
        let encounter = EncounterId::new(admitted.encounter).expect("an encounter");
        let thread = ConversationId::new(admitted.conversation).expect("a thread");
        (Self { ward, hall_a, hall_b, encounter, thread }, turn)
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn ask(&mut self, conn: Conn, ask: Clinical) -> Turn {
        self.ward.ask(conn, Ask::Clinical(ask))
    }

    fn say(&mut self, conn: Conn, number: u64) {
        let submit = Submit {
            number: Number(number),
            message: MessageId([number as u8; 16]),
            conversation: self.thread,
            body: Some(Sealed(vec![1; 40])),
            priority: Priority::Routine,
            reply_to: None,
            mentions: Default::default(),
            attachments: vec![],
            call: Default::default(),
            order: None,
        };
        self.ward.now.mono = self.ward.now.mono.after(1_000);
        self.ward.ask(conn, Ask::Submit(submit));
    }

    fn after(&self, ms: u64) -> Wall {
        self.ward.now.wall.after(ms)
    }
}

fn take(ward: &mut Ward, conn: Conn, unit: UnitId, ms: u64) -> Turn {
    let (until, fresh) = (ward.now.wall.after(ms), ward.fresh());
    ward.ask(
        conn,
        Ask::Clinical(Clinical::TakeAssignment(Shift { unit, person: None, beds: vec![], until, fresh })),
    )
}

#[test]
fn an_admission_says_where_and_who_was_there() {
    let (house, turn) = House::new();
    let [ana, ben] = [house.person(ANA), house.person(BEN)];
    let mut entered = vec![
        (ana, Told::Entered { person: ana, why: Why::Attending, until: None }),
        (ben, Told::Entered { person: ben, why: Why::Bed, until: Some(house.after(8 * HOUR)) }),
    ];
    entered.sort_by_key(|(person, _)| *person);
    let mut expected = vec![Told::Admitted { unit: house.hall_a, bed: bed("A-1") }];
    expected.extend(entered.into_iter().map(|(_, told)| told));
    assert_eq!(told(&turn), expected);
    let made = notices(&turn);
    assert!(made.iter().all(|told| told.by == Some(ben) && told.after == Sequence(0)));
    assert_eq!(made.iter().map(|told| told.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((heard(&turn, ANA), heard(&turn, DANA)), (vec![1, 2, 3], vec![]));
}

#[test]
fn a_move_says_who_takes_over_and_who_stays() {
    let (mut house, _) = House::new();
    house.say(BEN, 1);
    let (encounter, unit) = (house.encounter, house.hall_b);
    let turn = house.ask(BEN, Clinical::Transfer { encounter, unit, bed: bed("3") });
    let [ben, chidi] = [house.person(BEN), house.person(CHIDI)];
    assert_eq!(
        told(&turn),
        [
            Told::Moved { unit, bed: bed("3") },
            Told::Entered { person: chidi, why: Why::Bed, until: Some(house.after(4 * HOUR)) },
            Told::Stays { person: ben, until: house.after(8 * HOUR) },
        ]
    );
    assert!(notices(&turn).iter().all(|told| told.after == Sequence(1)), "behind the message");
    assert_eq!(heard(&turn, CHIDI).len(), 3, "who came in hears it too");
    // A connection takes one event of each change.
    let mut changes: Vec<_> = Vec::new();
    for send in &turn.sends {
        if let Send::Fanout { change, conns, .. } = send
            && conns.contains(&BEN)
        {
            changes.push(*change);
        }
    }
    assert!(changes.is_sorted_by(|a, b| a < b), "{changes:?}");
    let unit = house.hall_a;
    let back = house.ask(BEN, Clinical::Transfer { encounter, unit, bed: bed("A-2") });
    assert_eq!(
        told(&back)[1..],
        {
            let mut known = [
                (ben, Told::HasBed { person: ben, until: house.after(8 * HOUR) }),
                (chidi, Told::Stays { person: chidi, until: house.after(4 * HOUR) }),
            ];
            known.sort_by_key(|(person, _)| *person);
            known.map(|(_, told)| told)
        },
        "both are in the team already"
    );
    let gone = house.ward.pass(4 * HOUR);
    assert_eq!(gone.iter().flat_map(told).collect::<Vec<_>>(), [Told::Left { person: chidi }]);
}

#[test]
fn a_bed_that_nobody_has_is_said() {
    let (mut house, _) = House::new();
    house.ward.pass(4 * HOUR);
    let (encounter, unit) = (house.encounter, house.hall_b);
    let turn = house.ask(BEN, Clinical::Transfer { encounter, unit, bed: bed("3") });
    assert_eq!(told(&turn).last(), Some(&Told::BedUnheld));
}

#[test]
fn leave_return_discharge_and_the_closing_are_told() {
    let (mut house, _) = House::new();
    let encounter = house.encounter;
    let away = house.ask(BEN, Clinical::SetLeave { encounter, away: true });
    let again = house.ask(BEN, Clinical::SetLeave { encounter, away: true });
    let back = house.ask(BEN, Clinical::SetLeave { encounter, away: false });
    let gone = house.ask(BEN, Clinical::Discharge { encounter });
    assert_eq!(told(&away), [Told::LeaveBegan]);
    assert_eq!(told(&again), [], "nothing changed");
    assert_eq!((told(&back), told(&gone)), (vec![Told::LeaveEnded], vec![Told::Discharged]));
    let later = house.ward.pass(Policy::default().thread_grace_ms);
    let closed: Vec<Notice> =
        later.iter().flat_map(notices).filter(|told| told.told == Told::Closed).collect();
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].by, None, "time did it");
}

#[test]
fn who_comes_by_hand_and_by_breaking_the_glass_is_told() {
    let (mut house, _) = House::new();
    let (dana, encounter, until) = (house.person(DANA), house.encounter, Some(house.after(HOUR)));
    let change = TeamChange { add: vec![dana], until, remove: vec![] };
    let put_in = house.ask(BEN, Clinical::ChangeCareTeam { encounter, change });
    assert_eq!(told(&put_in), [Told::Entered { person: dana, why: Why::ByHand, until }]);
    let over = house.ward.pass(HOUR);
    assert_eq!(over.iter().flat_map(told).collect::<Vec<_>>(), [Told::Left { person: dana }]);
    let whom = Whom::Record(RecordNumber::parse("0042").expect("a number"));
    let (grounds, fresh) = (Grounds::parse("Found on the floor").expect("grounds"), house.ward.fresh());
    let broke = house.ask(DANA, Clinical::Emergency(Emergency::Begin { whom, grounds, fresh }));
    let until = house.after(limits::EMERGENCY_MS);
    assert_eq!(told(&broke), [Told::EmergencyBegan { person: dana, until }], "once");
    let over = house.ward.pass(limits::EMERGENCY_MS);
    assert_eq!(
        over.iter().flat_map(told).collect::<Vec<_>>(),
        [Told::EmergencyEnded { person: dana }],
        "once"
    );
}

#[test]
fn nothing_that_counts_messages_counts_a_notice() {
    let (mut house, _) = House::new();
    house.say(BEN, 1);
    let encounter = house.encounter;
    house.ask(BEN, Clinical::SetLeave { encounter, away: true });
    let place = &house.ward.relay.state().conversations[&house.thread];
    let ana = place.member(house.person(ANA)).expect("a member");
    assert_eq!((place.last, ana.read), (Sequence(1), Sequence(0)), "one to read");
    assert_eq!(place.noticed, 4);
}

#[test]
fn a_purged_thread_says_nothing_more() {
    let (mut house, _) = House::new();
    let (conversation, encounter) = (house.thread, house.encounter);
    house.ward.ask(BOX, Ask::PurgeConversation { conversation });
    assert_eq!(told(&house.ask(BEN, Clinical::SetLeave { encounter, away: true })), []);
    assert_eq!(told(&house.ask(BEN, Clinical::Discharge { encounter })), []);
}

#[test]
fn what_is_told_is_flat_in_the_store_and_whole_again() {
    let (person, until) = (PersonId::new(7).expect("a person"), Wall(9));
    let (unit, bed) = (UnitId::new(8).expect("a unit"), bed("B-12"));
    let all = [
        Told::Admitted { unit, bed: bed.clone() },
        Told::Moved { unit, bed },
        Told::LeaveBegan,
        Told::LeaveEnded,
        Told::Discharged,
        Told::Closed,
        Told::Attending { person: Some(person) },
        Told::Attending { person: None },
        Told::Entered { person, why: Why::Attending, until: None },
        Told::Entered { person, why: Why::ByHand, until: Some(until) },
        Told::Entered { person, why: Why::Bed, until: Some(until) },
        Told::Entered { person, why: Why::Emergency, until: Some(until) },
        Told::Left { person },
        Told::HasBed { person, until },
        Told::Stays { person, until },
        Told::BedUnheld,
        Told::EmergencyBegan { person, until },
        Told::EmergencyEnded { person },
        Told::Restricted,
        Told::Unrestricted,
        Told::Entered { person, why: Why::Named, until: None },
        Told::Entered { person, why: Why::Merged, until: None },
        Told::RecordsMerged,
        Told::RecordsUnmerged,
        Told::FamilyConsented,
        Told::FamilyConsentEnded,
        Told::FamilyAsked,
        Told::FamilyEntered { person },
        Told::FamilyLeft { person },
    ];
    for told in all {
        assert_eq!(Told::from_parts(told.parts()), Some(told.clone()));
    }
}
