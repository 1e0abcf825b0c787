//! One list of what every client must do, held against our own and against one of another hand, which was written from the
//! protocol page alone (`tests/foreign`). Each against a whole box of its own; beside each other, but for what ends the box.

#[path = "conformance/client.rs"]
mod client;
#[path = "conformance/foreign.rs"]
mod foreign;
#[path = "conformance/groups.rs"]
mod groups;
#[path = "conformance/joining.rs"]
mod joining;
#[path = "conformance/later.rs"]
mod later;
#[path = "conformance/list.rs"]
mod list;
#[path = "conformance/ours.rs"]
mod ours;
#[path = "conformance/outages.rs"]
mod outages;
#[path = "conformance/road.rs"]
mod road;
#[path = "../../client/tests/scripted/mod.rs"]
mod scripted;
#[path = "conformance/signing.rs"]
mod signing;
mod support;
#[path = "conformance/talking.rs"]
mod talking;
#[path = "conformance/ward.rs"]
mod ward;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use client::ClientUnderTest;
use foreign::Foreign;
use list::{Entry, How, list};
use ours::Ours;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use ward::Stage;

/// What an entry may take: several things that each may take long.
const PATIENCE: Duration = Duration::from_secs(180);
/// Entries beside each other, not counting those that wait for what a clock brings.
const BESIDE: usize = 4;

#[allow(clippy::print_stderr, reason = "a test's own account, shown by --nocapture and on failure")]
fn report(line: &str) {
    eprintln!("{line}");
}

#[test]
fn our_client_conforms() {
    conforms::<Ours>();
}

#[test]
fn a_client_of_another_hand_conforms() {
    if foreign::interpreter().is_none() {
        support::not_run(
            "conformance of a client of another hand",
            "no Python environment; `make prepare` makes it",
        );
        return;
    }
    conforms::<Foreign>();
}

fn conforms<C: ClientUnderTest>() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // The boxes' parts end with this thread.
    let stage = Arc::new(Stage::start().expect("two boxes"));
    let failures = runtime.block_on(run::<C>(stage));
    assert!(failures.is_empty(), "{}: {} entries failed:\n{}", C::NAME, failures.len(), failures.join("\n"));
}

/// Runs the list; what failed.
async fn run<C: ClientUnderTest>(stage: Arc<Stage>) -> Vec<String> {
    let wanted = std::env::var("WARDLINE_ENTRY").ok().and_then(|number| number.parse::<usize>().ok());
    let entries = (1..).zip(list::<C>()).filter(|(number, _)| wanted.is_none_or(|wanted| wanted == *number));
    let (alone, beside): (Vec<_>, Vec<_>) = entries.partition(|(_, entry)| entry.how == How::Alone);
    let (mut running, places) = (JoinSet::new(), Arc::new(Semaphore::new(BESIDE)));
    for (number, entry) in beside {
        let (stage, places) = (Arc::clone(&stage), Arc::clone(&places));
        running.spawn(async move {
            let _place = if entry.how == How::Waits { None } else { places.acquire().await.ok() };
            one::<C>(number, &entry, stage).await
        });
    }
    let mut failures = Vec::new();
    while let Some(ended) = running.join_next().await {
        failures.extend(ended.unwrap_or_else(|panic| Some(panic.to_string())));
    }
    for (number, entry) in alone {
        failures.extend(one::<C>(number, &entry, Arc::clone(&stage)).await);
    }
    failures
}

async fn one<C: ClientUnderTest>(number: usize, entry: &Entry, stage: Arc<Stage>) -> Option<String> {
    let began = Instant::now();
    let outcome: Result<()> = tokio::time::timeout(PATIENCE, (entry.run)(stage))
        .await
        .context("it did not end")
        .and_then(|outcome| outcome);
    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
    report(&format!("{verdict:6} {:7} {number:2} {} ({:.1?})", C::NAME, entry.name, began.elapsed()));
    outcome.err().map(|error| format!("{number} {}: {error:#}", entry.name))
}

#[test]
fn the_page_lists_what_is_run() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol/conformance.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let listed: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit()).collect();
    let run: Vec<String> = (1..)
        .zip(list::<Ours>())
        .map(|(number, entry)| format!("| {number} | {} | {} | {} |", entry.name, entry.must, entry.section))
        .collect();
    assert_eq!(listed, run, "the table should be:\n{}\n", run.join("\n"));
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol/README.md");
    let protocol = std::fs::read_to_string(protocol).expect("the protocol page");
    for entry in list::<Ours>() {
        for section in entry.section.split(", ") {
            let there = protocol.lines().any(|line| {
                let heading = line.trim_start_matches('#').trim_start();
                (line.starts_with('#')
                    && (heading == section || heading.starts_with(&format!("{section}. "))))
                    || line.starts_with(&format!("**{section}.**"))
            });
            assert!(there, "{}: no section {section}", entry.name);
        }
    }
}
