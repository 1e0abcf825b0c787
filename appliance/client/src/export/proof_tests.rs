//! A record with everything that is signed, written as an export writes it; and then by a forger, who cannot sign.

use std::collections::BTreeMap;
use std::path::PathBuf;

use wardline_core::escalation::Reason;
use wardline_core::escalation::signed::Statement;
use wardline_core::ids::ExportId;
use wardline_core::order::signed::Statement as Ordered;
use wardline_core::wire::proto;

use super::*;
use crate::event::{Kind, Message};
use crate::export::acts::Acts;
use crate::export::record::{Header, Page, Place, RECORD, Whom, Writing};
use crate::export::verify::verify;
use crate::key::DeviceKey;

const FACILITY: [u8; 32] = [9; 32];
const ORDER: &str = "Paracetamol 500 mg now";
const READ_BACK: &str = "Paracetamol 500 mg, now";

fn thread() -> ConversationId {
    ConversationId::new(7).unwrap()
}

fn person(number: u64) -> PersonId {
    PersonId::new(number).unwrap()
}

fn header() -> Header {
    let whom = |name: &str| Whom { name: name.to_owned(), title: "RN".to_owned() };
    Header {
        facility: "Mercy".to_owned(),
        export: ExportId::new(3).unwrap(),
        at: 1_795_435_200_000,
        by: person(3),
        patient: None,
        person: None,
        people: BTreeMap::from([(person(1), whom("Ana Flores")), (person(2), whom("Ben Okafor"))]),
        units: BTreeMap::new(),
        roles: BTreeMap::new(),
        facility_sha256: FACILITY,
    }
}

fn here() -> Place {
    Place {
        id: thread(),
        kind: Kind::Patient,
        first: Sequence(1),
        only_theirs: false,
        patient_number: None,
        stay: None,
        pair: Vec::new(),
        visitors: BTreeMap::new(),
    }
}

fn message(sequence: u64, text: &str) -> Message {
    let wire = proto::Message {
        conversation: thread().value(),
        sequence,
        message: vec![sequence as u8; 16],
        sender: 1,
        at: 1_795_435_200_000,
        text: text.to_owned(),
        priority: proto::Priority::Routine.into(),
        ..proto::Message::default()
    };
    Message::from_wire(wire).unwrap()
}

fn device() -> DeviceId {
    DeviceId::new(11).unwrap()
}

fn answer(key: &DeviceKey, said: Said, at: i64) -> proto::SignedAnswer {
    let id = StatId { conversation: thread(), sequence: Sequence(1) };
    let (device, at) = (device(), Wall(at));
    let signed = Statement { facility: &FACILITY, device, stat: id, at, said: &said }.to_bytes();
    let signature = key.sign(&signed).unwrap().as_slice().try_into().unwrap();
    let (person, key, taken) = (person(1), *key.public(), Wall(1_795_435_260_000));
    SignedAnswer { id, person, device, key, said, at, taken, signature }.to_wire()
}

fn deed(key: &DeviceKey, deed: Deed, said: Option<(u64, &str)>) -> proto::SignedOrder {
    let id = StatId { conversation: thread(), sequence: Sequence(2) };
    let (device, at) = (device(), Wall(1_795_435_200_007));
    let words = said.map(|(said, text)| Words::of(MessageId([said as u8; 16]), text));
    let signed = Ordered { facility: &FACILITY, device, conversation: thread(), words, deed, at }.to_bytes();
    let signature = key.sign(&signed).unwrap().as_slice().try_into().unwrap();
    let (person, key, taken) = (person(2), *key.public(), Wall(1_795_435_260_000));
    let said = said.map(|(said, _)| Sequence(said));
    SignedDeed { id, person, device, key, deed, words, said, at, taken, signature }.to_wire()
}

fn stat(key: &DeviceKey) -> proto::ExportActs {
    let note = CallNote {
        reached: Some(person(2)),
        role: Title::parse("Physician on call").ok(),
        name: None,
        called: Wall(1_795_435_200_000),
        read_back: true,
    };
    let called =
        |person, declined: proto::DeclineReason| proto::Called { person, step: 1, declined: declined.into() };
    let stat = proto::Escalation {
        conversation: thread().value(),
        sequence: 1,
        state: proto::EscalationState::Accepted.into(),
        since: 1_795_435_260_000,
        by: 2,
        noted_by: 1,
        steps: 3,
        called: vec![
            called(1, proto::DeclineReason::Busy),
            called(2, proto::DeclineReason::Unspecified),
            called(3, proto::DeclineReason::HandedBack),
        ],
        called_count: 3,
        note: Some(note.to_wire()),
        ..proto::Escalation::default()
    };
    // Whose clock is far beyond what a date can be is signed all the same.
    let signed = vec![
        answer(key, Said::Decline(Reason::Busy), 1_795_435_200_123),
        answer(key, Said::Accept, i64::MAX),
        answer(key, Said::Note(note), 1_795_435_200_999),
    ];
    proto::ExportActs { sequence: 1, stat: Some(stat), signed, ..proto::ExportActs::default() }
}

fn order(key: &DeviceKey) -> proto::ExportActs {
    let (of, read_back) = (Sequence(2), Sequence(3));
    proto::ExportActs {
        sequence: 2,
        order: Some(proto::Order {
            conversation: thread().value(),
            sequence: 2,
            author: 1,
            sort: proto::OrderSort::New.into(),
            state: proto::OrderState::Confirmed.into(),
            read_by: 2,
            read_back: 3,
            ..proto::Order::default()
        }),
        order_signed: vec![
            deed(key, Deed::Give { to: PersonId::new(2) }, Some((2, ORDER))),
            deed(key, Deed::ReadBack { of }, Some((3, READ_BACK))),
            deed(key, Deed::Confirm { of, read_back }, None),
        ],
        task: Some(proto::Task {
            conversation: thread().value(),
            sequence: 2,
            author: 1,
            person: 2,
            state: proto::TaskState::Done.into(),
            by: 2,
            ..proto::Task::default()
        }),
        ..proto::ExportActs::default()
    }
}

/// An export of one thread with these.
fn written(acts: Vec<proto::ExportActs>) -> (tempfile::TempDir, PathBuf, Count) {
    let directory = tempfile::tempdir().unwrap();
    let (out, place) = (directory.path().join("out"), here());
    let messages = vec![message(1, "Pressure 80 over 50"), message(2, ORDER), message(3, READ_BACK)];
    let read = |wire: proto::ExportActs| {
        let own = messages.iter().find(|message| message.sequence.0 == wire.sequence);
        Acts::read(wire, &FACILITY, own).unwrap()
    };
    let acts = acts.into_iter().map(read).collect();
    let mut writing = Writing::begin(&out, header()).unwrap();
    writing.place(&place, "").unwrap();
    writing.page(&place, &Page { messages, notices: Vec::new(), acts, hidden: 0 }).unwrap();
    writing.place_ends().unwrap();
    let (count, seal) = writing.finish().unwrap();
    let verified = verify(&out, Some(seal)).unwrap();
    assert_eq!(verified.faults, [], "it is what was written");
    let record = out.join(RECORD);
    (directory, record, count)
}

/// What is found once something in it is something else, wherever hashes and counts are made to fit.
fn forged(record: &Path, count: &Count, was: &str, is: &str) -> Vec<Fault> {
    let whole = std::fs::read_to_string(record).unwrap();
    assert!(whole.contains(was), "{was}: {whole}");
    std::fs::write(record, whole.replacen(was, is, 1)).unwrap();
    let found = faults(record, count).unwrap();
    std::fs::write(record, whole).unwrap();
    found
}

#[test]
fn what_was_signed_is_proven_and_nobody_can_change_it() {
    let key = DeviceKey::generate().unwrap();
    let (_directory, record, count) = written(vec![stat(&key), order(&key)]);
    assert_eq!((count.stats, count.orders, count.tasks), (1, 1, 1));
    assert_eq!((count.signed, count.unverified), (6, 0));
    for (was, is) in [
        ("\"reason\":\"busy\"", "\"reason\":\"off_duty\""),
        ("\"at_ms\":1795435200123", "\"at_ms\":1795435200124"),
        ("2026-11-23T12:00:00.123Z", "2026-11-23T11:00:00.123Z"),
        ("\"said\":\"accept\"", "\"said\":\"call_note\""),
        (
            "\"reached_as\":\"Physician on call\",\"reached_name\":null,\"read_back\":true,\"reason\"",
            "\"reached_as\":\"Cardiologist\",\"reached_name\":null,\"read_back\":true,\"reason\"",
        ),
        ("\"said\":\"give\"", "\"said\":\"read_back\""),
        ("\"device\":\"000000000000000b\"", "\"device\":\"000000000000000c\""),
        ("\"verified\":true", "\"verified\":false"),
        ("\"hidden\":false", "\"hidden\":true"),
        ("\"facility_sha256\":\"0909", "\"facility_sha256\":\"0908"),
        // The text of the order, and of its read-back, which stands behind.
        (ORDER, "Paracetamol 5000 mg now"),
        (READ_BACK, "Paracetamol 5000 mg, now"),
    ] {
        let found = forged(&record, &count, was, is);
        let is_told = found.iter().any(|fault| matches!(fault, Fault::Unproven(_)));
        assert!(is_told, "{was}: {found:?}");
    }
    let other = Count { signed: 5, ..count };
    assert_eq!(faults(&record, &other).unwrap(), [Fault::Count("signed answers and orders", 6, 5)]);
}

#[test]
fn what_is_not_what_a_device_signed_is_told_and_counted() {
    let key = DeviceKey::generate().unwrap();
    let mut wrong = stat(&key);
    wrong.signed[1].at = 5;
    let mut other = order(&key);
    other.order_signed[0].text_sha256 = vec![1; 32];
    let (_directory, record, count) = written(vec![wrong, other]);
    assert_eq!((count.signed, count.unverified), (6, 2));
    let whole = std::fs::read_to_string(&record).unwrap();
    assert_eq!(whole.matches("\"verified\":false").count(), 2, "{whole}");
    let page = std::fs::read_to_string(record.with_file_name("record.html")).unwrap();
    assert_eq!(page.matches("THE SIGNATURE IS WRONG").count(), 2, "{page}");
    let found = forged(&record, &count, "\"verified\":false", "\"verified\":true");
    assert!(found.iter().any(|fault| matches!(fault, Fault::Unproven(_))), "{found:?}");
}

#[test]
fn of_what_is_hidden_nothing_is_verified() {
    let key = DeviceKey::generate().unwrap();
    let (mut hidden, mut other) = (stat(&key), order(&key));
    hidden.signed[2].signature.clear();
    other.order_signed[1].signature.clear();
    other.order_signed[1].text_sha256.clear();
    let (_directory, record, count) = written(vec![hidden, other]);
    assert_eq!((count.signed, count.unverified), (6, 0));
    let whole = std::fs::read_to_string(&record).unwrap();
    let lines: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let hidden: Vec<&Value> = lines.iter().filter(|line| line["hidden"] == true).collect();
    assert_eq!(hidden.len(), 2);
    for line in hidden {
        for field in ["signed", "signature", "verified"] {
            assert!(line[field].is_null(), "{field}: {line}");
        }
    }
    assert_eq!(lines.iter().filter(|line| line["verified"] == true).count(), 4, "the others are");
}

#[test]
fn the_page_says_in_words_what_became_of_a_message() {
    let key = DeviceKey::generate().unwrap();
    let (_directory, record, _) = written(vec![stat(&key), order(&key)]);
    let page = std::fs::read_to_string(record.with_file_name("record.html")).unwrap();
    for part in [
        "STAT: answered by Ben Okafor, whom Ana Flores reached by telephone, ",
        "(visitor) had it, and gave it back",
        "Ana Flores cannot: busy, ",
        "reached Ben Okafor, Physician on call by telephone at ",
        "Order for the care team: read back by Ben Okafor in #3, confirmed ",
        "Task for Ben Okafor: done by Ben Okafor, ",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(page.matches("(signed)").count(), 5, "{page}");
    assert!(!page.contains("WRONG"), "{page}");
}
