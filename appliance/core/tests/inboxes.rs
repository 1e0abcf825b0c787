//! What is written to a role: who reads it, where it goes when nobody holds the role, and times in which nobody will.

mod ward;

use wardline_core::audit::Act;
use wardline_core::escalation::Priority;
use wardline_core::escalation::policy::{Dial, EscalationPolicy, Ring};
use wardline_core::ids::{Conn, ConversationId, MessageId, Number, PersonId, RoleId, Sequence, UnitId};
use wardline_core::inbox::InboxAsk;
use wardline_core::input::{Ask, Call, Submit};
use wardline_core::limits;
use wardline_core::role::{Import, Roles, Which};
use wardline_core::rota::{Imported, Interval, Place, Sources, TimeZone};
use wardline_core::text::{Name, Sealed, Title};
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, RefusalCode as Code, server_frame::Body};

use ward::{BOX, Ward, acts, answer, group_of, refusal};

/// Ana and Chidi work in the unit that Ben leads; Dana works elsewhere, and writes.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
const HOUR_MS: u64 = 3_600_000;

struct House {
    ward: Ward,
    unit: UnitId,
    role: RoleId,
}

impl House {
    /// Ana holds the role until hour 8 of the next day, Chidi from then to hour 60; of later nothing is known.
    fn new() -> Self {
        let mut ward = Ward::new(4);
        let [ana, ben, chidi, dana] = ward.people[..] else { panic!("four people") };
        let unit = ward.add_unit("4 West", &[ana, chidi], &[ben]);
        ward.add_unit("Hall B", &[dana], &[]);
        let role = ward.add_role(unit, "Physician on call", ana);
        let mut house = Self { ward, unit, role };
        house.set("Physician on call");
        let shifts = [(ANA, 0, 32), (CHIDI, 32, 60)].map(|(who, from, to)| house.shift(who, from, to));
        house.import((0, 60), shifts.to_vec());
        house
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    /// Counted from now on.
    fn shift(&self, who: Conn, from: u64, to: u64) -> Imported {
        let now = self.ward.now.wall;
        let when = Interval { start: now.after(from * HOUR_MS), end: now.after(to * HOUR_MS) };
        Imported { place: Place::FIRST, when, person: self.person(who) }
    }

    fn import(&mut self, (from, to): (u64, u64), shifts: Vec<Imported>) -> Turn {
        let now = self.ward.now.wall;
        let window = Interval { start: now.after(from * HOUR_MS), end: now.after(to * HOUR_MS) };
        let (role, import) = (self.role, Import::new(window, shifts).expect("an import"));
        let turn = self.ward.ask(BOX, Ask::Role(Roles::Import { role, import }));
        assert!(matches!(answer(&turn), Body::RoleSet(_)), "{:?}", refusal(&turn));
        turn
    }

    /// Its name, and nothing but what was imported.
    fn set(&mut self, name: &str) -> Turn {
        let (name, fresh) = (Name::parse(name).expect("a name"), self.ward.fresh());
        let (which, rota) = (Which::Known(self.role), Some(Sources::new(TimeZone::utc())));
        self.ward.ask(BEN, Ask::Role(Roles::Set { which, name, rota, fresh }))
    }

    fn open(&mut self, conn: Conn) -> Turn {
        let (role, fresh) = (self.role, self.ward.fresh());
        self.ward.now.mono = self.ward.now.mono.after(10_000);
        self.ward.ask(conn, Ask::Inbox(InboxAsk::Open { role, fresh }))
    }

    fn look(&mut self, conn: Conn) -> proto::RoleInboxShown {
        let role = self.role;
        let Body::RoleInboxShown(shown) = answer(&self.ward.ask(conn, Ask::Inbox(InboxAsk::Look { role })))
        else {
            panic!("not shown")
        };
        shown
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

    fn read(&mut self, conn: Conn, conversation: ConversationId, read: u64) {
        let (delivered, read) = (Sequence(read), Sequence(read));
        self.ward.ask(conn, Ask::Receipt { conversation, delivered, read });
    }

    fn members(&self, place: ConversationId) -> Vec<PersonId> {
        self.ward.relay.state().conversations[&place].present().map(|(person, _)| person).collect()
    }

    /// In order, whoever these are.
    fn people<const N: usize>(&self, conns: [Conn; N]) -> Vec<PersonId> {
        let mut people = conns.map(|conn| self.person(conn)).to_vec();
        people.sort_unstable();
        people
    }
}

fn of(people: &[proto::Prospective]) -> Vec<u64> {
    people.iter().map(|one| one.person).collect()
}

/// Who is told of a gap, and when it begins.
fn told(turn: &Turn) -> Vec<(Conn, i64)> {
    let told = turn.sends.iter().filter_map(|send| match send {
        Send::Reply { conn, body: Body::RoleGapAhead(gap), .. } => Some((*conn, gap.start)),
        _ => None,
    });
    told.collect()
}

#[test]
fn whoever_holds_the_role_now_reads_what_was_written_to_it() {
    let mut house = House::new();
    let shown = house.look(DANA);
    assert_eq!(of(&shown.holders), [house.person(ANA).value()]);
    assert!(shown.cover.is_empty() && shown.conversation == 0 && !shown.own);
    let opened = house.open(DANA);
    let place = group_of(&opened);
    assert!(acts(&opened).contains(&Act::InboxOpened(place, house.role)));
    assert_eq!(refusal(&house.send(DANA, place, 1, Priority::Routine)), None);
    assert_eq!(house.members(place), house.people([ANA, DANA]));
    // The shift ends: in one turn the next one has it, all of it, unread as far as nobody has read it.
    let turns = house.ward.pass(32 * HOUR_MS);
    assert!(turns.iter().any(|turn| acts(turn).contains(&Act::MemberAdded(place, house.person(CHIDI)))));
    assert_eq!(house.members(place), house.people([CHIDI, DANA]));
    let chidi = house.person(CHIDI);
    let member = *house.ward.relay.state().conversations[&place].member(chidi).expect("a member");
    assert_eq!((member.from, member.read), (Sequence(1), Sequence::NONE));
    let read = Ask::History { conversation: place, before: Sequence::NONE, limit: 10 };
    assert_eq!(refusal(&house.ward.ask(ANA, read)), Some(Code::NoSuchConversation.as_str_name()));
    // The same conversation is opened again: there is one for each writer.
    assert_eq!(group_of(&house.open(DANA)), place);
    assert_eq!(house.look(DANA).conversation, place.value());
    assert_ne!(group_of(&house.open(BEN)), place);
}

#[test]
fn a_shift_that_has_ended_reads_no_more_whoevers_timer_comes_first() {
    let mut house = House::new();
    let place = group_of(&house.open(DANA));
    house.ward.now.wall = house.ward.now.wall.after(33 * HOUR_MS);
    // No timer has run: the request comes first.
    let read = Ask::History { conversation: place, before: Sequence::NONE, limit: 10 };
    assert_eq!(refusal(&house.ward.ask(ANA, read)), Some(Code::NoSuchConversation.as_str_name()));
    assert_eq!(house.members(place), house.people([CHIDI, DANA]));
}

#[test]
fn what_is_written_to_a_role_that_nobody_holds_goes_where_the_writer_was_told() {
    let mut house = House::new();
    house.ward.pass(61 * HOUR_MS);
    let shown = house.look(DANA);
    assert_eq!((of(&shown.holders), of(&shown.cover)), (vec![], vec![house.person(BEN).value()]));
    assert_eq!(shown.next, 0, "nobody is to hold it");
    let tonight = house.shift(CHIDI, 5, 9);
    house.import((0, 12), vec![tonight]);
    assert_eq!(house.look(DANA).next, house.ward.now.wall.after(5 * HOUR_MS).0);
    let place = group_of(&house.open(DANA));
    assert_eq!(house.members(place), house.people([BEN, DANA]));
    // The unit's escalation says who is asked before its charge nurses.
    let unit = Some(house.unit);
    let steps = [(Ring::Person(house.person(ANA)), 60)];
    let policy = Some(EscalationPolicy::new(15, &steps, Dial::default()).expect("a policy"));
    assert_eq!(refusal(&house.ward.ask(BEN, Ask::SetEscalation { unit, policy })), None);
    assert_eq!(of(&house.look(DANA).cover), [house.person(ANA).value()]);
    assert_eq!(house.members(place), house.people([ANA, DANA]));
    house.ward.pass(5 * HOUR_MS);
    assert_eq!(house.members(place), house.people([CHIDI, DANA]), "and whoever holds it has it then");
}

#[test]
fn whoever_holds_the_role_and_writes_to_it_is_told_that_it_is_them() {
    let mut house = House::new();
    let shown = house.look(ANA);
    assert!(shown.own && shown.holders.is_empty() && shown.cover.is_empty());
    let place = group_of(&house.open(ANA));
    assert_eq!(house.members(place), house.people([ANA]));
    house.ward.pass(32 * HOUR_MS);
    assert_eq!(house.members(place), house.people([ANA, CHIDI]), "the next one reads it");
}

#[test]
fn a_time_that_nobody_has_is_told_once_a_day_ahead_to_whoever_can_mend_it() {
    let mut house = House::new();
    let start = house.ward.now.wall.after(60 * HOUR_MS);
    let early: usize = house.ward.pass(34 * HOUR_MS).iter().map(|turn| told(turn).len()).sum();
    assert_eq!(early, 0, "it is more than a day ahead");
    let turns = house.ward.pass(3 * HOUR_MS);
    let all: Vec<(Conn, i64)> = turns.iter().flat_map(told).collect();
    assert_eq!(all, [(BEN, start.0)], "its charge nurse alone, once");
    assert!(turns.iter().any(|turn| acts(turn).contains(&Act::RoleGapFlagged(house.role, start))));
    // Whoever signs in while it is ahead is told anew.
    house.ward.sign_in(BEN, Conn(12));
    let again = told(&house.ward.ask(Conn(12), Ask::Sync { cursor: Vec::new() }));
    assert_eq!(again, [(Conn(12), start.0)]);
    // It is mended: nothing is told any more.
    let more = house.shift(ANA, 22, 22 + 14 * 24);
    let mended = house.import((22, 22 + 14 * 24), vec![more]);
    assert!(told(&mended).is_empty());
    assert_eq!(house.ward.relay.state().inboxes.gaps_of(house.role), []);
    assert!(told(&house.ward.ask(Conn(12), Ask::Sync { cursor: Vec::new() })).is_empty());
    // And somebody who may sign in no more fills none.
    let person = house.person(ANA);
    let turn = house.ward.ask(BOX, Ask::SetStanding { person, suspended: true });
    assert_eq!(told(&turn).len(), 1, "his new connection alone is there");
}

#[test]
fn what_is_done_is_its_writers_alone_until_they_write_again() {
    let mut house = House::new();
    let place = group_of(&house.open(DANA));
    house.send(DANA, place, 1, Priority::Routine);
    let finish = || Ask::Inbox(InboxAsk::Finish { conversation: place });
    assert_eq!(refusal(&house.ward.ask(CHIDI, finish())), Some(Code::NoSuchConversation.as_str_name()));
    let done = house.ward.ask(ANA, finish());
    assert!(acts(&done).contains(&Act::InboxFinished(place)));
    assert_eq!(house.members(place), house.people([DANA]));
    let more = house.send(DANA, place, 2, Priority::Routine);
    assert_eq!(refusal(&more), Some(Code::RoleInboxDone.as_str_name()));
    let again = house.open(DANA);
    assert!(group_of(&again) == place && acts(&again).contains(&Act::InboxReopened(place)));
    assert_eq!(house.members(place), house.people([ANA, DANA]));
    assert_eq!(refusal(&house.send(DANA, place, 2, Priority::Routine)), None);
}

#[test]
fn what_it_is_not_for_is_refused_and_changes_nothing() {
    let mut house = House::new();
    let place = group_of(&house.open(DANA));
    let chidi = house.person(CHIDI);
    let title = Title::parse("Mine").expect("a title");
    let group = group_of(&house.ward.open_group(DANA, vec![chidi]));
    let stat = house.send(DANA, place, 1, Priority::Stat);
    let refused = |turn: &Turn, code: Code| {
        assert_eq!(refusal(turn), Some(code.as_str_name()));
        assert!(turn.writes.is_empty(), "{}", code.as_str_name());
    };
    refused(&stat, Code::RoleInboxNoStat);
    let add = Ask::ChangeMembers { conversation: place, add: vec![chidi], remove: vec![] };
    refused(&house.ward.ask(DANA, add), Code::InRoleInbox);
    refused(&house.ward.ask(DANA, Ask::Rename { conversation: place, title }), Code::InRoleInbox);
    refused(&house.ward.ask(DANA, Ask::Archive { conversation: place, archived: true }), Code::InRoleInbox);
    let finish = Ask::Inbox(InboxAsk::Finish { conversation: group });
    refused(&house.ward.ask(DANA, finish), Code::NotRoleInbox);
    let (role, fresh) = (RoleId::new(77).expect("in range"), house.ward.fresh());
    refused(&house.ward.ask(DANA, Ask::Inbox(InboxAsk::Open { role, fresh })), Code::NoSuchRole);
    refused(&house.ward.ask(DANA, Ask::Inbox(InboxAsk::Look { role })), Code::NoSuchRole);
}

#[test]
fn its_title_is_the_roles_name_whatever_that_becomes() {
    let mut house = House::new();
    let place = group_of(&house.open(DANA));
    let done = group_of(&house.open(BEN));
    house.ward.ask(ANA, Ask::Inbox(InboxAsk::Finish { conversation: done }));
    let turn = house.set("Night physician");
    assert!(acts(&turn).contains(&Act::ConversationRenamed(place)));
    let title =
        |house: &House, place| house.ward.relay.state().conversations[&place].title.reveal().to_owned();
    assert_eq!(title(&house, place), "Night physician");
    assert_eq!(title(&house, done), "Physician on call", "what is done keeps the name that it had");
    house.open(BEN);
    assert_eq!(title(&house, done), "Night physician");
}

/// Of as many as may be open the one that is quiet for longest gives way; but none that nobody has read.
#[test]
fn a_role_has_so_many_open_and_what_nobody_has_read_gives_way_to_nothing() {
    let mut house = House::new();
    let mut places = Vec::new();
    for number in 0..limits::ROLE_INBOXES_OPEN_MAX as u64 {
        let conn = Conn(100 + number);
        house.ward.enter(conn);
        let place = group_of(&house.open(conn));
        assert_eq!(refusal(&house.send(conn, place, 1, Priority::Routine)), None);
        places.push(place);
    }
    let full = house.open(DANA);
    assert_eq!(refusal(&full), Some(Code::RoleInboxFull.as_str_name()));
    assert!(full.writes.is_empty());
    for place in [places[3], places[2]] {
        house.read(ANA, place, 1);
    }
    let opened = house.open(DANA);
    assert_eq!(refusal(&opened), None);
    assert!(acts(&opened).contains(&Act::InboxFinished(places[2])), "the one that is quiet for longest");
    assert_eq!(house.members(places[2]).len(), 1, "its writer has it");
    assert_eq!(house.members(places[3]).len(), 2);
}
