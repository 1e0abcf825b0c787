//! Tasks: what members of a conversation give each other to do. Each is about one message, which says what.

use std::future::Future;

use wardline_core::escalation::Reason;
use wardline_core::ids::{ConversationId, PersonId, RoleId, Sequence};
use wardline_core::limits;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Calls, odd};
use crate::error::Error;
use crate::event;

/// For whom a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum For {
    /// This person.
    Person(PersonId),
    /// Whoever holds this role and is in the conversation.
    Role(RoleId),
}

/// How a task stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Stands {
    /// Nobody has said anything.
    Open,
    /// Somebody does it.
    Taken,
    /// Somebody will not: it is open all the same.
    Declined(Option<Reason>),
    /// It is done.
    Done,
    /// Nobody is to do it any more.
    Withdrawn,
    /// A word of a later version.
    Other,
}

/// A task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Task {
    /// Where.
    pub conversation: ConversationId,
    /// The message that says what is to be done.
    pub sequence: Sequence,
    /// Who gave it.
    pub author: PersonId,
    /// For whom.
    pub to: For,
    /// When it was given: milliseconds since 1970.
    pub given: i64,
    /// Until when: milliseconds since 1970.
    pub due: Option<i64>,
    /// How it stands.
    pub stands: Stands,
    /// Who took, declined, did or withdrew it.
    pub by: Option<PersonId>,
    /// And when.
    pub at: i64,
    /// It was not done in time.
    pub overdue: bool,
}

/// What somebody says to a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// I do it.
    Take,
    /// I did it.
    Done,
    /// I will not.
    Decline(Reason),
    /// Nobody is to do it.
    Withdraw,
}

/// A task that whoever is suspended leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeftTask {
    /// Where.
    pub conversation: ConversationId,
    /// About which message.
    pub sequence: Sequence,
    /// Until when: milliseconds since 1970.
    pub due: Option<i64>,
    /// It was not done in time.
    pub overdue: bool,
    /// Whoever gave it, if they are here.
    pub successor: Option<PersonId>,
}

/// A task of a role that passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenTask {
    /// Where, and about which message, for whoever may read it.
    pub about: Option<(ConversationId, Sequence)>,
    /// Until when: milliseconds since 1970.
    pub due: Option<i64>,
    /// It was not done in time.
    pub overdue: bool,
}

fn due(at: i64) -> Option<i64> {
    Some(at).filter(|at| *at != 0)
}

impl Task {
    pub(crate) fn from_wire(wire: &proto::Task) -> Result<Self, Error> {
        let nobody = || Error::Protocol("a task that is nobody's");
        let to = match (PersonId::new(wire.person), RoleId::new(wire.role)) {
            (Some(person), _) => For::Person(person),
            (None, Some(role)) => For::Role(role),
            (None, None) => return Err(nobody()),
        };
        Ok(Self {
            conversation: event::conversation(wire.conversation)?,
            sequence: Sequence(wire.sequence),
            author: event::person(wire.author)?,
            to,
            given: wire.given,
            due: due(wire.due),
            stands: match wire.state() {
                proto::TaskState::Open => Stands::Open,
                proto::TaskState::Taken => Stands::Taken,
                proto::TaskState::Declined => {
                    Stands::Declined(u32::try_from(wire.reason).ok().and_then(Reason::from_number))
                }
                proto::TaskState::Done => Stands::Done,
                proto::TaskState::Withdrawn => Stands::Withdrawn,
                proto::TaskState::Unspecified => Stands::Other,
            },
            by: PersonId::new(wire.by),
            at: wire.at,
            overdue: wire.overdue,
        })
    }
}

impl LeftTask {
    pub(crate) fn from_wire(wire: proto::LeftTask) -> Result<Self, Error> {
        Ok(Self {
            conversation: event::conversation(wire.conversation)?,
            sequence: Sequence(wire.sequence),
            due: due(wire.due),
            overdue: wire.overdue,
            successor: PersonId::new(wire.successor),
        })
    }
}

impl OpenTask {
    pub(crate) fn from_wire(wire: proto::OpenTask) -> Self {
        let place = ConversationId::new(wire.conversation);
        Self {
            about: place.map(|place| (place, Sequence(wire.sequence))),
            due: due(wire.due),
            overdue: wire.overdue,
        }
    }
}

/// Person, role.
fn whom(to: For) -> (u64, u64) {
    match to {
        For::Person(person) => (person.value(), 0),
        For::Role(role) => (0, role.value()),
    }
}

/// What can be asked about tasks.
pub trait TaskCalls: Calls {
    /// Gives somebody what a message says to do. Again: the same, as long as nobody has said anything.
    fn give_task(
        &self,
        (conversation, sequence): (ConversationId, Sequence),
        to: For,
        due: Option<i64>,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let (person, role) = whom(to);
        self.done(Ask::GiveTask(proto::GiveTask {
            conversation: conversation.value(),
            sequence: sequence.0,
            person,
            role,
            due: due.unwrap_or_default(),
        }))
    }

    /// Says something to an open one.
    fn answer_task(
        &self,
        (conversation, sequence): (ConversationId, Sequence),
        word: Word,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let (answer, reason) = match word {
            Word::Take => (proto::TaskAnswer::Take, 0),
            Word::Done => (proto::TaskAnswer::Done, 0),
            Word::Decline(reason) => (proto::TaskAnswer::Decline, reason.number() as i32),
            Word::Withdraw => (proto::TaskAnswer::Withdraw, 0),
        };
        self.done(Ask::AnswerTask(proto::AnswerTask {
            conversation: conversation.value(),
            sequence: sequence.0,
            answer: answer.into(),
            reason,
        }))
    }

    /// Gives an open one to somebody else. No time: the one that it has.
    fn reassign_task(
        &self,
        (conversation, sequence): (ConversationId, Sequence),
        to: For,
        due: Option<i64>,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        let (person, role) = whom(to);
        self.done(Ask::ReassignTask(proto::ReassignTask {
            conversation: conversation.value(),
            sequence: sequence.0,
            person,
            role,
            due: due.unwrap_or_default(),
        }))
    }

    /// Open ones of a conversation; none: one's own, by a role too, and those that one gave.
    fn tasks(
        &self,
        conversation: Option<ConversationId>,
    ) -> impl Future<Output = Result<Vec<Task>, Error>> + Send {
        async move {
            let mut found: Vec<Task> = Vec::new();
            loop {
                let (after_conversation, after_sequence) =
                    found.last().map_or((0, 0), |last| (last.conversation.value(), last.sequence.0));
                let conversation = conversation.map_or(0, ConversationId::value);
                let list = proto::ListTasks { conversation, after_conversation, after_sequence };
                let page = match self.call(Ask::ListTasks(list)).await? {
                    Answer::TaskPage(page) => page,
                    other => return odd(other),
                };
                let before = found.len();
                for task in &page.tasks {
                    found.push(Task::from_wire(task)?);
                }
                // One's own, given and by every role of a unit: no more than that is ever open.
                let most = limits::TASKS_OPEN_MAX * 100;
                if page.end || found.len() == before || found.len() > most {
                    return Ok(found);
                }
            }
        }
    }
}

impl<C: Calls> TaskCalls for C {}
