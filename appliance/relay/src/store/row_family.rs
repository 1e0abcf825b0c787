//! Rows about family.

use sqlx::sqlite::SqliteRow;
use wardline_core::conversation::Conversation;
use wardline_core::family::{BedsideCode, BlockList, Consent, FamilyThread, VisitRequest, Visitor};
use wardline_core::ids::{ConversationId, EncounterId, PatientId, PersonId};
use wardline_core::text::{Name, Title};
use wardline_core::wire::proto;

use super::StoreError;
use super::row::Columns;

pub(super) const THREAD: &str = "conversation, encounter, patient, own";

fn damaged() -> StoreError {
    StoreError::value("what is about family")
}

pub(super) fn consent(row: &SqliteRow) -> Result<(EncounterId, Consent), StoreError> {
    let mut columns = Columns::new(row);
    let id = EncounterId::new(columns.count()?).ok_or_else(damaged)?;
    Ok((id, Consent::from_bytes(columns.bytes()?).map_err(|_| damaged())?))
}

pub(super) fn blocked(row: &SqliteRow) -> Result<(PatientId, BlockList), StoreError> {
    let mut columns = Columns::new(row);
    let id = PatientId::new(columns.count()?).ok_or_else(damaged)?;
    Ok((id, BlockList::from_bytes(columns.bytes()?).map_err(|_| damaged())?))
}

pub(super) fn code(row: &SqliteRow) -> Result<(EncounterId, BedsideCode), StoreError> {
    let mut columns = Columns::new(row);
    let id = EncounterId::new(columns.count()?).ok_or_else(damaged)?;
    Ok((id, BedsideCode::from_bytes(columns.bytes()?).map_err(|_| damaged())?))
}

pub(super) fn request(row: &SqliteRow) -> Result<VisitRequest, StoreError> {
    VisitRequest::from_bytes(Columns::new(row).bytes()?).map_err(|_| damaged())
}

pub(super) fn thread(row: &SqliteRow) -> Result<FamilyThread, StoreError> {
    let mut columns = Columns::new(row);
    Ok(FamilyThread {
        conversation: columns.conversation()?,
        encounter: EncounterId::new(columns.count()?).ok_or_else(damaged)?,
        patient: PatientId::new(columns.count()?).ok_or_else(damaged)?,
        own: columns.flag()?,
    })
}

/// No bytes: of the staff.
pub(super) fn visitor(bytes: &[u8]) -> Result<Option<Visitor>, StoreError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    Visitor::from_bytes(bytes).map(Some).map_err(|_| damaged())
}

/// Who, how they are called, what they are, and whether they are of the family.
pub(super) type Relative = (PersonId, Name, Title, bool);

/// What somebody in a family thread is told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kin {
    /// The patient's own.
    pub own: bool,
    /// The thread of the patient's care team; not for a visitor.
    pub patient_thread: Option<ConversationId>,
    /// Everybody who is or was in it.
    pub people: Vec<Relative>,
}

impl Kin {
    /// Adds it to a conversation as it is sent.
    pub fn dress(&self, wire: &mut proto::Conversation, place: &Conversation) {
        let entry = |person: PersonId| {
            let at = self.people.binary_search_by_key(&person, |(id, ..)| *id).ok()?;
            let (_, name, title, visitor) = &self.people[at];
            Some(proto::FamilyPerson {
                person: person.value(),
                name: name.reveal().to_owned(),
                title: title.reveal().to_owned(),
                visitor: *visitor,
            })
        };
        wardline_core::family::dress(wire, place, (self.own, self.patient_thread), entry);
    }
}

/// A family thread of somebody's: which, whether it is the patient's own, and the thread of the care team; 0 for a visitor.
pub(super) fn kin(row: &SqliteRow) -> Result<(ConversationId, Kin), StoreError> {
    let mut columns = Columns::new(row);
    let conversation = columns.conversation()?;
    let (own, patient_thread) = (columns.flag()?, ConversationId::new(columns.count()?));
    Ok((conversation, Kin { own, patient_thread, people: Vec::new() }))
}

/// Somebody who is or was in one, in order of identifier.
pub(super) fn relative(row: &SqliteRow) -> Result<(ConversationId, Relative), StoreError> {
    let mut columns = Columns::new(row);
    let (conversation, person) = (columns.conversation()?, columns.person()?);
    let (name, title) = (columns.name()?, columns.title()?);
    let visitor = visitor(columns.bytes()?)?;
    let is_visitor = visitor.is_some();
    let title = visitor.map_or(title, |visitor| visitor.relation);
    Ok((conversation, (person, name, title, is_visitor)))
}
