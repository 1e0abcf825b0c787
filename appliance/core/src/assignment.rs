//! Assignments: somebody's beds for a shift, which is what brings most people into patients' threads.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::agency;
use crate::audit::{Act, Actor};
use crate::care;
use crate::clinic::Assignment;
use crate::clinical::{self, Shift, permit_in};
use crate::draft::Draft;
use crate::ids::{AssignmentId, EncounterId, PersonId, UnitId};
use crate::input::Fresh;
use crate::limits;
use crate::particulars::Bed;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::restriction;
use crate::session::Draw;
use crate::time::Wall;
use crate::wire::proto::{self, server_frame::Body};
use crate::write::Write;

pub(crate) fn take(draft: &mut Draft<'_>, by: Actor, shift: Shift) -> Result<Body, Refusal> {
    let Shift { unit, person, beds, until, fresh } = shift;
    let asker = match by {
        Actor::Person { person, .. } => Some(person),
        _ => None,
    };
    let for_another = person.is_some() && person != asker;
    let operation = if for_another { Operation::AssignBeds } else { Operation::TakeAssignment };
    let permit = permit_in(draft.state, operation, by, unit)?;
    let person = person.or(asker).ok_or(Refusal::NoSuchPerson)?;
    let entry = draft.state.colleague(person)?;
    if entry.suspended {
        return Err(Refusal::NoSuchPerson);
    }
    if !entry.works_in(unit) || entry.privacy_officer {
        return Err(Refusal::NotStaffOfUnit);
    }
    let now = draft.now.wall;
    if until <= now || until > now.after(limits::ASSIGNMENT_TIME_MAX_MS) {
        return Err(Refusal::EndInvalid);
    }
    agency::ends_within(entry, until)?;
    has_room(draft, unit, Some(person))?;
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let id = give(draft, permit, (unit, person), beds, until, &fresh);
    Ok(Body::AssignmentTaken(proto::AssignmentTaken { assignment: id.value() }))
}

/// Whether there may be one more in this unit, and of this person.
pub(crate) fn has_room(draft: &Draft<'_>, unit: UnitId, person: Option<PersonId>) -> Result<(), Refusal> {
    let assignments = &draft.state.clinic.assignments;
    let of = |which: &dyn Fn(&Assignment) -> bool| assignments.values().filter(|held| which(held)).count();
    if assignments.len() >= limits::ASSIGNMENTS_MAX
        || of(&|held| held.unit == unit) >= limits::ASSIGNMENTS_OF_UNIT_MAX
        || of(&|held| Some(held.person) == person) >= limits::ASSIGNMENTS_OF_PERSON_MAX
    {
        return Err(Refusal::Limit);
    }
    Ok(())
}

/// Gives beds to somebody who may have them: they are in the threads of whoever lies there.
pub(crate) fn give(
    draft: &mut Draft<'_>,
    permit: Permit,
    (unit, person): (UnitId, PersonId),
    beds: Vec<Bed>,
    until: Wall,
    fresh: &Fresh,
) -> AssignmentId {
    let mut id = AssignmentId::from_random(Draw::new(fresh).identifier());
    while draft.state.clinic.assignments.contains_key(&id) {
        id = id.following();
    }
    let covers = BTreeSet::new();
    let taken = Assignment { id, person, unit, beds, since: draft.now.wall, until, covers };
    let lie_there = draft.state.clinic.beds_of(unit).filter(|(bed, _)| taken.holds(unit, bed));
    let patients: Vec<EncounterId> = lie_there.map(|(_, encounter)| encounter).collect();
    draft.write(Write::AssignmentTaken(taken));
    draft.record(permit.by(), Act::AssignmentTaken(id, person, unit));
    // All first: one patient may lie in two of the beds, under two records, and who has both is in each thread by its own bed.
    for encounter in &patients {
        draft.write(Write::AssignmentCovers { assignment: id, encounter: *encounter });
    }
    for encounter in patients {
        care::settle(draft, permit, encounter);
    }
    id
}

/// Whoever stays longer keeps the beds that would have ended with them.
pub(crate) fn prolong(draft: &mut Draft<'_>, permit: Permit, person: PersonId, (was, until): (Wall, Wall)) {
    let held = draft.state.clinic.assignments.values();
    let theirs = held.filter(|held| held.person == person && held.until == was);
    for assignment in theirs.map(|held| held.id).collect::<Vec<_>>() {
        draft.write(Write::AssignmentProlonged { assignment, since: draft.now.wall, until });
        draft.record(permit.by(), Act::AssignmentProlonged(assignment, person));
    }
}

/// A patient came into a bed: whoever holds it has them from now on.
pub(crate) fn cover(draft: &mut Draft<'_>, encounter: EncounterId) {
    let clinic = &draft.state.clinic;
    let Some(stay) = clinic.encounters.get(&encounter) else { return };
    let new = |held: &&Assignment| held.holds(stay.unit, &stay.bed) && !held.covers.contains(&encounter);
    let holders: Vec<AssignmentId> = clinic.assignments.values().filter(new).map(|held| held.id).collect();
    for assignment in holders {
        draft.write(Write::AssignmentCovers { assignment, encounter });
    }
}

pub(crate) fn end_early(draft: &mut Draft<'_>, by: Actor, id: AssignmentId) -> Result<Body, Refusal> {
    let held = draft.state.clinic.assignments.get(&id).ok_or(Refusal::NoSuchAssignment)?;
    let holder = matches!(by, Actor::Person { person, .. } if person == held.person);
    let is = clinical::relations(draft.state, by, held.unit).and(Relations::when(holder, Relation::Holder));
    let permit = access::permit(Operation::EndAssignment, is, by)?;
    end(draft, permit, id);
    Ok(Body::Done(proto::Done {}))
}

/// It is over: its holder is out of every thread that nothing else keeps them in.
pub(crate) fn end(draft: &mut Draft<'_>, permit: Permit, id: AssignmentId) {
    let Some(held) = draft.state.clinic.assignments.get(&id) else { return };
    let (person, covered) = (held.person, held.covers.clone());
    draft.write(Write::AssignmentEnded { assignment: id });
    draft.record(permit.by(), Act::AssignmentEnded(id, person));
    for encounter in covered {
        care::settle(draft, permit, encounter);
    }
}

/// Ends what somebody holds: in this unit, or anywhere. With the post, with their access, and for who reviews others.
pub(crate) fn end_all(draft: &mut Draft<'_>, permit: Permit, person: PersonId, unit: Option<UnitId>) {
    let held = draft.state.clinic.assignments.values();
    let theirs = held.filter(|held| held.person == person && unit.is_none_or(|unit| held.unit == unit));
    for id in theirs.map(|held| held.id).collect::<Vec<_>>() {
        end(draft, permit, id);
    }
}

/// A page of a unit's beds: those where somebody lies, and those that somebody holds.
pub(crate) fn list_beds(
    draft: &mut Draft<'_>,
    by: Actor,
    unit: UnitId,
    after: Option<Bed>,
) -> Result<Body, Refusal> {
    permit_in(draft.state, Operation::ListBeds, by, unit)?;
    let clinic = &draft.state.clinic;
    let holder = |held: &Assignment| proto::Holder {
        assignment: held.id.value(),
        person: held.person.value(),
        until: held.until.0,
    };
    let mut beds: BTreeMap<&Bed, proto::Bed> = BTreeMap::new();
    let named = |bed: &Bed| proto::Bed { bed: bed.reveal().to_owned(), ..proto::Bed::default() };
    for (bed, encounter) in clinic.beds_of(unit) {
        let stay = clinic.encounters.get(&encounter);
        let restriction = stay.and_then(|stay| restriction::of_stay(clinic, stay));
        let restriction = restriction.as_ref();
        let alias = restriction.map(|restriction| restriction.alias.reveal().to_owned());
        let ask = stay.zip(restriction).and_then(|(stay, known)| restriction::whom_to_ask(stay, known));
        beds.insert(
            bed,
            proto::Bed {
                encounter: encounter.value(),
                alias: alias.unwrap_or_default(),
                ask: ask.map_or(0, PersonId::value),
                ..named(bed)
            },
        );
    }
    let mut whole = Vec::new();
    for held in clinic.assignments.values().filter(|held| held.unit == unit) {
        if held.beds.is_empty() {
            whole.push(holder(held));
        }
        for bed in &held.beds {
            beds.entry(bed).or_insert_with(|| named(bed)).holders.push(holder(held));
        }
    }
    let mut behind = beds.into_iter().filter(|(bed, _)| after.as_ref().is_none_or(|after| *bed > after));
    let (mut listed, mut bytes) = (Vec::new(), 0);
    let mut end = true;
    for (_, bed) in behind.by_ref() {
        let size = bed.encoded_len() + 4;
        if !listed.is_empty()
            && (listed.len() >= limits::BEDS_PAGE_MAX || bytes + size > limits::PAGE_BYTES_MAX)
        {
            end = false;
            break;
        }
        bytes += size;
        listed.push(bed);
    }
    Ok(Body::BedPage(proto::BedPage { beds: listed, whole, end }))
}
