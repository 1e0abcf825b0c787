//! `wardline send`: one message, kept before anything else, and what became of it.

use std::future::Future;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;
use wardline_client::attachments::{FileToSend, Uploaded};
use wardline_client::beside::Beside;
use wardline_client::error::Refused;
use wardline_client::event::{Accepted, Conversation, Person};
use wardline_client::{Calls as _, ConversationId, Error, MessageId, PersonId, Sequence};
use wardline_core::limits;

use crate::access::{self, Access, Parting, Sent};
use crate::availability;
use crate::exit::Failure;
use crate::find::{self, Target};
use crate::template::Filling;
use crate::{Common, attachment, family, json, naming, pin, role, say};

/// What is said, and how.
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) attach: Vec<PathBuf>,
    /// In the text's place.
    pub(crate) filling: Filling,
    pub(crate) reply_to: Option<Sequence>,
    /// Whom it mentions besides those whom the text does.
    pub(crate) mention: Vec<String>,
    pub(crate) wait: Duration,
    pub(crate) json: bool,
}

pub(crate) async fn send(common: &Common, to: &str, said: Said) -> Result<(), Failure> {
    let Said { text, attach, filling, reply_to, mention, wait, json: as_json } = said;
    let files = attachment::files(&attach)?;
    let text = match (text.as_str(), files.first()) {
        ("-", _) => from_standard_input()?,
        ("", Some(file)) => file.name.clone(),
        _ => text,
    };
    let access = Access::open(common).await?;
    let text = if filling.is_wanted() {
        match filled(common, &access, &filling).await {
            Ok(text) => text,
            Err(failure) => {
                access.leave(Parting::default()).await;
                return Err(failure);
            }
        }
    } else {
        text
    };
    // Nobody is hurried who fills something in.
    let mut until = Instant::now() + wait;
    let reached = reach(common, &access, wait, &mut until).await;
    // Nobody here can unlock the session: there is nothing to wait for.
    let locked = match &reached {
        Err(Failure::Locked(why)) => Some(why.clone()),
        _ => None,
    };
    let (access, place) = place(common, access, reached, to, until).await?;
    let sent = match place {
        Ok(place) => match beside(&access, place, (&text, &mention), reply_to).await {
            Ok(beside) => deliver(&access, locked, place, (&text, &files, beside), until, as_json).await,
            Err(failure) => Err((None, failure)),
        },
        Err(failure) => Err((None, failure)),
    };
    let told = match &sent {
        Err((Some(kept), _)) => Some(*kept),
        _ => None,
    };
    let drain = access::DRAIN.min(until.saturating_duration_since(Instant::now()));
    access.leave(Parting { told, drain, older: true }).await;
    if let Err((None, failure)) = &sent
        && access::is_out_of_contact(failure)
    {
        say::note("The message was not sent, and is not kept.");
    }
    sent.map_err(|(_, failure)| failure)
}

/// Whether the box is there. Nobody is hurried who types a PIN: what comes behind it has all the time again.
async fn reach(common: &Common, access: &Access, wait: Duration, until: &mut Instant) -> Result<(), Failure> {
    match (within(access, *until, access.signed_in()).await, access) {
        (Err(Failure::Client(Error::Locked { tries_left })), Access::Own(client)) => {
            let unlocked = pin::unlock(common, client, tries_left);
            if common.pin_file.is_some() {
                return within(access, *until, unlocked).await;
            }
            unlocked.await?;
            *until = Instant::now() + wait;
            Ok(())
        }
        (other, _) => other.map(|_| ()),
    }
}

/// Where the message goes. A box that cannot be asked is not needed for a conversation that this device has met.
async fn place(
    common: &Common,
    access: Access,
    reached: Result<(), Failure>,
    to: &str,
    until: Instant,
) -> Result<(Access, Result<ConversationId, Failure>), Failure> {
    let failure = match reached {
        Ok(()) => match within(&access, until, online(&access, to)).await {
            Err(failure) if access::is_out_of_contact(&failure) => failure,
            place => return Ok((access, place)),
        },
        Err(failure) if access::is_out_of_contact(&failure) => failure,
        Err(failure) => return Ok((access, Err(failure))),
    };
    let access = access.anew(common).await?;
    let place = offline(&access, to).await.and_then(|place| place.ok_or(failure));
    Ok((access, place))
}

/// What the box is asked, as long as there is time.
async fn within<T>(
    access: &Access,
    until: Instant,
    asked: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    match tokio::time::timeout_at(until, asked).await {
        Ok(answer) => answer,
        Err(_) => {
            let address = &access.identity().address;
            Err(Error::Offline(format!("The box at {address} did not answer in the time to wait.")).into())
        }
    }
}

/// By a template or a quick reply, which the box has.
async fn filled(common: &Common, access: &Access, filling: &Filling) -> Result<String, Failure> {
    access.contact(common).await?;
    filling.text(access).await
}

/// Whom it names, and what it answers. Where the box is away, names are of what this device knows of the conversation.
async fn beside(
    access: &Access,
    place: ConversationId,
    (text, mention): (&str, &[String]),
    reply_to: Option<Sequence>,
) -> Result<Beside, Failure> {
    if mention.is_empty() && !text.contains('@') {
        return Ok(Beside::reply(reply_to));
    }
    let (known, people) = access.known().await?;
    let conversation = known.into_iter().find(|known| known.id == place);
    let (people, conversation) = match conversation {
        Some(conversation) => (people, conversation),
        None => {
            let (people, conversations) = access.look().await?;
            let found = conversations.into_iter().find(|known| known.id == place);
            (
                people,
                found
                    .ok_or_else(|| Failure::Usage("There is no such conversation among yours.".to_owned()))?,
            )
        }
    };
    naming::beside(access, (&people, &conversation), text, mention, reply_to).await
}

/// All of it, without the line's end that `echo` and editors put last.
pub(crate) fn from_standard_input() -> Result<String, Failure> {
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
    locked: Option<String>,
    place: ConversationId,
    (text, files, beside): (&str, &[FileToSend], Beside),
    until: Instant,
    as_json: bool,
) -> Result<(), NotSent> {
    let not_kept = |failure: Failure| (None, failure);
    let attached = bring(access, locked.as_deref(), place, files, until).await.map_err(not_kept)?;
    let mut sent = access.send_with(place, text, beside, attached).await.map_err(not_kept)?;
    let id = sent.id();
    let outcome = match locked {
        Some(why) => Outcome::Waits(why),
        None => settle(access, &mut sent, until).await.map_err(|error| not_kept(error.into()))?,
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
            let goes = access.goes();
            Err((Some(id), Failure::Kept(format!("{why} The message is kept on this device and {goes}"))))
        }
    }
}

/// Files go first, as long as there is time; the message that they are for goes once all are there.
async fn bring(
    access: &Access,
    locked: Option<&str>,
    place: ConversationId,
    files: &[FileToSend],
    until: Instant,
) -> Result<Vec<Uploaded>, Failure> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(why) = locked {
        return Err(Failure::Locked(why.to_owned()));
    }
    let Access::Own(client) = access else { return Err(attachment::elsewhere("sent")) };
    let mut uploaded = Vec::with_capacity(files.len());
    for file in files {
        let waiting = format!("Sending {} …", say::clean_line(&file.name));
        let brought = client.upload(place, file, |_, _| {});
        match say::patiently(&waiting, tokio::time::timeout_at(until, brought)).await {
            Ok(done) => uploaded.push(done?),
            Err(_) => {
                let how = "What the box has of it is not sent again: give the same command once more, with a longer --wait.";
                let name = say::clean_line(&file.name);
                return Err(
                    Error::Offline(format!("{name} did not arrive in the time to wait. {how}")).into()
                );
            }
        }
    }
    Ok(uploaded)
}

/// Waits for the box to say something.
async fn settle(access: &Access, sent: &mut Sent<'_>, until: Instant) -> Result<Outcome, Error> {
    let address = &access.identity().address;
    let waiting = format!("Waiting for {address} to accept it …");
    let id = sent.id();
    match say::patiently(&waiting, tokio::time::timeout_at(until, sent.outcome())).await {
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

pub(crate) async fn online(access: &Access, to: &str) -> Result<ConversationId, Failure> {
    let me = access.identity().person;
    // By a name only with everything in sight: of a list with gaps one alone may fit that is not meant, and reads what is another's.
    let (people, conversations) = match find::identifier(to) {
        Some(_) => (access.directory().await?, access.known().await?.0),
        None => access.look().await?,
    };
    let target = find::target(me, &people, &conversations, to)?;
    Ok(match target {
        Target::Conversation(conversation) => {
            tell_who_reads(access, conversation).await?;
            conversation
        }
        Target::Person(person) if find::is_suspended(&people, person) => {
            return Err(suspended(&people, person));
        }
        Target::Person(person) => {
            let name = find::name(&people, person);
            // A part of a name may be that of another than was meant.
            if !to.trim().eq_ignore_ascii_case(&name) {
                say::note(&format!("To {name}."));
            }
            availability::note(access, &people, &[person]).await;
            access.open_direct(person).await?.id
        }
    })
}

/// Whoever writes where family reads hears so.
async fn tell_who_reads(access: &Access, conversation: ConversationId) -> Result<(), Failure> {
    let (known, people) = access.known().await?;
    let me = access.identity().person;
    let of_team = people.iter().all(|person| person.id != me || !person.visitor);
    let place = known.iter().find(|known| known.id == conversation).filter(|_| of_team);
    if let Some(readers) = place.and_then(family::readers) {
        say::note(&format!("FAMILY READS THIS: {readers}."));
    }
    if let Some(place) = known.iter().find(|known| known.id == conversation) {
        let others = place.members.iter().map(|member| member.person).filter(|person| *person != me);
        availability::note(access, &people, &others.collect::<Vec<_>>()).await;
    }
    let place = known.iter().find(|known| known.id == conversation && known.writer == Some(me));
    if let Some(place) = place.filter(|place| !place.archived)
        && let Some(readers) = role::who_reads(access, place, &access.people().await?).await?
    {
        say::note(&readers);
    }
    Ok(())
}

fn suspended(people: &[Person], person: PersonId) -> Failure {
    let name = find::name(people, person);
    Failure::Usage(format!("{name} is suspended and can be sent nothing. Ask an administrator."))
}

async fn offline(access: &Access, to: &str) -> Result<Option<ConversationId>, Failure> {
    let (conversations, people) = access.known().await?;
    let me = access.identity().person;
    Ok(match find::target(me, &people, &conversations, to) {
        Ok(Target::Conversation(conversation)) => Some(conversation),
        Ok(Target::Person(person)) if find::is_suspended(&people, person) => {
            return Err(suspended(&people, person));
        }
        Ok(Target::Person(person)) => {
            let live: Vec<Conversation> = conversations.into_iter().filter(|known| !known.purged).collect();
            find::direct(me, &live, person)
        }
        Err(_) => None,
    })
}
