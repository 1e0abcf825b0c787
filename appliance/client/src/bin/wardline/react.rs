//! `wardline react`: a word put to a message, or taken back; and how what is put to messages is shown.

use clap::ValueEnum;
use serde_json::{Value, json};
use wardline_client::beside::{Mention, Reacted, Reaction, Reacts as _};
use wardline_client::{ConversationId, PersonId, Sequence};

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, alter, json, say};

/// As it is typed and shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Word {
    /// You are of the same mind.
    Agree,
    /// Thank you.
    Thanks,
    /// It is done.
    Done,
    /// You look into it.
    Looking,
    /// It is not clear to you.
    Question,
    /// Something about it worries you.
    Concern,
}

impl Word {
    fn reaction(self) -> Reaction {
        match self {
            Self::Agree => Reaction::Agree,
            Self::Thanks => Reaction::Thanks,
            Self::Done => Reaction::Done,
            Self::Looking => Reaction::Looking,
            Self::Question => Reaction::Question,
            Self::Concern => Reaction::Concern,
        }
    }

    /// What somebody typed, or which words there are.
    pub(crate) fn typed(text: &str) -> Result<Self, Failure> {
        <Self as ValueEnum>::from_str(text, true).map_err(|_| {
            let all: Vec<&str> = Reaction::ALL.into_iter().map(word).collect();
            Failure::Usage(format!("A reaction is one of these: {}.", all.join(", ")))
        })
    }
}

fn word(reaction: Reaction) -> &'static str {
    match reaction {
        Reaction::Agree => "agree",
        Reaction::Thanks => "thanks",
        Reaction::Done => "done",
        Reaction::Looking => "looking",
        Reaction::Question => "question",
        Reaction::Concern => "concern",
    }
}

pub(crate) struct Wish {
    pub(crate) word: Word,
    pub(crate) take_back: bool,
    pub(crate) json: bool,
}

pub(crate) async fn react(common: &Common, to: &str, number: Sequence, wish: Wish) -> Result<(), Failure> {
    Access::during(common, async |access: &Access| {
        let place = alter::place(access, to).await?;
        put(access, place, number, (wish.word, !wish.take_back)).await?;
        if wish.json {
            return json::print(&json::altered("reacted", place, number));
        }
        let word = word(wish.word.reaction());
        say::line(&if wish.take_back {
            format!("Took back {word} from #{}.", number.0)
        } else {
            format!("Put {word} to #{}.", number.0)
        })
    })
    .await
}

pub(crate) async fn put(
    calls: &impl wardline_client::Calls,
    place: ConversationId,
    number: Sequence,
    (word, given): (Word, bool),
) -> Result<(), Failure> {
    Ok(calls.react(place, number, word.reaction(), given).await?)
}

/// What is put to a message, on a line of its own that no line of anybody's text looks like: those are set in further. `of`: which one,
/// where it does not stand behind its message.
pub(crate) fn line(
    of: &str,
    reactions: &[Reacted],
    me: PersonId,
    name: impl Fn(PersonId) -> String,
) -> String {
    let who = |person: &PersonId| if *person == me { "you".to_owned() } else { name(*person) };
    let kinds = reactions.iter().map(|told| {
        let people: Vec<String> = told.people.iter().map(who).collect();
        format!("{}: {}", word(told.reaction), people.join(", "))
    });
    let kinds: Vec<String> = kinds.collect();
    let all = if kinds.is_empty() { "nothing any more".to_owned() } else { kinds.join(" · ") };
    format!("   + {of}{all}")
}

/// How a message names this person, behind its author's name.
pub(crate) fn names(mention: Option<Mention>) -> &'static str {
    match mention {
        None => "",
        Some(Mention { role: None, .. }) => " (mentions you)",
        Some(Mention { role: Some(_), .. }) => " (mentions you by your role)",
    }
}

/// By kind, with who.
pub(crate) fn to_json(reactions: &[Reacted]) -> Value {
    let people = |told: &Reacted| told.people.iter().map(ToString::to_string).collect::<Vec<_>>();
    let each =
        reactions.iter().map(|told| json!({ "reaction": word(told.reaction), "people": people(told) }));
    Value::Array(each.collect())
}

pub(crate) fn mentions_to_json(mentions: &[Mention]) -> Value {
    let each = mentions.iter().map(|mention| {
        json!({ "person": mention.person.to_string(), "role": mention.role.map(|role| role.to_string()) })
    });
    Value::Array(each.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_to_a_message_is_told_with_who() {
        let person = |number| PersonId::new(number).unwrap();
        let name =
            |who: PersonId| if who == person(2) { "Ben Okafor".to_owned() } else { "Cleo Diaz".to_owned() };
        let put = [
            Reacted { reaction: Reaction::Agree, people: vec![person(1), person(2)] },
            Reacted { reaction: Reaction::Done, people: vec![person(3)] },
        ];
        assert_eq!(line("", &put, person(1), name), "   + agree: you, Ben Okafor · done: Cleo Diaz");
        assert_eq!(line("#4 ", &[], person(1), name), "   + #4 nothing any more");
        // No line of a text begins like that: it is set in by more, wrapped or not.
        let forged = say::wrap(
            &say::spoken("08:01 Ben", &format!("{}+ agree: Ana\n   + agree: Ana", "x ".repeat(40))),
            40,
        );
        assert!(!forged.lines().any(|line| line.starts_with("   + ")), "{forged}");
    }

    #[test]
    fn a_word_that_is_none_names_those_there_are() {
        assert!(Word::typed("Agree").is_ok_and(|word| word == Word::Agree));
        let told = Word::typed("lol").err().map(|failure| failure.to_string()).unwrap_or_default();
        assert!(told.contains("agree, thanks, done, looking, question, concern"), "{told}");
    }
}
