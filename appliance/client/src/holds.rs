//! Legal holds: what is kept whatever its age, and nobody can destroy. For privacy officers.

use std::future::Future;

use wardline_core::ids::{ConversationId, HoldId, PersonId};
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::clinical::Patient;
use crate::error::Error;

/// What is to be kept.
pub enum Whose<'a> {
    /// Every conversation that this person is in, was in, or comes to be in.
    Person(PersonId),
    /// Every thread of the patient with this record number.
    Record(&'a str),
    /// One conversation.
    Conversation(ConversationId),
}

/// What a hold is on.
#[derive(Clone)]
pub enum Subject {
    /// A person's conversations.
    Person(PersonId),
    /// A patient's threads.
    Patient(Patient),
    /// One conversation.
    Conversation(ConversationId),
}

/// One legal hold that is not lifted.
#[derive(Clone)]
pub struct Hold {
    /// Which.
    pub id: HoldId,
    /// What it is on.
    pub subject: Subject,
    /// What for.
    pub matter: String,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// Who placed it.
    pub by: PersonId,
    /// How many conversations it keeps now.
    pub conversations: u32,
}

impl Hold {
    fn from_wire(wire: proto::Hold) -> Result<Self, Error> {
        use proto::hold::Subject as Wire;
        let odd = || Error::Protocol("a legal hold on nothing");
        let subject = match wire.subject.ok_or_else(odd)? {
            Wire::Person(person) => Subject::Person(PersonId::new(person).ok_or_else(odd)?),
            Wire::Patient(patient) => Subject::Patient(Patient::from_wire(patient)?),
            Wire::Conversation(id) => Subject::Conversation(ConversationId::new(id).ok_or_else(odd)?),
        };
        Ok(Self {
            id: HoldId::new(wire.hold).ok_or_else(odd)?,
            subject,
            matter: wire.matter,
            since: wire.since,
            by: PersonId::new(wire.by).ok_or_else(odd)?,
            conversations: wire.conversations,
        })
    }
}

/// What can be asked about legal holds.
pub trait HoldCalls: Calls {
    /// Nothing of this expires or can be destroyed from now on. `matter`: what for, 1 to 80 bytes. Answered with which it is, and
    /// how many conversations it keeps now.
    fn place_hold(
        &self,
        whose: Whose<'_>,
        matter: &str,
    ) -> impl Future<Output = Result<(HoldId, u32), Error>> + Send {
        use proto::place_hold::Subject as Wire;
        let subject = Some(match whose {
            Whose::Person(person) => Wire::Person(person.value()),
            Whose::Record(record) => Wire::RecordNumber(record.to_owned()),
            Whose::Conversation(conversation) => Wire::Conversation(conversation.value()),
        });
        let ask = proto::PlaceHold { subject, matter: matter.to_owned() };
        async move {
            match self.call(Ask::PlaceHold(ask)).await? {
                Answer::HoldPlaced(placed) => {
                    let id = HoldId::new(placed.hold).ok_or(Error::Protocol("no legal hold"))?;
                    Ok((id, placed.conversations))
                }
                other => odd(other),
            }
        }
    }

    /// It need not be kept any more. `grounds`: why, 10 characters to 500 bytes.
    fn lift_hold(&self, id: HoldId, grounds: &str) -> impl Future<Output = Result<(), Error>> + Send {
        self.done(Ask::LiftHold(proto::LiftHold { hold: id.value(), grounds: grounds.to_owned() }))
    }

    /// Those that are not lifted. Recorded.
    fn holds(&self) -> impl Future<Output = Result<Vec<Hold>, Error>> + Send {
        async move {
            let mut all: Vec<Hold> = Vec::new();
            loop {
                let after = all.last().map_or(0, |hold| hold.id.value());
                let page = match self.call(Ask::ListHolds(proto::ListHolds { after })).await? {
                    Answer::HoldPage(page) => page,
                    other => return odd(other),
                };
                let before = all.len();
                for hold in page.holds {
                    all.push(Hold::from_wire(hold)?);
                }
                if page.end || all.len() == before {
                    return Ok(all);
                }
            }
        }
    }
}

impl<C: Calls> HoldCalls for C {}
