//! A downtime sheet is printed by a PIN of its own: counted, recorded before a page leaves, and worth nothing else.

mod ward;

use wardline_core::audit::{Act, Entry};
use wardline_core::ids::{Conn, UnitId};
use wardline_core::input::{Ask, Input};
use wardline_core::limits;
use wardline_core::pin::PinMac;
use wardline_core::printing::Print;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::write::Write;

use ward::{Ward, answer, refusal};

const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const RIGHT: PinMac = PinMac([6; 32]);
const WRONG: PinMac = PinMac([9; 32]);

/// Ana leads Hall A, where Ben works.
fn hall() -> (Ward, UnitId) {
    let mut ward = Ward::new(2);
    let [ana, ben] = ward.people[..] else { panic!("two people") };
    let unit = ward.add_unit("Hall A", &[ben], &[ana]);
    (ward, unit)
}

fn offer(ward: &mut Ward, conn: Conn, unit: UnitId) -> Turn {
    ward.ask(conn, Ask::Print(Print { unit, pages: 2 }))
}

fn print(ward: &mut Ward, conn: Conn, unit: UnitId, mac: Option<PinMac>) -> Turn {
    let asked = offer(ward, conn, unit);
    assert!(asked.sends.iter().any(|send| matches!(send, Send::StretchPin { .. })), "{:?}", refusal(&asked));
    ward.handle(Input::PinMac { conn, mac })
}

fn acts(turn: &Turn) -> Vec<Act> {
    let entries = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::Audited { bytes, .. } => Some(Entry::from_bytes(bytes).expect("an entry").act),
        _ => None,
    });
    entries.collect()
}

fn tries(ward: &Ward, conn: Conn) -> u32 {
    ward.relay.state().device_with(&ward::key_of(conn)).expect("a device").pin_tries
}

#[test]
fn a_print_is_on_record_in_the_turn_that_lets_it_go() {
    let (mut ward, unit) = hall();
    let done = print(&mut ward, ANA, unit, Some(RIGHT));
    assert!(matches!(answer(&done), Body::Done(_)));
    assert_eq!(acts(&done), vec![Act::SheetPrinted(unit, 2)]);
    assert_eq!(tries(&ward, ANA), 0);
}

#[test]
fn a_wrong_pin_is_counted_before_it_is_looked_at_and_the_tenth_ends_the_session() {
    let (mut ward, unit) = hall();
    for wrong in 1..limits::PIN_TRIES_MAX {
        ward.pass(10_000);
        let asked = offer(&mut ward, ANA, unit);
        assert!(
            asked.writes.iter().any(|n| matches!(n.write, Write::PinTries { tries, .. } if tries == wrong))
        );
        let turn = ward.handle(Input::PinMac { conn: ANA, mac: Some(WRONG) });
        assert_eq!(acts(&turn), vec![Act::PinWrong(wrong)]);
        let Body::Refused(refused) = answer(&turn) else { panic!("refused") };
        assert_eq!(refused.tries_left, limits::PIN_TRIES_MAX - wrong);
    }
    ward.pass(10_000);
    let last = print(&mut ward, ANA, unit, Some(WRONG));
    let device = ward.relay.state().device_with(&ward::key_of(ANA)).expect("a device");
    assert!(device.is_locked_out() && device.session_until.is_none());
    let id = device.id;
    assert_eq!(
        acts(&last),
        vec![Act::PinWrong(limits::PIN_TRIES_MAX), Act::PinLockedOut, Act::SessionLocked(id)]
    );
    assert!(last.sends.iter().any(|send| matches!(send, Send::Close { conn: ANA, .. })));
}

#[test]
fn a_right_one_forgives_and_a_silent_keeper_costs_nothing() {
    let (mut ward, unit) = hall();
    print(&mut ward, ANA, unit, Some(WRONG));
    assert_eq!(tries(&ward, ANA), 1);
    let silent = print(&mut ward, ANA, unit, None);
    assert_eq!((refusal(&silent), tries(&ward, ANA)), (Some("REFUSAL_CODE_UNAVAILABLE"), 1));
    print(&mut ward, ANA, unit, Some(RIGHT));
    assert_eq!(tries(&ward, ANA), 0);
}

#[test]
fn one_pin_at_a_time_and_none_after_the_session() {
    let (mut ward, unit) = hall();
    offer(&mut ward, ANA, unit);
    assert_eq!(refusal(&offer(&mut ward, ANA, unit)), Some("REFUSAL_CODE_SLOW_DOWN"));
    ward.ask(ANA, Ask::Lock);
    let late = ward.handle(Input::PinMac { conn: ANA, mac: Some(RIGHT) });
    assert_eq!(refusal(&late), Some("REFUSAL_CODE_LOCKED"));
    assert_eq!((acts(&late), tries(&ward, ANA)), (Vec::new(), 0));
    assert_eq!(refusal(&offer(&mut ward, ANA, unit)), Some("REFUSAL_CODE_LOCKED"));
}

#[test]
fn who_leaves_while_the_keeper_looks_has_tried_nothing() {
    let (mut ward, unit) = hall();
    offer(&mut ward, ANA, unit);
    assert_eq!(tries(&ward, ANA), 1);
    ward.handle(Input::Closed { conn: ANA });
    assert_eq!(tries(&ward, ANA), 0);
}

#[test]
fn nobody_prints_whose_unit_it_is_not() {
    let (mut ward, unit) = hall();
    assert_eq!(refusal(&offer(&mut ward, BEN, unit)), Some("REFUSAL_CODE_NOT_PERMITTED"));
    assert_eq!(tries(&ward, BEN), 0);
    // Who led it when the keeper was asked, and leads it no more.
    offer(&mut ward, ANA, unit);
    let person = ward.people[0];
    ward.ask(ward::BOX, Ask::SetPost { person, unit, post: None });
    let turn = ward.handle(Input::PinMac { conn: ANA, mac: Some(RIGHT) });
    assert_eq!((refusal(&turn), acts(&turn)), (Some("REFUSAL_CODE_NOT_PERMITTED"), Vec::new()));
}
