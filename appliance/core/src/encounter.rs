//! A patient's stay: admission, moves, leave, discharge, and the two ends of its thread. It closes to new messages some time
//! after the discharge, and is put away when its last readers have had it for as long as messages are kept.

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::agency;
use crate::assignment;
use crate::audit::{Act, Actor};
use crate::care;
use crate::clinic::{Encounter, Patient, Standing};
use crate::clinical::{self, Admission, Correction, encounter_of, permit_in};
use crate::conversation::Kind;
use crate::draft::Draft;
use crate::emergency;
use crate::family;
use crate::ids::{Change, EncounterId, PatientId, PersonId, UnitId};
use crate::limits;
use crate::membership::{self, Opening};
use crate::notice::{self, Told};
use crate::particulars::{Bed, Particulars};
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Draw;
use crate::stat;
use crate::state::State;
use crate::text::Title;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

pub(crate) fn admit(draft: &mut Draft<'_>, by: Actor, admission: Admission) -> Result<Body, Refusal> {
    let Admission { record, new, unit, bed, attending, fresh } = admission;
    let permit = permit_in(draft.state, Operation::Admit, by, unit)?;
    let clinic = &draft.state.clinic;
    let known = clinic.recorded(&record);
    match (known, &new) {
        (Some(_), Some(_)) => return Err(Refusal::RecordNumberInUse),
        (None, None) => return Err(Refusal::NoSuchPatient),
        _ => {}
    }
    if known.is_some_and(|patient| clinic.open_of(patient).is_some()) {
        return Err(Refusal::AlreadyAdmitted);
    }
    if clinic.in_bed(unit, &bed).is_some() {
        return Err(Refusal::BedTaken);
    }
    if clinic.open_count() >= limits::ENCOUNTERS_OPEN_MAX
        || clinic.encounters.len() >= limits::ENCOUNTERS_KEPT_MAX
        || known.is_none() && clinic.patients.len() >= limits::PATIENTS_MAX
    {
        return Err(Refusal::Limit);
    }
    if let Some(attending) = attending {
        may_attend(draft, attending)?;
    }
    // The first identifier is the thread's.
    let (a, b) = Draw::new(&fresh).others();
    let opening = Opening { kind: Kind::Patient, title: Title::default(), unit: None };
    let thread = membership::open(draft, None, permit, opening, fresh)?;
    let patient = match (known, new) {
        (None, Some(particulars)) => enter(draft, permit, PatientId::from_random(a), particulars),
        (known, _) => known.ok_or(Refusal::NoSuchPatient)?,
    };
    let mut id = EncounterId::from_random(b);
    while draft.state.clinic.encounters.contains_key(&id) {
        id = id.following();
    }
    let told_bed = bed.clone();
    draft.write(Write::EncounterOpened(Encounter {
        id,
        patient,
        unit,
        bed,
        attending,
        standing: Standing::Admitted,
        thread,
        closed: None,
        admitted: draft.now.wall,
        changed: Change(0),
    }));
    draft.record(permit.by(), Act::PatientAdmitted(id, patient, unit));
    assignment::cover(draft, id);
    care::settle_moved(draft, permit, id, Told::Admitted { unit, bed: told_bed });
    Ok(Body::Admitted(proto::Admitted {
        patient: patient.value(),
        encounter: id.value(),
        conversation: thread.value(),
    }))
}

/// Who answers for a stay is there for all of it.
fn may_attend(draft: &Draft<'_>, attending: PersonId) -> Result<(), Refusal> {
    membership::invitable(draft, attending)?;
    draft.state.people.get(&attending).map_or(Ok(()), agency::may_stay)
}

fn enter(draft: &mut Draft<'_>, permit: Permit, mut id: PatientId, particulars: Particulars) -> PatientId {
    while draft.state.clinic.patients.contains_key(&id) {
        id = id.following();
    }
    let patient = Patient { id, particulars, changed: Change(0), restriction: None, merged: None };
    draft.write(Write::PatientSet { patient, thread: None });
    draft.record(permit.by(), Act::PatientAdded(id));
    id
}

/// Whoever holds the new bed has the patient at once; whoever held the old one keeps them until their assignment ends, for
/// what there is to hand over.
pub(crate) fn transfer(
    draft: &mut Draft<'_>,
    by: Actor,
    id: EncounterId,
    (unit, bed): (UnitId, Bed),
) -> Result<Body, Refusal> {
    let stay = encounter_of(draft.state, id)?.clone();
    draft.state.units.get(&unit).ok_or(Refusal::NoSuchUnit)?;
    let permit = access::permit(Operation::Transfer, movers(draft.state, by, &stay, unit), by)?;
    goes_on(&stay)?;
    if (stay.unit, &stay.bed) == (unit, &bed) {
        return Ok(done());
    }
    if draft.state.clinic.in_bed(unit, &bed).is_some() {
        return Err(Refusal::BedTaken);
    }
    has_space(draft)?;
    // Before that, since both are news under a change of their own.
    stat::transferred(draft, stay.thread, unit);
    let told = Told::Moved { unit, bed: bed.clone() };
    draft.write(Write::EncounterMoved { encounter: id, thread: stay.thread, unit, bed });
    draft.record(permit.by(), Act::PatientTransferred(id, unit));
    // Whoever photographed it at the old bed stands at another patient's.
    family::ending::end_code(draft, permit, id);
    assignment::cover(draft, id);
    care::settle_moved(draft, permit, id, told);
    Ok(done())
}

/// What somebody is to a patient who is moved to this unit. A move brings in whoever holds the new bed, and makes its charge nurse the
/// patient's: so whoever works there alone does not fetch a patient, unless they are in the care team already, by no emergency access; and a
/// restricted patient is moved by whoever may see them, or by the charge nurse of where they are.
fn movers(state: &State, by: Actor, stay: &Encounter, unit: UnitId) -> Relations {
    let Actor::Person { person, .. } = by else { return clinical::relations(state, by, stay.unit) };
    let here = clinical::relations(state, by, stay.unit);
    let cares = care::team_without_emergencies(&state.clinic, stay.id).contains(&person);
    let is = if cares { here.and(clinical::relations(state, by, unit)) } else { here };
    let shown = state.clinic.known(stay.patient).is_some_and(|known| known.shows_to(Some(person)));
    if shown || here.has(Relation::ChargeNurse) { is } else { access::STAFF }
}

pub(crate) fn set_leave(
    draft: &mut Draft<'_>,
    by: Actor,
    id: EncounterId,
    away: bool,
) -> Result<Body, Refusal> {
    let stay = encounter_of(draft.state, id)?.clone();
    let permit = permit_in(draft.state, Operation::SetLeave, by, stay.unit)?;
    goes_on(&stay)?;
    let standing = if away { Standing::OnLeave } else { Standing::Admitted };
    if stay.standing != standing {
        has_space(draft)?;
        draft.write(Write::EncounterStanding { encounter: id, thread: stay.thread, standing });
        draft.record(permit.by(), if away { Act::LeaveBegan(id) } else { Act::LeaveEnded(id) });
        care::tell(draft, id);
        let told = if away { Told::LeaveBegan } else { Told::LeaveEnded };
        notice::tell(draft, permit.by(), stay.thread, told);
    }
    Ok(done())
}

/// The bed is free at once. The thread goes on for [`crate::policy::Policy::thread_grace_ms`].
pub(crate) fn discharge(draft: &mut Draft<'_>, by: Actor, id: EncounterId) -> Result<Body, Refusal> {
    let stay = encounter_of(draft.state, id)?.clone();
    let permit = permit_in(draft.state, Operation::Discharge, by, stay.unit)?;
    goes_on(&stay)?;
    let standing = Standing::Discharged(draft.now.wall);
    draft.write(Write::EncounterStanding { encounter: id, thread: stay.thread, standing });
    draft.record(permit.by(), Act::PatientDischarged(id));
    care::tell(draft, id);
    notice::tell(draft, permit.by(), stay.thread, Told::Discharged);
    family::ending::end_all(draft, permit, id);
    care::settle_across(draft, permit, id);
    Ok(done())
}

pub(crate) fn update(draft: &mut Draft<'_>, by: Actor, correction: Correction) -> Result<Body, Refusal> {
    let Correction { patient: id, particulars, attending, encounter } = correction;
    let clinic = &draft.state.clinic;
    let record = clinic.patients.get(&id).ok_or(Refusal::NoSuchPatient)?;
    let patient = clinic.known(id).ok_or(Refusal::NoSuchPatient)?;
    let records = clinic.records_of(id);
    let meant = |stay: &&Encounter| encounter.is_none_or(|which| which == stay.id);
    let stays: Vec<Encounter> = clinic.open_of_all(&records).filter(meant).cloned().collect();
    let (open, several) = (stays.first().cloned(), stays.len() > 1);
    let is = match (&open, by) {
        (Some(stay), _) => clinical::relations(draft.state, by, stay.unit),
        (None, Actor::Local) => access::BOX_SERVICE,
        (None, _) => access::STAFF,
    };
    let permit = access::permit(Operation::UpdatePatient, is, by)?;
    // Who may not see who they are does not say it.
    if !patient.shows_to(person_of(by)) && by != Actor::Local {
        return Err(Refusal::Restricted);
    }
    // Who is merged is who the surviving record says.
    if record.merged.is_some() {
        return Err(Refusal::RecordMerged);
    }
    if several {
        return Err(Refusal::SeveralStays);
    }
    if clinic.recorded(&particulars.record).is_some_and(|other| other != id) {
        return Err(Refusal::RecordNumberInUse);
    }
    let was = open.as_ref().and_then(|stay| stay.attending);
    if open.is_none() && (attending.is_some() || encounter.is_some()) {
        return Err(Refusal::EncounterOver);
    }
    if let Some(attending) = attending.filter(|attending| was != Some(*attending)) {
        may_attend(draft, attending)?;
    }
    let other_particulars = record.particulars != particulars;
    let patient = Patient { particulars, ..record.clone() };
    if other_particulars || attending != was {
        has_space(draft)?;
    }
    // First, so that who goes with it hears nothing more.
    if let Some(stay) = open.filter(|_| attending != was) {
        draft.write(Write::AttendingSet { encounter: stay.id, thread: stay.thread, attending });
        draft.record(permit.by(), Act::AttendingSet(stay.id, attending));
        care::settle_and_tell(draft, permit, stay.id, Some(Told::Attending { person: attending }));
    }
    if other_particulars {
        let kept = draft.state.clinic.kept_of(&records);
        // Each thread that shows it hears of a change of its own: a connection takes one event of each change.
        for (stay, thread, _) in &kept {
            draft.write(Write::PatientSet { patient: patient.clone(), thread: Some(*thread) });
            care::tell(draft, *stay);
        }
        if kept.is_empty() {
            draft.write(Write::PatientSet { patient, thread: None });
        }
        draft.record(permit.by(), Act::PatientUpdated(id));
    }
    Ok(done())
}

/// A page of a unit's patients in order of their beds. Names, so it is recorded.
pub(crate) fn list(
    draft: &mut Draft<'_>,
    by: Actor,
    unit: UnitId,
    after: Option<Bed>,
) -> Result<Body, Refusal> {
    let permit = permit_in(draft.state, Operation::ListPatients, by, unit)?;
    has_space(draft)?;
    draft.record(permit.by(), Act::PatientsListed(unit));
    let clinic = &draft.state.clinic;
    let behind = clinic.beds_of(unit).filter(|(bed, _)| after.as_ref().is_none_or(|after| *bed > after));
    let stays: Vec<&Encounter> = behind
        .filter_map(|(_, encounter)| clinic.encounters.get(&encounter))
        .take(limits::PATIENTS_PAGE_MAX + 1)
        .collect();
    let end = stays.len() <= limits::PATIENTS_PAGE_MAX;
    let listed = |stay: &&Encounter| proto::ListedPatient {
        patient: clinic.known(stay.patient).map(|patient| patient.to_wire_for(person_of(by))),
        encounter: Some(stay.to_wire()),
    };
    let patients = stays.iter().take(limits::PATIENTS_PAGE_MAX).map(listed).collect();
    Ok(Body::PatientPage(proto::PatientPage { patients, end }))
}

/// Time is over for a discharged patient's thread: first it closes, then it is put away.
pub(crate) fn ripen(draft: &mut Draft<'_>, id: EncounterId) {
    let Some(stay) = draft.state.clinic.encounters.get(&id).filter(|stay| !stay.is_open()) else { return };
    let (thread, permit) = (stay.thread, Permit::OF_TIME);
    if stay.closed.is_none() {
        let at = draft.now.wall;
        draft.write(Write::ThreadClosed { encounter: id, thread, at });
        draft.record(permit.by(), Act::ThreadClosed(id));
        care::tell(draft, id);
        notice::tell(draft, permit.by(), thread, Told::Closed);
        return;
    }
    // Nobody is left who could answer. First, so that nothing is passed on by whoever is put out here.
    stat::close_all(draft, thread, permit.by());
    emergency::end_of_stay(draft, permit, id);
    family::ending::file(draft, permit, id);
    draft.write(Write::EncounterFiled { encounter: id, thread });
    draft.record(permit.by(), Act::EncounterFiled(id));
    let present = draft.state.conversations.get(&thread).into_iter().flat_map(|place| place.present());
    let present: Vec<PersonId> = present.map(|(person, _)| person).collect();
    membership::bring_in(draft, permit, thread, &[], &present);
}

fn person_of(by: Actor) -> Option<PersonId> {
    match by {
        Actor::Person { person, .. } => Some(person),
        _ => None,
    }
}

fn goes_on(stay: &Encounter) -> Result<(), Refusal> {
    if stay.is_open() { Ok(()) } else { Err(Refusal::EncounterOver) }
}

fn has_space(draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.room == Room::Scarce { Err(Refusal::DiskLow) } else { Ok(()) }
}

fn done() -> Body {
    Body::Done(proto::Done {})
}
