//! The reference's rules for restricted patients: a list of who is named, and a list of who waits for a second person.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{EmergencyId, EncounterId, PatientId, PersonId};
use wardline_core::notice::Told;
use wardline_core::time::{Mono, Now};
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Reference};
use crate::reference_patients::{Clinic, Stay};

/// A patient whom only some may know.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Secret {
    pub(crate) patient: PatientId,
    pub(crate) alias: String,
    pub(crate) named: Vec<PersonId>,
}

/// Somebody who waits for a second person.
#[derive(Clone)]
pub(crate) struct Waits {
    pub(crate) id: EmergencyId,
    pub(crate) stay: EncounterId,
    pub(crate) who: PersonId,
    device: Actor,
    pub(crate) ends: Mono,
}

const REQUEST_MS: u64 = 300_000;

impl Clinic {
    /// Whether somebody may see who this is.
    pub(crate) fn shows(&self, patient: PatientId, who: Option<PersonId>) -> bool {
        self.secret(patient).is_none_or(|secret| who.is_some_and(|who| secret.named.contains(&who)))
    }
}

impl Reference {
    fn may_restrict(&self, by: Actor, stay: &Stay) -> bool {
        let attends = match by {
            Actor::Person { person, .. } => {
                let reviews = self.ward.person(person).is_some_and(|person| person.privacy_officer);
                let shown = self.ward.clinic.shows(stay.patient, Some(person));
                stay.attending == Some(person) && !reviews && shown
            }
            _ => by == Actor::Local,
        };
        attends || self.rank(by, stay.unit) == Some(true)
    }

    pub(crate) fn restrict(&mut self, by: Actor, ask: &proto::Restrict) -> Expected {
        let refused = Expected::refused;
        let id = EncounterId::new(ask.encounter).expect("parsed before");
        let Some(stay) = self.ward.clinic.stay(id).cloned() else { return refused(Code::NoSuchPatient) };
        if !self.may_restrict(by, &stay) {
            return refused(Code::NotPermitted);
        }
        let was = self.ward.clinic.secret(stay.patient);
        let alias = if ask.alias.is_empty() {
            was.as_ref().map(|was| was.alias.clone())
        } else {
            Some(ask.alias.clone())
        };
        let Some(alias) = alias else { return refused(Code::Invalid) };
        if ask.add.iter().any(|who| ask.remove.contains(who)) {
            return refused(Code::Invalid);
        }
        let mut named = was.as_ref().map(|was| was.named.clone()).unwrap_or_default();
        for who in &ask.add {
            let who = PersonId::new(*who).expect("parsed before");
            if named.contains(&who) {
                continue;
            }
            let Some(person) = self.ward.person(who) else { return refused(Code::NoSuchPerson) };
            if person.privacy_officer {
                return refused(Code::ReviewerNotNamed);
            }
            if person.hired.is_some() {
                return refused(Code::AgencyBound);
            }
            if person.suspended {
                return refused(Code::NoSuchPerson);
            }
            named.push(who);
        }
        named.retain(|who| !ask.remove.contains(&who.value()));
        named.sort_unstable();
        if named.is_empty() {
            return refused(Code::NobodyNamed);
        }
        let patient = self.ward.clinic.surviving(stay.patient);
        let secret = Secret { patient, alias, named };
        if was.as_ref().is_some_and(|was| (&was.alias, &was.named) == (&secret.alias, &secret.named)) {
            return Expected::answered(Answer::Done);
        }
        if self.lobby.disk_scarce {
            return refused(Code::DiskLow);
        }
        let mut expected = Expected::answered(Answer::Done);
        if was.is_none() {
            self.end_alone(by, patient, &mut expected);
        }
        let before = was.as_ref().map(|was| was.named.clone()).unwrap_or_default();
        for who in secret.named.iter().filter(|who| !before.contains(who)) {
            expected.audits.push((by, Act::PatientNamed(patient, *who)));
        }
        for who in before.iter().filter(|who| !secret.named.contains(who)) {
            expected.audits.push((by, Act::PatientUnnamed(patient, *who)));
        }
        let records = self.ward.clinic.records(patient);
        self.ward.clinic.secrets.retain(|other| !records.contains(&other.patient));
        let each = records.into_iter().map(|patient| Secret { patient, ..secret.clone() });
        self.ward.clinic.secrets.extend(each);
        if was.is_none() {
            expected.audits.push((by, Act::PatientRestricted(patient)));
            self.tell_all(by, patient, &Told::Restricted, &mut expected);
        }
        self.ward.settle(by, &mut expected);
        expected
    }

    pub(crate) fn lift_restriction(&mut self, by: Actor, id: EncounterId) -> Expected {
        let refused = Expected::refused;
        let Some(stay) = self.ward.clinic.stay(id).cloned() else { return refused(Code::NoSuchPatient) };
        if !self.may_restrict(by, &stay) {
            return refused(Code::NotPermitted);
        }
        if self.ward.clinic.secret(stay.patient).is_none() {
            return refused(Code::NotRestricted);
        }
        if self.lobby.disk_scarce {
            return refused(Code::DiskLow);
        }
        let patient = self.ward.clinic.surviving(stay.patient);
        let records = self.ward.clinic.records(patient);
        self.ward.clinic.secrets.retain(|other| !records.contains(&other.patient));
        let mut expected = Expected::answered(Answer::Done);
        expected.audits.push((by, Act::PatientUnrestricted(patient)));
        self.tell_all(by, patient, &Told::Unrestricted, &mut expected);
        self.ward.settle(by, &mut expected);
        expected
    }

    fn tell_all(&self, by: Actor, patient: PatientId, told: &Told, expected: &mut Expected) {
        let clinic = &self.ward.clinic;
        for stay in clinic.stays.iter().filter(|stay| clinic.is_one(stay.patient, patient)) {
            self.ward.tell(stay.thread, by, told.clone(), expected);
        }
    }

    /// They wait for a second person; what they asked before is withdrawn.
    pub(crate) fn wait(&mut self, now: Now, by: Actor, id: EmergencyId, stay: EncounterId) -> Expected {
        let Actor::Person { person: who, .. } = by else { return Expected::default() };
        let mut expected = Expected::answered(Answer::EmergencyAsked);
        self.withdraw(by, who, &mut expected);
        expected.audits.push((by, Act::EmergencyAsked(id, stay)));
        let ends = now.mono.after(REQUEST_MS);
        self.lobby.waits.push(Waits { id, stay, who, device: by, ends });
        expected
    }

    pub(crate) fn withdraw(&mut self, by: Actor, who: PersonId, expected: &mut Expected) {
        let theirs = self.lobby.waits.iter().filter(|waits| waits.who == who);
        expected.audits.extend(theirs.map(|waits| (by, Act::EmergencyWithdrawn(waits.id))));
        self.lobby.waits.retain(|waits| waits.who != who);
    }

    pub(crate) fn look_at_request(&mut self, me: PersonId, id: u64) -> Expected {
        if !self.is_clinician(me) {
            return Expected::refused(Code::NotPermitted);
        }
        let Some(waits) = self.lobby.waits.iter().find(|waits| waits.id.value() == id) else {
            return Expected::refused(Code::NoSuchEmergencyRequest);
        };
        if waits.who == me {
            return Expected::refused(Code::SecondPerson);
        }
        let here = self.ward.clinic.stay(waits.stay).is_some_and(|stay| stay.discharged.is_none());
        if here {
            Expected::answered(Answer::EmergencyRequest)
        } else {
            Expected::refused(Code::NoSuchPatient)
        }
    }

    pub(crate) fn countersign(&mut self, now: Now, (by, me): (Actor, PersonId), id: u64) -> Expected {
        let refused = Expected::refused;
        if !self.is_clinician(me) {
            return refused(Code::NotPermitted);
        }
        let Some(waits) = self.lobby.waits.iter().find(|waits| waits.id.value() == id).cloned() else {
            return refused(Code::NoSuchEmergencyRequest);
        };
        if waits.who == me {
            return refused(Code::SecondPerson);
        }
        let stay = self.ward.clinic.stay(waits.stay).filter(|stay| stay.discharged.is_none()).cloned();
        let Some(stay) = stay else { return refused(Code::NoSuchPatient) };
        if !self.is_clinician(waits.who) {
            return refused(Code::NotPermitted);
        }
        if let Some(code) = self.cannot_enter(&stay, waits.who) {
            return refused(code);
        }
        self.lobby.waits.retain(|other| other.id != waits.id);
        let mut expected = Expected::answered(Answer::Done);
        expected.audits.push((by, Act::EmergencyCountersigned(waits.id)));
        self.begin_emergency(now, (waits.device, waits.who), &stay, (waits.id, Some(me)), &mut expected);
        expected
    }
}
