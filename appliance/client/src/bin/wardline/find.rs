//! Whom or what a person means by a part of a name.

use wardline_client::event::{Conversation, Kind, Person};
use wardline_client::{ConversationId, PersonId};

use crate::exit::Failure;
use crate::say;

/// Who or where.
pub(crate) enum Target {
    Person(PersonId),
    Conversation(ConversationId),
}

/// Sixteen hexadecimal digits.
fn identifier(text: &str) -> Option<u64> {
    (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

/// How well a text fits a name: 3 is it, 2 begins one of its words, 1 stands anywhere in it.
fn fit(name: &str, wanted: &str) -> u8 {
    let name = name.to_lowercase();
    let begins_a_word =
        |(at, _): (usize, &str)| !name[..at].chars().next_back().is_some_and(char::is_alphanumeric);
    if name == wanted {
        3
    } else if name.match_indices(wanted).any(begins_a_word) {
        2
    } else {
        name.contains(wanted).into()
    }
}

/// The one name that `text` fits best.
fn one_of<'a, T>(text: &str, all: impl Iterator<Item = (&'a str, T)>, none: &str) -> Result<T, Failure> {
    let wanted = text.trim().to_lowercase();
    let mut found: Vec<(u8, &str, T)> = all.map(|(name, it)| (fit(name, &wanted), name, it)).collect();
    let best = found.iter().map(|(fit, ..)| *fit).max().filter(|fit| *fit > 0 && !wanted.is_empty());
    found.retain(|(fit, ..)| Some(*fit) == best);
    if found.len() > 1 {
        let names: Vec<String> = found.iter().take(8).map(|(_, name, _)| say::clean_line(name)).collect();
        let names = names.join(", ");
        return Err(Failure::Usage(format!("{text} fits several: {names}. Write more of the name.")));
    }
    found.pop().map(|(_, _, it)| it).ok_or_else(|| Failure::Usage(format!("{text}: {none}")))
}

/// A person of the directory.
pub(crate) fn person(people: &[Person], text: &str) -> Result<PersonId, Failure> {
    if let Some(id) = identifier(text).and_then(PersonId::new) {
        return Ok(id);
    }
    let names = people.iter().map(|person| (person.name.as_str(), person.id));
    one_of(text, names, "there is nobody of this name in the directory.")
}

/// A person who can be written to, or a conversation.
pub(crate) fn target(
    me: PersonId,
    people: &[Person],
    conversations: &[Conversation],
    text: &str,
) -> Result<Target, Failure> {
    if let Some(value) = identifier(text) {
        let is_person = people.iter().any(|person| person.id.value() == value);
        let target = if is_person {
            PersonId::new(value).map(Target::Person)
        } else {
            ConversationId::new(value).map(Target::Conversation)
        };
        return target.ok_or_else(|| Failure::Usage(format!("{text} is no identifier.")));
    }
    let people = people.iter().filter(|person| person.id != me && !person.suspended);
    let people = people.map(|person| (person.name.as_str(), Target::Person(person.id)));
    let groups = conversations.iter().filter(|c| c.kind != Kind::Direct && !c.purged);
    let groups = groups.map(|c| (c.title.as_str(), Target::Conversation(c.id)));
    one_of(text, people.chain(groups), "there is no person or conversation of this name.")
}

/// The direct conversation of these two, if this device knows of one.
pub(crate) fn direct(
    me: PersonId,
    conversations: &[Conversation],
    person: PersonId,
) -> Option<ConversationId> {
    let has = |c: &Conversation, who| c.members.iter().any(|member| member.person == who);
    let both = |c: &&Conversation| c.kind == Kind::Direct && has(c, me) && has(c, person);
    conversations.iter().find(both).map(|conversation| conversation.id)
}

/// What a conversation is called here: its title, or the other one's name.
pub(crate) fn title(me: PersonId, people: &[Person], conversation: &Conversation) -> String {
    if !conversation.title.is_empty() {
        return say::clean_line(&conversation.title);
    }
    let other = conversation.members.iter().find(|member| member.person != me);
    other.map_or_else(|| format!("(conversation {})", conversation.id), |other| name(people, other.person))
}

/// Somebody's name.
pub(crate) fn name(people: &[Person], id: PersonId) -> String {
    let known = people.iter().find(|person| person.id == id);
    known.map_or_else(|| format!("(person {id})"), |person| say::clean_line(&person.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(names: &[&str]) -> Vec<Person> {
        let person = |(id, name): (usize, &&str)| Person {
            id: PersonId::new(id as u64 + 1).unwrap(),
            name: (*name).to_owned(),
            title: String::new(),
            suspended: false,
            administrator: false,
        };
        names.iter().enumerate().map(person).collect()
    }

    #[test]
    fn a_part_that_fits_one_alone_is_enough() {
        let all = people(&["Ana Ruiz", "Ben Okafor", "Ana Ruiz-Gomez", "Dana Petrov"]);
        assert_eq!(person(&all, "oka").unwrap().value(), 2);
        assert_eq!(person(&all, "ana ruiz").unwrap().value(), 1);
        assert_eq!(person(&all, "0000000000000009").unwrap().value(), 9);
        assert!(person(&all, "ana").unwrap_err().to_string().contains("fits several"));
        assert_eq!(person(&all, "gom").unwrap().value(), 3);
        assert_eq!(person(&all, "dan").unwrap().value(), 4);
        assert!(person(&all, "").is_err());
        assert!(person(&all, "carl").unwrap_err().to_string().contains("nobody"));
    }
}
