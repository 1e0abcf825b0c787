//! The reference's rules for patients, care teams and assignments: lists, and at every act the question asked anew of
//! everybody whether there is a reason for them to be in a thread.

#[path = "reference_terms.rs"]
mod reference_terms;

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{
    AssignmentId, ConversationId, DeviceId, EmergencyId, EncounterId, OfferId, PatientId, PersonId, UnitId,
};
use wardline_core::notice::{Told, Why};
use wardline_core::particulars::Bed;
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::coverage::Situation;
use crate::reference::{Answer, Conversation, Expected, Reference, Ward};
use crate::reference_emergencies::Broken;
use crate::reference_restricted::Secret;
use crate::reference_ward::Chosen;

#[derive(Clone, Default)]
pub(crate) struct Clinic {
    pub(crate) patients: Vec<(PatientId, proto::Particulars)>,
    pub(crate) stays: Vec<Stay>,
    /// In whose care team, who, since when, until when.
    pub(crate) by_hand: Vec<(EncounterId, PersonId, Wall, Option<Wall>)>,
    pub(crate) shifts: Vec<Shift>,
    pub(crate) emergencies: Vec<Broken>,
    /// Whose every thread is or was.
    pub(crate) threads: Vec<(ConversationId, PatientId)>,
    /// Of each record by itself.
    pub(crate) secrets: Vec<Secret>,
    /// Which record is merged into which.
    pub(crate) merges: Vec<(PatientId, PatientId)>,
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
    Agency(PersonId),
    Suspension(PersonId),
    Offer(OfferId),
    Visit(PersonId),
    VisitRequest(DeviceId),
    BedCode(EncounterId),
    Task(ConversationId, u64),
    Dnd(PersonId),
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

    pub(crate) fn cares(&self, stay: &Stay, who: PersonId) -> bool {
        match self.secret(stay.patient) {
            Some(secret) => secret.named.contains(&who),
            None => self.cares_for(stay, who) || self.cares_across(stay, who),
        }
    }

    /// By what is said of this stay, whoever may see the patient.
    pub(crate) fn cares_for(&self, stay: &Stay, who: PersonId) -> bool {
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

/// Who did it, as a notice says.
pub(crate) fn doer(by: Actor) -> Option<PersonId> {
    match by {
        Actor::Person { person, .. } => Some(person),
        _ => None,
    }
}

impl Ward {
    /// A thread that is not purged tells this.
    pub(crate) fn tell(&self, thread: ConversationId, by: Actor, told: Told, expected: &mut Expected) {
        if self.conversation(thread).is_some_and(|thread| !thread.purged) {
            expected.told.push((thread, doer(by), told));
        }
    }

    /// Why somebody belongs, and until when as far as one knows.
    fn why(&self, stay: &Stay, who: PersonId) -> (Why, Option<Wall>) {
        let clinic = &self.clinic;
        let running = clinic.emergencies.iter().filter(|broken| !broken.over);
        let broken = running.filter(|broken| (broken.stay, broken.who) == (stay.id, who));
        let until = broken.map(|broken| broken.until).max();
        if clinic.secret(stay.patient).is_some() {
            let named = clinic.shows(stay.patient, Some(who));
            return if named { (Why::Named, None) } else { (Why::Emergency, until) };
        }
        if stay.attending == Some(who) {
            return (Why::Attending, None);
        }
        for place in &clinic.by_hand {
            if (place.0, place.1) == (stay.id, who) {
                return (Why::ByHand, place.3);
            }
        }
        let shifts = clinic.shifts.iter().filter(|shift| shift.person == who && shift.met.contains(&stay.id));
        match shifts.map(|shift| shift.until).max() {
            Some(until) => (Why::Bed, Some(until)),
            None if clinic.cares_across(stay, who) => (Why::Merged, None),
            None => (Why::Emergency, until),
        }
    }

    /// A patient came into a bed: whoever of the team had been there has it, or stays without it; or nobody has it.
    fn tell_bed(&self, id: EncounterId, by: Actor, entered: &[(EncounterId, PersonId)], to: &mut Expected) {
        let Some(stay) = self.clinic.stay(id) else { return };
        let has = |shift: &&Shift| {
            shift.unit == stay.unit && (shift.beds.is_empty() || shift.beds.contains(&stay.bed))
        };
        let covering: Vec<&Shift> =
            self.clinic.shifts.iter().filter(|shift| shift.met.contains(&id)).collect();
        for person in &self.people {
            let who = person.id;
            let theirs = covering.iter().copied().filter(|shift| shift.person == who);
            let with = theirs.clone().filter(has).map(|shift| shift.until).max();
            let without = theirs.filter(|shift| !has(shift)).map(|shift| shift.until).max();
            if entered.contains(&(id, who)) {
                continue;
            }
            match (with, without) {
                (Some(until), _) => self.tell(stay.thread, by, Told::HasBed { person: who, until }, to),
                (None, Some(_)) if !self.clinic.belongs(stay, who) => {}
                (None, Some(until)) => self.tell(stay.thread, by, Told::Stays { person: who, until }, to),
                (None, None) => {}
            }
        }
        if !covering.iter().any(has) {
            self.tell(stay.thread, by, Told::BedUnheld, to);
        }
    }

    /// Everybody is where they belong, and nobody else: what changed, by whom it was brought about.
    pub(crate) fn settle(&mut self, by: Actor, expected: &mut Expected) {
        self.settle_but(by, None, expected);
    }

    /// The same; who of those that came or left is told of already. Who came in where.
    pub(crate) fn settle_but(
        &mut self,
        by: Actor,
        told: Option<(EncounterId, PersonId)>,
        expected: &mut Expected,
    ) -> Vec<(EncounterId, PersonId)> {
        let mut entered = Vec::new();
        let mut people: Vec<PersonId> = self.people.iter().map(|person| person.id).collect();
        // Who is put out first may be called by the step that another's leaving begins.
        people.sort_unstable();
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
                    entered.push((stay.id, *who));
                    if told != Some((stay.id, *who)) {
                        let (why, until) = self.why(&stay, *who);
                        self.tell(stay.thread, by, Told::Entered { person: *who, why, until }, expected);
                    }
                } else if !belongs && present {
                    thread.members.iter_mut().filter(|m| m.person == *who).for_each(|m| m.left = true);
                    expected.audits.push((by, Act::MemberLeft(thread.id, *who)));
                    if told != Some((stay.id, *who)) {
                        self.tell(stay.thread, by, Told::Left { person: *who }, expected);
                    }
                }
            }
        }
        self.settle_families(by, expected);
        entered
    }
}

fn refused(code: Code) -> Expected {
    Expected::refused(code)
}

impl Reference {
    /// What somebody is in a unit as far as patients go: in charge, there; a reviewer is nothing.
    pub(crate) fn rank(&self, by: Actor, unit: UnitId) -> Option<bool> {
        let Actor::Person { person, .. } = by else { return None };
        let reviews = self.ward.person(person).is_some_and(|person| person.privacy_officer);
        self.ward.post(person, unit).filter(|_| !reviews)
    }

    fn works_in(&self, by: Actor, unit: UnitId) -> bool {
        by == Actor::Local || self.rank(by, unit).is_some()
    }

    /// Whoever works where the patient lies; of where they go whoever cares for them already. Of a secret patient not everybody.
    fn may_move(&self, by: Actor, stay: &Stay, unit: UnitId) -> bool {
        let Actor::Person { person, .. } = by else { return by == Actor::Local };
        let cares = self.ward.clinic.cares(stay, person);
        let works = self.works_in(by, stay.unit) || cares && self.works_in(by, unit);
        let leads = self.rank(by, stay.unit) == Some(true);
        works && (leads || self.ward.clinic.shows(stay.patient, Some(person)))
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
                if !self.may_move(by, &stay, unit) {
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
                self.bed_code_ends(by, id, &mut expected);
                let told = Told::Moved { unit, bed: Bed::parse(&transfer.bed).expect("parsed before") };
                self.ward.tell(stay.thread, by, told, &mut expected);
                let entered = self.ward.settle_but(by, None, &mut expected);
                self.ward.tell_bed(id, by, &entered, &mut expected);
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
                    let told = if set.away { Told::LeaveBegan } else { Told::LeaveEnded };
                    self.ward.tell(stay.thread, by, told, &mut expected);
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
                self.ward.tell(stay.thread, by, Told::Discharged, &mut expected);
                self.families_end(by, id, &mut expected);
                self.ward.settle(by, &mut expected);
                expected
            }
            Body::UpdatePatient(update) => self.update_patient(by, update),
            Body::LookUp(ask) => self.look_up(by, ask),
            Body::MergeRecords(ask) => self.merge(by, ask),
            Body::UnmergeRecords(ask) => self.unmerge(by, ask, chosen),
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
            Body::Restrict(ask) => self.restrict(by, ask),
            Body::LiftRestriction(lift) => self.lift_restriction(by, stay_of(lift.encounter)),
            Body::BreakGlass(_)
            | Body::LookAtRequest(_)
            | Body::Countersign(_)
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
        let known = clinic.recorded(number);
        match (known, &admit.new_patient) {
            (Some(_), Some(_)) => return refused(Code::RecordNumberInUse),
            (None, None) => return refused(Code::NoSuchPatient),
            _ => {}
        }
        if known.is_some_and(|known| clinic.here_by(known).is_some()) {
            return refused(Code::AlreadyAdmitted);
        }
        if clinic.lies_in(unit, &admit.bed).is_some() {
            return refused(Code::BedTaken);
        }
        if attending.is_some_and(|who| self.ward.person(who).is_none_or(|who| who.suspended)) {
            return refused(Code::NoSuchPerson);
        }
        if attending.is_some_and(|who| self.is_hired(who)) {
            return refused(Code::AgencyBound);
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
            of_family: false,
            of_role: None,
            of_house: false,
            purged: false,
            members: Vec::new(),
            messages: Vec::new(),
            taken: Vec::new(),
            said: Vec::new(),
            expired_through: 0,
        });
        let (discharged, closed, away) = (None, None, false);
        let bed = admit.bed.clone();
        self.ward.clinic.threads.push((thread, patient));
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
        let told = Told::Admitted { unit, bed: Bed::parse(&admit.bed).expect("parsed before") };
        self.ward.tell(thread, by, told, &mut expected);
        let entered = self.ward.settle_but(by, None, &mut expected);
        self.ward.tell_bed(id, by, &entered, &mut expected);
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
        let records = clinic.records(id);
        let meant = |stay: &&Stay| {
            records.contains(&stay.patient)
                && stay.discharged.is_none()
                && (update.encounter == 0 || update.encounter == stay.id.value())
        };
        let mut stays: Vec<Stay> = clinic.stays.iter().filter(meant).cloned().collect();
        stays.sort_by_key(|stay| records.iter().position(|record| *record == stay.patient));
        let stay = stays.first().cloned();
        let may = by == Actor::Local || stay.as_ref().is_some_and(|stay| self.works_in(by, stay.unit));
        if !may {
            return refused(Code::NotPermitted);
        }
        if by != Actor::Local && !clinic.shows(id, doer(by)) {
            return refused(Code::Restricted);
        }
        if clinic.merges.iter().any(|(merged, _)| *merged == id) {
            return refused(Code::RecordMerged);
        }
        if stays.len() > 1 {
            return refused(Code::SeveralStays);
        }
        let new = update.particulars.clone().expect("parsed before");
        let same_number = |(other, known): &(PatientId, proto::Particulars)| {
            *other != id && known.record_number == new.record_number
        };
        if clinic.patients.iter().any(same_number) {
            return refused(Code::RecordNumberInUse);
        }
        let was = stay.as_ref().and_then(|stay| stay.attending);
        if stay.is_none() && (attending.is_some() || update.encounter != 0) {
            return refused(Code::EncounterOver);
        }
        let gone = attending.is_some_and(|who| self.ward.person(who).is_none_or(|who| who.suspended));
        if attending != was && gone {
            return refused(Code::NoSuchPerson);
        }
        if attending != was && attending.is_some_and(|who| self.is_hired(who)) {
            return refused(Code::AgencyBound);
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
            self.ward.tell(stay.thread, by, Told::Attending { person: attending }, &mut expected);
            self.ward.settle_but(by, attending.map(|who| (stay.id, who)), &mut expected);
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
        if self.ward.clinic.secret(stay.patient).is_some() {
            return refused(Code::Restricted);
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
        if self.outlasts(person, take.until) {
            return refused(Code::BeyondAgencyEnd);
        }
        if self.ward.clinic.shifts.iter().filter(|shift| shift.person == person).count() >= 8 {
            return refused(Code::Limit);
        }
        if self.lobby.disk_scarce {
            return refused(Code::DiskLow);
        }
        let Some(id) = chosen.assignment else { return Expected::default() };
        let mut expected = Expected::answered(Answer::AssignmentTaken);
        self.give_shift(now, by, (id, person, unit), (take.beds.clone(), take.until), &mut expected);
        expected
    }

    pub(crate) fn give_shift(
        &mut self,
        now: Now,
        by: Actor,
        (id, person, unit): (AssignmentId, PersonId, UnitId),
        (beds, until): (Vec<String>, i64),
        expected: &mut Expected,
    ) {
        let ahead = until.saturating_sub(now.wall.0).unsigned_abs();
        let (since, until, met) = (now.wall, Wall(until), Vec::new());
        self.ward.clinic.shifts.push(Shift { id, person, unit, beds, since, until, met });
        self.lobby.terms.push((Term::Shift(id), now.mono.after(ahead)));
        expected.audits.push((by, Act::AssignmentTaken(id, person, unit)));
        self.ward.clinic.meet();
        self.ward.settle(by, expected);
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
}
