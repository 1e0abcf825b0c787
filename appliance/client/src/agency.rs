//! Staff from an agency: admitted for a shift, and out of everything at its end.

use std::fmt;
use std::future::Future;

use wardline_core::ids::{AssignmentId, PersonId, UnitId};
use wardline_core::limits;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::clinical::Beds;
use crate::error::Error;
use crate::event;

/// Somebody who comes from an agency.
pub struct Arrival<'a> {
    /// Who comes back; none: somebody who was never here.
    pub returning: Option<PersonId>,
    /// As colleagues know them.
    pub name: &'a str,
    /// Who sent them.
    pub agency: &'a str,
    /// "RN"; may be empty. Of who comes back it stays as it was.
    pub title: &'a str,
    /// Where they will work.
    pub unit: UnitId,
    /// For the shift; none: no beds yet.
    pub beds: Option<Beds<'a>>,
    /// Out of everything then: milliseconds since 1970, at most 16 hours ahead.
    pub until: i64,
    /// Of that name and agency there is somebody, who is another person.
    pub another_person: bool,
}

/// What came of an admission. The code is not in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Admitted {
    /// Who.
    pub person: PersonId,
    /// Of the beds.
    pub assignment: Option<AssignmentId>,
    /// A join code for a device of theirs; the one that they had works again without.
    pub code: String,
    /// When the code is worth nothing: milliseconds since 1970.
    pub expires: i64,
    /// When they are out.
    pub until: i64,
}

impl fmt::Debug for Admitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Admitted({})", self.person)
    }
}

/// How somebody is, or was, here from an agency. Times are milliseconds since 1970.
#[derive(Clone, PartialEq, Eq)]
pub struct Stay {
    /// Who.
    pub person: PersonId,
    /// Which unit admitted them last.
    pub unit: UnitId,
    /// Since when.
    pub since: i64,
    /// Out of everything then.
    pub until: i64,
    /// When they were out; none: they are here.
    pub ended: Option<i64>,
    /// Each time that they were let stay longer.
    pub extensions: Vec<Extension>,
    /// Suspended: an administrator says whether they may come back.
    pub barred: bool,
}

/// One act that let somebody stay longer.
#[derive(Clone, PartialEq, Eq)]
pub struct Extension {
    /// When it was done.
    pub at: i64,
    /// The end since then.
    pub until: i64,
    /// Why.
    pub grounds: String,
}

impl Stay {
    fn from_wire(wire: proto::AgencyStay) -> Result<Self, Error> {
        let extension =
            |one: proto::AgencyExtension| Extension { at: one.at, until: one.until, grounds: one.grounds };
        Ok(Self {
            person: event::person(wire.person)?,
            unit: event::unit(wire.unit)?,
            since: wire.since,
            until: wire.until,
            ended: (wire.ended != 0).then_some(wire.ended),
            extensions: wire.extensions.into_iter().map(extension).collect(),
            barred: wire.barred,
        })
    }
}

/// What can be asked about staff from an agency: over a connection, or over the box's local socket.
pub trait AgencyCalls: Calls {
    /// Somebody comes for a shift.
    fn admit_agency(&self, arrival: &Arrival<'_>) -> impl Future<Output = Result<Admitted, Error>> + Send {
        let (beds, whole_unit) = match &arrival.beds {
            None => (Vec::new(), false),
            Some(Beds::Whole) => (Vec::new(), true),
            Some(Beds::Named(beds)) => (beds.to_vec(), false),
        };
        let ask = Ask::AdmitAgency(proto::AdmitAgency {
            person: arrival.returning.map_or(0, PersonId::value),
            name: arrival.name.to_owned(),
            agency: arrival.agency.to_owned(),
            title: arrival.title.to_owned(),
            unit: arrival.unit.value(),
            beds,
            whole_unit,
            until: arrival.until,
            another_person: arrival.another_person,
        });
        async move {
            match self.call(ask).await? {
                Answer::AgencyAdmitted(admitted) => Ok(Admitted {
                    person: event::person(admitted.person)?,
                    assignment: AssignmentId::new(admitted.assignment),
                    code: admitted.code,
                    expires: admitted.expires,
                    until: admitted.until,
                }),
                other => odd(other),
            }
        }
    }

    /// Somebody stays longer, and why: until then, in milliseconds since 1970.
    fn extend_agency(
        &self,
        person: PersonId,
        until: i64,
        grounds: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let (person, grounds) = (person.value(), grounds.to_owned());
        self.done(Ask::ExtendAgency(proto::ExtendAgency { person, until, grounds }))
    }

    /// Somebody is out of everything now.
    fn end_agency(&self, person: PersonId) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::EndAgency(proto::EndAgency { person: person.value() }))
    }

    /// Whom a unit admitted last; none: any unit.
    fn agency_stays(&self, unit: Option<UnitId>) -> impl Future<Output = Result<Vec<Stay>, Error>> + Send {
        async move {
            let mut stays: Vec<Stay> = Vec::new();
            loop {
                let after = stays.last().map_or(0, |stay| stay.person.value());
                let unit = unit.map_or(0, UnitId::value);
                let page = match self.call(Ask::ListAgency(proto::ListAgency { unit, after })).await? {
                    Answer::AgencyPage(page) => page,
                    other => return odd(other),
                };
                let before = stays.len();
                for stay in page.stays {
                    stays.push(Stay::from_wire(stay)?);
                }
                if page.end || stays.len() == before || stays.len() > limits::AGENCY_EVER_MAX {
                    return Ok(stays);
                }
            }
        }
    }
}

impl<C: Calls> AgencyCalls for C {}
