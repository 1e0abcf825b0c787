//! Who comes into a conversation and who leaves it, in words.

use wardline_client::PersonId;
use wardline_client::event::{Conversation, Kind};

use crate::say;

/// What became of a conversation that is known already.
pub(crate) fn changes(
    before: &Conversation,
    now: &Conversation,
    title: &str,
    name: impl Fn(PersonId) -> String,
) -> Vec<String> {
    let is_in =
        |conversation: &Conversation, who| conversation.members.iter().any(|member| member.person == who);
    let of = |from: &Conversation, other: &Conversation| -> Vec<PersonId> {
        from.members.iter().map(|member| member.person).filter(|who| !is_in(other, *who)).collect()
    };
    let mut lines = Vec::new();
    // A patient's thread tells itself who comes and leaves, and that it is closed: see [`crate::notice`].
    let tells_itself = now.kind == Kind::Patient;
    if !tells_itself {
        lines.extend(of(now, before).into_iter().map(|who| format!("-- {} is in {title} now", name(who))));
        lines.extend(of(before, now).into_iter().map(|who| format!("-- {} has left {title}", name(who))));
    }
    if now.title != before.title && !now.purged {
        lines.push(format!("-- {} is called {title} now", say::clean_line(&before.title)));
    }
    if now.archived != before.archived && !tells_itself {
        let became = match (now.kind, now.archived) {
            (Kind::Role, true) => "done with",
            (Kind::Role, false) => "asked again",
            (_, true) => "archived: it takes nothing new",
            (_, false) => "opened again",
        };
        lines.push(format!("-- {title} was {became}"));
    }
    if now.purged && !before.purged {
        lines.push(format!("-- {title} was purged: its messages are destroyed, for everybody"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use wardline_client::event::Member;
    use wardline_client::{ConversationId, Sequence};

    use super::*;

    #[test]
    fn who_comes_and_who_leaves_is_told() {
        let ward = |people: &[u64], purged: bool| Conversation {
            id: ConversationId::new(7).unwrap(),
            kind: Kind::Group,
            title: "4 West".to_owned(),
            members: people
                .iter()
                .map(|id| Member {
                    person: PersonId::new(*id).unwrap(),
                    delivered: Sequence(*id),
                    read: Sequence(0),
                })
                .collect(),
            last: Sequence(9),
            first: Sequence(1),
            purged,
            unit: None,
            archived: false,
            about: None,
            family: None,
            writer: None,
        };
        let name = |id: PersonId| format!("Person {}", id.value());
        let told = changes(&ward(&[1, 2, 3], false), &ward(&[3, 1, 4], false), "4 West", name);
        assert_eq!(told, ["-- Person 4 is in 4 West now", "-- Person 2 has left 4 West"]);
        assert!(changes(&ward(&[1, 2], false), &ward(&[2, 1], false), "4 West", name).is_empty());
        let renamed = Conversation { title: "4 East".to_owned(), archived: true, ..ward(&[1], false) };
        let told = changes(&ward(&[1], false), &renamed, "4 East", name);
        assert_eq!(told, ["-- 4 West is called 4 East now", "-- 4 East was archived: it takes nothing new"]);
        let told = changes(&ward(&[1], false), &ward(&[1], true), "4 West", name);
        assert!(told.len() == 1 && told[0].contains("4 West was purged"), "{told:?}");
    }
}
