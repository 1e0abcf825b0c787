//! Whose a task is at a moment, and where open ones are shown besides: to newcomers, when a role passes, when somebody leaves.

use crate::draft::Draft;
use crate::escalation::StatId;
use crate::ids::{ConversationId, PersonId, RoleId};
use crate::limits;
use crate::state::State;
use crate::task::{Assignee, Task};
use crate::time::Wall;
use crate::wire::proto;

/// Whether somebody may read the message of a task.
pub(super) fn reads(state: &State, person: PersonId, id: StatId) -> bool {
    let place = state.conversations.get(&id.conversation);
    let member = place.and_then(|place| place.member(person));
    member.is_some_and(|member| member.from <= id.sequence)
}

/// Whoever is to do it: who took it, and whose it is; of a role, whoever holds it. Whether they may read it is another matter.
pub(super) fn has(state: &State, now: Wall, task: &Task) -> Vec<PersonId> {
    let mut people: Vec<PersonId> = task.taken_by().into_iter().collect();
    match task.to {
        Assignee::Person(person) => people.push(person),
        Assignee::Role(role) => {
            people.extend(state.roles.get(&role).into_iter().flat_map(|role| role.holders(state, now)));
        }
    }
    people.sort_unstable();
    people.dedup();
    people
}

/// Theirs, by a role too, and those that they gave: each once, in order.
pub(super) fn of_person(state: &State, now: Wall, person: PersonId) -> Vec<StatId> {
    let held = state.roles.values().filter(|role| role.holders(state, now).any(|who| who == person));
    let by_role = held.flat_map(|role| state.tasks.of_role(role.id));
    let mut ids: Vec<StatId> =
        state.tasks.given_by(person).chain(state.tasks.had_by(person)).chain(by_role).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Open ones of a conversation, as far as a newcomer may read them.
pub(crate) fn shown_in(state: &State, conversation: ConversationId, newcomer: PersonId) -> Vec<proto::Task> {
    let open = state.tasks.of_conversation(conversation);
    open.filter(|task| reads(state, newcomer, task.id)).map(Task::to_wire).collect()
}

/// Open ones of a role, where it passes: the first, and how many. To whoever may not read one, only when it is due.
pub(crate) fn of_role(draft: &Draft<'_>, viewer: PersonId, role: RoleId) -> (Vec<proto::OpenTask>, u32) {
    let all: Vec<StatId> = draft.state.tasks.of_role(role).collect();
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let open = all.iter().filter_map(|id| draft.state.tasks.get(*id));
    let shown = |task: &Task| {
        let sees = reads(draft.state, viewer, task.id);
        proto::OpenTask {
            conversation: if sees { task.id.conversation.value() } else { 0 },
            sequence: if sees { task.id.sequence.0 } else { 0 },
            due: task.due.map_or(0, |due| due.0),
            overdue: task.overdue,
        }
    };
    (open.take(limits::OFFER_TASKS_SHOWN_MAX).map(shown).collect(), count)
}

/// What somebody leaves behind who is suspended now: theirs stay theirs, and are for their author to give to somebody else.
pub(crate) fn left_by(state: &State, person: PersonId) -> Vec<proto::LeftTask> {
    let stays =
        |who: &PersonId| *who != person && state.people.get(who).is_some_and(|entry| !entry.suspended);
    let left = |task: &Task| proto::LeftTask {
        conversation: task.id.conversation.value(),
        sequence: task.id.sequence.0,
        due: task.due.map_or(0, |due| due.0),
        overdue: task.overdue,
        successor: Some(task.author).filter(stays).map_or(0, PersonId::value),
    };
    let ids = state.tasks.had_by(person).take(limits::TASKS_LEFT_SHOWN_MAX);
    ids.filter_map(|id| state.tasks.get(id)).map(left).collect()
}
