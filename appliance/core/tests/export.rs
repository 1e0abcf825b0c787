//! Exports, told as stories: who may, what belongs to a record, and what is nobody else's.

mod ward;

use wardline_core::audit::{Act, Entry};
use wardline_core::clinical::{Admission, Clinical};
use wardline_core::escalation::{Priority, StatId};
use wardline_core::export::{Exporting, Whose};
use wardline_core::grant::ExportGrant;
use wardline_core::ids::{Conn, ConversationId, ExportId, MessageId, Number, PersonId, Sequence};
use wardline_core::input::{Ask, Call, Submit};
use wardline_core::limits;
use wardline_core::merge::Merge;
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::text::{Grounds, Name, Sealed};
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::{self, RefusalCode as Code, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, answer};

/// Ana and Ben work in the hall; Chidi does not; Dana and Emil are privacy officers.
const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);
const EMIL: Conn = Conn(5);

struct House {
    ward: Ward,
    numbers: u64,
    /// Rosa's thread and Maria's.
    rosa: ConversationId,
    maria: ConversationId,
    direct: ConversationId,
}

fn record(text: &str) -> RecordNumber {
    RecordNumber::parse(text).expect("a record number")
}

fn grounds() -> Grounds {
    Grounds::parse("Request of the patient").expect("grounds")
}

impl House {
    fn new() -> Self {
        let mut ward = Ward::new(5);
        let [ana, ben, _, dana, emil] = ward.people[..] else { panic!("five people") };
        let hall = ward.add_unit("Hall A", &[ben], &[ana]);
        for officer in [dana, emil] {
            ward.ask(BOX, Ask::SetDuties { person: officer, administrator: false, privacy_officer: true });
        }
        let mut admit = |number: &str, name: &str, bed: &str| {
            let new = Particulars {
                record: record(number),
                name: Name::parse(name).expect("a name"),
                birth: BirthDate::parse("1947-03-09").expect("a day"),
                sex: Sex::Female,
            };
            let (bed, fresh) = (Bed::parse(bed).expect("a bed"), ward.fresh());
            let (record, attending) = (record(number), Some(ana));
            let admission = Admission { record, new: Some(new), unit: hall, bed, attending, fresh };
            let admitted = ward.ask(BOX, Ask::Clinical(Clinical::Admit(admission)));
            let Body::Admitted(admitted) = answer(&admitted) else { panic!("not admitted") };
            ConversationId::new(admitted.conversation).expect("a thread")
        };
        let (rosa, maria) = (admit("0042", "Rosa Diaz", "A-1"), admit("0043", "Maria Lopez", "A-2"));
        let fresh = ward.fresh();
        let direct = ward::group_of(&ward.ask(ANA, Ask::OpenDirect { person: ben, fresh }));
        let mut house = Self { ward, numbers: 0, rosa, maria, direct };
        for place in [rosa, rosa, maria, direct] {
            house.say(ANA, place);
        }
        house
    }

    fn person(&self, conn: Conn) -> PersonId {
        self.ward.people[conn.0 as usize - 1]
    }

    fn say(&mut self, who: Conn, conversation: ConversationId) {
        self.numbers += 1;
        let submit = Submit {
            number: Number(self.numbers),
            message: MessageId([self.numbers as u8; 16]),
            conversation,
            body: Some(Sealed(vec![0; 40])),
            priority: Priority::Routine,
            reply_to: None,
            mentions: Default::default(),
            attachments: vec![],
            call: Call::default(),
            order: None,
        };
        let turn = self.ward.ask(who, Ask::Submit(submit));
        assert!(turn.sends.iter().any(|send| matches!(send, Send::Accepted(_))), "taken");
    }

    fn begin(&mut self, by: Conn, whose: Whose) -> Turn {
        let fresh = self.ward.fresh();
        self.ward.ask(by, Ask::Export(Exporting::Begin { whose, grounds: grounds(), fresh }))
    }

    fn begun(&mut self, by: Conn, whose: Whose) -> (ExportId, proto::ExportBegun) {
        let Body::ExportBegun(begun) = answer(&self.begin(by, whose)) else { panic!("not begun") };
        (ExportId::new(begun.export).expect("an identifier"), begun)
    }

    fn places(&mut self, by: Conn, export: ExportId) -> Vec<proto::ExportPlace> {
        let turn = self.ward.ask(by, Ask::Export(Exporting::Places { export, after: None }));
        let Body::ExportPlaces(page) = answer(&turn) else { panic!("no page") };
        assert!(page.end);
        page.places
    }

    fn read(&mut self, by: Conn, export: ExportId, conversation: ConversationId, after: u64) -> Turn {
        let after = Sequence(after);
        self.ward.ask(by, Ask::Export(Exporting::Read { export, conversation, after }))
    }

    fn file(&mut self, by: Conn, export: ExportId, conversation: ConversationId) -> Turn {
        let message = StatId { conversation, sequence: Sequence(1) };
        self.ward.ask(by, Ask::Export(Exporting::File { export, message, which: 0 }))
    }
}

fn refused(turn: &Turn) -> &'static str {
    let Body::Refused(refused) = answer(turn) else { panic!("not refused") };
    refused.code().as_str_name()
}

fn grant(turn: &Turn) -> &ExportGrant {
    let found = turn.sends.iter().find_map(|send| match send {
        Send::ReadExport { grant, .. } => Some(grant),
        _ => None,
    });
    found.expect("a grant")
}

fn acts(turn: &Turn) -> Vec<Act> {
    let entries = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::Audited { bytes, .. } => Some(Entry::from_bytes(bytes).expect("an entry").act),
        _ => None,
    });
    entries.collect()
}

#[test]
fn a_patients_record_is_their_threads_and_no_others() {
    let mut house = House::new();
    let turn = house.begin(DANA, Whose::Record(record("0042")));
    let Body::ExportBegun(begun) = answer(&turn) else { panic!("not begun") };
    let export = ExportId::new(begun.export).expect("an identifier");
    assert_eq!(begun.places, 1);
    assert_eq!(begun.patient.expect("a patient").particulars.expect("who").name, "Rosa Diaz");
    let kept = turn.writes.iter().find_map(|numbered| match &numbered.write {
        Write::ExportBegun { by, grounds, .. } => Some((*by, grounds.reveal().to_owned())),
        _ => None,
    });
    assert_eq!(kept, Some((house.person(DANA), "Request of the patient".to_owned())), "why is kept");
    assert!(matches!(acts(&turn)[..], [Act::ExportBegun(of, 2, _)] if of == export));
    let places = house.places(DANA, export);
    let [place] = &places[..] else { panic!("one thread") };
    assert_eq!((place.conversation, place.first, place.through), (house.rosa.value(), 1, 2));
    assert_eq!(place.patient_number, 0, "named, not numbered");
    assert_eq!(place.stay.as_ref().expect("a stay").bed, "A-1");
    let (rosa, maria, direct) = (house.rosa, house.maria, house.direct);
    let read = house.read(DANA, export, rosa, 1);
    let granted = grant(&read);
    assert_eq!((granted.from, granted.through), (Sequence(2), Sequence(2)));
    assert!(granted.notices && granted.hidden.is_empty() && granted.shown.len() == 1);
    assert_eq!(acts(&read), [Act::ExportRead(export, rosa, Sequence(1))]);
    for other in [maria, direct] {
        assert_eq!(refused(&house.read(DANA, export, other, 0)), Code::NoSuchConversation.as_str_name());
        assert_eq!(refused(&house.file(DANA, export, other)), Code::NoSuchConversation.as_str_name());
    }
    assert!(
        house.file(DANA, export, rosa).sends.iter().any(|send| matches!(send, Send::OpenAttachment { .. }))
    );
    // What is said afterwards is not part of it.
    house.say(ANA, rosa);
    assert_eq!(grant(&house.read(DANA, export, rosa, 0)).through, Sequence(2));
    assert!(
        grant(&house.read(DANA, export, rosa, u64::MAX)).from > Sequence(2),
        "and nothing is behind the end"
    );
}

#[test]
fn in_a_persons_record_patients_are_numbers() {
    let mut house = House::new();
    let ben = house.person(BEN);
    let ana = house.person(ANA);
    let group = ward::group_of(&house.ward.open_group(ANA, vec![ben]));
    house.say(ANA, group);
    house.say(BEN, group);
    house.ward.change(ANA, group, &[], &[ben]);
    let (export, begun) = house.begun(DANA, Whose::Person(ana));
    assert_eq!((begun.places, begun.person), (4, ana.value()));
    assert!(begun.patient.is_none());
    let places = house.places(DANA, export);
    let numbered: Vec<u32> =
        places.iter().map(|place| place.patient_number).filter(|number| *number > 0).collect();
    assert_eq!(numbered, [1, 2]);
    assert!(places.iter().all(|place| place.stay.is_none() && place.visitors.is_empty()));
    let (rosa, direct) = (house.rosa, house.direct);
    let read = house.read(DANA, export, rosa, 0);
    let granted = grant(&read);
    assert!(!granted.notices && granted.shown.is_empty() && granted.hidden.len() == 1);
    assert_eq!(granted.title.reveal(), "");
    assert_eq!(refused(&house.file(DANA, export, rosa)), Code::ExportWithheld.as_str_name());
    assert!(
        house.file(DANA, export, direct).sends.iter().any(|send| matches!(send, Send::OpenAttachment { .. }))
    );
    // Ben has left the group: what he wrote there, and nothing else.
    let (export, _) = house.begun(EMIL, Whose::Person(ben));
    let places = house.places(EMIL, export);
    let left = places.iter().find(|place| place.conversation == group.value()).expect("the group");
    assert!(left.only_theirs);
    assert_eq!(grant(&house.read(EMIL, export, group, 0)).only, Some(ben));
    assert!(places.iter().all(|place| place.conversation != rosa.value()), "not his patient");
}

#[test]
fn nobody_else_exports_and_an_export_is_its_officers() {
    let mut house = House::new();
    for conn in [ANA, CHIDI, BOX] {
        let turn = house.begin(conn, Whose::Record(record("0042")));
        assert_eq!(refused(&turn), Code::NotPermitted.as_str_name());
        assert!(turn.writes.iter().all(|numbered| !matches!(numbered.write, Write::ExportBegun { .. })));
    }
    assert_eq!(refused(&house.begin(DANA, Whose::Record(record("0044")))), Code::NoSuchPatient.as_str_name());
    let (export, _) = house.begun(DANA, Whose::Record(record("0042")));
    let (rosa, dana) = (house.rosa, house.person(DANA));
    assert_eq!(refused(&house.read(EMIL, export, rosa, 0)), Code::NoSuchExport.as_str_name());
    let (second, _) = house.begun(DANA, Whose::Record(record("0043")));
    assert_eq!(refused(&house.read(DANA, export, rosa, 0)), Code::NoSuchExport.as_str_name(), "ended by it");
    house.begun(EMIL, Whose::Record(record("0042")));
    assert_eq!(house.ward.relay.load().exports, limits::EXPORTS_MAX);
    // Whose duty ends reads no further page.
    let maria = house.maria;
    house.ward.ask(BOX, Ask::SetDuties { person: dana, administrator: false, privacy_officer: false });
    assert_eq!(refused(&house.read(DANA, second, maria, 0)), Code::NotPermitted.as_str_name());
}

#[test]
fn an_export_ends_with_its_time_or_when_it_is_finished() {
    let mut house = House::new();
    let rosa = house.rosa;
    let (export, begun) = house.begun(DANA, Whose::Record(record("0042")));
    assert_eq!(begun.ends, begun.at + 14_400_000);
    house.ward.pass(limits::EXPORT_MS - 1_000);
    grant(&house.read(DANA, export, rosa, 0));
    house.ward.pass(2_000);
    assert_eq!(refused(&house.read(DANA, export, rosa, 0)), Code::NoSuchExport.as_str_name());
    let (export, _) = house.begun(DANA, Whose::Record(record("0042")));
    let finish = house.ward.ask(DANA, Ask::Export(Exporting::Finish { export, seal: [9; 32] }));
    assert!(matches!(answer(&finish), Body::Done(_)));
    assert_eq!(acts(&finish), [Act::ExportFinished(export, [0x0909_0909_0909_0909; 4])]);
    assert_eq!(refused(&house.read(DANA, export, rosa, 0)), Code::NoSuchExport.as_str_name());
    assert_eq!(house.ward.relay.load().exports, 0);
}

#[test]
fn merged_records_are_one_record() {
    let mut house = House::new();
    let merge = Merge { surviving: record("0042"), merged: record("0043"), only_look: false };
    house.ward.ask(BOX, Ask::Clinical(Clinical::MergeRecords(merge)));
    for number in ["0042", "0043"] {
        let (export, begun) = house.begun(DANA, Whose::Record(record(number)));
        let places: Vec<u64> = house.places(DANA, export).iter().map(|place| place.conversation).collect();
        let mut both = [house.rosa.value(), house.maria.value()];
        both.sort_unstable();
        assert_eq!((begun.places, &places[..]), (2, &both[..]), "{number}");
        let rosa = house.rosa;
        assert_eq!(grant(&house.read(DANA, export, rosa, 0)).shown.len(), 2);
    }
}

#[test]
fn what_is_purged_since_it_began_is_not_given() {
    let mut house = House::new();
    let rosa = house.rosa;
    let (export, _) = house.begun(DANA, Whose::Record(record("0042")));
    grant(&house.read(DANA, export, rosa, 0));
    house.ward.ask(BOX, Ask::PurgeConversation { conversation: rosa });
    let read = house.read(DANA, export, rosa, 0);
    assert_eq!(refused(&read), Code::Purged.as_str_name());
    assert_eq!(acts(&read), [], "nothing was given");
    assert_eq!(refused(&house.file(DANA, export, rosa)), Code::Purged.as_str_name());
}
