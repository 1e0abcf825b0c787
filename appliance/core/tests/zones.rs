//! A zone is where a connection is now, not where it was opened: QUIC lets it roam.

mod ward;

use wardline_core::ids::{Conn, RequestId};
use wardline_core::input::{Ask, Door, Input, Source, Zone};
use wardline_core::policy::Policy;
use wardline_core::refusal::CloseCode;
use wardline_core::relay::Relay;
use wardline_core::state::Restored;
use wardline_core::text::{Name, Title};
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::write::Write;

use ward::{BOX, Ward, answer, refusal};

const CONN: Conn = Conn(1);

fn now() -> Now {
    Now { mono: Mono(1_000), wall: Wall(1_795_435_200_000) }
}

/// A box that Mallory's connection from the ward has said hello to.
fn greeted() -> Relay {
    let mut relay =
        Relay::new(now(), Policy::default(), &[7; 32], Restored::default()).expect("an empty store");
    relay.handle(now(), Input::Connected { conn: CONN, door: Door::Network(Zone::Ward), source: Source(1) });
    let hello = Input::Hello {
        conn: CONN,
        request: RequestId(1),
        versions: (1, 1),
        device: None,
        challenge: [3; 32],
    };
    assert!(relay.handle(now(), hello).sends.iter().any(|send| matches!(send, Send::Welcome { .. })));
    relay
}

fn closes(turn: &Turn) -> bool {
    turn.sends.iter().any(|send| matches!(send, Send::Close { conn: CONN, code: CloseCode::REFUSED }))
}

/// Whoever visits a patient asks from there. What a member of the staff may do from there: `family.rs`.
#[test]
fn a_connection_that_has_not_said_whose_it_is_may_roam_into_the_guest_network() {
    assert!(!closes(&greeted().handle(now(), Input::Moved { conn: CONN, zone: Zone::Guest })));
}

#[test]
fn a_connection_that_roams_within_the_staff_networks_goes_on() {
    let mut relay = greeted();
    assert!(!closes(&relay.handle(now(), Input::Moved { conn: CONN, zone: Zone::Admin })));
    assert!(!closes(&relay.handle(now(), Input::Moved { conn: CONN, zone: Zone::Ward })));
}

/// It is the same session, and its person administers still.
#[test]
fn who_administers_and_roams_into_the_ward_administers_nothing_there() {
    let mut ward = Ward::new(0);
    let person = ward.enter_from(CONN, Zone::Admin);
    ward.ask(BOX, Ask::SetDuties { person, administrator: true, privacy_officer: false });
    let add = |ward: &mut Ward| {
        let (name, title) = (Name::parse("Ana Torres").expect("a name"), Title::default());
        let fresh = ward.fresh();
        ward.ask(CONN, Ask::AddPerson { name, title, administrator: true, fresh })
    };
    assert!(matches!(answer(&add(&mut ward)), Body::PersonAdded(_)));
    for zone in [Zone::Ward, Zone::Guest] {
        ward.handle(Input::Moved { conn: CONN, zone });
        let turn = add(&mut ward);
        let refused = refusal(&turn);
        // From the guest network nobody of the staff goes on at all.
        let expected = (zone == Zone::Ward).then_some("REFUSAL_CODE_NOT_ADMINISTRATOR");
        assert_eq!(refused, expected, "{zone:?}");
        assert!(
            !turn.writes.iter().any(|numbered| matches!(numbered.write, Write::PersonAdded(_))),
            "{zone:?}"
        );
    }
}
