//! Our own client: the SDK, each in a runtime of its own so that it can die like a process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use wardline_client::error::{End, InputError};
use wardline_client::{
    Calls as _, Client, ConversationId, Error, Event, Events, JoinLink, MessageId, PersonId, Pin, Sequence,
    UnitId,
};
use wardline_devbox::process::sibling;

use super::client::{ClientUnderTest, Ending, Message, Name, Reason, Seen, Trouble};
use super::ward::PATIENCE;

/// The SDK over one profile.
pub(crate) struct Ours {
    runtime: Option<Runtime>,
    profile: PathBuf,
    client: OnceLock<Client>,
    events: Arc<Mutex<Option<Events>>>,
}

impl Drop for Ours {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Its tasks are never polled again: no farewell, nothing more is written.
            runtime.shutdown_background();
        }
    }
}

impl Ours {
    /// Runs what starts tasks where they shall live, and keeps the client that comes of it.
    async fn begin(
        &self,
        starting: impl Future<Output = Result<Client, Error>> + Send + 'static,
    ) -> Result<(), Trouble> {
        let runtime = self.runtime.as_ref().ok_or_else(|| other("over"))?;
        let client = runtime.spawn(starting).await.map_err(other)??;
        *self.events.lock().await = client.events();
        self.client.set(client).map_err(|_| other("begun twice"))
    }

    /// A channel, which others are brought into.
    pub(crate) async fn open_channel(&self, unit: u64, title: &str) -> Result<u64, Trouble> {
        let unit = UnitId::new(unit).ok_or_else(|| other("no unit"))?;
        Ok(self.client()?.open_channel(unit, title).await?.id.value())
    }

    pub(crate) async fn rename(&self, conversation: u64, title: &str) -> Result<(), Trouble> {
        Ok(self.client()?.rename(place(conversation)?, title).await?)
    }

    pub(crate) async fn archive(&self, conversation: u64) -> Result<(), Trouble> {
        Ok(self.client()?.archive(place(conversation)?, true).await?)
    }

    fn client(&self) -> Result<&Client, Trouble> {
        self.client.get().ok_or_else(|| other("not begun"))
    }
}

impl ClientUnderTest for Ours {
    const NAME: &'static str = "ours";
    const RESET: &'static str = "reset";

    fn start(profile: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (profile, events) = (profile.to_owned(), Arc::default());
        Ok(Self { runtime: Some(runtime), profile, client: OnceLock::new(), events })
    }

    async fn read_link(&self, link: &str) -> Result<(String, u16, String, String), Trouble> {
        let link: JoinLink = link.parse().map_err(|_| Trouble::Link)?;
        Ok((link.address.host, link.address.port, link.server_name, link.code.reveal().to_owned()))
    }

    async fn join(&self, link: &str, pin: &str, device: &str) -> Result<(), Trouble> {
        let link: JoinLink = link.parse().map_err(|_| Trouble::Link)?;
        let pin = Pin::choose(pin.to_owned()).map_err(|_| Trouble::Pin)?;
        let (device, profile) = (device.to_owned(), self.profile.clone());
        self.begin(async move { Client::join(&link, &pin, &device, &profile).await }).await
    }

    async fn open(&self) -> Result<(), Trouble> {
        let profile = self.profile.clone();
        self.begin(async move { Client::open(&profile).await }).await
    }

    async fn unlock(&self, pin: &str) -> Result<(), Trouble> {
        let pin = Pin::offer(pin.to_owned()).map_err(|_| Trouble::Pin)?;
        self.client()?.unlock(pin).await?;
        Ok(())
    }

    async fn send(&self, conversation: u64, text: &str) -> Result<Name, Trouble> {
        Ok(self.client()?.send(place(conversation)?, text).await?.0)
    }

    async fn read(&self, conversation: u64, sequence: u64) -> Result<(), Trouble> {
        Ok(self.client()?.mark_read(place(conversation)?, Sequence(sequence)).await?)
    }

    async fn open_direct(&self, with: u64) -> Result<u64, Trouble> {
        Ok(self.client()?.open_direct(person(with)?).await?.id.value())
    }

    async fn open_group(&self, title: &str, with: &[u64]) -> Result<u64, Trouble> {
        Ok(self.client()?.open_group(title, &people(with)?).await?.id.value())
    }

    async fn change_members(&self, conversation: u64, add: &[u64], remove: &[u64]) -> Result<(), Trouble> {
        let (client, conversation) = (self.client()?, place(conversation)?);
        if !add.is_empty() {
            client.add_members(conversation, &people(add)?).await?;
        }
        if !remove.is_empty() {
            client.remove_members(conversation, &people(remove)?).await?;
        }
        Ok(())
    }

    async fn history(
        &self,
        conversation: u64,
        before: u64,
        limit: u32,
    ) -> Result<(Vec<Message>, bool), Trouble> {
        let page = self.client()?.history(place(conversation)?, Sequence(before), limit).await?;
        Ok((page.messages.into_iter().map(message).collect(), page.end))
    }

    async fn people(&self) -> Result<Vec<(u64, String)>, Trouble> {
        let people = self.client()?.people().await?;
        Ok(people.into_iter().map(|person| (person.id.value(), person.name)).collect())
    }

    /// The SDK shows nothing: the command does, over the same profile.
    async fn shown(&mut self, conversation: u64) -> Result<String> {
        let mut command = Command::new(sibling("wardline")?);
        command.arg("--profile").arg(&self.profile);
        command.args(["history", &format!("{conversation:016x}"), "--limit", "1"]);
        let done = command.stdin(Stdio::null()).output().await?;
        if !done.status.success() {
            bail!("the command: {}", String::from_utf8_lossy(&done.stderr));
        }
        Ok(String::from_utf8(done.stdout)?)
    }

    async fn event(&mut self) -> Result<Seen> {
        let mut events = self.events.lock().await;
        let events = events.as_mut().context("not begun")?;
        let event = events.next().await.context("the client ended")?;
        events.done();
        Ok(seen(event))
    }

    async fn leave(self) -> Result<()> {
        self.client()?.close().await;
        Ok(())
    }

    async fn die(mut self) -> Result<()> {
        if let Some(runtime) = self.runtime.take() {
            // The profile is free when the last task is gone.
            tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE)).await?;
        }
        Ok(())
    }
}

fn seen(event: Event) -> Seen {
    match event {
        Event::Connected(signed_in) => Seen::Connected { device: signed_in.device.value() },
        Event::Reconnecting { why, untrusted, .. } => Seen::Reconnecting { why, untrusted },
        Event::PinNeeded { tries_left } => Seen::PinNeeded { tries_left, locked: false },
        Event::Locked { tries_left } => Seen::PinNeeded { tries_left, locked: true },
        Event::Snapshot => Seen::Snapshot,
        Event::CaughtUp => Seen::CaughtUp,
        Event::Message(delivered) => Seen::Message(message(delivered)),
        Event::Gap { conversation, from, to } => {
            Seen::Gap { conversation: conversation.value(), from: from.0, to: to.0 }
        }
        Event::Conversation(conversation) => Seen::Conversation {
            conversation: conversation.id.value(),
            members: conversation.members.iter().map(|member| member.person.value()).collect(),
            title: conversation.title,
            purged: conversation.purged,
        },
        Event::Watermark(mark) => Seen::Watermark {
            conversation: mark.conversation.value(),
            person: mark.member.person.value(),
            delivered: mark.member.delivered.0,
            read: mark.member.read.0,
        },
        Event::Gone(conversation) => Seen::Gone(conversation.value()),
        Event::DeviceJoined(device) => Seen::DeviceJoined { device: device.id.value() },
        Event::Accepted(accepted) => {
            Seen::Accepted { name: accepted.message.0, sequence: accepted.sequence.0 }
        }
        Event::Delayed { message: MessageId(name), refused } => {
            Seen::Delayed { name, code: Reason(refused.code) }
        }
        Event::Failed { message: MessageId(name), refused, .. } => {
            Seen::Failed { name, code: Reason(refused.code) }
        }
        Event::Ended(end) => Seen::Ended(match end {
            End::Superseded => Ending::Superseded,
            End::Revoked => Ending::Revoked,
            End::Refused(refused) => Ending::Refused(Reason(refused.code)),
            _ => Ending::Other,
        }),
        _ => Seen::Other,
    }
}

fn message(message: wardline_client::event::Message) -> Message {
    Message {
        conversation: message.conversation.value(),
        sequence: message.sequence.0,
        name: message.id.0,
        sender: message.sender.value(),
        text: message.text,
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refused) | Error::Ended(End::Refused(refused)) => {
                Self::Refused { code: Reason(refused.code), tries_left: refused.tries_left }
            }
            Error::Untrusted(_) => Self::Untrusted,
            Error::Input(InputError::Text(_)) => Self::Text,
            error => other(error),
        }
    }
}

fn other(error: impl ToString) -> Trouble {
    Trouble::Other(error.to_string())
}

fn place(conversation: u64) -> Result<ConversationId, Trouble> {
    ConversationId::new(conversation).ok_or_else(|| other("no identifier"))
}

fn person(person: u64) -> Result<PersonId, Trouble> {
    PersonId::new(person).ok_or_else(|| other("no identifier"))
}

fn people(people: &[u64]) -> Result<Vec<PersonId>, Trouble> {
    people.iter().map(|each| person(*each)).collect()
}
