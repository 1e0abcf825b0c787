//! Legal hold, told as stories.

mod ward;

use wardline_core::clinical::{Admission, Clinical};
use wardline_core::escalation::Priority;
use wardline_core::hold::{self, Holds, Whose};
use wardline_core::ids::{Conn, ConversationId, EncounterId, HoldId, MessageId, Number, PersonId};
use wardline_core::input::{Ask, Call, Input, Submit};
use wardline_core::limits;
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::text::{Grounds, Name, Sealed, Title};
use wardline_core::time::Now;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, answer, refusal};

/// Ana and Ben work in the hall; Chidi does not; Dana is the privacy officer.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
const DAY: u64 = 24 * 3_600_000;

struct House {
    ward: Ward,
    encounter: EncounterId,
    thread: ConversationId,
    direct: ConversationId,
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(4);
        let [ana, ben, _, dana] = ward.people[..] else { panic!("four people") };
        let hall = ward.add_unit("Hall A", &[ben], &[ana]);
        ward.ask(BOX, Ask::SetDuties { person: dana, administrator: false, privacy_officer: true });
        let new = Particulars {
            record: record("0042"),
            name: Name::parse("Rosa Diaz").expect("a name"),
            birth: BirthDate::parse("1947-03-09").expect("a day"),
            sex: Sex::Female,
        };
        let (bed, fresh) = (Bed::parse("A-1").expect("a bed"), ward.fresh());
        let admission = Admission {
            record: record("0042"),
            new: Some(new),
            unit: hall,
            bed,
            attending: Some(ana),
            fresh,
        };
        let admitted = ward.ask(BOX, Ask::Clinical(Clinical::Admit(admission)));
        let Body::Admitted(admitted) = answer(&admitted) else { panic!("not admitted") };
        let fresh = ward.fresh();
        let direct = ward::group_of(&ward.ask(ANA, Ask::OpenDirect { person: ben, fresh }));
        Self {
            encounter: EncounterId::new(admitted.encounter).expect("an encounter"),
            thread: ConversationId::new(admitted.conversation).expect("a thread"),
            direct,
            ward,
        }
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn place(&mut self, whose: Whose) -> Turn {
        let matter = Title::parse("Doe v. Mercy, 26-1180").expect("a title");
        let fresh = self.ward.fresh();
        self.ward.ask(DANA, Ask::Hold(Holds::Place { whose, matter, fresh }))
    }

    fn placed(&mut self, whose: Whose) -> (HoldId, u32) {
        let Body::HoldPlaced(placed) = answer(&self.place(whose)) else { panic!("not placed") };
        (HoldId::new(placed.hold).expect("an identifier"), placed.conversations)
    }

    fn lift(&mut self, id: HoldId) -> Turn {
        let grounds = Grounds::parse("The matter is settled").expect("grounds");
        self.ward.ask(DANA, Ask::Hold(Holds::Lift { id, grounds }))
    }

    fn page(&mut self) -> proto::HoldPage {
        let Body::HoldPage(page) = answer(&self.ward.ask(DANA, Ask::Hold(Holds::List { after: None })))
        else {
            panic!("no page")
        };
        page
    }

    fn say(&mut self, number: u64, conversation: ConversationId) {
        let submit = Submit {
            number: Number(number),
            message: MessageId([number as u8; 16]),
            conversation,
            body: Some(Sealed(vec![0; 40])),
            priority: Priority::Routine,
            reply_to: None,
            mentions: Default::default(),
            attachments: vec![],
            call: Call::default(),
            order: None,
        };
        let turn = self.ward.ask(ANA, Ask::Submit(submit));
        assert!(turn.sends.iter().any(|send| matches!(send, Send::Accepted(_))), "taken");
    }

    fn purge(&mut self, conversation: ConversationId) -> Turn {
        self.ward.ask(BOX, Ask::PurgeConversation { conversation })
    }

    /// The store found that everything here is too old.
    fn aged(&mut self, conversation: ConversationId) -> bool {
        let through = self.ward.relay.state().conversations[&conversation].last;
        let input = Input::Aged { conversation, read_through: through, any_through: through };
        let turn = self.ward.handle(input);
        turn.writes.iter().any(|numbered| matches!(numbered.write, Write::MessagesExpired { .. }))
    }

    fn keeps(&self, conversation: ConversationId) -> bool {
        hold::keeps(self.ward.relay.state(), conversation)
    }
}

fn record(number: &str) -> RecordNumber {
    RecordNumber::parse(number).expect("a number")
}

#[test]
fn what_is_held_neither_expires_nor_can_be_destroyed_until_the_hold_is_lifted() {
    let mut house = House::new();
    let direct = house.direct;
    house.say(1, direct);
    let (hold, kept) = house.placed(Whose::Conversation(direct));
    assert_eq!(kept, 1);
    assert!(!house.aged(direct), "it is kept");
    let purged = house.purge(direct);
    assert_eq!(refusal(&purged), Some("REFUSAL_CODE_HELD"));
    assert!(purged.writes.is_empty());
    assert!(!house.ward.relay.state().conversations[&direct].purged);

    let lifted = house.lift(hold);
    assert!(matches!(answer(&lifted), Body::Done(_)));
    assert!(house.aged(direct), "it goes");
    assert!(matches!(answer(&house.purge(direct)), Body::Done(_)));
    assert_eq!(refusal(&house.lift(hold)), Some("REFUSAL_CODE_NO_SUCH_HOLD"));
}

#[test]
fn a_person_holds_what_they_left_too_and_what_they_come_into_later() {
    let mut house = House::new();
    let (ben, chidi) = (house.person(BEN), house.person(CHIDI));
    let group = ward::group_of(&house.ward.open_group(ANA, vec![ben, chidi]));
    house.ward.change(ANA, group, &[], &[ben]);
    let (_, kept) = house.placed(Whose::Person(ben));
    assert_eq!(kept, 2, "with Ana, and the group that he left");
    assert!(house.keeps(group) && house.keeps(house.direct) && !house.keeps(house.thread));
    let later = ward::group_of(&house.ward.open_group(CHIDI, vec![ben]));
    assert!(house.keeps(later));
    let other = ward::group_of(&house.ward.open_group(CHIDI, vec![house.person(ANA)]));
    assert!(!house.keeps(other));
}

#[test]
fn a_patient_holds_the_threads_of_all_stays_even_of_those_put_away() {
    let mut house = House::new();
    let (encounter, thread) = (house.encounter, house.thread);
    house.say(1, thread);
    assert!(matches!(
        answer(&house.ward.ask(BOX, Ask::Clinical(Clinical::Discharge { encounter }))),
        Body::Done(_)
    ));
    // The thread closes after a day; thirty days later the stay is put away.
    for _ in 0..40 {
        house.ward.pass(DAY);
    }
    let state = house.ward.relay.state();
    assert!(!state.clinic.encounters.contains_key(&encounter), "put away");
    let (_, kept) = house.placed(Whose::Record(record("0042")));
    assert_eq!(kept, 1);
    assert!(house.keeps(thread) && !house.aged(thread));
}

#[test]
fn two_holds_keep_until_both_are_lifted() {
    let mut house = House::new();
    let direct = house.direct;
    let (first, _) = house.placed(Whose::Conversation(direct));
    let (second, _) = house.placed(Whose::Person(house.person(BEN)));
    house.lift(first);
    assert!(house.keeps(direct));
    house.lift(second);
    assert!(!house.keeps(direct));
}

#[test]
fn nobody_in_the_conversation_is_told() {
    let mut house = House::new();
    let placed = house.place(Whose::Conversation(house.direct));
    let told = placed.sends.iter().filter(|send| !matches!(send, Send::Reply { conn, .. } if *conn == DANA));
    assert_eq!(told.count(), 0);
    let hold = HoldId::new(house.page().holds[0].hold).expect("an identifier");
    let lifted = house.lift(hold);
    let told = lifted.sends.iter().filter(|send| {
        !matches!(send, Send::FindAged { .. }) && !matches!(send, Send::Reply { conn, .. } if *conn == DANA)
    });
    assert_eq!(told.count(), 0);
}

#[test]
fn the_list_says_what_is_kept_and_for_what_and_the_look_is_on_record() {
    let mut house = House::new();
    house.placed(Whose::Record(record("0042")));
    house.placed(Whose::Person(house.person(CHIDI)));
    let page = house.page();
    assert!(page.end && page.holds.len() == 2);
    let of_patient = page.holds.iter().find_map(|hold| match &hold.subject {
        Some(proto::hold::Subject::Patient(patient)) => patient.particulars.as_ref(),
        _ => None,
    });
    assert_eq!(of_patient.expect("a patient").record_number, "0042");
    assert!(page.holds.iter().all(|hold| hold.matter == "Doe v. Mercy, 26-1180" && hold.by != 0));
}

#[test]
fn what_is_not_there_cannot_be_held_and_changes_nothing() {
    let mut house = House::new();
    let nobody = PersonId::new(77).expect("an identifier");
    let nowhere = ConversationId::new(77).expect("an identifier");
    let direct = house.direct;
    house.purge(direct);
    for (whose, code) in [
        (Whose::Person(nobody), "REFUSAL_CODE_NO_SUCH_PERSON"),
        (Whose::Record(record("9")), "REFUSAL_CODE_NO_SUCH_PATIENT"),
        (Whose::Conversation(nowhere), "REFUSAL_CODE_NO_SUCH_CONVERSATION"),
        (Whose::Conversation(direct), "REFUSAL_CODE_PURGED"),
    ] {
        let turn = house.place(whose);
        assert_eq!(refusal(&turn), Some(code));
        assert!(turn.writes.is_empty());
    }
}

#[test]
fn holds_have_their_bound() {
    let mut house = House::new();
    let chidi = house.person(CHIDI);
    for _ in 0..limits::HOLDS_MAX {
        let Now { mono, wall } = house.ward.now;
        house.ward.now = Now { mono: mono.after(10_000), wall };
        house.placed(Whose::Person(chidi));
    }
    house.ward.now.mono = house.ward.now.mono.after(10_000);
    assert_eq!(refusal(&house.place(Whose::Person(chidi))), Some("REFUSAL_CODE_LIMIT"));
    let mut seen = 0;
    let mut after = None;
    loop {
        let listed = house.ward.ask(DANA, Ask::Hold(Holds::List { after }));
        let Body::HoldPage(page) = answer(&listed) else { panic!("no page") };
        seen += page.holds.len();
        after = page.holds.last().and_then(|hold| HoldId::new(hold.hold));
        if page.end {
            break;
        }
    }
    assert_eq!(seen, limits::HOLDS_MAX);
}
