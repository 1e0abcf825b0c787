//! The reference's rules for exports: a list of what is part of each, looked up message by message.

use std::collections::BTreeSet;

use wardline_core::audit::{Act, Actor};
use wardline_core::ids::{ConversationId, ExportId, PatientId, PersonId, Sequence};
use wardline_core::time::{Mono, Now};
use wardline_core::wire::proto::client_frame::Body;
use wardline_core::wire::proto::{RefusalCode as Code, begin_export};

use crate::reference::{Answer, Conversation, Expected, Reference, Ward};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Of {
    Person(PersonId),
    Patient(PatientId),
}

/// What of one conversation is part of it.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) place: ConversationId,
    pub(crate) first: u64,
    pub(crate) through: u64,
    pub(crate) only: Option<PersonId>,
}

#[derive(Clone)]
pub(crate) struct Export {
    pub(crate) id: ExportId,
    pub(crate) officer: PersonId,
    pub(crate) of: Of,
    pub(crate) ends: Mono,
    pub(crate) parts: Vec<Part>,
}

impl Ward {
    fn part(&self, of: Of, place: &Conversation) -> Option<Part> {
        let through = place.messages.len() as u64;
        if place.purged || place.expired_through == through {
            return None;
        }
        let whole = Part { place: place.id, first: place.expired_through + 1, through, only: None };
        match of {
            Of::Person(person) => {
                let member = place.members.iter().find(|member| member.person == person)?;
                if member.left {
                    return Some(Part { only: Some(person), ..whole });
                }
                let first = whole.first.max(member.from);
                (first <= through).then_some(Part { first, ..whole })
            }
            Of::Patient(patient) => {
                let mut threads = self.clinic.threads.iter();
                let theirs =
                    threads.any(|(thread, of)| *thread == place.id && self.clinic.is_one(*of, patient));
                theirs.then_some(whole)
            }
        }
    }

    /// What an export should give of a conversation now: what expired since it began is gone.
    pub(crate) fn exported(&self, part: &Part) -> BTreeSet<u64> {
        let Some(place) = self.conversation(part.place).filter(|place| !place.purged) else {
            return BTreeSet::new();
        };
        let all = part.first.max(place.expired_through + 1)..=part.through;
        let theirs = |sequence: &u64| {
            let said = &place.said[*sequence as usize - 1];
            part.only.is_none_or(|only| only == said.author)
        };
        all.filter(theirs).collect()
    }
}

impl Reference {
    pub(crate) fn exports(&mut self, now: Now, by: Actor, body: &Body, chosen: Option<ExportId>) -> Expected {
        let refused = Expected::refused;
        let Actor::Person { person: me, .. } = by else { return refused(Code::NotPermitted) };
        if !self.ward.person(me).is_some_and(|person| person.privacy_officer) {
            return refused(Code::NotPermitted);
        }
        if self.lobby.disk_scarce {
            return refused(Code::DiskLow);
        }
        let export = match body {
            Body::BeginExport(begin) => {
                return self.begin_export(now, by, begin.subject.as_ref().expect("parsed before"), chosen);
            }
            Body::ListExport(list) => list.export,
            Body::ReadExport(read) => read.export,
            Body::OpenExportFile(open) => open.export,
            Body::FinishExport(finish) => finish.export,
            _ => return Expected::default(),
        };
        let theirs = |export: &&Export| export.officer == me && now.mono < export.ends;
        let found = self.lobby.exports.iter().filter(theirs).find(|found| found.id.value() == export);
        let Some(found) = found.cloned() else { return refused(Code::NoSuchExport) };
        if let Of::Patient(patient) = found.of {
            // Un-merged since: what is another's is given to nobody.
            let others = |part: &Part| {
                let mut threads = self.ward.clinic.threads.iter();
                threads.any(|(thread, of)| *thread == part.place && !self.ward.clinic.is_one(*of, patient))
            };
            if found.parts.iter().any(others) {
                return refused(Code::NoSuchExport);
            }
        }
        let of = |id: u64| {
            let part = found.parts.iter().find(|part| part.place.value() == id);
            let part = *part.ok_or(Code::NoSuchConversation)?;
            match self.ward.conversation(part.place) {
                Some(place) if place.purged => Err(Code::Purged),
                Some(place) => Ok((part, place)),
                None => Err(Code::NoSuchConversation),
            }
        };
        match body {
            Body::ListExport(list) => {
                let behind = found.parts.iter().filter(|part| part.place.value() > list.after);
                Expected::answered(Answer::ExportPlaces(behind.count() as u64))
            }
            Body::ReadExport(read) => match of(read.conversation) {
                Err(code) => refused(code),
                Ok((part, _)) => {
                    let from = read.after.saturating_add(1).max(part.first);
                    let mut expected = Expected::answered(Answer::Exporting(from, part.through));
                    let act = Act::ExportRead(found.id, part.place, Sequence(read.after));
                    expected.audits.push((by, act));
                    expected
                }
            },
            Body::OpenExportFile(open) => match of(open.conversation) {
                Err(code) => refused(code),
                Ok((_, place))
                    if matches!(found.of, Of::Person(_)) && (place.of_patient || place.of_family) =>
                {
                    refused(Code::ExportWithheld)
                }
                Ok((part, place)) => {
                    let first = part.first.max(place.expired_through + 1);
                    if open.sequence < first || open.sequence > part.through {
                        return refused(Code::NoSuchMessage);
                    }
                    if open.which > 7 {
                        return refused(Code::NoSuchAttachment);
                    }
                    let mut expected = Expected::answered(Answer::Opening);
                    let act =
                        Act::ExportFileOpened(found.id, part.place, Sequence(open.sequence), open.which);
                    expected.audits.push((by, act));
                    expected
                }
            },
            Body::FinishExport(finish) => {
                self.lobby.exports.retain(|export| export.id != found.id);
                let mut expected = Expected::answered(Answer::Done);
                let number = |at: usize| {
                    let bytes = finish.manifest_sha256[8 * at..8 * at + 8].try_into().expect("eight");
                    u64::from_be_bytes(bytes)
                };
                let seal = [0, 1, 2, 3].map(number);
                expected.audits.push((by, Act::ExportFinished(found.id, seal)));
                expected
            }
            _ => Expected::default(),
        }
    }

    fn begin_export(
        &mut self,
        now: Now,
        by: Actor,
        subject: &begin_export::Subject,
        chosen: Option<ExportId>,
    ) -> Expected {
        let Actor::Person { person: me, .. } = by else { return Expected::default() };
        let (of, sort, number) = match subject {
            begin_export::Subject::Person(id) => {
                let id = PersonId::new(*id).expect("parsed before");
                if self.ward.person(id).is_none() {
                    return Expected::refused(Code::NoSuchPerson);
                }
                (Of::Person(id), 1, id.value())
            }
            begin_export::Subject::RecordNumber(record) => {
                let mut patients = self.ward.clinic.patients.iter();
                let found = patients.find(|(_, particulars)| particulars.record_number == *record);
                let Some((id, _)) = found else { return Expected::refused(Code::NoSuchPatient) };
                let id = self.ward.clinic.surviving(*id);
                (Of::Patient(id), 2, id.value())
            }
        };
        self.lobby.exports.retain(|export| export.officer != me && now.mono < export.ends);
        if self.lobby.exports.len() >= 2 {
            return Expected::refused(Code::Limit);
        }
        let Some(id) = chosen else { return Expected::default() };
        let mut parts: Vec<Part> =
            self.ward.conversations.iter().filter_map(|place| self.ward.part(of, place)).collect();
        parts.sort_by_key(|part| part.place);
        let mut expected = Expected::answered(Answer::ExportBegun(parts.len() as u64));
        self.lobby.exports.push(Export { id, officer: me, of, ends: now.mono.after(14_400_000), parts });
        expected.audits.push((by, Act::ExportBegun(id, sort, number)));
        expected
    }
}
