//! Roles: who is on call for what, and when.

use std::fmt;
use std::future::Future;

use wardline_core::ids::{PersonId, RoleId, UnitId};
use wardline_core::limits;
use wardline_core::role::{parse_rota, rota_to_wire};
use wardline_core::rota::calendar::Import;
use wardline_core::rota::{Imported, Interval, Sources};
use wardline_core::time::Wall;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::error::Error;
use crate::event;

/// A role, and who holds it now. Its name is not in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Role {
    /// Which.
    pub id: RoleId,
    /// Whose.
    pub unit: UnitId,
    /// "Physician on call".
    pub name: String,
    /// Of the IANA database: in which its rota is written.
    pub zone: String,
    /// In the order in which they are asked; nobody holds it when there is none.
    pub holders: Vec<PersonId>,
    /// When others do: milliseconds since 1970. Not in the next two weeks: `None`.
    pub until: Option<i64>,
    /// When nobody will, from and until, in the next two weeks: the first five.
    pub gaps: Vec<(i64, i64)>,
    /// Nobody holds it, and nobody will.
    pub retired: bool,
    /// Up to where a calendar was read whose shifts it has.
    pub imported_until: Option<i64>,
}

/// A rota as it was set, and what it has besides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RotaShown {
    /// Zone, patterns and exceptions.
    pub sources: Sources,
    /// How many shifts of a calendar.
    pub imported: u32,
    /// Up to where that was read: milliseconds since 1970.
    pub imported_until: Option<i64>,
}

/// The role that is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// A new one of this unit.
    New(UnitId),
    /// One that there is.
    Known(RoleId),
}

impl Role {
    fn from_wire(wire: proto::Role) -> Result<Self, Error> {
        Ok(Self {
            id: role(wire.role)?,
            unit: event::unit(wire.unit)?,
            name: wire.name,
            zone: wire.zone,
            holders: wire.holders.into_iter().map(event::person).collect::<Result<_, _>>()?,
            until: (wire.until != 0).then_some(wire.until),
            gaps: wire.gaps.into_iter().map(|gap| (gap.start, gap.end)).collect(),
            retired: wire.retired,
            imported_until: (wire.imported_until != 0).then_some(wire.imported_until),
        })
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Role({})", self.id)
    }
}

pub(crate) fn role(value: u64) -> Result<RoleId, Error> {
    RoleId::new(value).ok_or(Error::Protocol("no role"))
}

/// What can be asked about roles: over a connection, or over the box's local socket.
pub trait RoleCalls: Calls {
    /// Every role, or those of one unit; retired ones too.
    fn roles(&self, unit: Option<UnitId>) -> impl Future<Output = Result<Vec<Role>, Error>> + Send {
        async move {
            let mut roles: Vec<Role> = Vec::new();
            loop {
                let after = roles.last().map_or(0, |role| role.id.value());
                let unit = unit.map_or(0, UnitId::value);
                let page = match self.call(Ask::ListRoles(proto::ListRoles { unit, after })).await? {
                    Answer::RolePage(page) => page,
                    other => return odd(other),
                };
                let before = roles.len();
                for role in page.roles {
                    roles.push(Role::from_wire(role)?);
                }
                if page.end || roles.len() == before || roles.len() > limits::ROLES_EVER_MAX {
                    return Ok(roles);
                }
            }
        }
    }

    /// A new role, or another name or rota for one. Of the rota its zone, patterns and exceptions count; none: as it was. What a calendar
    /// brought stays.
    fn set_role(
        &self,
        which: Which,
        name: &str,
        rota: Option<&Sources>,
    ) -> impl Future<Output = Result<RoleId, Error>> + Send {
        let (role, unit) = match which {
            Which::New(unit) => (0, unit.value()),
            Which::Known(role) => (role.value(), 0),
        };
        let rota = rota.map(rota_to_wire);
        self.role_set(Ask::SetRole(proto::SetRole { role, unit, name: name.to_owned(), rota }))
    }

    /// The rota of a role.
    fn rota(&self, role: RoleId) -> impl Future<Output = Result<RotaShown, Error>> + Send {
        async move {
            match self.call(Ask::ReadRota(proto::ReadRota { role: role.value() })).await? {
                Answer::RotaShown(shown) => {
                    let rota = shown.rota.as_ref().ok_or(Error::Protocol("no rota"))?;
                    let sources = parse_rota(rota).map_err(|_| Error::Protocol("no rota"))?;
                    let imported_until = (shown.imported_until != 0).then_some(shown.imported_until);
                    Ok(RotaShown { sources, imported: shown.imported, imported_until })
                }
                other => odd(other),
            }
        }
    }

    /// What a calendar says of a role, from an instant on, instead of what an earlier one said of that time. In as many requests as it takes,
    /// one after the other in time, each whole: where this fails, those before it stand, and it may be done again.
    fn import_rota(
        &self,
        role: RoleId,
        from: Wall,
        import: &Import,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        async move {
            for part in parts(role, from, import) {
                self.role_set(Ask::ImportRota(part)).await?;
            }
            Ok(())
        }
    }

    /// Nobody is to hold this role any more.
    fn retire_role(&self, role: RoleId) -> impl Future<Output = Result<RoleId, Error>> + Send {
        self.role_set(Ask::RetireRole(proto::RetireRole { role: role.value() }))
    }

    /// Somebody holds a place (from 0) of a role until then (milliseconds since 1970): oneself, or somebody of the unit that one
    /// leads.
    fn take_role(
        &self,
        role: RoleId,
        place: u32,
        until: i64,
        person: Option<PersonId>,
    ) -> impl Future<Output = Result<RoleId, Error>> + Send {
        let (role, person) = (role.value(), person.map_or(0, PersonId::value));
        self.role_set(Ask::TakeRole(proto::TakeRole { role, place, person, until }))
    }

    /// A place goes back to whom the rota names.
    fn return_role(&self, role: RoleId, place: u32) -> impl Future<Output = Result<RoleId, Error>> + Send {
        self.role_set(Ask::ReturnRole(proto::ReturnRole { role: role.value(), place }))
    }

    #[doc(hidden)]
    fn role_set(&self, ask: Ask) -> impl Future<Output = Result<RoleId, Error>> + Send {
        async move {
            match self.call(ask).await? {
                Answer::RoleSet(set) => role(set.role),
                other => odd(other),
            }
        }
    }
}

impl<C: Calls> RoleCalls for C {}

/// Windows one after the other, none with more shifts than a request takes; what is in two is cut.
fn parts(role: RoleId, from: Wall, import: &Import) -> Vec<proto::ImportRota> {
    let mut shifts = import.shifts.clone();
    shifts.sort_by_key(|shift| (shift.when.start, shift.place));
    let (mut parts, mut at) = (Vec::new(), from);
    loop {
        // Of those that a window cuts, one in each place at most goes on into the next.
        let next =
            shifts.get(limits::IMPORT_SHIFTS_MAX - limits::ROTA_PLACES_MAX).map(|shift| shift.when.start);
        let until = next.filter(|next| *next > at).unwrap_or(import.until).min(import.until);
        let window = Interval { start: at, end: until };
        let within = |shift: &Imported| {
            let when = Interval { start: shift.when.start.max(at), end: shift.when.end.min(until) };
            (when.start < when.end).then_some(proto::ImportedShift {
                place: shift.place.value().into(),
                start: when.start.0,
                end: when.end.0,
                person: shift.person.value(),
            })
        };
        let some = shifts.iter().filter_map(within).collect();
        parts.push(proto::ImportRota {
            role: role.value(),
            from: window.start.0,
            until: window.end.0,
            shifts: some,
        });
        shifts.retain(|shift| shift.when.end > until);
        at = until;
        if at >= import.until {
            return parts;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wardline_core::rota::{Place, Rota, TimeZone};

    /// Half-hours of three people in three places, shifted against one another.
    fn import(count: i64) -> Import {
        let shift = |at: i64| {
            let start = Wall(1_800_000_000_000 + (at / 3 * 30 + at % 3 * 7) * 60_000);
            let place = Place::new((at % 3) as u8).expect("a place");
            let person = PersonId::new(1 + at as u64 % 5).expect("a person");
            Imported { place, when: Interval { start, end: start.after(30 * 60_000) }, person }
        };
        Import { shifts: (0..count).map(shift).collect(), until: Wall(1_830_000_000_000) }
    }

    #[test]
    fn a_calendar_in_parts_comes_to_the_same_as_in_one() {
        let from = Wall(1_800_000_000_000);
        let role = RoleId::new(7).expect("a role");
        for count in [0, 1, 495, 496, 497, 1_536, 2_048] {
            let whole = import(count);
            let mut sources = Sources::new(TimeZone::utc());
            let parts = parts(role, from, &whole);
            assert_eq!((parts[0].from, parts.last().map(|last| last.until)), (from.0, Some(whole.until.0)));
            for pair in parts.windows(2) {
                assert_eq!(pair[0].until, pair[1].from);
            }
            for part in parts {
                assert!(part.shifts.len() <= limits::IMPORT_SHIFTS_MAX, "{count}");
                let frame = prost::Message::encoded_len(&part);
                assert!(frame < limits::CLIENT_FRAME_MAX - 64, "{frame}");
                let shifts = part.shifts.iter().map(|shift| Imported {
                    place: Place::new(shift.place as u8).expect("a place"),
                    when: Interval { start: Wall(shift.start), end: Wall(shift.end) },
                    person: PersonId::new(shift.person).expect("a person"),
                });
                let window = Interval { start: Wall(part.from), end: Wall(part.until) };
                sources.import(window, shifts.collect());
            }
            let mut at_once = Sources::new(TimeZone::utc());
            at_once.import(Interval { start: from, end: whole.until }, whole.shifts);
            let [one, other] = [sources, at_once].map(|sources| Rota::new(sources).expect("a rota"));
            assert!(one.timeline(from, whole.until).eq(other.timeline(from, whole.until)), "{count}");
        }
    }
}
