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

/// The one of these names that `text` is, or is a part of, alone.
fn one_of<'a, T>(text: &str, all: impl Iterator<Item = (&'a str, T)>, none: &str) -> Result<T, Failure> {
    let wanted = text.trim().to_lowercase();
    let fit = |name: &str| name.to_lowercase();
    let mut found: Vec<(&str, T)> = all.filter(|(name, _)| fit(name).contains(&wanted)).collect();
    if found.iter().filter(|(name, _)| fit(name) == wanted).count() == 1 {
        found.retain(|(name, _)| fit(name) == wanted);
    }
    if found.len() > 1 {
        let names: Vec<String> = found.iter().take(8).map(|(name, _)| say::clean_line(name)).collect();
        let names = names.join(", ");
        return Err(Failure::Usage(format!("{text} fits several: {names}. Write more of the name.")));
    }
    found.pop().map(|(_, it)| it).ok_or_else(|| Failure::Usage(format!("{text}: {none}")))
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
        let all = people(&["Ana Ruiz", "Ben Okafor", "Ana Ruiz-Gomez"]);
        assert_eq!(person(&all, "oka").unwrap().value(), 2);
        assert_eq!(person(&all, "ana ruiz").unwrap().value(), 1);
        assert_eq!(person(&all, "0000000000000009").unwrap().value(), 9);
        assert!(person(&all, "ana").unwrap_err().to_string().contains("fits several"));
        assert!(person(&all, "carl").unwrap_err().to_string().contains("nobody"));
    }
}
