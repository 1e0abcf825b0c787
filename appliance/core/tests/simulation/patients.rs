//! Patients and shifts: what people and a feed do about them by chance, and what came of it.

use std::collections::BTreeSet;

use wardline_core::audit::Act;
use wardline_core::clinic::Standing;
use wardline_core::hold::Subject;
use wardline_core::ids::{EncounterId, PersonId, UnitId};
use wardline_core::record::Known;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::coverage::Situation;
use crate::reference::{Expected, Held};
use crate::reference_patients::Stay;
use crate::world::World;

const BEDS: [&str; 3] = ["A-1", "A-2", "B 1"];
const MINUTE: i64 = 60_000;

impl World {
    /// A feed tells of patients.
    pub(crate) fn feed(&mut self) {
        let units: Vec<UnitId> = self.store.state.units.keys().copied().collect();
        let Some(unit) = self.random.pick(&units).copied() else { return };
        // Most of all where something is kept of a patient: it is seldom.
        let is_of_patient = |held: &Held| matches!(held.subject, Subject::Patient(_));
        let held = self.reference.ward.holds.iter().any(is_of_patient);
        let ask = match self.random.below(100) {
            0..50 if held => self.some_merge(None),
            0..25 => self.some_restriction(unit, None),
            25..37 => self.some_merge(None),
            _ => self.about_patients(unit),
        };
        if let Some(ask) = ask {
            self.local_ask(ask);
        }
    }

    /// A person does something about patients, or about who cares for them.
    pub(crate) fn patients_and_shifts(&mut self, index: usize) {
        let me = self.person_of(index);
        let units: Vec<UnitId> = self.store.state.units.keys().copied().collect();
        let posts = me.and_then(|me| self.reference.ward.person(me)).map(|me| me.posts.clone());
        let mine: Vec<UnitId> = posts.unwrap_or_default().iter().map(|(unit, _)| *unit).collect();
        let of = if self.random.permille(850) && !mine.is_empty() { mine } else { units.clone() };
        let Some(unit) = self.random.pick(&of).copied() else { return };
        let reviews = me.and_then(|me| self.reference.ward.person(me)).is_some_and(|me| me.privacy_officer);
        if self.random.permille(20) {
            if self.random.permille(300) {
                self.ask_about_exports(index);
                return;
            }
            self.ask_about_holds(index);
            return;
        }
        if self.random.permille(50) {
            if let Some(ask) = self.about_family(me) {
                self.clients[index].ask(ask);
            }
            return;
        }
        if reviews && self.random.permille(900) {
            if let Some(ask) = self.some_emergency(me) {
                self.clients[index].ask(ask);
            }
            return;
        }
        let leads =
            me.is_some_and(|me| units.iter().any(|unit| self.reference.ward.post(me, *unit) == Some(true)));
        if self.random.permille(if leads { 150 } else { 10 }) {
            if let Some(ask) = self.some_merge(me) {
                self.clients[index].ask(ask);
            }
            return;
        }
        // Somebody has called a colleague over.
        let called = !self.reference.lobby.waits.is_empty() && self.random.permille(400);
        let ask = match self.random.below(100) {
            _ if called => self.some_second(me),
            0..40 => self.about_patients(unit),
            40..67 => self.some_shift(unit),
            67..72 => self.some_end(),
            72..80 => self.some_emergency(me),
            80..84 => self.some_restriction(unit, me),
            84..93 => self.some_team(me),
            93..97 => Some(self.some_look()),
            _ if self.random.permille(500) => {
                Some(Ask::ListBeds(proto::ListBeds { unit: unit.value(), after: String::new() }))
            }
            _ => Some(Ask::ListPatients(proto::ListPatients { unit: unit.value(), after: String::new() })),
        };
        if let Some(ask) = ask {
            self.clients[index].ask(ask);
        }
    }

    fn somebody(&mut self) -> Option<PersonId> {
        let people: Vec<PersonId> = self.people.iter().flatten().copied().collect();
        self.random.pick(&people).copied()
    }

    pub(crate) fn particulars(&mut self) -> proto::Particulars {
        proto::Particulars {
            record_number: format!("MRN{}", self.random.below(8)),
            // So that a name names one.
            name: format!("Patient {} {}", self.random.below(50), self.random.next()),
            birth_date: format!("1947-03-{}", if self.random.permille(150) { "10" } else { "09" }),
            sex: 1 + self.random.below(6) as i32,
        }
    }

    /// Mostly one that will do.
    fn some_stay(&mut self, will_do: impl Fn(&Stay) -> bool) -> Option<EncounterId> {
        if self.random.permille(20) {
            return EncounterId::new(1 + self.random.below(9));
        }
        let all = self.random.permille(200);
        let stays = self.reference.ward.clinic.stays.iter().filter(|stay| all || will_do(stay));
        let stays: Vec<EncounterId> = stays.map(|stay| stay.id).collect();
        self.random.pick(&stays).copied()
    }

    fn about_patients(&mut self, unit: UnitId) -> Option<Ask> {
        let bed = (*self.random.pick(&BEDS)?).to_owned();
        let stay = self.some_stay(|stay| stay.unit == unit && stay.discharged.is_none());
        let stay = stay.map_or(1, EncounterId::value);
        let unit = unit.value();
        let who = self.somebody().filter(|_| self.random.permille(400)).map_or(0, PersonId::value);
        Some(match self.random.below(100) {
            0..40 => {
                let known = self.random.permille(400);
                let mut particulars = self.particulars();
                let patients = self.reference.ward.clinic.patients.clone();
                if let Some((_, back)) = self.random.pick(&patients).filter(|_| known) {
                    particulars = back.clone();
                }
                Ask::Admit(proto::Admit {
                    record_number: if known { particulars.record_number.clone() } else { String::new() },
                    new_patient: (!known).then_some(particulars),
                    unit,
                    bed,
                    attending: who,
                })
            }
            40..65 => Ask::Transfer(proto::Transfer { encounter: stay, unit, bed }),
            65..75 => Ask::SetLeave(proto::SetLeave { encounter: stay, away: self.random.permille(600) }),
            75..85 => Ask::Discharge(proto::Discharge { encounter: stay }),
            85..97 => {
                let patients = &self.reference.ward.clinic.patients;
                let patients: Vec<_> = patients.clone();
                let (patient, known) = self.random.pick(&patients)?.clone();
                let new = self.particulars();
                let particulars = Some(if self.random.permille(400) { known } else { new });
                Ask::UpdatePatient(proto::UpdatePatient {
                    patient: patient.value(),
                    particulars,
                    attending: who,
                    encounter: if self.random.permille(300) { stay } else { 0 },
                })
            }
            _ => Ask::ListPatients(proto::ListPatients { unit, after: String::new() }),
        })
    }

    fn some_shift(&mut self, unit: UnitId) -> Option<Ask> {
        let person = if self.random.permille(300) { self.somebody().map_or(0, PersonId::value) } else { 0 };
        let whole_unit = self.random.permille(250);
        let mut beds: Vec<String> = BEDS.iter().map(|bed| (*bed).to_owned()).collect();
        beds.truncate(if whole_unit { 0 } else { 1 + self.random.index(3) });
        let length = match self.random.below(20) {
            0 => -MINUTE,
            1 => 16 * 60 * MINUTE + 1,
            2 => 16 * 60 * MINUTE,
            _ => 1 + self.random.below(25 * MINUTE.unsigned_abs()) as i64,
        };
        let until = self.now.wall.0 + length;
        Some(Ask::TakeAssignment(proto::TakeAssignment {
            unit: unit.value(),
            person,
            beds,
            whole_unit,
            until,
        }))
    }

    fn some_end(&mut self) -> Option<Ask> {
        let shifts: Vec<u64> =
            self.reference.ward.clinic.shifts.iter().map(|shift| shift.id.value()).collect();
        let assignment = self.random.pick(&shifts).copied().unwrap_or(1);
        Some(Ask::EndAssignment(proto::EndAssignment { assignment }))
    }

    fn some_emergency(&mut self, me: Option<PersonId>) -> Option<Ask> {
        let clinic = self.reference.ward.clinic.clone();
        let known: Vec<u64> = clinic.emergencies.iter().map(|broken| broken.id.value()).collect();
        let mine = clinic.emergencies.iter().filter(|broken| Some(broken.who) == me && !broken.over);
        let mine: Vec<u64> = mine.map(|broken| broken.id.value()).collect();
        let reviews = me.and_then(|me| self.reference.ward.person(me)).is_some_and(|me| me.privacy_officer);
        let any = self.random.pick(&known).copied().unwrap_or(1);
        let dice = self.random.below(100);
        Some(match dice {
            _ if reviews && dice < 70 => {
                let finding = 1 + self.random.below(2) as i32;
                Ask::ReviewEmergency(proto::ReviewEmergency { emergency: any, finding })
            }
            0..2 => Ask::Countersign(proto::Countersign { emergency: any }),
            2..60 => {
                // Mostly to one that takes two, where there is one.
                let hard = !clinic.secrets.is_empty() && self.random.permille(600);
                let will_do = |stay: &Stay| {
                    stay.discharged.is_none() && (!hard || clinic.secret(stay.patient).is_some())
                };
                let stay = clinic.stay(self.some_stay(will_do)?)?.clone();
                let by_bed = self.random.permille(500);
                let of = clinic.patients.iter().find(|(patient, _)| *patient == stay.patient);
                let record_number = of.filter(|_| !by_bed).map(|(_, told)| told.record_number.clone());
                Ask::BreakGlass(proto::BreakGlass {
                    record_number: record_number.unwrap_or_default(),
                    unit: if by_bed { stay.unit.value() } else { 0 },
                    bed: if by_bed { stay.bed } else { String::new() },
                    grounds: "Found on the floor".to_owned(),
                })
            }
            60..75 => {
                let emergency = self.random.pick(&mine).copied().unwrap_or(any);
                Ask::EndEmergency(proto::EndEmergency { emergency })
            }
            75..85 => {
                // Whoever is in by it alone tries to stay.
                let broken =
                    clinic.emergencies.iter().find(|broken| Some(broken.who) == me && !broken.over)?;
                let (encounter, add) = (broken.stay.value(), vec![broken.who.value()]);
                Ask::ChangeCareTeam(proto::ChangeCareTeam { encounter, add, until: 0, remove: vec![] })
            }
            85..90 => Ask::ReviewEmergency(proto::ReviewEmergency { emergency: any, finding: 1 }),
            _ => Ask::ListEmergencies(proto::ListEmergencies { after: 0 }),
        })
    }

    /// Whoever was called over looks at it and countersigns; or whoever asked does not need it any more.
    fn some_second(&mut self, me: Option<PersonId>) -> Option<Ask> {
        let mine = self.reference.lobby.waits.iter().find(|waits| Some(waits.who) == me);
        if let Some(emergency) = mine.map(|waits| waits.id.value())
            && self.random.permille(600)
        {
            // Does not need it any more; or tries to be two.
            let alone = self.random.permille(400);
            return Some(if alone {
                Ask::Countersign(proto::Countersign { emergency })
            } else {
                Ask::EndEmergency(proto::EndEmergency { emergency })
            });
        }
        let waits: Vec<u64> = self.reference.lobby.waits.iter().map(|waits| waits.id.value()).collect();
        let emergency = self.random.pick(&waits).copied()?;
        Some(match self.random.below(10) {
            0..6 => Ask::Countersign(proto::Countersign { emergency }),
            6..8 => Ask::LookAtRequest(proto::LookAtRequest { emergency }),
            _ => Ask::EndEmergency(proto::EndEmergency { emergency }),
        })
    }

    fn some_restriction(&mut self, unit: UnitId, me: Option<PersonId>) -> Option<Ask> {
        let clinic = self.reference.ward.clinic.clone();
        let mine = me.is_some() && self.random.permille(500);
        let stay = self.some_stay(|stay| if mine { stay.attending == me } else { stay.unit == unit })?;
        let secret = clinic.stay(stay).and_then(|stay| clinic.secret(stay.patient));
        let encounter = stay.value();
        if secret.is_some() && self.random.permille(300) {
            return Some(Ask::LiftRestriction(proto::LiftRestriction { encounter }));
        }
        let alias = format!("Heron {}", self.random.below(1_000) + 1_000);
        let alias = if self.random.permille(if secret.is_some() { 200 } else { 950 }) {
            alias
        } else {
            String::new()
        };
        let named = secret.map(|secret| secret.named).unwrap_or_default();
        let remove = self.random.pick(&named).copied().filter(|_| self.random.permille(400));
        let add = self.somebody().filter(|who| Some(*who) != remove && self.random.permille(900));
        let values = |who: Option<PersonId>| who.map(PersonId::value).into_iter().collect();
        Some(Ask::Restrict(proto::Restrict { encounter, alias, add: values(add), remove: values(remove) }))
    }

    fn some_team(&mut self, me: Option<PersonId>) -> Option<Ask> {
        let ward = self.reference.ward.clone();
        let mine = |stay: &Stay| me.is_some_and(|me| ward.member(stay.thread, me).is_some());
        let stay = self.some_stay(mine)?;
        let leaves = self.random.permille(350);
        let by_hand = ward.clinic.by_hand.iter().filter(|place| place.0 == stay).map(|place| place.1);
        let by_hand: Vec<PersonId> = by_hand.collect();
        let who = match self.random.pick(&by_hand).copied().filter(|_| leaves) {
            Some(who) => who,
            None => self.somebody()?,
        };
        let (encounter, who) = (stay.value(), who.value());
        let until = match self.random.below(10) {
            0..5 => 0,
            5 => self.now.wall.0,
            _ => self.now.wall.0 + 1 + self.random.below(8 * MINUTE.unsigned_abs()) as i64,
        };
        let (add, remove) = if leaves { (vec![], vec![who]) } else { (vec![who], vec![]) };
        Some(Ask::ChangeCareTeam(proto::ChangeCareTeam { encounter, add, until, remove }))
    }

    pub(crate) fn cover_patients(&mut self, body: &Ask, refused: Option<Code>, expected: &Expected) {
        let has = |which: fn(&Act) -> bool| expected.audits.iter().any(|(_, act)| which(act));
        let joined = has(|act| matches!(act, Act::MemberAdded(..)));
        let rings =
            |place| self.reference.ward.stats.iter().any(|stat| stat.place == place && stat.unanswered());
        let of_patient =
            |place| self.reference.ward.conversation(place).is_some_and(|place| place.of_patient);
        let late =
            |act: &Act| matches!(act, Act::MemberAdded(place, _) if rings(*place) && of_patient(*place));
        let moved = |act: &Act| match act {
            Act::PatientTransferred(id, _) => {
                self.reference.ward.clinic.stays.iter().any(|stay| stay.id == *id && rings(stay.thread))
            }
            _ => false,
        };
        let late = expected.audits.iter().any(|(_, act)| late(act));
        let moved = expected.audits.iter().any(|(_, act)| moved(act));
        if late {
            self.coverage.reach(Situation::JoinedWhileRinging);
        }
        if moved {
            self.coverage.reach(Situation::TransferredWhileRinging);
        }
        let situation = match (body, refused) {
            (_, Some(Code::BedTaken)) => Situation::BedTaken,
            (_, Some(Code::RecordNumberInUse)) => Situation::RecordNumberInUse,
            (_, Some(Code::AlreadyAdmitted)) => Situation::AlreadyAdmitted,
            (_, Some(Code::EncounterOver)) => Situation::EncounterOver,
            (_, Some(Code::NoSuchPatient)) => Situation::UnknownPatient,
            (_, Some(Code::ThreadClosed)) => Situation::ThreadClosedRefused,
            (_, Some(Code::InPatientThread)) => Situation::PatientThreadAltered,
            (_, Some(Code::NotByHand)) => Situation::NotByHandRefused,
            (Ask::TakeAssignment(_), Some(Code::EndInvalid)) => Situation::ShiftEndInvalid,
            (_, Some(Code::NotStaffOfUnit)) => Situation::ShiftNotOfUnit,
            (Ask::Admit(_) | Ask::Transfer(_) | Ask::ListPatients(_), Some(Code::NotPermitted)) => {
                Situation::ClinicalRefused
            }
            (Ask::Admit(admit), None) => {
                let local = expected.audits.iter().any(|(by, _)| *by == wardline_core::audit::Actor::Local);
                match (local, joined && admit.attending == 0, &admit.new_patient) {
                    (true, false, _) => Situation::AdmittedByService,
                    (_, true, _) => Situation::NewPatientOfHeldBed,
                    (_, _, None) => Situation::AdmittedAgain,
                    _ => Situation::Admitted,
                }
            }
            (Ask::Restrict(_), Some(Code::NotPermitted)) => Situation::RestrictedRefused,
            (Ask::Restrict(_), Some(Code::NobodyNamed)) => Situation::NobodyNamed,
            (_, Some(Code::Restricted)) => Situation::NotNamedTurnedAway,
            (Ask::Restrict(_), None) if has(|act| matches!(act, Act::PatientRestricted(_))) => {
                Situation::Restricted
            }
            (Ask::Restrict(ask), None) if !expected.audits.is_empty() => {
                let stay = self.reference.ward.clinic.stays.iter();
                let attends = stay.filter(|stay| stay.id.value() == ask.encounter).any(|stay| {
                    expected.audits.iter().any(|(by, _)| {
                        matches!(by, wardline_core::audit::Actor::Person { person, .. } if stay.attending == Some(*person))
                    })
                });
                if !attends {
                    return;
                }
                Situation::NamedByAttending
            }
            (Ask::LiftRestriction(_), None) => Situation::RestrictionLifted,
            (Ask::BreakGlass(_), None) if has(|act| matches!(act, Act::EmergencyAsked(..))) => {
                Situation::SecondPersonAsked
            }
            (Ask::Countersign(_), None) => Situation::Countersigned,
            (Ask::Countersign(_), Some(Code::SecondPerson)) => Situation::SecondPersonRefused,
            (Ask::Countersign(_), Some(Code::NoSuchEmergencyRequest)) => Situation::CountersignedTooLate,
            (Ask::EndEmergency(_), None) if has(|act| matches!(act, Act::EmergencyWithdrawn(_))) => {
                Situation::RequestWithdrawn
            }
            (Ask::BreakGlass(_), None) if late => Situation::GlassBrokenWhileRinging,
            (Ask::BreakGlass(_), None) => Situation::GlassBroken,
            (Ask::BreakGlass(_), Some(Code::EmergencyNotNeeded)) => Situation::GlassNotNeeded,
            (Ask::BreakGlass(_), Some(Code::NotPermitted)) => Situation::GlassRefused,
            (Ask::ChangeCareTeam(change), Some(Code::NotPermitted)) => {
                let stays = self.reference.ward.clinic.emergencies.iter().filter(|broken| !broken.over);
                let themselves = |who: PersonId| change.add == [who.value()];
                let mut stays = stays.filter(|broken| broken.stay.value() == change.encounter);
                if !stays.any(|broken| themselves(broken.who)) {
                    return;
                }
                Situation::GuestChangesNoTeam
            }
            (Ask::EndEmergency(_), None) if !expected.audits.is_empty() => Situation::EmergencyEndedEarly,
            (Ask::SetStanding(_) | Ask::Suspend(_) | Ask::SetPost(_) | Ask::SetDuties(_), None)
                if has(|act| matches!(act, Act::EmergencyEnded(_))) =>
            {
                Situation::EmergencyEndedWithAccess
            }
            (Ask::ReviewEmergency(_), None) => Situation::EmergencyReviewed,
            (Ask::ListEmergencies(_), None) => Situation::EmergenciesListed,
            (Ask::Transfer(_), None) if joined => Situation::TransferredAmongHolders,
            (Ask::Transfer(_), None) if !expected.audits.is_empty() => Situation::Transferred,
            (Ask::SetLeave(set), None) if !expected.audits.is_empty() => {
                if set.away {
                    Situation::LeaveBegan
                } else {
                    Situation::LeaveEnded
                }
            }
            (Ask::Discharge(_), None) => Situation::Discharged,
            (Ask::UpdatePatient(_), None) if has(|act| matches!(act, Act::AttendingSet(..))) => {
                Situation::AttendingChanged
            }
            (Ask::UpdatePatient(_), None) if !expected.audits.is_empty() => Situation::ParticularsChanged,
            (Ask::ChangeCareTeam(change), None) => {
                if change.remove.is_empty() {
                    Situation::TeamJoinedByHand
                } else {
                    Situation::TeamLeftByHand
                }
            }
            (Ask::TakeAssignment(take), None) if take.person == 0 => Situation::ShiftTaken,
            (Ask::TakeAssignment(_), None) => Situation::ShiftGivenByChargeNurse,
            (Ask::EndAssignment(_), None) => Situation::ShiftEndedEarly,
            (Ask::SetStanding(_) | Ask::Suspend(_), None)
                if has(|act| matches!(act, Act::AssignmentEnded(..))) =>
            {
                Situation::ShiftLostWithAccess
            }
            (Ask::SetPost(_), None) if has(|act| matches!(act, Act::AssignmentEnded(..))) => {
                Situation::ShiftLostWithPost
            }
            (Ask::ListPatients(_), None) => Situation::PatientsListed,
            (Ask::ListBeds(_), None) => Situation::BedsListed,
            _ => return,
        };
        self.coverage.reach(situation);
    }

    /// The core's patients, stays, places and shifts are the reference's.
    pub(crate) fn compare_clinic(&self) -> Result<(), String> {
        let (core, naive) = (&self.relay.state().clinic, &self.reference.ward.clinic);
        let broken = core.emergencies.values().map(|access| (access.id, access.is_running(), access.waits()));
        let mut told: Vec<_> =
            naive.emergencies.iter().map(|broken| (broken.id, !broken.over, !broken.found)).collect();
        told.sort_unstable();
        if broken.collect::<Vec<_>>() != told {
            return Err("the core has other emergency accesses".to_owned());
        }
        let counted = (core.patients.len(), core.encounters.len(), core.care.len(), core.assignments.len());
        if counted != (naive.patients.len(), naive.stays.len(), naive.by_hand.len(), naive.shifts.len()) {
            return Err("the core counts other patients, stays, places or shifts".to_owned());
        }
        for (id, particulars) in &naive.patients {
            let told = core.patients.get(id).and_then(|record| Known::of(vec![record]));
            if told.and_then(|known| known.to_wire().particulars).as_ref() != Some(particulars) {
                return Err(format!("{id} is somebody else"));
            }
            if core.surviving(*id) != naive.surviving(*id) {
                return Err(format!("{id} is merged otherwise"));
            }
        }
        for (id, patient) in &core.patients {
            let told = patient.restriction.as_ref().map(|told| (told.alias.reveal(), told.named.clone()));
            let named = |secret: &crate::reference_restricted::Secret| secret.named.iter().copied().collect();
            let secret = naive.own_secret(*id);
            let secret = secret.as_ref().map(|secret| (secret.alias.as_str(), named(secret)));
            if told != secret {
                return Err(format!("{id} is restricted otherwise"));
            }
        }
        for stay in &naive.stays {
            let same = core.encounters.get(&stay.id).is_some_and(|told| {
                let standing = match (stay.discharged, stay.away) {
                    (Some(since), _) => Standing::Discharged(since),
                    (None, true) => Standing::OnLeave,
                    (None, false) => Standing::Admitted,
                };
                (told.patient, told.unit, told.bed.reveal(), told.attending, told.standing, told.closed)
                    == (stay.patient, stay.unit, stay.bed.as_str(), stay.attending, standing, stay.closed)
                    && told.thread == stay.thread
            });
            if !same {
                return Err(format!("{} stands differently", stay.id));
            }
        }
        for (stay, who, since, until) in &naive.by_hand {
            if core
                .care
                .get(&(*stay, *who))
                .is_none_or(|place| (place.since, place.until) != (*since, *until))
            {
                return Err(format!("{who} is in the care team of {stay} otherwise"));
            }
        }
        for shift in &naive.shifts {
            let same = core.assignments.get(&shift.id).is_some_and(|told| {
                let beds: BTreeSet<&str> = told.beds.iter().map(|bed| bed.reveal()).collect();
                let met: BTreeSet<_> = shift.met.iter().copied().collect();
                (told.person, told.unit, told.until, &told.covers)
                    == (shift.person, shift.unit, shift.until, &met)
                    && beds == shift.beds.iter().map(String::as_str).collect()
            });
            if !same {
                return Err(format!("{} is another shift", shift.id));
            }
        }
        Ok(())
    }
}
