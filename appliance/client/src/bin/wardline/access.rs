//! The way of a short command to its profile: its own client, or through the program that has the profile open.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use wardline_client::attachments::Uploaded;
use wardline_client::beside::Beside;
use wardline_client::error::ProfileError;
use wardline_client::event::{Accepted, Conversation, Person, SignedIn, Unsent};
use wardline_client::profile::Identity;
use wardline_client::stat::Urgency;
use wardline_client::{
    Call, Calls as _, Client, ConversationId, Error, Event, Given, Guest, MessageId, Options, PersonId,
    Standing, Tracked,
};
use wardline_core::wire::proto::RefusalCode;
use wardline_core::wire::proto::{client_frame, server_frame};

use crate::exit::Failure;
use crate::{Common, pin, say};

/// Short commands look, and leave no trace.
const LOOK: Options = Options { peek: true };
/// How long a profile may be held by a program that does not answer: another short command, which is done in a moment.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at a held profile.
const AGAIN: Duration = Duration::from_millis(50);
/// What waits may go before a command ends, if it can go so soon.
pub(crate) const DRAIN: Duration = Duration::from_secs(3);

/// An opened profile.
pub(crate) enum Access {
    /// This process holds it.
    Own(Client),
    /// `tail`, `chat` or another program of the SDK holds it, and answers.
    Guest(Guest),
}

/// How a command takes leave of its profile.
pub(crate) struct Parting {
    /// The person knows already that this message waits.
    pub(crate) told: Option<MessageId>,
    /// What waits may go meanwhile.
    pub(crate) drain: Duration,
    /// What waits besides was written before this command.
    pub(crate) older: bool,
}

impl Default for Parting {
    fn default() -> Self {
        Self { told: None, drain: DRAIN, older: false }
    }
}

/// A message that is kept.
pub(crate) enum Sent<'a> {
    Own(Tracked),
    Guest(Given<'a>),
}

/// Opens a profile that this process is to hold for long.
pub(crate) async fn hold(common: &Common) -> Result<Client, Failure> {
    let profile = common.profile()?;
    match find(&profile, Options::default()).await? {
        Access::Own(client) => Ok(client),
        Access::Guest(_) => {
            let busy = ProfileError::Busy(profile);
            let beside = "Beside it work: wardline send, history, people, conversations, whoami.";
            Err(Failure::Machine(format!("{busy} {beside}")))
        }
    }
}

async fn find(profile: &Path, options: Options) -> Result<Access, Failure> {
    let began = Instant::now();
    loop {
        match Client::open_with(profile, options).await {
            Ok(client) => return Ok(Access::Own(client)),
            Err(Error::Profile(ProfileError::Busy(_))) => {}
            Err(error) => return Err(error.into()),
        }
        match Guest::connect(profile).await {
            Ok(guest) => return Ok(Access::Guest(guest)),
            // Missing: another process is joining just now.
            Err(Error::Profile(ProfileError::Busy(_) | ProfileError::Missing(_))) => {}
            Err(error) => return Err(error.into()),
        }
        if began.elapsed() >= PATIENCE {
            return Err(Error::from(ProfileError::Busy(profile.to_owned())).into());
        }
        tokio::time::sleep(AGAIN).await;
    }
}

impl Access {
    /// What most commands do: opens the profile, reaches the box, acts, and takes leave whatever came of it.
    pub(crate) async fn during(
        common: &Common,
        act: impl AsyncFnOnce(&Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let access = Self::open(common).await?;
        let done = match access.contact(common).await {
            Ok(()) => act(&access).await,
            Err(failure) => Err(failure),
        };
        access.leave(Parting::default()).await;
        done
    }

    /// Opens a profile for a moment.
    pub(crate) async fn open(common: &Common) -> Result<Self, Failure> {
        find(&common.profile()?, LOOK).await
    }

    pub(crate) fn identity(&self) -> &Identity {
        match self {
            Self::Own(client) => client.identity(),
            Self::Guest(guest) => guest.identity(),
        }
    }

    /// Waits for an open session, asking for the PIN when it is wanted and this process holds the profile.
    pub(crate) async fn contact(&self, common: &Common) -> Result<(), Failure> {
        match self {
            Self::Own(client) => pin::contact(common, client).await,
            Self::Guest(_) => self.signed_in().await.map(|_| ()),
        }
    }

    /// How the attempt under way ends; nobody is asked for a PIN.
    pub(crate) async fn signed_in(&self) -> Result<SignedIn, Failure> {
        let waiting = format!("Connecting to {} …", self.identity().address);
        match self {
            Self::Own(client) => Ok(say::patiently(&waiting, client.contact()).await?),
            Self::Guest(guest) => match say::patiently(&waiting, guest.contact()).await {
                Err(Error::Locked { .. }) => {
                    let where_to = "The session is locked. Enter your PIN in the wardline program that runs with \
                                    this profile.";
                    Err(Failure::Locked(where_to.to_owned()))
                }
                other => Ok(other?),
            },
        }
    }

    /// The conversations and people that this device knows of without asking.
    pub(crate) async fn known(&self) -> Result<(Vec<Conversation>, Vec<Person>), Failure> {
        Ok(match self {
            Self::Own(client) => client.known().await?,
            Self::Guest(guest) => guest.known().await?,
        })
    }

    /// Everybody of the directory; and for whoever sees none, those who are in their thread.
    pub(crate) async fn directory(&self) -> Result<Vec<Person>, Failure> {
        match self.people().await {
            Err(Error::Refused(refused)) if refused.code == RefusalCode::FamilyOnly => {
                Ok(self.known().await?.1)
            }
            people => Ok(people?),
        }
    }

    /// What the box tells somebody who looks: people and conversations.
    pub(crate) async fn look(&self) -> Result<(Vec<Person>, Vec<Conversation>), Failure> {
        let mut people = self.directory().await?;
        // The holder of a shared profile is told everything as it happens.
        if let Self::Own(client) = self {
            catch_up(client).await?;
        }
        let (conversations, known) = self.known().await?;
        // Whoever stands in no directory here and is known from a family thread: visitors to the staff, everybody to a visitor.
        let listed: BTreeSet<PersonId> = people.iter().map(|person| person.id).collect();
        people.extend(known.into_iter().filter(|person| !listed.contains(&person.id)));
        Ok((people, conversations))
    }

    /// Keeps a message, with what stands beside its text. Returns once it is on disk.
    pub(crate) async fn send(
        &self,
        to: ConversationId,
        text: &str,
        beside: Beside,
    ) -> Result<Sent<'_>, Failure> {
        let urgency = Urgency::default();
        Ok(match self {
            Self::Own(client) => Sent::Own(client.send_beside(to, text, urgency, beside).await?),
            Self::Guest(guest) => Sent::Guest(guest.send_beside(to, text, &urgency, &beside).await?),
        })
    }

    /// The same, with files that are there.
    pub(crate) async fn send_with(
        &self,
        to: ConversationId,
        text: &str,
        beside: Beside,
        attachments: Vec<Uploaded>,
    ) -> Result<Sent<'_>, Failure> {
        match self {
            Self::Own(client) => {
                let urgency = Urgency::default();
                Ok(Sent::Own(client.send_with(to, text, urgency, beside, attachments).await?))
            }
            Self::Guest(_) if attachments.is_empty() => self.send(to, text, beside).await,
            Self::Guest(_) => Err(crate::attachment::elsewhere("sent")),
        }
    }

    /// The same, with how urgent it is.
    pub(crate) async fn send_urgent(
        &self,
        to: ConversationId,
        text: &str,
        urgency: Urgency,
    ) -> Result<Sent<'_>, Failure> {
        Ok(match self {
            Self::Own(client) => Sent::Own(client.send_urgent(to, text, urgency).await?),
            Self::Guest(guest) => Sent::Guest(guest.send_urgent(to, text, &urgency).await?),
        })
    }

    /// To ask while the answer to an earlier question is not there: of a shared profile one is answered at a time.
    pub(crate) async fn anew(self, common: &Common) -> Result<Self, Failure> {
        match self {
            Self::Own(client) => Ok(Self::Own(client)),
            Self::Guest(_) => Ok(Self::Guest(Guest::connect(&common.profile()?).await?)),
        }
    }

    /// When a message that waits goes, in words.
    pub(crate) fn goes(&self) -> &'static str {
        match self {
            Self::Own(_) => "goes by itself: with the next wardline command that connects.",
            Self::Guest(_) => "goes when the program that has the profile open reaches the box.",
        }
    }

    /// What the box said of a message that waits, as far as this process knows.
    pub(crate) async fn why_unsent(&self, message: MessageId) -> Option<String> {
        let Self::Own(client) = self else { return None };
        let unsent = client.unsent().await.unwrap_or_default();
        let why = unsent.into_iter().find(|unsent| unsent.message == message)?.why;
        why.map(|why| why.to_string())
    }

    /// Ends.
    pub(crate) async fn leave(self, parting: Parting) {
        if let Self::Own(client) = self {
            leave(&client, parting).await;
        }
    }
}

impl Call for Access {
    async fn call(&self, body: client_frame::Body) -> Result<server_frame::Body, Error> {
        match self {
            Self::Own(client) => client.call(body).await,
            Self::Guest(guest) => guest.call(body).await,
        }
    }
}

impl Sent<'_> {
    pub(crate) fn id(&self) -> MessageId {
        match self {
            Self::Own(tracked) => tracked.id,
            Self::Guest(given) => given.id,
        }
    }

    /// Waits for the box, as long as it takes.
    pub(crate) async fn outcome(&mut self) -> Result<Accepted, Error> {
        match self {
            Self::Own(tracked) => tracked.outcome().await,
            Self::Guest(given) => given.outcome().await,
        }
    }
}

/// Whoever looks is told everything once more; only the end of it matters.
async fn catch_up(client: &Client) -> Result<(), Failure> {
    let Some(mut events) = client.events() else { return Ok(()) };
    while let Some(event) = events.next().await {
        match event {
            Event::CaughtUp => break,
            Event::Locked { tries_left } => return Err(Error::Locked { tries_left }.into()),
            Event::Reconnecting { why, .. } => return Err(Error::Offline(why).into()),
            Event::Ended(end) => return Err(Error::from(end).into()),
            _ => {}
        }
    }
    tokio::spawn(async move { while events.next().await.is_some() {} });
    Ok(())
}

/// Ends a client. What was kept goes first, if it can go soon; what does not is told.
pub(crate) async fn leave(client: &Client, Parting { told, drain, older }: Parting) {
    if matches!(&*client.standing().borrow(), Standing::Open(_)) {
        let _ = tokio::time::timeout(drain, client.drained()).await;
    }
    let unsent = client.unsent().await.unwrap_or_default();
    client.close().await;
    let unsent: Vec<Unsent> = unsent.into_iter().filter(|unsent| Some(unsent.message) != told).collect();
    left_behind(&unsent, older).into_iter().for_each(say::last);
}

fn left_behind(unsent: &[Unsent], older: bool) -> Vec<String> {
    let older = if older { "older " } else { "" };
    let some = |count: usize| format!("{count} {older}message{}", if count == 1 { "" } else { "s" });
    let (failed, waiting): (Vec<&Unsent>, Vec<&Unsent>) = unsent.iter().partition(|unsent| unsent.failed);
    let mut lines = Vec::new();
    if !waiting.is_empty() {
        let goes =
            "not yet accepted by the box: kept on this device until the next wardline command that connects";
        lines.push(format!("{}, {goes}.", some(waiting.len())));
    }
    if let Some(first) = failed.first() {
        let why = first.why.as_ref().map(ToString::to_string).unwrap_or_default();
        let told = "wardline chat or tail shows it, and then forgets it";
        lines.push(format!("{} of this device will not be sent: {why} ({told}.)", some(failed.len())));
    }
    lines
}

/// Nobody can be asked just now, and what is written goes later.
pub(crate) fn is_out_of_contact(failure: &Failure) -> bool {
    match failure {
        Failure::Locked(_) | Failure::Client(Error::Offline(_) | Error::Locked { .. }) => true,
        Failure::Client(Error::Refused(refused)) => {
            matches!(refused.code, RefusalCode::Unavailable | RefusalCode::Locked)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use wardline_client::error::Refused;

    use super::*;

    #[test]
    fn what_is_left_behind_is_told() {
        let unsent = |failed: bool| Unsent {
            message: MessageId([1; 16]),
            conversation: ConversationId::new(7).unwrap(),
            composed: 0,
            why: failed.then(|| Refused {
                code: RefusalCode::Purged,
                advice: "This conversation was purged.".to_owned(),
                retry_after: None,
                tries_left: 0,
            }),
            failed,
        };
        assert!(left_behind(&[], false).is_empty());
        assert!(left_behind(&[unsent(false)], false)[0].starts_with("1 message, not yet accepted"));
        let both = left_behind(&[unsent(true), unsent(false), unsent(false)], false);
        let older = left_behind(&[unsent(false)], true);
        assert!(older[0].starts_with("1 older message, not yet"), "{older:?}");
        assert!(both[0].starts_with("2 messages, not yet accepted"), "{both:?}");
        assert!(both[1].contains("1 message of this device will not be sent: This conversation was purged."));
    }
}
