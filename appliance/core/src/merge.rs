//! Merging two records of one patient, and un-merging them (what HL7 v2 tells with ADT^A40, and no feed can take back).
//!
//! See [`crate::record`]: a merge is a link, and nothing is moved. What follows from it here: who cares for an open stay reads the
//! threads of the patient's other records too ([`crate::care::team`]), only who is named in every record that is restricted sees
//! who the patient is, and a legal hold on one keeps the threads of all.

use std::collections::BTreeSet;

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::audit::{Act, Actor};
use crate::care;
use crate::clinic::{Encounter, Patient};
use crate::clinical;
use crate::draft::Draft;
use crate::emergency;
use crate::hold::{Hold, Subject};
use crate::ids::{HoldId, PatientId, PersonId};
use crate::input::Fresh;
use crate::limits;
use crate::membership;
use crate::notice::Told;
use crate::particulars::RecordNumber;
use crate::record::{Known, Merged};
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Draw;
use crate::state::State;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

/// Two records are of one patient.
pub struct Merge {
    /// Whose particulars and number count from now on.
    pub surviving: RecordNumber,
    /// Whose number finds the other one from now on.
    pub merged: RecordNumber,
    /// What it would do.
    pub only_look: bool,
}

/// They are not, after all.
pub struct Unmerge {
    /// The one that was merged.
    pub merged: RecordNumber,
    /// What it would do.
    pub only_look: bool,
    /// For the identifiers of legal holds.
    pub fresh: Fresh,
}

/// Two records, and which records are one patient afterwards.
struct Plan {
    surviving: PatientId,
    merged: PatientId,
    /// All that are, or are to be, one: the surviving one first.
    together: Vec<PatientId>,
    /// Afterwards: the surviving record with the others of it, and the merged one, which is of the same when it is merged.
    surviving_with: Vec<PatientId>,
    merged_with: Vec<PatientId>,
    /// Of an unrestricted one and a restricted one, who came in to the former alone is out: from then on it takes two.
    restricts: bool,
}

pub(crate) fn merge(draft: &mut Draft<'_>, by: Actor, ask: Merge) -> Result<Body, Refusal> {
    let clinic = &draft.state.clinic;
    // First: whether there is such a record is told to nobody who may merge none.
    access::permit(Operation::MergeRecords, leads_somewhere(draft.state, by), by)?;
    let surviving = clinic.recorded(&ask.surviving).ok_or(Refusal::NoSuchPatient)?;
    let merged = clinic.recorded(&ask.merged).ok_or(Refusal::NoSuchPatient)?;
    let mut together = clinic.records_of(surviving);
    together.push(merged);
    let permit = may(draft, by, &together)?;
    if !may_name(draft, by, [surviving, merged]) {
        return Err(Refusal::NoSuchPatient);
    }
    if surviving == merged {
        return Err(Refusal::SameRecord);
    }
    let is_merged = |record| clinic.surviving(record) != record;
    if is_merged(surviving) || is_merged(merged) {
        return Err(Refusal::RecordMerged);
    }
    if clinic.records_of(merged).len() > 1 {
        return Err(Refusal::HasMergedRecords);
    }
    for record in [surviving, merged] {
        sees(draft, by, &clinic.records_of(record))?;
    }
    if together.len() > limits::RECORDS_OF_PATIENT_MAX {
        return Err(Refusal::Limit);
    }
    let known = clinic.known_by(&together).ok_or(Refusal::NoSuchPatient)?;
    if known.restriction().is_some_and(|restriction| restriction.named.is_empty()) {
        return Err(Refusal::NobodyNamed);
    }
    let (surviving_with, merged_with) = (together.clone(), together.clone());
    let is_restricted = |record| clinic.known(record).is_some_and(|known| known.restriction().is_some());
    let restricts = is_restricted(surviving) != is_restricted(merged);
    let plan = Plan { surviving, merged, together, surviving_with, merged_with, restricts };
    let seen = look(draft, by, &plan)?;
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    if ask.only_look {
        draft.record(permit.by(), Act::MergeLookedAt(merged, surviving));
        return Ok(Body::MergedRecords(seen));
    }
    let link = Merged { into: surviving, since: draft.now.wall, by: person_of(by) };
    set(draft, merged, Some(link));
    draft.record(permit.by(), Act::RecordsMerged(merged, surviving));
    if restricts {
        emergency::end_alone(draft, permit, surviving);
    }
    settle(draft, permit, &plan.together, &Told::RecordsMerged);
    Ok(Body::MergedRecords(proto::MergedRecords { done: true, ..seen }))
}

pub(crate) fn unmerge(draft: &mut Draft<'_>, by: Actor, ask: Unmerge) -> Result<Body, Refusal> {
    let clinic = &draft.state.clinic;
    access::permit(Operation::MergeRecords, leads_somewhere(draft.state, by), by)?;
    let merged = clinic.recorded(&ask.merged).ok_or(Refusal::NoSuchPatient)?;
    let together = clinic.records_of(merged);
    let permit = may(draft, by, &together)?;
    let surviving = clinic.surviving(merged);
    if surviving == merged {
        return Err(Refusal::RecordNotMerged);
    }
    sees(draft, by, &together)?;
    let surviving_with = together.iter().copied().filter(|record| *record != merged).collect();
    let merged_with = vec![merged];
    let plan = Plan { surviving, merged, together, surviving_with, merged_with, restricts: false };
    let seen = look(draft, by, &plan)?;
    let holds = holds_after(draft, &plan, &ask.fresh)?;
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    if ask.only_look {
        draft.record(permit.by(), Act::MergeLookedAt(merged, surviving));
        return Ok(Body::MergedRecords(seen));
    }
    // Before they part, so that nothing is without its hold in between.
    for hold in holds {
        let (id, (sort, number)) = (hold.id, hold.subject.numbers());
        draft.write(Write::HoldPlaced(hold));
        draft.record(Permit::OF_TIME.by(), Act::HoldPlaced(id, sort, number));
    }
    set(draft, merged, None);
    draft.record(permit.by(), Act::RecordsUnmerged(merged, surviving));
    settle(draft, permit, &plan.together, &Told::RecordsUnmerged);
    Ok(Body::MergedRecords(proto::MergedRecords { done: true, ..seen }))
}

fn set(draft: &mut Draft<'_>, record: PatientId, merged: Option<Merged>) {
    if let Some(patient) = draft.state.clinic.patients.get(&record).cloned() {
        draft.write(Write::PatientSet { patient: Patient { merged, ..patient }, thread: None });
    }
}

/// Every thread that is kept of these records looks different, and says so: each hears of a change of its own.
fn settle(draft: &mut Draft<'_>, permit: Permit, records: &[PatientId], told: &Told) {
    for (stay, thread, record) in draft.state.clinic.kept_of(records) {
        if let Some(patient) = draft.state.clinic.patients.get(&record).cloned() {
            draft.write(Write::PatientSet { patient, thread: Some(thread) });
            care::settle_one(draft, permit, stay, Some(told.clone()));
        }
    }
}

/// What it will do: to each stay, and to who may see who the patient is.
fn look(draft: &Draft<'_>, by: Actor, plan: &Plan) -> Result<proto::MergedRecords, Refusal> {
    let clinic = &draft.state.clinic;
    let known = |records: &[PatientId]| clinic.known_by(records).ok_or(Refusal::NoSuchPatient);
    let together = known(&plan.together)?;
    let shown = |each: &Known<'_>| {
        let wire = each.to_wire();
        if together.shows_to(person_of(by)) {
            return wire;
        }
        let alias = together.to_wire_for(None).alias;
        proto::Patient { patient: wire.patient, alias, ..proto::Patient::default() }
    };
    let others: Vec<PatientId> =
        plan.together.iter().copied().filter(|record| *record != plan.merged).collect();
    let named = |records: &[PatientId]| {
        let known = clinic.known_by(records);
        count(known.as_ref().and_then(|known| known.restriction()).map_or(0, |known| known.named.len()))
    };
    let mut kept = stays(draft, &plan.together);
    kept.sort_by_key(|stay| (!stay.is_open(), stay.id));
    let mut listed = Vec::new();
    for stay in &kept {
        let records = if stay.patient == plan.merged { &plan.merged_with } else { &plan.surviving_with };
        let mut team = care::team_by(clinic, stay, records);
        if plan.restricts {
            team.extend(emergency::let_in_by_two(clinic, stay.id));
        } else {
            team.extend(emergency::let_in(clinic, stay.id));
        }
        let place = draft.state.conversations.get(&stay.thread).ok_or(Refusal::NoSuchConversation)?;
        let present: BTreeSet<PersonId> = place.present().map(|(person, _)| person).collect();
        let entering: Vec<PersonId> = team.difference(&present).copied().collect();
        let is_merge = records.len() == plan.together.len();
        if is_merge && !place.purged {
            membership::has_room(place, &entering)?;
        }
        if listed.len() < limits::MERGE_STAYS_SHOWN_MAX {
            listed.push(proto::MergedStay {
                encounter: Some(stay.to_wire()),
                entering: if place.purged { 0 } else { count(entering.len()) },
                leaving: count(present.difference(&team).count()),
            });
        }
    }
    Ok(proto::MergedRecords {
        surviving: Some(shown(&known(&others)?)),
        merged: Some(shown(&known(&[plan.merged])?)),
        stays: listed,
        stays_in_all: count(kept.len()),
        surviving_named: named(&plan.surviving_with),
        merged_named: named(&plan.merged_with),
        done: false,
    })
}

/// What a legal hold kept while the records were one it keeps afterwards: nobody can say by then which of them a message was about,
/// and an un-merge must not be a way out of a hold. A privacy officer lifts the one that is not needed.
fn holds_after(draft: &Draft<'_>, plan: &Plan, fresh: &Fresh) -> Result<Vec<Hold>, Refusal> {
    let holds = &draft.state.holds;
    let mut id = HoldId::from_random(Draw::new(fresh).identifier());
    let mut copies = Vec::new();
    for hold in holds.values() {
        let Subject::Patient(of) = hold.subject else { continue };
        if !plan.together.contains(&of) {
            continue;
        }
        let (to, with) = if of == plan.merged {
            (plan.surviving, &plan.surviving_with)
        } else {
            (plan.merged, &plan.merged_with)
        };
        // They may have been merged before.
        let same = |other: &Hold| {
            let theirs = matches!(other.subject, Subject::Patient(other) if with.contains(&other));
            theirs && (&other.matter, other.since, other.by) == (&hold.matter, hold.since, hold.by)
        };
        if holds.values().chain(&copies).any(same) {
            continue;
        }
        while holds.contains_key(&id) || copies.iter().any(|copy| copy.id == id) {
            id = id.following();
        }
        copies.push(Hold { id, subject: Subject::Patient(to), ..hold.clone() });
    }
    if holds.len() + copies.len() > limits::HOLDS_MAX && !copies.is_empty() {
        return Err(Refusal::Limit);
    }
    Ok(copies)
}

/// Who leads every unit where the patient is, or was so recently that the thread is kept: a merge lets care teams read across.
fn may(draft: &Draft<'_>, by: Actor, records: &[PatientId]) -> Result<Permit, Refusal> {
    let leads = |stay: &Encounter| clinical::relations(draft.state, by, stay.unit).has(Relation::ChargeNurse);
    let is = match by {
        Actor::Local => access::BOX_SERVICE,
        _ => {
            let kept = stays(draft, records);
            let all = !kept.is_empty() && kept.iter().all(leads);
            access::STAFF.and(Relations::when(all, Relation::ChargeNurse))
        }
    };
    access::permit(Operation::MergeRecords, is, by)
}

/// A record without a stay that is kept is nobody's unit's. Whoever leads one learns whose it is only where it can be their patient's: of the
/// same day of birth. Anything else is a service of the box's to merge, and looks like a record that there is not.
fn may_name(draft: &Draft<'_>, by: Actor, records: [PatientId; 2]) -> bool {
    let clinic = &draft.state.clinic;
    let is_here = |record: &PatientId| !clinic.kept_of(&clinic.records_of(*record)).is_empty();
    let [one, other] =
        records.map(|record| clinic.patients.get(&record).map(|known| &known.particulars.birth));
    by == Actor::Local || records.iter().all(is_here) || one == other
}

fn leads_somewhere(state: &State, by: Actor) -> Relations {
    let Actor::Person { person, .. } = by else {
        return if by == Actor::Local { access::BOX_SERVICE } else { Relations::default() };
    };
    let mut posts = state.people.get(&person).into_iter().flat_map(|entry| entry.posts.keys());
    let leads = posts.any(|unit| clinical::relations(state, by, *unit).has(Relation::ChargeNurse));
    access::STAFF.and(Relations::when(leads, Relation::ChargeNurse))
}

/// A service of the box tells what it is told of people whom it may not see.
fn sees(draft: &Draft<'_>, by: Actor, records: &[PatientId]) -> Result<(), Refusal> {
    let known = draft.state.clinic.known_by(records);
    let sees = by == Actor::Local || known.is_some_and(|known| known.shows_to(person_of(by)));
    if sees { Ok(()) } else { Err(Refusal::Restricted) }
}

fn stays(draft: &Draft<'_>, records: &[PatientId]) -> Vec<Encounter> {
    let clinic = &draft.state.clinic;
    let kept = clinic.kept_of(records);
    kept.iter().filter_map(|(stay, ..)| clinic.encounters.get(stay)).cloned().collect()
}

fn person_of(by: Actor) -> Option<PersonId> {
    match by {
        Actor::Person { person, .. } => Some(person),
        _ => None,
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
