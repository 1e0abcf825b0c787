//! The reference's rules for emergency access: a list of who came in, why nobody else would have let them, and what was found.

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{EmergencyId, EncounterId, PatientId, PersonId, UnitId};
use wardline_core::notice::Told;
use wardline_core::time::{Now, Wall};
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code};

use crate::reference::{Answer, Expected, Reference};
use crate::reference_patients::{Clinic, Stay, Term};
use crate::reference_ward::Chosen;

const HOUR: u64 = 3_600_000;

#[derive(Clone)]
pub(crate) struct Broken {
    pub(crate) id: EmergencyId,
    pub(crate) stay: EncounterId,
    unit: UnitId,
    pub(crate) who: PersonId,
    pub(crate) since: Wall,
    pub(crate) until: Wall,
    pub(crate) over: bool,
    pub(crate) found: bool,
    /// Who countersigned it.
    pub(crate) second: Option<PersonId>,
}

impl Clinic {
    pub(crate) fn broke_in(&self, stay: EncounterId, who: PersonId) -> bool {
        self.emergencies.iter().any(|broken| !broken.over && (broken.stay, broken.who) == (stay, who))
    }

    pub(crate) fn unreviewed(&self) -> u32 {
        self.emergencies.iter().filter(|broken| !broken.found).count() as u32
    }

    fn forget_done(&mut self) {
        self.emergencies.retain(|broken| !(broken.over && broken.found));
    }
}

impl Reference {
    pub(crate) fn emergency(&mut self, now: Now, by: Actor, body: &Body, chosen: Chosen) -> Expected {
        let refused = Expected::refused;
        let Actor::Person { person: me, .. } = by else { return refused(Code::NotPermitted) };
        let reviews = self.ward.person(me).is_some_and(|person| person.privacy_officer);
        let id_of = |id: u64| EmergencyId::new(id).expect("parsed before");
        match body {
            Body::BreakGlass(open) => self.break_glass(now, (by, me), open, chosen),
            Body::LookAtRequest(look) => self.look_at_request(me, look.emergency),
            Body::Countersign(sign) => self.countersign(now, (by, me), sign.emergency),
            Body::EndEmergency(end)
                if self.lobby.waits.iter().any(|w| (w.id.value(), w.who) == (end.emergency, me))
                    && self.is_clinician(me) =>
            {
                let mut expected = Expected::answered(Answer::Done);
                self.withdraw(by, me, &mut expected);
                expected
            }
            Body::EndEmergency(end) => {
                let id = id_of(end.emergency);
                let Some(broken) = self.ward.clinic.emergencies.iter().find(|broken| broken.id == id) else {
                    return refused(Code::NoSuchEmergency);
                };
                let leads = !reviews && self.ward.post(me, broken.unit) == Some(true);
                if broken.who != me && !leads {
                    return refused(Code::NotPermitted);
                }
                let mut expected = Expected::answered(Answer::Done);
                self.end_emergencies(by, |broken| broken.id == id, &mut expected);
                expected
            }
            Body::ListEmergencies(_) if !reviews => refused(Code::NotPermitted),
            Body::ListEmergencies(_) if self.lobby.disk_scarce => refused(Code::DiskLow),
            Body::ListEmergencies(_) => {
                let mut expected =
                    Expected::answered(Answer::Emergencies(self.ward.clinic.emergencies.len() as u64));
                expected.audits.push((by, Act::EmergenciesListed));
                expected
            }
            Body::ReviewEmergency(_) if !reviews => refused(Code::NotPermitted),
            Body::ReviewEmergency(review) => {
                let id = id_of(review.emergency);
                let waits = |broken: &&mut Broken| broken.id == id && !broken.found;
                let Some(broken) = self.ward.clinic.emergencies.iter_mut().find(waits) else {
                    return refused(Code::NoSuchEmergency);
                };
                broken.found = true;
                self.ward.clinic.forget_done();
                let mut expected = Expected::answered(Answer::Done);
                expected.audits.push((by, Act::EmergencyReviewed(id, review.finding as u32)));
                expected
            }
            _ => Expected::default(),
        }
    }

    fn break_glass(
        &mut self,
        now: Now,
        (by, me): (Actor, PersonId),
        open: &proto::BreakGlass,
        chosen: Chosen,
    ) -> Expected {
        let refused = Expected::refused;
        if !self.is_clinician(me) {
            return refused(Code::NotPermitted);
        }
        let clinic = &self.ward.clinic;
        let stay = match UnitId::new(open.unit) {
            Some(unit) => clinic.lies_in(unit, &open.bed),
            None => clinic.recorded(&open.record_number).and_then(|record| clinic.here_by(record)),
        };
        let Some(stay) = stay.cloned() else { return refused(Code::NoSuchPatient) };
        if let Some(code) = self.cannot_enter(&stay, me) {
            return refused(code);
        }
        let Some(id) = chosen.emergency else { return Expected::default() };
        if self.ward.clinic.secret(stay.patient).is_some() {
            return self.wait(now, by, id, stay.id);
        }
        let mut expected = Expected::answered(Answer::EmergencyBegan);
        self.begin_emergency(now, (by, me), &stay, (id, None), &mut expected);
        expected
    }

    pub(crate) fn cannot_enter(&self, stay: &Stay, who: PersonId) -> Option<Code> {
        let clinic = &self.ward.clinic;
        if clinic.belongs(stay, who) {
            return Some(Code::EmergencyNotNeeded);
        }
        if self.ward.conversation(stay.thread).is_some_and(|thread| thread.purged) {
            return Some(Code::Purged);
        }
        if clinic.emergencies.iter().filter(|broken| broken.who == who && !broken.over).count() >= 8 {
            return Some(Code::Limit);
        }
        self.lobby.disk_scarce.then_some(Code::DiskLow)
    }

    pub(crate) fn begin_emergency(
        &mut self,
        now: Now,
        (by, who): (Actor, PersonId),
        stay: &Stay,
        (id, second): (EmergencyId, Option<PersonId>),
        expected: &mut Expected,
    ) {
        let (since, until) = (now.wall, now.wall.after(HOUR));
        self.ward.clinic.emergencies.push(Broken {
            id,
            stay: stay.id,
            unit: stay.unit,
            who,
            since,
            until,
            over: false,
            found: false,
            second,
        });
        self.lobby.terms.push((Term::Emergency(id), now.mono.after(HOUR)));
        expected.audits.push((by, Act::EmergencyBegan(id, stay.id)));
        self.ward.tell(stay.thread, by, Told::EmergencyBegan { person: who, until }, expected);
        self.ward.settle_but(by, Some((stay.id, who)), expected);
    }

    /// Works somewhere, and reviews nobody.
    pub(crate) fn is_clinician(&self, who: PersonId) -> bool {
        self.ward.person(who).is_some_and(|who| !who.posts.is_empty() && !who.privacy_officer)
    }

    /// Who came in to this patient without a second person: none of it counts any more. Who is where is asked next.
    pub(crate) fn end_alone(&mut self, by: Actor, patient: PatientId, expected: &mut Expected) {
        let clinic = &mut self.ward.clinic;
        let stays: Vec<EncounterId> =
            clinic.stays.iter().filter(|stay| clinic.is_one(stay.patient, patient)).map(|s| s.id).collect();
        for broken in clinic.emergencies.iter_mut().filter(|broken| !broken.over) {
            if stays.contains(&broken.stay) && broken.second.is_none() {
                broken.over = true;
                expected.audits.push((by, Act::EmergencyEnded(broken.id)));
                self.lobby.terms.retain(|(term, _)| *term != Term::Emergency(broken.id));
            }
        }
        clinic.forget_done();
    }

    pub(crate) fn end_emergencies(
        &mut self,
        by: Actor,
        which: impl Fn(&Broken) -> bool,
        expected: &mut Expected,
    ) {
        let those = self.ward.clinic.emergencies.iter().filter(|broken| !broken.over && which(broken));
        for (id, stay, who) in those.map(|broken| (broken.id, broken.stay, broken.who)).collect::<Vec<_>>() {
            let all = &mut self.ward.clinic.emergencies;
            all.iter_mut().filter(|broken| broken.id == id).for_each(|broken| broken.over = true);
            self.ward.clinic.forget_done();
            self.lobby.terms.retain(|(term, _)| *term != Term::Emergency(id));
            expected.audits.push((by, Act::EmergencyEnded(id)));
            if let Some(thread) = self.ward.clinic.stay(stay).map(|stay| stay.thread) {
                self.ward.tell(thread, by, Told::EmergencyEnded { person: who }, expected);
            }
            self.ward.settle_but(by, Some((stay, who)), expected);
        }
    }
}
