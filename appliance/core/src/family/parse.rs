//! Frames about family, checked field by field.

use crate::directory::PublicKey;
use crate::family::{Families, LetIn};
use crate::ids::{ConversationId, DeviceId, EncounterId};
use crate::input::Fresh;
use crate::limits;
use crate::pin::{self, Pin};
use crate::refusal::Refusal;
use crate::text::{Grounds, Name, Title};
use crate::time::Wall;
use crate::wire::proto::{self, client_frame};
use crate::wire::{Incoming, person};

/// The request in a frame's body that [`crate::wire::parse`] found to be one of these.
pub(crate) fn parse(
    body: client_frame::Body,
    fresh: &mut impl FnMut() -> Fresh,
) -> Result<Families, Refusal> {
    use client_frame::Body;
    Ok(match body {
        Body::SetFamilyConsent(set) => Families::SetConsent {
            encounter: encounter(set.encounter)?,
            words: match (set.given, set.words.as_str()) {
                (true, words) => Some(Grounds::parse(words)?),
                (false, "") => None,
                // What would be said of a consent that ends is nowhere kept.
                (false, _) => return Err(Refusal::Invalid),
            },
        },
        Body::SetFamilyBlock(set) => Families::SetBlock {
            encounter: encounter(set.encounter)?,
            name: Name::parse(&set.name)?,
            blocked: set.blocked,
        },
        Body::IssueBedsideCode(issue) => Families::SetCode {
            encounter: encounter(issue.encounter)?,
            fresh: if issue.end { None } else { Some(fresh()) },
        },
        Body::ListFamily(list) => Families::List { encounter: encounter(list.encounter)? },
        Body::AnswerVisit(answer) => Families::Answer {
            device: DeviceId::new(answer.device).ok_or(Refusal::NoSuchVisit)?,
            into: parse_answer(answer.answer.ok_or(Refusal::Invalid)?)?,
            until: Some(Wall(answer.until)).filter(|until| until.0 != 0),
            fresh: fresh(),
        },
        Body::EndVisit(end) => Families::End { person: person(end.person)? },
        Body::ProlongVisit(prolong) => {
            Families::Prolong { person: person(prolong.person)?, until: Wall(prolong.until) }
        }
        Body::EndFamilyThread(end) => Families::EndThread { conversation: conversation(end.conversation)? },
        _ => return Err(Refusal::UnknownRequest),
    })
}

fn parse_answer(answer: proto::answer_visit::Answer) -> Result<Option<LetIn>, Refusal> {
    use proto::answer_visit::Answer;
    Ok(match answer {
        Answer::Decline(_) => None,
        Answer::NewThread(title) => Some(LetIn::New(Title::parse(&title)?)),
        Answer::Thread(id) => Some(LetIn::Thread(conversation(id)?)),
        Answer::Own(_) => Some(LetIn::Own),
        Answer::Person(id) => Some(LetIn::As(person(id)?)),
    })
}

/// Somebody at a bed asks to be let in.
pub(crate) fn parse_ask(ask: proto::AskToVisit) -> Result<Incoming, Refusal> {
    // Read with a bound before anything is computed from it.
    if ask.code.len() != limits::JOIN_CODE_CHARACTERS {
        return Err(Refusal::BedsideCodeInvalid);
    }
    Ok(Incoming::AskToVisit {
        code: pin::bedside_code_hash(&ask.code),
        key: PublicKey::parse(&ask.device_key).ok_or(Refusal::Invalid)?,
        device_name: Name::parse(&ask.device_name)?,
        name: Name::parse(&ask.name)?,
        relation: match ask.relation.len() {
            0 => Title::default(),
            1..=limits::NAME_MAX => Title::parse(&ask.relation)?,
            _ => return Err(Refusal::TooLarge),
        },
        pin: Pin::choose(ask.pin)?,
        signature: ask.signature,
    })
}

fn encounter(value: u64) -> Result<EncounterId, Refusal> {
    EncounterId::new(value).ok_or(Refusal::NoSuchPatient)
}

fn conversation(value: u64) -> Result<ConversationId, Refusal> {
    ConversationId::new(value).ok_or(Refusal::NoSuchConversation)
}
