//! What a file on its way does to a STAT on the same link.
//!
//! Devices of one box, one after the other: each sends some STATs while nothing else goes on, then as many while it uploads a file, all
//! by the SDK, from the call to the other person's event. A device may send ten STATs at once, so there are many devices. Both figures
//! are of the same run: their ratio is what is asked for, at most 3 at p99.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use wardline_client::attachments::FileToSend;
use wardline_client::stat::{Priority, Reply, StatRef, Urgency};
use wardline_client::{Calls as _, Client, ConversationId, Event, Events, PersonId, Pin, StatCalls as _};
use wardline_devbox::devbox::{Devbox, Options};
use wardline_devbox::facility;

use crate::stats::Latencies;

/// STATs of a device, idle and again during an upload: half of what it may send at once.
const EACH: u32 = 5;
/// The ratio of the two p99 that is asked for.
const BAR: f64 = 3.0;
const PATIENCE: Duration = Duration::from_secs(60);

/// What to measure.
#[derive(Args)]
pub(crate) struct Uploads {
    /// Devices, each of which sends five STATs idle and five during an upload. A person has eight at most.
    #[arg(long, default_value_t = 40)]
    devices: usize,
    /// Bytes of each file.
    #[arg(long, default_value_t = 20_000_000)]
    bytes: usize,
}

pub(crate) async fn measure(wanted: &Uploads) -> Result<()> {
    let home = tempfile::tempdir()?;
    let devbox = Devbox::start(Options::local(&home.path().join("box"))?)?;
    let people = facility::seed(&mut devbox.console()?)?;
    let person = |at: usize| people.get(at).map(|(id, _)| *id).context("a person");
    let listener = join(&devbox, person(0)?, &home.path().join("listener")).await?;
    let mut hears = listener.events().context("events")?;
    let other = PersonId::new(person(0)?).context("an identifier")?;
    let (mut idle, mut busy, mut overlapped) = (Latencies::default(), Latencies::default(), 0_usize);
    for device in 0..wanted.devices {
        // The first person listens.
        let profile = home.path().join(format!("device-{device}"));
        let client = join(&devbox, person(1 + device % (people.len() - 1))?, &profile).await?;
        let place = client.open_direct(other).await?.id;
        for number in 0..EACH {
            idle.add(stat(&client, place, &format!("idle {device} {number}"), &mut hears).await?);
        }
        let file = photo(&home.path().join("photo.jpg"), wanted.bytes, device)?;
        let (arrived, mut arrives) = tokio::sync::watch::channel(0_u64);
        let uploading = {
            let client = client.clone();
            // Nobody may be waiting any more: the file goes on.
            let told = move |have, _| {
                arrived.send_replace(have);
            };
            tokio::spawn(async move { client.upload(place, &file, told).await })
        };
        for number in 0..EACH {
            // Over the whole of it, not in its first milliseconds.
            let part = wanted.bytes as u64 / u64::from(EACH + 1) * u64::from(number + 1);
            if arrives.wait_for(|have| *have >= part).await.is_err() {
                break;
            }
            let took = stat(&client, place, &format!("busy {device} {number}"), &mut hears).await?;
            if uploading.is_finished() {
                break;
            }
            overlapped += 1;
            busy.add(took);
        }
        uploading.await??;
        client.close().await;
    }
    report(idle, busy, overlapped)?;
    devbox.stop();
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are for whoever runs this")]
fn report(idle: Latencies, busy: Latencies, overlapped: usize) -> Result<()> {
    ensure!(!busy.is_empty(), "every file had arrived before a STAT did: give more --bytes");
    let mut p99 = Vec::new();
    for (what, mut times) in [("idle", idle), ("during an upload", busy)] {
        let at = [0.5, 0.9, 0.99].map(|share| times.percentile_ms(share));
        println!("{what:16}  p50 {:8.2} ms  p90 {:8.2} ms  p99 {:8.2} ms", at[0], at[1], at[2]);
        p99.push(at[2]);
    }
    let ratio = p99[1] / p99[0];
    println!(
        "{overlapped} STATs while the file was on its way; ratio of the p99: {ratio:.2} (at most {BAR})"
    );
    ensure!(ratio <= BAR, "a file holds up a STAT: {ratio:.2} times the idle p99");
    Ok(())
}

async fn join(devbox: &Devbox, person: u64, profile: &Path) -> Result<Client> {
    let link = devbox.join_link(person)?.parse()?;
    let pin = Pin::choose("739154".to_owned())?;
    let client = Client::join(&link, &pin, "bench", profile).await?;
    client.ready().await?;
    Ok(client)
}

fn photo(path: &Path, bytes: usize, seed: usize) -> Result<FileToSend> {
    let mut content = b"\xff\xd8\xff".to_vec();
    content.extend((3..bytes).map(|at| ((at ^ seed) as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0]));
    std::fs::write(path, content)?;
    // Or the box's next flush writes it out, on this disk that both are on: a phone's photo lies elsewhere.
    std::fs::File::open(path)?.sync_all()?;
    Ok(FileToSend::open(path)?)
}

async fn stat(client: &Client, place: ConversationId, text: &str, hears: &mut Events) -> Result<Duration> {
    let urgency = Urgency { priority: Priority::Stat, ..Urgency::default() };
    let began = Instant::now();
    let mut sent = client.send_urgent(place, text, urgency).await?;
    let heard = async {
        loop {
            match hears.next().await {
                Some(Event::Message(message)) if message.text == text => return Ok(began.elapsed()),
                Some(_) => {}
                None => bail!("the listener's client ended"),
            }
        }
    };
    let took = tokio::time::timeout(PATIENCE, heard).await.context("a STAT did not arrive")??;
    let accepted = sent.outcome().await?;
    // Of one sender so many may be open, and no more.
    let stat = StatRef { conversation: accepted.conversation, sequence: accepted.sequence };
    client.answer_stat(stat, Reply::Close).await?;
    Ok(took)
}
