//! What people do to tasks, and what time does.

use crate::access::{self, Operation, Permit, Relation, Relations};
use crate::alteration;
use crate::audit::Act;
use crate::channel;
use crate::conversation::{Conversation, Kind};
use crate::draft::{Draft, actor};
use crate::escalation::{Reason, StatId};
use crate::ids::{Change, Conn, ConversationId, PersonId, RequestId};
use crate::limits;
use crate::refusal::Refusal;
use crate::relay::Room;
use crate::session::Ready;
use crate::state::State;
use crate::task::{Answer, Assignee, Standing, Task, TaskAsk, TaskRefusal, told};
use crate::time::Wall;
use crate::turn::{Event, Send};
use crate::wire::proto::{self, event::Kind as News, server_frame::Body};
use crate::write::Write;

/// Decides a request of a signed-in person.
pub(crate) fn handle(
    draft: &mut Draft<'_>,
    (conn, request): (Conn, RequestId),
    who: &Ready,
    ask: TaskAsk,
) -> Result<(), Refusal> {
    let body = match ask {
        TaskAsk::Give { message, to, due, found } => {
            let kept = alteration::kept(draft, who, message, found)?;
            let permit = access::permit(Operation::GiveTask, access::MEMBER, actor(who))?;
            if kept.standing.recalled {
                return Err(Refusal::MessageRecalled);
            }
            give(draft, permit, who.person(), message, to, due)?
        }
        TaskAsk::Answer { task, answer } => answered(draft, who, task, answer)?,
        TaskAsk::Reassign { task, to, due } => reassign(draft, who, task, to, due)?,
        TaskAsk::List { conversation, after } => list(draft, who, conversation, after)?,
    };
    draft.send(Send::Reply { conn, request, body });
    Ok(())
}

fn give(
    draft: &mut Draft<'_>,
    permit: Permit,
    author: PersonId,
    id: StatId,
    to: Assignee,
    due: Option<Wall>,
) -> Result<Body, Refusal> {
    let Some(place) = draft.state.conversations.get(&id.conversation) else {
        return Err(Refusal::NoSuchConversation);
    };
    // Of an announcement everybody would see a reader's name, and be woken by it.
    if matches!(place.kind, Kind::Family | Kind::Broadcast) {
        return Err(Refusal::Task(TaskRefusal::NotHere));
    }
    if let Some(open) = draft.state.tasks.get(id) {
        // Sent again because its answer was lost.
        let same = (open.author, open.to, open.due) == (author, to, due) && open.standing == Standing::Open;
        return if same { Ok(done()) } else { Err(Refusal::Task(TaskRefusal::There)) };
    }
    channel::takes_more(place)?;
    may_be_theirs(draft.state, draft.now.wall, place, id, to)?;
    may_be_due(draft.now.wall, due)?;
    has_room(draft.state, id, author, to)?;
    if draft.room < Room::Plenty {
        return Err(Refusal::DiskLow);
    }
    let now = draft.now.wall;
    let task = Task {
        id,
        author,
        to,
        given: now,
        due,
        due_set: now,
        standing: Standing::Open,
        overdue: false,
        changed: Change(0),
    };
    set(draft, permit, task, Deed::Given);
    Ok(done())
}

fn answered(draft: &mut Draft<'_>, who: &Ready, id: StatId, answer: Answer) -> Result<Body, Refusal> {
    let task = open_to(draft, who, id)?;
    let (by, at) = (who.person(), draft.now.wall);
    let operation = match answer {
        Answer::Withdraw => Operation::WithdrawTask,
        Answer::Take | Answer::Done | Answer::Decline(_) => Operation::AnswerTask,
    };
    let permit = access::permit(operation, relations(draft.state, at, by, &task), actor(who))?;
    let standing = match answer {
        Answer::Take if task.taken_by() == Some(by) => return Ok(done()),
        Answer::Decline(reason) if declined(&task) == Some((by, reason)) => return Ok(done()),
        Answer::Take => Standing::Taken { by, at },
        Answer::Done => Standing::Done { by, at },
        Answer::Decline(reason) => Standing::Declined { by, at, reason },
        Answer::Withdraw => Standing::Withdrawn { by: Some(by), at },
    };
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    set(draft, permit, Task { standing, ..task }, Deed::Stands);
    Ok(done())
}

fn declined(task: &Task) -> Option<(PersonId, Reason)> {
    match task.standing {
        Standing::Declined { by, reason, .. } => Some((by, reason)),
        _ => None,
    }
}

fn reassign(
    draft: &mut Draft<'_>,
    who: &Ready,
    id: StatId,
    to: Assignee,
    due: Option<Wall>,
) -> Result<Body, Refusal> {
    let task = open_to(draft, who, id)?;
    let now = draft.now.wall;
    let is = relations(draft.state, now, who.person(), &task);
    let permit = access::permit(Operation::ReassignTask, is, actor(who))?;
    let due_now = due.or(task.due);
    if (task.to, task.due, task.standing) == (to, due_now, Standing::Open) {
        return Ok(done());
    }
    let Some(place) = draft.state.conversations.get(&id.conversation) else {
        return Err(Refusal::NoSuchConversation);
    };
    may_be_theirs(draft.state, now, place, id, to)?;
    if due.is_some() && due != task.due {
        may_be_due(now, due)?;
    }
    if task.to != to {
        bounded(of_assignee(draft.state, to))?;
    }
    if draft.room == Room::Scarce {
        return Err(Refusal::DiskLow);
    }
    let renewed = due_now != task.due;
    let task = Task {
        to,
        due: due_now,
        due_set: if renewed { now } else { task.due_set },
        overdue: task.overdue && !renewed,
        standing: Standing::Open,
        ..task
    };
    set(draft, permit, task, Deed::Reassigned);
    Ok(done())
}

/// Those of a conversation, or theirs: a page in the order of conversations and places.
fn list(
    draft: &Draft<'_>,
    who: &Ready,
    conversation: Option<ConversationId>,
    after: Option<StatId>,
) -> Result<Body, Refusal> {
    let me = who.person();
    access::permit(Operation::ListTasks, access::STAFF, actor(who))?;
    let mut ids: Vec<StatId> = match conversation {
        Some(id) => {
            draft.conversation_of(who, id)?;
            draft.state.tasks.of_conversation(id).map(|task| task.id).collect()
        }
        None => told::of_person(draft.state, draft.now.wall, me),
    };
    ids.retain(|id| after.is_none_or(|after| *id > after) && told::reads(draft.state, me, *id));
    let end = ids.len() <= limits::TASKS_PAGE_MAX;
    ids.truncate(limits::TASKS_PAGE_MAX);
    let tasks = ids.iter().filter_map(|id| draft.state.tasks.get(*id)).map(Task::to_wire).collect();
    Ok(Body::TaskPage(proto::TaskPage { tasks, end }))
}

/// The task, if the person may read its message.
fn open_to(draft: &Draft<'_>, who: &Ready, id: StatId) -> Result<Task, Refusal> {
    draft.conversation_of(who, id.conversation)?;
    let task = draft.state.tasks.get(id).filter(|task| told::reads(draft.state, who.person(), task.id));
    task.cloned().ok_or(Refusal::Task(TaskRefusal::NoSuchTask))
}

/// What somebody who may read it is to a task.
fn relations(state: &State, now: Wall, person: PersonId, task: &Task) -> Relations {
    let has = told::has(state, now, task);
    let can = has.iter().any(|who| told::reads(state, *who, task.id) && !is_out(state, *who));
    Relations::when(task.author == person, Relation::Author)
        .and(Relations::when(has.contains(&person), Relation::Assignee))
        .and(Relations::when(!can, Relation::StandIn))
}

fn is_out(state: &State, person: PersonId) -> bool {
    state.people.get(&person).is_none_or(|entry| entry.suspended)
}

/// Whoever is to do it can read it.
fn may_be_theirs(
    state: &State,
    now: Wall,
    place: &Conversation,
    id: StatId,
    to: Assignee,
) -> Result<(), Refusal> {
    let reads = |person: PersonId| place.member(person).is_some_and(|member| member.from <= id.sequence);
    match to {
        Assignee::Person(person) => {
            let may = reads(person) && !is_out(state, person);
            if may { Ok(()) } else { Err(Refusal::Task(TaskRefusal::NotReader)) }
        }
        Assignee::Role(role) => {
            let role = state.roles.get(&role).ok_or(Refusal::NoSuchRole)?;
            let held = role.holders(state, now).any(reads);
            if held { Ok(()) } else { Err(Refusal::Task(TaskRefusal::RoleUnheld)) }
        }
    }
}

fn may_be_due(now: Wall, due: Option<Wall>) -> Result<(), Refusal> {
    let may = due.is_none_or(|due| due > now && due <= now.after(limits::TASK_AHEAD_MAX_MS));
    if may { Ok(()) } else { Err(Refusal::Task(TaskRefusal::Due)) }
}

/// Neither the conversation nor one of the two has too many.
fn has_room(state: &State, id: StatId, author: PersonId, to: Assignee) -> Result<(), Refusal> {
    bounded(state.tasks.of_conversation(id.conversation).count())?;
    bounded(state.tasks.given_by(author).count())?;
    bounded(of_assignee(state, to))
}

fn of_assignee(state: &State, to: Assignee) -> usize {
    match to {
        Assignee::Person(person) => state.tasks.had_by(person).count(),
        Assignee::Role(role) => state.tasks.of_role(role).count(),
    }
}

fn bounded(count: usize) -> Result<(), Refusal> {
    if count < limits::TASKS_OPEN_MAX { Ok(()) } else { Err(Refusal::Task(TaskRefusal::Many)) }
}

fn done() -> Body {
    Body::Done(proto::Done {})
}

/// What is recorded.
enum Deed {
    Given,
    Reassigned,
    Overdue,
    /// What stands in it.
    Stands,
}

/// Writes it, records it, and tells whoever reads its message.
fn set(draft: &mut Draft<'_>, permit: Permit, task: Task, deed: Deed) {
    let (id, told) = (task.id, task.to_wire());
    let (place, sequence) = (id.conversation, id.sequence);
    let act = match deed {
        Deed::Given => Act::TaskGiven(place, sequence, task.to),
        Deed::Reassigned => Act::TaskReassigned(place, sequence, task.to),
        Deed::Overdue => Act::TaskOverdue(place, sequence),
        Deed::Stands => Act::TaskAnswered(place, sequence, task.standing.number()),
    };
    let change = draft.write(Write::TaskSet(Box::new(task)));
    draft.record(permit.by(), act);
    let conns = alteration::readers(draft, id);
    if !conns.is_empty() {
        let event = Event::Small(Box::new(News::Task(told)));
        draft.send(Send::Fanout { change, event, conns });
    }
}

/// It was not done in time: once said to everybody who reads it, and to each device of whoever is to do it or gave it, locked or not: no
/// word of what it is.
pub(crate) fn overdue(draft: &mut Draft<'_>, id: StatId) {
    let Some(task) = draft.state.tasks.get(id).filter(|task| task.awaits().is_some()).cloned() else {
        return;
    };
    let mut people = match task.standing {
        // Theirs no more.
        Standing::Declined { .. } => Vec::new(),
        _ => told::has(draft.state, draft.now.wall, &task),
    };
    people.push(task.author);
    people.sort_unstable();
    people.dedup();
    people.retain(|person| told::reads(draft.state, *person, id));
    set(draft, Permit::OF_TIME, Task { overdue: true, ..task }, Deed::Overdue);
    let conns = people.into_iter().flat_map(|person| draft.phones.of(draft.state, person));
    let told = proto::TaskOverdue { conversation: id.conversation.value(), sequence: id.sequence.0 };
    for conn in conns.collect::<Vec<Conn>>() {
        draft.send(Send::Reply { conn, request: RequestId::NONE, body: Body::TaskOverdue(told) });
    }
}

/// Ends what nobody can do or take back any more: of a thread that was put away, of a group that everybody has left.
pub(crate) fn close_forlorn(draft: &mut Draft<'_>) {
    let forlorn = |task: &&Task| {
        let place = draft.state.conversations.get(&task.id.conversation);
        place.is_none_or(|place| !place.present().any(|(_, member)| member.from <= task.id.sequence))
    };
    let forlorn: Vec<Task> = draft.state.tasks.all().filter(forlorn).cloned().collect();
    for task in forlorn {
        let standing = Standing::Withdrawn { by: None, at: draft.now.wall };
        set(draft, Permit::OF_TIME, Task { standing, ..task }, Deed::Stands);
    }
}
