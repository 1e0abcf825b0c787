//! `wardline role write`, `readers`, `inbox`, `done`: what is written to whoever holds a role.

use serde_json::json;
use wardline_client::beside::Beside;
use wardline_client::event::{Conversation, Kind, Person};
use wardline_client::inboxes::{GapAhead, InboxCalls, Readers};
use wardline_client::roles::{Role, RoleCalls};
use wardline_client::{Calls as _, Error, PersonId};

use crate::access::Access;
use crate::exit::Failure;
use crate::{find, json, say, send};

pub(super) async fn write(
    access: &Access,
    role: &str,
    text: &str,
    yes: bool,
    as_json: bool,
) -> Result<(), Failure> {
    let role = find::role(&access.roles(None).await?, role)?;
    let text = if text == "-" { send::from_standard_input()? } else { text.to_owned() };
    let (readers, people) = (access.role_readers(role.id).await?, access.people().await?);
    let told = words(&role, &readers, &people);
    if is_unheld(&readers) && !yes {
        return Err(Failure::Refused(format!(
            "{told} Nothing is sent yet: the same with --yes sends it. What cannot wait is a STAT, or a telephone call."
        )));
    }
    say::note(&told);
    let place = access.open_role_inbox(role.id).await?;
    let mut sent = access.send(place.id, &text, Beside::reply(None)).await?;
    let accepted = say::patiently("Waiting for the box to take it …", sent.outcome()).await?;
    if as_json {
        return json::print(&json::accepted(&accepted));
    }
    say::line(&format!("Accepted as #{} at {}.", accepted.sequence.0, say::time(accepted.at)))
}

pub(super) async fn readers(access: &Access, role: &str, as_json: bool) -> Result<(), Failure> {
    let role = find::role(&access.roles(None).await?, role)?;
    let readers = access.role_readers(role.id).await?;
    if as_json {
        let list = |people: &[PersonId]| people.iter().map(ToString::to_string).collect::<Vec<_>>();
        return json::print(&json!({
            "event": "role_readers",
            "role": role.id.to_string(),
            "holders": list(&readers.holders),
            "cover": list(&readers.cover),
            "next": readers.next.map(|next| next.0),
            "own": readers.own,
            "conversation": readers.conversation.map(|id| id.to_string()),
        }));
    }
    say::line(&words(&role, &readers, &access.people().await?))
}

fn is_unheld(readers: &Readers) -> bool {
    readers.holders.is_empty() && !readers.own
}

/// Who reads it, or where it goes.
fn words(role: &Role, readers: &Readers, people: &[Person]) -> String {
    let role = say::clean_line(&role.name);
    let named = |people_of: &[PersonId]| {
        let names: Vec<String> = people_of.iter().map(|person| find::name(people, *person)).collect();
        names.join(", ")
    };
    match (&readers.holders[..], &readers.cover[..]) {
        ([], _) if readers.own => {
            format!("{role} is you: nobody else reads this until somebody else holds it.")
        }
        ([], cover) => {
            let next = match readers.next {
                Some(next) => format!("Somebody holds it from {}, and reads it then.", say::time(next.0)),
                None => "Nobody is to hold it in the next two weeks.".to_owned(),
            };
            let goes = match cover {
                [] => "Nobody looks after it: it waits.".to_owned(),
                cover => format!("It goes to {}, who may not see it at once.", named(cover)),
            };
            format!("Nobody holds {role} now. {goes} {next}")
        }
        (holders, _) => format!("{role} is {}.", named(holders)),
    }
}

/// Before something more is said in one's own conversation with a role: who reads it now.
pub(crate) async fn who_reads(
    calls: &(impl RoleCalls + InboxCalls),
    place: &Conversation,
    people: &[Person],
) -> Result<Option<String>, Error> {
    let roles = calls.roles(None).await?;
    for role in roles.iter().filter(|role| !role.retired && role.name == place.title) {
        let readers = calls.role_readers(role.id).await?;
        if readers.conversation == Some(place.id) {
            return Ok(Some(words(role, &readers, people)));
        }
    }
    Ok(None)
}

pub(super) async fn list(
    access: &Access,
    role: Option<&str>,
    done: bool,
    as_json: bool,
) -> Result<(), Failure> {
    let (people, conversations) = access.look().await?;
    let me = access.identity().person;
    let mut inboxes: Vec<Conversation> = conversations.into_iter().filter(is_one).collect();
    inboxes.retain(|place| done || !place.archived);
    if let Some(role) = role {
        let wanted = role.trim().to_lowercase();
        inboxes.retain(|place| place.title.to_lowercase().contains(&wanted));
    }
    // To oneself as a holder before what one wrote.
    inboxes.sort_by_key(|place| (place.writer == Some(me), place.title.clone(), place.last));
    if inboxes.is_empty() && !as_json {
        say::note(
            "Nothing is written to a role that you hold, nor by you to one: wardline role write ROLE TEXT",
        );
    }
    inboxes.iter().try_for_each(|place| {
        if as_json { json::print(&json::conversation(place)) } else { say::line(&line(me, &people, place)) }
    })
}

fn is_one(place: &Conversation) -> bool {
    place.kind == Kind::Role && !place.purged
}

fn line(me: PersonId, people: &[Person], place: &Conversation) -> String {
    let title = find::title(me, people, place);
    let others = place.members.iter().map(|member| member.person).filter(|who| *who != me);
    let others: Vec<String> =
        others.filter(|who| Some(*who) != place.writer).map(|who| find::name(people, who)).collect();
    let with = match (place.archived, place.writer == Some(me), &others[..]) {
        (true, ..) => ": done".to_owned(),
        (false, true, []) => ": nobody reads it now".to_owned(),
        (false, true, others) => format!(": read by {}", others.join(", ")),
        (false, false, []) => String::new(),
        (false, false, others) => format!(", with {}", others.join(", ")),
    };
    let mine = place.members.iter().find(|member| member.person == me);
    let unread = mine.map_or(0, |mine| place.last.0.saturating_sub(mine.read.0));
    let unread = if unread > 0 { format!("  {unread} unread") } else { String::new() };
    format!("{}  {title}{with}{unread}", place.id)
}

pub(super) async fn done(access: &Access, text: &str, from: Option<&str>) -> Result<(), Failure> {
    let (people, conversations) = access.look().await?;
    let from = from.map(|text| find::person(&people, text)).transpose()?;
    let inboxes = conversations.into_iter().filter(|place| is_one(place) && !place.archived);
    let inboxes: Vec<Conversation> = inboxes.filter(|place| from.is_none() || place.writer == from).collect();
    let place = find::inbox(&people, &inboxes, text)?;
    access.finish_role_inbox(place).await?;
    say::line("Done. Whoever wrote it has it still, and can write to the role again.")
}

/// To a charge nurse of the unit.
pub(crate) fn gap_ahead_line(gap: &GapAhead) -> String {
    let rung = if gap.rung { " An escalation policy rings it." } else { "" };
    format!(
        "-- nobody will hold {} from {} until {}.{rung} Mend it: wardline role set, or wardline role take --for PERSON",
        say::clean_line(&gap.name),
        say::time(gap.start),
        say::time(gap.end)
    )
}
