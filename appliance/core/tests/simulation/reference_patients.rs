//! The reference's rules for patients, care teams and assignments: lists, and at every act the question asked anew of
//! everybody whether there is a reason for them to be in a thread.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{
    AssignmentId, ConversationId, EmergencyId, EncounterId, PatientId, PersonId, UnitId,
};
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::coverage::Situation;
use crate::reference::{Answer, Conversation, Expected, Reference, Ward};
use crate::reference_emergencies::Broken;
use crate::reference_ward::Chosen;

#[derive(Clone, Default)]
pub(crate) struct Clinic {
    pub(crate) patients: Vec<(PatientId, proto::Particulars)>,
    pub(crate) stays: Vec<Stay>,
    /// In whose care team, who, since when, until when.
    pub(crate) by_hand: Vec<(EncounterId, PersonId, Wall, Option<Wall>)>,
    pub(crate) shifts: Vec<Shift>,
    pub(crate) emergencies: Vec<Broken>,
}

#[derive(Clone)]
pub(crate) struct Stay {
    pub(crate) id: EncounterId,
    pub(crate) patient: PatientId,
    pub(crate) unit: UnitId,
    pub(crate) bed: String,
    pub(crate) attending: Option<PersonId>,
    pub(crate) away: bool,
    pub(crate) discharged: Option<Wall>,
    pub(crate) closed: Option<Wall>,
    pub(crate) thread: ConversationId,
}

#[derive(Clone)]
pub(crate) struct Shift {
    pub(crate) id: AssignmentId,
    pub(crate) person: PersonId,
    pub(crate) unit: UnitId,
    /// None: all.
    pub(crate) beds: Vec<String>,
    pub(crate) since: Wall,
    pub(crate) until: Wall,
    /// Whoever lay in one of the beds meanwhile.
    pub(crate) met: Vec<EncounterId>,
}

/// Something that ends by itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Term {
    Shift(AssignmentId),
    Place(EncounterId, PersonId),
    Thread(EncounterId),
    Emergency(EmergencyId),
}

const HOUR: i64 = 3_600_000;

impl Clinic {
    pub(crate) fn stay(&self, id: EncounterId) -> Option<&Stay> {
        self.stays.iter().find(|stay| stay.id == id)
    }

    fn stay_mut(&mut self, id: EncounterId) -> Option<&mut Stay> {
        self.stays.iter_mut().find(|stay| stay.id == id)
    }

    pub(crate) fn lies_in(&self, unit: UnitId, bed: &str) -> Option<&Stay> {
        self.stays.iter().find(|stay| stay.discharged.is_none() && stay.unit == unit && stay.bed == bed)
    }

    /// Whether there is a reason for somebody to be in a thread.
    pub(crate) fn belongs(&self, stay: &Stay, who: PersonId) -> bool {
        self.cares(stay, who) || self.broke_in(stay.id, who)
    }

    fn cares(&self, stay: &Stay, who: PersonId) -> bool {
        let by_hand = self.by_hand.iter().any(|place| (place.0, place.1) == (stay.id, who));
        let by_shift = self.shifts.iter().any(|shift| shift.person == who && shift.met.contains(&stay.id));
        stay.attending == Some(who) || by_hand || by_shift
    }

    /// Whoever holds a bed meets who lies in it.
    fn meet(&mut self) {
        for shift in &mut self.shifts {
            for stay in self.stays.iter().filter(|stay| stay.discharged.is_none() && stay.unit == shift.unit)
            {
                let held = shift.beds.is_empty() || shift.beds.contains(&stay.bed);
                if held && !shift.met.contains(&stay.id) {
                    shift.met.push(stay.id);
                }
            }
        }
    }
}

impl Ward {
    /// Everybody is where they belong, and nobody else: what changed, by whom it was brought about.
    pub(crate) fn settle(&mut self, by: Actor, expected: &mut Expected) {
        let people: Vec<PersonId> = self.people.iter().map(|person| person.id).collect();
        for stay in self.clinic.stays.clone() {
            for who in &people {
                let belongs = self.clinic.belongs(&stay, *who);
                let Some(thread) = self.conversations.iter_mut().find(|place| place.id == stay.thread) else {
                    continue;
                };
                let last = thread.messages.len() as u64;
                let present = thread.members.iter().any(|member| member.person == *who && !member.left);
                if belongs && !present && !thread.purged {
                    let newcomer = thread.newcomer(*who, last);
                    thread.members.retain(|member| member.person != *who);
                    thread.members.push(newcomer);
                    expected.audits.push((by, Act::MemberAdded(thread.id, *who)));
                }
                if !belongs && present {
                    thread.members.iter_mut().filter(|m| m.person == *who).for_each(|m| m.left = true);
                    expected.audits.push((by, Act::MemberLeft(thread.id, *who)));
                }
            }
        }
    }
}

fn refused(code: Code) -> Expected {
    Expected::refused(code)
}

impl Reference {
    /// What somebody is in a unit as far as patients go: in charge, there; a reviewer is nothing.
    fn rank(&self, by: Actor, unit: UnitId) -> Option<bool> {
        let Actor::Person { person, .. } = by else { return None };
        let reviews = self.ward.person(person).is_some_and(|person| person.privacy_officer);
        self.ward.post(person, unit).filter(|_| !reviews)
    }

    fn works_in(&self, by: Actor, unit: UnitId) -> bool {
        by == Actor::Local || self.rank(by, unit).is_some()
    }

    pub(crate) fn clinical(&mut self, now: Now, by: Actor, body: &Body, chosen: Chosen) -> Expected {
        let done = Expected::answered(Answer::Done);
        let unit_of = |id: u64| UnitId::new(id).expect("parsed before");
        let person_of = |id: u64| PersonId::new(id).expect("parsed before");
        let stay_of = |id: u64| EncounterId::new(id).expect("parsed before");
        match body {
            Body::Admit(admit) => self.admit(now, by, admit, chosen),
            Body::Transfer(transfer) => {
                let (id, unit) = (stay_of(transfer.encounter), unit_of(transfer.unit));
                let Some(stay) = self.ward.clinic.stay(id).cloned() else {
                    return refused(Code::NoSuchPatient);
                };
                if !self.ward.units.contains(&unit) {
                    return refused(Code::NoSuchUnit);
                }
                if !self.works_in(by, stay.unit) && !self.works_in(by, unit) {
                    return refused(Code::NotPermitted);
                }
                if stay.discharged.is_some() {
                    return refused(Code::EncounterOver);
                }
                if stay.unit == unit && stay.bed == transfer.bed {
                    return done;
                }
                if self.ward.clinic.lies_in(unit, &transfer.bed).is_some() {
                    return refused(Code::BedTaken);
                }
                if self.lobby.disk_scarce {
                    return refused(Code::DiskLow);
                }
                let mut expected = done;
                expected.audits.push((by, Act::PatientTransferred(id, unit)));
                if let Some(stay) = self.ward.clinic.stay_mut(id) {
                    (stay.unit, stay.bed) = (unit, transfer.bed.clone());
                }
                if let Some(thread) = self.ward.clinic.stay(id).map(|stay| stay.thread) {
                    let about = self.ward.stats.iter_mut().filter(|stat| stat.place == thread);
                    about.for_each(|stat| stat.unit = Some(unit));
                }
                self.ward.clinic.meet();
                self.ward.settle(by, &mut expected);
                expected
            }
            Body::SetLeave(set) => {
                let id = stay_of(set.encounter);
                let Some(stay) = self.ward.clinic.stay(id).cloned() else {
                    return refused(Code::NoSuchPatient);
                };
                if !self.works_in(by, stay.unit) {
                    return refused(Code::NotPermitted);
                }
                if stay.discharged.is_some() {
                    return refused(Code::EncounterOver);
                }
                let mut expected = done;
                if stay.away != set.away {
                    if self.lobby.disk_scarce {
                        return refused(Code::DiskLow);
                    }
                    if let Some(stay) = self.ward.clinic.stay_mut(id) {
                        stay.away = set.away;
                    }
                    expected
                        .audits
                        .push((by, if set.away { Act::LeaveBegan(id) } else { Act::LeaveEnded(id) }));
                }
                expected
            }
            Body::Discharge(discharge) => {
                let id = stay_of(discharge.encounter);
                let Some(stay) = self.ward.clinic.stay(id).cloned() else {
                    return refused(Code::NoSuchPatient);
                };
                if !self.works_in(by, stay.unit) {
                    return refused(Code::NotPermitted);
                }
                if stay.discharged.is_some() {
                    return refused(Code::EncounterOver);
                }
                if let Some(stay) = self.ward.clinic.stay_mut(id) {
                    (stay.discharged, stay.away) = (Some(now.wall), false);
                }
                self.lobby.terms.push((Term::Thread(id), now.mono.after(self.policy.thread_grace_ms)));
                let mut expected = done;
                expected.audits.push((by, Act::PatientDischarged(id)));
                expected
            }
            Body::UpdatePatient(update) => self.update_patient(by, update),
            Body::ChangeCareTeam(change) => {
                let add: Vec<PersonId> = change.add.iter().map(|id| person_of(*id)).collect();
                let remove: Vec<PersonId> = change.remove.iter().map(|id| person_of(*id)).collect();
                let until = (change.until != 0).then_some(Wall(change.until));
                self.change_care_team(now, by, stay_of(change.encounter), (&add, until, &remove))
            }
            Body::TakeAssignment(take) => self.take_shift(now, by, take, chosen),
            Body::EndAssignment(end) => {
                let id = AssignmentId::new(end.assignment).expect("parsed before");
                let Some(shift) = self.ward.clinic.shifts.iter().find(|shift| shift.id == id) else {
                    return refused(Code::NoSuchAssignment);
                };
                let holder = matches!(by, Actor::Person { person, .. } if person == shift.person);
                if !holder && self.rank(by, shift.unit) != Some(true) {
                    return refused(Code::NotPermitted);
                }
                let mut expected = done;
                self.end_shift(by, id, &mut expected);
                expected
            }
            Body::ListPatients(list) => {
                let unit = unit_of(list.unit);
                if !self.ward.units.contains(&unit) {
                    return refused(Code::NoSuchUnit);
                }
                if by != Actor::Local && self.rank(by, unit) != Some(true) {
                    return refused(Code::NotPermitted);
                }
                if self.lobby.disk_scarce {
                    return refused(Code::DiskLow);
                }
                let here = |stay: &&Stay| stay.discharged.is_none() && stay.unit == unit;
                let here = self.ward.clinic.stays.iter().filter(here).count();
                let mut expected = Expected::answered(Answer::Patients(here as u64));
                expected.audits.push((by, Act::PatientsListed(unit)));
                expected
            }
            Body::BreakGlass(_)
            | Body::EndEmergency(_)
            | Body::ListEmergencies(_)
            | Body::ReviewEmergency(_) => self.emergency(now, by, body, chosen),
            Body::ListBeds(list) => {
                let unit = unit_of(list.unit);
                if !self.ward.units.contains(&unit) {
                    return refused(Code::NoSuchUnit);
                }
                if self.rank(by, unit).is_none() {
                    return refused(Code::NotPermitted);
                }
                let here = |stay: &&Stay| stay.discharged.is_none() && stay.unit == unit;
                let mut beds: Vec<String> =
                    self.ward.clinic.stays.iter().filter(here).map(|stay| stay.bed.clone()).collect();
                for shift in self.ward.clinic.shifts.iter().filter(|shift| shift.unit == unit) {
                    beds.extend(shift.beds.iter().cloned());
                }
                beds.sort_unstable();
                beds.dedup();
                Expected::answered(Answer::Beds(beds.len() as u64))
            }
            _ => Expected::default(),
        }
    }

    fn admit(&mut self, now: Now, by: Actor, admit: &proto::Admit, chosen: Chosen) -> Expected {
        let unit = UnitId::new(admit.unit).expect("parsed before");
        let attending = PersonId::new(admit.attending);
        if !self.ward.units.contains(&unit) {
            return refused(Code::NoSuchUnit);
        }
        if !self.works_in(by, unit) {
            return refused(Code::NotPermitted);
        }
        let number = admit.new_patient.as_ref().map_or(&admit.record_number, |new| &new.record_number);
        let clinic = &self.ward.clinic;
        let known = clinic.patients.iter().find(|(_, known)| known.record_number == *number);
        let known = known.map(|(id, _)| *id);
        match (known, &admit.new_patient) {
            (Some(_), Some(_)) => return refused(Code::RecordNumberInUse),
            (None, None) => return refused(Code::NoSuchPatient),
            _ => {}
        }
        if clinic.stays.iter().any(|stay| Some(stay.patient) == known && stay.discharged.is_none()) {
            return refused(Code::AlreadyAdmitted);
        }
        if clinic.lies_in(unit, &admit.bed).is_some() {
            return refused(Code::BedTaken);
        }
        if attending.is_some_and(|who| self.ward.person(who).is_none_or(|who| who.suspended)) {
            return refused(Code::NoSuchPerson);
        }
        if self.lobby.disk_low {
            return refused(Code::DiskLow);
        }
        let (Some(thread), Some(id), Some(patient)) =
            (chosen.conversation, chosen.encounter, known.or(chosen.patient))
        else {
            return Expected::default();
        };
        let mut expected = Expected::answered(Answer::Admitted(thread));
        expected.audits.push((by, Act::ConversationOpened(thread)));
        if let Some(new) = &admit.new_patient {
            self.ward.clinic.patients.push((patient, new.clone()));
            expected.audits.push((by, Act::PatientAdded(patient)));
        }
        expected.audits.push((by, Act::PatientAdmitted(id, patient, unit)));
        self.ward.conversations.push(Conversation {
            id: thread,
            direct: false,
            unit: None,
            archived: false,
            title: String::new(),
            owner: None,
            of_patient: true,
            purged: false,
            members: Vec::new(),
            messages: Vec::new(),
            taken: Vec::new(),
            expired_through: 0,
        });
        let (discharged, closed, away) = (None, None, false);
        let bed = admit.bed.clone();
        self.ward.clinic.stays.push(Stay {
            id,
            patient,
            unit,
            bed,
            attending,
            away,
            discharged,
            closed,
            thread,
        });
        self.ward.clinic.meet();
        self.ward.settle(by, &mut expected);
        let _ = now;
        expected
    }

    fn update_patient(&mut self, by: Actor, update: &proto::UpdatePatient) -> Expected {
        let id = PatientId::new(update.patient).expect("parsed before");
        let attending = PersonId::new(update.attending);
        let clinic = &self.ward.clinic;
        let Some(at) = clinic.patients.iter().position(|(patient, _)| *patient == id) else {
            return refused(Code::NoSuchPatient);
        };
        let stay = clinic.stays.iter().find(|stay| stay.patient == id && stay.discharged.is_none()).cloned();
        let may = by == Actor::Local || stay.as_ref().is_some_and(|stay| self.works_in(by, stay.unit));
        if !may {
            return refused(Code::NotPermitted);
        }
        let new = update.particulars.clone().expect("parsed before");
        let same_number = |(other, known): &(PatientId, proto::Particulars)| {
            *other != id && known.record_number == new.record_number
        };
        if clinic.patients.iter().any(same_number) {
            return refused(Code::RecordNumberInUse);
        }
        let was = stay.as_ref().and_then(|stay| stay.attending);
        if stay.is_none() && attending.is_some() {
            return refused(Code::EncounterOver);
        }
        let gone = attending.is_some_and(|who| self.ward.person(who).is_none_or(|who| who.suspended));
        if attending != was && gone {
            return refused(Code::NoSuchPerson);
        }
        let renamed = clinic.patients[at].1 != new;
        if (renamed || attending != was) && self.lobby.disk_scarce {
            return refused(Code::DiskLow);
        }
        let mut expected = Expected::answered(Answer::Done);
        if renamed {
            self.ward.clinic.patients[at].1 = new;
            expected.audits.push((by, Act::PatientUpdated(id)));
        }
        if let Some(stay) = stay.filter(|_| attending != was) {
            if let Some(stay) = self.ward.clinic.stay_mut(stay.id) {
                stay.attending = attending;
            }
            expected.audits.push((by, Act::AttendingSet(stay.id, attending)));
            self.ward.settle(by, &mut expected);
        }
        expected
    }

    fn change_care_team(
        &mut self,
        now: Now,
        by: Actor,
        id: EncounterId,
        (add, until, remove): (&[PersonId], Option<Wall>, &[PersonId]),
    ) -> Expected {
        let Some(stay) = self.ward.clinic.stay(id).cloned() else { return refused(Code::NoSuchPatient) };
        let Some(thread) = self.ward.conversation(stay.thread).cloned() else { return Expected::default() };
        let member = match by {
            Actor::Person { person, .. } => {
                let reviews = self.ward.person(person).is_some_and(|person| person.privacy_officer);
                let guest = self.ward.clinic.broke_in(id, person) && !self.ward.clinic.cares(&stay, person);
                self.ward.member(stay.thread, person).is_some() && !reviews && !guest
            }
            _ => false,
        };
        if !member && self.rank(by, stay.unit) != Some(true) {
            return refused(Code::NotPermitted);
        }
        if add.iter().any(|who| remove.contains(who)) {
            return refused(Code::Invalid);
        }
        let by_hand =
            |who: &PersonId| self.ward.clinic.by_hand.iter().any(|place| (place.0, place.1) == (id, *who));
        if !remove.iter().all(by_hand) {
            return refused(Code::NotByHand);
        }
        if !add.is_empty() && thread.purged {
            return refused(Code::Purged);
        }
        if !add.is_empty() && thread.archived {
            return refused(Code::ThreadClosed);
        }
        if until.is_some_and(|until| until.0 <= now.wall.0) {
            return refused(Code::EndInvalid);
        }
        if add.iter().any(|who| self.ward.person(*who).is_none_or(|who| who.suspended)) {
            return refused(Code::NoSuchPerson);
        }
        if !add.is_empty() && self.lobby.disk_scarce {
            return refused(Code::DiskLow);
        }
        let mut expected = Expected::answered(Answer::Done);
        let mut seen = Vec::new();
        for who in add.iter().chain(remove) {
            if seen.contains(who) {
                continue;
            }
            seen.push(*who);
            self.ward.clinic.by_hand.retain(|place| (place.0, place.1) != (id, *who));
            self.lobby.terms.retain(|(term, _)| *term != Term::Place(id, *who));
            if remove.contains(who) {
                expected.audits.push((by, Act::CareTeamLeft(id, *who)));
                continue;
            }
            expected.audits.push((by, Act::CareTeamJoined(id, *who)));
            self.ward.clinic.by_hand.push((id, *who, now.wall, until));
            if let Some(until) = until {
                let rest = u64::try_from(until.0 - now.wall.0).expect("ahead");
                self.lobby.terms.push((Term::Place(id, *who), now.mono.after(rest)));
            }
        }
        self.ward.settle(by, &mut expected);
        expected
    }

    fn take_shift(&mut self, now: Now, by: Actor, take: &proto::TakeAssignment, chosen: Chosen) -> Expected {
        let unit = UnitId::new(take.unit).expect("parsed before");
        let asker = match by {
            Actor::Person { person, .. } => Some(person),
            _ => None,
        };
        if !self.ward.units.contains(&unit) {
            return refused(Code::NoSuchUnit);
        }
        let rank = self.rank(by, unit);
        let Some(person) = PersonId::new(take.person)
            .or(asker)
            .filter(|person| if asker == Some(*person) { rank.is_some() } else { rank == Some(true) })
        else {
            return refused(Code::NotPermitted);
        };
        let Some(holder) = self.ward.person(person).filter(|person| !person.suspended) else {
            return refused(Code::NoSuchPerson);
        };
        if holder.privacy_officer || self.ward.post(person, unit).is_none() {
            return refused(Code::NotStaffOfUnit);
        }
        let ahead = take.until.saturating_sub(now.wall.0);
        if !(1..=16 * HOUR).contains(&ahead) {
            return refused(Code::EndInvalid);
        }
        if self.ward.clinic.shifts.iter().filter(|shift| shift.person == person).count() >= 8 {
            return refused(Code::Limit);
        }
        if self.lobby.disk_scarce {
            return refused(Code::DiskLow);
        }
        let Some(id) = chosen.assignment else { return Expected::default() };
        let (beds, since, until, met) = (take.beds.clone(), now.wall, Wall(take.until), Vec::new());
        self.ward.clinic.shifts.push(Shift { id, person, unit, beds, since, until, met });
        self.lobby.terms.push((Term::Shift(id), now.mono.after(ahead.unsigned_abs())));
        let mut expected = Expected::answered(Answer::AssignmentTaken);
        expected.audits.push((by, Act::AssignmentTaken(id, person, unit)));
        self.ward.clinic.meet();
        self.ward.settle(by, &mut expected);
        expected
    }

    fn end_shift(&mut self, by: Actor, id: AssignmentId, expected: &mut Expected) {
        let ended = self.ward.clinic.shifts.iter().filter(|shift| shift.id == id);
        expected.audits.extend(ended.map(|shift| (by, Act::AssignmentEnded(id, shift.person))));
        self.ward.clinic.shifts.retain(|shift| shift.id != id);
        self.lobby.terms.retain(|(term, _)| *term != Term::Shift(id));
        self.ward.settle(by, expected);
    }

    /// With a post, with the access, and for who reviews.
    pub(crate) fn end_shifts_of(
        &mut self,
        by: Actor,
        person: PersonId,
        unit: Option<UnitId>,
        expected: &mut Expected,
    ) {
        let theirs = self.ward.clinic.shifts.iter().filter(|shift| shift.person == person);
        let theirs = theirs.filter(|shift| unit.is_none_or(|unit| unit == shift.unit));
        for id in theirs.map(|shift| shift.id).collect::<Vec<_>>() {
            self.end_shift(by, id, expected);
        }
    }

    /// As a restart counts them: what the wall clock says is left, and never more than there was.
    pub(crate) fn resume_terms(&mut self, now: Now) {
        let mut terms: Vec<(Term, Wall, Wall)> = Vec::new();
        let clinic = &self.ward.clinic;
        terms.extend(clinic.shifts.iter().map(|shift| (Term::Shift(shift.id), shift.since, shift.until)));
        for (stay, who, since, until) in &clinic.by_hand {
            terms.extend(until.map(|until| (Term::Place(*stay, *who), *since, until)));
        }
        let running = clinic.emergencies.iter().filter(|broken| !broken.over);
        terms.extend(running.map(|broken| (Term::Emergency(broken.id), broken.since, broken.until)));
        for stay in &clinic.stays {
            let (grace, kept) = (self.policy.thread_grace_ms, self.policy.retention_ms);
            let begun =
                stay.closed.map(|closed| (closed, kept)).or(stay.discharged.map(|since| (since, grace)));
            terms.extend(begun.map(|(since, ms)| (Term::Thread(stay.id), since, since.after(ms))));
        }
        for (term, since, until) in terms {
            let rest = (until.0 - now.wall.0).clamp(0, until.0 - since.0);
            self.lobby.terms.push((term, now.mono.after(rest.unsigned_abs())));
        }
    }

    /// The box ended something: it was due.
    pub(crate) fn end_term(
        &mut self,
        now: Now,
        term: Term,
        expected: &mut Expected,
    ) -> Result<Situation, String> {
        let ends = self.lobby.terms.iter().find(|(other, _)| *other == term).map(|(_, ends)| *ends);
        let ends: Mono = ends.ok_or_else(|| format!("{term:?} had no end"))?;
        let by_steady = ends <= now.mono;
        let by = Actor::TheBox;
        self.lobby.terms.retain(|(other, _)| *other != term);
        let early = || Err(format!("{term:?} ended too early"));
        match term {
            Term::Shift(id) => {
                let shift = self.ward.clinic.shifts.iter().find(|shift| shift.id == id).cloned();
                let shift = shift.ok_or("a shift of nobody")?;
                if !by_steady && now.wall < shift.until {
                    return early();
                }
                let by_hand = |stay: &EncounterId| {
                    self.ward.clinic.by_hand.iter().any(|place| (place.0, place.1) == (*stay, shift.person))
                };
                let kept = shift.met.iter().any(by_hand);
                self.end_shift(by, id, expected);
                Ok(match (kept, by_steady && now.wall < shift.until) {
                    (true, _) => Situation::KeptByHandWhenShiftEnded,
                    (false, true) => Situation::ShiftOverBySteadyClock,
                    (false, false) => Situation::ShiftOverByClock,
                })
            }
            Term::Place(stay, who) => {
                let place =
                    |place: &(EncounterId, PersonId, Wall, Option<Wall>)| (place.0, place.1) == (stay, who);
                let until = self.ward.clinic.by_hand.iter().find(|p| place(p)).and_then(|place| place.3);
                let until = until.ok_or("a place without an end")?;
                if !by_steady && now.wall < until {
                    return early();
                }
                self.ward.clinic.by_hand.retain(|p| !place(p));
                expected.audits.push((by, Act::CareTeamLeft(stay, who)));
                self.ward.settle(by, expected);
                let steady = by_steady && now.wall < until;
                Ok(if steady { Situation::PlaceOverBySteadyClock } else { Situation::PlaceOverByClock })
            }
            Term::Emergency(id) => {
                let all = &self.ward.clinic.emergencies;
                let until = all.iter().find(|broken| broken.id == id && !broken.over);
                let until = until.ok_or("an emergency of nobody")?.until;
                if !by_steady && now.wall < until {
                    return early();
                }
                self.end_emergencies(by, |broken| broken.id == id, expected);
                Ok(Situation::EmergencyOver)
            }
            Term::Thread(id) => {
                if !by_steady {
                    return early();
                }
                let stay = self.ward.clinic.stay_mut(id).ok_or("a thread of nobody")?;
                let thread = stay.thread;
                if stay.closed.is_none() {
                    stay.closed = Some(now.wall);
                    if let Some(thread) = self.ward.conversation_mut(thread) {
                        thread.archived = true;
                    }
                    self.lobby.terms.push((Term::Thread(id), now.mono.after(self.policy.retention_ms)));
                    expected.audits.push((by, Act::ThreadClosed(id)));
                    return Ok(Situation::ThreadClosed);
                }
                self.end_emergencies(by, |broken| broken.stay == id, expected);
                self.stats_purged(thread, by, expected);
                expected.audits.push((by, Act::EncounterFiled(id)));
                self.ward.clinic.stays.retain(|stay| stay.id != id);
                self.ward.clinic.by_hand.retain(|place| place.0 != id);
                self.lobby.terms.retain(|(term, _)| !matches!(term, Term::Place(stay, _) if *stay == id));
                self.ward.clinic.shifts.iter_mut().for_each(|shift| shift.met.retain(|met| *met != id));
                if let Some(place) = self.ward.conversation_mut(thread) {
                    for member in place.members.iter_mut().filter(|member| !member.left) {
                        member.left = true;
                        expected.audits.push((by, Act::MemberLeft(thread, member.person)));
                    }
                }
                Ok(Situation::EncounterFiled)
            }
        }
    }
}
