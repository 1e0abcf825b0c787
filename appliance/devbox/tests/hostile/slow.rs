//! Peers that do not take what they are sent.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::task::JoinSet;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self, event::Kind};

use super::Arena;
use super::support::pair::PIN;
use super::support::raw::{Raw, Way, hello};
use super::support::resident;

/// Fan-out of this attack: 28 MB, so that holding it, even once for all, would show.
const MESSAGES: u64 = 4_000;
const TEXT: usize = 7_000;
const SENDERS: [&str; 8] = ["Dana", "Grace", "Hugo", "Jonas", "Ines", "Luis", "Fatima", "Emil"];
const READERS: usize = 2;
/// What the relay may grow by meanwhile, beyond what as many messages take that nobody is sent.
const GROWTH_MAX: u64 = 20 << 20;

/// Who gives no room for answers is closed for a fault all the same: a connection that nobody can close would take
/// one of the box's places for as long as the peer likes.
pub(super) async fn takes_no_answers(arena: &mut Arena) -> Result<()> {
    let way = Way { window: 0, ..Way::new(&arena.fixture.devbox) };
    let mut raw = way.connect().await?;
    raw.say(hello(None)).await?;
    raw.bytes(&[0, 0, 0, 1, 0xff]).await?;
    raw.closes_with(0x100).await
}

/// A signed-in device that asks for everything, and then reads nothing.
async fn reader(arena: &Arena) -> Result<Raw> {
    let way = Way { window: 4096, ..Way::new(&arena.fixture.devbox) };
    let (mut raw, _) = way.join(&arena.fixture.code("Chidi")?, PIN).await?;
    let request = raw.say(Ask::Sync(proto::Sync::default())).await?;
    loop {
        let frame = raw.frame().await?;
        if let (true, Some(Answer::Synced(_))) = (frame.request == request, frame.body) {
            return Ok(raw);
        }
    }
}

/// Sends its share behind this number, 32 under way at a time, below the limit of submissions at once.
async fn send_share(mut raw: Raw, conversation: u64, behind: u64) -> Result<Raw> {
    const UNDER_WAY: u64 = 32;
    let share = MESSAGES / SENDERS.len() as u64;
    let text = "x".repeat(TEXT);
    let mut answered = behind;
    let last = behind + share;
    for number in behind + 1..=last {
        let mut message = vec![0; 16];
        message[..8].copy_from_slice(&number.to_be_bytes());
        let (text, priority, call) = (text.clone(), 0, None);
        let submit =
            proto::Submit { number, message, conversation, text, priority, call, ..Default::default() };
        raw.say(Ask::Submit(submit)).await?;
        while number - answered >= UNDER_WAY || (number == last && answered < last) {
            match raw.frame().await?.body {
                Some(Answer::Accepted(_)) => answered += 1,
                Some(Answer::Refused(refused)) => bail!("a message was refused: {}", refused.advice),
                _ => {}
            }
        }
    }
    Ok(raw)
}

/// All senders send their share. The most memory that the relay had meanwhile.
async fn send_all(
    senders: Vec<Raw>,
    readers: &mut [Raw],
    (conversation, behind): (u64, u64),
    relay: u32,
) -> Result<(Vec<Raw>, u64)> {
    let mut sending = JoinSet::new();
    for raw in senders {
        sending.spawn(send_share(raw, conversation, behind));
    }
    let (mut peak, mut back) = (resident(relay)?, Vec::new());
    let mut look = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            sent = sending.join_next() => match sent {
                Some(sent) => back.push(sent?.context("a sender beside devices that never read")?),
                None => return Ok((back, peak.max(resident(relay)?))),
            },
            _ = look.tick() => {
                peak = peak.max(resident(relay)?);
                // Their people are at work, so their sessions do not lock.
                for reader in &mut *readers {
                    reader.say(Ask::Active(proto::Active {})).await?;
                }
            }
        }
    }
}

pub(super) async fn never_read(arena: &mut Arena) -> Result<()> {
    let mut senders = Vec::new();
    for first in SENDERS {
        senders.push(arena.way.join(&arena.fixture.code(first)?, PIN).await?.0);
    }
    let mut people = vec![arena.fixture.person("Chidi")?];
    for first in &SENDERS[1..] {
        people.push(arena.fixture.person(first)?);
    }
    let open = Ask::OpenGroup(proto::OpenGroup { title: "Night shift".to_owned(), people });
    let Answer::Opened(opened) = senders[0].ask(open).await? else { bail!("no group was opened") };
    let conversation = opened.conversation.context("opened nothing")?.conversation;

    let pid = arena.fixture.devbox.relay_pid().context("the relay does not run")?;
    let share = MESSAGES / SENDERS.len() as u64;
    // The control: what the store's page cache and the allocator take for so many messages with nobody listening.
    let start = resident(pid)?;
    let (senders, unheard) = send_all(senders, &mut [], (conversation, 0), pid).await?;
    let unheard = unheard.saturating_sub(start);
    let before = resident(pid)?;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(reader(arena).await?);
    }
    let (_, peak) = send_all(senders, &mut readers, (conversation, share), pid).await?;
    arena.pair.exchange().await.context("beside devices that never read")?;
    let grown = peak.max(resident(pid)?).saturating_sub(before);
    let kib = |bytes: u64| bytes / 1024;
    super::report(&format!(
        "       the relay grew by {} KiB, and by {} KiB with nobody to read",
        kib(grown),
        kib(unheard)
    ));
    ensure!(
        grown < unheard + GROWTH_MAX,
        "for devices that never read the relay grew by {} KiB, else by {} KiB",
        kib(grown),
        kib(unheard)
    );
    let mut reading = JoinSet::new();
    for raw in readers {
        reading.spawn(read_at_last(raw, conversation));
    }
    while let Some(read) = reading.join_next().await {
        read??;
    }
    Ok(())
}

/// Everything comes, each message once and in its place.
async fn read_at_last(mut raw: Raw, conversation: u64) -> Result<()> {
    let mut next = MESSAGES + 1;
    while next <= 2 * MESSAGES {
        let frame = raw.frame().await.with_context(|| format!("message {next} did not come"))?;
        let Some(Answer::Delivery(delivery)) = frame.body else { continue };
        let Some(Kind::Message(message)) = delivery.event.and_then(|event| event.kind) else { continue };
        if message.conversation == conversation {
            let sequence = message.sequence;
            ensure!(sequence == next, "message {sequence} came where {next} was due");
            ensure!(message.text.len() == TEXT, "message {next} came without its text");
            // Through so small a window this may take longer than the idle lock waits.
            if next.is_multiple_of(64) {
                raw.say(Ask::Active(proto::Active {})).await?;
            }
            next += 1;
        }
    }
    Ok(())
}
