//! Several runs, each of every server in turn, so that what drifts drifts for all.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::meter;
use crate::shape::Shape;
use crate::stats::Latencies;
use crate::subject::{Kind, Setup, Subject};
use crate::table::{Column, Figures, Measure};
use crate::work::pairs::{Pace, Spans};
use crate::work::{catchup, fanout, idle, pairs, storm};

/// Pairs that go on talking during a storm.
const TALKING: usize = 20;
/// Devices of a storm, and of the idle crowd.
const STORM: usize = 2_000;
const CROWD: usize = 5_000;

/// What starts ejabberd, from the top of the source.
const EJABBERD: &str = "appliance/bench/peers/ejabberd";

/// What to compare.
#[derive(Args)]
pub(crate) struct Compare {
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Boxes with something off: NAME=PROGRAM. They are measured one-to-one only.
    #[arg(long, value_name = "NAME=PROGRAM", value_parser = named)]
    without: Vec<(String, PathBuf)>,
    /// Only these: pairs, fanout, groups, idle, storm, catchup.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Seconds of each measurement that takes a fixed time.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Leave out receipts, which the floor has not either.
    #[arg(long)]
    no_receipts: bool,
    /// Do not measure the floor.
    #[arg(long)]
    no_floor: bool,
    /// Measure ejabberd too, with its archive in PostgreSQL; by the program that starts it.
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, default_missing_value = EJABBERD)]
    ejabberd: Option<PathBuf>,
    /// A page to write the table into, between its two marks.
    #[arg(long)]
    into: Option<PathBuf>,
    /// A world small enough for a test.
    #[arg(long, hide = true)]
    small: bool,
}

fn named(text: &str) -> Result<(String, PathBuf), String> {
    let (name, program) = text.split_once('=').ok_or("NAME=PROGRAM")?;
    Ok((name.to_owned(), program.into()))
}

/// Where the table stands on a page.
const MARKS: (&str, &str) = ("<!-- bench -->", "<!-- /bench -->");

/// Runs it all and prints the table.
pub(crate) async fn compare(arguments: &Compare) -> Result<()> {
    if let Some(page) = &arguments.into {
        // Better now than in an hour.
        put_table(&std::fs::read_to_string(page)?, "")?;
    }
    let mut columns: Vec<(Column, Kind, bool)> = Vec::new();
    if !arguments.no_floor {
        columns.push(("floor".to_owned(), Kind::Floor, true));
    }
    columns.push(("box".to_owned(), Kind::Box(std::env::current_exe()?), true));
    for (name, program) in &arguments.without {
        columns.push((format!("without {name}"), Kind::Box(program.clone()), false));
    }
    if let Some(program) = &arguments.ejabberd {
        columns.push(("ejabberd".to_owned(), Kind::Ejabberd(program.clone()), true));
    }
    let (mut figures, mut flushes) = (Figures::default(), Latencies::default());
    for run in 0..arguments.runs {
        flushes.join(meter::flushes(&std::env::temp_dir(), Duration::from_secs(1))?);
        for (name, kind, whole) in &columns {
            meter::tell(&format!("run {} of {}: {name}", run + 1, arguments.runs));
            let mut column = Run { arguments, figures: &mut figures, run, name, kind };
            column.measure(*whole).await.with_context(|| format!("measuring {name}"))?;
        }
    }
    let names: Vec<Column> = columns.into_iter().map(|(name, ..)| name).collect();
    let table = format!(
        "{} runs; medians (least–greatest), × the median of each run's own ratio to the floor. The disk's own flush of \
         4 KiB: p50 {:.2} ms, p99 {:.2} ms.\n\n{}",
        arguments.runs,
        flushes.percentile_ms(0.5),
        flushes.percentile_ms(0.99),
        figures.markdown(&names)
    );
    #[allow(clippy::print_stdout, reason = "what the command is for")]
    {
        println!("{table}");
    }
    if let Some(page) = &arguments.into {
        let text = std::fs::read_to_string(page)?;
        std::fs::write(page, put_table(&text, &table)?)?;
    }
    Ok(())
}

fn put_table(page: &str, table: &str) -> Result<String> {
    let (head, rest) = page.split_once(MARKS.0).context("the page has no place for the table")?;
    let (_, tail) = rest.split_once(MARKS.1).context("the place for the table has no end")?;
    Ok(format!("{head}{}\n{table}{}{tail}", MARKS.0, MARKS.1))
}

struct Run<'a> {
    arguments: &'a Compare,
    figures: &'a mut Figures,
    run: usize,
    name: &'a str,
    kind: &'a Kind,
}

impl Run<'_> {
    fn wants(&self, what: &str) -> bool {
        self.arguments.only.is_empty() || self.arguments.only.iter().any(|only| only == what)
    }

    fn add(&mut self, measure: Measure, value: f64) {
        self.figures.add(self.run, self.name, measure, value);
    }

    async fn measure(&mut self, whole: bool) -> Result<()> {
        let shape = if self.arguments.small { Shape::small() } else { Shape::usual() };
        let receipts = !self.arguments.no_receipts;
        let setup = Setup { kind: self.kind, shape: &shape, directory: None, history: 0, receipts };
        let subject = Arc::new(Subject::start(&setup)?);
        // Memory first, of a process that has done nothing else yet.
        if whole && self.wants("idle") {
            let people = CROWD.min(shape.people - 2);
            self.add(Measure::Idle, idle::run(&subject, people).await? / 1_000.0);
        }
        if self.wants("pairs") {
            self.pairs(&subject, shape.pairs).await?;
        }
        if whole && self.wants("fanout") {
            let members = if self.arguments.small { 6 } else { 300 };
            let group = shape.group(members).context("no such group")?;
            let messages = 5 * usize::try_from(self.arguments.seconds)?;
            let mut fanout = fanout::run(&subject, (group, shape.members(group)), 5, messages).await?;
            self.add(Measure::FanoutP50, fanout.last.percentile_ms(0.5));
            self.add(Measure::FanoutP99, fanout.last.percentile_ms(0.99));
        }
        if whole && self.wants("groups") {
            for (members, rate) in [(2, 300), (50, 40), (500, 8)] {
                let Some(group) = shape.group(members) else { continue };
                let messages = rate as usize * usize::try_from(self.arguments.seconds)?;
                let place = (group, shape.members(group));
                let fanout = fanout::run(&subject, place, rate, messages).await?;
                self.add(Measure::Delivery(members), fanout.server_us);
            }
        }
        if whole && self.wants("catchup") {
            // The first warms what it reads; it counts for nobody.
            catchup::run(&subject, &shape).await?;
            let mut rates = Vec::new();
            for _ in 0..5 {
                rates.push(catchup::run(&subject, &shape).await?);
            }
            rates.sort_unstable_by(f64::total_cmp);
            self.add(Measure::CatchUp, rates[2]);
        }
        if whole && self.wants("storm") {
            let talking = TALKING.min(shape.pairs / 2);
            self.storm(&subject, talking, STORM.min(shape.people - 2 * talking - 2)).await?;
        }
        Ok(())
    }

    async fn pairs(&mut self, subject: &Arc<Subject>, pairs: usize) -> Result<()> {
        let spans = Spans {
            warm: Duration::from_secs(2).min(Duration::from_secs(self.arguments.seconds)),
            measured: Duration::from_secs(self.arguments.seconds),
        };
        let mut saturated = pairs::run(subject, pairs, Pace::Saturated, spans).await?;
        ensure!(!saturated.delivered.is_empty(), "nothing was delivered");
        self.add(Measure::Saturated, saturated.a_second);
        self.add(Measure::SaturatedP50, saturated.delivered.percentile_ms(0.5));
        self.add(Measure::SaturatedP99, saturated.delivered.percentile_ms(0.99));
        self.add(Measure::SaturatedServer, saturated.server_us);
        self.add(Measure::SaturatedLoad, saturated.load_us);
        let mut paced = pairs::run(subject, pairs, Pace::Fixed(200), spans).await?;
        self.add(Measure::PacedP50, paced.delivered.percentile_ms(0.5));
        self.add(Measure::PacedP99, paced.delivered.percentile_ms(0.99));
        self.add(Measure::PacedServer, paced.server_us);
        Ok(())
    }

    async fn storm(&mut self, subject: &Arc<Subject>, talking: usize, people: usize) -> Result<()> {
        let mut storm = storm::run(subject, talking, people).await?;
        self.add(Measure::StormSeconds, storm.seconds);
        self.add(Measure::StormServer, storm.server_us);
        let (before, meanwhile) = (storm.calm.percentile_ms(0.99), storm.meanwhile.percentile_ms(0.99));
        self.add(Measure::StormCalm, before);
        self.add(Measure::StormMeanwhile, meanwhile);
        self.add(Measure::StormSlower, meanwhile / before);
        self.add(Measure::StormRepeated, storm.repeated as f64);
        self.add(Measure::StormDropped, storm.dropped as f64);
        Ok(())
    }
}
