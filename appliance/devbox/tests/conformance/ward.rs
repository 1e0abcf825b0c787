//! Where the list is run: a box, people, their devices and the roads between.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use tokio::time::timeout;
use wardline_core::wire::proto;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;

use super::client::{ClientUnderTest, Message, Name, Seen};
use super::ours::Ours;
use super::road::Road;
use super::support::Fixture;

/// What everybody here types.
pub(crate) const PIN: &str = "739154";
/// How long anything may take on a busy machine. Nothing here measures.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Both boxes.
pub(crate) struct Stage {
    /// As boxes are.
    pub(crate) ward: Arc<Ward>,
    /// Locks after ten idle seconds, and lets an address begin two handshakes before it must prove itself, and two after
    /// that: for good, as its tokens do not grow again. Another facility, to whoever pinned the first.
    pub(crate) strict: Arc<Ward>,
}

/// A box and whoever is in it.
pub(crate) struct Ward {
    fixture: Mutex<Fixture>,
    count: AtomicU16,
}

/// Somebody's device, with its client and its road.
pub(crate) struct Device<C> {
    pub(crate) client: C,
    pub(crate) road: Road,
    pub(crate) person: u64,
    pub(crate) profile: PathBuf,
}

impl Stage {
    /// Starts the boxes, on the calling thread, with which they end.
    pub(crate) fn start() -> Result<Self> {
        let strict = ["--idle-lock", "10", "--source-rate", "0", "--source-burst", "2"];
        Ok(Self { ward: Ward::start(&[])?, strict: Ward::start(&strict)? })
    }
}

impl Ward {
    fn start(relay: &[&str]) -> Result<Arc<Self>> {
        let fixture = Mutex::new(Fixture::start(relay)?);
        Ok(Arc::new(Self { fixture, count: AtomicU16::new(1) }))
    }

    /// The box.
    pub(crate) fn fixture(&self) -> MutexGuard<'_, Fixture> {
        self.fixture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> u16 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// A request at the console.
    pub(crate) fn console(&self, body: Ask) -> Result<Answer> {
        let mut console = self.fixture().devbox.console()?;
        Ok(console.ask(body)?)
    }

    /// Somebody new in the directory.
    pub(crate) fn newcomer(&self) -> Result<u64> {
        let name = format!("Newcomer {}", self.count());
        let mut console = self.fixture().devbox.console()?;
        Ok(console.add_person(&name, "", false)?)
    }

    /// The devices that a person has.
    pub(crate) fn devices(&self, person: u64) -> Result<Vec<proto::Device>> {
        match self.console(Ask::ListDevices(proto::ListDevices { person }))? {
            Answer::DeviceList(list) => Ok(list.devices),
            _ => bail!("no list of devices"),
        }
    }

    /// Suspends somebody, or restores them.
    pub(crate) fn suspend(&self, person: u64, suspended: bool) -> Result<()> {
        self.console(Ask::SetStanding(proto::SetStanding { person, suspended })).map(drop)
    }

    /// A road under an address that nobody came from: the box looks at twenty codes of one at once.
    pub(crate) async fn road(&self) -> Result<Road> {
        let [high, low] = self.count().to_be_bytes();
        let to = self.fixture().devbox.address();
        Road::open(Ipv4Addr::new(127, 21, high, low), to).await
    }

    /// A link with a fresh code, along this road.
    pub(crate) fn link(&self, person: u64, road: &Road) -> Result<String> {
        let link = self.fixture().devbox.join_link(person)?;
        let (_, query) = link.split_once("/join").context("no link")?;
        Ok(format!("wardline://{}/join{query}", road.address))
    }

    /// A device-to-be of somebody.
    pub(crate) async fn unjoined<C: ClientUnderTest>(&self, person: u64) -> Result<Device<C>> {
        let profile = self.fixture().path(&format!("profile-{}", self.count()));
        let (client, road) = (C::start(&profile)?, self.road().await?);
        Ok(Device { client, road, person, profile })
    }

    /// A device of somebody, caught up.
    pub(crate) async fn device_of<C: ClientUnderTest>(&self, person: u64) -> Result<Device<C>> {
        let mut device = self.unjoined::<C>(person).await?;
        let link = self.link(person, &device.road)?;
        device.client.join(&link, PIN, "a phone").await?;
        device.caught_up().await?;
        Ok(device)
    }

    /// A newcomer's device, caught up.
    pub(crate) async fn device<C: ClientUnderTest>(&self) -> Result<Device<C>> {
        self.device_of(self.newcomer()?).await
    }

    /// A device with the client under test, a colleague's with ours, and their conversation.
    pub(crate) async fn pair<C: ClientUnderTest>(&self) -> Result<(Device<C>, Device<Ours>, u64)> {
        let (subject, mut colleague) = tokio::try_join!(self.device::<C>(), self.device::<Ours>())?;
        let conversation = subject.client.open_direct(colleague.person).await?;
        colleague
            .until("the conversation", |seen| {
                matches!(seen, Seen::Conversation { conversation: c, .. } if *c == conversation).then_some(())
            })
            .await?;
        Ok((subject, colleague, conversation))
    }
}

impl<C: ClientUnderTest> Device<C> {
    /// The first of what the client tells that is picked; what comes before it is passed over.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(&Seen) -> Option<T>,
    ) -> Result<T> {
        let found = async {
            loop {
                let seen = self.client.event().await?;
                if let Some(found) = pick(&seen) {
                    return Ok(found);
                }
            }
        };
        timeout(PATIENCE, found).await.with_context(|| format!("did not come: {what}"))?
    }

    /// Waits for exactly this.
    pub(crate) async fn sees(&mut self, wanted: &Seen) -> Result<()> {
        self.until(&format!("{wanted:?}"), |seen| (seen == wanted).then_some(())).await
    }

    pub(crate) async fn caught_up(&mut self) -> Result<()> {
        self.sees(&Seen::CaughtUp).await
    }

    /// Everything that comes before it has caught up, that included.
    pub(crate) async fn catching_up(&mut self) -> Result<Vec<Seen>> {
        let mut all = Vec::new();
        self.until("caught up", |seen| {
            all.push(seen.clone());
            (*seen == Seen::CaughtUp).then_some(())
        })
        .await?;
        Ok(all)
    }

    /// The next message, which must be this one.
    pub(crate) async fn hears(&mut self, text: &str) -> Result<Message> {
        let message = self.until("a message", |seen| match seen {
            Seen::Message(message) => Some(message.clone()),
            _ => None,
        });
        let message = message.await?;
        ensure!(message.text == text, "another message was heard: {message:?}");
        Ok(message)
    }

    /// Waits until a message is accepted; its place.
    pub(crate) async fn accepted(&mut self, wanted: Name) -> Result<u64> {
        let place = self.until("accepted", |seen| match seen {
            Seen::Accepted { name, sequence } if *name == wanted => Some(Ok(*sequence)),
            Seen::Failed { name, code } if *name == wanted => Some(Err(anyhow!("failed with {code:?}"))),
            _ => None,
        });
        place.await?
    }

    /// Sends, and waits until it is accepted; its place.
    pub(crate) async fn says(&mut self, conversation: u64, text: &str) -> Result<u64> {
        let name = self.client.send(conversation, text).await?;
        self.accepted(name).await
    }

    /// Another process over the same profile: dead.
    pub(crate) async fn dies(self) -> Result<Self> {
        let Self { client, road, person, profile } = self;
        client.die().await?;
        Ok(Self { client: C::start(&profile)?, road, person, profile })
    }

    /// Another process over the same profile, after a farewell.
    pub(crate) async fn leaves(self) -> Result<Self> {
        let Self { client, road, person, profile } = self;
        client.leave().await?;
        Ok(Self { client: C::start(&profile)?, road, person, profile })
    }
}
