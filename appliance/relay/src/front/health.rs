//! How the box is, for administrators: what this process can know of it now, and nothing else.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use wardline_bell_protocol::HostCounts;
use wardline_core::wire::proto;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::certificates::Certificates;
use super::connection::Context;
use crate::alarms::Reading;
use crate::bell::Bell;
use crate::clock::Clock;

/// How long the keeper may take to answer.
const KEEPER_TIME_MAX: Duration = Duration::from_secs(3);
/// And the bell.
const BELL_TIME_MAX: Duration = Duration::from_secs(1);
/// What a directory holds is counted again when it was counted longer ago.
const COUNT_AGAIN: Duration = Duration::from_secs(60);
/// Between looks at the clock.
const CLOCK_LOOK: Duration = Duration::from_secs(5);
/// Less is how a clock that is kept right moves, and how a machine sleeps between two readings.
const STEP_MIN_MS: i64 = 2_000;

/// What is looked at. Set once the box serves.
#[derive(Default)]
pub struct Health(OnceLock<Sources>);

/// Where the answers are.
pub struct Sources {
    /// Of the store.
    pub data: PathBuf,
    /// The one that is served.
    pub certificates: Arc<Certificates>,
    /// Where devices reach it.
    pub doorways: Vec<SocketAddr>,
    /// Whether the clock was set.
    pub steps: Arc<Steps>,
    /// Since the start.
    pub clock: Clock,
    /// Bytes of files, and when they were counted.
    pub files: Mutex<Option<(Instant, u64)>>,
    /// What rings closed apps, if anything does.
    pub bell: Option<Bell>,
}

/// When the wall clock was last set, as against the clock that never steps.
#[derive(Default)]
pub struct Steps {
    at: AtomicI64,
    by: AtomicI64,
}

impl Steps {
    /// Compares the two clocks until the process ends.
    pub async fn watch(self: Arc<Self>, clock: Clock) {
        let mut was = difference(&clock);
        loop {
            tokio::time::sleep(CLOCK_LOOK).await;
            let is = difference(&clock);
            self.note(clock.now().wall.0, is.saturating_sub(was));
            was = is;
        }
    }

    fn note(&self, at: i64, by: i64) {
        if by.abs() >= STEP_MIN_MS {
            tracing::warn!(by, "the clock was set");
            self.by.store(by, Ordering::Relaxed);
            self.at.store(at, Ordering::Relaxed);
        }
    }
}

fn difference(clock: &Clock) -> i64 {
    let now = clock.now();
    now.wall.0.saturating_sub(i64::try_from(now.mono.0).unwrap_or(i64::MAX))
}

impl Health {
    /// From now on it can be asked.
    pub fn begin(&self, sources: Sources) {
        let _ = self.0.set(sources);
    }
}

/// As of now. What cannot be known is 0.
pub(super) async fn of(context: &Context) -> proto::BoxHealth {
    let numbers = &context.metrics;
    let few = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let mut health = proto::BoxHealth {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        disk_free: numbers.disk_free_bytes.value(),
        disk_low: numbers.disk_low.value() > 0,
        index_bytes: numbers.search_index_bytes.value(),
        checks: numbers.checks_total.value(),
        check_failed: numbers.check_failed.value() > 0,
        connections: few(numbers.connections.value()),
        attached: few(numbers.attached.value()),
        ..proto::BoxHealth::default()
    };
    let leaves = tokio::time::timeout(KEEPER_TIME_MAX, context.keeper.leaves()).await;
    health.keeper_answers = matches!(leaves, Ok(Some(_)));
    let Some(sources) = context.health.0.get() else { return health };
    let now = sources.clock.now();
    (health.at, health.uptime) = (now.wall.0, now.mono.0);
    health.stepped_at = sources.steps.at.load(Ordering::Relaxed);
    health.stepped_by = sources.steps.by.load(Ordering::Relaxed);
    health.doorways = sources.doorways.iter().map(ToString::to_string).collect();
    let chain = sources.certificates.chain();
    if let Some(leaf) = chain.first() {
        (health.leaf_not_before, health.leaf_not_after) = validity(leaf);
    }
    if let [_, issuer, .., root] = chain.as_slice() {
        (health.issuer_not_after, health.root_not_after) = (validity(issuer).1, validity(root).1);
    }
    health.disk_total = total(&sources.data).unwrap_or(0);
    let database = ["wardline.db", "wardline.db-wal"].map(|name| sources.data.join(name));
    health.store_bytes = database.iter().filter_map(|path| path.metadata().ok()).map(|of| of.len()).sum();
    health.files_bytes = files(sources).await;
    if let Some(bell) = &sources.bell
        && let Ok(Some(counts)) = tokio::time::timeout(BELL_TIME_MAX, bell.counts()).await
    {
        let host = |of: HostCounts| proto::BellHost {
            host: of.host,
            sent: of.sent,
            gone: of.gone,
            refused: of.refused,
            failed: of.failed,
        };
        health.bell_hosts = counts.hosts.into_iter().map(host).collect();
        (health.bell_not_allowed, health.bell_busy) = (counts.not_allowed, counts.busy);
    }
    health
}

/// The same, as far as something may be wrong with it.
pub async fn reading(context: &Context) -> Reading {
    let numbers = &context.metrics;
    let leaves = tokio::time::timeout(KEEPER_TIME_MAX, context.keeper.leaves()).await;
    let mut reading = Reading {
        now: 0,
        disk_free: numbers.disk_free_bytes.value(),
        disk_low: numbers.disk_low.value() > 0,
        check_failed: numbers.check_failed.value() > 0,
        keeper_answers: matches!(leaves, Ok(Some(_))),
        leaf_not_after: 0,
        issuer_not_after: 0,
        name_ends_within: context.names.get().and_then(|names| names.ends_within()),
        stepped_at: 0,
    };
    let Some(sources) = context.health.0.get() else { return reading };
    reading.now = sources.clock.now().wall.0;
    reading.stepped_at = sources.steps.at.load(Ordering::Relaxed);
    let chain = sources.certificates.chain();
    reading.leaf_not_after = chain.first().map_or(0, |leaf| validity(leaf).1);
    if let [_, issuer, ..] = chain.as_slice() {
        reading.issuer_not_after = validity(issuer).1;
    }
    reading
}

/// Begin and end, milliseconds since 1970.
fn validity(der: &[u8]) -> (i64, i64) {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return (0, 0) };
    let validity = certificate.validity();
    let ms = |seconds: i64| seconds.saturating_mul(1_000);
    (ms(validity.not_before.timestamp()), ms(validity.not_after.timestamp()))
}

fn total(data: &Path) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(data).ok()?;
    Some(stat.blocks() as u64 * stat.fragment_size() as u64)
}

/// Counted at most once a minute, and off the threads that serve.
async fn files(sources: &Sources) -> u64 {
    let known = *sources.files.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, bytes)) = known.filter(|(counted, _)| counted.elapsed() < COUNT_AGAIN) {
        return bytes;
    }
    let directory = sources.data.join("attachments");
    let counted = tokio::task::spawn_blocking(move || bytes_in(&directory)).await.unwrap_or(0);
    *sources.files.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), counted));
    counted
}

fn bytes_in(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let of = |entry: std::fs::DirEntry| match entry.metadata() {
        // One level: files lie in folders by their number, if in any.
        Ok(meta) if meta.is_dir() => std::fs::read_dir(entry.path()).map_or(0, |inner| {
            inner.flatten().filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
        }),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn a_clock_that_is_set_is_noticed_and_one_that_drifts_is_not() {
        let steps = Steps::default();
        steps.note(7, STEP_MIN_MS - 1);
        assert_eq!(steps.at.load(Ordering::Relaxed), 0);
        steps.note(9, -3_600_000);
        assert_eq!((steps.at.load(Ordering::Relaxed), steps.by.load(Ordering::Relaxed)), (9, -3_600_000));
    }

    #[test]
    fn a_certificate_says_from_when_to_when() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        (params.not_before, params.not_after) =
            (rcgen::date_time_ymd(2026, 1, 1), rcgen::date_time_ymd(2026, 1, 31));
        let der = params.self_signed(&key).unwrap().der().to_vec();
        assert_eq!(validity(&der), (1_767_225_600_000, 1_769_817_600_000));
        assert_eq!(validity(b"none"), (0, 0));
    }

    #[tokio::test]
    async fn a_keeper_that_is_away_is_said_to_be() {
        let bench = Bench::new().await;
        let health = of(&bench.context).await;
        assert!(!health.keeper_answers && !health.version.is_empty());
    }
}
