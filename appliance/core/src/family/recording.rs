//! What the team records before anybody is let in: that the patient lets family write, who is not to be let in, and which code hangs
//! at the bed.

use crate::access::{self, Operation, Permit};
use crate::audit::{Act, Actor};
use crate::care;
use crate::clinic::Encounter;
use crate::clinical::{self, encounter_of};
use crate::draft::Draft;
use crate::family::ending::{self, tell};
use crate::family::{BedsideCode, Consent, blocked_of};
use crate::ids::{EncounterId, PatientId, PersonId};
use crate::input::Fresh;
use crate::limits;
use crate::notice::Told;
use crate::pin;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Draw;
use crate::text::{Grounds, Name};
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// Whether somebody may do this of a stay's family. Of a restricted patient nobody may who may not see who they are.
pub(super) fn may(
    draft: &Draft<'_>,
    by: Actor,
    encounter: EncounterId,
    operation: Operation,
) -> Result<(Permit, Encounter), Refusal> {
    let stay = encounter_of(draft.state, encounter)?.clone();
    let is = clinical::relations(draft.state, by, stay.unit).and(care::in_team(draft, by, &stay));
    let permit = access::permit(operation, is, by)?;
    let Actor::Person { person, .. } = by else { return Err(Refusal::NotPermitted(operation)) };
    let patient = draft.state.clinic.known(stay.patient).ok_or(Refusal::NoSuchPatient)?;
    if !patient.shows_to(Some(person)) {
        return Err(Refusal::Restricted);
    }
    Ok((permit, stay))
}

/// Who did it.
pub(super) fn person_of(permit: Permit) -> Result<PersonId, Refusal> {
    match permit.by() {
        Actor::Person { person, .. } => Ok(person),
        _ => Err(Refusal::NoSuchPerson),
    }
}

/// The patient is here, and lets family write.
pub(super) fn consented(draft: &Draft<'_>, stay: &Encounter) -> Result<(), Refusal> {
    if !stay.is_open() {
        return Err(Refusal::EncounterOver);
    }
    draft.state.family.consents.get(&stay.id).map(|_| ()).ok_or(Refusal::NoFamilyConsent)
}

pub(super) fn set_consent(
    draft: &mut Draft<'_>,
    by: Actor,
    encounter: EncounterId,
    words: Option<Grounds>,
) -> Result<Body, Refusal> {
    let (permit, stay) = may(draft, by, encounter, Operation::SetFamilyConsent)?;
    let was = draft.state.family.consents.contains_key(&encounter);
    match words {
        Some(words) => {
            if !stay.is_open() {
                return Err(Refusal::EncounterOver);
            }
            has_space(draft)?;
            let consent = Consent { words, by: person_of(permit)?, at: draft.now.wall };
            draft.write(Write::FamilyConsentSet { encounter, consent: Some(consent) });
            draft.record(permit.by(), Act::FamilyConsented(encounter));
            if !was {
                tell(draft, permit.by(), encounter, Told::FamilyConsented);
            }
        }
        None if was => {
            ending::end_all(draft, permit, encounter);
            tell(draft, permit.by(), encounter, Told::FamilyConsentEnded);
        }
        None => {}
    }
    Ok(done())
}

/// Whoever is blocked and was let in before is out in the same turn.
pub(super) fn set_block(
    draft: &mut Draft<'_>,
    by: Actor,
    encounter: EncounterId,
    name: Name,
    blocked: bool,
) -> Result<Body, Refusal> {
    let (permit, stay) = may(draft, by, encounter, Operation::SetFamilyBlock)?;
    let patient = stay.patient;
    let records = draft.state.clinic.records_of(patient);
    if !blocked {
        return unblock(draft, permit, &records, &name);
    }
    let was = draft.state.family.blocked.get(&patient).cloned().unwrap_or_default();
    let list = was.with(name);
    if list == was {
        return Ok(done());
    }
    if list.names().len() > limits::FAMILY_BLOCKED_MAX {
        return Err(Refusal::Limit);
    }
    draft.write(Write::FamilyBlockSet { patient, blocked: list });
    draft.record(permit.by(), Act::FamilyBlocked(patient));
    let state = &draft.state;
    let theirs =
        |thread| state.family.threads.get(&thread).is_some_and(|thread| records.contains(&thread.patient));
    let in_there = state.visitors().filter(|(_, visitor)| visitor.is_running() && theirs(visitor.thread));
    // By whichever record it was said: they may have been merged since.
    let list = blocked_of(state, patient);
    let named = |person: &PersonId| state.people.get(person).is_some_and(|entry| list.has(&entry.name));
    let out: Vec<PersonId> = in_there.map(|(person, _)| person).filter(named).collect();
    for person in out {
        ending::end(draft, permit, person);
    }
    Ok(done())
}

/// Off every record's list of the patient.
fn unblock(
    draft: &mut Draft<'_>,
    permit: Permit,
    records: &[PatientId],
    name: &Name,
) -> Result<Body, Refusal> {
    let mut found = false;
    for patient in records.iter().copied() {
        let list = draft.state.family.blocked.get(&patient).cloned().unwrap_or_default();
        if list.names().contains(name) {
            draft.write(Write::FamilyBlockSet { patient, blocked: list.without(name) });
            draft.record(permit.by(), Act::FamilyUnblocked(patient));
            found = true;
        }
    }
    if found { Ok(done()) } else { Err(Refusal::NotBlocked) }
}

pub(super) fn set_code(
    draft: &mut Draft<'_>,
    by: Actor,
    encounter: EncounterId,
    fresh: Option<Fresh>,
) -> Result<Body, Refusal> {
    let (permit, stay) = may(draft, by, encounter, Operation::SetBedsideCode)?;
    let Some(fresh) = fresh else {
        ending::end_code(draft, permit, encounter);
        return Ok(done());
    };
    consented(draft, &stay)?;
    has_space(draft)?;
    let code = Draw::new(&fresh).code();
    let since = draft.now.wall;
    let expires = since.after(limits::BEDSIDE_CODE_MS);
    let kept = BedsideCode { hash: pin::bedside_code_hash(&code), since, expires };
    draft.write(Write::BedsideCodeSet { encounter, code: Some(kept) });
    draft.record(permit.by(), Act::BedsideCodeIssued(encounter));
    Ok(Body::BedsideCode(proto::BedsideCode { code, expires: expires.0 }))
}

pub(super) fn has_space(draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.room == Room::Scarce { Err(Refusal::DiskLow) } else { Ok(()) }
}

pub(super) fn done() -> Body {
    Body::Done(proto::Done {})
}
