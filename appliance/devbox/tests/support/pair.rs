//! Two people with proper clients, who go on talking whatever happens beside them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use wardline_client::{Calls as _, Client, ConversationId, Event, Events, PersonId, Pin};

use super::Fixture;

/// What an exchange may take, on a machine that is being flooded by this very test.
const PATIENCE: Duration = Duration::from_secs(5);
/// A PIN that is no canary.
pub(crate) const PIN: &str = "739154";

/// Ana, Ben and their conversation.
pub(crate) struct Pair {
    /// One.
    pub(crate) ana: Client,
    /// The other.
    pub(crate) ben: Client,
    ana_hears: Events,
    ben_hears: Events,
    /// Between them.
    pub(crate) conversation: ConversationId,
    said: u32,
}

/// A device of somebody, with the SDK.
pub(crate) async fn device(fixture: &Fixture, first: &str, pin: &str, name: &str) -> Result<Client> {
    let link = fixture.devbox.join_link(fixture.person(first)?)?.parse()?;
    let pin = Pin::choose(pin.to_owned())?;
    let client = Client::join(&link, &pin, name, &fixture.path(&format!("profile-{first}"))).await?;
    client.ready().await?;
    Ok(client)
}

impl Pair {
    /// Both join, and keep their sessions from locking as people at work do.
    pub(crate) async fn join(fixture: &Fixture) -> Result<Self> {
        let ana = device(fixture, "Ana", PIN, "Ana's phone").await?;
        let ben = device(fixture, "Ben", PIN, "Ben's phone").await?;
        let person = PersonId::new(fixture.person("Ben")?).context("Ben has no identifier")?;
        let conversation = ana.open_direct(person).await?.id;
        for client in [ana.clone(), ben.clone()] {
            tokio::spawn(async move {
                let mut often = tokio::time::interval(Duration::from_secs(2));
                while client.touched().await.is_ok() {
                    often.tick().await;
                }
            });
        }
        let (ana_hears, ben_hears) = (ana.events(), ben.events());
        let (ana_hears, ben_hears) = (ana_hears.context("taken")?, ben_hears.context("taken")?);
        Ok(Self { ana, ben, ana_hears, ben_hears, conversation, said: 0 })
    }

    /// A message each way: accepted, delivered, word for word, soon.
    pub(crate) async fn exchange(&mut self) -> Result<Duration> {
        self.said += 1;
        let began = Instant::now();
        let text = format!("question {}", self.said);
        say(&self.ana, self.conversation, &text, &mut self.ben_hears).await.context("Ana to Ben")?;
        let text = format!("answer {}", self.said);
        say(&self.ben, self.conversation, &text, &mut self.ana_hears).await.context("Ben to Ana")?;
        Ok(began.elapsed())
    }
}

/// Sends, and waits until it is accepted and the other has heard it.
pub(crate) async fn say(
    from: &Client,
    conversation: ConversationId,
    text: &str,
    hears: &mut Events,
) -> Result<()> {
    let exchange = async {
        from.send_tracked(conversation, text).await?.outcome().await?;
        loop {
            match hears.next().await {
                Some(Event::Message(message))
                    if (message.conversation, message.sender) == (conversation, from.identity().person) =>
                {
                    ensure!(message.text == text, "heard {:?} where {text:?} was said", message.text);
                    hears.done();
                    return Ok(());
                }
                Some(_) => {}
                None => bail!("the listener's client ended"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, exchange).await.context("a bystander's message took too long")?
}
