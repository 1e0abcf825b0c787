//! `wardline send`: one message, kept before anything else, and what became of it.

use std::io::Read as _;
use std::time::Duration;

use wardline_client::error::Refused;
use wardline_client::event::Accepted;
use wardline_client::{Calls as _, ConversationId, Error, MessageId};
use wardline_core::limits;

use crate::access::{self, Access, Sent};
use crate::exit::Failure;
use crate::find::{self, Target};
use crate::{Common, json, say};

pub(crate) async fn send(
    common: &Common,
    to: &str,
    text: &str,
    wait: Duration,
    as_json: bool,
) -> Result<(), Failure> {
    let text = if text == "-" { from_standard_input()? } else { text.to_owned() };
    let access = Access::open(common).await?;
    let contact = access.contact(common).await;
    let sent = deliver(&access, contact, to, &text, wait, as_json).await;
    let kept = match &sent {
        Err((Some(kept), _)) => Some(*kept),
        _ => None,
    };
    access.leave(kept).await;
    sent.map_err(|(_, failure)| failure)
}

/// All of it, without the line's end that `echo` and editors put last.
fn from_standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().take(limits::TEXT_MAX as u64 + 3).read_to_string(&mut text);
    read.map_err(|error| Failure::Usage(format!("Standard input cannot be sent as a message: {error}.")))?;
    let end =
        text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text)).len();
    text.truncate(end);
    Ok(text)
}

/// A failure, and the message that is kept in spite of it.
type NotSent = (Option<MessageId>, Failure);

/// What became of a message that is kept.
enum Outcome {
    Accepted(Accepted),
    Refused(Refused),
    /// Nothing yet, in words why.
    Waits(String),
}

async fn deliver(
    access: &Access,
    contact: Result<(), Failure>,
    to: &str,
    text: &str,
    wait: Duration,
    as_json: bool,
) -> Result<(), NotSent> {
    let not_kept = |failure: Failure| (None, failure);
    let place = match &contact {
        Ok(()) => online(access, to).await.map_err(not_kept)?,
        Err(failure) if access::is_out_of_contact(failure) => {
            match offline(access, to).await.map_err(not_kept)? {
                Some(place) => place,
                None => return contact.map_err(not_kept),
            }
        }
        Err(_) => return contact.map_err(not_kept),
    };
    let mut sent = access.send(place, text).await.map_err(not_kept)?;
    let id = sent.id();
    // Nobody here can unlock the session: there is nothing to wait for.
    let outcome = match contact {
        Err(Failure::Locked(why)) => Outcome::Waits(why),
        _ => settle(access, &mut sent, wait).await.map_err(|error| not_kept(error.into()))?,
    };
    match outcome {
        Outcome::Accepted(accepted) if as_json => json::print(&json::accepted(&accepted)).map_err(not_kept),
        Outcome::Accepted(accepted) => {
            let line = format!("Accepted as #{} at {}.", accepted.sequence.0, say::time(accepted.at));
            say::line(&line).map_err(not_kept)
        }
        Outcome::Refused(refused) => {
            if as_json {
                json::print(&json::failed(id, place, &refused)).map_err(not_kept)?;
            }
            Err((None, Error::from(refused).into()))
        }
        Outcome::Waits(why) => {
            if as_json {
                json::print(&json::kept(id, place, &why)).map_err(|failure| (Some(id), failure))?;
            }
            let goes = "The message is kept on this device and goes by itself: with the next wardline command that \
                        connects.";
            Err((Some(id), Failure::Kept(format!("{why} {goes}"))))
        }
    }
}

/// Waits for the box to say something.
async fn settle(access: &Access, sent: &mut Sent<'_>, wait: Duration) -> Result<Outcome, Error> {
    let address = &access.identity().address;
    let waiting = format!("Waiting for {address} to accept it …");
    let id = sent.id();
    match say::patiently(&waiting, tokio::time::timeout(wait, sent.outcome())).await {
        Ok(Ok(accepted)) => Ok(Outcome::Accepted(accepted)),
        Ok(Err(Error::Refused(refused))) => Ok(Outcome::Refused(refused)),
        Ok(Err(Error::Interrupted)) => {
            Ok(Outcome::Waits("The wardline program that runs with this profile ended.".to_owned()))
        }
        Ok(Err(error)) => Err(error),
        Err(_) => {
            let said = access.why_unsent(id).await;
            Ok(Outcome::Waits(
                said.unwrap_or_else(|| format!("The box at {address} has not accepted it yet.")),
            ))
        }
    }
}

async fn online(access: &Access, to: &str) -> Result<ConversationId, Failure> {
    let people = access.people().await?;
    let me = access.identity().person;
    let (known, _) = access.known().await?;
    // Most messages go to a person, or to a group that this device has met: no sync is needed for those.
    let target = match find::target(me, &people, &known, to) {
        Ok(target) => target,
        Err(_) => {
            let (people, conversations) = access.look().await?;
            find::target(me, &people, &conversations, to)?
        }
    };
    Ok(match target {
        Target::Conversation(conversation) => conversation,
        Target::Person(person) => access.open_direct(person).await?.id,
    })
}

async fn offline(access: &Access, to: &str) -> Result<Option<ConversationId>, Failure> {
    let (conversations, people) = access.known().await?;
    let me = access.identity().person;
    Ok(match find::target(me, &people, &conversations, to) {
        Ok(Target::Conversation(conversation)) => Some(conversation),
        Ok(Target::Person(person)) => find::direct(me, &conversations, person),
        Err(_) => None,
    })
}
