//! Family threads, told as stories: who is let in, what they see, and how it ends.

mod ward;

use wardline_core::access::Operation;
use wardline_core::care::TeamChange;
use wardline_core::clinical::{Admission, Clinical, Shift};
use wardline_core::emergency::{Emergency, Whom};
use wardline_core::escalation::Priority;
use wardline_core::family::{Families, LetIn};
use wardline_core::ids::{
    Conn, ConversationId, DeviceId, EncounterId, MessageId, Number, PersonId, RequestId, Sequence, UnitId,
};
use wardline_core::input::{Ask, Call, Input, Submit, Zone};
use wardline_core::limits;
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::refusal::CloseCode;
use wardline_core::restriction::Restrict;
use wardline_core::text::{Grounds, Name, Sealed, Title};
use wardline_core::time::Wall;
use wardline_core::turn::{Event, Send, Turn};
use wardline_core::wire::proto::event::Kind;
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, answer, refusal};

/// In Rosa's care team by her bed.
const NURSE: Conn = Conn(1);
/// Works in the unit, and does not care for her.
const COLLEAGUE: Conn = Conn(2);
/// Leads the unit.
const LEAD: Conn = Conn(3);
/// Maria's phone, in the guest network.
const MARIA: Conn = Conn(50);
const HOUR: u64 = 3_600_000;

struct House {
    ward: Ward,
    unit: UnitId,
    stay: EncounterId,
    /// Of Rosa's care team.
    thread: ConversationId,
    number: u64,
}

fn bed(name: &str) -> Bed {
    Bed::parse(name).expect("a bed")
}

fn title(text: &str) -> Title {
    Title::parse(text).expect("a title")
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

fn grounds() -> Grounds {
    Grounds::parse("The patient, in my presence").expect("grounds")
}

impl House {
    /// Rosa lies in bed 12, the nurse has her bed, and Rosa lets family write.
    fn new() -> Self {
        let mut house = Self::without_consent();
        house.done(NURSE, Families::SetConsent { encounter: house.stay, words: Some(grounds()) });
        house
    }

    fn without_consent() -> Self {
        let mut ward = Ward::new(3);
        let (staff, lead) = (ward.people[..2].to_vec(), ward.people[2..].to_vec());
        let unit = ward.add_unit("4 West", &staff, &lead);
        let mut house = Self { ward, unit, stay: id(1), thread: place(1), number: 0 };
        let until = house.ward.now.wall.after(8 * HOUR);
        let (beds, fresh) = (vec![bed("12"), bed("14")], house.ward.fresh());
        house.clinical(NURSE, Clinical::TakeAssignment(Shift { unit, person: None, beds, until, fresh }));
        (house.stay, house.thread) = house.admit("1", "12");
        house
    }

    fn admit(&mut self, record: &str, in_bed: &str) -> (EncounterId, ConversationId) {
        let record = RecordNumber::parse(record).expect("a number");
        let new = Particulars {
            record: record.clone(),
            name: name("Rosa Diaz"),
            birth: BirthDate::parse("1947-03-09").expect("a day"),
            sex: Sex::Female,
        };
        let fresh = self.ward.fresh();
        let (new, unit, bed) = (Some(new), self.unit, bed(in_bed));
        let admission = Admission { record, new, unit, bed, attending: None, fresh };
        let Body::Admitted(admitted) = answer(&self.clinical(BOX, Clinical::Admit(admission))) else {
            panic!("not admitted")
        };
        (id(admitted.encounter), place(admitted.conversation))
    }

    fn clinical(&mut self, conn: Conn, ask: Clinical) -> Turn {
        self.ward.ask(conn, Ask::Clinical(ask))
    }

    fn family(&mut self, conn: Conn, ask: Families) -> Turn {
        self.ward.ask(conn, Ask::Family(ask))
    }

    fn done(&mut self, conn: Conn, ask: Families) -> Turn {
        let turn = self.family(conn, ask);
        assert!(matches!(answer(&turn), Body::Done(_)), "{:?}", refusal(&turn));
        turn
    }

    fn code(&mut self) -> String {
        let (encounter, fresh) = (self.stay, Some(self.ward.fresh()));
        let turn = self.family(NURSE, Families::SetCode { encounter, fresh });
        let Body::BedsideCode(code) = answer(&turn) else { panic!("{:?}", refusal(&turn)) };
        code.code
    }

    /// Somebody asks at Rosa's bed.
    fn asks(&mut self, conn: Conn, who: &str) -> DeviceId {
        let code = self.code();
        let turn = self.ward.ask_to_visit(conn, &code, who);
        let Body::VisitAsked(asked) = answer(&turn) else { panic!("{:?}", refusal(&turn)) };
        DeviceId::new(asked.device).expect("a device")
    }

    fn lets_in(&mut self, device: DeviceId, into: LetIn) -> Turn {
        let fresh = self.ward.fresh();
        self.family(NURSE, Families::Answer { device, into: Some(into), until: None, fresh })
    }

    /// Somebody is let in, and their phone is delivered to.
    fn visits(&mut self, conn: Conn, who: &str, into: LetIn) -> (PersonId, ConversationId, DeviceId) {
        let device = self.asks(conn, who);
        let turn = self.lets_in(device, into);
        let Body::VisitAnswered(let_in) = answer(&turn) else { panic!("{:?}", refusal(&turn)) };
        assert!(matches!(answer(&self.ward.visit(conn, device)), Body::SignedIn(_)));
        self.ward.ask(conn, Ask::Sync { cursor: Vec::new() });
        (PersonId::new(let_in.person).expect("a person"), place(let_in.conversation), device)
    }

    fn says(&mut self, conn: Conn, conversation: ConversationId) -> Turn {
        self.says_with(conn, conversation, Priority::Routine)
    }

    fn says_with(&mut self, conn: Conn, conversation: ConversationId, priority: Priority) -> Turn {
        self.number += 1;
        let (number, message) = (Number(self.number), MessageId([self.number as u8; 16]));
        let (body, call, reply_to) = (Some(Sealed(vec![0; 40])), Call::default(), None);
        self.ward.ask(
            conn,
            Ask::Submit(Submit {
                number,
                message,
                conversation,
                body,
                priority,
                call,
                reply_to,
                attachments: Vec::new(),
                mentions: Default::default(),
                order: None,
            }),
        )
    }

    fn page(&mut self, conn: Conn) -> proto::FamilyPage {
        let turn = self.family(conn, Families::List { encounter: self.stay });
        let Body::FamilyPage(page) = answer(&turn) else { panic!("{:?}", refusal(&turn)) };
        page
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn members(&self, conversation: ConversationId) -> Vec<PersonId> {
        self.ward.relay.state().conversations[&conversation].present().map(|(person, _)| person).collect()
    }

    fn restart(&mut self) {
        let state = self.ward.relay.state();
        let clinic = wardline_core::clinic::RestoredClinic {
            patients: state.clinic.patients.values().cloned().collect(),
            encounters: state.clinic.encounters.values().cloned().collect(),
            care: state.clinic.care.iter().map(|((stay, who), place)| (*stay, *who, *place)).collect(),
            assignments: state.clinic.assignments.values().cloned().collect(),
            emergencies: state.clinic.emergencies.values().cloned().collect(),
            threads: state
                .clinic
                .patients
                .keys()
                .flat_map(|patient| state.clinic.threads_of(*patient).map(|thread| (thread, *patient)))
                .collect(),
        };
        let restored = wardline_core::state::Restored {
            people: state.people.values().cloned().collect(),
            units: state.units.values().cloned().collect(),
            devices: state.devices.values().cloned().collect(),
            conversations: state.conversations.values().cloned().collect(),
            change: state.change,
            audited: state.audited,
            last_at: state.last_at,
            clinic,
            family: state.family.to_restored(),
            ..Default::default()
        };
        let hash = state.canonical_hash();
        self.ward.now.mono = wardline_core::time::Mono(5);
        self.ward.relay =
            wardline_core::relay::Relay::new(self.ward.now, Default::default(), &[7; 32], restored)
                .expect("the same");
        assert!(self.ward.relay.state().canonical_hash() == hash);
    }
}

fn id(value: u64) -> EncounterId {
    EncounterId::new(value).expect("an encounter")
}

fn place(value: u64) -> ConversationId {
    ConversationId::new(value).expect("a conversation")
}

fn new(text: &str) -> LetIn {
    LetIn::New(title(text))
}

/// What a connection is told as events, in this turn.
fn told(turn: &Turn, conn: Conn) -> Vec<Kind> {
    let fanouts = turn.sends.iter().filter_map(|send| match send {
        Send::Fanout { event: Event::Small(kind), conns, .. } if conns.contains(&conn) => {
            Some((**kind).clone())
        }
        _ => None,
    });
    fanouts.collect()
}

fn hears_message(turn: &Turn, conn: Conn) -> bool {
    turn.sends.iter().any(
        |send| matches!(send, Send::Fanout { event: Event::Message(..), conns, .. } if conns.contains(&conn)),
    )
}

fn is_closed(turn: &Turn, conn: Conn) -> bool {
    turn.sends.iter().any(
        |send| matches!(send, Send::Close { conn: closed, code } if *closed == conn && *code == CloseCode::REVOKED),
    )
}

fn told_kinds(turn: &Turn) -> Vec<u32> {
    let told = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::NoticeMade(notice) => Some(notice.told.parts().kind),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_visitor_asks_is_let_in_and_writes_with_the_team() {
    let mut house = House::new();
    let code = house.code();
    let asked = house.ward.ask_to_visit(MARIA, &code, "Maria Lopez");
    let Body::VisitAsked(answered) = answer(&asked) else { panic!("not asked") };
    let device = DeviceId::new(answered.device).expect("a device");
    assert_eq!(told_kinds(&asked), [242], "the team is told that somebody asks, and not who");
    assert!(told(&asked, COLLEAGUE).is_empty());
    let waits = house.ward.say_hello(MARIA, Zone::Guest, Some(device));
    assert_eq!(refusal(&waits), Some("REFUSAL_CODE_FAMILY_WAITING"));
    let page = house.page(NURSE);
    assert_eq!((page.requests.len(), page.requests[0].name.as_str()), (1, "Maria Lopez"));
    let let_in = house.lets_in(device, new("The daughters"));
    let Body::VisitAnswered(let_in) = answer(&let_in) else { panic!("{:?}", refusal(&let_in)) };
    let thread = place(let_in.conversation);
    let Body::SignedIn(signed_in) = answer(&house.ward.visit(MARIA, device)) else { panic!("not signed in") };
    assert!(signed_in.visitor && signed_in.name == "Maria Lopez");
    house.ward.ask(MARIA, Ask::Sync { cursor: Vec::new() });
    let said = house.says(MARIA, thread);
    assert!(hears_message(&said, NURSE) && !hears_message(&said, COLLEAGUE) && !hears_message(&said, LEAD));
    let answered = house.says(NURSE, thread);
    assert!(hears_message(&answered, MARIA));
    assert!(
        !hears_message(&house.says(NURSE, house.thread), MARIA),
        "the patient's own thread is the team's"
    );
    assert_eq!(refusal(&house.says(MARIA, house.thread)), Some("REFUSAL_CODE_NO_SUCH_CONVERSATION"));
}

/// What stands in a family thread: the visitor hears who is of the team and nothing of the patient; the team, whose family it is.
#[test]
fn a_visitor_sees_names_and_no_patient() {
    let mut house = House::new();
    let (maria, thread, _) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    let state = house.ward.relay.state();
    let seen = state.conversation_to_wire(thread, maria).expect("the thread");
    let family = seen.family.expect("a family thread");
    assert!(seen.patient.is_none() && seen.encounter.is_none() && family.patient_thread == 0);
    let named: Vec<(&str, bool)> =
        family.people.iter().map(|person| (person.name.as_str(), person.visitor)).collect();
    assert!(named.contains(&("Nurse 1", false)) && named.contains(&("Maria Lopez", true)));
    let seen = state.conversation_to_wire(thread, house.person(NURSE)).expect("the thread");
    assert!(seen.kind() == proto::ConversationKind::Family);
    assert_eq!(seen.family.expect("a family thread").patient_thread, house.thread.value());
}

#[test]
fn visitors_stand_in_no_directory_and_hear_nothing_of_it() {
    let mut house = House::new();
    let (maria, ..) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    let Body::PeoplePage(page) = answer(&house.ward.ask(COLLEAGUE, Ask::ListPeople { after: None })) else {
        panic!("no page")
    };
    assert!(page.people.iter().all(|person| person.person != maria.value()));
    let fresh = house.ward.fresh();
    let open = house.ward.ask(COLLEAGUE, Ask::OpenDirect { person: maria, fresh });
    assert_eq!(refusal(&open), Some("REFUSAL_CODE_NO_SUCH_PERSON"));
    let fresh = house.ward.fresh();
    let added = house
        .ward
        .ask(BOX, Ask::AddPerson { name: name("Zoe"), title: Title::default(), administrator: false, fresh });
    assert!(told(&added, NURSE).iter().any(|kind| matches!(kind, Kind::Person(_))));
    assert!(told(&added, MARIA).is_empty(), "a visitor hears of no directory");
    let post =
        Ask::SetPost { person: maria, unit: house.unit, post: Some(wardline_core::directory::Post::Staff) };
    assert_eq!(refusal(&house.ward.ask(BOX, post)), Some("REFUSAL_CODE_NO_SUCH_PERSON"));
    let fresh = house.ward.fresh();
    let code = house.ward.ask(BOX, Ask::IssueJoinCode { person: maria, fresh });
    assert_eq!(refusal(&code), Some("REFUSAL_CODE_NO_SUCH_PERSON"));
    let duties = Ask::SetDuties { person: maria, administrator: true, privacy_officer: false };
    assert_eq!(refusal(&house.ward.ask(BOX, duties)), Some("REFUSAL_CODE_NO_SUCH_PERSON"));
    let suspend = Ask::SetStanding { person: maria, suspended: true };
    assert_eq!(refusal(&house.ward.ask(BOX, suspend)), Some("REFUSAL_CODE_NO_SUCH_PERSON"));
    let (add, encounter) = (vec![maria], house.stay);
    let change = TeamChange { add, until: None, remove: vec![] };
    let team = house.clinical(NURSE, Clinical::ChangeCareTeam { encounter, change });
    assert_eq!(refusal(&team), Some("REFUSAL_CODE_NO_SUCH_PERSON"));
}

#[test]
fn from_the_guest_network_only_family_comes() {
    let mut house = House::new();
    let (_, _, device) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    let nurses = house.ward.relay.state().devices_of(house.person(NURSE)).next().expect("a device").id;
    let guest = house.ward.say_hello(Conn(60), Zone::Guest, Some(nurses));
    assert_eq!(refusal(&guest), Some("REFUSAL_CODE_ZONE"));
    let (person, fresh) = (house.person(COLLEAGUE), house.ward.fresh());
    let Body::JoinCode(code) = answer(&house.ward.ask(BOX, Ask::IssueJoinCode { person, fresh })) else {
        panic!("no code")
    };
    let joined = house.ward.try_join(Conn(61), Zone::Guest, &code.code);
    assert_eq!(refusal(&joined), Some("REFUSAL_CODE_ZONE"), "a join code is for the ward's network");
    let roams = house.ward.handle(Input::Moved { conn: NURSE, zone: Zone::Guest });
    assert_eq!(refusal(&roams), Some("REFUSAL_CODE_ZONE"));
    let roams = house.ward.handle(Input::Moved { conn: MARIA, zone: Zone::Guest });
    assert!(roams.sends.is_empty(), "a visitor is where they belong");
    let from_the_ward = house.ward.say_hello(Conn(62), Zone::Ward, Some(device));
    assert!(refusal(&from_the_ward).is_none(), "a facility may have one network only");
}

#[test]
fn without_consent_there_is_no_code_and_nobody_is_let_in() {
    let mut house = House::without_consent();
    let (encounter, fresh) = (house.stay, Some(house.ward.fresh()));
    let code = house.family(NURSE, Families::SetCode { encounter, fresh });
    assert_eq!(refusal(&code), Some("REFUSAL_CODE_NO_FAMILY_CONSENT"));
    house.done(NURSE, Families::SetConsent { encounter, words: Some(grounds()) });
    let device = house.asks(MARIA, "Maria Lopez");
    house.done(NURSE, Families::SetConsent { encounter, words: None });
    let let_in = house.lets_in(device, new("The daughters"));
    assert_eq!(refusal(&let_in), Some("REFUSAL_CODE_NO_SUCH_VISIT"), "with the consent went who waited");
    let hello = house.ward.say_hello(MARIA, Zone::Guest, Some(device));
    assert_eq!(refusal(&hello), Some("REFUSAL_CODE_DEVICE_UNKNOWN"));
}

/// Each way out is one turn: the phone hears that it is out, its connection closes, and it does not come back.
#[test]
fn every_end_puts_a_connected_visitor_out_in_the_same_turn() {
    type End = fn(&mut House, PersonId, ConversationId) -> Turn;
    let ends: [(&str, End); 6] = [
        ("discharge", |house, _, _| {
            let encounter = house.stay;
            house.clinical(BOX, Clinical::Discharge { encounter })
        }),
        ("consent", |house, _, _| {
            let encounter = house.stay;
            house.done(LEAD, Families::SetConsent { encounter, words: None })
        }),
        ("by hand", |house, person, _| house.done(NURSE, Families::End { person })),
        ("the thread", |house, _, conversation| house.done(NURSE, Families::EndThread { conversation })),
        ("blocked", |house, _, _| {
            let (encounter, name) = (house.stay, name("LOPEZ, Maria"));
            house.done(NURSE, Families::SetBlock { encounter, name, blocked: true })
        }),
        ("time", |house, _, _| {
            let mut turns = house.ward.pass(limits::VISIT_MS);
            let at = turns.iter().position(|turn| is_closed(turn, MARIA)).expect("it is over");
            turns.swap_remove(at)
        }),
    ];
    for (what, end) in ends {
        let mut house = House::new();
        let (maria, thread, device) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
        house.says(MARIA, thread);
        let turn = end(&mut house, maria, thread);
        assert!(is_closed(&turn, MARIA), "{what}");
        assert!(told(&turn, MARIA).iter().any(|kind| matches!(kind, Kind::Gone(_))), "{what}");
        assert!(!house.members(thread).contains(&maria), "{what}");
        let hello = house.ward.say_hello(Conn(70), Zone::Guest, Some(device));
        assert_eq!(refusal(&hello), Some("REFUSAL_CODE_FAMILY_OVER"), "{what}");
        if what != "time" {
            assert!(house.members(thread).contains(&house.person(NURSE)), "{what}: the team reads it still");
        }
        let ended = !matches!(what, "by hand" | "blocked" | "time");
        let more = house.says(NURSE, thread);
        let taken = refusal(&more) == Some("REFUSAL_CODE_FAMILY_THREAD_ENDED");
        assert!(taken == ended || what == "time", "{what}: {:?}", refusal(&more));
    }
}

#[test]
fn an_end_while_the_phone_is_away_is_told_when_it_comes() {
    let mut house = House::new();
    let (maria, thread, device) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    house.ward.handle(Input::Closed { conn: MARIA });
    house.done(NURSE, Families::End { person: maria });
    assert!(!hears_message(&house.says(NURSE, thread), MARIA));
    let hello = house.ward.say_hello(MARIA, Zone::Guest, Some(device));
    assert_eq!(refusal(&hello), Some("REFUSAL_CODE_FAMILY_OVER"));
}

#[test]
fn a_bed_change_kills_the_code_in_the_same_turn() {
    let mut house = House::new();
    let code = house.code();
    let (encounter, unit) = (house.stay, house.unit);
    let moved = house.clinical(BOX, Clinical::Transfer { encounter, unit, bed: bed("14") });
    assert!(moved.writes.iter().any(|n| matches!(n.write, Write::BedsideCodeSet { code: None, .. })));
    let asked = house.ward.ask_to_visit(MARIA, &code, "Maria Lopez");
    assert_eq!(refusal(&asked), Some("REFUSAL_CODE_BEDSIDE_CODE_INVALID"));
    let (other, _) = house.admit("2", "12");
    house.done(NURSE, Families::SetConsent { encounter: other, words: Some(grounds()) });
    let asked = house.ward.ask_to_visit(Conn(51), &code, "Maria Lopez");
    assert_eq!(refusal(&asked), Some("REFUSAL_CODE_BEDSIDE_CODE_INVALID"), "nor is it the next patient's");
}

#[test]
fn a_newer_code_a_discharge_and_a_month_kill_the_code() {
    let mut house = House::new();
    let code = house.code();
    house.code();
    assert_eq!(
        refusal(&house.ward.ask_to_visit(MARIA, &code, "M")),
        Some("REFUSAL_CODE_BEDSIDE_CODE_INVALID")
    );
    let code = house.code();
    house.ward.pass(limits::BEDSIDE_CODE_MS);
    assert_eq!(
        refusal(&house.ward.ask_to_visit(MARIA, &code, "M")),
        Some("REFUSAL_CODE_BEDSIDE_CODE_INVALID")
    );
    let mut house = House::new();
    let (code, encounter) = (house.code(), house.stay);
    house.clinical(BOX, Clinical::Discharge { encounter });
    assert_eq!(
        refusal(&house.ward.ask_to_visit(MARIA, &code, "M")),
        Some("REFUSAL_CODE_BEDSIDE_CODE_INVALID")
    );
    assert_eq!(house.ward.relay.state().family.consents.len(), 0);
}

#[test]
fn whoever_is_declined_is_told_so_and_whoever_is_blocked_is_not_let_in() {
    let mut house = House::new();
    let device = house.asks(MARIA, "Maria Lopez");
    let fresh = house.ward.fresh();
    house.done(NURSE, Families::Answer { device, into: None, until: None, fresh });
    let hello = house.ward.say_hello(MARIA, Zone::Guest, Some(device));
    assert_eq!(refusal(&hello), Some("REFUSAL_CODE_FAMILY_DECLINED"));
    assert!(house.page(NURSE).requests.is_empty());
    let encounter = house.stay;
    house.done(NURSE, Families::SetBlock { encounter, name: name("Viktor Brandt"), blocked: true });
    let device = house.asks(Conn(51), "Brandt, Viktor");
    let hello = house.ward.say_hello(Conn(51), Zone::Guest, Some(device));
    assert_eq!(refusal(&hello), Some("REFUSAL_CODE_FAMILY_WAITING"), "whoever is blocked does not learn it");
    assert!(house.page(NURSE).requests[0].blocked);
    assert_eq!(refusal(&house.lets_in(device, new("x"))), Some("REFUSAL_CODE_FAMILY_BLOCKED"));
    let wrong = house.family(NURSE, Families::SetBlock { encounter, name: name("Brandt"), blocked: false });
    assert_eq!(refusal(&wrong), Some("REFUSAL_CODE_NOT_BLOCKED"));
    house.done(NURSE, Families::SetBlock { encounter, name: name("Viktor Brandt"), blocked: false });
    assert!(refusal(&house.lets_in(device, new("x"))).is_none());
}

#[test]
fn two_family_threads_of_a_patient_and_their_own_know_nothing_of_each_other() {
    let mut house = House::new();
    let (maria, daughters, _) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    let (paul, son, _) = house.visits(Conn(51), "Paul Diaz", new("The son"));
    let (rosa, own, _) = house.visits(Conn(52), "Rosa Diaz", LetIn::Own);
    assert!(daughters != son && son != own);
    for (conn, mine) in [(MARIA, daughters), (Conn(51), son), (Conn(52), own)] {
        for thread in [daughters, son, own] {
            let read = house
                .ward
                .ask(conn, Ask::History { conversation: thread, before: Sequence::NONE, limit: 10 });
            let none = refusal(&read) == Some("REFUSAL_CODE_NO_SUCH_CONVERSATION");
            assert_eq!(none, thread != mine);
            assert_eq!(hears_message(&house.says(NURSE, thread), conn), thread == mine);
        }
    }
    let state = house.ward.relay.state();
    let shown = format!(
        "{:?}",
        state
            .conversation_to_wire(daughters, maria)
            .expect("hers")
            .family
            .map(|family| { family.people.into_iter().map(|person| person.name).collect::<Vec<_>>() })
    );
    assert!(!shown.contains("Paul") && !shown.contains("Rosa"), "{shown}");
    assert_eq!(state.memberships(paul).collect::<Vec<_>>(), [son]);
    assert_eq!(state.memberships(rosa).collect::<Vec<_>>(), [own]);
    let device = house.asks(Conn(53), "Rosa D.");
    assert_eq!(refusal(&house.lets_in(device, LetIn::Own)), Some("REFUSAL_CODE_FAMILY_OWN_TAKEN"));
    assert_eq!(
        refusal(&house.lets_in(device, LetIn::Thread(own))),
        Some("REFUSAL_CODE_NO_SUCH_CONVERSATION")
    );
    let (before, _) = (house.says(NURSE, daughters), ());
    assert!(refusal(&before).is_none());
    let joined = house.lets_in(device, LetIn::Thread(daughters));
    let Body::VisitAnswered(joined) = answer(&joined) else { panic!("{:?}", refusal(&joined)) };
    let person = PersonId::new(joined.person).expect("a person");
    let member = *house.ward.relay.state().conversations[&daughters].member(person).expect("in it");
    assert_eq!(member.from, house.ward.relay.state().conversations[&daughters].last.next());
}

#[test]
fn a_visitor_has_so_many_devices_and_no_more() {
    let mut house = House::new();
    let (maria, thread, _) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    for more in 1..=limits::VISITOR_DEVICES_MAX as u64 {
        let conn = Conn(50 + more);
        let device = house.asks(conn, "Maria Lopez");
        let let_in = house.lets_in(device, LetIn::As(maria));
        if more < limits::VISITOR_DEVICES_MAX as u64 {
            assert!(matches!(answer(&let_in), Body::VisitAnswered(_)));
            house.ward.visit(conn, device);
            house.ward.ask(conn, Ask::Sync { cursor: Vec::new() });
        } else {
            assert_eq!(refusal(&let_in), Some("REFUSAL_CODE_VISITOR_DEVICES"));
        }
    }
    assert!(hears_message(&house.says(NURSE, thread), Conn(51)));
    let out = house.done(NURSE, Families::End { person: maria });
    assert!(is_closed(&out, MARIA) && is_closed(&out, Conn(51)), "all of them are out");
}

#[test]
fn a_code_does_not_flood_a_nurse_nor_is_it_guessed() {
    let mut house = House::new();
    let code = house.code();
    for visitor in 0..limits::VISITS_WAITING_MAX as u64 {
        let asked = house.ward.ask_to_visit(Conn(100 + visitor), &code, &format!("Visitor {visitor}"));
        assert!(matches!(answer(&asked), Body::VisitAsked(_)));
    }
    let more = house.ward.ask_to_visit(Conn(200), &code, "One more");
    assert_eq!(refusal(&more), Some("REFUSAL_CODE_FAMILY_BUSY"));
    let waits: Vec<u64> = house.page(NURSE).requests.iter().map(|request| request.device).collect();
    for device in waits {
        let (device, fresh) = (DeviceId::new(device).expect("a device"), house.ward.fresh());
        house.done(NURSE, Families::Answer { device, into: None, until: None, fresh });
    }
    let soon = house.ward.ask_to_visit(Conn(201), &code, "One more");
    assert_eq!(refusal(&soon), Some("REFUSAL_CODE_SLOW_DOWN"), "the code of one bed is good for so many");
    house.ward.pass(60_000);
    assert!(refusal(&house.ward.ask_to_visit(Conn(202), &code, "One more")).is_none());
    let from_one = |house: &mut House| {
        (0..25).map(|_| refusal(&house.ward.ask_to_visit(Conn(203), "0000000000", "x"))).collect::<Vec<_>>()
    };
    let tries = from_one(&mut house);
    assert_eq!(tries[0], Some("REFUSAL_CODE_BEDSIDE_CODE_INVALID"));
    assert_eq!(tries[24], Some("REFUSAL_CODE_SLOW_DOWN"), "one address guesses so many");
}

#[test]
fn nobody_changes_what_the_team_looks_at() {
    let mut house = House::new();
    let code = house.code();
    let first = house.ward.ask_to_visit(MARIA, &code, "Maria Lopez");
    let Body::VisitAsked(first) = answer(&first) else { panic!("not asked") };
    let Body::VisitAsked(again) = answer(&house.ward.ask_to_visit(MARIA, &code, "Somebody else")) else {
        panic!("not asked")
    };
    assert_eq!((first.device, first.until), (again.device, again.until), "an answer that was lost");
    assert_eq!(house.page(NURSE).requests[0].name, "Maria Lopez");
}

#[test]
fn a_request_waits_for_four_hours() {
    let mut house = House::new();
    let device = house.asks(MARIA, "Maria Lopez");
    house.ward.pass(limits::VISIT_REQUEST_MS - 1);
    assert_eq!(house.page(NURSE).requests.len(), 1);
    house.ward.now.wall = Wall(house.ward.now.wall.0 - 86_400_000);
    house.ward.pass(1);
    assert!(house.page(NURSE).requests.is_empty(), "a clock that steps back gives no more time");
    assert_eq!(refusal(&house.lets_in(device, new("x"))), Some("REFUSAL_CODE_NO_SUCH_VISIT"));
}

#[test]
fn the_end_of_a_visit_is_set_and_set_again_within_bounds() {
    let mut house = House::new();
    let (person, ..) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    let now = house.ward.now.wall;
    for until in [now, now.after(limits::VISIT_TIME_MAX_MS + 1)] {
        let turn = house.family(NURSE, Families::Prolong { person, until });
        assert_eq!(refusal(&turn), Some("REFUSAL_CODE_VISIT_END_INVALID"));
    }
    house.done(NURSE, Families::Prolong { person, until: now.after(HOUR) });
    let turns = house.ward.pass(HOUR);
    assert!(turns.iter().any(|turn| is_closed(turn, MARIA)));
    let over = house.family(NURSE, Families::Prolong { person, until: now.after(3 * HOUR) });
    assert_eq!(refusal(&over), Some("REFUSAL_CODE_NO_SUCH_VISIT"));
}

#[test]
fn a_family_thread_takes_no_stat_and_a_visitor_nothing_urgent() {
    let mut house = House::new();
    let (_, thread, _) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    let stat = house.says_with(NURSE, thread, Priority::Stat);
    assert_eq!(refusal(&stat), Some("REFUSAL_CODE_FAMILY_NO_STAT"));
    for priority in [Priority::Urgent, Priority::Stat] {
        assert_eq!(refusal(&house.says_with(MARIA, thread, priority)), Some("REFUSAL_CODE_FAMILY_ONLY"));
    }
    assert!(refusal(&house.says_with(NURSE, thread, Priority::Urgent)).is_none());
    let rename = Ask::Rename { conversation: thread, title: title("Another") };
    assert_eq!(refusal(&house.ward.ask(NURSE, rename)), Some("REFUSAL_CODE_IN_FAMILY_THREAD"));
    let (add, remove) = (vec![house.person(COLLEAGUE)], vec![]);
    let change = Ask::ChangeMembers { conversation: thread, add, remove };
    assert_eq!(refusal(&house.ward.ask(NURSE, change)), Some("REFUSAL_CODE_IN_FAMILY_THREAD"));
}

/// Whoever comes into the care team is in the family thread and reads it from its beginning, whoever leaves is out; breaking the
/// glass opens the patient's thread and nothing else.
#[test]
fn the_teams_part_follows_the_care_team() {
    let mut house = House::new();
    let (maria, thread, _) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    house.says(MARIA, thread);
    let (encounter, colleague) = (house.stay, house.person(COLLEAGUE));
    let (whom, fresh) = (Whom::InBed(house.unit, bed("12")), house.ward.fresh());
    let glass = Emergency::Begin { whom, grounds: grounds(), fresh };
    house.clinical(COLLEAGUE, Clinical::Emergency(glass));
    assert!(house.members(house.thread).contains(&colleague));
    assert!(!house.members(thread).contains(&colleague), "emergency access is to the patient's thread");
    let denied = house.family(COLLEAGUE, Families::List { encounter });
    assert_eq!(refusal(&denied), Some("REFUSAL_CODE_NOT_PERMITTED"));
    assert_eq!(denied.sends.len(), 1);
    let change = TeamChange { add: vec![colleague], until: None, remove: vec![] };
    let came = house.clinical(NURSE, Clinical::ChangeCareTeam { encounter, change });
    let shown = told(&came, COLLEAGUE).into_iter().find_map(|kind| match kind {
        Kind::Conversation(told) if told.conversation == thread.value() => Some(told),
        _ => None,
    });
    let shown = shown.expect("the family thread");
    assert_eq!((shown.first_sequence, shown.last_sequence), (1, 1));
    let news = told(&came, MARIA).into_iter().find_map(|kind| match kind {
        Kind::ConversationChanged(news) => Some(news),
        _ => None,
    });
    assert_eq!(news.expect("news").people[0].name, "Nurse 2");
    let change = TeamChange { add: vec![], until: None, remove: vec![colleague] };
    house.clinical(NURSE, Clinical::ChangeCareTeam { encounter, change });
    assert!(!house.members(thread).contains(&colleague));
    assert!(house.members(thread).contains(&maria));
}

#[test]
fn of_a_restricted_patient_only_whoever_is_named_deals_with_family() {
    let mut house = House::new();
    let (maria, thread, _) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    let (encounter, nurse) = (house.stay, house.person(NURSE));
    let restrict = Restrict {
        encounter,
        alias: Some(name("Blue Heron")),
        add: vec![house.person(COLLEAGUE)],
        remove: vec![],
    };
    house.clinical(LEAD, Clinical::Restrict(restrict));
    assert!(!house.members(thread).contains(&nurse), "who is not named is out of the family thread too");
    assert!(
        house.members(thread).contains(&house.person(COLLEAGUE)) && house.members(thread).contains(&maria)
    );
    assert_eq!(refusal(&house.family(LEAD, Families::List { encounter })), Some("REFUSAL_CODE_RESTRICTED"));
    assert_eq!(
        refusal(&house.family(NURSE, Families::List { encounter })),
        Some("REFUSAL_CODE_NOT_PERMITTED")
    );
    assert_eq!(house.page(COLLEAGUE).visitors.len(), 1);
}

#[test]
fn everything_is_as_it_was_after_a_restart() {
    let mut house = House::new();
    let (maria, thread, device) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    let waits = house.asks(Conn(51), "Paul Diaz");
    house.restart();
    house.ward.sign_in(NURSE, NURSE);
    let hello = house.ward.say_hello(Conn(51), Zone::Guest, Some(waits));
    assert_eq!(refusal(&hello), Some("REFUSAL_CODE_FAMILY_WAITING"));
    assert!(matches!(answer(&house.ward.visit(MARIA, device)), Body::SignedIn(_)));
    house.ward.ask(MARIA, Ask::Sync { cursor: Vec::new() });
    assert!(house.members(thread).contains(&maria));
    let turns = house.ward.pass(limits::VISIT_MS);
    assert!(turns.iter().any(|turn| is_closed(turn, MARIA)), "its end is not forgotten");
}

#[test]
fn a_stay_that_is_put_away_leaves_nobody_in_its_family_threads() {
    let mut house = House::new();
    let (_, thread, _) = house.visits(MARIA, "Maria Lopez", new("The daughters"));
    let encounter = house.stay;
    house.clinical(BOX, Clinical::Discharge { encounter });
    house.ward.pass(40 * 24 * HOUR);
    assert!(house.members(thread).is_empty());
    assert!(house.ward.relay.state().family.threads.is_empty());
    let patient = house.ward.relay.state().clinic.patient_of(thread);
    assert!(patient.is_some(), "a hold on the patient finds it");
}

#[test]
fn every_refusal_says_what_to_do() {
    let rule = Operation::AnswerVisit.rule().to_string();
    assert!(rule.starts_with("Only whoever is in the patient's care team or a charge nurse of the unit may"));
    let mut house = House::new();
    house.visits(MARIA, "Maria Lopez", new("The daughters"));
    let turn = house.ward.handle(Input::Request { conn: MARIA, request: RequestId(9), ask: Ask::ListUnits });
    let Body::Refused(refused) = answer(&turn) else { panic!("not refused") };
    assert_eq!(
        refused.advice,
        "A visitor reads and writes in their own family thread, and does nothing else. Ask the care team for anything more."
    );
}
