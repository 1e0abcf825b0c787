//! One person writes to a group; everybody else is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Costs, PATIENCE, connect};
use crate::line::{Clock, Heard, Line};
use crate::stats::Latencies;
use crate::subject::Subject;

/// What came of it.
pub(crate) struct Outcome {
    /// From send until the last member has it.
    pub(crate) last: Latencies,
    /// Microseconds of the server's processors, for each delivery.
    pub(crate) server_us: f64,
}

/// So many messages, so many a second, to a conversation.
pub(crate) async fn run(
    subject: &Arc<Subject>,
    (conversation, members): (usize, Vec<usize>),
    rate: u32,
    messages: usize,
) -> Result<Outcome> {
    let mut lines = connect(subject, &members).await?;
    for line in &mut lines {
        line.enter(conversation).await?;
    }
    let mut lines = lines.into_iter();
    let mut writer = lines.next().context("nobody")?;
    let readers = members.len() - 1;
    let (clock, (taken, taking)) = (Clock::start(), mpsc::channel());
    let mut reading = JoinSet::new();
    for line in lines {
        reading.spawn(read(line, messages, clock, taken.clone()));
    }
    drop(taken);
    let costs = Costs::start(subject);
    let mut next = Instant::now();
    for _ in 0..messages {
        // Whatever comes back meanwhile is read, or the box would stop listening.
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(next) => break,
                heard = writer.receiver.next() => { heard?; }
            }
        }
        writer.sender.submit(conversation, clock.now()).await?;
        next += Duration::from_secs(1) / rate;
    }
    let all_read = async {
        while let Some(reader) = reading.join_next().await {
            reader??;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, all_read).await.context("not everybody has every message")??;
    let (server_us, _) = costs.each(subject, messages * readers);
    writer.close();
    let mut arrivals: BTreeMap<u64, (usize, Duration)> = BTreeMap::new();
    for (sent, latency) in taking {
        let (count, last) = arrivals.entry(sent).or_default();
        *count += 1;
        *last = (*last).max(latency);
    }
    ensure!(arrivals.len() == messages, "{} of {messages} messages arrived", arrivals.len());
    let mut last = Latencies::default();
    for (count, latency) in arrivals.into_values() {
        ensure!(count == readers, "a message came {count} times to {readers} people");
        last.add(latency);
    }
    Ok(Outcome { last, server_us })
}

/// Reads so many messages.
async fn read(
    mut line: Line,
    messages: usize,
    clock: Clock,
    taken: mpsc::Sender<(u64, Duration)>,
) -> Result<()> {
    for _ in 0..messages {
        loop {
            if let Heard::Message(sent) = line.receiver.next().await? {
                taken.send((sent, clock.since(sent))).ok().context("nobody takes it down")?;
                break;
            }
        }
    }
    line.close();
    Ok(())
}
