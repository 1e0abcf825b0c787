//! Alarms of the box, told as stories: who is told, once, and what becomes of it when it is over.

mod ward;

use wardline_core::alarm::{Alarm, AlarmAsk, AlarmKind, Said};
use wardline_core::audit::Act;
use wardline_core::bell::BellNews;
use wardline_core::escalation::Priority;
use wardline_core::ids::{Conn, ConversationId, PersonId, RoleId, Sequence, UnitId};
use wardline_core::inbox::InboxAsk;
use wardline_core::input::{Ask, Input};
use wardline_core::role::Roles;
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::write::{Message, Write};

use ward::{BOX, Ward, acts, answer, refusal};

/// Omar is on call for IT; Ana leads the unit that the role is of; Ben is a nurse.
const OMAR: Conn = Conn(1);
const ANA: Conn = Conn(2);
const BEN: Conn = Conn(3);
const SCREEN: Conn = Conn(50);
const LOW: Alarm = Alarm { kind: AlarmKind::DiskLow, level: 1 };
const FULL: Alarm = Alarm { kind: AlarmKind::DiskLow, level: 2 };
const SILENT: Alarm = Alarm { kind: AlarmKind::KeeperSilent, level: 1 };

struct House {
    ward: Ward,
    unit: UnitId,
    role: RoleId,
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(3);
        let [omar, ana, ben] = ward.people[..] else { panic!("three people") };
        let unit = ward.add_unit("IT", &[omar, ben], &[ana]);
        let role = ward.add_role(unit, "IT on call", omar);
        Self { ward, unit, role }
    }

    fn tell(&mut self, role: Option<RoleId>) -> Turn {
        let fresh = self.ward.fresh();
        self.ward.ask(BOX, Ask::Alarms(AlarmAsk::SetRole { role, fresh }))
    }

    fn stands(&mut self, alarms: &[Alarm]) -> Turn {
        let fresh = self.ward.fresh();
        self.ward.handle(Input::Alarms { standing: alarms.to_vec(), fresh })
    }

    fn told(&mut self) -> Vec<(u64, u64)> {
        let turn = self.ward.ask(BOX, Ask::Alarms(AlarmAsk::Look));
        let Body::Alarms(alarms) = answer(&turn) else { panic!("{:?}", refusal(&turn)) };
        let told = alarms.told.iter().filter_map(|told| told.alarm);
        told.map(|alarm| (alarm.kind as u64, u64::from(alarm.level))).collect()
    }

    fn the_box(&self) -> PersonId {
        let people = self.ward.relay.state().people.values();
        people.filter(|person| person.the_box).map(|person| person.id).next().expect("its entry")
    }

    /// Where the box writes now.
    fn place(&self) -> ConversationId {
        let inboxes = self.ward.relay.state().inboxes.to_restored().inboxes;
        let own = inboxes.iter().filter(|inbox| inbox.writer == self.the_box());
        let state = self.ward.relay.state();
        let open = |id: &ConversationId| !state.conversations[id].archived && !state.conversations[id].purged;
        own.map(|inbox| inbox.conversation).find(open).expect("open")
    }
}

/// What a turn says in the box's name: what, how urgently, and whose connections hear it.
fn said(turn: &Turn) -> Vec<(Said, Priority, Vec<Conn>)> {
    let messages = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::MessageAccepted(message) => Some(message),
        _ => None,
    });
    let heard = |message: &Message| {
        let conns = turn.sends.iter().find_map(|send| match send {
            Send::Fanout { event: Event::Message(id, sequence), conns, .. }
                if (*id, *sequence) == (message.conversation, message.sequence) =>
            {
                Some(conns.clone())
            }
            _ => None,
        });
        conns.unwrap_or_default()
    };
    let one = |message: &Message| {
        (Said::of_body(&message.body).expect("it is an alarm's"), message.priority, heard(message))
    };
    messages.map(one).collect()
}

fn bad(alarm: Alarm) -> Said {
    Said { alarm, over: false }
}

fn over(alarm: Alarm) -> Said {
    Said { alarm, over: true }
}

#[test]
fn whoever_is_on_call_is_told_once_and_told_that_it_is_over() {
    let mut house = House::new();
    assert_eq!(refusal(&house.tell(Some(house.role))), None);
    let turn = house.stands(&[LOW, SILENT]);
    assert_eq!(
        said(&turn),
        [(bad(LOW), Priority::Urgent, vec![OMAR]), (bad(SILENT), Priority::Urgent, vec![OMAR])]
    );
    assert!(acts(&turn).contains(&Act::AlarmTold(AlarmKind::DiskLow.number(), 1)));
    assert_eq!(house.told(), [(1, 1), (3, 1)]);
    assert_eq!(house.stands(&[SILENT, LOW]).writes.len(), 0, "nothing is told twice");
    let turn = house.stands(&[SILENT]);
    assert_eq!(said(&turn), [(over(LOW), Priority::Routine, vec![OMAR])]);
    assert_eq!(house.told(), [(3, 1)]);
    assert_eq!(said(&house.stands(&[SILENT, LOW])).len(), 1, "again, after it was over");
}

#[test]
fn what_gets_worse_is_told_and_what_gets_better_is_not() {
    let mut house = House::new();
    house.tell(Some(house.role));
    assert_eq!(said(&house.stands(&[LOW])).len(), 1);
    assert_eq!(said(&house.stands(&[LOW, FULL])), [(bad(FULL), Priority::Urgent, vec![OMAR])]);
    assert_eq!(said(&house.stands(&[LOW])), []);
    assert_eq!(house.told(), [(1, 1)]);
    assert_eq!(said(&house.stands(&[FULL])).len(), 1);
    assert_eq!(said(&house.stands(&[])), [(over(FULL), Priority::Routine, vec![OMAR])]);
}

#[test]
fn nobody_is_told_until_a_role_is_named_and_then_all_that_stands_is() {
    let mut house = House::new();
    assert_eq!(house.stands(&[LOW]).writes.len(), 0);
    assert_eq!(house.told(), []);
    house.tell(Some(house.role));
    assert_eq!(said(&house.stands(&[LOW])).len(), 1);
    house.tell(None);
    assert_eq!(house.stands(&[LOW, SILENT]).writes.len(), 0);
    assert_eq!(house.told(), []);
}

#[test]
fn another_role_is_told_anew_and_the_old_one_is_told_no_more() {
    let mut house = House::new();
    house.tell(Some(house.role));
    house.stands(&[LOW]);
    let old = house.place();
    let ben = house.ward.people[2];
    let other = house.ward.add_role(house.unit, "Facilities on call", ben);
    assert_eq!(refusal(&house.tell(Some(other))), None);
    assert_eq!(said(&house.stands(&[LOW])), [(bad(LOW), Priority::Urgent, vec![BEN])]);
    assert_ne!(house.place(), old);
    assert_eq!(house.ward.relay.state().conversations[&old].present().count(), 0);
}

#[test]
fn what_was_put_away_as_done_is_opened_by_the_next_alarm_and_after_a_purge_there_is_a_new_place() {
    let mut house = House::new();
    house.tell(Some(house.role));
    house.stands(&[LOW]);
    let place = house.place();
    let done = house.ward.ask(OMAR, Ask::Inbox(InboxAsk::Finish { conversation: place }));
    assert!(acts(&done).contains(&Act::InboxFinished(place)));
    let worse = house.stands(&[FULL]);
    assert!(acts(&worse).contains(&Act::InboxReopened(place)));
    assert_eq!(said(&worse), [(bad(FULL), Priority::Urgent, vec![OMAR])]);
    assert_eq!(refusal(&house.ward.ask(BOX, Ask::PurgeConversation { conversation: place })), None);
    assert_eq!(said(&house.stands(&[])), [(over(FULL), Priority::Routine, vec![OMAR])]);
    assert_ne!(house.place(), place);
}

#[test]
fn an_alarm_that_nobody_sees_is_shown_on_the_units_screen_until_somebody_does_or_it_is_over() {
    let mut house = House::new();
    house.ward.enter_station(SCREEN, house.unit);
    house.tell(Some(house.role));
    house.stands(&[LOW]);
    let shown = |turns: &[Turn]| {
        let is_shown = |send: &Send| match send {
            Send::Reply { conn: SCREEN, body: Body::UrgentWaits(_), .. } => Some(true),
            Send::Reply { conn: SCREEN, body: Body::UrgentOver(_), .. } => Some(false),
            _ => None,
        };
        turns.iter().flat_map(|turn| turn.sends.iter().filter_map(is_shown)).collect::<Vec<_>>()
    };
    assert_eq!(shown(&house.ward.pass(300_000)), [true]);
    let (conversation, read) = (house.place(), Sequence(1));
    let turn = house.ward.ask(OMAR, Ask::Receipt { conversation, delivered: read, read });
    assert_eq!(shown(&[turn]), [false]);
    house.stands(&[FULL]);
    assert_eq!(shown(&house.ward.pass(300_000)), [true]);
    assert_eq!(shown(&[house.stands(&[])]), [false]);
}

#[test]
fn where_nobody_is_on_call_whoever_looks_after_the_role_is_told_and_the_next_holder_has_it_all() {
    let mut house = House::new();
    house.tell(Some(house.role));
    let turn = house.ward.ask(BOX, Ask::SetStanding { person: house.ward.people[0], suspended: true });
    assert_eq!(refusal(&turn), None);
    assert_eq!(said(&house.stands(&[LOW])), [(bad(LOW), Priority::Urgent, vec![ANA])]);
    let [_, ana, ben] = house.ward.people[..] else { panic!("three people") };
    let present = |house: &House| {
        let place = &house.ward.relay.state().conversations[&house.place()];
        place.present().map(|(person, member)| (person, member.from)).collect::<Vec<_>>()
    };
    assert_eq!(present(&house), [(ana, Sequence(1))]);
    let taken = house.ward.take_role(BEN, house.role, None);
    assert_eq!(refusal(&taken), None);
    assert_eq!(present(&house), [(ben, Sequence(1))], "all of it, and Ana no more");
    assert_eq!(said(&house.stands(&[])), [(over(LOW), Priority::Routine, vec![BEN])]);
}

#[test]
fn the_box_is_nobody_to_write_to_and_nobody_signs_in_as_it() {
    let mut house = House::new();
    house.tell(Some(house.role));
    let the_box = house.the_box();
    let fresh = house.ward.fresh();
    let nobody = Some("REFUSAL_CODE_NO_SUCH_PERSON");
    assert_eq!(refusal(&house.ward.ask(BEN, Ask::OpenDirect { person: the_box, fresh })), nobody);
    let fresh = house.ward.fresh();
    assert_eq!(refusal(&house.ward.ask(BOX, Ask::IssueJoinCode { person: the_box, fresh })), nobody);
    let restored = Ask::SetStanding { person: the_box, suspended: false };
    assert_eq!(refusal(&house.ward.ask(BOX, restored)), nobody);
    let unit = house.unit;
    let posted = Ask::SetPost { person: the_box, unit, post: None };
    assert_eq!(refusal(&house.ward.ask(BOX, posted)), nobody);
    assert_eq!(refusal(&house.ward.ask(BOX, Ask::ListDevices { person: the_box })), nobody);
}

#[test]
fn a_role_that_is_told_is_not_retired_and_one_that_is_retired_is_not_told() {
    let mut house = House::new();
    house.tell(Some(house.role));
    let retire = |role| Ask::Role(Roles::Retire { role });
    assert_eq!(refusal(&house.ward.ask(BOX, retire(house.role))), Some("REFUSAL_CODE_ROLE_HEARS_ALARMS"));
    house.tell(None);
    assert_eq!(refusal(&house.ward.ask(BOX, retire(house.role))), None);
    assert_eq!(refusal(&house.tell(Some(house.role))), Some("REFUSAL_CODE_ROLE_RETIRED"));
}

#[test]
fn a_disk_that_is_full_is_told_while_it_can_be_and_what_could_not_be_is_told_later() {
    let mut house = House::new();
    house.tell(Some(house.role));
    house.ward.handle(Input::Disk { free: wardline_core::limits::DISK_RESERVE_BYTES - 1 });
    assert_eq!(said(&house.stands(&[FULL])).len(), 1, "a new message of a person would be refused");
    house.ward.handle(Input::Disk { free: 0 });
    assert_eq!(house.stands(&[FULL, SILENT]).writes.len(), 0);
    house.ward.handle(Input::Disk { free: u64::MAX });
    assert_eq!(said(&house.stands(&[FULL, SILENT])), [(bad(SILENT), Priority::Urgent, vec![OMAR])]);
}

#[test]
fn administration_alone_says_who_is_told() {
    let mut house = House::new();
    let fresh = house.ward.fresh();
    let role = Some(house.role);
    let asked = house.ward.ask(OMAR, Ask::Alarms(AlarmAsk::SetRole { role, fresh }));
    assert_eq!(refusal(&asked), Some("REFUSAL_CODE_NOT_ADMINISTRATOR"));
    assert_eq!(
        refusal(&house.ward.ask(OMAR, Ask::Alarms(AlarmAsk::Look))),
        Some("REFUSAL_CODE_NOT_ADMINISTRATOR")
    );
    let nowhere = RoleId::new(0x77);
    assert_eq!(refusal(&house.tell(nowhere)), Some("REFUSAL_CODE_NO_SUCH_ROLE"));
    assert_eq!(house.ward.relay.state().people.values().filter(|person| person.the_box).count(), 0);
}

#[test]
fn an_alarm_is_known_from_a_sealed_text_by_its_length_and_says_what_to_do_in_few_words() {
    let kinds = [
        (AlarmKind::DiskLow, 2),
        (AlarmKind::StoreDamaged, 1),
        (AlarmKind::KeeperSilent, 1),
        (AlarmKind::LeafEnds, 2),
        (AlarmKind::NameEnds, 3),
        (AlarmKind::IssuerEnds, 3),
        (AlarmKind::ClockSet, 1),
    ];
    for (kind, worst) in kinds {
        for level in 1..=worst {
            for said in [bad(Alarm { kind, level }), over(Alarm { kind, level })] {
                let body = said.to_body();
                assert!(body.0.len() <= 8, "{}", body.0.len());
                assert_eq!(Said::of_body(&body), Some(said));
                assert!(said.words().len() <= 300 && !said.words().contains("  "));
            }
        }
    }
    let sealed = wardline_core::text::Sealed(vec![0; wardline_core::limits::SEAL_OVERHEAD]);
    assert_eq!(Said::of_body(&sealed), None);
    assert_eq!(Said::of_body(&wardline_core::text::Sealed(Vec::new())), None);
    // One thing is said in one way: no other form, and nothing behind it.
    let mut long = bad(LOW).to_body();
    long.0.push(0);
    assert_eq!(Said::of_body(&long), None);
    assert_eq!(Said::of_body(&wardline_core::text::Sealed(vec![0x82, 0x82, 1, 0x18, 1, 0xf4])), None);
}

#[test]
fn it_rings_the_bell_of_a_phone_that_is_away() {
    let mut house = House::new();
    house.ward.handle(Input::Bell(BellNews::Key(Some([4; 65]))));
    house.ward.ask(BOX, Ask::SetBellPolicy { on: true });
    let bell = wardline_core::bell::Bell::parse("https://push.example/omar".to_owned(), &[4; 65], &[1; 16]);
    let set = wardline_core::bell::BellAsk::Set(Box::new(bell.expect("a bell")));
    assert_eq!(refusal(&house.ward.ask(OMAR, Ask::Bell(set))), None);
    house.tell(Some(house.role));
    house.ward.handle(Input::Closed { conn: OMAR });
    house.ward.pass(60_000);
    let turn = house.stands(&[LOW]);
    assert_eq!(turn.sends.iter().filter(|send| matches!(send, Send::RingBell { .. })).count(), 1);
}
