//! An access point comes back: everybody who hung on it connects at once, while others go on talking.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use aws_lc_rs::rand::fill;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Costs, PATIENCE, connect};
use crate::line::{Clock, Heard, Line};
use crate::meter;
use crate::stats::Latencies;
use crate::subject::Subject;

/// Between two messages of one of them.
const APART: Duration = Duration::from_millis(200);
/// How long it takes until the box has dealt with everybody's leaving.
const SETTLING: Duration = Duration::from_secs(2);
/// How long they talk undisturbed, for comparison.
const CALM: Duration = Duration::from_secs(8);
/// The SDK waits 0.2 to 0.4 s before its first new attempt, and doubles the bound from there to 10 s.
const WAIT_MIN: Duration = Duration::from_millis(200);
/// Then an attempt is given up: the SDK's limit for one answer of the box.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(20);
/// Attempts of one device before the measurement is given up.
const ATTEMPTS_MAX: u32 = 8;

/// What those who stay are told of.
#[derive(Clone, Copy)]
enum Weather {
    /// The others connect, and leave.
    Unsettled,
    Calm,
    Storm,
}

/// What came of it.
pub(crate) struct Outcome {
    /// Until everybody was signed in and had caught up, seconds.
    pub(crate) seconds: f64,
    /// Microseconds of the server's processors, for each login; without what those who talk cost before.
    pub(crate) server_us: f64,
    /// Attempts that failed and were repeated.
    pub(crate) repeated: u64,
    /// Datagrams that the kernel dropped, either way.
    pub(crate) dropped: u64,
    /// From send to delivered of those who stayed, before.
    pub(crate) calm: Latencies,
    /// And meanwhile.
    pub(crate) meanwhile: Latencies,
}

/// So many people come back at once, while the first so many pairs go on talking.
pub(crate) async fn run(subject: &Arc<Subject>, talking: usize, people: usize) -> Result<Outcome> {
    let (weather, forecast) = watch::channel(Weather::Unsettled);
    let (connected, connects) = oneshot::channel();
    let (theirs, clock) = (Arc::clone(subject), Clock::start());
    // Other phones than those that come back: so on a thread of their own, or what is measured is how long the load keeps
    // them waiting.
    let talk = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(talk(&theirs, talking, clock, connected, forecast))
    });
    connects.await.context("those who talk did not connect")?;
    let everybody: Vec<usize> = (2 * talking..2 * talking + people).collect();
    let lines = connect(subject, &everybody).await?;
    for line in &lines {
        line.close();
    }
    drop(lines);
    tokio::time::sleep(SETTLING).await;
    weather.send_replace(Weather::Calm);
    let calm_costs = Costs::start(subject);
    tokio::time::sleep(CALM).await;
    // Microseconds of a second.
    let (talk_us, _) = calm_costs.each(subject, CALM.as_secs() as usize);
    weather.send_replace(Weather::Storm);
    let (costs, began, overflows) =
        (Costs::start(subject), Instant::now(), meter::receive_buffer_overflows());
    let mut coming = JoinSet::new();
    for who in everybody {
        coming.spawn(come(Arc::clone(subject), who));
    }
    let (mut repeated, mut lines) = (0, Vec::with_capacity(people));
    let all = async {
        while let Some(came) = coming.join_next().await {
            let (line, attempts) = came??;
            repeated += u64::from(attempts);
            lines.push(line);
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, all).await.context("not everybody came back")??;
    let seconds = began.elapsed().as_secs_f64();
    let (server_us, _) = costs.each(subject, people);
    let server_us = server_us - talk_us * seconds / people as f64;
    drop(weather);
    let talked = tokio::task::spawn_blocking(move || talk.join());
    let (calm, meanwhile) = talked.await?.map_err(|_| anyhow!("those who talk panicked"))??;
    for line in &lines {
        line.close();
    }
    let dropped = meter::receive_buffer_overflows() - overflows;
    Ok(Outcome { seconds, server_us, repeated, dropped, calm, meanwhile })
}

/// So many pairs, each a message every [`APART`], until nobody tells them of storms any more.
async fn talk(
    subject: &Subject,
    pairs: usize,
    clock: Clock,
    connected: oneshot::Sender<()>,
    weather: watch::Receiver<Weather>,
) -> Result<Taken> {
    let (house, mut talk) = (subject.apart()?, JoinSet::new());
    let mut lines = Vec::with_capacity(2 * pairs);
    for who in 0..2 * pairs {
        lines.push(house.connect(who).await?);
    }
    let mut lines = lines.into_iter();
    for pair in 0..pairs {
        let (writer, reader) = lines.next().zip(lines.next()).context("too few people")?;
        let first = Instant::now() + APART.mul_f64(pair as f64 / pairs as f64);
        talk.spawn(write(writer, pair, clock, first, weather.clone()));
        talk.spawn(read(reader, clock, weather.clone()));
    }
    drop(weather);
    let _ = connected.send(());
    let (mut calm, mut meanwhile) = Taken::default();
    while let Some(ended) = talk.join_next().await {
        let (before, during) = ended??;
        calm.join(before);
        meanwhile.join(during);
    }
    Ok((calm, meanwhile))
}

/// Connects as the SDK does after a loss; how many attempts failed.
async fn come(subject: Arc<Subject>, who: usize) -> Result<(Line, u32)> {
    let mut failed = 0;
    loop {
        tokio::time::sleep(backoff(failed)).await;
        match tokio::time::timeout(ATTEMPT_TIME_MAX, subject.connect(who)).await {
            Ok(Ok(line)) => return Ok((line, failed)),
            Ok(Err(error)) if failed + 1 >= ATTEMPTS_MAX => return Err(error),
            Ok(Err(error)) => meter::tell(&format!("an attempt failed: {error:#}")),
            Err(_) => meter::tell("an attempt took too long"),
        }
        failed += 1;
    }
}

fn backoff(attempt: u32) -> Duration {
    let mut random = [0; 4];
    let share =
        fill(&mut random).map_or(1.0, |()| f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX));
    let bound = WAIT_MIN.saturating_mul(2 << attempt.min(10)).min(Duration::from_secs(10));
    WAIT_MIN + (bound - WAIT_MIN).mul_f64(share)
}

type Taken = (Latencies, Latencies);

async fn write(
    mut line: Line,
    conversation: usize,
    clock: Clock,
    mut next: Instant,
    mut weather: watch::Receiver<Weather>,
) -> Result<Taken> {
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(next) => {
                next += APART;
                line.sender.submit(conversation, clock.now()).await?;
            }
            heard = line.receiver.next() => { heard?; }
            over = weather.changed() => if over.is_err() {
                line.close();
                return Ok(Taken::default());
            },
        }
    }
}

async fn read(mut line: Line, clock: Clock, mut weather: watch::Receiver<Weather>) -> Result<Taken> {
    let (mut calm, mut meanwhile) = Taken::default();
    loop {
        let heard = tokio::select! {
            heard = line.receiver.next() => heard?,
            over = weather.changed() => match over {
                Ok(()) => continue,
                Err(_) => break,
            },
        };
        if let Heard::Message(sent) = heard {
            match *weather.borrow() {
                Weather::Unsettled => {}
                Weather::Calm => calm.add(clock.since(sent)),
                Weather::Storm => meanwhile.add(clock.since(sent)),
            }
        }
    }
    line.close();
    Ok((calm, meanwhile))
}
