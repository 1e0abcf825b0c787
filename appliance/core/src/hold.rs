//! Legal hold: what a court, an insurer or an investigation may ask for is kept until a privacy officer says otherwise (the
//! duty to preserve: US Federal Rules of Civil Procedure 37(e)).
//!
//! A hold is on a person, a patient or one conversation, and keeps whole conversations: all that the person is or was in, all
//! threads of the patient. In them nothing expires and nothing is purged, whatever the retention says and whoever asks. It
//! opens nothing: who placed it reads no message by it. It shows to nobody in the conversation, since whoever knows of a hold
//! may begin to write elsewhere; only who tries to destroy something is told.
//!
//! What expired or was purged before is gone: a hold brings nothing back.

use minicbor::{Decode, Encode};
use prost::Message as _;

use crate::access::{self, Operation, Relation, Relations};
use crate::audit::{Act, Actor};
use crate::conversation::Conversation;
use crate::draft::Draft;
use crate::ids::{ConversationId, HoldId, PatientId, PersonId};
use crate::input::Fresh;
use crate::limits;
use crate::particulars::RecordNumber;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Draw;
use crate::state::State;
use crate::text::{Grounds, Title};
use crate::time::Wall;
use crate::wire::proto::{self, client_frame, server_frame::Body};
use crate::write::Write;

/// What must be kept, until it is lifted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Hold {
    /// Which.
    #[n(0)]
    pub id: HoldId,
    /// Whose conversations.
    #[n(1)]
    pub subject: Subject,
    /// What for, as whoever asked for it calls it: "Doe v. Mercy, 26-1180".
    #[n(2)]
    pub matter: Title,
    /// Since when.
    #[n(3)]
    pub since: Wall,
    /// Who placed it.
    #[n(4)]
    pub by: PersonId,
}

/// What a hold is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Subject {
    /// Every conversation that this person is in, was in, or comes to be in.
    #[n(0)]
    Person(#[n(0)] PersonId),
    /// Every thread of this patient, of all stays, under whichever record.
    #[n(1)]
    Patient(#[n(0)] PatientId),
    /// One conversation.
    #[n(2)]
    Conversation(#[n(0)] ConversationId),
}

/// What somebody wants to be kept, as they can name it.
pub enum Whose {
    /// Of the directory.
    Person(PersonId),
    /// By the record number in the letter.
    Record(RecordNumber),
    /// By its number.
    Conversation(ConversationId),
}

/// A request about legal holds. Every field has been parsed.
pub enum Holds {
    /// Keep this.
    Place {
        /// What.
        whose: Whose,
        /// What for.
        matter: Title,
        /// For the identifier.
        fresh: Fresh,
    },
    /// It need not be kept any more.
    Lift {
        /// Which.
        id: HoldId,
        /// Why.
        grounds: Grounds,
    },
    /// A page of what is kept.
    List {
        /// Behind this one; none from the start.
        after: Option<HoldId>,
    },
}

impl Subject {
    /// As the audit and the store number its sort, and the identifier.
    pub fn numbers(self) -> (u32, u64) {
        match self {
            Self::Person(person) => (1, person.value()),
            Self::Patient(patient) => (2, patient.value()),
            Self::Conversation(conversation) => (3, conversation.value()),
        }
    }

    /// The subject with these numbers.
    pub fn from_numbers(sort: u32, id: u64) -> Option<Self> {
        match sort {
            1 => PersonId::new(id).map(Self::Person),
            2 => PatientId::new(id).map(Self::Patient),
            3 => ConversationId::new(id).map(Self::Conversation),
            _ => None,
        }
    }

    fn keeps(self, state: &State, conversation: &Conversation) -> bool {
        match self {
            Self::Person(person) => conversation.members.contains_key(&person),
            Self::Patient(patient) => {
                let of = state.clinic.patient_of(conversation.id);
                of.is_some_and(|of| state.clinic.is_one(of, patient))
            }
            Self::Conversation(held) => held == conversation.id,
        }
    }
}

/// Whether a conversation must be kept as it is. Of what was purged before there is nothing to keep.
pub fn keeps(state: &State, conversation: ConversationId) -> bool {
    let place = state.conversations.get(&conversation).filter(|place| !place.purged);
    place.is_some_and(|place| state.holds.values().any(|hold| hold.subject.keeps(state, place)))
}

/// Decides a request of a signed-in person.
pub(crate) fn handle(draft: &mut Draft<'_>, by: Actor, ask: Holds) -> Result<Body, Refusal> {
    match ask {
        Holds::Place { whose, matter, fresh } => place(draft, by, whose, matter, &fresh),
        Holds::Lift { id, grounds } => lift(draft, by, id, grounds),
        Holds::List { after } => list(draft, by, after),
    }
}

fn place(
    draft: &mut Draft<'_>,
    by: Actor,
    whose: Whose,
    matter: Title,
    fresh: &Fresh,
) -> Result<Body, Refusal> {
    // First: whether there is such a patient is told to nobody who may not ask.
    let permit = access::permit(Operation::PlaceHold, relations(draft.state, by), by)?;
    let Actor::Person { person, .. } = by else { return Err(Refusal::NoSuchPerson) };
    let subject = known(draft.state, whose)?;
    if draft.state.holds.len() >= limits::HOLDS_MAX {
        return Err(Refusal::Limit);
    }
    let mut id = HoldId::from_random(Draw::new(fresh).identifier());
    while draft.state.holds.contains_key(&id) {
        id = id.following();
    }
    let since = draft.now.wall;
    draft.write(Write::HoldPlaced(Hold { id, subject, matter, since, by: person }));
    let (sort, number) = subject.numbers();
    draft.record(permit.by(), Act::HoldPlaced(id, sort, number));
    let conversations = kept_by(draft.state, subject);
    Ok(Body::HoldPlaced(proto::HoldPlaced { hold: id.value(), conversations }))
}

fn known(state: &State, whose: Whose) -> Result<Subject, Refusal> {
    match whose {
        Whose::Person(person) => {
            state.colleague(person)?;
            Ok(Subject::Person(person))
        }
        Whose::Record(record) => {
            state.clinic.recorded(&record).map(Subject::Patient).ok_or(Refusal::NoSuchPatient)
        }
        Whose::Conversation(id) => {
            let conversation = state.conversations.get(&id).ok_or(Refusal::NoSuchConversation)?;
            if conversation.purged { Err(Refusal::Purged) } else { Ok(Subject::Conversation(id)) }
        }
    }
}

fn lift(draft: &mut Draft<'_>, by: Actor, id: HoldId, grounds: Grounds) -> Result<Body, Refusal> {
    let permit = access::permit(Operation::LiftHold, relations(draft.state, by), by)?;
    let Actor::Person { person, .. } = by else { return Err(Refusal::NoSuchPerson) };
    draft.state.holds.get(&id).ok_or(Refusal::NoSuchHold)?;
    draft.write(Write::HoldLifted { hold: id, by: person, grounds, at: draft.now.wall });
    draft.record(permit.by(), Act::HoldLifted(id));
    Ok(Body::Done(proto::Done {}))
}

/// A page in the order of identifiers. It names patients, so it is recorded.
fn list(draft: &mut Draft<'_>, by: Actor, after: Option<HoldId>) -> Result<Body, Refusal> {
    let permit = access::permit(Operation::ListHolds, relations(draft.state, by), by)?;
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    draft.record(permit.by(), Act::HoldsListed);
    let behind = draft.state.holds.values().filter(|hold| after.is_none_or(|after| hold.id > after));
    let (mut holds, mut bytes, mut end) = (Vec::new(), 0, true);
    for hold in behind {
        let one = to_wire(draft.state, hold);
        bytes += one.encoded_len() + 4;
        let full = holds.len() >= limits::HOLDS_PAGE_MAX || bytes > limits::PAGE_BYTES_MAX;
        if full && !holds.is_empty() {
            end = false;
            break;
        }
        holds.push(one);
    }
    Ok(Body::HoldPage(proto::HoldPage { holds, end }))
}

fn to_wire(state: &State, hold: &Hold) -> proto::Hold {
    use proto::hold::Subject as Wire;
    let subject = match hold.subject {
        Subject::Person(person) => Some(Wire::Person(person.value())),
        Subject::Patient(patient) => {
            state.clinic.known(patient).map(|patient| Wire::Patient(patient.to_wire_for(None)))
        }
        Subject::Conversation(conversation) => Some(Wire::Conversation(conversation.value())),
    };
    proto::Hold {
        hold: hold.id.value(),
        matter: hold.matter.reveal().to_owned(),
        since: hold.since.0,
        by: hold.by.value(),
        conversations: kept_by(state, hold.subject),
        subject,
    }
}

/// How many conversations something keeps now: what is purged is not kept.
fn kept_by(state: &State, subject: Subject) -> u32 {
    let is_there = |id: &ConversationId| state.conversations.get(id).is_some_and(|place| !place.purged);
    let count = match subject {
        Subject::Person(person) => {
            let places = state.conversations.values();
            places.filter(|place| !place.purged && place.members.contains_key(&person)).count()
        }
        Subject::Patient(patient) => {
            let records = state.clinic.records_of(patient);
            let threads = records.iter().flat_map(|record| state.clinic.threads_of(*record));
            threads.filter(is_there).count()
        }
        Subject::Conversation(id) => usize::from(is_there(&id)),
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn relations(state: &State, by: Actor) -> Relations {
    let Actor::Person { person, .. } = by else { return Relations::default() };
    let reviews = state.people.get(&person).is_some_and(|entry| entry.privacy_officer);
    access::STAFF.and(Relations::when(reviews, Relation::PrivacyOfficer))
}

/// The request in a frame's body that [`crate::wire::parse`] found to be one of these.
pub(crate) fn parse(body: client_frame::Body, fresh: &mut impl FnMut() -> Fresh) -> Result<Holds, Refusal> {
    use client_frame::Body;
    let known = |value| HoldId::new(value).ok_or(Refusal::NoSuchHold);
    Ok(match body {
        Body::PlaceHold(place) => Holds::Place {
            whose: match place.subject.ok_or(Refusal::Invalid)? {
                proto::place_hold::Subject::Person(person) => Whose::Person(crate::wire::person(person)?),
                proto::place_hold::Subject::RecordNumber(record) => {
                    Whose::Record(RecordNumber::parse(&record)?)
                }
                proto::place_hold::Subject::Conversation(id) => {
                    Whose::Conversation(ConversationId::new(id).ok_or(Refusal::NoSuchConversation)?)
                }
            },
            matter: Title::parse(&place.matter)?,
            fresh: fresh(),
        },
        Body::LiftHold(lift) => {
            Holds::Lift { id: known(lift.hold)?, grounds: Grounds::parse(&lift.grounds)? }
        }
        Body::ListHolds(list) => {
            Holds::List { after: if list.after == 0 { None } else { Some(known(list.after)?) } }
        }
        _ => return Err(Refusal::UnknownRequest),
    })
}
