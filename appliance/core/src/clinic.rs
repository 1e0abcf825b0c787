//! Patients, their stays, who is in a care team by hand and who holds which beds: the part of [`crate::state::State`] that
//! the clinical rules decide on. Nothing but a write changes it.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::emergency::EmergencyAccess;
use crate::ids::{
    AssignmentId, Change, ConversationId, EmergencyId, EncounterId, PatientId, PersonId, UnitId,
};
use crate::particulars::{Bed, Particulars, RecordNumber};
use crate::record::{Known, Merged};
use crate::refusal::Fault;
use crate::restriction::Restriction;
use crate::time::Wall;
use crate::wire::proto;
use crate::write::Write;

/// A record of a patient of the facility, over all stays that were begun under it. Never removed. Mostly a patient has one; who they
/// are over all of them: [`Clinic::known`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Patient {
    /// Who.
    #[n(0)]
    pub id: PatientId,
    /// What identifies them to people.
    #[n(1)]
    pub particulars: Particulars,
    /// The change that last touched this.
    #[n(2)]
    pub changed: Change,
    /// Only some may see who they are. With other records of the same patient: [`Known::restriction`].
    #[n(3)]
    pub restriction: Option<Restriction>,
    /// It is merged into another record.
    #[n(4)]
    pub merged: Option<Merged>,
}

/// One stay of a patient.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Encounter {
    /// Which.
    #[n(0)]
    pub id: EncounterId,
    /// Whose.
    #[n(1)]
    pub patient: PatientId,
    /// Where they lie, or lay when they were discharged.
    #[n(2)]
    pub unit: UnitId,
    /// In which bed.
    #[n(3)]
    pub bed: Bed,
    /// The physician who answers for the stay, when one is named.
    #[n(4)]
    pub attending: Option<PersonId>,
    /// Whether they are here.
    #[n(5)]
    pub standing: Standing,
    /// The conversation of their care team.
    #[n(6)]
    pub thread: ConversationId,
    /// When the thread closed.
    #[n(7)]
    pub closed: Option<Wall>,
    /// When they were admitted.
    #[n(8)]
    pub admitted: Wall,
    /// The change that last touched this.
    #[n(9)]
    pub changed: Change,
}

/// Whether a patient is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Standing {
    /// In their bed.
    #[n(0)]
    Admitted,
    /// Away for a time: the bed and the thread stay theirs.
    #[n(1)]
    OnLeave,
    /// Gone since then; the bed is free.
    #[n(2)]
    Discharged(#[n(0)] Wall),
}

/// A place in a care team that somebody gave by hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct CarePlace {
    /// Since when.
    #[n(0)]
    pub since: Wall,
    /// Over from then on; none: until somebody ends it.
    #[n(1)]
    pub until: Option<Wall>,
}

/// Somebody's beds for a shift: `[since, until)`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Assignment {
    /// Which.
    #[n(0)]
    pub id: AssignmentId,
    /// Whose.
    #[n(1)]
    pub person: PersonId,
    /// Where.
    #[n(2)]
    pub unit: UnitId,
    /// Which beds, in the order of [`Bed`], each once, at most [`crate::limits::BEDS_OF_ASSIGNMENT_MAX`]; none: the whole unit.
    #[n(3)]
    pub beds: Vec<Bed>,
    /// Since when, or when it was prolonged last.
    #[n(4)]
    pub since: Wall,
    /// Over from then on.
    #[n(5)]
    pub until: Wall,
    /// Whose patients lie, or lay since then, in these beds: who moves on keeps the holder until the assignment's end.
    #[n(6)]
    pub covers: BTreeSet<EncounterId>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clinic {
    /// Every patient there ever was.
    pub patients: BTreeMap<PatientId, Patient>,
    /// Stays that are not put away yet.
    pub encounters: BTreeMap<EncounterId, Encounter>,
    /// Who is in which care team by hand.
    pub care: BTreeMap<(EncounterId, PersonId), CarePlace>,
    /// Assignments that have not ended.
    pub assignments: BTreeMap<AssignmentId, Assignment>,
    /// Emergency accesses that go on, or that nobody has reviewed.
    pub emergencies: BTreeMap<EmergencyId, EmergencyAccess>,
    records: BTreeMap<RecordNumber, PatientId>,
    /// Of a surviving record, those that are merged into it.
    pub(crate) absorbed: BTreeMap<PatientId, BTreeSet<PatientId>>,
    /// The stays that are not over: by bed, and by record.
    beds: BTreeMap<(UnitId, Bed), EncounterId>,
    open: BTreeMap<PatientId, EncounterId>,
    threads: BTreeMap<ConversationId, EncounterId>,
    /// Whose every thread is, or was before its stay was put away, family threads too: some 50 bytes of each.
    whose: BTreeMap<ConversationId, PatientId>,
}

/// What a store hands back of it at start.
#[derive(Clone, Debug, Default)]
pub struct RestoredClinic {
    /// Every patient.
    pub patients: Vec<Patient>,
    /// Every encounter that is not put away.
    pub encounters: Vec<Encounter>,
    /// Who is in which care team by hand.
    pub care: Vec<(EncounterId, PersonId, CarePlace)>,
    /// Every assignment, with its beds and what it covers.
    pub assignments: Vec<Assignment>,
    /// Every emergency access that goes on, or that nobody has reviewed.
    pub emergencies: Vec<EmergencyAccess>,
    /// Every thread of every patient, those of stays that are put away too.
    pub threads: Vec<(ConversationId, PatientId)>,
}

impl Encounter {
    /// Not discharged.
    pub fn is_open(&self) -> bool {
        !matches!(self.standing, Standing::Discharged(_))
    }

    /// As the members of its thread see it.
    pub fn to_wire(&self) -> proto::Encounter {
        let (state, discharged_at) = match self.standing {
            Standing::Admitted => (proto::EncounterState::Admitted, 0),
            Standing::OnLeave => (proto::EncounterState::OnLeave, 0),
            Standing::Discharged(since) => (proto::EncounterState::Discharged, since.0),
        };
        proto::Encounter {
            encounter: self.id.value(),
            patient: self.patient.value(),
            unit: self.unit.value(),
            bed: self.bed.reveal().to_owned(),
            attending: self.attending.map_or(0, PersonId::value),
            state: state.into(),
            discharged_at,
            muted: self.standing == Standing::OnLeave,
            conversation: self.thread.value(),
        }
    }
}

impl Assignment {
    /// Whether it is of this bed.
    pub fn holds(&self, unit: UnitId, bed: &Bed) -> bool {
        self.unit == unit && (self.beds.is_empty() || self.beds.binary_search(bed).is_ok())
    }
}

/// Adds to a patient's thread whom it is about; a purged one says nothing any more.
pub fn dress(thread: &mut proto::Conversation, patient: &Known<'_>, encounter: &Encounter) {
    if !thread.purged {
        thread.patient = Some(patient.to_wire());
        thread.encounter = Some(encounter.to_wire());
    }
}

impl Clinic {
    pub(crate) fn restore(restored: RestoredClinic) -> Result<Self, Fault> {
        let mut clinic = Self::default();
        for patient in restored.patients {
            clinic.enter(patient);
        }
        if !clinic.patients.values().all(|patient| clinic.survives(patient)) {
            return Err(Fault::Inconsistent("a record is merged into one that does not survive"));
        }
        clinic.whose.extend(restored.threads);
        for encounter in restored.encounters {
            if !clinic.patients.contains_key(&encounter.patient) {
                return Err(Fault::Inconsistent("an encounter is of nobody"));
            }
            clinic.index(&encounter);
            clinic.encounters.insert(encounter.id, encounter);
        }
        for (encounter, person, place) in restored.care {
            if !clinic.encounters.contains_key(&encounter) {
                return Err(Fault::Inconsistent("a care team is of no encounter"));
            }
            clinic.care.insert((encounter, person), place);
        }
        for mut assignment in restored.assignments {
            // A store has its own order.
            assignment.beds.sort_unstable();
            clinic.assignments.insert(assignment.id, assignment);
        }
        for access in restored.emergencies {
            if access.is_running() && !clinic.encounters.contains_key(&access.encounter) {
                return Err(Fault::Inconsistent("an emergency access is to no encounter"));
            }
            clinic.emergencies.insert(access.id, access);
        }
        Ok(clinic)
    }

    /// Which record has this number, whether it is merged or not.
    pub fn recorded(&self, record: &RecordNumber) -> Option<PatientId> {
        self.records.get(record).copied()
    }

    /// The stay that was begun under this record and is not over.
    pub fn open_under(&self, record: PatientId) -> Option<&Encounter> {
        self.open.get(&record).and_then(|id| self.encounters.get(id))
    }

    /// Stays that are not over.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Who lies in this bed.
    pub fn in_bed(&self, unit: UnitId, bed: &Bed) -> Option<EncounterId> {
        self.beds.get(&(unit, bed.clone())).copied()
    }

    /// A unit's occupied beds, in order.
    pub fn beds_of(&self, unit: UnitId) -> impl Iterator<Item = (&Bed, EncounterId)> {
        let all = self.beds.range((unit, Bed::first())..);
        all.take_while(move |((of, _), _)| *of == unit).map(|((_, bed), encounter)| (bed, *encounter))
    }

    /// The stay that this is the thread of, until it is put away.
    pub fn of_thread(&self, thread: ConversationId) -> Option<&Encounter> {
        self.threads.get(&thread).and_then(|id| self.encounters.get(id))
    }

    /// Under which record this thread was begun.
    pub fn patient_of(&self, thread: ConversationId) -> Option<PatientId> {
        self.whose.get(&thread).copied()
    }

    /// Every thread that was ever begun under this record.
    pub fn threads_of(&self, record: PatientId) -> impl Iterator<Item = ConversationId> + '_ {
        self.whose.iter().filter(move |(_, whose)| **whose == record).map(|(thread, _)| *thread)
    }

    fn enter(&mut self, patient: Patient) {
        if let Some(was) = self.patients.get(&patient.id) {
            self.records.remove(&was.particulars.record);
            if let Some(into) = was.merged.map(|merged| merged.into)
                && let Some(absorbed) = self.absorbed.get_mut(&into)
            {
                absorbed.remove(&patient.id);
                // As a restart would have it.
                if absorbed.is_empty() {
                    self.absorbed.remove(&into);
                }
            }
        }
        if let Some(merged) = patient.merged {
            self.absorbed.entry(merged.into).or_default().insert(patient.id);
        }
        self.records.insert(patient.particulars.record.clone(), patient.id);
        self.patients.insert(patient.id, patient);
    }

    /// A record is merged into none, or into one that is there and is merged into none.
    fn survives(&self, patient: &Patient) -> bool {
        let into = patient.merged.map(|merged| self.patients.get(&merged.into));
        into.is_none_or(|into| into.is_some_and(|into| into.merged.is_none()))
    }

    fn index(&mut self, encounter: &Encounter) {
        self.threads.insert(encounter.thread, encounter.id);
        self.whose.insert(encounter.thread, encounter.patient);
        if encounter.is_open() {
            self.beds.insert((encounter.unit, encounter.bed.clone()), encounter.id);
            self.open.insert(encounter.patient, encounter.id);
        }
    }

    /// One that is over and reviewed is the store's alone.
    fn emergency(&mut self, id: EmergencyId, change: impl FnOnce(&mut EmergencyAccess)) {
        if let Some(access) = self.emergencies.get_mut(&id) {
            change(access);
            if !access.is_running() && !access.waits() {
                self.emergencies.remove(&id);
            }
        }
    }

    /// Folds one write in; what is not of the clinic changes nothing.
    pub(crate) fn apply(&mut self, change: Change, write: &Write) {
        match write {
            Write::PatientSet { patient, .. } => self.enter(Patient { changed: change, ..patient.clone() }),
            Write::EncounterOpened(opened) => {
                let opened = Encounter { changed: change, ..opened.clone() };
                self.index(&opened);
                self.encounters.insert(opened.id, opened);
            }
            Write::EncounterMoved { encounter, unit, bed, .. } => {
                if let Some(moved) = self.encounters.get_mut(encounter) {
                    self.beds.remove(&(moved.unit, moved.bed.clone()));
                    (moved.unit, moved.bed, moved.changed) = (*unit, bed.clone(), change);
                    self.beds.insert((*unit, bed.clone()), *encounter);
                }
            }
            Write::EncounterStanding { encounter, standing, .. } => {
                if let Some(changed) = self.encounters.get_mut(encounter) {
                    (changed.standing, changed.changed) = (*standing, change);
                    if matches!(standing, Standing::Discharged(_)) {
                        self.beds.remove(&(changed.unit, changed.bed.clone()));
                        self.open.remove(&changed.patient);
                    }
                }
            }
            Write::AttendingSet { encounter, attending, .. } => {
                if let Some(changed) = self.encounters.get_mut(encounter) {
                    (changed.attending, changed.changed) = (*attending, change);
                }
            }
            Write::CareTeamSet { encounter, person, place } => {
                match place {
                    Some(place) => self.care.insert((*encounter, *person), *place),
                    None => self.care.remove(&(*encounter, *person)),
                };
            }
            Write::AssignmentTaken(taken) => {
                self.assignments.insert(taken.id, taken.clone());
            }
            Write::AssignmentCovers { assignment, encounter } => {
                if let Some(assignment) = self.assignments.get_mut(assignment) {
                    assignment.covers.insert(*encounter);
                }
            }
            Write::AssignmentProlonged { assignment, since, until } => {
                if let Some(assignment) = self.assignments.get_mut(assignment) {
                    (assignment.since, assignment.until) = (*since, *until);
                }
            }
            Write::AssignmentEnded { assignment } => {
                self.assignments.remove(assignment);
            }
            Write::EmergencyBegan(access) => {
                self.emergencies.insert(access.id, access.clone());
            }
            Write::EmergencyEnded { id, at } => self.emergency(*id, |access| access.ended = Some(*at)),
            Write::EmergencyReviewed { id, finding, .. } => {
                self.emergency(*id, |access| access.finding = Some(*finding));
            }
            Write::ThreadClosed { encounter, at, .. } => {
                if let Some(closed) = self.encounters.get_mut(encounter) {
                    (closed.closed, closed.changed) = (Some(*at), change);
                }
            }
            Write::FamilyThreadOpened(thread) => {
                self.whose.insert(thread.conversation, thread.patient);
            }
            Write::EncounterFiled { encounter, thread } => {
                self.encounters.remove(encounter);
                self.threads.remove(thread);
                self.care.retain(|(of, _), _| of != encounter);
                for assignment in self.assignments.values_mut() {
                    assignment.covers.remove(encounter);
                }
            }
            _ => {}
        }
    }

    /// Its parts, encoded in a fixed order, for [`crate::state::State::canonical_hash`].
    pub(crate) fn encode(
        &self,
        mut part: impl FnMut(Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>>),
    ) {
        self.patients.values().for_each(|patient| part(minicbor::to_vec(patient)));
        self.encounters.values().for_each(|encounter| part(minicbor::to_vec(encounter)));
        self.care.iter().for_each(|place| part(minicbor::to_vec(place)));
        self.assignments.values().for_each(|assignment| part(minicbor::to_vec(assignment)));
        self.emergencies.values().for_each(|access| part(minicbor::to_vec(access)));
        self.whose.iter().for_each(|thread| part(minicbor::to_vec(thread)));
    }
}
