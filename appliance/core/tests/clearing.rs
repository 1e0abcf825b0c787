//! A PIN lock is cleared face to face: by whom, on which device, and what a code is worth.

mod ward;

use wardline_core::audit::{Act, Actor, Entry};
use wardline_core::directory::{Device, Post};
use wardline_core::ids::{Conn, PersonId, UnitId};
use wardline_core::input::{Ask, Input, Zone};
use wardline_core::limits;
use wardline_core::pin::PinMac;
use wardline_core::time::Now;
use wardline_core::turn::{Send, Turn};
use wardline_core::wire::proto::server_frame::Body;
use wardline_core::write::Write;

use ward::{BOX, Ward, answer, refusal};

const ANA: Conn = Conn(1);
const BEN: Conn = Conn(2);
const CHIDI: Conn = Conn(3);
const DANA: Conn = Conn(4);

/// Ana leads Hall A, where Ben and Chidi work; Dana leads Hall B. Ben has locked his phone.
struct Hall {
    ward: Ward,
    unit: UnitId,
    ana: PersonId,
    ben: PersonId,
    /// Connections of the tries.
    next: u64,
}

impl Hall {
    fn new() -> Self {
        let mut ward = Ward::new(4);
        let [ana, ben, chidi, dana] = ward.people[..] else { panic!("four people") };
        let unit = ward.add_unit("Hall A", &[ben, chidi], &[ana]);
        ward.add_unit("Hall B", &[], &[dana]);
        let mut hall = Self { ward, unit, ana, ben, next: 100 };
        hall.lock(BEN);
        hall
    }

    fn device(&self, of: Conn) -> &Device {
        self.ward.relay.state().device_with(&ward::key_of(of)).expect("a device")
    }

    fn conn(&mut self) -> Conn {
        self.next += 1;
        Conn(self.next)
    }

    fn lock(&mut self, whose: Conn) {
        self.ward.pass(1_000);
        let device = self.device(whose).id;
        self.ward.fresh();
        self.ward.lock_out(device);
    }

    fn issue(&mut self, by: Conn, person: PersonId) -> Turn {
        let fresh = self.ward.fresh();
        self.ward.ask(by, Ask::ClearPin { person, fresh })
    }

    fn code(&mut self) -> String {
        let ben = self.ben;
        let Body::JoinCode(code) = answer(&self.issue(ANA, ben)) else { panic!("no code") };
        code.code
    }

    /// A device types a code, up to the PIN.
    fn types(&mut self, whose: Conn, code: &str) -> (Conn, Turn) {
        let conn = self.conn();
        (conn, self.ward.try_join_as(whose, conn, Zone::Ward, code))
    }

    /// The keeper has stretched the new PIN.
    fn mac(&mut self, conn: Conn) -> Turn {
        self.ward.handle(Input::PinMac { conn, mac: Some(PinMac([7; 32])) })
    }
}

fn acts(turn: &Turn) -> Vec<(Actor, Act)> {
    let entries = turn.writes.iter().filter_map(|numbered| match &numbered.write {
        Write::Audited { bytes, .. } => Some(Entry::from_bytes(bytes).expect("an entry")),
        _ => None,
    });
    entries.map(|entry| (entry.actor, entry.act)).collect()
}

fn stretches(turn: &Turn) -> bool {
    turn.sends.iter().any(|send| matches!(send, Send::StretchPin { .. }))
}

#[test]
fn ben_is_let_in_again_on_his_own_phone() {
    let mut hall = Hall::new();
    let before = hall.device(BEN).clone();
    let (ana, ben) = (hall.ana, hall.ben);
    let issued = hall.issue(ANA, ben);
    let Body::JoinCode(code) = answer(&issued) else { panic!("no code") };
    assert_eq!(code.expires, hall.ward.now.wall.after(600_000).0);
    assert!(
        acts(&issued).iter().any(|(by, act)| matches!(by, Actor::Person { person, .. } if *person == ana)
            && *act == Act::PinCodeIssued(ben))
    );
    let (conn, typed) = hall.types(BEN, &code.code);
    assert!(stretches(&typed), "{:?}", refusal(&typed));
    let cleared = hall.mac(conn);
    assert!(matches!(answer(&cleared), Body::SignedIn(_)), "{:?}", refusal(&cleared));
    let by = Actor::Person { person: ben, device: before.id };
    assert!(acts(&cleared).contains(&(by, Act::PinCleared(ben, before.id, Some(ana)))));
    let after = hall.device(BEN);
    assert_eq!(
        (after.id, after.person, after.pin_tries),
        (before.id, ben, 0),
        "the same device, not another"
    );
    assert_ne!((&after.pin, after.salt), (&before.pin, before.salt));
    assert_eq!(hall.ward.relay.state().devices_of(ben).count(), 1);
    // The answer was lost: the same once more is a sign-in with the PIN that came with it.
    let (conn, again) = hall.types(BEN, &code.code);
    assert!(stretches(&again));
    assert!(matches!(answer(&hall.mac(conn)), Body::SignedIn(_)));
    // And the code is spent.
    hall.lock(BEN);
    let (_, spent) = hall.types(BEN, &code.code);
    assert_eq!(refusal(&spent), Some("REFUSAL_CODE_PIN_LOCKED_OUT"));
}

#[test]
fn a_code_is_given_by_who_leads_where_they_work() {
    let mut hall = Hall::new();
    let (ana, ben) = (hall.ana, hall.ben);
    let said = |hall: &mut Hall, by| refusal(&hall.issue(by, ben));
    assert_eq!(said(&mut hall, CHIDI), Some("REFUSAL_CODE_NOT_PERMITTED"));
    assert_eq!(said(&mut hall, DANA), Some("REFUSAL_CODE_NOT_PERMITTED"), "of another unit");
    assert_eq!(said(&mut hall, BOX), None);
    assert_eq!(said(&mut hall, ANA), None);
    // Nobody is helped to more than the nurse has.
    let duties =
        |administrator, privacy_officer| Ask::SetDuties { person: ben, administrator, privacy_officer };
    let post = |unit, post| Ask::SetPost { person: ben, unit, post: Some(post) };
    for (more, less) in [
        (duties(true, false), duties(false, false)),
        (duties(false, true), duties(false, false)),
        (post(hall.unit, Post::ChargeNurse), post(hall.unit, Post::Staff)),
    ] {
        hall.ward.ask(BOX, more);
        assert_eq!(said(&mut hall, ANA), Some("REFUSAL_CODE_NOT_PERMITTED"));
        hall.ward.ask(BOX, less);
    }
    // Not for oneself, and not for whoever has locked nothing.
    assert_eq!(refusal(&hall.issue(ANA, ana)), Some("REFUSAL_CODE_NOT_PERMITTED"));
    assert_eq!(refusal(&hall.issue(BOX, ana)), Some("REFUSAL_CODE_PIN_NOT_LOCKED"));
    hall.ward.ask(BOX, Ask::SetStanding { person: ben, suspended: true });
    assert_eq!(said(&mut hall, ANA), Some("REFUSAL_CODE_PERSON_SUSPENDED"));
}

#[test]
fn a_code_is_worth_little_elsewhere_later_and_to_who_guesses() {
    let mut hall = Hall::new();
    let code = hall.code();
    // On a phone that nobody knows it is no join code.
    let conn = hall.conn();
    let stranger = hall.ward.try_join(conn, Zone::Ward, &code);
    assert_eq!(refusal(&stranger), Some("REFUSAL_CODE_JOIN_CODE_INVALID"));
    // On somebody else's locked phone neither.
    hall.lock(CHIDI);
    let (_, other) = hall.types(CHIDI, &code);
    assert_eq!(refusal(&other), Some("REFUSAL_CODE_PIN_LOCKED_OUT"));
    // Nor a join code on a locked one.
    let (ben, fresh) = (hall.ben, hall.ward.fresh());
    let Body::JoinCode(join) = answer(&hall.ward.ask(ANA, Ask::IssueJoinCode { person: ben, fresh })) else {
        panic!("no code")
    };
    let (_, joins) = hall.types(BEN, &join.code);
    assert_eq!(refusal(&joins), Some("REFUSAL_CODE_JOIN_CODE_INVALID"));
    assert!(acts(&joins).iter().any(|(_, act)| *act == Act::PinCodeWrong(1)));
    // From the guest network not even the right one.
    let conn = hall.conn();
    let guest = hall.ward.try_join_as(BEN, conn, Zone::Guest, &code);
    assert_eq!(refusal(&guest), Some("REFUSAL_CODE_ZONE"));
    // The fifth wrong one ends it.
    for wrong in 2..=limits::PIN_CODE_TRIES_MAX {
        let (_, guess) = hall.types(BEN, "AAAAAAAAAA");
        assert!(acts(&guess).iter().any(|(_, act)| *act == Act::PinCodeWrong(wrong)));
    }
    let (_, right) = hall.types(BEN, &code);
    assert_eq!(refusal(&right), Some("REFUSAL_CODE_PIN_LOCKED_OUT"));
    // Another ends the one before, and ten minutes end it, whatever the wall clock does.
    let (first, second) = (hall.code(), hall.code());
    let (_, old) = hall.types(BEN, &first);
    assert_eq!(refusal(&old), Some("REFUSAL_CODE_JOIN_CODE_INVALID"));
    hall.ward.pass(limits::PIN_CODE_MS - 1);
    hall.ward.now = Now { mono: hall.ward.now.mono, wall: hall.ward.now.wall.after(86_400_000) };
    let (_, in_time) = hall.types(BEN, &second);
    assert!(stretches(&in_time));
    hall.ward.pass(1);
    let (_, late) = hall.types(BEN, &second);
    assert_eq!(refusal(&late), Some("REFUSAL_CODE_PIN_LOCKED_OUT"));
}

#[test]
fn what_changed_while_the_keeper_looked_counts() {
    // Ana may not any more.
    let mut hall = Hall::new();
    let code = hall.code();
    let (conn, _) = hall.types(BEN, &code);
    let ana = hall.ana;
    hall.ward.ask(BOX, Ask::SetPost { person: ana, unit: hall.unit, post: Some(Post::Staff) });
    assert_eq!(refusal(&hall.mac(conn)), Some("REFUSAL_CODE_JOIN_CODE_INVALID"));
    assert!(hall.device(BEN).is_locked_out());
    // Ben is suspended.
    let mut hall = Hall::new();
    let code = hall.code();
    let (conn, _) = hall.types(BEN, &code);
    hall.ward.ask(BOX, Ask::SetStanding { person: hall.ben, suspended: true });
    assert_eq!(refusal(&hall.mac(conn)), Some("REFUSAL_CODE_PERSON_SUSPENDED"));
    // Two connections of one phone: one PIN.
    let mut hall = Hall::new();
    let code = hall.code();
    let ((one, _), (other, _)) = (hall.types(BEN, &code), hall.types(BEN, &code));
    assert!(matches!(answer(&hall.mac(one)), Body::SignedIn(_)));
    assert_eq!(refusal(&hall.mac(other)), Some("REFUSAL_CODE_UNAVAILABLE"));
    // The keeper is silent: the code is good still.
    let mut hall = Hall::new();
    let code = hall.code();
    let (conn, _) = hall.types(BEN, &code);
    let silent = hall.ward.handle(Input::PinMac { conn, mac: None });
    assert_eq!(refusal(&silent), Some("REFUSAL_CODE_UNAVAILABLE"));
    let (conn, _) = hall.types(BEN, &code);
    assert!(matches!(answer(&hall.mac(conn)), Body::SignedIn(_)));
}
