//! How cost grows with what a box has kept: one store, filled further and measured again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::meter;
use crate::shape::Shape;
use crate::stats::{Latencies, Spread};
use crate::subject::{Kind, Setup, Subject};
use crate::work::pairs::{self, Pace, Spans};

/// Sign-ins and first pages looked at, for each size.
const LOOKS: usize = 200;

/// What to look at.
#[derive(Args)]
pub(crate) struct Growth {
    /// Messages kept, rising.
    #[arg(long, value_delimiter = ',', default_value = "10000,1000000,10000000")]
    sizes: Vec<u64>,
    /// How often each size is measured.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Seconds of each measurement that takes a fixed time.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Where the store grows, some 700 bytes a message; a temporary directory when none is given.
    #[arg(long)]
    directory: Option<PathBuf>,
    /// A world small enough for a test.
    #[arg(long, hide = true)]
    small: bool,
}

/// Fills and measures, size by size, and prints a table.
pub(crate) async fn grow(arguments: &Growth) -> Result<()> {
    let shape = if arguments.small { Shape::small() } else { Shape::usual() };
    let temporary = tempfile::Builder::new().prefix("wardline-bench-").tempdir()?;
    let directory = arguments.directory.as_deref().unwrap_or(temporary.path());
    let kind = Kind::Box(std::env::current_exe()?);
    let mut kept = 0;
    let mut lines = vec![
        "| messages kept | send to delivered at 200 a second, p50 / p99, ms | sign-in, p50 / p99, ms | first page, p50 / \
         p99, ms | relay memory after start, MB | store, MB |"
            .to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    for size in &arguments.sizes {
        meter::tell(&format!("filling up to {size} messages"));
        let began = Instant::now();
        let history = size - kept;
        let setup = Setup { kind: &kind, shape: &shape, directory: Some(directory), history, receipts: true };
        let subject = Arc::new(Subject::start(&setup)?);
        kept = *size;
        meter::tell(&format!("filled in {:.0} s", began.elapsed().as_secs_f64()));
        let (memory, store) = (subject.resident()?, size_of(&subject)?);
        let mut cells: [Vec<f64>; 6] = Default::default();
        for run in 0..arguments.runs {
            meter::tell(&format!("measuring, run {} of {}", run + 1, arguments.runs));
            for (cell, value) in cells.iter_mut().zip(measure(&subject, &shape, arguments.seconds).await?) {
                cell.push(value);
            }
        }
        let median = |cell: &Vec<f64>| Spread::of(cell).map_or(0.0, |spread| spread.median);
        let [a, b, c, d, e, f] = cells.each_ref().map(median);
        let (memory, store) = (memory as f64 / 1e6, store as f64 / 1e6);
        lines.push(format!(
            "| {size} | {a:.2} / {b:.2} | {c:.2} / {d:.2} | {e:.2} / {f:.2} | {memory:.1} | {store:.0} |"
        ));
    }
    #[allow(clippy::print_stdout, reason = "what the command is for")]
    {
        println!("{}", lines.join("\n"));
    }
    Ok(())
}

async fn measure(subject: &Arc<Subject>, shape: &Shape, seconds: u64) -> Result<[f64; 6]> {
    let spans = Spans { warm: Duration::from_secs(1), measured: Duration::from_secs(seconds) };
    let mut paced = pairs::run(subject, shape.pairs, Pace::Fixed(200), spans).await?.delivered;
    let (mut sign_in, mut page) = (Latencies::default(), Latencies::default());
    let house = subject.wardline().context("only a box keeps history")?;
    for look in 0..LOOKS {
        let who = look % (2 * shape.pairs);
        let began = Instant::now();
        let mut line = subject.connect(who).await?;
        sign_in.add(began.elapsed());
        let began = Instant::now();
        house.first_page(&mut line, who / 2).await?;
        page.add(began.elapsed());
        line.close();
    }
    let both = |latencies: &mut Latencies| [0.5, 0.99].map(|share| latencies.percentile_ms(share));
    let ([a, b], [c, d], [e, f]) = (both(&mut paced), both(&mut sign_in), both(&mut page));
    Ok([a, b, c, d, e, f])
}

fn size_of(subject: &Subject) -> Result<u64> {
    Ok(std::fs::metadata(subject.directory().join("relay").join("wardline.db"))?.len())
}
