//! `wardline search`: people and patients with the words; and who said it, where, when, and the line with the words.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use wardline_client::clinical::{Bedside, Standing};
use wardline_client::event::{Message, Person, Unit};
use wardline_client::orders::{OrderCalls as _, Whose};
use wardline_client::{Calls as _, ConversationId, Searches as _, Wanted, Whom, line_with};

use crate::access::Access;
use crate::exit::Failure;
use crate::find::{self, Target};
use crate::patient::unit_name;
use crate::{Common, json, order, say};

/// What was asked for.
pub(crate) struct Wish {
    pub(crate) words: String,
    pub(crate) within: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) since: Option<Date>,
    pub(crate) until: Option<Date>,
    pub(crate) limit: u32,
    pub(crate) json: bool,
}

/// What is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Kinds {
    pub(crate) people: bool,
    pub(crate) patients: bool,
    pub(crate) messages: bool,
}

/// Where people work and patients lie.
pub(crate) struct Place {
    pub(crate) unit: Option<String>,
    pub(crate) here: bool,
}

pub(crate) async fn search(common: &Common, kinds: Kinds, place: Place, wish: Wish) -> Result<(), Failure> {
    Access::during(common, async |access| {
        let found =
            if kinds.people || kinds.patients { tell_who(access, kinds, &place, &wish).await? } else { 0 };
        if kinds.messages {
            return tell(access, wish, found).await;
        }
        if found == 0 {
            say::note("Nothing found.");
        }
        Ok(())
    })
    .await
}

/// People first, then patients. How many there were.
async fn tell_who(access: &Access, kinds: Kinds, place: &Place, wish: &Wish) -> Result<usize, Failure> {
    let units = access.units().await?;
    let unit = place.unit.as_deref().map(|text| find::unit(&units, text)).transpose()?;
    let whom = Whom {
        words: wish.words.clone(),
        people: kinds.people,
        patients: kinds.patients,
        unit,
        only_here: place.here,
        limit: wish.limit,
    };
    let found = access.look_up(&whom).await?;
    for person in &found.people {
        if wish.json {
            json::print(&json::person(person))?;
        } else {
            say::line(&person_line(person, &units))?;
        }
    }
    for bedside in &found.patients {
        if wish.json {
            let mut value = json!({ "event": "patient" });
            json::about(&mut value, bedside);
            json::print(&value)?;
        } else {
            say::line(&patient_line(bedside, &units))?;
        }
    }
    more(found.people.len(), found.people_in_all, "people");
    more(found.patients.len(), found.patients_in_all, "stays of patients");
    Ok(found.people.len() + found.patients.len())
}

fn more(shown: usize, in_all: u32, what: &str) {
    if in_all as usize > shown {
        say::note(&format!("{shown} of {in_all} {what}: add a word, or --unit, to see others."));
    }
}

fn person_line(person: &Person, units: &[Unit]) -> String {
    let title = if person.title.is_empty() { String::new() } else { format!(", {}", person.title) };
    let posts: String =
        person.posts.iter().map(|post| format!(", {}", unit_name(units, post.unit))).collect();
    let gone = if person.suspended { " (suspended)" } else { "" };
    say::clean_line(&format!("person   {}{title}{posts}{gone}", person.name))
}

fn patient_line(bedside: &Bedside, units: &[Unit]) -> String {
    let Bedside { patient, encounter } = bedside;
    let known = &patient.particulars;
    let who = if patient.hidden {
        format!("{} (restricted)", known.name)
    } else {
        format!("{}, born {}, {}", known.name, known.birth_date, known.record_number)
    };
    let state = match encounter.standing {
        Standing::OnLeave => " (on leave)".to_owned(),
        Standing::Discharged(at) => format!(" (discharged {})", say::time(at)),
        _ => String::new(),
    };
    let (unit, bed, id) = (unit_name(units, encounter.unit), &encounter.bed, encounter.id);
    say::clean_line(&format!("patient  {who}, {unit} {bed}{state}  {id}"))
}

async fn tell(access: &Access, wish: Wish, others: usize) -> Result<(), Failure> {
    let (people, conversations) = access.look().await?;
    let me = access.identity().person;
    let conversation = match &wish.within {
        None => None,
        Some(text) => Some(match find::target(me, &people, &conversations, text)? {
            Target::Conversation(conversation) => conversation,
            Target::Person(person) => find::direct(me, &conversations, person).ok_or_else(|| {
                Failure::Usage(format!("There is no conversation with {}.", find::name(&people, person)))
            })?,
        }),
    };
    let author = wish.from.as_deref().map(|text| find::person(&people, text)).transpose()?;
    let wanted = Wanted {
        words: wish.words.clone(),
        conversation,
        author,
        since: wish.since.map(beginning).transpose()?,
        until: wish.until.map(beginning).transpose()?,
        after: Vec::new(),
        limit: wish.limit,
    };
    let hits = access.search(&wanted).await?;
    // An order must not be taken for a message. A visitor has none, and is not told that there are any.
    let orders = access.orders(Whose::Mine).await.unwrap_or_default();
    let order_of = |message: &Message| {
        orders
            .iter()
            .find(|order| (order.conversation, order.sequence) == (message.conversation, message.sequence))
    };
    let titles: BTreeMap<ConversationId, String> =
        conversations.iter().map(|known| (known.id, find::title(me, &people, known))).collect();
    for message in &hits.messages {
        let line = line_with(&wish.words, &message.text);
        if wish.json {
            let mut object = json::message(message, me, &people);
            object["event"] = json!("hit");
            object["line"] = json!(line);
            json::print(&object)?;
            order_of(message).map_or(Ok(()), |order| json::print(&order::to_json(order)))?;
        } else {
            let place = titles.get(&message.conversation).cloned();
            let place = place.unwrap_or_else(|| format!("(conversation {})", message.conversation));
            let name = find::name(&people, message.sender);
            let head = format!("{place} #{} {} {name}", message.sequence.0, say::time(message.at));
            say::told(&say::spoken(&head, line))?;
            if let Some(order) = order_of(message) {
                say::told(&format!("   > {}", order::line(order, me, |id| find::name(&people, id))))?;
            }
        }
    }
    summary(
        others,
        hits.messages.last(),
        hits.messages.len() as u64,
        hits.at_least,
        hits.more,
        !hits.after.is_empty(),
    );
    if let Some(until) = hits.incomplete_from {
        let until =
            if until > 0 { format!(" Looked through up to {}.", say::time(until)) } else { String::new() };
        say::note(&format!("The box is still working up its messages: there may be more in a while.{until}"));
    }
    Ok(())
}

/// What was not shown, and how to come to what stands around a hit.
fn summary(others: usize, last: Option<&Message>, shown: u64, at_least: u64, more: bool, pages: bool) {
    match last {
        None if others > 0 => {}
        None => say::note("Nothing found."),
        Some(last) => {
            if pages || more || at_least > shown {
                let plus = if more { "more than " } else { "" };
                let of = at_least.max(shown);
                say::note(&format!(
                    "{shown} of {plus}{of}: add a word, or --in, --from, --since, to see others."
                ));
            }
            let (place, sequence) = (last.conversation, last.sequence.0);
            say::note(&format!(
                "Around the last one: wardline history {place} --around {sequence} --limit 10"
            ));
        }
    }
}

/// The first moment of a day, here.
fn beginning(day: Date) -> Result<i64, Failure> {
    let begins = TimeZone::system().to_timestamp(day.at(0, 0, 0, 0));
    let begins = begins.map_err(|error| Failure::Usage(format!("{day} is no day: {error}.")))?;
    Ok(begins.as_millisecond())
}
