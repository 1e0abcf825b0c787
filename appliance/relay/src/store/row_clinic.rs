//! Patients and those who care for them, from columns to the core's types. See [`super::row`].

use sqlx::sqlite::SqliteRow;
use wardline_core::clinic::{Assignment, CarePlace, Encounter, Patient, Standing};
use wardline_core::emergency::{EmergencyAccess, Finding};
use wardline_core::ids::{
    AssignmentId, ConversationId, EmergencyId, EncounterId, PatientId, PersonId, UnitId,
};
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::record::Merged;
use wardline_core::restriction::Restriction;
use wardline_core::text::Grounds;

use super::StoreError;
use super::row::Columns;

pub(super) const PATIENT: &str = "patient.id, patient.record, patient.name, patient.birth, patient.sex, patient.changed, \
     patient.restriction, patient.merged_into, patient.merged_at, patient.merged_by";

pub(super) const ENCOUNTER: &str = "encounter.id, encounter.patient, encounter.unit, encounter.bed, encounter.attending, \
     encounter.standing, encounter.discharged_at, encounter.thread, encounter.closed, encounter.closed_at, \
     encounter.admitted, encounter.changed";

pub(super) const CARE: &str = "encounter, person, since, ends, until";

pub(super) const ASSIGNMENT: &str = "id, person, unit, since, until";

pub(super) const EMERGENCY: &str =
    "id, encounter, patient, unit, person, grounds, since, until, ended, ended_at, finding, second";

/// A standing as stored, with the time that belongs to one.
pub(super) fn standing_number(standing: Standing) -> (i64, i64) {
    match standing {
        Standing::Admitted => (0, 0),
        Standing::OnLeave => (1, 0),
        Standing::Discharged(since) => (2, since.0),
    }
}

fn patient_of(columns: &mut Columns<'_>) -> Result<Patient, StoreError> {
    let damaged = |_| StoreError::value("a patient");
    let id = patient_id(columns)?;
    let particulars = Particulars {
        record: RecordNumber::parse(columns.text()?).map_err(damaged)?,
        name: columns.name()?,
        birth: BirthDate::parse(columns.text()?).map_err(damaged)?,
        sex: sex(columns.text()?)?,
    };
    let changed = columns.change()?;
    let restriction = match columns.bytes()? {
        [] => None,
        bytes => Some(Restriction::from_bytes(bytes).map_err(|_| StoreError::value("a restriction"))?),
    };
    let (into, since, by) = (PatientId::new(columns.count()?), columns.wall()?, columns.count()?);
    let merged = into.map(|into| Merged { into, since, by: PersonId::new(by) });
    Ok(Patient { id, particulars, changed, restriction, merged })
}

fn sex(text: &str) -> Result<Sex, StoreError> {
    let mut letters = text.chars();
    let sex = letters.next().and_then(Sex::from_letter).filter(|_| letters.next().is_none());
    sex.ok_or_else(|| StoreError::value("a patient"))
}

pub(super) fn patient(row: &SqliteRow) -> Result<Patient, StoreError> {
    patient_of(&mut Columns::new(row))
}

pub(super) fn encounter(row: &SqliteRow) -> Result<Encounter, StoreError> {
    encounter_of(&mut Columns::new(row))
}

/// [`ENCOUNTER`] and behind it [`PATIENT`].
pub(super) fn bedside(row: &SqliteRow) -> Result<(Encounter, Patient), StoreError> {
    let mut columns = Columns::new(row);
    Ok((encounter_of(&mut columns)?, patient_of(&mut columns)?))
}

fn encounter_of(columns: &mut Columns<'_>) -> Result<Encounter, StoreError> {
    let (id, patient, unit) = (encounter_id(columns)?, patient_id(columns)?, unit(columns)?);
    let bed = bed(columns)?;
    // Zero is nobody's identifier, and here means no person.
    let attending = PersonId::new(columns.count()?);
    let standing = match (columns.int()?, columns.wall()?) {
        (0, _) => Standing::Admitted,
        (1, _) => Standing::OnLeave,
        (2, since) => Standing::Discharged(since),
        _ => return Err(StoreError::value("a patient's standing")),
    };
    let thread = columns.conversation()?;
    let (closed, closed_at) = (columns.flag()?, columns.wall()?);
    let (admitted, changed) = (columns.wall()?, columns.change()?);
    let closed = closed.then_some(closed_at);
    Ok(Encounter { id, patient, unit, bed, attending, standing, thread, closed, admitted, changed })
}

pub(super) fn care(row: &SqliteRow) -> Result<(EncounterId, PersonId, CarePlace), StoreError> {
    let mut columns = Columns::new(row);
    let (encounter, person, since) = (encounter_id(&mut columns)?, columns.person()?, columns.wall()?);
    let (ends, until) = (columns.flag()?, columns.wall()?);
    Ok((encounter, person, CarePlace { since, until: ends.then_some(until) }))
}

/// Without its beds and what it covers.
pub(super) fn assignment(row: &SqliteRow) -> Result<Assignment, StoreError> {
    let mut columns = Columns::new(row);
    let (id, person, unit) = (assignment_id(&mut columns)?, columns.person()?, unit(&mut columns)?);
    let (since, until) = (columns.wall()?, columns.wall()?);
    Ok(Assignment { id, person, unit, beds: Vec::new(), since, until, covers: Default::default() })
}

pub(super) fn emergency(row: &SqliteRow) -> Result<EmergencyAccess, StoreError> {
    let damaged = || StoreError::value("an emergency access");
    let mut columns = Columns::new(row);
    let id = EmergencyId::new(columns.count()?).ok_or_else(damaged)?;
    let (encounter, patient) = (encounter_id(&mut columns)?, patient_id(&mut columns)?);
    let (unit, person) = (unit(&mut columns)?, columns.person()?);
    let grounds = Grounds::parse(columns.text()?).map_err(|_| damaged())?;
    let (since, until) = (columns.wall()?, columns.wall()?);
    let (is_over, ended) = (columns.flag()?, columns.wall()?);
    let finding = match columns.count()? {
        0 => None,
        number => Some(Finding::from_number(number).ok_or_else(damaged)?),
    };
    let (ended, second) = (is_over.then_some(ended), PersonId::new(columns.count()?));
    Ok(EmergencyAccess {
        id,
        encounter,
        patient,
        unit,
        person,
        grounds,
        since,
        until,
        ended,
        finding,
        second,
    })
}

pub(super) fn thread(row: &SqliteRow) -> Result<(ConversationId, PatientId), StoreError> {
    let mut columns = Columns::new(row);
    Ok((columns.conversation()?, patient_id(&mut columns)?))
}

pub(super) fn assignment_bed(row: &SqliteRow) -> Result<(AssignmentId, Bed), StoreError> {
    let mut columns = Columns::new(row);
    Ok((assignment_id(&mut columns)?, bed(&mut columns)?))
}

pub(super) fn assignment_cover(row: &SqliteRow) -> Result<(AssignmentId, EncounterId), StoreError> {
    let mut columns = Columns::new(row);
    Ok((assignment_id(&mut columns)?, encounter_id(&mut columns)?))
}

fn bed(columns: &mut Columns<'_>) -> Result<Bed, StoreError> {
    Bed::parse(columns.text()?).map_err(|_| StoreError::value("a bed"))
}

fn unit(columns: &mut Columns<'_>) -> Result<UnitId, StoreError> {
    UnitId::new(columns.count()?).ok_or_else(|| StoreError::value("a unit's identifier"))
}

fn patient_id(columns: &mut Columns<'_>) -> Result<PatientId, StoreError> {
    PatientId::new(columns.count()?).ok_or_else(|| StoreError::value("a patient's identifier"))
}

fn encounter_id(columns: &mut Columns<'_>) -> Result<EncounterId, StoreError> {
    EncounterId::new(columns.count()?).ok_or_else(|| StoreError::value("an encounter's identifier"))
}

fn assignment_id(columns: &mut Columns<'_>) -> Result<AssignmentId, StoreError> {
    AssignmentId::new(columns.count()?).ok_or_else(|| StoreError::value("an assignment's identifier"))
}
