//! Tasks: what a member of a conversation gives somebody to do, and what becomes of it.
//!
//! A task is about one message of its conversation, and has no words of its own: the message's text, under the conversation's key, says what
//! is to be done. So whoever may read the message sees the task, and it goes with it: with a purge, a recall, an expiry. A message has one
//! open task at most. Like its message, an open task is kept twice as long as what everybody has read.
//!
//! Given to a person, or to a role: then it is for whoever holds that at the moment and is in the conversation.
//!
//! Refuses to ring: what cannot wait is a STAT. Its one reminder is that it is overdue, once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::alteration::Found;
use crate::escalation::{Reason, StatId};
use crate::ids::{Change, ConversationId, PersonId, RoleId, Sequence};
use crate::kept;
use crate::refusal::Fault;
use crate::state::State;
use crate::time::Wall;
use crate::wire::proto::{self, RefusalCode};
use crate::write::Write;

mod acts;
mod parse;
mod told;

pub(crate) use acts::{close_forlorn, handle, overdue};
pub(crate) use parse::{give as parse_give, parse};
pub(crate) use told::{left_by, of_role, shown_in};

/// Whose a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Assignee {
    /// This person's.
    #[n(1)]
    Person(#[n(0)] PersonId),
    /// Whoever's who holds it and is in the conversation.
    #[n(2)]
    Role(#[n(0)] RoleId),
}

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Standing {
    /// Given, and nobody has said anything.
    #[n(1)]
    Open,
    /// Somebody does it.
    #[n(2)]
    Taken {
        /// Who.
        #[n(0)]
        by: PersonId,
        /// When.
        #[n(1)]
        at: Wall,
    },
    /// Somebody will not. It is open all the same.
    #[n(3)]
    Declined {
        /// Who.
        #[n(0)]
        by: PersonId,
        /// When.
        #[n(1)]
        at: Wall,
        /// Why.
        #[n(2)]
        reason: Reason,
    },
    /// It is done.
    #[n(4)]
    Done {
        /// Who.
        #[n(0)]
        by: PersonId,
        /// When.
        #[n(1)]
        at: Wall,
    },
    /// Nobody is to do it any more.
    #[n(5)]
    Withdrawn {
        /// Who; none: nobody is left who could do it.
        #[n(0)]
        by: Option<PersonId>,
        /// When.
        #[n(1)]
        at: Wall,
    },
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Task {
    /// The message that says what is to be done.
    #[n(0)]
    pub id: StatId,
    /// Who gave it.
    #[n(1)]
    pub author: PersonId,
    /// Whose it is.
    #[n(2)]
    pub to: Assignee,
    /// When it was given.
    #[n(3)]
    pub given: Wall,
    /// Until when it is to be done.
    #[n(4)]
    pub due: Option<Wall>,
    /// When that was said: what is left of it is never more than there was then.
    #[n(5)]
    pub due_set: Wall,
    /// How it stands.
    #[n(6)]
    pub standing: Standing,
    /// It was not done in time, and that was told.
    #[n(7)]
    pub overdue: bool,
    /// The change that last touched it.
    #[n(8)]
    pub changed: Change,
}

/// What a task cannot be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Error)]
pub enum TaskRefusal {
    /// A family's thread.
    #[error(
        "A family thread takes no tasks: the family would read them. Give it in the patient's own thread."
    )]
    NotHere,
    /// One at a time.
    #[error("This message has an open task already. Reassign it, or withdraw it first.")]
    There,
    /// Done, withdrawn, gone with its message, or never there.
    #[error(
        "There is no open task about this message: it is done, withdrawn, or never was. Look at the list again."
    )]
    NoSuchTask,
    /// Who may not read the message cannot do what it says.
    #[error(
        "They are not in this conversation, or cannot read that message. Add them first, or give it to somebody else."
    )]
    NotReader,
    /// It would be nobody's.
    #[error(
        "Nobody in the conversation holds that role now. Give it to a person, or to a role that somebody here holds."
    )]
    RoleUnheld,
    /// See [`crate::limits::TASK_AHEAD_MAX_MS`].
    #[error("A task is due ahead, within the next 90 days. Give another time, or none.")]
    Due,
    /// [`crate::limits::TASKS_OPEN_MAX`].
    #[error(
        "As many tasks are open as may be, here or for one of the two: 100. Close some that are over first."
    )]
    Many,
}

impl TaskRefusal {
    /// The stable code on the wire.
    pub(crate) const fn code(self) -> RefusalCode {
        match self {
            Self::NotHere => RefusalCode::TaskNotHere,
            Self::There => RefusalCode::TaskThere,
            Self::NoSuchTask => RefusalCode::NoSuchTask,
            Self::NotReader => RefusalCode::TaskNotReader,
            Self::RoleUnheld => RefusalCode::TaskRoleUnheld,
            Self::Due => RefusalCode::TaskDue,
            Self::Many => RefusalCode::TasksMany,
        }
    }
}

/// What somebody says to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// They do it.
    Take,
    /// They did it.
    Done,
    /// They will not.
    Decline(Reason),
    /// Nobody is to do it.
    Withdraw,
}

/// A request about tasks. Every field has been parsed.
pub enum TaskAsk {
    /// A task about a message.
    Give {
        /// Which.
        message: StatId,
        /// For whom.
        to: Assignee,
        /// Until when.
        due: Option<Wall>,
        /// The message as it stood.
        found: Found,
    },
    /// What becomes of one.
    Answer {
        /// Which.
        task: StatId,
        /// What.
        answer: Answer,
    },
    /// Somebody else is to do it.
    Reassign {
        /// Which.
        task: StatId,
        /// Who.
        to: Assignee,
        /// Until when; none: as it was.
        due: Option<Wall>,
    },
    /// A page of open ones.
    List {
        /// Of one conversation; none: those that are theirs, by a role too, and those that they gave.
        conversation: Option<ConversationId>,
        /// Behind this one.
        after: Option<StatId>,
    },
}

/// A task as it is asked for, its message still to be looked up.
pub struct Giving {
    /// Which.
    pub message: StatId,
    /// For whom.
    pub to: Assignee,
    /// Until when.
    pub due: Option<Wall>,
}

impl Giving {
    /// With the message as it stood.
    pub fn found(self, found: Found) -> TaskAsk {
        TaskAsk::Give { message: self.message, to: self.to, due: self.due, found }
    }
}

/// Every open task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tasks {
    open: BTreeMap<StatId, Task>,
    /// Of each person: those that they gave.
    given: BTreeMap<PersonId, BTreeSet<StatId>>,
    /// Of each person: those that were given to them, or that they took.
    had: BTreeMap<PersonId, BTreeSet<StatId>>,
    of_roles: BTreeMap<RoleId, BTreeSet<StatId>>,
}

impl Standing {
    /// Somebody may do it still.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Done { .. } | Self::Withdrawn { .. })
    }

    /// As the audit has it.
    pub(crate) fn number(self) -> u32 {
        self.to_wire() as u32
    }

    fn to_wire(self) -> proto::TaskState {
        match self {
            Self::Open => proto::TaskState::Open,
            Self::Taken { .. } => proto::TaskState::Taken,
            Self::Declined { .. } => proto::TaskState::Declined,
            Self::Done { .. } => proto::TaskState::Done,
            Self::Withdrawn { .. } => proto::TaskState::Withdrawn,
        }
    }
}

impl Task {
    /// When it is due, if that is not past and told.
    pub(crate) fn awaits(&self) -> Option<Wall> {
        self.due.filter(|_| self.standing.is_open() && !self.overdue)
    }

    /// Who does it.
    pub(crate) fn taken_by(&self) -> Option<PersonId> {
        match self.standing {
            Standing::Taken { by, .. } => Some(by),
            _ => None,
        }
    }

    /// As clients see it.
    pub fn to_wire(&self) -> proto::Task {
        let (by, at, reason) = match self.standing {
            Standing::Open => (None, Wall(0), None),
            Standing::Taken { by, at } | Standing::Done { by, at } => (Some(by), at, None),
            Standing::Declined { by, at, reason } => (Some(by), at, Some(reason)),
            Standing::Withdrawn { by, at } => (by, at, None),
        };
        let (person, role) = match self.to {
            Assignee::Person(person) => (person.value(), 0),
            Assignee::Role(role) => (0, role.value()),
        };
        proto::Task {
            conversation: self.id.conversation.value(),
            sequence: self.id.sequence.0,
            author: self.author.value(),
            person,
            role,
            given: self.given.0,
            due: self.due.map_or(0, |due| due.0),
            state: self.standing.to_wire().into(),
            by: by.map_or(0, PersonId::value),
            at: at.0,
            reason: reason.map_or(0, |reason| reason.number() as i32),
            overdue: self.overdue,
        }
    }

    /// As a store keeps it.
    pub fn to_bytes(&self) -> Vec<u8> {
        kept::to_bytes(self)
    }

    /// Out of what a store keeps. Bytes that are not the canonical form of a task are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, minicbor::decode::Error> {
        kept::canonical(bytes)
    }
}

/// Every place of a conversation.
fn all_of(conversation: ConversationId, through: Sequence) -> RangeInclusive<StatId> {
    StatId { conversation, sequence: Sequence::NONE }..=StatId { conversation, sequence: through }
}

impl Tasks {
    /// As a store hands them back.
    pub(crate) fn restore(tasks: Vec<Task>) -> Self {
        let mut restored = Self::default();
        tasks.into_iter().for_each(|task| restored.put(task));
        restored
    }

    /// What they name is there.
    pub(crate) fn check(&self, state: &State) -> Result<(), Fault> {
        for task in self.open.values() {
            let place = state.conversations.get(&task.id.conversation).filter(|place| !place.purged);
            let is_there = place.is_some_and(|place| (place.first..=place.last).contains(&task.id.sequence));
            let known = match task.to {
                Assignee::Person(person) => state.people.contains_key(&person),
                Assignee::Role(role) => state.roles.contains_key(&role),
            };
            if !is_there || !known || !state.people.contains_key(&task.author) || task.changed > state.change
            {
                return Err(Fault::Inconsistent("a task is about nothing, nobody's, or from later"));
            }
        }
        Ok(())
    }

    /// All of them, in order.
    pub fn all(&self) -> impl Iterator<Item = &Task> {
        self.open.values()
    }

    /// One of them.
    pub fn get(&self, id: StatId) -> Option<&Task> {
        self.open.get(&id)
    }

    /// Those of a conversation, in order.
    pub fn of_conversation(&self, conversation: ConversationId) -> impl Iterator<Item = &Task> {
        self.open.range(all_of(conversation, Sequence(u64::MAX))).map(|(_, task)| task)
    }

    /// Those that somebody gave.
    pub(crate) fn given_by(&self, person: PersonId) -> impl Iterator<Item = StatId> + '_ {
        self.given.get(&person).into_iter().flatten().copied()
    }

    /// Those that were given to somebody, or that they took.
    pub(crate) fn had_by(&self, person: PersonId) -> impl Iterator<Item = StatId> + '_ {
        self.had.get(&person).into_iter().flatten().copied()
    }

    /// Those of a role.
    pub(crate) fn of_role(&self, role: RoleId) -> impl Iterator<Item = StatId> + '_ {
        self.of_roles.get(&role).into_iter().flatten().copied()
    }

    /// Folds one write in.
    pub(crate) fn apply(&mut self, change: Change, write: &Write) {
        match write {
            Write::TaskSet(task) => self.put(Task { changed: change, ..(**task).clone() }),
            Write::MessageRecalled { conversation, sequence, .. } => {
                self.take(StatId { conversation: *conversation, sequence: *sequence });
            }
            Write::MessagesExpired { conversation, through } => self.drop_through(*conversation, *through),
            Write::KeyDestroyed { conversation } => self.drop_through(*conversation, Sequence(u64::MAX)),
            _ => {}
        }
    }

    fn drop_through(&mut self, conversation: ConversationId, through: Sequence) {
        let gone: Vec<StatId> = self.open.range(all_of(conversation, through)).map(|(id, _)| *id).collect();
        gone.into_iter().for_each(|id| self.take(id));
    }

    fn put(&mut self, task: Task) {
        self.take(task.id);
        if !task.standing.is_open() {
            return;
        }
        self.given.entry(task.author).or_default().insert(task.id);
        match task.to {
            Assignee::Person(person) => self.had.entry(person).or_default().insert(task.id),
            Assignee::Role(role) => self.of_roles.entry(role).or_default().insert(task.id),
        };
        if let Some(by) = task.taken_by() {
            self.had.entry(by).or_default().insert(task.id);
        }
        self.open.insert(task.id, task);
    }

    fn take(&mut self, id: StatId) {
        let Some(task) = self.open.remove(&id) else { return };
        out_of(&mut self.given, task.author, id);
        match task.to {
            Assignee::Person(person) => out_of(&mut self.had, person, id),
            Assignee::Role(role) => out_of(&mut self.of_roles, role, id),
        }
        if let Some(by) = task.taken_by() {
            out_of(&mut self.had, by, id);
        }
    }
}

fn out_of<K: Ord>(index: &mut BTreeMap<K, BTreeSet<StatId>>, of: K, id: StatId) {
    if let Some(ids) = index.get_mut(&of) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(&of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(sequence: u64) -> Task {
        let person = |number: u8| PersonId::from_random([number; 8]);
        let conversation = ConversationId::from_random([1; 8]);
        Task {
            id: StatId { conversation, sequence: Sequence(sequence) },
            author: person(1),
            to: Assignee::Person(person(2)),
            given: Wall(5),
            due: Some(Wall(9)),
            due_set: Wall(5),
            standing: Standing::Open,
            overdue: false,
            changed: Change(7),
        }
    }

    #[test]
    fn what_is_kept_is_read_and_what_is_damaged_is_not() {
        let by = PersonId::from_random([3; 8]);
        for standing in [
            Standing::Open,
            Standing::Taken { by, at: Wall(6) },
            Standing::Declined { by, at: Wall(6), reason: Reason::Busy },
            Standing::Done { by, at: Wall(6) },
            Standing::Withdrawn { by: None, at: Wall(6) },
        ] {
            let whole = Task { standing, ..task(3) };
            let bytes = whole.to_bytes();
            assert_eq!(Task::from_bytes(&bytes).expect("as it was written"), whole);
            for end in 0..bytes.len() {
                assert!(Task::from_bytes(&bytes[..end]).is_err(), "{end}");
            }
            assert!(Task::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        }
    }

    #[test]
    fn nothing_is_left_behind_of_what_is_over() {
        let mut tasks = Tasks::default();
        let by = PersonId::from_random([3; 8]);
        for sequence in 1..=4 {
            tasks.put(task(sequence));
        }
        tasks.put(Task { standing: Standing::Taken { by, at: Wall(6) }, ..task(1) });
        tasks.put(Task { to: Assignee::Role(RoleId::from_random([4; 8])), ..task(2) });
        assert_eq!(tasks.had_by(by).count(), 1);
        tasks.put(Task { standing: Standing::Done { by, at: Wall(6) }, ..task(1) });
        let conversation = task(1).id.conversation;
        tasks.apply(Change(9), &Write::MessagesExpired { conversation, through: Sequence(3) });
        assert_eq!(tasks.all().map(|task| task.id.sequence.0).collect::<Vec<_>>(), [4]);
        tasks.apply(Change(10), &Write::KeyDestroyed { conversation });
        assert_eq!(tasks, Tasks::default());
    }
}
