//! Attacks on a running box. Each ends as documented, and two people beside it go on talking.
//!
//! One box and one test: the attacks come in order, each under its own name, and all are tried whatever the others
//! did. Not here: join codes that expire (`expired.rs`), and the wall clock that steps, which the simulation of the core
//! covers in its own time.

mod support;

#[path = "hostile/floods.rs"]
mod floods;
#[path = "hostile/frames.rs"]
mod frames;
#[path = "hostile/people.rs"]
mod people;
#[path = "hostile/profiles.rs"]
mod profiles;
#[path = "hostile/slow.rs"]
mod slow;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use support::Fixture;
use support::pair::Pair;
use support::raw::Way;

/// The box, the bystanders, the way to the box, and what went wrong so far.
struct Arena {
    fixture: Fixture,
    pair: Pair,
    way: Way,
    failures: Vec<String>,
}

impl Arena {
    /// Notes how an attack went, and whether the bystanders noticed.
    async fn went(&mut self, attack: &str, began: Instant, outcome: Result<()>) {
        let took = began.elapsed();
        let beside = self.pair.exchange().await.context("the bystanders noticed");
        let exchange = beside.as_ref().map_or_else(|_| "-".to_owned(), |took| format!("{took:.1?}"));
        let verdict = if outcome.is_ok() && beside.is_ok() { "ok" } else { "FAILED" };
        report(&format!("{verdict:6} {attack} ({took:.1?}, bystanders {exchange})"));
        for error in [outcome.err(), beside.err()].into_iter().flatten() {
            self.failures.push(format!("{attack}: {error:#}"));
        }
    }
}

#[allow(clippy::print_stderr, reason = "a test's own account, shown by --nocapture and on failure")]
fn report(line: &str) {
    eprintln!("{line}");
}

macro_rules! attack {
    ($arena:ident, $name:literal, $attack:expr) => {
        let began = Instant::now();
        let outcome = tokio::time::timeout(Duration::from_secs(30), $attack).await;
        let outcome = outcome.context("the attack did not end").and_then(|outcome| outcome);
        $arena.went($name, began, outcome).await;
    };
}

#[test]
fn a_box_under_attack_answers_as_documented_and_its_people_go_on_talking() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // The box's parts end with this thread.
    let zones = ["--zone", "guest=127.0.0.2/32", "--zone", "ward=127.0.0.4/32"];
    let options = [["--idle-lock", "10"].as_slice(), &zones].concat();
    let fixture = Fixture::start(&options).expect("a box");
    let failures = runtime.block_on(attacks(fixture)).expect("the bystanders join and talk in peace");
    assert!(failures.is_empty(), "{} attacks went wrong:\n{}", failures.len(), failures.join("\n"));
}

async fn attacks(fixture: Fixture) -> Result<Vec<String>> {
    let mut pair = Pair::join(&fixture).await?;
    pair.exchange().await?;
    let way = Way::new(&fixture.devbox);
    let mut arena = Arena { fixture, pair, way, failures: Vec::new() };
    // Their sessions lock while the others are at work.
    let locking = people::thief(&arena).await?;
    let own = people::thief(&arena).await?;

    attack!(arena, "unknown ALPN", frames::unknown_alpn(&mut arena));
    attack!(arena, "truncated frame", frames::truncated(&mut arena));
    attack!(arena, "oversize frame", frames::oversize(&mut arena));
    attack!(arena, "malformed frame", frames::malformed(&mut arena));
    attack!(arena, "unknown request", frames::unknown_request(&mut arena));
    attack!(arena, "unknown fields", frames::unknown_fields(&mut arena));
    attack!(arena, "frames out of turn", frames::out_of_turn(&mut arena));
    attack!(arena, "forged signatures", frames::forged(&mut arena));
    attack!(arena, "numbers", people::numbers(&mut arena));
    attack!(arena, "answers that nobody signed", people::unsigned(&mut arena));
    attack!(arena, "a copied profile", profiles::copied(&mut arena));
    attack!(arena, "what a locked phone sends", profiles::from_a_locked_phone(&mut arena));
    attack!(arena, "join codes", people::join_codes(&mut arena));
    attack!(arena, "guest network", people::guest(&mut arena));
    attack!(arena, "an administrator who roams", people::roams(&mut arena));
    attack!(arena, "a fault by one who takes no answers", slow::takes_no_answers(&mut arena));
    attack!(arena, "half-open handshakes", floods::half_open(&mut arena));
    attack!(arena, "half-open handshakes from everywhere", floods::half_open_from_everywhere(&mut arena));
    attack!(arena, "first packets under another's address", floods::forged_address(&mut arena));
    attack!(arena, "a flood of handshakes", floods::handshakes(&mut arena));
    attack!(arena, "devices that never read", slow::never_read(&mut arena));
    attack!(arena, "ten wrong PINs", people::wrong_pins(&mut arena, locking, own));
    Ok(arena.failures)
}
