//! Export: what the box has of one patient or one person, for whoever may ask for it: the patient themself, a court, an employee. A privacy
//! officer asks, says why in their own words, and is given it page by page.
//!
//! ```text
//! Begin, with grounds --> Places: which conversations --> Read: their messages, oldest first --> File: what is attached
//! ```
//!
//! - Of a **patient**: their threads and their families' threads, of every stay, under whichever record.
//! - Of a **person**: the conversations that they are in, from the first message that was theirs; of those that they have left, what they
//!   wrote there themselves.
//!
//! No other patient's name goes with it. In a patient's record there is no other patient's thread; in a person's record threads of patients
//! have numbers in the place of names, none of their beds and notices, and none of their files. In what people wrote, and in what they called
//! their conversations and files, names give way ([`crate::veil`]), which is done where it is read.
//!
//! An export is not durable: a restart ends it, and so does [`limits::EXPORT_MS`]; then it is begun again. What it may give is what was
//! there when it began. That it began, why, and each page of it is on record.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::audit::{Act, Actor};
use crate::conversation::{Conversation, Kind};
use crate::escalation::StatId;
use crate::grant::{AttachmentGrant, ExportGrant};
use crate::hold::Subject;
use crate::ids::{Conn, ConversationId, ExportId, PatientId, PersonId, RequestId, Sequence};
use crate::input::Fresh;
use crate::limits;
use crate::particulars::RecordNumber;
use crate::refusal::Refusal;
use crate::relay::{Relay, Room};
use crate::session::Draw;
use crate::state::State;
use crate::text::{Grounds, Title};
use crate::time::{Mono, Now};
use crate::turn::{Send, Turn};
use crate::wire::proto::{self, client_frame, server_frame::Body};
use crate::write::Write;

/// Whose record, as somebody can name it.
pub enum Whose {
    /// Of the directory.
    Person(PersonId),
    /// By the record number, that of a merged record too.
    Record(RecordNumber),
}

/// A request about an export. Every field has been parsed.
pub enum Exporting {
    /// Begin one.
    Begin {
        /// Of what.
        whose: Whose,
        /// Why.
        grounds: Grounds,
        /// For the identifier.
        fresh: Fresh,
    },
    /// A page of its conversations.
    Places {
        /// Which.
        export: ExportId,
        /// Behind this one; none from the start.
        after: Option<ConversationId>,
    },
    /// A page of messages of one of them.
    Read {
        /// Which.
        export: ExportId,
        /// Where.
        conversation: ConversationId,
        /// Behind this one.
        after: Sequence,
    },
    /// A file of a message.
    File {
        /// Which.
        export: ExportId,
        /// Of which message.
        message: StatId,
        /// The how many-eth of it.
        which: u32,
    },
    /// All of it is there.
    Finish {
        /// Which.
        export: ExportId,
        /// SHA-256 of what says what is there.
        seal: [u8; 32],
    },
}

/// Exports that go on: one of each officer, [`limits::EXPORTS_MAX`] in all.
#[derive(Default)]
pub(crate) struct Exports(BTreeMap<PersonId, Export>);

struct Export {
    id: ExportId,
    subject: Subject,
    /// Over from then on.
    ends: Mono,
    places: BTreeMap<ConversationId, Place>,
}

/// What of one conversation is part of a record.
#[derive(Clone, Copy)]
struct Place {
    first: Sequence,
    through: Sequence,
    /// What this person wrote alone.
    only: Option<PersonId>,
}

impl Exports {
    /// How many are remembered, over or not.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn of(&self, now: Mono, officer: PersonId, id: ExportId) -> Result<&Export, Refusal> {
        let export = self.0.get(&officer).filter(|export| export.id == id && now < export.ends);
        export.ok_or(Refusal::NoSuchExport)
    }
}

impl Export {
    fn place(&self, conversation: ConversationId) -> Result<Place, Refusal> {
        self.places.get(&conversation).copied().ok_or(Refusal::NoSuchConversation)
    }
}

/// What belongs to a record now.
fn places(state: &State, subject: Subject) -> BTreeMap<ConversationId, Place> {
    let kept = |place: &&Conversation| !place.purged && place.first <= place.last;
    let place = |place: &Conversation, first, only| (place.id, Place { first, through: place.last, only });
    match subject {
        Subject::Person(person) => {
            let all = state.conversations.values().filter(kept).filter_map(|of| {
                let member = of.members.get(&person)?;
                let (first, only) =
                    if member.left { (of.first, Some(person)) } else { (member.from.max(of.first), None) };
                // Nothing was said since they came.
                (first <= of.last).then(|| place(of, first, only))
            });
            all.collect()
        }
        Subject::Patient(patient) => {
            let records = state.clinic.records_of(patient);
            let threads = records.iter().flat_map(|record| state.clinic.threads_of(*record));
            let threads = threads.filter_map(|thread| state.conversations.get(&thread)).filter(kept);
            threads.map(|of| place(of, of.first, None)).collect()
        }
        Subject::Conversation(_) => BTreeMap::new(),
    }
}

/// Whom a thread of a patient, or of their family, is about; whatever became of the stay.
fn about(state: &State, conversation: &Conversation) -> Option<PatientId> {
    let of_patient = matches!(conversation.kind, Kind::Patient | Kind::Family);
    state.clinic.patient_of(conversation.id).filter(|_| of_patient)
}

/// Two records may be un-merged while they are exported as one: what is another patient's then is given to nobody.
fn is_of_one(state: &State, export: &Export) -> bool {
    let Subject::Patient(patient) = export.subject else { return true };
    let records = state.clinic.records_of(patient);
    let threads = export.places.keys().filter_map(|place| state.clinic.patient_of(*place));
    threads.into_iter().all(|of| records.contains(&of))
}

impl Relay {
    /// This officer's export, while it is good.
    fn under_way(&self, now: Now, officer: PersonId, export: ExportId) -> Result<&Export, Refusal> {
        let export = self.exports.of(now.mono, officer, export)?;
        if is_of_one(&self.state, export) { Ok(export) } else { Err(Refusal::NoSuchExport) }
    }

    pub(crate) fn export(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (conn, request): (Conn, RequestId),
        by: Actor,
        ask: Exporting,
    ) -> Result<(), Refusal> {
        let permit = access::permit(Operation::ExportRecord, relations(&self.state, by), by)?;
        let Actor::Person { person: officer, .. } = by else { return Err(Refusal::NoSuchPerson) };
        // Each is recorded, and so takes room.
        if self.room() == Room::Scarce {
            return Err(Refusal::DiskLow);
        }
        let body = match ask {
            Exporting::Begin { whose, grounds, fresh } => {
                self.begin_export(now, turn, (permit, officer), whose, grounds, &fresh)?
            }
            Exporting::Places { export, after } => {
                let export = self.under_way(now, officer, export)?;
                page_of_places(&self.state, export, after)
            }
            Exporting::Read { export, conversation, after } => {
                let grant = self.granted(now, officer, export, conversation, after)?;
                let mut draft = self.draft(now, turn);
                draft.record(permit.by(), Act::ExportRead(export, conversation, after));
                draft.send(Send::ReadExport { conn, request, grant });
                return Ok(());
            }
            Exporting::File { export, message, which } => {
                let grant = self.file_granted(now, officer, export, message, which)?;
                let StatId { conversation, sequence } = message;
                let mut draft = self.draft(now, turn);
                draft.record(permit.by(), Act::ExportFileOpened(export, conversation, sequence, which));
                draft.send(Send::OpenAttachment { conn, request, grant });
                return Ok(());
            }
            Exporting::Finish { export, seal } => {
                self.under_way(now, officer, export)?;
                self.exports.0.remove(&officer);
                self.draft(now, turn).record(permit.by(), Act::ExportFinished(export, numbers_of(seal)));
                Body::Done(proto::Done {})
            }
        };
        turn.sends.push(Send::Reply { conn, request, body });
        Ok(())
    }

    fn begin_export(
        &mut self,
        now: Now,
        turn: &mut Turn,
        (permit, officer): (Permit, PersonId),
        whose: Whose,
        grounds: Grounds,
        fresh: &Fresh,
    ) -> Result<Body, Refusal> {
        let subject = match whose {
            Whose::Person(person) => {
                self.state.colleague(person)?;
                Subject::Person(person)
            }
            Whose::Record(record) => {
                let found = self.state.clinic.recorded(&record).ok_or(Refusal::NoSuchPatient)?;
                Subject::Patient(self.state.clinic.surviving(found))
            }
        };
        self.exports.0.retain(|of, export| *of != officer && now.mono < export.ends);
        if self.exports.len() >= limits::EXPORTS_MAX {
            return Err(Refusal::Limit);
        }
        let mut id = ExportId::from_random(Draw::new(fresh).identifier());
        while self.exports.0.values().any(|export| export.id == id) {
            id = id.following();
        }
        let places = places(&self.state, subject);
        let count = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let ends = now.mono.after(limits::EXPORT_MS);
        self.exports.0.insert(officer, Export { id, subject, ends, places });
        let (patient, person) = match subject {
            Subject::Patient(patient) => (self.state.clinic.known(patient).map(|known| known.to_wire()), 0),
            Subject::Person(person) => (None, person.value()),
            Subject::Conversation(_) => (None, 0),
        };
        let at = now.wall;
        let mut draft = self.draft(now, turn);
        draft.write(Write::ExportBegun { export: id, subject, by: officer, grounds, at });
        let (sort, number) = subject.numbers();
        draft.record(permit.by(), Act::ExportBegun(id, sort, number));
        Ok(Body::ExportBegun(proto::ExportBegun {
            export: id.value(),
            at: at.0,
            patient,
            person,
            places: count,
            ends: at.after(limits::EXPORT_MS).0,
        }))
    }

    fn granted(
        &self,
        now: Now,
        officer: PersonId,
        export: ExportId,
        id: ConversationId,
        after: Sequence,
    ) -> Result<ExportGrant, Refusal> {
        let export = self.under_way(now, officer, export)?;
        let Place { first, through, only } = export.place(id)?;
        let conversation = self.state.conversations.get(&id).ok_or(Refusal::NoSuchConversation)?;
        if conversation.purged {
            return Err(Refusal::Purged);
        }
        let from = Sequence(after.0.saturating_add(1)).max(first);
        let whose = about(&self.state, conversation);
        let (shown, hidden) = match (export.subject, whose) {
            (Subject::Patient(patient), _) => (self.state.clinic.records_of(patient), Vec::new()),
            (_, Some(patient)) => (Vec::new(), self.state.clinic.records_of(patient)),
            (_, None) => (Vec::new(), Vec::new()),
        };
        Ok(ExportGrant {
            officer,
            export: export.id,
            conversation: id,
            from,
            through,
            only,
            // What a family thread is called in a person's record says whose family it is.
            title: if hidden.is_empty() { conversation.title.clone() } else { Title::default() },
            notices: hidden.is_empty() && conversation.kind == Kind::Patient,
            shown,
            hidden,
        })
    }

    fn file_granted(
        &self,
        now: Now,
        officer: PersonId,
        export: ExportId,
        message: StatId,
        which: u32,
    ) -> Result<AttachmentGrant, Refusal> {
        let export = self.under_way(now, officer, export)?;
        let place = export.place(message.conversation)?;
        let conversation = self.state.conversations.get(&message.conversation);
        let conversation = conversation.ok_or(Refusal::NoSuchConversation)?;
        if conversation.purged {
            return Err(Refusal::Purged);
        }
        let of_patient = matches!(export.subject, Subject::Patient(_));
        if !of_patient && about(&self.state, conversation).is_some() {
            return Err(Refusal::ExportWithheld);
        }
        if message.sequence < place.first.max(conversation.first) || message.sequence > place.through {
            return Err(Refusal::NoSuchMessage);
        }
        if which as usize >= limits::ATTACHMENTS_OF_MESSAGE_MAX {
            return Err(Refusal::NoSuchAttachment);
        }
        Ok(AttachmentGrant::of_export(officer, message, which, place.only))
    }
}

/// A hash as the audit has it: entries hold numbers alone.
fn numbers_of(seal: [u8; 32]) -> [u64; 4] {
    let mut numbers = [0; 4];
    for (number, bytes) in numbers.iter_mut().zip(seal.chunks(8)) {
        *number = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    }
    numbers
}

/// A page in the order of identifiers.
fn page_of_places(state: &State, export: &Export, after: Option<ConversationId>) -> Body {
    let numbers = numbers(state, export);
    let behind = export.places.iter().filter(|(id, _)| after.is_none_or(|after| **id > after));
    let (mut places, mut bytes, mut end) = (Vec::new(), 0, true);
    for (id, place) in behind {
        let Some(conversation) = state.conversations.get(id) else { continue };
        let one = to_wire(state, export.subject, conversation, *place, &numbers);
        bytes += one.encoded_len() + 4;
        let full = places.len() >= limits::EXPORT_PLACES_PAGE_MAX || bytes > limits::PAGE_BYTES_MAX;
        if full && !places.is_empty() {
            end = false;
            break;
        }
        places.push(one);
    }
    Body::ExportPlaces(proto::ExportPlaces { places, end })
}

/// In a person's record patients are numbered from 1, in the order of their first thread: one patient is one number over all their stays
/// and records.
fn numbers(state: &State, export: &Export) -> BTreeMap<PatientId, u32> {
    let mut numbers = BTreeMap::new();
    if matches!(export.subject, Subject::Person(_)) {
        for conversation in export.places.keys().filter_map(|id| state.conversations.get(id)) {
            if let Some(patient) = about(state, conversation) {
                let next = u32::try_from(numbers.len() + 1).unwrap_or(u32::MAX);
                numbers.entry(state.clinic.surviving(patient)).or_insert(next);
            }
        }
    }
    numbers
}

fn to_wire(
    state: &State,
    subject: Subject,
    conversation: &Conversation,
    place: Place,
    numbers: &BTreeMap<PatientId, u32>,
) -> proto::ExportPlace {
    let of_patient = matches!(subject, Subject::Patient(_));
    let number = about(state, conversation).and_then(|of| numbers.get(&state.clinic.surviving(of)));
    let stay = state.clinic.of_thread(conversation.id).filter(|_| of_patient);
    let own = conversation.kind == Kind::Direct;
    let members: BTreeSet<PersonId> = conversation.members.keys().copied().collect();
    let visitors = members.iter().filter_map(|person| state.people.get(person)).filter(|person| {
        // In a person's record they stay unnamed, as the patient does: one of them may be the patient.
        of_patient && person.visitor.is_some()
    });
    let visitors = visitors.map(|person| proto::ExportVisitor {
        person: person.id.value(),
        name: person.name.reveal().to_owned(),
    });
    proto::ExportPlace {
        conversation: conversation.id.value(),
        kind: conversation.kind.to_wire().into(),
        first: place.first.0,
        through: place.through.0,
        only_theirs: place.only.is_some(),
        patient_number: number.copied().unwrap_or(0),
        stay: stay.map(crate::clinic::Encounter::to_wire),
        admitted: stay.map_or(0, |stay| stay.admitted.0),
        pair: if own { members.iter().map(|person| person.value()).collect() } else { Vec::new() },
        visitors: visitors.collect(),
    }
}

fn relations(state: &State, by: Actor) -> Relations {
    let Actor::Person { person, .. } = by else { return Relations::default() };
    let reviews = state.people.get(&person).is_some_and(|entry| entry.privacy_officer);
    access::STAFF.and(Relations::when(reviews, Relation::PrivacyOfficer))
}

/// The request in a frame's body that [`crate::wire::parse`] found to be one of these.
pub(crate) fn parse(
    body: client_frame::Body,
    fresh: &mut impl FnMut() -> Fresh,
) -> Result<Exporting, Refusal> {
    use client_frame::Body;
    let known = |value| ExportId::new(value).ok_or(Refusal::NoSuchExport);
    let place = |value| ConversationId::new(value).ok_or(Refusal::NoSuchConversation);
    Ok(match body {
        Body::BeginExport(begin) => Exporting::Begin {
            whose: match begin.subject.ok_or(Refusal::Invalid)? {
                proto::begin_export::Subject::Person(person) => Whose::Person(crate::wire::person(person)?),
                proto::begin_export::Subject::RecordNumber(record) => {
                    Whose::Record(RecordNumber::parse(&record)?)
                }
            },
            grounds: Grounds::parse(&begin.grounds)?,
            fresh: fresh(),
        },
        Body::ListExport(list) => Exporting::Places {
            export: known(list.export)?,
            after: if list.after == 0 { None } else { Some(place(list.after)?) },
        },
        Body::ReadExport(read) => Exporting::Read {
            export: known(read.export)?,
            conversation: place(read.conversation)?,
            after: Sequence(read.after),
        },
        Body::OpenExportFile(open) => Exporting::File {
            export: known(open.export)?,
            message: StatId { conversation: place(open.conversation)?, sequence: Sequence(open.sequence) },
            which: open.which,
        },
        Body::FinishExport(finish) => Exporting::Finish {
            export: known(finish.export)?,
            seal: finish.manifest_sha256.as_slice().try_into().map_err(|_| Refusal::Invalid)?,
        },
        _ => return Err(Refusal::UnknownRequest),
    })
}
