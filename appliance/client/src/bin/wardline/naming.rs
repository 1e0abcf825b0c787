//! Whom a text names: each `@name` in it, and `--mention`.

use wardline_client::beside::Beside;
use wardline_client::event::{Conversation, Person};
use wardline_client::mention::{Named, named};
use wardline_client::roles::{Role, RoleCalls as _};
use wardline_client::{Calls, PersonId, RoleId, Sequence};
use wardline_core::limits;

use crate::exit::Failure;
use crate::{find, say};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whom {
    Person(PersonId),
    Role(RoleId),
}

/// What stands beside a text that goes to this conversation. A name of the text that nobody bears is left a text, and said;
/// one of `more` is refused. The box is asked for its roles only where no member fits.
pub(crate) async fn beside(
    calls: &impl Calls,
    (people, conversation): (&[Person], &Conversation),
    text: &str,
    more: &[String],
    reply_to: Option<Sequence>,
) -> Result<Beside, Failure> {
    let is_member = |person: &&Person| conversation.members.iter().any(|member| member.person == person.id);
    let members: Vec<Person> = people.iter().filter(is_member).cloned().collect();
    let mut all: Vec<(Whom, &str)> =
        members.iter().map(|person| (Whom::Person(person.id), person.name.as_str())).collect();
    let mut typed = named(text, &all);
    let is_nobody = |named: &(String, Named<Whom>)| matches!(named.1, Named::Nobody(_));
    let mut roles: Vec<Role> = Vec::new();
    if !more.is_empty() || typed.iter().any(is_nobody) {
        roles = calls.roles(None).await?;
        all.extend(roles.iter().map(|role| (Whom::Role(role.id), role.name.as_str())));
        typed = named(text, &all);
    }
    let mut whom = Vec::new();
    for (word, named) in typed {
        match named {
            Named::One(one) => whom.push(one),
            Named::Several(names) => {
                let names: Vec<String> = names.iter().map(|name| say::clean_line(name)).collect();
                let how = "Write more of the name; of two people who are called the same, --mention takes an identifier.";
                return Err(Failure::Usage(format!("@{word} fits several: {}. {how}", names.join(", "))));
            }
            Named::Nobody(word) => say::note(&format!(
                "Nobody in the conversation is called “{word}”, and no role is: @{word} stays a text."
            )),
        }
    }
    for text in more {
        whom.push(match find::person(&members, text) {
            Ok(person) => Whom::Person(person),
            Err(_) if roles.iter().any(|role| role.name.eq_ignore_ascii_case(text.trim())) => {
                Whom::Role(find::role(&roles, text)?.id)
            }
            Err(failure) => match find::role(&roles, text) {
                Ok(role) => Whom::Role(role.id),
                Err(_) if find::person(people, text).is_ok() => {
                    return Err(Failure::Usage(format!(
                        "{text} is not in this conversation. Add them first, or write to them."
                    )));
                }
                Err(_) => return Err(failure),
            },
        });
    }
    let mut beside = Beside::reply(reply_to);
    for one in whom {
        match one {
            Whom::Person(person) if !beside.people.contains(&person) => beside.people.push(person),
            Whom::Role(role) if !beside.roles.contains(&role) => beside.roles.push(role),
            _ => {}
        }
    }
    let count = beside.people.len() + beside.roles.len();
    if count > limits::MENTIONS_MAX {
        let most = limits::MENTIONS_MAX;
        return Err(Failure::Usage(format!(
            "A message mentions {most} people and roles at most, not {count}."
        )));
    }
    Ok(beside)
}
