//! Breaking the glass: emergency access to a patient's thread, and its review.

use std::future::Future;

use wardline_core::ids::{ConversationId, EmergencyId, PersonId, UnitId};
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::clinical::Patient;
use crate::error::Error;

pub use wardline_core::emergency::Finding;

/// How a patient is named by somebody at their bedside.
pub enum Whom<'a> {
    /// By the number on the wristband.
    Record(&'a str),
    /// By where they lie.
    InBed(UnitId, &'a str),
}

/// The glass is broken: this person is in the thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Began {
    /// Which.
    pub id: EmergencyId,
    /// The thread.
    pub conversation: ConversationId,
    /// Out again then, in milliseconds since 1970.
    pub until: i64,
}

/// One emergency access, as a privacy officer sees it. Times are milliseconds since 1970.
#[derive(Clone)]
pub struct EmergencyAccess {
    /// Which.
    pub id: EmergencyId,
    /// Who came in.
    pub person: PersonId,
    /// To whose thread.
    pub patient: Patient,
    /// Where the patient lay.
    pub unit: UnitId,
    /// Why, in their words. May speak of the patient.
    pub grounds: String,
    /// Since when.
    pub since: i64,
    /// Over from then on.
    pub until: i64,
    /// When it was over; none: it goes on.
    pub ended: Option<i64>,
    /// What was found; none: it waits for a review.
    pub finding: Option<Finding>,
}

impl EmergencyAccess {
    fn from_wire(wire: proto::EmergencyAccess) -> Result<Self, Error> {
        let finding = match wire.finding() {
            proto::Finding::Unspecified => None,
            proto::Finding::Justified => Some(Finding::Justified),
            proto::Finding::NotJustified => Some(Finding::NotJustified),
        };
        let odd = || Error::Protocol("an emergency access of nobody");
        Ok(Self {
            id: EmergencyId::new(wire.emergency).ok_or_else(odd)?,
            person: PersonId::new(wire.person).ok_or_else(odd)?,
            patient: Patient::from_wire(wire.patient.ok_or_else(odd)?)?,
            unit: UnitId::new(wire.unit).ok_or_else(odd)?,
            grounds: wire.grounds,
            since: wire.since,
            until: wire.until,
            ended: (wire.ended != 0).then_some(wire.ended),
            finding,
        })
    }
}

/// What can be asked about emergency access.
pub trait EmergencyCalls: Calls {
    /// Into a patient's thread for an hour. `grounds`: why, 10 characters to 500 bytes; a privacy officer reads it.
    fn break_glass(
        &self,
        whom: Whom<'_>,
        grounds: &str,
    ) -> impl Future<Output = Result<Began, Error>> + Send {
        let (record_number, unit, bed) = match whom {
            Whom::Record(record) => (record.to_owned(), 0, String::new()),
            Whom::InBed(unit, bed) => (String::new(), unit.value(), bed.to_owned()),
        };
        let ask = proto::BreakGlass { record_number, unit, bed, grounds: grounds.to_owned() };
        async move {
            match self.call(Ask::BreakGlass(ask)).await? {
                Answer::EmergencyBegan(began) => {
                    let ids = EmergencyId::new(began.emergency).zip(ConversationId::new(began.conversation));
                    let (id, conversation) = ids.ok_or(Error::Protocol("no emergency access"))?;
                    Ok(Began { id, conversation, until: began.until })
                }
                other => odd(other),
            }
        }
    }

    /// Out again.
    fn end_emergency(&self, id: EmergencyId) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::EndEmergency(proto::EndEmergency { emergency: id.value() }))
    }

    /// Those that go on or wait for a review: for privacy officers. Recorded.
    fn emergencies(&self) -> impl Future<Output = Result<Vec<EmergencyAccess>, Error>> + Send {
        async move {
            let mut all: Vec<EmergencyAccess> = Vec::new();
            loop {
                let after = all.last().map_or(0, |access| access.id.value());
                let page = match self.call(Ask::ListEmergencies(proto::ListEmergencies { after })).await? {
                    Answer::EmergencyPage(page) => page,
                    other => return odd(other),
                };
                let before = all.len();
                for access in page.emergencies {
                    all.push(EmergencyAccess::from_wire(access)?);
                }
                if page.end || all.len() == before {
                    return Ok(all);
                }
            }
        }
    }

    /// What a privacy officer found.
    fn review_emergency(
        &self,
        id: EmergencyId,
        justified: bool,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let finding = if justified { proto::Finding::Justified } else { proto::Finding::NotJustified };
        let ask = proto::ReviewEmergency { emergency: id.value(), finding: finding.into() };
        self.done(Ask::ReviewEmergency(ask))
    }
}

impl<C: Calls> EmergencyCalls for C {}
