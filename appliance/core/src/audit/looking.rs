//! The log is read: by privacy officers, a page at a time, newest first. It holds identifiers alone; what those stand for is told beside it,
//! as far as an officer may know it. That it was read, and about whom, is an entry of its own.

use crate::access::{self, Operation, Relation, Relations};
use crate::audit::{Act, Actor};
use crate::draft::Draft;
use crate::grant::AuditGrant;
use crate::ids::{Conn, PersonId, RequestId};
use crate::limits;
use crate::particulars::RecordNumber;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::state::State;
use crate::time::Wall;
use crate::turn::Send;
use crate::wire::proto;

/// What somebody looks for.
pub struct Look {
    /// Entries before this one; none: from the newest.
    pub before: Option<u64>,
    /// By them, about them, on a device of theirs.
    pub person: Option<PersonId>,
    /// About this patient.
    pub patient: Option<RecordNumber>,
    /// None: any.
    pub acts: Vec<u32>,
    /// From then on.
    pub since: Wall,
    /// Before then.
    pub until: Wall,
}

/// Answers with a page, once the store has been read.
pub(crate) fn look(
    draft: &mut Draft<'_>,
    (conn, request): (Conn, RequestId),
    by: Actor,
    look: Look,
) -> Result<(), Refusal> {
    let permit = access::permit(Operation::ReadAudit, relations(draft.state, by), by)?;
    let Actor::Person { person: officer, .. } = by else { return Err(Refusal::NoSuchPerson) };
    // It is recorded, and so takes room.
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let state = &*draft.state;
    let person = look.person.map(|person| {
        // One that was never in the directory is looked for all the same: it is in nobody's entry.
        (person, state.devices_of(person).map(|device| device.id).collect())
    });
    let patient = match &look.patient {
        None => None,
        Some(record) => {
            let found = state.clinic.recorded(record).ok_or(Refusal::NoSuchPatient)?;
            let records = state.clinic.records_of(found);
            let threads = records.iter().flat_map(|record| state.clinic.threads_of(*record)).collect();
            Some((found, (records, threads)))
        }
    };
    // What comes from here on is the next look's: else one would end in reading that it was read.
    let newest = state.audited.saturating_add(1);
    let grant = AuditGrant {
        officer,
        before: look.before.map_or(newest, |before| before.min(newest)),
        person,
        patient: patient.as_ref().map(|(_, of)| of.clone()),
        acts: look.acts.into_iter().collect(),
        since: look.since,
        until: look.until,
    };
    draft.record(permit.by(), Act::AuditRead(look.person, patient.map(|(patient, _)| patient)));
    draft.send(Send::ReadAudit { conn, request, grant });
    Ok(())
}

fn relations(state: &State, by: Actor) -> Relations {
    let Actor::Person { person, .. } = by else { return Relations::default() };
    let reviews = state.people.get(&person).is_some_and(|entry| entry.privacy_officer);
    access::STAFF.and(Relations::when(reviews, Relation::PrivacyOfficer))
}

/// The request in a frame.
pub(crate) fn parse(read: proto::ReadAudit) -> Result<Look, Refusal> {
    if read.acts.len() > limits::AUDIT_ACTS_MAX {
        return Err(Refusal::Limit);
    }
    let until = if read.until == 0 { i64::MAX } else { read.until };
    if until <= read.since || read.since < 0 {
        return Err(Refusal::Invalid);
    }
    Ok(Look {
        before: (read.before > 0).then_some(read.before),
        person: if read.person == 0 { None } else { Some(crate::wire::person(read.person)?) },
        patient: if read.record_number.is_empty() {
            None
        } else {
            Some(RecordNumber::parse(&read.record_number)?)
        },
        acts: read.acts,
        since: Wall(read.since),
        until: Wall(until),
    })
}
