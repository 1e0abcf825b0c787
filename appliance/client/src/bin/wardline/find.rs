//! Whom or what a person means by a part of a name.

use wardline_client::clinical::Bedside;
use wardline_client::event::{Conversation, Kind, Person, Unit};
use wardline_client::roles::Role;
use wardline_client::{Channel, ConversationId, EncounterId, PersonId, UnitId};

use crate::exit::Failure;
use crate::say;

/// Who or where.
pub(crate) enum Target {
    Person(PersonId),
    Conversation(ConversationId),
}

/// Sixteen hexadecimal digits.
pub(crate) fn identifier(text: &str) -> Option<u64> {
    (text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
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

/// What a text may mean.
struct Named<'a, T> {
    name: &'a str,
    /// What tells it from another of the same name.
    beside: String,
    it: T,
}

impl<'a> Named<'a, PersonId> {
    fn of(person: &'a Person) -> Self {
        let title = if person.title.is_empty() { String::new() } else { format!("{}, ", person.title) };
        Self { name: &person.name, beside: format!("{title}{}", person.id), it: person.id }
    }
}

/// All that `text` fits best.
fn best<'a, T>(text: &str, all: impl Iterator<Item = Named<'a, T>>) -> Vec<Named<'a, T>> {
    let wanted = text.trim().to_lowercase();
    let all: Vec<(u8, Named<T>)> = all.map(|named| (fit(named.name, &wanted), named)).collect();
    let best = all.iter().map(|(fit, _)| *fit).max().filter(|fit| *fit > 0 && !wanted.is_empty());
    all.into_iter().filter(|(fit, _)| Some(*fit) == best).map(|(_, named)| named).collect()
}

/// The one that `text` fits best.
fn one_of<T>(text: &str, mut found: Vec<Named<T>>, none: &str) -> Result<T, Failure> {
    if found.len() > 1 {
        return Err(Failure::Usage(several(text, &found)));
    }
    found.pop().map(|named| named.it).ok_or_else(|| Failure::Usage(format!("{text}: {none}")))
}

fn several<T>(text: &str, found: &[Named<T>]) -> String {
    let same = |named: &Named<T>| {
        found.iter().filter(|other| other.name.eq_ignore_ascii_case(named.name)).count() > 1
    };
    let listed: Vec<String> = found
        .iter()
        .take(8)
        .map(|named| {
            let beside = if same(named) { format!(" ({})", named.beside) } else { String::new() };
            say::clean_line(&format!("{}{beside}", named.name))
        })
        .collect();
    let how = if found.iter().any(same) {
        "The identifier works in place of the name."
    } else {
        "Write more of the name."
    };
    format!("{text} fits several: {}. {how}", listed.join(", "))
}

/// A person of the directory.
pub(crate) fn person(people: &[Person], text: &str) -> Result<PersonId, Failure> {
    if let Some(id) = identifier(text).and_then(PersonId::new) {
        return Ok(id);
    }
    one_of(text, best(text, people.iter().map(Named::of)), "there is nobody of this name in the directory.")
}

/// A unit of the facility.
pub(crate) fn unit(units: &[Unit], text: &str) -> Result<UnitId, Failure> {
    if let Some(id) = identifier(text).and_then(UnitId::new) {
        return Ok(id);
    }
    let named = units.iter().map(|unit| Named { name: &unit.name, beside: unit.id.to_string(), it: unit.id });
    one_of(text, best(text, named), "there is no unit of this name. See wardline unit list.")
}

/// A role: by name, one that is in use.
pub(crate) fn role(roles: &[Role], text: &str) -> Result<Role, Failure> {
    if let Some(role) = identifier(text).and_then(|id| roles.iter().find(|role| role.id.value() == id)) {
        return Ok(role.clone());
    }
    let in_use = roles.iter().filter(|role| !role.retired);
    let named = in_use.map(|role| Named { name: &role.name, beside: role.id.to_string(), it: role });
    one_of(text, best(text, named), "there is no role of this name. See wardline role list.").cloned()
}

/// A patient whose thread this device knows.
pub(crate) fn patient(mine: &[Bedside], text: &str) -> Result<EncounterId, Failure> {
    if let Some(id) = identifier(text).and_then(EncounterId::new) {
        return Ok(id);
    }
    let named = mine.iter().map(|about| Named {
        name: &about.patient.particulars.name,
        beside: about.encounter.id.to_string(),
        it: about.encounter.id,
    });
    let none = "there is no patient of this name among your threads. The stay's identifier works too: wardline shift show.";
    one_of(text, best(text, named), none)
}

/// A channel of a unit where one works.
pub(crate) fn channel(channels: &[Channel], text: &str) -> Result<ConversationId, Failure> {
    if let Some(id) = identifier(text).and_then(ConversationId::new) {
        return Ok(id);
    }
    let named = channels.iter().map(|channel| Named {
        name: &channel.title,
        beside: channel.conversation.to_string(),
        it: channel.conversation,
    });
    one_of(text, best(text, named), "there is no channel of this title. See wardline conversation channels.")
}

/// A group or channel that one is in, or a channel of a unit where one works.
pub(crate) fn group_or_channel(
    me: PersonId,
    people: &[Person],
    conversations: &[Conversation],
    channels: &[Channel],
    text: &str,
) -> Result<ConversationId, Failure> {
    if let Some(id) = identifier(text).and_then(ConversationId::new) {
        return Ok(id);
    }
    let mine = conversations.iter().filter(|c| c.kind != Kind::Direct && !c.purged);
    let mine = mine.map(|c| Named { name: &c.title, beside: c.id.to_string(), it: c.id });
    let others = channels.iter().filter(|channel| !channel.member).map(|channel| Named {
        name: &channel.title,
        beside: channel.conversation.to_string(),
        it: channel.conversation,
    });
    let found = best(text, mine.chain(others));
    if found.is_empty()
        && let Ok(Target::Person(person)) = target(me, people, conversations, text)
    {
        let name = name(people, person);
        return Err(Failure::Usage(format!(
            "{name} is a person. Name a group or channel, or its identifier."
        )));
    }
    one_of(text, found, "there is no group or channel of this title.")
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
    let is_suspended =
        |named: &Named<Target>| matches!(named.it, Target::Person(id) if is_suspended(people, id));
    // A visitor is written to in their thread alone.
    let others = people.iter().filter(|person| person.id != me && !person.visitor).map(|person| {
        let Named { name, beside, it } = Named::of(person);
        Named { name, beside, it: Target::Person(it) }
    });
    let groups = conversations.iter().filter(|c| c.kind != Kind::Direct && !c.purged);
    let sort = |c: &Conversation| match c.kind {
        Kind::Channel => "channel",
        Kind::Patient => "patient",
        Kind::Family => "family",
        Kind::Role => "role",
        Kind::Broadcast => "announcements",
        _ => "group",
    };
    let house = conversations.iter().filter(|c| c.kind == Kind::Broadcast);
    let house: Vec<(ConversationId, String)> = house.map(|c| (c.id, announcements(c))).collect();
    let of_house = |c: &Conversation| house.iter().find(|(id, _)| *id == c.id).map(|(_, name)| name.as_str());
    let groups = groups.map(|c| Named {
        name: of_house(c).unwrap_or_else(|| name_of(c)),
        beside: match c.writer.filter(|writer| *writer != me) {
            Some(writer) => format!("{}, from {} {}", sort(c), self::name(people, writer), c.id),
            None => format!("{} {}", sort(c), c.id),
        },
        it: Target::Conversation(c.id),
    });
    let mut found = best(text, others.chain(groups));
    // Who is suspended gives way to whom the text fits as well, never to whom it fits less: Ana's messages are not Dana's.
    if !found.iter().all(is_suspended) {
        found.retain(|named| !is_suspended(named));
    }
    let purged = conversations.iter().any(|c| c.kind != Kind::Direct && c.purged);
    let none = if purged {
        "there is no person or conversation of this name. Titles of purged ones are gone: see wardline conversations."
    } else {
        "there is no person or conversation of this name."
    };
    one_of(text, found, none)
}

/// What a conversation is found by: its title; a patient's thread by their name.
fn name_of(conversation: &Conversation) -> &str {
    let about = conversation.about.as_ref();
    about.map_or_else(|| family_name(conversation), |about| &about.patient.particulars.name)
}

/// What announcements are found by.
fn announcements(conversation: &Conversation) -> String {
    let whose = if conversation.title.is_empty() { "the facility" } else { &conversation.title };
    format!("Announcements, {whose}")
}

/// What a family thread is found by: its title; the patient's own by these words.
fn family_name(conversation: &Conversation) -> &str {
    let own = conversation.family.as_ref().is_some_and(|family| family.own);
    if own && conversation.title.is_empty() { "the patient's own" } else { &conversation.title }
}

/// A family thread among these.
pub(crate) fn family_thread(threads: &[Conversation], text: &str) -> Result<ConversationId, Failure> {
    if let Some(id) = identifier(text).and_then(ConversationId::new) {
        return Ok(id);
    }
    let named = threads.iter().filter(|thread| !thread.purged);
    let named = named.map(|c| Named { name: family_name(c), beside: c.id.to_string(), it: c.id });
    one_of(text, best(text, named), "there is no family thread of this title. See wardline family show.")
}

/// One of these conversations with roles.
pub(crate) fn inbox(
    people: &[Person],
    inboxes: &[Conversation],
    text: &str,
) -> Result<ConversationId, Failure> {
    if let Some(id) = identifier(text).and_then(ConversationId::new) {
        return Ok(id);
    }
    let from = |c: &Conversation| {
        c.writer.map_or(String::new(), |writer| format!("from {}, ", name(people, writer)))
    };
    let named =
        inboxes.iter().map(|c| Named { name: &c.title, beside: format!("{}{}", from(c), c.id), it: c.id });
    one_of(
        text,
        best(text, named),
        "nothing that is open is written to a role of this name. See wardline role inbox.",
    )
}

/// Whether somebody may not sign in, and so reads nothing.
pub(crate) fn is_suspended(people: &[Person], id: PersonId) -> bool {
    people.iter().any(|person| person.id == id && person.suspended)
}

/// The direct conversation of these two, if this device knows of one.
pub(crate) fn direct(
    me: PersonId,
    conversations: &[Conversation],
    person: PersonId,
) -> Option<ConversationId> {
    let has = |c: &Conversation, who| c.members.iter().any(|member| member.person == who);
    let both = |c: &&Conversation| c.kind == Kind::Direct && has(c, me) && has(c, person);
    // Of several all but the last are purged.
    let all: Vec<&Conversation> = conversations.iter().filter(both).collect();
    let live = all.iter().find(|c| !c.purged);
    live.or(all.last()).map(|conversation| conversation.id)
}

/// What a conversation is called here: its title, or the other one's name.
pub(crate) fn title(me: PersonId, people: &[Person], conversation: &Conversation) -> String {
    if let Some(about) = &conversation.about {
        return say::clean_line(&format!("{}, {}", about.patient.particulars.name, about.encounter.bed));
    }
    if let Some(family) = &conversation.family {
        let title = family_name(conversation);
        return say::clean_line(&match &family.about {
            // To the team, which is to see at once that family reads it, and whose.
            Some(about) => {
                format!("FAMILY of {}, {}: {title}", about.patient.particulars.name, about.encounter.bed)
            }
            None if people.iter().any(|person| person.id == me && person.visitor)
                || family.patient_thread.is_none() =>
            {
                if family.own {
                    "your care team".to_owned()
                } else {
                    title.to_owned()
                }
            }
            None => format!("FAMILY: {title}"),
        });
    }
    if conversation.kind == Kind::Broadcast && !conversation.purged {
        return say::clean_line(&announcements(conversation));
    }
    // What others wrote to a role is told apart by who did.
    if let Some(writer) = conversation.writer.filter(|writer| *writer != me && !conversation.purged) {
        return format!("{}, from {}", say::clean_line(&conversation.title), name(people, writer));
    }
    if !conversation.title.is_empty() {
        return say::clean_line(&conversation.title);
    }
    let others = conversation.members.iter().filter(|member| member.person != me);
    let others: Vec<String> = others.map(|other| name(people, other.person)).collect();
    if others.is_empty() { format!("(conversation {})", conversation.id) } else { others.join(", ") }
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
            privacy_officer: false,
            posts: Vec::new(),
            station: None,
            the_box: false,
            agency: None,
            visitor: false,
        };
        names.iter().enumerate().map(person).collect()
    }

    #[test]
    fn people_of_one_name_are_told_apart_by_their_identifiers() {
        let mut all = people(&["Otto Kern", "Otto Kern", "Otto Kernig"]);
        all[0].title = "RN".to_owned();
        let told = person(&all, "otto kern").unwrap_err().to_string();
        let both = "Otto Kern (RN, 0000000000000001), Otto Kern (0000000000000002). The identifier works";
        assert!(told.contains(both), "{told}");
        let told = person(&all, "otto").unwrap_err().to_string();
        assert!(told.contains("Otto Kernig.") && told.contains("The identifier works"), "{told}");
        assert_eq!(person(&all, "0000000000000002").unwrap().value(), 2);
    }

    #[test]
    fn who_is_suspended_is_found_unless_somebody_else_is_meant_as_well() {
        let mut all = people(&["Luis Ortega", "Chidi Eze", "Chidi Obi", "Ana Flores", "Dana Petrov"]);
        all[1].suspended = true;
        all[3].suspended = true;
        let found = |text: &str| match target(all[0].id, &all, &[], text) {
            Ok(Target::Person(id)) => Some(id.value()),
            _ => None,
        };
        assert_eq!(
            (found("Chidi"), found("Eze"), found("Luis"), found("ana")),
            (Some(3), Some(2), None, Some(4))
        );
        assert!(is_suspended(&all, all[1].id) && !is_suspended(&all, all[2].id));
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
