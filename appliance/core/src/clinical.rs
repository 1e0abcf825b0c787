//! What may be asked about patients and those who care for them.

use crate::access::{self, Operation, Permit, Relations};
use crate::audit::Actor;
use crate::care::{self, TeamChange};
use crate::clinic::Encounter;
use crate::draft::Draft;
use crate::emergency::{self, Emergency, Finding, Whom};
use crate::ids::{AssignmentId, Conn, EmergencyId, EncounterId, PatientId, PersonId, RequestId, UnitId};
use crate::input::Fresh;
use crate::lookup::{self, LookUp};
use crate::merge::{self, Merge, Unmerge};
use crate::particulars::{Bed, Particulars, RecordNumber};
use crate::refusal::Refusal;
use crate::restriction::{self, Restrict};
use crate::state::State;
use crate::text::{Grounds, Name};
use crate::time::Wall;
use crate::turn::Send;
use crate::wire::proto::{self, client_frame};
use crate::wire::{people, person, unit};
use crate::{assignment, encounter, limits};

/// A request. Every field has been parsed.
pub enum Clinical {
    /// A patient comes.
    Admit(Admission),
    /// A patient lies elsewhere from now on.
    Transfer {
        /// Whose stay.
        encounter: EncounterId,
        /// Where to.
        unit: UnitId,
        /// Into which bed.
        bed: Bed,
    },
    /// A patient is away for a time, or back.
    SetLeave {
        /// Whose stay.
        encounter: EncounterId,
        /// Away.
        away: bool,
    },
    /// A patient goes.
    Discharge {
        /// Whose stay.
        encounter: EncounterId,
    },
    /// What identifies a patient was wrong, or another attending answers for the stay.
    UpdatePatient(Correction),
    /// Two records are of one patient.
    MergeRecords(Merge),
    /// They are not, after all.
    UnmergeRecords(Unmerge),
    /// People in and out of a care team by hand.
    ChangeCareTeam {
        /// Of whose stay.
        encounter: EncounterId,
        /// Who.
        change: TeamChange,
    },
    /// Only whoever is named may see who a patient is.
    Restrict(Restrict),
    /// Whoever cares for the patient may again.
    LiftRestriction {
        /// Whose stay.
        encounter: EncounterId,
    },
    /// Beds for a shift.
    TakeAssignment(Shift),
    /// A shift ends early.
    EndAssignment {
        /// Which.
        assignment: AssignmentId,
    },
    /// Somebody breaks the glass, or reviews who did.
    Emergency(Emergency),
    /// People and patients with some words.
    LookUp(LookUp),
    /// A page of a unit's patients.
    ListPatients {
        /// Where.
        unit: UnitId,
        /// Behind this bed; none from the start.
        after: Option<Bed>,
    },
    /// A page of a unit's beds.
    ListBeds {
        /// Where.
        unit: UnitId,
        /// Behind this bed; none from the start.
        after: Option<Bed>,
    },
}

/// Who comes, and where they lie.
pub struct Admission {
    /// The patient's record.
    pub record: RecordNumber,
    /// Of a new patient, under that record number; none: who has that number.
    pub new: Option<Particulars>,
    /// Where.
    pub unit: UnitId,
    /// In which bed.
    pub bed: Bed,
    /// Who answers for the stay.
    pub attending: Option<PersonId>,
    /// For the identifiers and the thread's key.
    pub fresh: Fresh,
}

/// What is to be right of a patient from now on.
pub struct Correction {
    /// The surviving record.
    pub patient: PatientId,
    /// What identifies them.
    pub particulars: Particulars,
    /// Of the stay that is not over; none: nobody.
    pub attending: Option<PersonId>,
    /// Which that is; none: the patient has one at most.
    pub encounter: Option<EncounterId>,
}

/// Who takes which beds until when.
pub struct Shift {
    /// Where.
    pub unit: UnitId,
    /// Who; none: the asker.
    pub person: Option<PersonId>,
    /// Which, in order and each once; none: the whole unit.
    pub beds: Vec<Bed>,
    /// Over from then on.
    pub until: Wall,
    /// For the identifier.
    pub fresh: Fresh,
}

/// Decides a request of a signed-in person or a service of the box.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    conn: Conn,
    request: RequestId,
    by: Actor,
    ask: Clinical,
) -> Result<(), Refusal> {
    let body = match ask {
        Clinical::Admit(admission) => encounter::admit(draft, by, admission)?,
        Clinical::Transfer { encounter, unit, bed } => {
            encounter::transfer(draft, by, encounter, (unit, bed))?
        }
        Clinical::SetLeave { encounter, away } => encounter::set_leave(draft, by, encounter, away)?,
        Clinical::Discharge { encounter } => encounter::discharge(draft, by, encounter)?,
        Clinical::UpdatePatient(ask) => encounter::update(draft, by, ask)?,
        Clinical::MergeRecords(ask) => merge::merge(draft, by, ask)?,
        Clinical::UnmergeRecords(ask) => merge::unmerge(draft, by, ask)?,
        Clinical::ChangeCareTeam { encounter, change } => care::change_team(draft, by, encounter, change)?,
        Clinical::Restrict(ask) => restriction::restrict(draft, by, ask)?,
        Clinical::LiftRestriction { encounter } => restriction::lift(draft, by, encounter)?,
        Clinical::TakeAssignment(shift) => assignment::take(draft, by, shift)?,
        Clinical::EndAssignment { assignment } => assignment::end_early(draft, by, assignment)?,
        Clinical::Emergency(ask) => emergency::handle(draft, by, ask)?,
        Clinical::LookUp(ask) => lookup::look_up(draft, by, &ask)?,
        Clinical::ListPatients { unit, after } => encounter::list(draft, by, unit, after)?,
        Clinical::ListBeds { unit, after } => assignment::list_beds(draft, by, unit, after)?,
    };
    draft.send(Send::Reply { conn, request, body });
    Ok(())
}

/// What somebody is to a unit's patients. Who reviews what others read takes no part.
pub(crate) fn relations(state: &State, by: Actor, unit: UnitId) -> Relations {
    match by {
        Actor::Local => access::BOX_SERVICE,
        Actor::Person { person, .. } => {
            let officer = state.people.get(&person).is_none_or(|entry| entry.privacy_officer);
            if officer { access::STAFF } else { access::STAFF.and(access::to_unit(state, person, unit)) }
        }
        Actor::TheBox | Actor::Unproven => Relations::default(),
    }
}

/// Whether somebody may do this to a unit that there is.
pub(crate) fn permit_in(
    state: &State,
    operation: Operation,
    by: Actor,
    unit: UnitId,
) -> Result<Permit, Refusal> {
    state.units.get(&unit).ok_or(Refusal::NoSuchUnit)?;
    access::permit(operation, relations(state, by, unit), by)
}

/// The stay, while it is kept.
pub(crate) fn encounter_of(state: &State, encounter: EncounterId) -> Result<&Encounter, Refusal> {
    state.clinic.encounters.get(&encounter).ok_or(Refusal::NoSuchPatient)
}

/// The request in a frame's body that [`crate::wire::parse`] found to be one of these.
pub(crate) fn parse(
    body: client_frame::Body,
    fresh: &mut impl FnMut() -> Fresh,
) -> Result<Clinical, Refusal> {
    use client_frame::Body;
    Ok(match body {
        Body::Admit(admit) => Clinical::Admit(parse_admission(&admit, fresh)?),
        Body::Transfer(transfer) => Clinical::Transfer {
            encounter: encounter(transfer.encounter)?,
            unit: unit(transfer.unit)?,
            bed: Bed::parse(&transfer.bed)?,
        },
        Body::SetLeave(set) => Clinical::SetLeave { encounter: encounter(set.encounter)?, away: set.away },
        Body::Discharge(discharge) => Clinical::Discharge { encounter: encounter(discharge.encounter)? },
        Body::UpdatePatient(update) => Clinical::UpdatePatient(Correction {
            patient: PatientId::new(update.patient).ok_or(Refusal::NoSuchPatient)?,
            particulars: Particulars::from_wire(update.particulars.as_ref().ok_or(Refusal::Invalid)?)?,
            attending: some(update.attending, person)?,
            encounter: some(update.encounter, encounter)?,
        }),
        Body::MergeRecords(ask) => Clinical::MergeRecords(Merge {
            surviving: RecordNumber::parse(&ask.surviving_record_number)?,
            merged: RecordNumber::parse(&ask.merged_record_number)?,
            only_look: ask.only_look,
        }),
        Body::UnmergeRecords(ask) => Clinical::UnmergeRecords(Unmerge {
            merged: RecordNumber::parse(&ask.merged_record_number)?,
            only_look: ask.only_look,
            fresh: fresh(),
        }),
        Body::ChangeCareTeam(change) => Clinical::ChangeCareTeam {
            encounter: encounter(change.encounter)?,
            change: TeamChange {
                add: people(&change.add)?,
                until: (change.until != 0).then_some(Wall(change.until)),
                remove: people(&change.remove)?,
            },
        },
        Body::Restrict(ask) => Clinical::Restrict(Restrict {
            encounter: encounter(ask.encounter)?,
            alias: (!ask.alias.is_empty()).then(|| Name::parse(&ask.alias)).transpose()?,
            add: people(&ask.add)?,
            remove: people(&ask.remove)?,
        }),
        Body::LiftRestriction(lift) => Clinical::LiftRestriction { encounter: encounter(lift.encounter)? },
        Body::TakeAssignment(take) => Clinical::TakeAssignment(Shift {
            unit: unit(take.unit)?,
            person: some(take.person, person)?,
            beds: parse_beds(&take.beds, take.whole_unit)?,
            until: Wall(take.until),
            fresh: fresh(),
        }),
        Body::EndAssignment(end) => Clinical::EndAssignment {
            assignment: AssignmentId::new(end.assignment).ok_or(Refusal::NoSuchAssignment)?,
        },
        Body::BreakGlass(_)
        | Body::EndEmergency(_)
        | Body::LookAtRequest(_)
        | Body::Countersign(_)
        | Body::ListEmergencies(_)
        | Body::ReviewEmergency(_) => Clinical::Emergency(parse_emergency(body, fresh)?),
        Body::LookUp(ask) => Clinical::LookUp(lookup::parse(&ask)?),
        Body::ListPatients(list) => {
            Clinical::ListPatients { unit: unit(list.unit)?, after: parse_after(&list.after)? }
        }
        Body::ListBeds(list) => {
            Clinical::ListBeds { unit: unit(list.unit)?, after: parse_after(&list.after)? }
        }
        _ => return Err(Refusal::UnknownRequest),
    })
}

fn parse_admission(admit: &proto::Admit, fresh: &mut impl FnMut() -> Fresh) -> Result<Admission, Refusal> {
    let new = admit.new_patient.as_ref().map(Particulars::from_wire).transpose()?;
    let record = match (&new, admit.record_number.as_str()) {
        (Some(new), "") => new.record.clone(),
        // One number, said once.
        (Some(_), _) => return Err(Refusal::Invalid),
        (None, record) => RecordNumber::parse(record)?,
    };
    Ok(Admission {
        record,
        new,
        unit: unit(admit.unit)?,
        bed: Bed::parse(&admit.bed)?,
        attending: some(admit.attending, person)?,
        fresh: fresh(),
    })
}

/// Beds by name or the whole unit: one of the two, so that a list that came out empty is not taken for everything.
pub(crate) fn parse_beds(beds: &[String], whole_unit: bool) -> Result<Vec<Bed>, Refusal> {
    if beds.is_empty() != whole_unit {
        return Err(Refusal::Invalid);
    }
    if beds.len() > limits::BEDS_OF_ASSIGNMENT_MAX {
        return Err(Refusal::TooLarge);
    }
    let mut beds = beds.iter().map(|bed| Bed::parse(bed)).collect::<Result<Vec<Bed>, Refusal>>()?;
    beds.sort_unstable();
    beds.dedup();
    Ok(beds)
}

fn parse_after(after: &str) -> Result<Option<Bed>, Refusal> {
    if after.is_empty() { Ok(None) } else { Bed::parse(after).map(Some) }
}

fn parse_emergency(
    body: client_frame::Body,
    fresh: &mut impl FnMut() -> Fresh,
) -> Result<Emergency, Refusal> {
    use client_frame::Body;
    let known = |value| EmergencyId::new(value).ok_or(Refusal::NoSuchEmergency);
    let request = |value| EmergencyId::new(value).ok_or(Refusal::NoSuchEmergencyRequest);
    Ok(match body {
        Body::BreakGlass(open) => Emergency::Begin {
            // One way of saying who, so that two that disagree are not taken for either.
            whom: match (open.record_number.as_str(), open.bed.as_str(), open.unit) {
                (record, "", 0) => Whom::Record(RecordNumber::parse(record)?),
                ("", bed, of) => Whom::InBed(unit(of)?, Bed::parse(bed)?),
                _ => return Err(Refusal::Invalid),
            },
            grounds: Grounds::parse(&open.grounds)?,
            fresh: fresh(),
        },
        Body::EndEmergency(end) => Emergency::End { id: known(end.emergency)? },
        Body::LookAtRequest(look) => Emergency::Look { id: request(look.emergency)? },
        Body::Countersign(sign) => Emergency::Countersign { id: request(sign.emergency)? },
        Body::ListEmergencies(list) => Emergency::List { after: some(list.after, known)? },
        Body::ReviewEmergency(review) => Emergency::Review {
            id: known(review.emergency)?,
            finding: match review.finding() {
                proto::Finding::Justified => Finding::Justified,
                proto::Finding::NotJustified => Finding::NotJustified,
                proto::Finding::Unspecified => return Err(Refusal::Invalid),
            },
        },
        _ => return Err(Refusal::UnknownRequest),
    })
}

fn encounter(value: u64) -> Result<EncounterId, Refusal> {
    EncounterId::new(value).ok_or(Refusal::NoSuchPatient)
}

/// Zero is nobody.
fn some<T>(value: u64, parse: impl Fn(u64) -> Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    if value == 0 { Ok(None) } else { parse(value).map(Some) }
}
