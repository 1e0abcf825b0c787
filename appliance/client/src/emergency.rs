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

/// What became of the wish to break the glass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// In.
    In(Began),
    /// The patient is restricted: a second person countersigns it until then, in milliseconds since 1970.
    Waits(EmergencyId, i64),
}

/// What somebody asks who breaks the glass to a restricted patient.
#[derive(Clone)]
pub struct EmergencyRequest {
    /// Which.
    pub id: EmergencyId,
    /// Who asks.
    pub person: PersonId,
    /// Where the patient lies.
    pub unit: UnitId,
    /// In which bed.
    pub bed: String,
    /// What the patient is called outside the named team.
    pub alias: String,
    /// Why, in their words.
    pub grounds: String,
    /// Over from then on: milliseconds since 1970.
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
    /// Who countersigned it, of a restricted patient.
    pub second: Option<PersonId>,
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
            second: PersonId::new(wire.second),
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
    ) -> impl Future<Output = Result<Entered, Error>> + Send {
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
                    Ok(Entered::In(Began { id, conversation, until: began.until }))
                }
                Answer::EmergencyAsked(asked) => {
                    let id = EmergencyId::new(asked.emergency).ok_or(Error::Protocol("no request"))?;
                    Ok(Entered::Waits(id, asked.until))
                }
                other => odd(other),
            }
        }
    }

    /// What a colleague asks who breaks the glass to a restricted patient.
    fn emergency_request(
        &self,
        id: EmergencyId,
    ) -> impl Future<Output = Result<EmergencyRequest, Error>> + Send {
        let ask = proto::LookAtRequest { emergency: id.value() };
        async move {
            match self.call(Ask::LookAtRequest(ask)).await? {
                Answer::EmergencyRequest(wire) => {
                    let odd = || Error::Protocol("a request of nobody");
                    Ok(EmergencyRequest {
                        id,
                        person: PersonId::new(wire.person).ok_or_else(odd)?,
                        unit: UnitId::new(wire.unit).ok_or_else(odd)?,
                        bed: wire.bed,
                        alias: wire.alias,
                        grounds: wire.grounds,
                        until: wire.until,
                    })
                }
                other => odd(other),
            }
        }
    }

    /// Stands behind it: the colleague is in.
    fn countersign(&self, id: EmergencyId) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::Countersign(proto::Countersign { emergency: id.value() }))
    }

    /// Out again; or a request that nobody has countersigned is withdrawn.
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
