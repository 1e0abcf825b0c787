//! Templates and quick replies: who sets them, and what a set comes to.

mod ward;

use wardline_core::audit::Act;
use wardline_core::ids::{Conn, UnitId};
use wardline_core::input::{Ask, Input};
use wardline_core::limits;
use wardline_core::template::{TemplateAsk, Templates};
use wardline_core::turn::Turn;
use wardline_core::wire::proto::{self, RefusalCode as Code, server_frame::Body};
use wardline_core::write::Write;

use ward::{BOX, Ward, acts, answer, refusal};

const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);

/// Ana leads a unit, Ben works there.
fn house() -> (Ward, UnitId) {
    let mut ward = Ward::new(2);
    let (ana, ben) = (ward.people[0], ward.people[1]);
    let unit = ward.add_unit("Hall A", &[ben], &[ana]);
    (ward, unit)
}

fn of(replies: &[&str]) -> Templates {
    let replies = replies.iter().map(|reply| (*reply).to_owned()).collect();
    Templates::from_wire(&proto::TemplateSet { unit: 0, replies, templates: Vec::new() }).expect("in range")
}

fn set(ward: &mut Ward, from: Conn, unit: Option<UnitId>, replies: &[&str]) -> Turn {
    ward.ask(from, Ask::Templates(TemplateAsk::Set { unit, templates: of(replies) }))
}

fn listed(ward: &mut Ward, from: Conn, unit: Option<UnitId>) -> Vec<String> {
    let Body::TemplateSet(set) = answer(&ward.ask(from, Ask::Templates(TemplateAsk::List { unit }))) else {
        panic!("not listed")
    };
    assert_eq!(set.unit, unit.map_or(0, UnitId::value));
    set.replies
}

#[test]
fn a_unit_has_its_own_beside_the_facilitys_and_everybody_sees_both() {
    let (mut ward, unit) = house();
    let turn = set(&mut ward, ANA, Some(unit), &["On my way"]);
    assert_eq!(acts(&turn), [Act::TemplatesSet(Some(unit))]);
    assert_eq!(acts(&set(&mut ward, BOX, None, &["Thank you"])), [Act::TemplatesSet(None)]);
    assert_eq!(listed(&mut ward, BEN, Some(unit)), ["On my way"]);
    assert_eq!(listed(&mut ward, BEN, None), ["Thank you"]);
    // A set is set whole; the same again writes nothing; nothing takes it away.
    set(&mut ward, ANA, Some(unit), &["Seen"]);
    assert_eq!(listed(&mut ward, BEN, Some(unit)), ["Seen"]);
    assert!(set(&mut ward, ANA, Some(unit), &["Seen"]).writes.is_empty());
    set(&mut ward, ANA, Some(unit), &[]);
    assert!(listed(&mut ward, BEN, Some(unit)).is_empty() && ward.relay.state().templates.len() == 1);
}

#[test]
fn what_is_not_theirs_or_not_there_is_refused_and_changes_nothing() {
    let (mut ward, unit) = house();
    let refused = |turn: &Turn, code: Code| {
        assert_eq!(refusal(turn), Some(code.as_str_name()));
        assert!(!turn.writes.iter().any(|n| matches!(n.write, Write::TemplatesSet { .. })));
    };
    refused(&set(&mut ward, BEN, Some(unit), &["a"]), Code::NotPermitted);
    refused(&set(&mut ward, ANA, None, &["a"]), Code::NotAdministrator);
    let other = UnitId::new(77).expect("in range");
    refused(&set(&mut ward, ANA, Some(other), &["a"]), Code::NoSuchUnit);
    refused(&ward.ask(BEN, Ask::Templates(TemplateAsk::List { unit: Some(other) })), Code::NoSuchUnit);
    ward.handle(Input::Disk { free: limits::DISK_SCARCE_BYTES - 1 });
    refused(&set(&mut ward, ANA, Some(unit), &["a"]), Code::DiskLow);
}
