//! Announcements: who reads them, who may write there, how urgently, and what is told of whoever has read one.

mod ward;

use wardline_core::alteration::{Edit, Found, Kept};
use wardline_core::audit::Act;
use wardline_core::broadcast::{AnnouncerAsk, BroadcastAsk, BroadcastPolicy};
use wardline_core::directory::Post;
use wardline_core::escalation::{Priority, StatId};
use wardline_core::ids::{Conn, ConversationId, EditId, MessageId, Number, PersonId, Sequence, UnitId};
use wardline_core::input::{Ask, Call, Submit};
use wardline_core::task::{Assignee, TaskAsk};
use wardline_core::text::{Name, Sealed, Title};
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto::{self, RefusalCode as Code, event::Kind, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, acts, answer, group_of, refusal};

/// Ana leads 4 West, where Ben works; Chidi works in Hall B; Dana works nowhere.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);

struct House {
    ward: Ward,
    unit: UnitId,
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(4);
        let [ana, ben, chidi, _] = ward.people[..] else { panic!("four people") };
        let unit = ward.add_unit("4 West", &[ben], &[ana]);
        ward.add_unit("Hall B", &[chidi], &[]);
        Self { ward, unit }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn open(&mut self, conn: Conn, unit: Option<UnitId>) -> Turn {
        let fresh = self.ward.fresh();
        self.ward.ask(conn, Ask::Broadcast(BroadcastAsk::Open { unit, fresh }))
    }

    fn name(&mut self, person: PersonId, announces: bool) -> Turn {
        self.ward.ask(BOX, Ask::Announcers(AnnouncerAsk::Set { person, announces }))
    }

    fn send(&mut self, conn: Conn, to: ConversationId, number: u64, priority: Priority) -> Turn {
        let said = Submit {
            number: Number(number),
            message: MessageId([number as u8; 16]),
            conversation: to,
            body: Some(Sealed(vec![0; 40])),
            priority,
            call: Call::default(),
            reply_to: None,
            mentions: Default::default(),
            attachments: vec![],
            order: None,
        };
        self.ward.ask(conn, Ask::Submit(said))
    }

    fn post(&mut self, person: PersonId, post: Option<Post>) -> Turn {
        let unit = self.unit;
        self.ward.ask(BOX, Ask::SetPost { person, unit, post })
    }

    fn look(&mut self, conn: Conn, conversation: ConversationId, sequence: u64) -> Turn {
        let sequence = Sequence(sequence);
        self.ward.ask(conn, Ask::Broadcast(BroadcastAsk::Look { conversation, sequence }))
    }

    fn counted(&mut self, conn: Conn, place: ConversationId, sequence: u64) -> (u32, u32, u32) {
        let Body::BroadcastReceipts(told) = answer(&self.look(conn, place, sequence)) else {
            panic!("not counted")
        };
        (told.readers, told.delivered, told.read)
    }

    fn readers(&self, place: ConversationId) -> Vec<PersonId> {
        self.ward.relay.state().conversations[&place].present().map(|(person, _)| person).collect()
    }
}

fn sorted(mut people: Vec<PersonId>) -> Vec<PersonId> {
    people.sort_unstable();
    people
}

/// Refused with this, and nothing but an entry of the audit is written.
fn refused(turn: &Turn, code: Code) {
    assert_eq!(refusal(turn), Some(code.as_str_name()));
    let changes = turn.writes.iter().filter(|n| !matches!(n.write, Write::Audited { .. }));
    assert_eq!(changes.count(), 0, "{} changes nothing", code.as_str_name());
}

/// Who hears an event of this conversation's coming or going.
fn hears_of(turn: &Turn, wanted: fn(&Kind) -> bool) -> Vec<Conn> {
    let heard = turn.sends.iter().filter_map(|send| match send {
        Send::Fanout { event: Event::Small(kind), conns, .. } if wanted(kind) => Some(conns.clone()),
        _ => None,
    });
    heard.flatten().collect()
}

#[test]
fn whoever_works_in_the_unit_reads_what_its_charge_nurse_announces_and_nobody_answers() {
    let mut house = House::new();
    let unit = Some(house.unit);
    refused(&house.open(BEN, unit), Code::NotPermitted);
    refused(&house.open(CHIDI, unit), Code::NotPermitted);
    let opened = house.open(ANA, unit);
    let place = group_of(&opened);
    let [ana, ben, chidi] = [ANA, BEN, CHIDI].map(|conn| house.person(conn));
    assert_eq!(house.readers(place), sorted(vec![ana, ben]));
    assert_eq!(
        acts(&opened),
        [Act::ConversationOpened(place)],
        "who reads follows from posts, on record there"
    );
    let said = house.send(ANA, place, 1, Priority::Routine);
    assert_eq!(refusal(&said), None);
    refused(&house.send(BEN, place, 1, Priority::Routine), Code::NotPermitted);
    refused(&house.send(CHIDI, place, 1, Priority::Routine), Code::NoSuchConversation);
    // Whoever comes reads it from its beginning, in the turn in which they come; whoever goes is out in that.
    let came = house.post(chidi, Some(Post::Staff));
    assert_eq!(house.readers(place), sorted(vec![ana, ben, chidi]));
    assert_eq!(hears_of(&came, |kind| matches!(kind, Kind::Conversation(_))), [CHIDI], "nobody else hears");
    let member = *house.ward.relay.state().conversations[&place].member(chidi).expect("a reader");
    assert_eq!((member.from, member.read), (Sequence(1), Sequence(1)));
    let went = house.post(chidi, None);
    assert_eq!(house.readers(place), sorted(vec![ana, ben]));
    assert_eq!(hears_of(&went, |kind| matches!(kind, Kind::Gone(_))), [CHIDI]);
    // Opened again it is the same; and it is called as its unit is.
    assert_eq!(group_of(&house.open(ANA, unit)), place);
    let (name, fresh) = (Name::parse("4 East").expect("a name"), house.ward.fresh());
    let renamed = house.ward.ask(BOX, Ask::SetUnit { unit, name, fresh });
    assert!(acts(&renamed).contains(&Act::ConversationRenamed(place)));
    assert_eq!(house.ward.relay.state().conversations[&place].title.reveal(), "4 East");
}

#[test]
fn the_facilitys_are_everybodys_and_sent_by_whom_an_administrator_named() {
    let mut house = House::new();
    refused(&house.open(ANA, None), Code::NotPermitted);
    let dana = house.person(DANA);
    assert_eq!(acts(&house.name(dana, true)), [Act::AnnouncerSet(dana, 1)]);
    assert!(house.name(dana, true).writes.is_empty());
    let place = group_of(&house.open(DANA, None));
    assert_eq!(house.readers(place).len(), 4);
    house.ward.enter(Conn(5));
    assert_eq!(house.readers(place).len(), 5, "whoever is added to the directory");
    let unit = house.unit;
    house.ward.enter_station(Conn(6), unit);
    assert_eq!(house.readers(place).len(), 5, "a screen reads nothing");
    assert_eq!(refusal(&house.send(DANA, place, 1, Priority::Routine)), None);
    house.name(dana, false);
    refused(&house.send(DANA, place, 2, Priority::Routine), Code::NotPermitted);
    // Who names them, and nobody else, is administration.
    let ask = Ask::Announcers(AnnouncerAsk::Set { person: dana, announces: true });
    refused(&house.ward.ask(ANA, ask), Code::NotAdministrator);
    let nobody = PersonId::new(77).expect("in range");
    refused(&house.name(nobody, true), Code::NoSuchPerson);
}

#[test]
fn how_urgent_it_may_be_is_a_policy_and_never_a_stat() {
    let mut house = House::new();
    let (unit, dana) = (Some(house.unit), house.person(DANA));
    house.name(dana, true);
    let (of_unit, of_all) = (group_of(&house.open(ANA, unit)), group_of(&house.open(DANA, None)));
    assert_eq!(refusal(&house.send(ANA, of_unit, 1, Priority::Urgent)), None);
    refused(&house.send(DANA, of_all, 1, Priority::Urgent), Code::BroadcastPriority);
    refused(&house.send(ANA, of_unit, 2, Priority::Stat), Code::BroadcastNoStat);
    let policy = BroadcastPolicy { unit_urgent: false, facility_urgent: true };
    refused(&house.ward.ask(ANA, Ask::Announcers(AnnouncerAsk::SetPolicy(policy))), Code::NotAdministrator);
    let set = house.ward.ask(BOX, Ask::Announcers(AnnouncerAsk::SetPolicy(policy)));
    assert_eq!(acts(&set), [Act::BroadcastPolicySet(0, 1)]);
    refused(&house.send(ANA, of_unit, 2, Priority::Urgent), Code::BroadcastPriority);
    assert_eq!(refusal(&house.send(DANA, of_all, 1, Priority::Urgent)), None);
}

#[test]
fn how_many_have_read_it_is_told_and_not_who() {
    let mut house = House::new();
    let unit = Some(house.unit);
    let opened = house.open(ANA, unit);
    let place = group_of(&opened);
    let Body::Opened(proto::Opened { conversation: Some(shown) }) = answer(&opened) else {
        panic!("not opened")
    };
    let members: Vec<u64> = shown.members.iter().map(|member| member.person).collect();
    assert_eq!(members, [house.person(ANA).value()], "oneself alone");
    house.send(ANA, place, 1, Priority::Routine);
    assert_eq!(house.counted(ANA, place, 1), (1, 0, 0));
    let receipt = |read| Ask::Receipt { conversation: place, delivered: Sequence(1), read };
    let got = house.ward.ask(BEN, receipt(Sequence::NONE));
    assert!(got.sends.is_empty(), "nobody hears of a watermark");
    assert_eq!(house.counted(ANA, place, 1), (1, 1, 0));
    house.ward.ask(BEN, receipt(Sequence(1)));
    assert_eq!(house.counted(ANA, place, 1), (1, 1, 1));
    refused(&house.look(BEN, place, 1), Code::NotPermitted);
    refused(&house.look(CHIDI, place, 1), Code::NoSuchConversation);
    refused(&house.look(ANA, place, 2), Code::NoSuchMessage);
    let chidi = house.person(CHIDI);
    let group = group_of(&house.ward.open_group(ANA, vec![chidi]));
    refused(&house.look(ANA, group, 1), Code::NotBroadcast);
    let Body::BroadcastList(list) = answer(&house.ward.ask(BEN, Ask::Announcers(AnnouncerAsk::List))) else {
        panic!("not listed")
    };
    let of: Vec<(u64, bool, u32)> =
        list.broadcasts.iter().map(|one| (one.conversation, one.announces, one.readers)).collect();
    assert_eq!(of, [(place.value(), false, 2), (0, false, 0)]);
    assert!(list.announcers.is_empty() && list.unit_urgent && !list.facility_urgent);
}

/// Nothing there names a reader, and whoever announces no more says no more.
#[test]
fn nobody_is_given_a_task_there_and_a_former_announcer_edits_nothing() {
    let mut house = House::new();
    let place = group_of(&house.open(ANA, Some(house.unit)));
    assert_eq!(refusal(&house.send(ANA, place, 1, Priority::Routine)), None);
    let (ana, ben) = (house.person(ANA), house.person(BEN));
    let as_of = house.ward.relay.state().change;
    let device = house.ward.relay.state().devices_of(ana).next().expect("a device").id;
    let message = Some(Kept {
        change: as_of,
        id: MessageId([1; 16]),
        sender: ana,
        device,
        at: house.ward.now.wall,
        priority: Priority::Routine,
        reply_to: None,
        mentions: Vec::new(),
        standing: Default::default(),
        reactions: Default::default(),
        is_order: false,
    });
    let found = Found { as_of, message };
    let message = StatId { conversation: place, sequence: Sequence(1) };
    let give = TaskAsk::Give { message, to: Assignee::Person(ana), due: None, found: found.clone() };
    refused(&house.ward.ask(BEN, Ask::Task(give)), Code::TaskNotHere);
    let edit = |version| {
        let (conversation, sequence, body) = (place, Sequence(1), Some(Sealed(vec![0; 40])));
        let name = EditId([version as u8; 16]);
        Ask::Edit(Edit { conversation, sequence, version, name, body, found: found.clone() })
    };
    house.post(ana, Some(Post::Staff));
    house.post(ben, Some(Post::ChargeNurse));
    refused(&house.ward.ask(ANA, edit(1)), Code::NotPermitted);
    house.post(ana, Some(Post::ChargeNurse));
    assert_eq!(refusal(&house.ward.ask(ANA, edit(1))), None);
}

#[test]
fn what_it_is_not_for_is_refused_and_changes_nothing() {
    let mut house = House::new();
    let unit = Some(house.unit);
    let (ben, chidi) = (house.person(BEN), house.person(CHIDI));
    let place = group_of(&house.open(ANA, unit));
    let change = |add, remove| Ask::ChangeMembers { conversation: place, add, remove };
    refused(&house.ward.ask(ANA, change(vec![chidi], vec![])), Code::InBroadcast);
    refused(&house.ward.ask(ANA, change(vec![], vec![ben])), Code::InBroadcast);
    refused(&house.ward.ask(BEN, change(vec![], vec![ben])), Code::InBroadcast);
    let title = Title::parse("Mine").expect("a title");
    refused(&house.ward.ask(ANA, Ask::Rename { conversation: place, title }), Code::InBroadcast);
    refused(&house.ward.ask(ANA, Ask::Archive { conversation: place, archived: true }), Code::InBroadcast);
    let nowhere = UnitId::new(77);
    refused(&house.open(ANA, nowhere), Code::NoSuchUnit);
    // What is destroyed is left behind, and another begins.
    let purged = house.ward.ask(BOX, Ask::PurgeConversation { conversation: place });
    assert!(matches!(answer(&purged), Body::Done(_)));
    let again = group_of(&house.open(ANA, unit));
    assert!(again != place && house.readers(again) == sorted(vec![house.person(ANA), ben]));
}
