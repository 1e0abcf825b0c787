//! How long a conversation stands still when somebody walks, and how long after a network has come back. By hand.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::task::JoinSet;

use super::{BAD, OFFICE, start};
use crate::support::crowd::{Dice, seed, setting};
use crate::support::roamer::Roamer;
use crate::support::wifi::Quality;

/// Roamers at a time; the box and all of them share this machine.
const TOGETHER: u64 = 10;
/// Seconds.
const GONE_FOR: [u64; 10] = [1, 2, 5, 10, 20, 30, 45, 60, 90, 120];

const QUALITIES: [(&str, Quality); 4] = [
    ("office: 0.5 % lost, 4-8 ms", OFFICE),
    ("busy ward: 5 % lost, 40-100 ms", Quality::of(50, 20, 30)),
    ("edge of the cell: 20 % lost, 200-260 ms", BAD),
    ("far edge: 20 % lost, 400-600 ms", Quality::of(200, 200, 100)),
];

/// A measurement by hand: passes at once unless told how many moves to make, or how long to be gone at most.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gaps() {
    let (moves, gone) = (setting("WARDLINE_ROAMS", 0), setting("WARDLINE_GONE_MAX", 0));
    if moves == 0 && gone == 0 {
        return;
    }
    let seed = seed();
    eprintln!("seed {seed}");
    let (home, profiles) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let devbox = start(&home);
    let mut roamers = Vec::new();
    for at in 0..TOGETHER {
        let mut roamer = Roamer::join(&devbox, &format!("roamer {at}"), profiles.path(), seed + at).await;
        roamer.talks().await;
        roamers.push(Arc::new(roamer));
    }
    let only = setting("WARDLINE_RADIO", u64::MAX);
    let radios =
        (0..).zip(QUALITIES).filter(|(at, _)| only == u64::MAX || only == *at).map(|(_, radio)| radio);
    for (name, quality) in radios.clone().filter(|_| moves > 0) {
        for step in [Step::Stays, Step::Told, Step::NotTold] {
            let each = moves.div_ceil(TOGETHER);
            let gaps = together(&roamers, |roamer, at| walks(roamer, quality, step, each, seed + at)).await;
            report(&format!("{name}; {}", step.name()), gaps);
        }
    }
    for (name, quality) in radios {
        for roamer in &roamers {
            roamer.ap.quality(quality).await;
        }
        let least = setting("WARDLINE_GONE_MIN", 0);
        for seconds in GONE_FOR.into_iter().filter(|seconds| (least..=gone).contains(seconds)) {
            // Half of them each: an outage takes as long as it takes.
            let half = roamers.len() / 2;
            let gone = |told| move |roamer, _| is_gone(roamer, seconds, told);
            let (told, not_told) =
                tokio::join!(together(&roamers[..half], gone(true)), together(&roamers[half..], gone(false)));
            report(&format!("{name}; gone for {seconds} s; {}", whether(true)), told);
            report(&format!("{name}; gone for {seconds} s; {}", whether(false)), not_told);
        }
    }
    for roamer in roamers {
        Arc::into_inner(roamer).unwrap().ends(seed).await;
    }
    devbox.stop();
}

#[derive(Clone, Copy)]
enum Step {
    /// What the radio does by itself.
    Stays,
    Told,
    NotTold,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Stays => "no move",
            Self::Told => whether(true),
            Self::NotTold => whether(false),
        }
    }
}

fn whether(told: bool) -> &'static str {
    if told { "told" } else { "not told" }
}

/// Time until the first message from the phone and to it, and whether a new connection was needed.
type Gap = (Duration, Duration, bool);

async fn together<F: Future<Output = Vec<Gap>> + Send + 'static>(
    roamers: &[Arc<Roamer>],
    does: impl Fn(Arc<Roamer>, u64) -> F,
) -> Vec<Gap> {
    let mut under_way = JoinSet::new();
    for (at, roamer) in (0..).zip(roamers) {
        under_way.spawn(does(Arc::clone(roamer), at));
    }
    under_way.join_all().await.into_iter().flatten().collect()
}

async fn walks(roamer: Arc<Roamer>, quality: Quality, step: Step, times: u64, seed: u64) -> Vec<Gap> {
    let (mut gaps, mut dice) = (Vec::new(), Dice(seed));
    roamer.ap.quality(quality).await;
    for _ in 0..times {
        // Settled: nothing of the last move is still going on.
        tokio::time::sleep(Duration::from_millis(1_500 + dice.below(1_000))).await;
        roamer.both_hear(Instant::now()).await;
        let resumed = roamer.resumed();
        let moved = Instant::now();
        match step {
            Step::Stays => {}
            Step::Told => {
                roamer.ap.switch().await;
                roamer.phone.network_changed().await.unwrap();
            }
            Step::NotTold => roamer.ap.switch_unnoticed().await,
        }
        let (from, to) = roamer.both_hear(moved).await;
        gaps.push((from, to, roamer.resumed() > resumed));
    }
    gaps
}

async fn is_gone(roamer: Arc<Roamer>, seconds: u64, told: bool) -> Vec<Gap> {
    tokio::time::sleep(Duration::from_millis(2_000)).await;
    roamer.both_hear(Instant::now()).await;
    let resumed = roamer.resumed();
    roamer.ap.away().await;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let back = Instant::now();
    roamer.ap.back().await;
    if told {
        roamer.phone.network_changed().await.unwrap();
    }
    let (from, to) = roamer.both_are_shown(back).await;
    vec![(from, to, roamer.resumed() > resumed)]
}

/// A line of the page's table.
fn report(what: &str, gaps: Vec<Gap>) {
    let resumed = gaps.iter().filter(|(.., resumed)| *resumed).count();
    let mut line = format!("| {what} | {} | {resumed} |", gaps.len());
    for mut times in
        [gaps.iter().map(|gap| gap.0).collect(), gaps.iter().map(|gap| gap.1).collect::<Vec<_>>()]
    {
        times.sort_unstable();
        // The nearest rank: of ten values the last for 99 of a hundred.
        let rank = |of: usize| times[(times.len() * of).div_ceil(100).max(1) - 1].as_millis();
        line += &format!(" {} / {} / {} / {} |", rank(50), rank(90), rank(99), rank(100));
    }
    eprintln!("{line}");
}
