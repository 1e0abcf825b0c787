//! Restricted patients: a public figure, an employee. Only whoever is named may see who they are; everybody else sees an alias.
//!
//! While it stands, the named people *are* the care team ([`crate::care::team`]): no bed, no place by hand and no attending brings
//! anybody in, and emergency access takes a second person ([`crate::emergency`]). What it sets aside is kept, and counts again when
//! it is lifted.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::agency;
use crate::audit::{Act, Actor};
use crate::care;
use crate::clinic::{Clinic, Encounter, Patient};
use crate::clinical::{self, encounter_of};
use crate::draft::Draft;
use crate::emergency;
use crate::ids::{EncounterId, PatientId, PersonId};
use crate::kept;
use crate::limits;
use crate::membership;
use crate::notice::Told;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::text::Name;
use crate::time::Wall;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// What stands between a patient and everybody else.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Restriction {
    /// What they are called outside the named team.
    #[n(0)]
    pub alias: Name,
    /// Who may see who they are.
    #[n(1)]
    pub named: BTreeSet<PersonId>,
    /// Who set it; nobody: a service of the box.
    #[n(2)]
    pub by: Option<PersonId>,
    /// Since when.
    #[n(3)]
    pub since: Wall,
}

impl Restriction {
    /// As the store keeps it.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// The restriction behind kept bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        minicbor::decode(bytes)
    }
}

/// What is to become of it.
pub struct Restrict {
    /// Whose stay.
    pub encounter: EncounterId,
    /// From now on; none: as it is.
    pub alias: Option<Name>,
    /// Named from now on.
    pub add: Vec<PersonId>,
    /// Not any more.
    pub remove: Vec<PersonId>,
}

/// What the restriction of a stay's patient is.
pub(crate) fn of_stay(clinic: &Clinic, stay: &Encounter) -> Option<Restriction> {
    clinic.known(stay.patient)?.restriction().cloned()
}

/// Whom to ask about a restricted patient: the attending if they are named, else whoever restricted it.
pub(crate) fn whom_to_ask(stay: &Encounter, restriction: &Restriction) -> Option<PersonId> {
    stay.attending.filter(|who| restriction.named.contains(who)).or(restriction.by)
}

/// The attending of a restricted patient is one who is named: otherwise whoever says who attends would say who sees.
fn may(draft: &Draft<'_>, by: Actor, stay: &Encounter) -> Result<Permit, Refusal> {
    let attends = match by {
        Actor::Person { person, .. } => {
            let patient = draft.state.clinic.known(stay.patient);
            let reviews = draft.state.people.get(&person).is_none_or(|entry| entry.privacy_officer);
            stay.attending == Some(person)
                && !reviews
                && patient.is_some_and(|patient| patient.shows_to(Some(person)))
        }
        _ => false,
    };
    let is = clinical::relations(draft.state, by, stay.unit);
    access::permit(Operation::Restrict, is.and(Relations::when(attends, Relation::Attending)), by)
}

pub(crate) fn restrict(draft: &mut Draft<'_>, by: Actor, ask: Restrict) -> Result<Body, Refusal> {
    let Restrict { encounter, alias, add, remove } = ask;
    let stay = encounter_of(draft.state, encounter)?.clone();
    let permit = may(draft, by, &stay)?;
    let was = of_stay(&draft.state.clinic, &stay);
    let patient = draft.state.clinic.surviving(stay.patient);
    let alias = alias.or_else(|| was.as_ref().map(|was| was.alias.clone())).ok_or(Refusal::Invalid)?;
    let mut named = was.as_ref().map(|was| was.named.clone()).unwrap_or_default();
    if add.iter().any(|person| remove.contains(person)) {
        return Err(Refusal::Invalid);
    }
    for person in add.iter().filter(|person| !named.contains(person)) {
        let entry = draft.state.colleague(*person)?;
        if entry.privacy_officer {
            return Err(Refusal::ReviewerNotNamed);
        }
        // Who is named has no end, and who comes back another time would know the patient again.
        agency::may_stay(entry)?;
        membership::invitable(draft, *person)?;
    }
    named.extend(add);
    named.retain(|person| !remove.contains(person));
    if named.is_empty() {
        return Err(Refusal::NobodyNamed);
    }
    if named.len() > limits::CARE_TEAM_MAX {
        return Err(Refusal::Limit);
    }
    let (setter, since) = match &was {
        Some(was) => (was.by, was.since),
        None => (person_of(by), draft.now.wall),
    };
    let restriction = Restriction { alias, named, by: setter, since };
    if was.as_ref() == Some(&restriction) {
        return Ok(Body::Done(proto::Done {}));
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    if was.is_none() {
        // Who came in alone is out: from now on it takes two.
        emergency::end_alone(draft, permit, patient);
        draft.record(permit.by(), Act::PatientRestricted(patient));
    }
    let before = was.as_ref().map(|was| was.named.clone()).unwrap_or_default();
    for person in restriction.named.difference(&before) {
        draft.record(permit.by(), Act::PatientNamed(patient, *person));
    }
    for person in before.difference(&restriction.named) {
        draft.record(permit.by(), Act::PatientUnnamed(patient, *person));
    }
    let told = was.is_none().then_some(Told::Restricted);
    set(draft, permit, patient, Some(&restriction), told);
    Ok(Body::Done(proto::Done {}))
}

pub(crate) fn lift(draft: &mut Draft<'_>, by: Actor, encounter: EncounterId) -> Result<Body, Refusal> {
    let stay = encounter_of(draft.state, encounter)?.clone();
    let permit = may(draft, by, &stay)?;
    let patient = draft.state.clinic.surviving(stay.patient);
    if of_stay(&draft.state.clinic, &stay).is_none() {
        return Err(Refusal::NotRestricted);
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    draft.record(permit.by(), Act::PatientUnrestricted(patient));
    set(draft, permit, patient, None, Some(Told::Unrestricted));
    Ok(Body::Done(proto::Done {}))
}

/// Of every record of theirs, so that each keeps it when they are un-merged. Every thread that is kept hears of a change of its own,
/// once whoever is out is out.
fn set(
    draft: &mut Draft<'_>,
    permit: Permit,
    patient: PatientId,
    restriction: Option<&Restriction>,
    told: Option<Told>,
) {
    let records = draft.state.clinic.records_of(patient);
    // All of them first: who may see them is asked of all together.
    for id in records.iter().filter(|_| records.len() > 1) {
        if let Some(record) = draft.state.clinic.patients.get(id).cloned() {
            let patient = Patient { restriction: restriction.cloned(), ..record };
            draft.write(Write::PatientSet { patient, thread: None });
        }
    }
    for (stay, thread, record) in draft.state.clinic.kept_of(&records) {
        if let Some(record) = draft.state.clinic.patients.get(&record).cloned() {
            let patient = Patient { restriction: restriction.cloned(), ..record };
            draft.write(Write::PatientSet { patient, thread: Some(thread) });
            care::settle_one(draft, permit, stay, told.clone());
        }
    }
}

fn person_of(by: Actor) -> Option<PersonId> {
    match by {
        Actor::Person { person, .. } => Some(person),
        _ => None,
    }
}
