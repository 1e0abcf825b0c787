//! `wardline task`: what is given somebody to do, and what becomes of it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wardline_client::beside::Beside;
use wardline_client::event::{Conversation, Person};
use wardline_client::roles::RoleCalls as _;
use wardline_client::stat::Reason;
use wardline_client::tasks::{For, Stands, Task, TaskCalls as _, Word};
use wardline_client::{Calls as _, ConversationId, PersonId, Sequence};

use crate::access::Access;
use crate::exit::Failure;
use crate::stat::Why;
use crate::{Common, alter, find, json, say, until};

#[derive(Subcommand)]
pub(crate) enum Act {
    /// Give somebody of a conversation something to do: in words, which are sent as a message, or what an earlier message says.
    Give {
        /// Where: a person or conversation, a part of the name that fits one alone, or an identifier.
        to: String,
        /// What is to be done.
        #[arg(required_unless_present = "message", conflicts_with = "message")]
        words: Vec<String>,
        /// What the message of this number says: history shows them.
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
        message: Option<u64>,
        #[command(flatten)]
        whom: Whom,
        #[command(flatten)]
        due: Due,
    },
    /// Open tasks: yours, by your roles too, and those that you gave; or all of a conversation.
    List {
        /// Of this conversation.
        place: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// You do it.
    Take(Which),
    /// You did it.
    Done(Which),
    /// You will not: whoever gave it is told.
    Decline {
        #[command(flatten)]
        which: Which,
        /// Why.
        #[arg(long, value_name = "REASON", default_value = "other")]
        because: Why,
    },
    /// Somebody else is to do it.
    Reassign {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        whom: Whom,
        #[command(flatten)]
        due: Due,
    },
    /// Nobody is to do it any more: by whoever gave it.
    Withdraw(Which),
}

#[derive(Args)]
pub(crate) struct Which {
    /// Where.
    place: String,
    /// The number of its message: wardline task list shows it.
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    number: u64,
}

/// A person, or a role.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Whom {
    /// Somebody of the conversation.
    #[arg(long = "for", value_name = "PERSON")]
    person: Option<String>,
    /// Whoever holds this role and is in the conversation.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
}

#[derive(Args)]
pub(crate) struct Due {
    /// Until the clock here shows this next, as in 14:30.
    #[arg(long, value_name = "HH:MM")]
    due: Option<String>,
    /// Within so many minutes: 90 days at most.
    #[arg(long, value_name = "MINUTES", conflicts_with = "due", value_parser = clap::value_parser!(i64).range(1..=129_600))]
    within: Option<i64>,
}

impl Due {
    fn instant(&self) -> Result<Option<i64>, Failure> {
        match (&self.due, self.within) {
            (Some(text), _) => until::next_here(text).map(Some),
            (None, Some(minutes)) => Ok(Some(say::now() + minutes * 60_000)),
            (None, None) => Ok(None),
        }
    }
}

pub(crate) async fn task(common: &Common, act: Act) -> Result<(), Failure> {
    Access::during(common, async |access: &Access| match act {
        Act::Give { to, words, message, whom, due } => {
            give(access, &to, &words.join(" "), message, &whom, &due).await
        }
        Act::List { place, json } => list(access, place.as_deref(), json).await,
        Act::Take(which) => answer(access, &which, Word::Take, "is yours now").await,
        Act::Done(which) => answer(access, &which, Word::Done, "is done").await,
        Act::Decline { which, because } => {
            answer(access, &which, Word::Decline(because.reason()), "is declined, and open still").await
        }
        Act::Withdraw(which) => answer(access, &which, Word::Withdraw, "is withdrawn").await,
        Act::Reassign { which, whom, due } => {
            let about = about(access, &which).await?;
            let (to, name) = meant(access, &whom).await?;
            access.reassign_task(about, to, due.instant()?).await?;
            say::line(&format!("#{} is for {name} now.", which.number))
        }
    })
    .await
}

async fn about(access: &Access, which: &Which) -> Result<(ConversationId, Sequence), Failure> {
    Ok((alter::place(access, &which.place).await?, Sequence(which.number)))
}

async fn meant(access: &Access, whom: &Whom) -> Result<(For, String), Failure> {
    if let Some(text) = &whom.role {
        let role = find::role(&access.roles(None).await?, text)?;
        return Ok((For::Role(role.id), say::clean_line(&role.name)));
    }
    let people = access.people().await?;
    let person = find::person(&people, whom.person.as_deref().unwrap_or_default())?;
    Ok((For::Person(person), find::name(&people, person)))
}

async fn give(
    access: &Access,
    to: &str,
    words: &str,
    message: Option<u64>,
    whom: &Whom,
    due: &Due,
) -> Result<(), Failure> {
    // Whatever can be wrong is found before anything is said.
    let (place, due) = (alter::place(access, to).await?, due.instant()?);
    let (to, name) = meant(access, whom).await?;
    if let (None, For::Person(person)) = (message, &to) {
        must_read(access, place, *person, &name).await?;
    }
    let sequence = match message {
        Some(number) => Sequence(number),
        None => access.send(place, words, Beside::default()).await?.outcome().await?.sequence,
    };
    if let Err(error) = access.give_task((place, sequence), to, due).await {
        if message.is_none() {
            say::note(&format!(
                "The message was sent as #{}, and is nobody's task. To give it: wardline task give … --message {}",
                sequence.0, sequence.0
            ));
        }
        return Err(error.into());
    }
    let by = due.map_or(String::new(), |due| format!(", by {}", say::time(due)));
    say::line(&format!("#{} is for {name}{by}.", sequence.0))
}

/// An instruction that nobody is given would stand there as if somebody were.
async fn must_read(
    access: &Access,
    place: ConversationId,
    person: PersonId,
    name: &str,
) -> Result<(), Failure> {
    let (_, conversations) = access.look().await?;
    let known = conversations.iter().find(|conversation| conversation.id == place);
    if known.is_none_or(|known| known.members.iter().any(|member| member.person == person)) {
        return Ok(());
    }
    Err(Failure::Refused(format!(
        "{name} is not in this conversation. Nothing was sent. Add them first, or give it to somebody else."
    )))
}

async fn answer(access: &Access, which: &Which, word: Word, what: &str) -> Result<(), Failure> {
    access.answer_task(about(access, which).await?, word).await?;
    say::line(&format!("#{} {what}.", which.number))
}

async fn list(access: &Access, place: Option<&str>, as_json: bool) -> Result<(), Failure> {
    let place = match place {
        Some(place) => Some(alter::place(access, place).await?),
        None => None,
    };
    let mut tasks = access.tasks(place).await?;
    tasks.sort_by_key(|task| (task.due.unwrap_or(i64::MAX), task.given));
    if as_json {
        return tasks.iter().try_for_each(|task| json::print(&to_json(task)));
    }
    if tasks.is_empty() {
        say::note("No task is open.");
        return Ok(());
    }
    let (people, conversations) = access.look().await?;
    let roles = access.roles(None).await?;
    let role = |id| roles.iter().find(|role| role.id == id).map(|role| say::clean_line(&role.name));
    let me = access.identity().person;
    for task in &tasks {
        let title = title(me, &people, &conversations, task.conversation);
        let line = line(task, me, |id| find::name(&people, id), role);
        let text = what(access, task).await?;
        say::told(&say::spoken(&format!("#{} [{title}] {line}", task.sequence.0), &text))?;
    }
    Ok(())
}

/// What its message says: a look at it, which is recorded.
async fn what(access: &Access, task: &Task) -> Result<String, Failure> {
    let page = access.history(task.conversation, Sequence(task.sequence.0 + 1), 1).await?;
    let message = page.messages.into_iter().find(|message| message.sequence == task.sequence);
    Ok(message.map_or_else(String::new, |message| message.text))
}

fn title(me: PersonId, people: &[Person], all: &[Conversation], id: ConversationId) -> String {
    let known = all.iter().find(|conversation| conversation.id == id);
    known.map_or_else(|| id.to_string(), |conversation| find::title(me, people, conversation))
}

/// How a task stands, without what is to be done.
pub(crate) fn line(
    task: &Task,
    me: PersonId,
    name: impl Fn(PersonId) -> String,
    role: impl Fn(wardline_client::RoleId) -> Option<String>,
) -> String {
    let who = |person: PersonId| if person == me { "you".to_owned() } else { name(person) };
    let to = match task.to {
        For::Person(person) => who(person),
        For::Role(id) => role(id).unwrap_or_else(|| "a role".to_owned()),
    };
    let by = task.by.map_or_else(|| "the box: nobody was left".to_owned(), who);
    let stands = match task.stands {
        Stands::Open => String::new(),
        Stands::Taken => format!(", taken by {by}"),
        Stands::Declined(reason) => format!(", declined by {by}{}", reason.map_or("", because)),
        Stands::Done => format!(", done by {by} at {}", say::time(task.at)),
        Stands::Withdrawn => format!(", withdrawn by {by}"),
        _ => String::new(),
    };
    let due = task.due.map_or(String::new(), |due| format!(", due {}", say::time(due)));
    let late = if task.overdue { ", overdue" } else { "" };
    format!("task for {to}, from {}{due}{late}{stands}", who(task.author))
}

fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::Busy => " (busy)",
        Reason::NotMine => " (not theirs)",
        Reason::OffDuty => " (off duty)",
        _ => "",
    }
}

/// For whoever was to do it, and whoever gave it.
pub(crate) fn overdue_line(number: Sequence, title: &str) -> String {
    format!("-- a task is overdue: #{} [{title}]. See wardline task list.", number.0)
}

pub(crate) fn to_json(task: &Task) -> Value {
    let (person, role) = match task.to {
        For::Person(person) => (Some(person.to_string()), None),
        For::Role(role) => (None, Some(role.to_string())),
    };
    let (stands, reason) = match task.stands {
        Stands::Open => ("open", None),
        Stands::Taken => ("taken", None),
        Stands::Declined(reason) => ("declined", reason),
        Stands::Done => ("done", None),
        Stands::Withdrawn => ("withdrawn", None),
        _ => ("other", None),
    };
    json!({
        "event": "task",
        "conversation": task.conversation.to_string(),
        "sequence": task.sequence.0,
        "author": task.author.to_string(),
        "person": person,
        "role": role,
        "given": task.given,
        "due": task.due,
        "stands": stands,
        "by": task.by.map(|by| by.to_string()),
        "at": task.at,
        "reason": reason.map(Reason::number),
        "overdue": task.overdue,
    })
}
