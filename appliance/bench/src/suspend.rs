//! How soon the session of somebody who is suspended ends, and whether anybody else's notices.
//!
//! Pairs write to each other, a message a second each, first with nothing else going on and then while one person after
//! the other signs in and is suspended. The time is from the administrator's request until the device sees its connection
//! closed. Nobody else's connection may end and no message may be missing.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wardline_core::wire::proto;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_devbox::devbox::Devbox;

use crate::appliance;
use crate::line::{Clock, Heard, Line, WardlineHouse};
use crate::seed::World;
use crate::shape::Shape;
use crate::stats::Latencies;

/// Milliseconds at p99 that are asked for.
const BAR: f64 = 1_000.0;
/// Between two messages of a pair.
const APART: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(60);

/// What to measure.
#[derive(Args)]
pub(crate) struct Suspending {
    /// People, one after the other.
    #[arg(long, default_value_t = 100)]
    trials: usize,
    /// Live sessions of other people, in pairs.
    #[arg(long, default_value_t = 500)]
    others: usize,
    /// Seconds to watch the others before.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

pub(crate) async fn measure(wanted: &Suspending) -> Result<()> {
    let pairs = wanted.others / 2;
    ensure!(pairs > 0 && wanted.trials > 0, "two others and one trial at least");
    let shape = Shape { people: 2 * pairs + wanted.trials + 2, pairs, groups: Vec::new(), missed: 0 };
    let directory = tempfile::Builder::new().prefix("wardline-suspend-").tempdir()?;
    let (devbox, started) = appliance::start(&shape, directory.path(), 0).await?;
    let world: World = serde_json::from_slice(&std::fs::read(started.world.context("no world")?)?)?;
    let root = started.trust.as_slice().try_into()?;
    let house = Arc::new(WardlineHouse::new(started.address, root, &world, true)?);
    let before = {
        let others = Others::start(&house, pairs).await?;
        tokio::time::sleep(Duration::from_secs(wanted.seconds)).await;
        others.end().await?
    };
    let others = Others::start(&house, pairs).await?;
    let mut ends = Latencies::default();
    for who in 2 * pairs..2 * pairs + wanted.trials {
        ends.add(trial(&devbox, &house, &world, who).await?);
    }
    let during = others.end().await?;
    report(wanted, ends, before, during)?;
    devbox.stop();
    Ok(())
}

/// Somebody signs in and is suspended; how long the connection lasted after that was asked for.
async fn trial(devbox: &Devbox, house: &WardlineHouse, world: &World, who: usize) -> Result<Duration> {
    let person = world.devices[who].person;
    let mut line = house.connect(who).await?;
    let ended = tokio::spawn(async move {
        while line.receiver.next().await.is_ok() {}
        Instant::now()
    });
    let mut console = devbox.console()?;
    let ask = Ask::SetStanding(proto::SetStanding { person, suspended: true });
    let began = Instant::now();
    tokio::task::spawn_blocking(move || console.ask(ask)).await??;
    let ended = tokio::time::timeout(PATIENCE, ended).await.context("a session goes on")??;
    ensure!(house.connect(who).await.is_err(), "somebody who is suspended signs in");
    Ok(ended.saturating_duration_since(began))
}

/// Everybody else: they write and read, and their connections stay.
struct Others {
    writers: JoinSet<Result<usize>>,
    readers: JoinSet<Result<()>>,
    heard: mpsc::Receiver<Duration>,
    over: watch::Sender<bool>,
}

impl Others {
    async fn start(house: &Arc<WardlineHouse>, pairs: usize) -> Result<Self> {
        let (clock, (tell, heard), (over, ends)) = (Clock::start(), mpsc::channel(), watch::channel(false));
        let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
        for pair in 0..pairs {
            let (writer, reader) = (house.connect(2 * pair).await?, house.connect(2 * pair + 1).await?);
            // Not all in the same moment.
            let first = Instant::now() + APART.mul_f64(pair as f64 / pairs as f64);
            writers.spawn(write(writer, pair, first, clock, ends.clone()));
            readers.spawn(read(reader, clock, tell.clone()));
        }
        Ok(Self { writers, readers, heard, over })
    }

    /// How long their messages took, once all of them are there.
    async fn end(mut self) -> Result<Latencies> {
        self.over.send_replace(true);
        let mut sent = 0;
        while let Some(ended) = self.writers.join_next().await {
            sent += ended??;
        }
        let (mut took, mut count) = (Latencies::default(), 0);
        let deadline = Instant::now() + PATIENCE;
        while count < sent {
            if let Some(ended) = self.readers.try_join_next() {
                ended?.context("somebody else's session ended")?;
                bail!("a reader is through before its end");
            }
            match self.heard.try_recv() {
                Ok(latency) => {
                    took.add(latency);
                    count += 1;
                }
                Err(_) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(_) => bail!("{count} of {sent} messages came"),
            }
        }
        ensure!(self.readers.try_join_next().is_none(), "somebody else's session ended");
        self.readers.shutdown().await;
        Ok(took)
    }
}

/// A message now and then; how many were accepted.
async fn write(
    mut line: Line,
    pair: usize,
    first: Instant,
    clock: Clock,
    ends: watch::Receiver<bool>,
) -> Result<usize> {
    let (mut sent, mut accepted, mut next) = (0, 0, first);
    while !*ends.borrow() {
        tokio::select! {
            () = tokio::time::sleep_until(next) => {
                line.sender.submit(pair, clock.now()).await?;
                sent += 1;
                next += APART;
            }
            heard = line.receiver.next() => {
                accepted += usize::from(matches!(heard.context("somebody else's session ended")?, Heard::Accepted(_)));
            }
        }
    }
    while accepted < sent {
        let heard = tokio::time::timeout(PATIENCE, line.receiver.next()).await.context("no answer")?;
        accepted += usize::from(matches!(heard?, Heard::Accepted(_)));
    }
    line.close();
    Ok(sent)
}

async fn read(mut line: Line, clock: Clock, tell: mpsc::Sender<Duration>) -> Result<()> {
    loop {
        if let Heard::Message(sent) = line.receiver.next().await? {
            tell.send(clock.since(sent)).ok().context("nobody takes it down")?;
        }
    }
}

#[expect(clippy::print_stdout, reason = "the figures are for whoever runs this")]
fn report(wanted: &Suspending, ends: Latencies, before: Latencies, during: Latencies) -> Result<()> {
    let mut p99 = Vec::new();
    for (what, mut times) in [("sessions end", ends), ("others, before", before), ("others, during", during)]
    {
        let at = [0.5, 0.9, 0.99].map(|share| times.percentile_ms(share));
        println!("{what:16}  p50 {:8.2} ms  p90 {:8.2} ms  p99 {:8.2} ms", at[0], at[1], at[2]);
        p99.push(at[2]);
    }
    println!(
        "{} people suspended beside {} sessions: none of those ended, no message of theirs is missing",
        wanted.trials, wanted.others
    );
    ensure!(p99[0] < BAR, "a session goes on for {:.0} ms after its person was suspended", p99[0]);
    Ok(())
}
