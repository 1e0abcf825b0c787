//! One-to-one: pairs of people, one of whom writes to the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Costs, PATIENCE, connect};
use crate::line::{Clock, Heard, Line};
use crate::stats::Latencies;
use crate::subject::Subject;

/// How the writers go about it.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// Each sends the next message when the last one is acked.
    Saturated,
    /// So many a second, all together, evenly spaced.
    Fixed(u32),
}

/// For how long.
#[derive(Clone, Copy)]
pub(crate) struct Spans {
    /// Before anything is taken down.
    pub(crate) warm: Duration,
    /// While it is.
    pub(crate) measured: Duration,
}

/// What came of it.
pub(crate) struct Outcome {
    /// Messages a second: acked or delivered, whichever were fewer.
    pub(crate) a_second: f64,
    /// From send to delivered.
    pub(crate) delivered: Latencies,
    /// Microseconds of the server's processors, for each message.
    pub(crate) server_us: f64,
    /// The same of the load's.
    pub(crate) load_us: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Warm,
    Measured,
    Draining,
    Over,
}

/// What everybody who takes part shares.
#[derive(Clone)]
struct Hall {
    clock: Clock,
    phase: watch::Receiver<Phase>,
    acked: Arc<AtomicU64>,
    arrived: Arc<AtomicU64>,
}

impl Hall {
    fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    fn goes_on(&self) -> bool {
        matches!(self.phase(), Phase::Warm | Phase::Measured)
    }
}

/// Runs it between the first so many pairs.
pub(crate) async fn run(subject: &Arc<Subject>, pairs: usize, pace: Pace, spans: Spans) -> Result<Outcome> {
    let people: Vec<usize> = (0..2 * pairs).collect();
    let mut lines = connect(subject, &people).await?.into_iter();
    let (phase, phases) = watch::channel(Phase::Warm);
    let (acked, arrived) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let hall = Hall { clock: Clock::start(), phase: phases, acked, arrived };
    let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
    for pair in 0..pairs {
        let (writer, reader) = lines.next().zip(lines.next()).context("too few people")?;
        readers.spawn(read(reader, hall.clone()));
        match pace {
            Pace::Saturated => writers.spawn(saturate(writer, pair, hall.clone())),
            Pace::Fixed(rate) => {
                let apart = Duration::from_secs_f64(pairs as f64 / f64::from(rate));
                let first = Instant::now() + apart.mul_f64(pair as f64 / pairs as f64);
                writers.spawn(keep_pace(writer, pair, hall.clone(), first, apart))
            }
        };
    }
    tokio::time::sleep(spans.warm).await;
    let counts = || [&hall.acked, &hall.arrived].map(|count| count.load(Ordering::Relaxed));
    let (costs, before, began) = (Costs::start(subject), counts(), Instant::now());
    phase.send_replace(Phase::Measured);
    tokio::time::sleep(spans.measured).await;
    let after = counts();
    let count = (after[0] - before[0]).min(after[1] - before[1]);
    let (server_us, load_us) = costs.each(subject, usize::try_from(count)?);
    let a_second = count as f64 / began.elapsed().as_secs_f64();
    phase.send_replace(Phase::Draining);
    let mut sent = 0;
    while let Some(writer) = writers.join_next().await {
        sent += writer??;
    }
    let all_arrived = async {
        while hall.arrived.load(Ordering::Relaxed) < sent {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all_arrived).await.context("not every message arrived")?;
    phase.send_replace(Phase::Over);
    let mut delivered = Latencies::default();
    while let Some(reader) = readers.join_next().await {
        delivered.join(reader??);
    }
    ensure!(hall.arrived.load(Ordering::Relaxed) == sent, "more messages arrived than were sent");
    Ok(Outcome { a_second, delivered, server_us, load_us })
}

/// Sends one after the other; how many.
async fn saturate(mut line: Line, conversation: usize, hall: Hall) -> Result<u64> {
    let mut sent = 0;
    while hall.goes_on() {
        let token = line.sender.submit(conversation, hall.clock.now()).await?;
        sent += 1;
        line.receiver.accepted(token).await?;
        hall.acked.fetch_add(1, Ordering::Relaxed);
    }
    line.close();
    Ok(sent)
}

/// Sends at moments that do not depend on the answers; how many.
async fn keep_pace(
    mut line: Line,
    conversation: usize,
    hall: Hall,
    first: Instant,
    apart: Duration,
) -> Result<u64> {
    let (mut sent, mut acked, mut next) = (0, 0, first);
    while hall.goes_on() {
        tokio::select! {
            () = tokio::time::sleep_until(next) => {
                next += apart;
                line.sender.submit(conversation, hall.clock.now()).await?;
                sent += 1;
            }
            heard = line.receiver.next() => if let Heard::Accepted(_) = heard? {
                acked += 1;
                hall.acked.fetch_add(1, Ordering::Relaxed);
            },
        }
    }
    while acked < sent {
        if let Heard::Accepted(_) = line.receiver.next().await? {
            acked += 1;
        }
    }
    line.close();
    Ok(sent)
}

/// Takes down how long each message took.
async fn read(mut line: Line, mut hall: Hall) -> Result<Latencies> {
    let mut taken = Latencies::default();
    loop {
        let heard = tokio::select! {
            heard = line.receiver.next() => heard?,
            over = hall.phase.wait_for(|phase| *phase == Phase::Over) => {
                over?;
                line.close();
                return Ok(taken);
            }
        };
        if let Heard::Message(sent) = heard {
            hall.arrived.fetch_add(1, Ordering::Relaxed);
            if hall.phase() == Phase::Measured {
                taken.add(hall.clock.since(sent));
            }
        }
    }
}
