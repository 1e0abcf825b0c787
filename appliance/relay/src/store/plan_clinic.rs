//! What a batch comes to, of patients and those who care for them. See [`super::plan`].

use std::collections::{BTreeMap, BTreeSet};

use wardline_core::clinic::{Assignment, CarePlace, Encounter, Patient, Standing};
use wardline_core::emergency::{EmergencyAccess, Finding};
use wardline_core::ids::{AssignmentId, Change, EmergencyId, EncounterId, PatientId, PersonId, UnitId};
use wardline_core::particulars::Bed;
use wardline_core::restriction::Restriction;
use wardline_core::time::Wall;
use wardline_core::write::Write;

use super::row_clinic::standing_number;
use super::rows::{Many, Script};

/// The clinic's tables.
#[derive(Default)]
pub(super) struct ClinicPlan<'a> {
    patients: BTreeMap<PatientId, (&'a Patient, Change)>,
    opened: Vec<(&'a Encounter, Change)>,
    patches: BTreeMap<EncounterId, EncounterPatch<'a>>,
    care: BTreeMap<(EncounterId, PersonId), Option<&'a CarePlace>>,
    taken: BTreeMap<AssignmentId, &'a Assignment>,
    ended: BTreeSet<AssignmentId>,
    /// Since when, until when.
    prolonged: BTreeMap<AssignmentId, (Wall, Wall)>,
    covers: BTreeSet<(AssignmentId, EncounterId)>,
    broken: Vec<&'a EmergencyAccess>,
    emergencies: BTreeMap<EmergencyId, EmergencyPatch>,
}

/// What becomes of an emergency access; `None` leaves it.
#[derive(Default)]
struct EmergencyPatch {
    ended: Option<Wall>,
    review: Option<(Option<PersonId>, Finding, Wall)>,
}

/// What becomes of an encounter; `None` leaves it.
#[derive(Default)]
struct EncounterPatch<'a> {
    place: Option<(UnitId, &'a Bed)>,
    standing: Option<Standing>,
    attending: Option<Option<PersonId>>,
    closed: Option<Wall>,
    filed: bool,
    changed: Change,
}

const PATIENTS: Many = Many {
    head: "INSERT INTO patient (id, record, name, birth, sex, changed, restriction, merged_into, merged_at, merged_by) VALUES ",
    columns: 10,
    tail: " ON CONFLICT (id) DO UPDATE SET record = excluded.record, name = excluded.name, birth = excluded.birth, \
           sex = excluded.sex, changed = excluded.changed, restriction = excluded.restriction, \
           merged_into = excluded.merged_into, merged_at = excluded.merged_at, merged_by = excluded.merged_by",
};
const OPENED: Many = Many {
    head: "INSERT INTO encounter (id, patient, unit, bed, attending, standing, discharged_at, thread, closed, closed_at, \
           admitted, changed, filed) VALUES ",
    columns: 13,
    tail: "",
};
const PATCHES: Many = Many {
    head: "WITH v (id, unit, bed, attending, standing, discharged_at, closed, closed_at, filed, changed) AS (VALUES ",
    columns: 10,
    tail: ") UPDATE encounter SET unit = coalesce(v.unit, encounter.unit), bed = coalesce(v.bed, encounter.bed), \
           attending = coalesce(v.attending, encounter.attending), \
           standing = coalesce(v.standing, encounter.standing), \
           discharged_at = CASE WHEN v.standing IS NULL THEN encounter.discharged_at ELSE v.discharged_at END, \
           closed = max(encounter.closed, v.closed), \
           closed_at = CASE WHEN v.closed = 0 THEN encounter.closed_at ELSE v.closed_at END, \
           filed = max(encounter.filed, v.filed), changed = v.changed FROM v WHERE encounter.id = v.id",
};
const CARE: Many = Many {
    head: "INSERT INTO care_team (encounter, person, since, ends, until) VALUES ",
    columns: 5,
    tail: " ON CONFLICT (encounter, person) DO UPDATE SET since = excluded.since, ends = excluded.ends, \
           until = excluded.until",
};
const CARE_ENDED: Many =
    Many { head: "DELETE FROM care_team WHERE (encounter, person) IN (VALUES ", columns: 2, tail: ")" };
const CARE_FILED: Many =
    Many { head: "DELETE FROM care_team WHERE encounter IN (VALUES ", columns: 1, tail: ")" };
const TAKEN: Many =
    Many { head: "INSERT INTO assignment (id, person, unit, since, until) VALUES ", columns: 5, tail: "" };
const PROLONGED: Many = Many {
    head: "WITH v (id, since, until) AS (VALUES ",
    columns: 3,
    tail: ") UPDATE assignment SET since = v.since, until = v.until FROM v WHERE assignment.id = v.id",
};
const BEDS: Many =
    Many { head: "INSERT INTO assignment_bed (assignment, bed) VALUES ", columns: 2, tail: "" };
const COVERS: Many = Many {
    head: "INSERT INTO assignment_cover (assignment, encounter) VALUES ",
    columns: 2,
    tail: " ON CONFLICT DO NOTHING",
};
const COVERS_FILED: Many =
    Many { head: "DELETE FROM assignment_cover WHERE encounter IN (VALUES ", columns: 1, tail: ")" };
/// What refers to an assignment goes before it does.
const ENDED: [Many; 3] = [
    Many { head: "DELETE FROM assignment_cover WHERE assignment IN (VALUES ", columns: 1, tail: ")" },
    Many { head: "DELETE FROM assignment_bed WHERE assignment IN (VALUES ", columns: 1, tail: ")" },
    Many { head: "DELETE FROM assignment WHERE id IN (VALUES ", columns: 1, tail: ")" },
];

const BROKEN: Many = Many {
    head: "INSERT INTO emergency_access (id, encounter, patient, unit, person, grounds, since, until, ended, ended_at, \
           finding, reviewed_by, reviewed_at, second) VALUES ",
    columns: 14,
    tail: "",
};
const EMERGENCIES: Many = Many {
    head: "WITH v (id, ended, ended_at, finding, reviewed_by, reviewed_at) AS (VALUES ",
    columns: 6,
    tail: ") UPDATE emergency_access SET ended = max(emergency_access.ended, v.ended), \
           ended_at = CASE WHEN v.ended = 0 THEN emergency_access.ended_at ELSE v.ended_at END, \
           finding = max(emergency_access.finding, v.finding), \
           reviewed_by = CASE WHEN v.finding = 0 THEN emergency_access.reviewed_by ELSE v.reviewed_by END, \
           reviewed_at = CASE WHEN v.finding = 0 THEN emergency_access.reviewed_at ELSE v.reviewed_at END \
           FROM v WHERE emergency_access.id = v.id",
};

impl<'a> ClinicPlan<'a> {
    /// Folds one write in; what is not of the clinic changes nothing.
    pub(super) fn fold(&mut self, change: Change, write: &'a Write) {
        match write {
            Write::PatientSet { patient, .. } => {
                self.patients.insert(patient.id, (patient, change));
            }
            Write::EncounterOpened(opened) => self.opened.push((opened, change)),
            Write::EncounterMoved { encounter, unit, bed, .. } => {
                self.patch(*encounter, change).place = Some((*unit, bed));
            }
            Write::EncounterStanding { encounter, standing, .. } => {
                self.patch(*encounter, change).standing = Some(*standing);
            }
            Write::AttendingSet { encounter, attending, .. } => {
                self.patch(*encounter, change).attending = Some(*attending);
            }
            Write::ThreadClosed { encounter, at, .. } => {
                self.patch(*encounter, change).closed = Some(*at);
            }
            Write::EncounterFiled { encounter, .. } => {
                self.patch(*encounter, change).filed = true;
                self.care.retain(|(of, _), _| of != encounter);
                self.covers.retain(|(_, of)| of != encounter);
            }
            Write::CareTeamSet { encounter, person, place } => {
                self.care.insert((*encounter, *person), place.as_ref());
            }
            Write::EmergencyBegan(access) => self.broken.push(access),
            Write::EmergencyEnded { id, at } => {
                self.emergencies.entry(*id).or_default().ended = Some(*at);
            }
            Write::EmergencyReviewed { id, by, finding, at } => {
                self.emergencies.entry(*id).or_default().review = Some((*by, *finding, *at));
            }
            Write::AssignmentTaken(taken) => {
                self.taken.insert(taken.id, taken);
                self.covers.extend(taken.covers.iter().map(|encounter| (taken.id, *encounter)));
            }
            Write::AssignmentProlonged { assignment, since, until } => {
                self.prolonged.insert(*assignment, (*since, *until));
            }
            Write::AssignmentCovers { assignment, encounter } => {
                self.covers.insert((*assignment, *encounter));
            }
            Write::AssignmentEnded { assignment } => {
                // One that was taken in the same batch never reaches the disk.
                if self.taken.remove(assignment).is_none() {
                    self.ended.insert(*assignment);
                }
                self.prolonged.remove(assignment);
                self.covers.retain(|(of, _)| of != assignment);
            }
            _ => {}
        }
    }

    fn patch(&mut self, encounter: EncounterId, change: Change) -> &mut EncounterPatch<'a> {
        let patch = self.patches.entry(encounter).or_default();
        patch.changed = change;
        patch
    }

    /// After the directory and the conversations, which it refers to.
    pub(super) fn write(&self, script: &mut Script<'_>) {
        let patients: Vec<_> = self.patients.values().collect();
        script.many(&PATIENTS, &patients, |(patient, change), row| {
            let known = &patient.particulars;
            row.count(patient.id.value()).text(known.record.reveal()).text(known.name.reveal());
            row.text(&known.birth.reveal()).text(known.sex.letter().encode_utf8(&mut [0; 4])).count(change.0);
            row.bytes(&patient.restriction.as_ref().map(Restriction::to_bytes).unwrap_or_default());
            let merged = patient.merged;
            row.count(merged.map_or(0, |merged| merged.into.value()));
            row.int(merged.map_or(0, |merged| merged.since.0));
            row.count(merged.and_then(|merged| merged.by).map_or(0, PersonId::value));
        });
        script.many(&OPENED, &self.opened, |(stay, change), row| {
            row.count(stay.id.value()).count(stay.patient.value()).count(stay.unit.value());
            row.text(stay.bed.reveal()).count(stay.attending.map_or(0, PersonId::value));
            let (standing, discharged_at) = standing_number(stay.standing);
            row.int(standing).int(discharged_at).count(stay.thread.value());
            row.flag(stay.closed.is_some()).int(stay.closed.map_or(0, |closed| closed.0));
            row.int(stay.admitted.0).count(change.0).int(0);
        });
        let patches: Vec<_> = self.patches.iter().collect();
        script.many(&PATCHES, &patches, |(id, patch), row| {
            let standing = patch.standing.map(standing_number);
            row.count(id.value()).maybe(patch.place.map(|(unit, _)| unit.value()));
            row.maybe_text(patch.place.map(|(_, bed)| bed.reveal()));
            row.maybe(patch.attending.map(|attending| attending.map_or(0, PersonId::value)));
            row.maybe(standing.map(|(standing, _)| standing.unsigned_abs()));
            row.int(standing.map_or(0, |(_, at)| at));
            row.flag(patch.closed.is_some()).int(patch.closed.map_or(0, |closed| closed.0));
            row.flag(patch.filed).count(patch.changed.0);
        });
        self.write_teams(script);
        self.write_assignments(script);
        self.write_emergencies(script);
    }

    fn write_emergencies(&self, script: &mut Script<'_>) {
        script.many(&BROKEN, &self.broken, |access, row| {
            row.count(access.id.value()).count(access.encounter.value()).count(access.patient.value());
            row.count(access.unit.value()).count(access.person.value()).text(access.grounds.reveal());
            row.int(access.since.0).int(access.until.0);
            row.flag(access.ended.is_some()).int(access.ended.map_or(0, |ended| ended.0));
            row.count(access.finding.map_or(0, |finding| finding.number().into())).int(0).int(0);
            row.count(access.second.map_or(0, PersonId::value));
        });
        let patches: Vec<_> = self.emergencies.iter().collect();
        script.many(&EMERGENCIES, &patches, |(id, patch), row| {
            let (by, finding, at) = match patch.review {
                Some((by, finding, at)) => (by.map_or(0, PersonId::value), finding.number(), at.0),
                None => (0, 0, 0),
            };
            row.count(id.value()).flag(patch.ended.is_some()).int(patch.ended.map_or(0, |ended| ended.0));
            row.count(finding.into()).count(by).int(at);
        });
    }

    fn write_teams(&self, script: &mut Script<'_>) {
        let filed: Vec<_> = self.patches.iter().filter(|(_, patch)| patch.filed).map(|(id, _)| *id).collect();
        script.many(&CARE_FILED, &filed, |encounter, row| {
            row.count(encounter.value());
        });
        script.many(&COVERS_FILED, &filed, |encounter, row| {
            row.count(encounter.value());
        });
        let (mut given, mut ended) = (Vec::new(), Vec::new());
        for (key, place) in &self.care {
            match place {
                Some(place) => given.push((key, *place)),
                None => ended.push(key),
            }
        }
        script.many(&CARE, &given, |((encounter, person), place), row| {
            row.count(encounter.value()).count(person.value()).int(place.since.0);
            row.flag(place.until.is_some()).int(place.until.map_or(0, |until| until.0));
        });
        script.many(&CARE_ENDED, &ended, |(encounter, person), row| {
            row.count(encounter.value()).count(person.value());
        });
    }

    fn write_assignments(&self, script: &mut Script<'_>) {
        let ended: Vec<_> = self.ended.iter().collect();
        for many in &ENDED {
            script.many(many, &ended, |assignment, row| {
                row.count(assignment.value());
            });
        }
        let taken: Vec<_> = self.taken.values().collect();
        script.many(&TAKEN, &taken, |taken, row| {
            row.count(taken.id.value()).count(taken.person.value()).count(taken.unit.value());
            row.int(taken.since.0).int(taken.until.0);
        });
        let prolonged: Vec<_> = self.prolonged.iter().collect();
        script.many(&PROLONGED, &prolonged, |(assignment, (since, until)), row| {
            row.count(assignment.value()).int(since.0).int(until.0);
        });
        let beds = taken.iter().flat_map(|taken| taken.beds.iter().map(|bed| (taken.id, bed)));
        let beds: Vec<_> = beds.collect();
        script.many(&BEDS, &beds, |(assignment, bed), row| {
            row.count(assignment.value()).text(bed.reveal());
        });
        let covers: Vec<_> = self.covers.iter().collect();
        script.many(&COVERS, &covers, |(assignment, encounter), row| {
            row.count(assignment.value()).count(encounter.value());
        });
    }
}
