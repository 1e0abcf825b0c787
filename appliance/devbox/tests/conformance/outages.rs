//! Connections that end, and what must not be lost with them.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::task::JoinSet;
use wardline_core::wire::proto;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;

use super::client::{ClientUnderTest, Name, Seen};
use super::ours::Ours;
use super::signing::copy;
use super::support::raw::{self, Raw, Way};
use super::support::until;
use super::ward::{Device, PATIENCE, PIN, Stage, Ward};

/// The texts among what was seen.
fn texts(seen: &[Seen]) -> Vec<&str> {
    seen.iter()
        .filter_map(|seen| if let Seen::Message(message) = seen { Some(message.text.as_str()) } else { None })
        .collect()
}

/// Away in order: what was missed comes once, and nothing else does.
pub(crate) async fn resumes<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    colleague.says(conversation, "before").await?;
    subject.hears("before").await?;
    let mut subject = subject.leaves().await?;
    for text in ["one", "two", "three"] {
        colleague.says(conversation, text).await?;
    }
    subject.client.open().await?;
    let all = subject.catching_up().await?;
    ensure!(!all.contains(&Seen::Snapshot), "it began anew");
    ensure!(texts(&all) == ["one", "two", "three"], "{all:?}");
    Ok(())
}

/// Dead in the middle: nothing is lost. What was dealt with last may come again.
pub(crate) async fn dies<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    let mut subject = subject.leaves().await?;
    subject.client.open().await?;
    subject.caught_up().await?;
    colleague.says(conversation, "before").await?;
    subject.hears("before").await?;
    let mut subject = subject.dies().await?;
    for text in ["one", "two", "three"] {
        colleague.says(conversation, text).await?;
    }
    subject.client.open().await?;
    let all = subject.catching_up().await?;
    ensure!(!all.contains(&Seen::Snapshot), "it began anew");
    let texts = texts(&all);
    let missed = texts.strip_prefix(&["before"]).unwrap_or(&texts);
    ensure!(missed == ["one", "two", "three"], "{all:?}");
    Ok(())
}

/// The network swallows everything and says nothing.
pub(crate) async fn silence<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    subject.road.lose();
    colleague.says(conversation, "into the silence").await?;
    let name = subject.client.send(conversation, "out of it").await?;
    let (mut heard, mut place, other) = (None, None, colleague.person);
    let both = subject.until("what was lost", |seen| {
        match seen {
            // Its own may be delivered too when it catches up.
            Seen::Message(message) if message.sender == other => heard = Some(message.text.clone()),
            Seen::Accepted { name: accepted, sequence } if *accepted == name => place = Some(*sequence),
            _ => {}
        }
        (heard.is_some() && place.is_some()).then_some(())
    });
    both.await?;
    ensure!(heard.as_deref() == Some("into the silence"), "another message was heard");
    ensure!(place == Some(2), "in place {place:?}");
    colleague.hears("out of it").await.map(drop)
}

/// Another address in the middle of a connection: it goes on.
pub(crate) async fn roams<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    subject.says(conversation, "before").await?;
    subject.road.roam();
    let name = subject.client.send(conversation, "from another network").await?;
    let went_on = subject.until("accepted", |seen| match seen {
        Seen::Accepted { name: accepted, .. } if *accepted == name => Some(true),
        Seen::Reconnecting { .. } | Seen::Connected { .. } => Some(false),
        _ => None,
    });
    ensure!(went_on.await?, "it connected anew");
    colleague.says(conversation, "to it").await?;
    subject.hears("to it").await.map(drop)
}

/// A message that the box has and whose answer was lost.
async fn in_doubt<C: ClientUnderTest>(
    subject: &Device<C>,
    colleague: &mut Device<Ours>,
    conversation: u64,
) -> Result<Name> {
    subject.road.deafen();
    let name = subject.client.send(conversation, "once").await?;
    let heard = colleague.hears("once").await?;
    ensure!((heard.name, heard.sequence) == (name, 1), "{heard:?}");
    Ok(name)
}

/// It was sent again, and is there once.
async fn is_there_once<C: ClientUnderTest>(
    subject: &mut Device<C>,
    colleague: &mut Device<Ours>,
    conversation: u64,
    name: Name,
) -> Result<()> {
    ensure!(subject.accepted(name).await? == 1, "accepted in another place");
    ensure!(subject.says(conversation, "twice").await? == 2, "something is between");
    colleague.hears("twice").await?;
    let (page, end) = subject.client.history(conversation, 0, 100).await?;
    ensure!(page.len() == 2 && end, "{} messages", page.len());
    Ok(())
}

pub(crate) async fn retry_after_death<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    let name = in_doubt(&subject, &mut colleague, conversation).await?;
    let mut subject = subject.dies().await?;
    subject.road.clear();
    subject.client.open().await?;
    is_there_once(&mut subject, &mut colleague, conversation, name).await
}

impl Ward {
    /// SIGKILL, and another one.
    fn restart(&self) -> Result<()> {
        let mut fixture = self.fixture();
        fixture.devbox.kill_relay();
        fixture.devbox.start_relay()
    }
}

/// Alone: the box dies with the answer.
pub(crate) async fn retry_after_restart<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    let name = in_doubt(&subject, &mut colleague, conversation).await?;
    stage.ward.fixture().devbox.kill_relay();
    subject.road.clear();
    stage.ward.fixture().devbox.start_relay()?;
    is_there_once(&mut subject, &mut colleague, conversation, name).await
}

/// Alone: the box has forgotten the connection, and says so with a stateless reset.
pub(crate) async fn reset<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, _colleague, conversation) = stage.ward.pair::<C>().await?;
    stage.ward.restart()?;
    let name = subject.client.send(conversation, "to a box that forgot").await?;
    let why = subject.until("the reset", |seen| match seen {
        Seen::Reconnecting { why, .. } => Some(why.clone()),
        _ => None,
    });
    let why = why.await?;
    ensure!(why.contains(C::RESET), "the connection ended otherwise: {why}");
    // Not heard by the colleague yet, who is silent and learns of it with the next ping.
    ensure!(subject.accepted(name).await? == 1, "in another place");
    Ok(())
}

/// Alone: the box goes in order and asks everybody to come back.
pub(crate) async fn drains<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    let relay = stage.ward.fixture().devbox.relay_pid().context("no relay")?;
    kill(Pid::from_raw(i32::try_from(relay)?), Signal::SIGTERM)?;
    let gone = || Ok(stage.ward.fixture().devbox.relay_pid().is_none());
    until(PATIENCE, "the relay ends", gone).await?;
    stage.ward.fixture().devbox.start_relay()?;
    let name = subject.client.send(conversation, "after the pause").await?;
    subject.accepted(name).await?;
    colleague.hears("after the pause").await.map(drop)
}

/// Alone: the box is set back to what it was a while ago, and goes on from there.
pub(crate) async fn restored<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let (mut subject, mut colleague, conversation) = stage.ward.pair::<C>().await?;
    colleague.says(conversation, "kept").await?;
    subject.hears("kept").await?;
    let backup = stage.ward.fixture().path(&format!("backup-{}", C::NAME));
    {
        let mut fixture = stage.ward.fixture();
        fixture.devbox.kill_relay();
        copy(&fixture.devbox.data(), &backup)?;
        fixture.devbox.start_relay()?;
    }
    for number in 1..=100 {
        colleague.says(conversation, &format!("lost {number}")).await?;
    }
    subject.hears("lost 1").await?;
    {
        let mut fixture = stage.ward.fixture();
        fixture.devbox.kill_relay();
        fs::remove_dir_all(fixture.devbox.data())?;
        copy(&backup, &fixture.devbox.data())?;
        fixture.devbox.start_relay()?;
    }
    subject.says(conversation, "mine in another past").await?;
    colleague.says(conversation, "another past").await?;
    subject
        .until("what is new in the other past", |seen| match seen {
            Seen::Message(message) if message.text == "another past" => Some(()),
            _ => None,
        })
        .await
}

/// The box wants to know that its address is the client's own.
pub(crate) async fn retry_packet<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.strict;
    let mut device = ward.device::<C>().await?;
    // Two handshakes from one road pass without a proof; a client has had one or two by now.
    for _ in 0..2 {
        let asked_before = device.road.retries();
        device = device.leaves().await?;
        device.client.open().await?;
        device.caught_up().await?;
        if device.road.retries() > asked_before {
            return Ok(());
        }
    }
    bail!("the box asked for no proof")
}

/// More than the box lists one by one.
const MISSED: u64 = 10_010;
/// Devices that write it, each no more than one may at once.
const WRITERS: u64 = 14;
/// Newest messages of each conversation in a snapshot.
const NEWEST: u64 = 30;

/// One more device of somebody.
async fn writer(ward: &Ward, person: u64) -> Result<(Raw, raw::Device)> {
    let (code, way) = {
        let fixture = ward.fixture();
        (fixture.devbox.console()?.join_code(person)?, Way::new(&fixture.devbox))
    };
    way.join(&code, PIN).await.context("a writer joins")
}

/// It writes its share as fast as it can.
async fn writes(writer: (Raw, raw::Device), conversation: u64) -> Result<()> {
    let (mut raw, device) = writer;
    let mut last = 0;
    for number in 1..=MISSED / WRITERS {
        let name = [device.id.value().to_be_bytes(), number.to_be_bytes()].concat();
        let text = "x".to_owned();
        let (message, priority, call) = (name, 0, None);
        let submit =
            proto::Submit { number, message, conversation, text, priority, call, ..Default::default() };
        last = raw.say(Ask::Submit(submit)).await?;
    }
    match raw.answer(last).await? {
        Answer::Accepted(_) => Ok(()),
        _ => bail!("the last one was not accepted"),
    }
}

pub(crate) async fn far_behind<C: ClientUnderTest>(stage: Arc<Stage>) -> Result<()> {
    let ward = &stage.ward;
    let (mut subject, mut colleague, conversation) = ward.pair::<C>().await?;
    colleague.says(conversation, "before").await?;
    subject.hears("before").await?;
    let mut subject = subject.leaves().await?;
    let mut writing = JoinSet::new();
    // Both have one device already, and may have eight.
    for person in [subject.person, colleague.person] {
        for _ in 0..WRITERS / 2 {
            writing.spawn(writes(writer(ward, person).await?, conversation));
        }
    }
    while let Some(written) = writing.join_next().await {
        written??;
    }
    subject.client.open().await?;
    let all = subject.catching_up().await?;
    ensure!(all.contains(&Seen::Snapshot), "no snapshot");
    let places: Vec<u64> = all
        .iter()
        .filter_map(|seen| if let Seen::Message(message) = seen { Some(message.sequence) } else { None })
        .collect();
    let last = 1 + MISSED;
    ensure!(places == (last - NEWEST + 1..=last).collect::<Vec<_>>(), "messages {places:?}");
    let gap = Seen::Gap { conversation, from: 2, to: last - NEWEST };
    ensure!(all.contains(&gap), "nobody was told of the gap");
    let (page, _) = subject.client.history(conversation, last - NEWEST + 1, 100).await?;
    ensure!(page.first().map(|message| message.sequence) == Some(last - NEWEST), "no history before it");
    Ok(())
}
