//! `wardline bench`: what this network and this box do with messages.
//!
//! The messages are made up, say that they are a test, and go to nobody but the tester: into a group of the tester's own,
//! which is left again at the end and is in nobody's list from then on. What was sent stays on the box until retention
//! takes it, as any message does.
//!
//! Refuses to write into any other conversation, to go faster than [`RATE_MAX`], to send more than [`MESSAGES_MAX`], and to
//! begin while real messages wait in the outbox: they would be measured, and held up.

mod measure;
mod report;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use wardline_client::error::ProfileError;
use wardline_client::event::Kind;
use wardline_client::probe::{self, Knocks, Patience};
use wardline_client::{Calls as _, Client, ConversationId, Error, Event, PersonId};

use crate::access::Access;
use crate::exit::Failure;
use crate::{Common, pin, say};
use measure::Measured;

/// A minute and more of measuring says no more: 1,000 at 20 a second are 50 s, and some 100 kB on the box's disk.
pub(crate) const MESSAGES_MAX: u32 = 1_000;
/// A twentieth of what the box takes from one device (400 a second), and far below what it commits; a ward of a hundred
/// people writes less than one a second.
pub(crate) const RATE_MAX: u32 = 20;
/// What the group is called on the tester's other devices while it lasts.
const TITLE: &str = "Wardline network test";
/// After this a message counts as missing. No person waits so long.
const MESSAGE_TIME_MAX: Duration = Duration::from_secs(15);
/// Messages under way at a time; one of a conversation is with the box, the others wait behind it.
const UNDER_WAY_MAX: usize = 32;
/// For what waits to be sent, before and after.
const DRAIN: Duration = Duration::from_secs(5);
/// For the group to be left.
const LEAVE: Duration = Duration::from_secs(10);

/// What to measure.
pub(crate) struct Wish {
    /// 1 to [`MESSAGES_MAX`].
    pub(crate) messages: u32,
    /// Messages a second: 1 to [`RATE_MAX`].
    pub(crate) rate: u32,
    /// The profile of a second device, to see messages arrive.
    pub(crate) with: Option<PathBuf>,
    pub(crate) with_pin_file: Option<PathBuf>,
    pub(crate) json: bool,
}

/// Somebody whose device is here.
struct Tester {
    access: Access,
}

impl Tester {
    /// Opens a profile that nobody else has open, and its session.
    async fn open(common: &Common) -> Result<Self, Failure> {
        match Access::open(common).await? {
            Access::Guest(_) => {
                let busy = ProfileError::Busy(common.profile()?);
                let why = "A measurement through it would measure that program too.";
                Err(Failure::Machine(format!("{busy} {why}")))
            }
            Access::Own(client) => {
                let opened = pin::contact(common, &client).await;
                let tester = Self { access: Access::Own(client) };
                match opened {
                    Ok(()) => Ok(tester),
                    Err(failure) => {
                        tester.close().await;
                        Err(failure)
                    }
                }
            }
        }
    }

    fn client(&self) -> Option<&Client> {
        match &self.access {
            Access::Own(client) => Some(client),
            Access::Guest(_) => None,
        }
    }

    fn person(&self) -> PersonId {
        self.access.identity().person
    }

    /// Leaves the group, so that it is in nobody's list. What cannot be done now the next test does.
    async fn leave(&self, group: ConversationId) -> bool {
        let me = [self.person()];
        let left = self.access.remove_members(group, &me);
        matches!(tokio::time::timeout(LEAVE, left).await, Ok(Ok(())))
    }

    async fn close(&self) {
        if let Some(client) = self.client() {
            client.close().await;
        }
    }
}

pub(crate) async fn bench(common: &Common, wish: Wish) -> Result<(), Failure> {
    let tester = Tester::open(common).await?;
    let outcome = with_second(common, &tester, &wish).await;
    tester.close().await;
    report::tell(&outcome?, &wish)
}

async fn with_second(common: &Common, tester: &Tester, wish: &Wish) -> Result<Measured, Failure> {
    idle(tester).await?;
    let Some(with) = &wish.with else { return measured(tester, None, wish).await };
    let mut common = common.clone();
    common.profile = Some(with.clone());
    common.pin_file.clone_from(&wish.with_pin_file);
    let second = Tester::open(&common).await?;
    let outcome = match fits(tester, &second) {
        Ok(()) => measured(tester, Some(&second), wish).await,
        Err(failure) => Err(failure),
    };
    second.close().await;
    outcome
}

/// Nothing of the person's own waits.
async fn idle(tester: &Tester) -> Result<(), Failure> {
    let Some(client) = tester.client() else { return Ok(()) };
    let waits = |count: usize| {
        let some = if count == 1 { "message waits".to_owned() } else { "messages wait".to_owned() };
        let how = "wardline chat shows why. Measure once nothing waits.";
        Failure::Machine(format!("{count} {some} in this profile's outbox to be sent or looked at: {how}"))
    };
    let drained = say::patiently("Sending what waits first …", tokio::time::timeout(DRAIN, client.drained()));
    let drained = drained.await.is_ok();
    match client.unsent().await?.len() {
        0 if drained => Ok(()),
        count => Err(waits(count)),
    }
}

fn fits(tester: &Tester, second: &Tester) -> Result<(), Failure> {
    let (one, other) = (tester.access.identity(), second.access.identity());
    if one.root == other.root && one.device != other.device {
        return Ok(());
    }
    let how = "--with wants the profile of another device at the same box: join one with wardline --profile DIR join LINK.";
    Err(Failure::Usage(how.to_owned()))
}

/// Opens the group, measures in it, and leaves it whatever happened.
async fn measured(tester: &Tester, second: Option<&Tester>, wish: &Wish) -> Result<Measured, Failure> {
    let group = group(tester, second).await?;
    let outcome = tokio::select! {
        outcome = run(tester, second, group, wish) => outcome,
        _ = tokio::signal::ctrl_c() => Err(Failure::Machine("Stopped. Nothing was measured.".to_owned())),
    };
    // What is still on its way must find its group, or its person is told of a message that failed.
    if let Some(client) = tester.client() {
        let _ = tokio::time::timeout(DRAIN, client.drained()).await;
    }
    let mut left = tester.leave(group).await;
    if let Some(second) = second.filter(|second| second.person() != tester.person()) {
        left &= second.leave(group).await;
    }
    if !left {
        say::last(format!("The group “{TITLE}” could not be left: the next wardline bench does it."));
    }
    outcome
}

/// A group of these two alone: one that an earlier test could not leave, or a new one.
async fn group(tester: &Tester, second: Option<&Tester>) -> Result<ConversationId, Failure> {
    let mut members = vec![tester.person()];
    members.extend(second.map(Tester::person).filter(|person| *person != tester.person()));
    let (_, conversations) = say::patiently("Looking for the test group …", tester.access.look()).await?;
    let is_ours = |member: PersonId| members.contains(&member);
    let left_over = conversations.iter().find(|known| {
        known.kind == Kind::Group
            && !known.purged
            && known.title == TITLE
            && known.members.len() == members.len()
            && known.members.iter().all(|member| is_ours(member.person))
    });
    match left_over {
        Some(known) => Ok(known.id),
        None => Ok(tester.access.open_group(TITLE, &members[1..]).await?.id),
    }
}

async fn run(
    tester: &Tester,
    second: Option<&Tester>,
    group: ConversationId,
    wish: &Wish,
) -> Result<Measured, Failure> {
    let Some(client) = tester.client() else { return Err(Failure::Machine("Not opened.".to_owned())) };
    let apart = Duration::from_secs(1) / wish.rate.max(1);
    let (arrives, mut arrived) = mpsc::channel(MESSAGES_MAX as usize);
    let listener = match second.and_then(Tester::client) {
        Some(client) => Some(listen(client, group, arrives).await?),
        None => None,
    };
    let knocks = tokio::spawn(knocks(client.identity().address.clone(), wish.messages, apart));
    let began = Instant::now();
    let mut sent = send(client, group, wish, apart).await?;
    if listener.is_some() {
        let until = tokio::time::Instant::now() + MESSAGE_TIME_MAX;
        let mut missing = sent.iter().filter(|message| message.accepted.is_some()).count();
        while missing > 0 {
            let Ok(Some((index, at))) = tokio::time::timeout_at(until, arrived.recv()).await else { break };
            if let Some(message) = sent.iter_mut().find(|message| message.index == index) {
                message.delivered = Some(at.saturating_duration_since(message.began));
                missing -= usize::from(message.accepted.is_some());
            }
        }
    }
    if let Some(listener) = &listener {
        listener.abort();
    }
    let knocks = say::patiently("Waiting for the last packets …", knocks).await.ok().flatten();
    Ok(Measured::of(wish.messages, began.elapsed(), &sent, listener.is_some(), knocks.as_ref()))
}

/// One test message and what became of it.
pub(crate) struct Sent {
    index: u32,
    began: Instant,
    /// On this machine's disk.
    kept: Duration,
    /// On the box's; `None`: not in time.
    accepted: Option<Duration>,
    /// At the other device.
    delivered: Option<Duration>,
}

fn text(index: u32, of: u32) -> String {
    format!("Wardline test message {index} of {of}")
}

/// Which test message this is.
fn index(text: &str) -> Option<u32> {
    text.strip_prefix("Wardline test message ")?.split(' ').next()?.parse().ok()
}

/// Sends at a steady pace, whatever the answers take, so that a box that falls behind shows. Once one is missing, no more.
async fn send(
    client: &Client,
    group: ConversationId,
    wish: &Wish,
    apart: Duration,
) -> Result<Vec<Sent>, Failure> {
    let mut pace = tokio::time::interval(apart);
    let mut under_way: JoinSet<Result<Sent, Error>> = JoinSet::new();
    let mut sent = Vec::new();
    let told_every = (wish.messages / 4).max(25);
    for index in 1..=wish.messages {
        pace.tick().await;
        let began = Instant::now();
        let mut tracked = client.send_tracked(group, &text(index, wish.messages)).await?;
        let kept = began.elapsed();
        under_way.spawn(async move {
            let outcome = tokio::time::timeout(MESSAGE_TIME_MAX, tracked.outcome()).await;
            let accepted = match outcome {
                Ok(Ok(_)) => Some(began.elapsed()),
                Ok(Err(error)) => return Err(error),
                Err(_) => None,
            };
            Ok(Sent { index, began, kept, accepted, delivered: None })
        });
        if index % told_every == 0 && index < wish.messages {
            say::note(&format!("{index} of {} sent …", wish.messages));
        }
        while under_way.len() >= UNDER_WAY_MAX {
            take(&mut under_way, &mut sent).await?;
        }
        while let Some(Ok(message)) = under_way.try_join_next() {
            sent.push(message?);
        }
        if sent.iter().any(|message: &Sent| message.accepted.is_none()) {
            break;
        }
    }
    while !under_way.is_empty() {
        take(&mut under_way, &mut sent).await?;
    }
    Ok(sent)
}

async fn take(under_way: &mut JoinSet<Result<Sent, Error>>, sent: &mut Vec<Sent>) -> Result<(), Failure> {
    if let Some(Ok(message)) = under_way.join_next().await {
        sent.push(message?);
    }
    Ok(())
}

/// Tells when test messages arrive at the second device, once it has caught up.
async fn listen(
    client: &Client,
    group: ConversationId,
    arrives: mpsc::Sender<(u32, Instant)>,
) -> Result<JoinHandle<()>, Failure> {
    let Some(mut events) = client.events() else {
        return Err(Failure::Machine("The second profile's events are taken.".to_owned()));
    };
    let catching_up = async {
        while let Some(event) = events.next().await {
            match event {
                Event::CaughtUp => return Ok(()),
                Event::Ended(end) => return Err(Failure::from(Error::from(end))),
                Event::Locked { tries_left } => return Err(Error::Locked { tries_left }.into()),
                _ => {}
            }
        }
        Err(Failure::Machine("The second profile's client ended.".to_owned()))
    };
    say::patiently("The second device catches up …", catching_up).await?;
    Ok(tokio::spawn(async move {
        while let Some(event) = events.next().await {
            let Event::Message(message) = event else { continue };
            if message.conversation == group
                && let Some(index) = index(&message.text)
                && arrives.send((index, Instant::now())).await.is_err()
            {
                return;
            }
        }
    }))
}

/// Single packets beside the messages, at the same pace: what the network does, without the box's work.
async fn knocks(address: wardline_client::link::Address, count: u32, apart: Duration) -> Option<Knocks> {
    let once = Patience { count: 1, ..Patience::default() };
    for at in probe::resolve(&address).await.ok()? {
        if !probe::knock(at, once).await.answered.is_empty() {
            return Some(probe::knock(at, Patience { count, apart, rest: Duration::from_secs(1) }).await);
        }
    }
    None
}
