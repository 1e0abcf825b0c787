//! The reference's rules for how long messages are kept, and for legal holds: a list of what is kept, and a look at every
//! conversation whether it is among that.

use wardline_core::audit::{Act, Actor};
use wardline_core::hold::Subject;
use wardline_core::ids::{ConversationId, HoldId, PersonId};
use wardline_core::time::Now;
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{self, RefusalCode as Code, place_hold};

use crate::reference::{Answer, Expected, Held, Reference, Ward};
use crate::reference_patients::Term;

const HOUR: u64 = 3_600_000;

impl Ward {
    fn kept_by(&self, subject: Subject) -> Vec<ConversationId> {
        let kept = self.conversations.iter().filter(|place| match subject {
            Subject::Person(who) => place.members.iter().any(|member| member.person == who),
            Subject::Patient(patient) => {
                let mut threads = self.clinic.threads.iter();
                threads.any(|(thread, of)| *thread == place.id && self.clinic.is_one(*of, patient))
            }
            Subject::Conversation(id) => place.id == id,
        });
        kept.filter(|place| !place.purged).map(|place| place.id).collect()
    }

    pub(crate) fn is_held(&self, place: ConversationId) -> bool {
        self.holds.iter().any(|held| self.kept_by(held.subject).contains(&place))
    }
}

fn hours(rules: Option<&proto::RetentionRules>) -> [u64; 4] {
    let rules = rules.expect("parsed before");
    [rules.direct, rules.group, rules.channel, rules.patient].map(u64::from)
}

impl Reference {
    /// Milliseconds: of direct conversations, groups, channels, patients' threads.
    pub(crate) fn kept_ms(&self, kind: usize) -> u64 {
        self.ward.retention.map_or(self.policy.retention_ms, |hours| hours[kind] * HOUR)
    }

    pub(crate) fn kept_ms_in(&self, place: ConversationId) -> u64 {
        let Some(place) = self.ward.conversation(place) else { return 0 };
        self.kept_ms(match (place.direct, place.unit, place.of_patient || place.of_family) {
            (true, ..) => 0,
            _ if place.of_house => 2,
            (_, Some(_), _) => 2,
            (_, _, true) => 3,
            _ => 1,
        })
    }

    pub(crate) fn shortest_kept_ms(&self) -> u64 {
        (0..4).map(|kind| self.kept_ms(kind)).min().unwrap_or(0)
    }

    pub(crate) fn set_retention(&mut self, now: Now, by: Actor, set: &proto::SetRetention) -> Expected {
        let rules = hours(set.rules.as_ref());
        let mut expected = Expected::answered(Answer::Done);
        if self.ward.retention == Some(rules) {
            return expected;
        }
        self.ward.retention = Some(rules);
        let [direct, group, channel, patient] = rules.map(|hours| hours as u32);
        expected.audits.push((by, Act::RetentionSet(direct, group, channel, patient)));
        let kept = self.kept_ms(3);
        for stay in &self.ward.clinic.stays {
            let Some(closed) = stay.closed else { continue };
            let term = Term::Thread(stay.id);
            let rest = (closed.after(kept).0 - now.wall.0).clamp(0, kept as i64);
            self.lobby.terms.retain(|(other, _)| *other != term);
            self.lobby.terms.push((term, now.mono.after(rest.unsigned_abs())));
        }
        expected
    }

    pub(crate) fn list_retention(&self) -> Expected {
        let hours = [0, 1, 2, 3].map(|kind| self.kept_ms(kind).div_ceil(HOUR));
        Expected::answered(Answer::Retention(hours, self.ward.retention.is_none()))
    }

    pub(crate) fn holds(&mut self, now: Now, by: Actor, body: &Body, chosen: Option<HoldId>) -> Expected {
        let refused = Expected::refused;
        let Actor::Person { person: me, .. } = by else { return refused(Code::NotPermitted) };
        if !self.ward.person(me).is_some_and(|person| person.privacy_officer) {
            return refused(Code::NotPermitted);
        }
        match body {
            Body::PlaceHold(place) => {
                let subject = match self.held_subject(place.subject.as_ref()) {
                    Ok(subject) => subject,
                    Err(code) => return refused(code),
                };
                let Some(id) = chosen.filter(|id| self.ward.holds.iter().all(|held| held.id != *id)) else {
                    return Expected::default();
                };
                self.ward.holds.push(Held { id, subject, since: now.wall, by: me });
                let kept = self.ward.kept_by(subject).len() as u32;
                let mut expected = Expected::answered(Answer::HoldPlaced(kept));
                let (sort, number) = match subject {
                    Subject::Person(id) => (1, id.value()),
                    Subject::Patient(id) => (2, id.value()),
                    Subject::Conversation(id) => (3, id.value()),
                };
                expected.audits.push((by, Act::HoldPlaced(id, sort, number)));
                expected
            }
            Body::LiftHold(lift) => {
                let before = self.ward.holds.len();
                self.ward.holds.retain(|held| held.id.value() != lift.hold);
                if self.ward.holds.len() == before {
                    return refused(Code::NoSuchHold);
                }
                let mut expected = Expected::answered(Answer::Done);
                let id = HoldId::new(lift.hold).expect("parsed before");
                expected.audits.push((by, Act::HoldLifted(id)));
                expected
            }
            _ if self.lobby.disk_scarce => refused(Code::DiskLow),
            _ => {
                let mut expected = Expected::answered(Answer::Holds(self.ward.holds.len() as u64));
                expected.audits.push((by, Act::HoldsListed));
                expected
            }
        }
    }

    fn held_subject(&self, subject: Option<&place_hold::Subject>) -> Result<Subject, Code> {
        match subject.expect("parsed before") {
            place_hold::Subject::Person(id) => {
                let id = PersonId::new(*id).expect("parsed before");
                self.ward.person(id).map(|_| Subject::Person(id)).ok_or(Code::NoSuchPerson)
            }
            place_hold::Subject::RecordNumber(record) => {
                let mut patients = self.ward.clinic.patients.iter();
                let found = patients.find(|(_, particulars)| particulars.record_number == *record);
                found.map(|(id, _)| Subject::Patient(*id)).ok_or(Code::NoSuchPatient)
            }
            place_hold::Subject::Conversation(id) => {
                let id = ConversationId::new(*id).expect("parsed before");
                match self.ward.conversation(id) {
                    None => Err(Code::NoSuchConversation),
                    Some(place) if place.purged => Err(Code::Purged),
                    Some(_) => Ok(Subject::Conversation(id)),
                }
            }
        }
    }
}
