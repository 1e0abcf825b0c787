//! Roles: who is on call for what, and when.

use std::fmt;
use std::future::Future;

use wardline_core::ids::{PersonId, RoleId, UnitId};
use wardline_core::limits;
use wardline_core::rota::{Exception, Pattern, Says, Shift, Sources};
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
    /// Every role, or those of one unit.
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
                if page.end || roles.len() == before || roles.len() > limits::ROLES_MAX {
                    return Ok(roles);
                }
            }
        }
    }

    /// A new role, or another name or rota for one. Of the rota its zone, patterns and exceptions count; none: as it was.
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

fn rota_to_wire(sources: &Sources) -> proto::Rota {
    let people = |people: &[PersonId]| people.iter().map(|person| person.value()).collect();
    let shift = |shift: &Shift| proto::RotaShift {
        start: shift.start,
        end: shift.end,
        people: people(shift.team.people()),
    };
    let pattern = |pattern: &Pattern| proto::RotaPattern {
        from: pattern.from.days().into(),
        until: pattern.until.map_or(0, |until| until.days().into()),
        weeks: pattern.weeks.into(),
        place: pattern.place.map(|place| place.value().into()),
        shifts: pattern.shifts.iter().map(shift).collect(),
    };
    let exception = |exception: &Exception| {
        let (place, people) = match &exception.says {
            Says::Team(team) => (None, people(team.people())),
            Says::Place { place, person } => (Some(place.value().into()), people(person.as_slice())),
        };
        proto::RotaException {
            from: exception.from.minutes(),
            until: exception.until.minutes(),
            place,
            people,
        }
    };
    proto::Rota {
        zone: sources.zone.name().to_owned(),
        patterns: sources.patterns.iter().map(pattern).collect(),
        exceptions: sources.exceptions.iter().map(exception).collect(),
    }
}
