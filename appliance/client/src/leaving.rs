//! Who leaves: what a suspension leaves behind, and an administrator's word on a charge nurse's.

use std::future::Future;

use wardline_core::ids::{ConversationId, PersonId, RoleId, Sequence, UnitId};
use wardline_core::limits;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::error::Error;
use crate::event;
use crate::tasks::LeftTask;

/// What somebody left behind who is suspended, each with whom to give it to, where anybody was found.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct LeftBehind {
    /// Roles that they held, or that a rota names them for.
    pub roles: Vec<LeftRole>,
    /// Beds.
    pub shifts: Vec<LeftShift>,
    /// STATs that they had, which ring again: the first 200.
    pub stats: Vec<LeftStat>,
    /// Open tasks that were theirs: the first 200.
    pub tasks: Vec<LeftTask>,
    /// An administrator is to confirm the suspension.
    pub waits: bool,
}

/// A role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeftRole {
    /// Which.
    pub role: RoleId,
    /// They held it. Else only its rota names them.
    pub now: bool,
    /// Whoever else holds it now, or next, or a charge nurse.
    pub successor: Option<PersonId>,
}

/// Beds of a shift.
#[derive(Clone, PartialEq, Eq)]
pub struct LeftShift {
    /// Where.
    pub unit: UnitId,
    /// Which; none: the whole unit.
    pub beds: Vec<String>,
    /// Until when: milliseconds since 1970.
    pub until: i64,
    /// Whoever holds the nearest beds, or a charge nurse.
    pub successor: Option<PersonId>,
}

/// A STAT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeftStat {
    /// Where it was said.
    pub conversation: ConversationId,
    /// Its place there.
    pub sequence: Sequence,
    /// Whose people it rings for.
    pub unit: Option<UnitId>,
    /// Whom it rang for before, or a charge nurse.
    pub successor: Option<PersonId>,
}

/// A charge nurse's suspension that no administrator has confirmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suspension {
    /// Who may not sign in.
    pub person: PersonId,
    /// The charge nurse.
    pub by: PersonId,
    /// Since when: milliseconds since 1970.
    pub since: i64,
    /// For more than a day.
    pub overdue: bool,
}

impl LeftBehind {
    fn from_wire(wire: proto::Suspended) -> Result<Self, Error> {
        let role = |left: proto::LeftRole| {
            let role = RoleId::new(left.role).ok_or(Error::Protocol("no role"))?;
            Ok(LeftRole { role, now: left.now, successor: PersonId::new(left.successor) })
        };
        let shift = |left: proto::LeftShift| {
            let (beds, until) = (left.beds, left.until);
            let successor = PersonId::new(left.successor);
            Ok(LeftShift { unit: event::unit(left.unit)?, beds, until, successor })
        };
        let stat = |left: proto::LeftStat| {
            Ok(LeftStat {
                conversation: event::conversation(left.conversation)?,
                sequence: Sequence(left.sequence),
                unit: UnitId::new(left.unit),
                successor: PersonId::new(left.successor),
            })
        };
        Ok(Self {
            roles: wire.roles.into_iter().map(role).collect::<Result<_, Error>>()?,
            shifts: wire.shifts.into_iter().map(shift).collect::<Result<_, Error>>()?,
            stats: wire.stats.into_iter().map(stat).collect::<Result<_, Error>>()?,
            tasks: wire.tasks.into_iter().map(LeftTask::from_wire).collect::<Result<_, Error>>()?,
            waits: wire.waits,
        })
    }

    /// Nothing needs anybody else.
    pub fn is_nothing(&self) -> bool {
        self.roles.is_empty() && self.shifts.is_empty() && self.stats.is_empty() && self.tasks.is_empty()
    }
}

/// What can be asked about who leaves: over a connection, or over the box's local socket.
pub trait LeavingCalls: Calls {
    /// Ends somebody's access at once, and says what they leave behind.
    fn put_out(&self, person: PersonId) -> impl Future<Output = Result<LeftBehind, Error>> + Send {
        async move {
            match self.call(Ask::Suspend(proto::Suspend { person: person.value() })).await? {
                Answer::Suspended(left) => LeftBehind::from_wire(left),
                other => odd(other),
            }
        }
    }

    /// Confirms a charge nurse's suspension, or reverses it.
    fn decide_suspension(
        &self,
        person: PersonId,
        confirmed: bool,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::DecideSuspension(proto::DecideSuspension { person: person.value(), confirmed }))
    }

    /// Those that wait for that.
    fn suspensions(&self) -> impl Future<Output = Result<Vec<Suspension>, Error>> + Send {
        async move {
            let mut found: Vec<Suspension> = Vec::new();
            loop {
                let after = found.last().map_or(0, |last| last.person.value());
                let page = match self.call(Ask::ListSuspensions(proto::ListSuspensions { after })).await? {
                    Answer::SuspensionPage(page) => page,
                    other => return odd(other),
                };
                let before = found.len();
                for one in page.suspensions {
                    let (person, by) = (event::person(one.person)?, event::person(one.by)?);
                    found.push(Suspension { person, by, since: one.since, overdue: one.overdue });
                }
                if page.end || found.len() == before || found.len() > limits::PEOPLE_MAX {
                    return Ok(found);
                }
            }
        }
    }
}

impl<C: Calls> LeavingCalls for C {}
