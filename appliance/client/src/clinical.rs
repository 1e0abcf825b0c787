//! Patients, care teams and shifts: what a program asks and hears of them. None of it prints names, numbers, dates or beds in
//! `Debug`.

use std::fmt;
use std::future::Future;

use wardline_core::ids::{AssignmentId, ConversationId, EncounterId, PatientId, PersonId, UnitId};
use wardline_core::limits;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::error::Error;
use crate::event;

/// HL7 v2 table 0001, administrative sex.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sex {
    /// F.
    Female,
    /// M.
    Male,
    /// O.
    Other,
    /// U.
    Unknown,
    /// A.
    Ambiguous,
    /// N.
    NotApplicable,
}

/// What identifies a patient to people.
#[derive(Clone, PartialEq, Eq)]
pub struct Particulars {
    /// Unique in the facility: 1 to 32 ASCII characters that print, without spaces.
    pub record_number: String,
    /// As the staff know them.
    pub name: String,
    /// "1947-03-09".
    pub birth_date: String,
    /// Administrative sex.
    pub sex: Sex,
}

/// A patient.
#[derive(Clone, PartialEq, Eq)]
pub struct Patient {
    /// Who.
    pub id: PatientId,
    /// What identifies them to people. Where `hidden`, the alias for a name and nothing else.
    pub particulars: Particulars,
    /// Of a restricted patient: what they are called outside the named team.
    pub alias: Option<String>,
    /// Restricted, and this person is not named.
    pub hidden: bool,
    /// The numbers of other records of theirs, which were merged into this one.
    pub merged_records: Vec<String>,
}

/// Whether a patient is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Standing {
    /// In their bed.
    Admitted,
    /// Away for a time.
    OnLeave,
    /// Gone, since then: milliseconds since 1970.
    Discharged(i64),
    /// One that a later version brought.
    Other,
}

/// One stay of a patient.
#[derive(Clone, PartialEq, Eq)]
pub struct Encounter {
    /// Which.
    pub id: EncounterId,
    /// Under which record it was begun: another than the patient's where records were merged.
    pub patient: PatientId,
    /// Where they lie.
    pub unit: UnitId,
    /// In which bed.
    pub bed: String,
    /// Who answers for the stay.
    pub attending: Option<PersonId>,
    /// Whether they are here.
    pub standing: Standing,
    /// Do not ring for it.
    pub muted: bool,
    /// The care team's thread.
    pub conversation: ConversationId,
}

/// Whom a patient's thread is about, and where they are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bedside {
    /// Who.
    pub patient: Patient,
    /// Which stay.
    pub encounter: Encounter,
}

/// What came of an admission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Admitted {
    /// Who.
    pub patient: PatientId,
    /// Their stay.
    pub encounter: EncounterId,
    /// Its thread.
    pub conversation: ConversationId,
}

/// Who comes.
pub enum Coming<'a> {
    /// A patient whom the box knows, by record number.
    Known(&'a str),
    /// A patient whom it does not know.
    New(&'a Particulars),
}

/// Which beds.
#[derive(Clone, Copy)]
pub enum Beds<'a> {
    /// These: 1 to 64.
    Named(&'a [String]),
    /// All of the unit.
    Whole,
}

/// Somebody who holds beds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder {
    /// By which assignment.
    pub assignment: AssignmentId,
    /// Who.
    pub person: PersonId,
    /// Until when: milliseconds since 1970.
    pub until: i64,
}

/// A bed of a unit.
#[derive(Clone, PartialEq, Eq)]
pub struct Bed {
    /// As the staff call it.
    pub bed: String,
    /// The stay of whoever lies there.
    pub encounter: Option<EncounterId>,
    /// Who holds it.
    pub holders: Vec<Holder>,
    /// Of a restricted patient: what they are called.
    pub alias: Option<String>,
    /// Of a restricted patient: whom to ask about them; none: a charge nurse.
    pub ask: Option<PersonId>,
}

/// The beds of a unit that somebody lies in or holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UnitBeds {
    /// In order.
    pub beds: Vec<Bed>,
    /// Who holds all of them.
    pub whole: Vec<Holder>,
}

/// What can be asked about patients and shifts. The first half works over the box's local socket too.
pub trait ClinicalCalls: Calls {
    /// Admits a patient, which opens their thread.
    fn admit(
        &self,
        who: Coming<'_>,
        unit: UnitId,
        bed: &str,
        attending: Option<PersonId>,
    ) -> impl Future<Output = Result<Admitted, Error>> + Send {
        let (record_number, new_patient) = match who {
            Coming::Known(record) => (record.to_owned(), None),
            Coming::New(particulars) => (String::new(), Some(particulars.to_wire())),
        };
        let attending = attending.map_or(0, PersonId::value);
        let ask =
            proto::Admit { record_number, new_patient, unit: unit.value(), bed: bed.to_owned(), attending };
        async move {
            match self.call(Ask::Admit(ask)).await? {
                Answer::Admitted(admitted) => Ok(Admitted {
                    patient: patient(admitted.patient)?,
                    encounter: encounter(admitted.encounter)?,
                    conversation: event::conversation(admitted.conversation)?,
                }),
                other => odd(other),
            }
        }
    }

    /// Moves a patient to another bed, of the same unit or another.
    fn transfer(
        &self,
        encounter: EncounterId,
        unit: UnitId,
        bed: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let (encounter, unit) = (encounter.value(), unit.value());
        self.done(Ask::Transfer(proto::Transfer { encounter, unit, bed: bed.to_owned() }))
    }

    /// Says that a patient is away for a time, or back.
    fn set_leave(
        &self,
        encounter: EncounterId,
        away: bool,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::SetLeave(proto::SetLeave { encounter: encounter.value(), away }))
    }

    /// Discharges a patient.
    fn discharge(&self, encounter: EncounterId) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::Discharge(proto::Discharge { encounter: encounter.value() }))
    }

    /// Says what a patient's particulars are, and who answers for the stay. `encounter`: which stay; none: the one there is.
    fn update_patient(
        &self,
        patient: PatientId,
        particulars: &Particulars,
        attending: Option<PersonId>,
        encounter: Option<EncounterId>,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let (patient, attending) = (patient.value(), attending.map_or(0, PersonId::value));
        let (particulars, encounter) = (Some(particulars.to_wire()), encounter.map_or(0, EncounterId::value));
        self.done(Ask::UpdatePatient(proto::UpdatePatient { patient, particulars, attending, encounter }))
    }

    /// Restricts a stay's patient to people whom one names, or names others. `alias`: what everybody else sees; none: as it is.
    fn restrict(
        &self,
        encounter: EncounterId,
        alias: Option<&str>,
        add: &[PersonId],
        remove: &[PersonId],
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let values = |people: &[PersonId]| people.iter().map(|person| person.value()).collect();
        let (add, remove) = (values(add), values(remove));
        let (encounter, alias) = (encounter.value(), alias.unwrap_or_default().to_owned());
        self.done(Ask::Restrict(proto::Restrict { encounter, alias, add, remove }))
    }

    /// Whoever cares for the patient may see who they are again.
    fn lift_restriction(&self, encounter: EncounterId) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::LiftRestriction(proto::LiftRestriction { encounter: encounter.value() }))
    }

    /// A unit's patients by name, in order of their beds. The look is recorded.
    fn patients(&self, unit: UnitId) -> impl Future<Output = Result<Vec<Bedside>, Error>> + Send {
        async move {
            let mut found: Vec<Bedside> = Vec::new();
            loop {
                let after = found.last().map(|last| last.encounter.bed.clone()).unwrap_or_default();
                let ask = proto::ListPatients { unit: unit.value(), after };
                let page = match self.call(Ask::ListPatients(ask)).await? {
                    Answer::PatientPage(page) => page,
                    other => return odd(other),
                };
                let before = found.len();
                for listed in page.patients {
                    found.extend(Bedside::from_wire(listed.patient, listed.encounter)?);
                }
                if page.end || found.len() == before || found.len() > limits::ENCOUNTERS_OPEN_MAX {
                    return Ok(found);
                }
            }
        }
    }

    /// People into a care team by hand, until then (milliseconds since 1970) or until somebody ends it.
    fn join_care_team(
        &self,
        encounter: EncounterId,
        people: &[PersonId],
        until: Option<i64>,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let add = people.iter().map(|person| person.value()).collect();
        let (encounter, until) = (encounter.value(), until.unwrap_or(0));
        self.done(Ask::ChangeCareTeam(proto::ChangeCareTeam { encounter, add, until, remove: vec![] }))
    }

    /// People out of a care team by hand.
    fn leave_care_team(
        &self,
        encounter: EncounterId,
        people: &[PersonId],
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let remove = people.iter().map(|person| person.value()).collect();
        let encounter = encounter.value();
        self.done(Ask::ChangeCareTeam(proto::ChangeCareTeam { encounter, add: vec![], until: 0, remove }))
    }

    /// Takes beds until then (milliseconds since 1970), for oneself or for somebody whom one leads.
    fn take_beds(
        &self,
        unit: UnitId,
        beds: Beds<'_>,
        until: i64,
        person: Option<PersonId>,
    ) -> impl Future<Output = Result<AssignmentId, Error>> + Send {
        let (beds, whole_unit) = match beds {
            Beds::Named(beds) => (beds.to_vec(), false),
            Beds::Whole => (Vec::new(), true),
        };
        let (unit, person) = (unit.value(), person.map_or(0, PersonId::value));
        let ask = proto::TakeAssignment { unit, person, beds, whole_unit, until };
        async move {
            match self.call(Ask::TakeAssignment(ask)).await? {
                Answer::AssignmentTaken(taken) => assignment(taken.assignment),
                other => odd(other),
            }
        }
    }

    /// Ends an assignment early.
    fn end_assignment(&self, assignment: AssignmentId) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::EndAssignment(proto::EndAssignment { assignment: assignment.value() }))
    }

    /// A unit's beds: where somebody lies, and who holds them. No names.
    fn beds(&self, unit: UnitId) -> impl Future<Output = Result<UnitBeds, Error>> + Send {
        async move {
            let mut found = UnitBeds::default();
            loop {
                let after = found.beds.last().map(|last| last.bed.clone()).unwrap_or_default();
                let page =
                    match self.call(Ask::ListBeds(proto::ListBeds { unit: unit.value(), after })).await? {
                        Answer::BedPage(page) => page,
                        other => return odd(other),
                    };
                let before = found.beds.len();
                for bed in page.beds {
                    let holders = bed.holders.iter().map(Holder::from_wire).collect::<Result<_, _>>()?;
                    let encounter = EncounterId::new(bed.encounter);
                    let alias = Some(bed.alias).filter(|alias| !alias.is_empty());
                    let ask = PersonId::new(bed.ask);
                    found.beds.push(Bed { bed: bed.bed, encounter, holders, alias, ask });
                }
                found.whole = page.whole.iter().map(Holder::from_wire).collect::<Result<_, _>>()?;
                let most = limits::ENCOUNTERS_OPEN_MAX
                    + limits::ASSIGNMENTS_OF_UNIT_MAX * limits::BEDS_OF_ASSIGNMENT_MAX;
                if page.end || found.beds.len() == before || found.beds.len() > most {
                    return Ok(found);
                }
            }
        }
    }
}

impl<C: Calls> ClinicalCalls for C {}

fn patient(value: u64) -> Result<PatientId, Error> {
    PatientId::new(value).ok_or(Error::Protocol("a patient without identifier"))
}

fn encounter(value: u64) -> Result<EncounterId, Error> {
    EncounterId::new(value).ok_or(Error::Protocol("an encounter without identifier"))
}

fn assignment(value: u64) -> Result<AssignmentId, Error> {
    AssignmentId::new(value).ok_or(Error::Protocol("an assignment without identifier"))
}

impl Sex {
    /// HL7's letter, F, M, O, U, A or N.
    pub fn letter(self) -> char {
        match self {
            Self::Female => 'F',
            Self::Male => 'M',
            Self::Other => 'O',
            Self::Unknown => 'U',
            Self::Ambiguous => 'A',
            Self::NotApplicable => 'N',
        }
    }

    /// The sex behind HL7's letter.
    pub fn from_letter(letter: char) -> Option<Self> {
        [Self::Female, Self::Male, Self::Other, Self::Unknown, Self::Ambiguous, Self::NotApplicable]
            .into_iter()
            .find(|sex| sex.letter() == letter)
    }
}

impl Particulars {
    fn to_wire(&self) -> proto::Particulars {
        let sex = match self.sex {
            Sex::Female => proto::Sex::Female,
            Sex::Male => proto::Sex::Male,
            Sex::Other => proto::Sex::Other,
            Sex::Unknown => proto::Sex::Unknown,
            Sex::Ambiguous => proto::Sex::Ambiguous,
            Sex::NotApplicable => proto::Sex::NotApplicable,
        };
        proto::Particulars {
            record_number: self.record_number.clone(),
            name: self.name.clone(),
            birth_date: self.birth_date.clone(),
            sex: sex.into(),
        }
    }

    fn from_wire(wire: proto::Particulars) -> Self {
        let sex = match wire.sex() {
            proto::Sex::Female => Sex::Female,
            proto::Sex::Male => Sex::Male,
            proto::Sex::Other => Sex::Other,
            proto::Sex::Unknown | proto::Sex::Unspecified => Sex::Unknown,
            proto::Sex::Ambiguous => Sex::Ambiguous,
            proto::Sex::NotApplicable => Sex::NotApplicable,
        };
        Self { record_number: wire.record_number, name: wire.name, birth_date: wire.birth_date, sex }
    }
}

impl Patient {
    pub(crate) fn from_wire(wire: proto::Patient) -> Result<Self, Error> {
        let alias = Some(wire.alias).filter(|alias| !alias.is_empty());
        let hidden = wire.particulars.is_none() && alias.is_some();
        let mut particulars = Particulars::from_wire(wire.particulars.unwrap_or_default());
        if let Some(alias) = alias.as_ref().filter(|_| hidden) {
            particulars.name.clone_from(alias);
        }
        let merged_records = wire.merged_record_numbers;
        Ok(Self { id: patient(wire.patient)?, particulars, alias, hidden, merged_records })
    }
}

impl Encounter {
    pub(crate) fn from_wire(encounter: proto::Encounter) -> Result<Self, Error> {
        let standing = match encounter.state() {
            proto::EncounterState::Admitted => Standing::Admitted,
            proto::EncounterState::OnLeave => Standing::OnLeave,
            proto::EncounterState::Discharged => Standing::Discharged(encounter.discharged_at),
            proto::EncounterState::Unspecified => Standing::Other,
        };
        Ok(Self {
            id: self::encounter(encounter.encounter)?,
            patient: patient(encounter.patient)?,
            unit: event::unit(encounter.unit)?,
            bed: encounter.bed,
            attending: PersonId::new(encounter.attending),
            standing,
            muted: encounter.muted,
            conversation: event::conversation(encounter.conversation)?,
        })
    }
}

impl Bedside {
    /// Nothing when either is missing: it is no patient's thread.
    pub(crate) fn from_wire(
        patient: Option<proto::Patient>,
        encounter: Option<proto::Encounter>,
    ) -> Result<Option<Self>, Error> {
        let (Some(patient), Some(encounter)) = (patient, encounter) else { return Ok(None) };
        let (patient, encounter) = (Patient::from_wire(patient)?, Encounter::from_wire(encounter)?);
        Ok(Some(Self { patient, encounter }))
    }

    pub(crate) fn to_wire(&self) -> (proto::Patient, proto::Encounter) {
        let Encounter { id, patient, unit, bed, attending, standing, muted, conversation } = &self.encounter;
        let (state, discharged_at) = match standing {
            Standing::Admitted => (proto::EncounterState::Admitted, 0),
            Standing::OnLeave => (proto::EncounterState::OnLeave, 0),
            Standing::Discharged(since) => (proto::EncounterState::Discharged, *since),
            Standing::Other => (proto::EncounterState::Unspecified, 0),
        };
        let encounter = proto::Encounter {
            encounter: id.value(),
            patient: patient.value(),
            unit: unit.value(),
            bed: bed.clone(),
            attending: attending.map_or(0, PersonId::value),
            state: state.into(),
            discharged_at,
            muted: *muted,
            conversation: conversation.value(),
        };
        let Patient { id, particulars, alias, hidden, merged_records } = &self.patient;
        let patient = proto::Patient {
            patient: id.value(),
            particulars: (!hidden).then(|| particulars.to_wire()),
            alias: alias.clone().unwrap_or_default(),
            merged_record_numbers: merged_records.clone(),
        };
        (patient, encounter)
    }
}

impl Holder {
    fn from_wire(wire: &proto::Holder) -> Result<Self, Error> {
        let (assignment, person) = (assignment(wire.assignment)?, event::person(wire.person)?);
        Ok(Self { assignment, person, until: wire.until })
    }
}

impl fmt::Debug for Sex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sex(…)")
    }
}

impl fmt::Debug for Particulars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Particulars(…)")
    }
}

impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Patient({})", self.id)
    }
}

impl fmt::Debug for Encounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encounter({} of {} in {})", self.id, self.patient, self.unit)
    }
}

impl fmt::Debug for Bed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bed({:?}, {} holders)", self.encounter, self.holders.len())
    }
}
