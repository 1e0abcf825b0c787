//! Family threads: what the team records of a patient's family, whom it lets in, and how it ends. For members of a care team and
//! charge nurses.

use std::future::Future;

use wardline_core::ids::{ConversationId, DeviceId, EncounterId, PersonId};
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::clinical::Bedside;
use crate::error::Error;

/// Whose a family thread is, and how those in it are called. Visitors stand in no directory.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Family {
    /// The thread of the patient's care team; none for a visitor.
    pub patient_thread: Option<ConversationId>,
    /// The patient's own.
    pub own: bool,
    /// Who is or was in it.
    pub people: Vec<Relative>,
    /// Whose it is, as far as this device knows the patient's thread; nobody for a visitor.
    pub about: Option<Box<Bedside>>,
}

/// Somebody in a family thread.
#[derive(Clone, PartialEq, Eq)]
pub struct Relative {
    /// Who.
    pub person: PersonId,
    /// As they are known.
    pub name: String,
    /// Of a visitor what they are to the patient, else a title. May be empty.
    pub title: String,
    /// Of the family, or the patient: not of the team.
    pub visitor: bool,
}

impl Relative {
    pub(crate) fn from_wire(wire: proto::FamilyPerson) -> Result<Self, Error> {
        let proto::FamilyPerson { person, name, title, visitor } = wire;
        Ok(Self { person: crate::event::person(person)?, name, title, visitor })
    }

    fn to_wire(&self) -> proto::FamilyPerson {
        let Self { person, name, title, visitor } = self.clone();
        proto::FamilyPerson { person: person.value(), name, title, visitor }
    }
}

impl Family {
    pub(crate) fn from_wire(wire: proto::FamilyThread) -> Result<Self, Error> {
        Ok(Self {
            patient_thread: ConversationId::new(wire.patient_thread),
            own: wire.own,
            people: wire.people.into_iter().map(Relative::from_wire).collect::<Result<_, _>>()?,
            about: None,
        })
    }

    pub(crate) fn to_wire(&self) -> proto::FamilyThread {
        proto::FamilyThread {
            patient_thread: self.patient_thread.map_or(0, ConversationId::value),
            own: self.own,
            people: self.people.iter().map(Relative::to_wire).collect(),
        }
    }

    /// Somebody came in.
    pub(crate) fn add(&mut self, person: Relative) {
        self.people.retain(|known| known.person != person.person);
        self.people.push(person);
    }
}

/// A code that hangs at a bed.
pub struct BedsideCode {
    /// Ten characters.
    pub code: String,
    /// Worth nothing from then on: milliseconds since 1970.
    pub expires: i64,
}

/// Where somebody is let in to.
pub enum LetIn<'a> {
    /// A new thread of this title, 1 to 80 bytes.
    New(&'a str),
    /// This family thread.
    Thread(ConversationId),
    /// The patient: into their own thread.
    Own,
    /// Another device of somebody who was let in before.
    As(PersonId),
}

/// Who was let in, to where, until when: milliseconds since 1970.
#[derive(Clone, Copy)]
pub struct Visit {
    /// Who.
    pub person: PersonId,
    /// Their thread.
    pub conversation: ConversationId,
    /// Out from then on.
    pub until: i64,
}

/// All that the team sees before it lets somebody in.
pub struct Page {
    /// That the patient lets family write: who recorded it, when, and in which words.
    pub consent: Option<(PersonId, i64, String)>,
    /// Who is not to be let in.
    pub blocked: Vec<String>,
    /// When the code at the bed expires, if one hangs there.
    pub code_expires: Option<i64>,
    /// Who waits, the first who asked first.
    pub requests: Vec<Request>,
    /// Who was let in and is not out.
    pub visitors: Vec<Visitor>,
    /// The family threads of the stay.
    pub threads: Vec<Thread>,
}

/// Somebody who waits.
pub struct Request {
    /// What to answer by.
    pub device: DeviceId,
    /// Who they say they are.
    pub name: String,
    /// What they say they are to the patient. May be empty.
    pub relation: String,
    /// What they call their device.
    pub device_name: String,
    /// When they asked.
    pub at: i64,
    /// Forgotten from then on.
    pub until: i64,
    /// Somebody of this name is not to be let in.
    pub blocked: bool,
}

/// Somebody who was let in.
pub struct Visitor {
    /// Who.
    pub person: PersonId,
    /// As they call themselves.
    pub name: String,
    /// What they are to the patient. May be empty.
    pub relation: String,
    /// Their thread.
    pub conversation: ConversationId,
    /// Since when, or when another end was set.
    pub since: i64,
    /// Out from then on.
    pub until: i64,
    /// Who let them in.
    pub by: PersonId,
    /// How many devices they have.
    pub devices: u32,
}

/// A family thread of the stay.
pub struct Thread {
    /// Which.
    pub conversation: ConversationId,
    /// Empty: the patient's own.
    pub title: String,
    /// It is the patient's own.
    pub own: bool,
    /// Takes nothing new any more.
    pub ended: bool,
}

impl Page {
    fn from_wire(wire: proto::FamilyPage) -> Result<Self, Error> {
        let person = crate::event::person;
        let conversation = crate::event::conversation;
        let consent = PersonId::new(wire.consent_by).map(|by| (by, wire.consent_at, wire.consent_words));
        let request = |one: proto::VisitRequest| {
            Ok(Request {
                device: DeviceId::new(one.device).ok_or(Error::Protocol("a request without device"))?,
                name: one.name,
                relation: one.relation,
                device_name: one.device_name,
                at: one.at,
                until: one.until,
                blocked: one.blocked,
            })
        };
        let visitor = |one: proto::Visitor| {
            Ok(Visitor {
                person: person(one.person)?,
                name: one.name,
                relation: one.relation,
                conversation: conversation(one.conversation)?,
                since: one.since,
                until: one.until,
                by: person(one.by)?,
                devices: one.devices,
            })
        };
        let thread = |one: proto::ListedFamilyThread| {
            let (title, own, ended) = (one.title, one.own, one.ended);
            Ok(Thread { conversation: conversation(one.conversation)?, title, own, ended })
        };
        Ok(Self {
            consent,
            blocked: wire.blocked,
            code_expires: Some(wire.code_expires).filter(|at| *at != 0),
            requests: wire.requests.into_iter().map(request).collect::<Result<_, Error>>()?,
            visitors: wire.visitors.into_iter().map(visitor).collect::<Result<_, Error>>()?,
            threads: wire.threads.into_iter().map(thread).collect::<Result<_, Error>>()?,
        })
    }
}

/// What can be asked about a patient's family.
pub trait FamilyCalls: Calls {
    /// The patient lets family write. `words`: who said so and how, 10 characters to 500 bytes.
    fn give_family_consent(
        &self,
        stay: EncounterId,
        words: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let (encounter, given, words) = (stay.value(), true, words.to_owned());
        self.done(Ask::SetFamilyConsent(proto::SetFamilyConsent { encounter, given, words }))
    }

    /// The patient lets family write no more: every visitor is out.
    fn end_family_consent(&self, stay: EncounterId) -> impl Future<Output = Result<(), Error>> + Send {
        let (encounter, given, words) = (stay.value(), false, String::new());
        self.done(Ask::SetFamilyConsent(proto::SetFamilyConsent { encounter, given, words }))
    }

    /// Somebody of this name is not to be let in, or may be again.
    fn set_family_block(
        &self,
        stay: EncounterId,
        name: &str,
        blocked: bool,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let (encounter, name) = (stay.value(), name.to_owned());
        self.done(Ask::SetFamilyBlock(proto::SetFamilyBlock { encounter, name, blocked }))
    }

    /// A new code for the bed; the one before is worth nothing.
    fn bedside_code(&self, stay: EncounterId) -> impl Future<Output = Result<BedsideCode, Error>> + Send {
        let ask = proto::IssueBedsideCode { encounter: stay.value(), end: false };
        async move {
            match self.call(Ask::IssueBedsideCode(ask)).await? {
                Answer::BedsideCode(made) => Ok(BedsideCode { code: made.code, expires: made.expires }),
                other => odd(other),
            }
        }
    }

    /// The code at the bed is worth nothing from now on.
    fn end_bedside_code(&self, stay: EncounterId) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::IssueBedsideCode(proto::IssueBedsideCode { encounter: stay.value(), end: true }))
    }

    /// Consent, block list, code, who waits, who was let in, threads. Recorded.
    fn family(&self, stay: EncounterId) -> impl Future<Output = Result<Page, Error>> + Send {
        async move {
            match self.call(Ask::ListFamily(proto::ListFamily { encounter: stay.value() })).await? {
                Answer::FamilyPage(page) => Page::from_wire(page),
                other => odd(other),
            }
        }
    }

    /// Somebody who waits is let in. `until`: milliseconds since 1970, 30 days ahead at most; none: for 14 days.
    fn let_in(
        &self,
        device: DeviceId,
        into: LetIn<'_>,
        until: Option<i64>,
    ) -> impl Future<Output = Result<Visit, Error>> + Send {
        use proto::answer_visit::Answer as Wire;
        let answer = Some(match into {
            LetIn::New(title) => Wire::NewThread(title.to_owned()),
            LetIn::Thread(thread) => Wire::Thread(thread.value()),
            LetIn::Own => Wire::Own(proto::PatientsOwn {}),
            LetIn::As(person) => Wire::Person(person.value()),
        });
        let ask = proto::AnswerVisit { device: device.value(), answer, until: until.unwrap_or(0) };
        async move {
            match self.call(Ask::AnswerVisit(ask)).await? {
                Answer::VisitAnswered(answered) => Ok(Visit {
                    person: crate::event::person(answered.person)?,
                    conversation: crate::event::conversation(answered.conversation)?,
                    until: answered.until,
                }),
                other => odd(other),
            }
        }
    }

    /// Somebody who waits is not let in.
    fn decline_visit(&self, device: DeviceId) -> impl Future<Output = Result<(), Error>> + Send {
        let answer = Some(proto::answer_visit::Answer::Decline(proto::VisitDeclined {}));
        self.done(Ask::AnswerVisit(proto::AnswerVisit { device: device.value(), answer, until: 0 }))
    }

    /// Somebody who was let in is out, with every device.
    fn end_visit(&self, person: PersonId) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::EndVisit(proto::EndVisit { person: person.value() }))
    }

    /// Another end for somebody who was let in: milliseconds since 1970, 30 days ahead at most.
    fn prolong_visit(&self, person: PersonId, until: i64) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::ProlongVisit(proto::ProlongVisit { person: person.value(), until }))
    }

    /// A family thread ends: its visitors are out, and it takes nothing new.
    fn end_family_thread(&self, id: ConversationId) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::EndFamilyThread(proto::EndFamilyThread { conversation: id.value() }))
    }
}

impl<C: Calls> FamilyCalls for C {}
