//! Holders who are not on, for the table's test: one whose hour is over, and one whose day comes by the rota.

use wardline_core::clinical::{Clinical, Shift};
use wardline_core::ids::{AssignmentId, Conn, PersonId, RoleId, UnitId};
use wardline_core::input::Ask;
use wardline_core::role::{Roles, Which};
use wardline_core::rota::{self, Place, Team, Weekday};
use wardline_core::text::Name;
use wardline_core::time::Wall;
use wardline_core::wire::proto::server_frame::Body;

use super::bed;
use super::ward::{BOX, Ward, all_week, answer};

const MINUTE: u64 = 60_000;

/// A role of the unit that `week` holds on the days of the week, today among them, and `ahead` at the weekend.
pub(crate) fn role_of_the_week(ward: &mut Ward, unit: UnitId, (week, ahead): (PersonId, PersonId)) -> RoleId {
    let mut rota = all_week(week);
    let (monday, saturday) = ((Weekday::Monday, 0), (Weekday::Saturday, 0));
    rota.patterns[0].shifts = vec![
        rota::Shift::weekly(0, monday, saturday, Team::one(week)),
        rota::Shift::weekly(0, saturday, monday, Team::one(ahead)),
    ];
    let (name, fresh) = (Name::parse("Physician on call").expect("a name"), ward.fresh());
    let ask = Roles::Set { which: Which::New(unit), name, rota: Some(rota), fresh };
    let Body::RoleSet(set) = answer(&ward.ask(BOX, Ask::Role(ask))) else { panic!("no role") };
    RoleId::new(set.role).expect("a role")
}

/// Had the bed of the patient and the role for a minute, and was a member of the thread for as long.
pub(crate) fn a_minute(ward: &mut Ward, unit: UnitId, role: RoleId, conn: Conn) {
    let until = ward.now.wall.after(MINUTE);
    take_bed(ward, unit, conn, until);
    let taken = ward.ask(conn, Ask::Role(Roles::Take { role, place: Place::FIRST, person: None, until }));
    assert!(matches!(answer(&taken), Body::RoleSet(_)));
    ward.pass(MINUTE + 1_000);
}

/// The patient's bed is theirs until then.
pub(crate) fn take_bed(ward: &mut Ward, unit: UnitId, conn: Conn, until: Wall) -> AssignmentId {
    let fresh = ward.fresh();
    let shift = Shift { unit, person: None, beds: vec![bed("B-1")], until, fresh };
    let taken = ward.ask(conn, Ask::Clinical(Clinical::TakeAssignment(shift)));
    let Body::AssignmentTaken(taken) = answer(&taken) else { panic!("not taken") };
    AssignmentId::new(taken.assignment).expect("an assignment")
}
