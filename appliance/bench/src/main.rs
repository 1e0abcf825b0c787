//! `make bench`: a whole box, and a box with one thing off at a time, against the floor, in one run.
//!
//! Refuses to be part of a product: nothing depends on it, and what it switches off it switches off in a copy of the
//! source (`appliance/bench/without/`), because the relay has no such switches.

mod appliance;
mod day;
mod floor;
mod frames;
mod growth;
mod line;
mod meter;
mod profile;
mod run;
mod search;
mod seed;
mod shape;
mod stats;
mod subject;
mod suspend;
mod table;
mod uploads;
mod work;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use crate::appliance::{Started, announce};
use crate::shape::Shape;

/// Measures a Wardline box.
#[derive(Parser)]
#[command(name = "wardline-bench", version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Everything that is asked for, in one run, as a table.
    Compare(run::Compare),
    /// One box, filled further and further.
    Growth(growth::Growth),
    /// A ward's day, compressed, and what grew in it.
    Day(day::Day),
    /// How long searches take on the box's side, and what the index costs.
    Search(search::Searching),
    /// What a file on its way does to a STAT on the same link.
    Uploads(uploads::Uploads),
    /// How soon the session of somebody who is suspended ends, beside hundreds that must not notice.
    Suspend(suspend::Suspending),
    /// Samples a relay under one kind of load.
    Profile(profile::Profile),
    /// Starts the floor and says where, until standard input ends.
    Floor(Server),
    /// Starts a seeded box and says where, until standard input ends.
    Box(Server),
}

#[derive(clap::Args)]
struct Server {
    /// Who is there, as JSON.
    #[arg(long)]
    shape: String,
    /// Where it keeps what it keeps.
    #[arg(long)]
    directory: PathBuf,
    /// Messages to seed beyond the shape's.
    #[arg(long, default_value_t = 0)]
    history: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        match arguments.what {
            What::Compare(compare) => run::compare(&compare).await,
            What::Growth(growth) => growth::grow(&growth).await,
            What::Day(day) => day::live(&day).await,
            What::Search(searching) => search::search(&searching).await,
            What::Uploads(wanted) => uploads::measure(&wanted).await,
            What::Suspend(wanted) => suspend::measure(&wanted).await,
            What::Profile(profile) => profile::profile(&profile).await,
            What::Floor(server) => {
                let shape: Shape = serde_json::from_str(&server.shape).context("the shape")?;
                floor::run(shape, &server.directory, |address, certificate| {
                    let (trust, processes) = (certificate.to_vec(), vec![std::process::id()]);
                    announce(&Started { address, trust, processes, world: None })?;
                    // Nobody waits for it in order.
                    std::thread::spawn(|| {
                        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
                        std::process::exit(0);
                    });
                    Ok(())
                })
                .await
            }
            What::Box(server) => {
                let shape: Shape = serde_json::from_str(&server.shape).context("the shape")?;
                appliance::run(&shape, &server.directory, server.history).await
            }
        }
    })
}
