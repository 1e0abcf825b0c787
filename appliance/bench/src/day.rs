//! A day of a ward of 400 devices, compressed: people come and go by shifts, write, read back, lose the Wi-Fi, join. What
//! is watched is what must not grow: memory, descriptors, the write-ahead log, what is loaded in the TPM.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::rand::fill;
use clap::Args;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use wardline_client::{Client, JoinLink, Pin};
use wardline_devbox::devbox::Devbox;

use crate::appliance;
use crate::line::{Heard, WardlineHouse};
use crate::meter;
use crate::shape::Shape;

/// Messages that a device sends in a day.
const MESSAGES_A_DAY: f64 = 200.0;
/// Pages of history that it reads.
const PAGES_A_DAY: f64 = 40.0;
/// Times that it loses the Wi-Fi and comes back, while it is on duty.
const LOSSES_A_DAY: f64 = 40.0;
/// Hours that it is on duty, in three shifts that overlap.
const DUTY: f64 = 10.0;
/// New devices a day: each has its PIN stretched and MACed.
const JOINS_A_DAY: f64 = 120.0;
/// Between two samples.
const SAMPLE: Duration = Duration::from_secs(5);

/// What to simulate.
#[derive(Args)]
pub(crate) struct Day {
    /// Hours of the ward's time.
    #[arg(long, default_value_t = 24.0)]
    hours: f64,
    /// Minutes that they take.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Messages that lie there before.
    #[arg(long, default_value_t = 200_000)]
    history: u64,
    /// Where every sample goes, as CSV.
    #[arg(long)]
    samples: Option<PathBuf>,
}

/// What is counted.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    acked: AtomicU64,
    delivered: AtomicU64,
    sign_ins: AtomicU64,
    pages: AtomicU64,
    joins: AtomicU64,
}

/// One look at the box.
struct Sample {
    /// Seconds since the start.
    at: f64,
    /// Bytes of the relay and of the keeper.
    resident: [u64; 2],
    /// Descriptors of both.
    descriptors: [usize; 2],
    /// Bytes of the write-ahead log.
    log: u64,
}

struct Ward {
    house: WardlineHouse,
    shape: Shape,
    /// Seconds of ours for an hour of the ward's.
    hour: f64,
    began: Instant,
    counts: Counts,
}

/// Lives through it and says what grew.
pub(crate) async fn live(arguments: &Day) -> Result<()> {
    let shape = Shape { people: 402, pairs: 100, groups: vec![6, 12, 40, 150, 400], missed: 0 };
    let directory = tempfile::Builder::new().prefix("wardline-day-").tempdir()?;
    let (mut devbox, started) = appliance::start(&shape, directory.path(), arguments.history).await?;
    let world = serde_json::from_slice(&std::fs::read(started.world.context("no world")?)?)?;
    let root = started.trust.as_slice().try_into()?;
    let house = WardlineHouse::new(started.address, root, &world, true)?;
    let hour = arguments.minutes * 60.0 / arguments.hours;
    let counts = Counts::default();
    let ward = Arc::new(Ward { house, shape, hour, began: Instant::now(), counts });
    let (over, ends) = watch::channel(false);
    let mut people = JoinSet::new();
    for who in 0..ward.shape.people - 2 {
        people.spawn(work(Arc::clone(&ward), who, ends.clone()));
    }
    let end = ward.began + Duration::from_secs_f64(arguments.minutes * 60.0);
    let profiles = directory.path().join("profiles");
    let (mut samples, mut next_join) = (Vec::new(), Instant::now());
    while Instant::now() < end {
        tokio::time::sleep(SAMPLE).await;
        samples.push(sample(&ward, &mut devbox)?);
        if Instant::now() >= next_join {
            join(&devbox, &world, &ward, &profiles).await?;
            next_join += Duration::from_secs_f64(ward.hour * 24.0 / JOINS_A_DAY);
        }
        while let Some(ended) = people.try_join_next() {
            ended?.context("somebody could not work")?;
        }
    }
    over.send_replace(true);
    while let Some(ended) = people.join_next().await {
        ended?.context("somebody could not work")?;
    }
    let left = devbox.left_in_tpm()?;
    if let Some(path) = &arguments.samples {
        write_samples(path, &samples)?;
    }
    report(&ward.counts, &samples, left)?;
    devbox.stop();
    Ok(())
}

/// One person's device through the day.
async fn work(ward: Arc<Ward>, who: usize, ends: watch::Receiver<bool>) -> Result<()> {
    // Three shifts; and not everybody comes at the minute.
    let begins = (who % 3) as f64 * 8.0 + dice();
    while !*ends.borrow() {
        let hours = ward.began.elapsed().as_secs_f64() / ward.hour;
        let into = (hours - begins).rem_euclid(24.0);
        if into < DUTY {
            let off = ward.began + Duration::from_secs_f64((hours + DUTY - into) * ward.hour);
            be_on_duty(&ward, who, off, ends.clone()).await?;
        } else {
            pause(Duration::from_secs_f64((24.0 - into).min(1.0) * ward.hour), &ends).await;
        }
    }
    Ok(())
}

/// Waits for the end of the day.
async fn over(ends: &mut watch::Receiver<bool>) {
    let _ = ends.wait_for(|over| *over).await.map(drop);
}

async fn pause(span: Duration, ends: &watch::Receiver<bool>) {
    let mut ends = ends.clone();
    tokio::select! {
        () = tokio::time::sleep(span) => {}
        () = over(&mut ends) => {}
    }
}

/// Connected, with losses, until then.
async fn be_on_duty(ward: &Ward, who: usize, off: Instant, mut ends: watch::Receiver<bool>) -> Result<()> {
    let rate = |a_day: f64| Duration::from_secs_f64(-(1.0 - dice()).ln() * DUTY / a_day * ward.hour);
    let places = ward.shape.of(who);
    while Instant::now() < off && !*ends.borrow() {
        let mut line = ward.house.connect(who).await?;
        ward.counts.sign_ins.fetch_add(1, Ordering::Relaxed);
        let lost = (Instant::now() + rate(LOSSES_A_DAY)).min(off);
        let (mut write, mut read) =
            (Instant::now() + rate(MESSAGES_A_DAY), Instant::now() + rate(PAGES_A_DAY));
        let mut outstanding = 0u64;
        loop {
            tokio::select! {
                heard = line.receiver.next() => match heard? {
                    Heard::Accepted(_) => {
                        outstanding -= 1;
                        ward.counts.acked.fetch_add(1, Ordering::Relaxed);
                    }
                    Heard::Message(_) => { ward.counts.delivered.fetch_add(1, Ordering::Relaxed); }
                },
                () = sleep_until(write) => {
                    write += rate(MESSAGES_A_DAY);
                    // Mostly to one other, seldom to many.
                    let place = places[(places.len() as f64 * dice().powi(3)) as usize % places.len()];
                    line.sender.submit(place, 0).await?;
                    outstanding += 1;
                    ward.counts.sent.fetch_add(1, Ordering::Relaxed);
                }
                () = sleep_until(read), if outstanding == 0 => {
                    read += rate(PAGES_A_DAY);
                    ward.house.first_page(&mut line, places[0]).await?;
                    ward.counts.pages.fetch_add(1, Ordering::Relaxed);
                }
                () = sleep_until(lost), if outstanding == 0 => break,
                () = over(&mut ends), if outstanding == 0 => break,
            }
        }
        line.close();
        // Until the Wi-Fi is back.
        pause(Duration::from_secs_f64(0.2 + dice()), &ends).await;
    }
    Ok(())
}

/// A colleague's new phone.
async fn join(devbox: &Devbox, world: &crate::seed::World, ward: &Ward, profiles: &Path) -> Result<()> {
    let count = ward.counts.joins.fetch_add(1, Ordering::Relaxed);
    let person = world.devices[usize::try_from(count)? % (ward.shape.people - 2)].person;
    let link: JoinLink = devbox.join_link(person)?.parse()?;
    let pin = Pin::choose("739154".to_owned()).ok().context("a PIN")?;
    let client = Client::join(&link, &pin, "new phone", &profiles.join(count.to_string())).await?;
    client.close().await;
    Ok(())
}

/// Between 0 and 1.
fn dice() -> f64 {
    let mut random = [0; 4];
    fill(&mut random).map_or(0.5, |()| f64::from(u32::from_be_bytes(random)) / (f64::from(u32::MAX) + 1.0))
}

fn sample(ward: &Ward, devbox: &mut Devbox) -> Result<Sample> {
    let (relay, keeper) = devbox.pids();
    let processes = [relay.context("the relay is gone")?, keeper.context("the keeper is gone")?];
    let log = std::fs::metadata(devbox.data().join("wardline.db-wal")).map_or(0, |file| file.len());
    Ok(Sample {
        at: ward.began.elapsed().as_secs_f64(),
        resident: [meter::resident(processes[0])?, meter::resident(processes[1])?],
        descriptors: [meter::descriptors(processes[0])?, meter::descriptors(processes[1])?],
        log,
    })
}

fn write_samples(path: &Path, samples: &[Sample]) -> Result<()> {
    let mut text = String::from("seconds,relay,keeper,relay descriptors,keeper descriptors,log\n");
    for Sample { at, resident: [relay, keeper], descriptors: [ours, theirs], log } in samples {
        text.push_str(&format!("{at:.0},{relay},{keeper},{ours},{theirs},{log}\n"));
    }
    Ok(std::fs::write(path, text)?)
}

/// Kilobytes that something grows an hour, and the error of that (least squares, over the second half).
fn slope(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> (f64, f64) {
    let half = &samples[samples.len() / 2..];
    let count = half.len() as f64;
    let mean = |values: &dyn Fn(&Sample) -> f64| half.iter().map(values).sum::<f64>() / count;
    let (mean_at, mean_of) = (mean(&|sample| sample.at), mean(&of));
    let spread: f64 = half.iter().map(|sample| (sample.at - mean_at).powi(2)).sum();
    let slope =
        half.iter().map(|sample| (sample.at - mean_at) * (of(sample) - mean_of)).sum::<f64>() / spread;
    let rest: f64 =
        half.iter().map(|sample| (of(sample) - mean_of - slope * (sample.at - mean_at)).powi(2)).sum();
    let error = (rest / (count - 2.0).max(1.0) / spread).sqrt();
    (slope * 3.6, error * 3.6)
}

fn report(counts: &Counts, samples: &[Sample], (objects, sessions): (u32, u32)) -> Result<()> {
    ensure!(samples.len() > 4, "too short for a slope");
    let [sent, acked, delivered, sign_ins, pages, joins] =
        [&counts.sent, &counts.acked, &counts.delivered, &counts.sign_ins, &counts.pages, &counts.joins]
            .map(|count| count.load(Ordering::Relaxed));
    ensure!(sent == acked, "{sent} messages were sent and {acked} acked");
    let mut lines = vec![format!(
        "{sent} messages sent and acked, {delivered} delivered, {sign_ins} sign-ins, {pages} pages, {joins} joins"
    )];
    for (at, name) in ["relay", "keeper"].into_iter().enumerate() {
        let (slope, error) = slope(samples, |sample| sample.resident[at] as f64);
        let megabytes = |sample: Option<&Sample>| sample.map_or(0.0, |it| it.resident[at] as f64 / 1e6);
        let middle = samples.get(samples.len() / 2);
        lines.push(format!(
            "{name}: memory {:.1} MB at first, {:.1} half-way, {:.1} at the end; in the second half {slope:+.0} kB an hour \
             (standard error {error:.0}); descriptors {} to {}",
            megabytes(samples.first()),
            megabytes(middle),
            megabytes(samples.last()),
            samples.iter().map(|sample| sample.descriptors[at]).min().unwrap_or(0),
            samples.iter().map(|sample| sample.descriptors[at]).max().unwrap_or(0),
        ));
    }
    let log = samples.iter().map(|sample| sample.log).max().unwrap_or(0);
    lines.push(format!("write-ahead log: {:.1} MB at most", log as f64 / 1e6));
    lines.push(format!("left in the TPM: {objects} transient objects, {sessions} sessions"));
    #[allow(clippy::print_stdout, reason = "what the command is for")]
    {
        println!("{}", lines.join("\n"));
    }
    Ok(())
}
