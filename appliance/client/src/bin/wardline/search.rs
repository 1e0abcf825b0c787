//! `wardline search`: who said it, where, when, and the line with the words.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use wardline_client::event::Message;
use wardline_client::{ConversationId, Searches as _, Wanted, line_with};

use crate::access::Access;
use crate::exit::Failure;
use crate::find::{self, Target};
use crate::{Common, json, say};

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

pub(crate) async fn search(common: &Common, wish: Wish) -> Result<(), Failure> {
    Access::during(common, async |access| tell(access, wish).await).await
}

async fn tell(access: &Access, wish: Wish) -> Result<(), Failure> {
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
    let titles: BTreeMap<ConversationId, String> =
        conversations.iter().map(|known| (known.id, find::title(me, &people, known))).collect();
    for message in &hits.messages {
        let line = line_with(&wish.words, &message.text);
        if wish.json {
            let mut object = json::message(message, me, &people);
            object["event"] = json!("hit");
            object["line"] = json!(line);
            json::print(&object)?;
        } else {
            let place = titles.get(&message.conversation).cloned();
            let place = place.unwrap_or_else(|| format!("(conversation {})", message.conversation));
            let name = find::name(&people, message.sender);
            let head = format!("{place} #{} {} {name}", message.sequence.0, say::time(message.at));
            say::told(&say::spoken(&head, line))?;
        }
    }
    summary(
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
fn summary(last: Option<&Message>, shown: u64, at_least: u64, more: bool, pages: bool) {
    match last {
        None => say::note("Nothing found."),
        Some(last) => {
            if pages || more || at_least > shown {
                let plus = if more { "more than " } else { "" };
                let of = at_least.max(shown);
                say::note(&format!(
                    "{shown} of {plus}{of}: add a word, or --in, --from, --since, to see others."
                ));
            }
            let (place, before) = (last.conversation, last.sequence.0 + 5);
            say::note(&format!("Around the last one: wardline history {place} --before {before} --limit 10"));
        }
    }
}

/// The first moment of a day, here.
fn beginning(day: Date) -> Result<i64, Failure> {
    let begins = TimeZone::system().to_timestamp(day.at(0, 0, 0, 0));
    let begins = begins.map_err(|error| Failure::Usage(format!("{day} is no day: {error}.")))?;
    Ok(begins.as_millisecond())
}
