//! Where a relay's time goes: `perf record` beside one kind of load. `docs/performance.md` says how to draw it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, ValueEnum};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::shape::Shape;
use crate::subject::{Kind, Setup, Subject};
use crate::work::pairs::{Pace, Spans};
use crate::work::{catchup, fanout, pairs, storm};

/// Samples a second: a prime, so that nothing periodic hides.
const FREQUENCY: &str = "499";

/// Under which load.
#[derive(Clone, Copy, ValueEnum)]
enum Load {
    Saturated,
    Paced,
    Fanout,
    Catchup,
    Storm,
}

/// What to look at.
#[derive(Args)]
pub(crate) struct Profile {
    /// Under which load.
    load: Load,
    /// Where perf puts its samples.
    #[arg(long, default_value = "perf.data")]
    out: PathBuf,
    /// For how long.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// The floor instead of a box.
    #[arg(long)]
    floor: bool,
}

/// Loads a box and samples its relay.
pub(crate) async fn profile(arguments: &Profile) -> Result<()> {
    let shape = Shape::usual();
    let kind = if arguments.floor { Kind::Floor } else { Kind::Box(std::env::current_exe()?) };
    let setup = Setup { kind: &kind, shape: &shape, directory: None, history: 0, receipts: true };
    let subject = Arc::new(Subject::start(&setup)?);
    let mut perf = Command::new("perf")
        .args(["record", "--freq", FREQUENCY, "--call-graph", "dwarf,8192", "--pid"])
        .arg(subject.process().to_string())
        .arg("--output")
        .arg(&arguments.out)
        .spawn()
        .context("starting perf: install linux-perf")?;
    let span = Duration::from_secs(arguments.seconds);
    let spans = Spans { warm: Duration::from_secs(1), measured: span };
    match arguments.load {
        Load::Saturated => drop(pairs::run(&subject, shape.pairs, Pace::Saturated, spans).await?),
        Load::Paced => drop(pairs::run(&subject, shape.pairs, Pace::Fixed(200), spans).await?),
        Load::Fanout => {
            let Some(group) = shape.group(300) else { bail!("no such group") };
            let messages = 5 * usize::try_from(arguments.seconds)?;
            fanout::run(&subject, (group, shape.members(group)), 5, messages).await?;
        }
        Load::Catchup => {
            let began = Instant::now();
            while began.elapsed() < span {
                catchup::run(&subject, &shape).await?;
            }
        }
        Load::Storm => drop(storm::run(&subject, 20, 2_000).await?),
    }
    kill(Pid::from_raw(perf.id().cast_signed()), Signal::SIGINT)?;
    let status = perf.wait()?;
    ensure!(arguments.out.exists(), "perf left nothing behind: {status}");
    Ok(())
}
