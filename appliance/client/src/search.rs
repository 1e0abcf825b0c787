//! Looking for words among the messages that the person may read, among people, and among patients whom they may see. The box looks;
//! nothing of it is kept on this device.

use std::future::Future;

use wardline_core::ids::{ConversationId, PersonId, UnitId};
use wardline_core::search::Query;
use wardline_core::wire::proto::{self, client_frame::Body as Ask, server_frame::Body as Answer};

use crate::call::{Call, odd};
use crate::clinical::Bedside;
use crate::error::Error;
use crate::event::{Message, Person};

/// What to look for, and where.
#[derive(Clone, Default)]
pub struct Wanted {
    /// Words as typed: each the beginning of a word, in "quotes" a whole one.
    pub words: String,
    /// In this conversation alone.
    pub conversation: Option<ConversationId>,
    /// Of this author alone.
    pub author: Option<PersonId>,
    /// Said at or after this: milliseconds since 1970.
    pub since: Option<i64>,
    /// Said before this.
    pub until: Option<i64>,
    /// [`Hits::after`] of the page before; empty: the first.
    pub after: Vec<u8>,
    /// 1 to 50.
    pub limit: u32,
}

/// A page of what was found.
pub struct Hits {
    /// The best first, of equal ones the newest. [`crate::Calls::history`] has what was said around one.
    pub messages: Vec<Message>,
    /// For the next page; empty: there is none.
    pub after: Vec<u8>,
    /// So many fit, on all pages together.
    pub at_least: u64,
    /// And more that were not counted.
    pub more: bool,
    /// What is not looked through yet was said after this moment: milliseconds since 1970. `None`: everything was.
    pub incomplete_from: Option<i64>,
}

/// Whom to look for.
#[derive(Clone, Default)]
pub struct Whom {
    /// Words as typed.
    pub words: String,
    /// Among people.
    pub people: bool,
    /// Among patients. Neither: among both.
    pub patients: bool,
    /// Who works in this unit, or lies there.
    pub unit: Option<UnitId>,
    /// Without patients who are discharged.
    pub only_here: bool,
    /// 1 to 50, of each.
    pub limit: u32,
}

/// Who was found: the best first.
pub struct LookedUp {
    /// Of the directory.
    pub people: Vec<Person>,
    /// How many fit.
    pub people_in_all: u32,
    /// Whom the person may see, with their stays; hidden ones by alias.
    pub patients: Vec<Bedside>,
    /// How many stays fit.
    pub patients_in_all: u32,
}

/// Searches, for whoever answers requests.
pub trait Searches: Call {
    /// A page of messages with these words.
    fn search(&self, wanted: &Wanted) -> impl Future<Output = Result<Hits, Error>> + Send {
        let ask = proto::Search {
            words: wanted.words.clone(),
            conversation: wanted.conversation.map_or(0, ConversationId::value),
            author: wanted.author.map_or(0, PersonId::value),
            since: wanted.since.unwrap_or_default(),
            until: wanted.until.unwrap_or_default(),
            after: wanted.after.clone(),
            limit: wanted.limit,
        };
        async move {
            match self.call(Ask::Search(ask)).await? {
                Answer::SearchPage(page) => Ok(Hits {
                    messages: page.hits.into_iter().map(Message::from_wire).collect::<Result<_, _>>()?,
                    after: page.after,
                    at_least: page.at_least,
                    more: page.more,
                    incomplete_from: (!page.complete).then_some(page.indexed_until),
                }),
                other => odd(other),
            }
        }
    }

    /// People, and patients whom the person may see, with these words. It is recorded that somebody searched, not for what.
    fn look_up(&self, whom: &Whom) -> impl Future<Output = Result<LookedUp, Error>> + Send {
        let ask = proto::LookUp {
            words: whom.words.clone(),
            people: whom.people,
            patients: whom.patients,
            unit: whom.unit.map_or(0, UnitId::value),
            only_here: whom.only_here,
            limit: whom.limit,
        };
        async move {
            let found = match self.call(Ask::LookUp(ask)).await? {
                Answer::LookedUp(found) => found,
                other => return odd(other),
            };
            let mut patients = Vec::new();
            for listed in found.patients {
                patients.extend(Bedside::from_wire(listed.patient, listed.encounter)?);
            }
            Ok(LookedUp {
                people: found.people.into_iter().map(Person::from_wire).collect::<Result<_, _>>()?,
                people_in_all: found.people_in_all,
                patients,
                patients_in_all: found.patients_in_all,
            })
        }
    }
}

impl<C: Call> Searches for C {}

/// The line of a message that has the words that were looked for, by the box's own rules; its first line when none has.
pub fn line_with<'t>(words: &str, text: &'t str) -> &'t str {
    match Query::parse(words) {
        Ok(query) => query.line(text),
        Err(_) => text.lines().next().unwrap_or_default(),
    }
}
