//! `wardline suspensions`: charge nurses' suspensions, for administrators; and what whoever is suspended leaves behind.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use wardline_client::event::Person;
use wardline_client::leaving::{LeavingCalls, LeftBehind, Suspension};
use wardline_client::roles::RoleCalls as _;
use wardline_client::{Calls, LocalBox, PersonId};

use crate::access::{Access, Parting};
use crate::exit::Failure;
use crate::{Common, find, json, say};

#[derive(Args)]
pub(crate) struct Suspensions {
    /// On the box itself: its local socket.
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Those that no administrator has confirmed yet. After a day they are overdue; the person stays out all the same.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// It was right: the person stays out.
    Confirm {
        /// Whose: a part of the name that fits one alone, or the identifier.
        person: String,
    },
    /// It was not: the person may sign in again. Beds and roles do not come back by themselves.
    Reverse {
        /// Whose.
        person: String,
    },
}

pub(crate) async fn suspensions(common: &Common, suspensions: Suspensions) -> Result<(), Failure> {
    if let Some(socket) = &suspensions.socket {
        return act(&LocalBox::connect(socket).await?, suspensions.act).await;
    }
    let access = Access::open(common).await?;
    let done = match access.contact(common).await {
        Ok(()) => act(&access, suspensions.act).await,
        Err(failure) => Err(failure),
    };
    access.leave(Parting::default()).await;
    done
}

async fn act(door: &impl Calls, act: Act) -> Result<(), Failure> {
    let people = door.people().await?;
    let (person, confirmed) = match act {
        Act::List { json } => return list(door, &people, json).await,
        Act::Confirm { person } => (find::person(&people, &person)?, true),
        Act::Reverse { person } => (find::person(&people, &person)?, false),
    };
    door.decide_suspension(person, confirmed).await?;
    let what = if confirmed { "stays out" } else { "may sign in again" };
    say::line(&format!("{} {what}.", find::name(&people, person)))
}

async fn list(door: &impl Calls, people: &[Person], as_json: bool) -> Result<(), Failure> {
    let mut found = door.suspensions().await?;
    found.sort_by_key(|one| (one.since, one.person));
    if found.is_empty() && !as_json {
        say::note("No suspension waits for an administrator.");
    }
    found.iter().try_for_each(|one| if as_json { print(one) } else { show(one, people) })
}

fn show(one: &Suspension, people: &[Person]) -> Result<(), Failure> {
    let (name, by) = (find::name(people, one.person), find::name(people, one.by));
    let overdue = if one.overdue { "  for more than a day" } else { "" };
    say::line(&format!("{}  {name}, by {by}, since {}{overdue}", one.person, say::time(one.since)))
}

fn print(one: &Suspension) -> Result<(), Failure> {
    json::print(&json!({
        "event": "suspension",
        "person": one.person.to_string(),
        "by": one.by.to_string(),
        "since": one.since,
        "overdue": one.overdue,
    }))
}

/// For an administrator's chat and tail.
pub(crate) fn waiting_line(waiting: u32, overdue: u32) -> String {
    let late = if overdue > 0 { format!(", {overdue} of them for more than a day") } else { String::new() };
    match waiting {
        0 => "No suspension waits for an administrator any more.".to_owned(),
        1 => format!("One suspension waits for an administrator{late}: wardline suspensions list"),
        n => format!("{n} suspensions wait for an administrator{late}: wardline suspensions list"),
    }
}

/// What is left behind, each with whom to give it to.
pub(crate) async fn show_left(
    door: &impl Calls,
    people: &[Person],
    left: &LeftBehind,
) -> Result<(), Failure> {
    if left.waits {
        say::note(
            "An administrator confirms or reverses it within a day; until then, and after, they stay out.",
        );
    }
    if left.is_nothing() {
        return Ok(());
    }
    let (units, roles) = (door.units().await?, door.roles(None).await?);
    let whom = |successor: Option<PersonId>| match successor {
        Some(person) => format!("give it to {}?", find::name(people, person)),
        None => "nobody was found for it".to_owned(),
    };
    let unit_name = |unit| {
        let known = units.iter().find(|known| known.id == unit);
        known.map_or_else(|| unit.to_string(), |known| say::clean_line(&known.name))
    };
    say::line("Left behind:")?;
    for role in &left.roles {
        let known = roles.iter().find(|known| known.id == role.role);
        let name = known.map_or_else(|| role.role.to_string(), |known| say::clean_line(&known.name));
        let when = if role.now { "held now" } else { "in its rota later" };
        say::line(&format!("  role   {name} ({when}): {}", whom(role.successor)))?;
    }
    for shift in &left.shifts {
        let beds = if shift.beds.is_empty() { "every bed".to_owned() } else { shift.beds.join(", ") };
        let (beds, until) = (say::clean_line(&beds), say::time(shift.until));
        say::line(&format!(
            "  beds   {}, {beds} until {until}: {}",
            unit_name(shift.unit),
            whom(shift.successor)
        ))?;
    }
    for stat in &left.stats {
        let (place, sequence) = (stat.conversation, stat.sequence.0);
        say::line(&format!("  STAT   {place}#{sequence} rings again: {}", whom(stat.successor)))?;
    }
    for task in &left.tasks {
        let (place, sequence) = (task.conversation, task.sequence.0);
        let due = task.due.map_or(String::new(), |due| format!(" due {}", say::time(due)));
        let late = if task.overdue { ", overdue" } else { "" };
        let whom = match task.successor {
            Some(person) => format!("{} gave it, and gives it to somebody else", find::name(people, person)),
            None => "any member of its conversation gives it to somebody else".to_owned(),
        };
        say::line(&format!("  task   {place}#{sequence}{due}{late}: {whom}"))?;
    }
    Ok(())
}
