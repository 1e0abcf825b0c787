//! Valid writes about patients and those who care for them, chosen by dice.

use std::collections::BTreeSet;

use wardline_core::clinic::{Assignment, CarePlace, Encounter, Patient, Standing};
use wardline_core::conversation::Kind;
use wardline_core::emergency::{EmergencyAccess, Finding};
use wardline_core::ids::{AssignmentId, Change, ConversationId, EmergencyId, EncounterId, PatientId};
use wardline_core::notice::{Notice, Told, Why};
use wardline_core::particulars::{Bed, BirthDate, Particulars, RecordNumber, Sex};
use wardline_core::record::Merged;
use wardline_core::restriction::Restriction;
use wardline_core::text::{Grounds, Name, Title, WrappedKey};
use wardline_core::time::Wall;
use wardline_core::write::Write;

use crate::world::{World, mix, nth};

impl World {
    pub(crate) fn clinic(&mut self, who: u64, how: u64) {
        let clinic = &self.state.clinic;
        let stay = nth(clinic.encounters.values().cloned(), mix(how));
        let person = nth(self.state.people.keys().copied(), how);
        let held = nth(clinic.assignments.keys().copied(), who);
        let until = (!how.is_multiple_of(3)).then_some(Wall(self.clock + 1_000));
        if let Some(stay) = &stay
            && who.is_multiple_of(3)
        {
            self.notice(who, how, stay);
        }
        if (who ^ how).is_multiple_of(7) {
            self.merge(who, how);
        }
        if how % 5 < 2 {
            return self.emergency(who, how, stay);
        }
        match (mix(who ^ 5) % 16, stay, person, held) {
            (0..3, ..) => self.admit(who, how),
            (3, ..) => {
                if let Some(patient) = nth(self.state.clinic.patients.keys().copied(), who) {
                    let stays = self.state.clinic.encounters.values();
                    let thread = stays.filter(|stay| stay.patient == patient).map(|stay| stay.thread).next();
                    self.patient(patient, how, thread);
                }
            }
            (4, Some(stay), ..) if stay.is_open() => {
                let unit = nth(self.state.units.keys().copied(), who).unwrap();
                let (encounter, thread, bed) = (stay.id, stay.thread, bed(how));
                if self.state.clinic.in_bed(unit, &bed).is_none() {
                    self.write(Write::EncounterMoved { encounter, thread, unit, bed });
                }
            }
            (5, Some(stay), ..) if stay.is_open() => {
                let standing = match how % 3 {
                    0 => Standing::Admitted,
                    1 => Standing::OnLeave,
                    _ => Standing::Discharged(Wall(self.clock)),
                };
                self.write(Write::EncounterStanding { encounter: stay.id, thread: stay.thread, standing });
            }
            (6, Some(stay), person, _) => {
                let attending = person.filter(|_| how.is_multiple_of(2));
                self.write(Write::AttendingSet { encounter: stay.id, thread: stay.thread, attending });
            }
            (7, Some(stay), Some(person), _) => {
                let place = (!who.is_multiple_of(4)).then_some(CarePlace { since: Wall(self.clock), until });
                self.write(Write::CareTeamSet { encounter: stay.id, person, place });
            }
            (8, _, Some(person), _) => {
                let Some(unit) = nth(self.state.units.keys().copied(), who) else { return };
                let id = AssignmentId::from_random(mix(how ^ 0xA5).to_be_bytes());
                if self.state.clinic.assignments.contains_key(&id) {
                    return;
                }
                let beds: BTreeSet<Bed> = (0..how % 4).map(|at| bed(how.wrapping_add(at))).collect();
                let (beds, since) = (beds.into_iter().collect(), Wall(self.clock));
                let (until, covers) = (Wall(self.clock + 1_000), BTreeSet::new());
                self.write(Write::AssignmentTaken(Assignment {
                    id,
                    person,
                    unit,
                    beds,
                    since,
                    until,
                    covers,
                }));
            }
            (9, Some(stay), _, Some(assignment)) => {
                self.write(Write::AssignmentCovers { assignment, encounter: stay.id });
            }
            (10, _, _, Some(assignment)) if how % 3 == 1 => {
                let (since, until) = (Wall(self.clock), Wall(self.clock + 2_000));
                self.write(Write::AssignmentProlonged { assignment, since, until });
            }
            (10, _, _, Some(assignment)) if how.is_multiple_of(2) => {
                self.write(Write::AssignmentEnded { assignment });
            }
            (11..16, Some(stay), ..) => {
                let (encounter, thread) = (stay.id, stay.thread);
                match (stay.is_open(), stay.closed) {
                    (true, _) => {}
                    (false, None) => {
                        self.write(Write::ThreadClosed { encounter, thread, at: Wall(self.clock) });
                    }
                    (false, Some(_)) => {
                        let running = self.state.clinic.emergencies.values();
                        let running =
                            running.filter(|access| access.is_running() && access.encounter == encounter);
                        for id in running.map(|access| access.id).collect::<Vec<_>>() {
                            self.write(Write::EmergencyEnded { id, at: Wall(self.clock) });
                        }
                        self.end_family(encounter);
                        self.write(Write::EncounterFiled { encounter, thread });
                    }
                }
            }
            _ => {}
        }
    }

    /// Into one that is merged into none, if into this one none is; or it is un-merged.
    fn merge(&mut self, who: u64, how: u64) {
        let clinic = &self.state.clinic;
        let Some(record) = nth(clinic.patients.values().cloned(), who) else { return };
        let surviving = clinic.patients.keys().copied();
        let surviving = surviving.filter(|id| *id != record.id && clinic.surviving(*id) == *id);
        let merged = match nth(surviving, how) {
            _ if record.merged.is_some() => None,
            Some(into) if clinic.records_of(record.id).len() == 1 => {
                let by = nth(self.state.people.keys().copied(), how).filter(|_| how.is_multiple_of(2));
                Some(Merged { into, since: Wall(self.clock), by })
            }
            _ => return,
        };
        let records = clinic.records_of(record.id);
        let stays = clinic.encounters.values().filter(|stay| records.contains(&stay.patient));
        let stays: Vec<(PatientId, ConversationId)> = stays.map(|stay| (stay.patient, stay.thread)).collect();
        self.write(Write::PatientSet { patient: Patient { merged, ..record }, thread: None });
        for (patient, thread) in stays {
            let patient = self.state.clinic.patients[&patient].clone();
            self.write(Write::PatientSet { patient, thread: Some(thread) });
        }
    }

    fn notice(&mut self, who: u64, how: u64, stay: &Encounter) {
        let place = &self.state.conversations[&stay.thread];
        let Some(person) = nth(self.state.people.keys().copied(), mix(who)).filter(|_| !place.purged) else {
            return;
        };
        let (unit, bed, until) = (stay.unit, bed(how), Wall(self.clock + 1_000));
        let told = match how % 8 {
            6 => Told::RecordsMerged,
            7 => Told::Entered { person, why: Why::Merged, until: None },
            0 => Told::Moved { unit, bed },
            1 => Told::Discharged,
            2 => Told::Attending { person: None },
            3 => Told::Entered { person, why: Why::Bed, until: Some(until) },
            4 => Told::Left { person },
            _ => Told::Stays { person, until },
        };
        let by = how.is_multiple_of(2).then_some(person);
        let (conversation, number, after) = (stay.thread, place.noticed + 1, place.last);
        let at = Wall(self.clock);
        self.write(Write::NoticeMade(Notice { conversation, number, after, at, by, told }));
    }

    fn emergency(&mut self, who: u64, how: u64, stay: Option<Encounter>) {
        let known = nth(self.state.clinic.emergencies.values().cloned(), who);
        let person = nth(self.state.people.keys().copied(), who);
        let at = Wall(self.clock);
        match (mix(how ^ 0xC0) % 4, known, stay, person) {
            (0..2, _, Some(stay), Some(person)) if stay.is_open() => {
                let id = EmergencyId::from_random(mix(how ^ 0xF0).to_be_bytes());
                if self.state.clinic.emergencies.contains_key(&id) {
                    return;
                }
                let grounds = Grounds::parse(&format!("Found on the floor {how}")).unwrap();
                self.write(Write::EmergencyBegan(EmergencyAccess {
                    id,
                    encounter: stay.id,
                    patient: stay.patient,
                    unit: stay.unit,
                    person,
                    grounds,
                    since: at,
                    until: at.after(3_600_000),
                    ended: None,
                    finding: None,
                    second: nth(self.state.people.keys().copied(), how).filter(|_| how.is_multiple_of(3)),
                }));
            }
            (2, Some(access), ..) if access.is_running() => {
                self.write(Write::EmergencyEnded { id: access.id, at });
            }
            (3, Some(access), ..) if access.waits() => {
                let finding = [Finding::Justified, Finding::NotJustified, Finding::NotReviewed];
                let (finding, by) = (finding[who as usize % 3], person);
                self.write(Write::EmergencyReviewed { id: access.id, by, finding, at });
            }
            _ => {}
        }
    }

    fn admit(&mut self, who: u64, how: u64) {
        let Some(unit) = nth(self.state.units.keys().copied(), who) else { return };
        let patient = PatientId::from_random(mix((who % 16) ^ 0xB0).to_be_bytes());
        let thread = ConversationId::from_random(mix(how ^ 0xD0).to_be_bytes());
        let id = EncounterId::from_random(mix(how ^ 0xE0).to_be_bytes());
        let clinic = &self.state.clinic;
        if clinic.open_of(patient).is_some()
            || clinic.in_bed(unit, &bed(how)).is_some()
            || self.state.conversations.contains_key(&thread)
        {
            return;
        }
        if !clinic.patients.contains_key(&patient) {
            self.patient(patient, how, None);
        }
        let (kind, title, at) = (Kind::Patient, Title::default(), Wall(self.clock));
        self.write(Write::ConversationOpened {
            conversation: thread,
            kind,
            title,
            owner: None,
            at,
            unit: None,
        });
        self.write(Write::KeyGranted { conversation: thread, key: WrappedKey(vec![7; 60]) });
        let attending = nth(self.state.people.keys().copied(), who).filter(|_| who.is_multiple_of(2));
        self.write(Write::EncounterOpened(Encounter {
            id,
            patient,
            unit,
            bed: bed(how),
            attending,
            standing: Standing::Admitted,
            thread,
            closed: None,
            admitted: at,
            changed: Change(0),
        }));
    }

    fn patient(&mut self, id: PatientId, how: u64, thread: Option<ConversationId>) {
        let particulars = Particulars {
            // Two of a batch may change numbers.
            record: RecordNumber::parse(&format!(
                "MRN{}",
                (id.value().wrapping_add(how) % 64) ^ (id.value() << 8)
            ))
            .unwrap(),
            name: Name::parse(&format!("Rosa {how}")).unwrap(),
            birth: BirthDate::parse(&format!("19{:02}-0{}-1{}", how % 100, 1 + how % 9, how % 10)).unwrap(),
            sex: Sex::from_letter(char::from(b"FMOUAN"[(how % 6) as usize])).unwrap(),
        };
        let named = nth(self.state.people.keys().copied(), mix(how)).filter(|_| how.is_multiple_of(4));
        let restriction = named.map(|person| Restriction {
            alias: Name::parse(&format!("Heron {how}")).unwrap(),
            named: BTreeSet::from([person]),
            by: how.is_multiple_of(8).then_some(person),
            since: Wall(self.clock),
        });
        let merged = self.state.clinic.patients.get(&id).and_then(|known| known.merged);
        let patient = Patient { id, particulars, changed: Change(0), restriction, merged };
        self.write(Write::PatientSet { patient, thread });
    }
}

fn bed(which: u64) -> Bed {
    Bed::parse(&format!("B {}", which % 12)).unwrap()
}
