//! Whole histories of the core out of seeds: people with several devices, connections that lose, delay and break,
//! crashes at every point of a commit, clocks that step, a full disk, revocations, strangers; against a naive
//! reference model, at every single input.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `WARDLINE_SEEDS` | histories to run | 6000 |
//! | `WARDLINE_SIM_SECONDS` | stop after so long | 300 |
//! | `WARDLINE_SEED` | run this one and print what happens | |
#![expect(
    clippy::disallowed_methods,
    reason = "the harness, not the world, reads its environment and has threads"
)]
#![expect(clippy::print_stdout, reason = "the harness reports")]
#![expect(clippy::disallowed_types, reason = "the harness keeps its time box by the clock")]

mod agency;
mod alarms;
mod answers;
mod attachments;
mod availability;
mod bells;
mod broadcasts;
mod certificates;
mod clearing;
mod client;
mod composed;
mod coverage;
mod devices;
mod driver;
mod exports;
mod families;
mod finish;
mod holds;
mod inbox;
mod inboxes;
mod lanes;
mod logins;
mod merges;
mod messages;
mod orders;
mod passkeys;
mod patients;
mod prints;
mod random;
mod reactions;
mod reference;
mod reference_admin;
mod reference_agency;
mod reference_alarms;
mod reference_altered;
mod reference_attachments;
mod reference_availability;
mod reference_bells;
mod reference_broadcasts;
mod reference_clearing;
mod reference_emergencies;
mod reference_export;
mod reference_family;
mod reference_holds;
mod reference_inboxes;
mod reference_logins;
mod reference_merges;
mod reference_offers;
mod reference_orders;
mod reference_passkeys;
mod reference_patients;
mod reference_prints;
mod reference_reactions;
mod reference_restricted;
mod reference_roles;
mod reference_rotas;
mod reference_signed;
mod reference_signin;
mod reference_stat;
mod reference_tasks;
mod reference_templates;
mod reference_units;
mod reference_urgent;
mod reference_ward;
mod roles;
mod signed;
mod stats;
mod steps;
mod store;
mod strangers;
mod tasks;
mod templates;
mod toys;
mod trace;
mod units;
mod verify;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use coverage::Coverage;
use world::World;

const THREADS: usize = 2;

/// One history: its trace and what it reached, or what went wrong.
fn history(seed: u64, readable: bool) -> (World, Result<(), String>) {
    let mut world = World::new(seed, readable);
    let result = live(&mut world);
    (world, result)
}

fn live(world: &mut World) -> Result<(), String> {
    world.settle()?;
    world.faults = true;
    for _ in 0..800 + world.random.index(1600) {
        world.step()?;
    }
    world.heal()?;
    world.judge()
}

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn histories_keep_every_promise() {
    if let Ok(seed) = std::env::var("WARDLINE_SEED") {
        let seed = seed.parse().expect("WARDLINE_SEED is a number");
        let (world, result) = history(seed, true);
        println!("{}", world.trace.words());
        if let Err(error) = result {
            panic!("seed {seed}: {error}");
        }
        return;
    }
    let seeds = variable("WARDLINE_SEEDS", 6000);
    let limit = Duration::from_secs(variable("WARDLINE_SIM_SECONDS", 300));
    let began = Instant::now();
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let total = Mutex::new(Coverage::new());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let over = began.elapsed() > limit || !failures.lock().expect("no panic").is_empty();
                    if seed >= seeds || over {
                        return;
                    }
                    let ran = std::panic::catch_unwind(|| history(seed, false));
                    let error = match ran {
                        Ok((world, Ok(()))) => {
                            total.lock().expect("no panic").add(&world.coverage);
                            done.fetch_add(1, Ordering::Relaxed);
                            continue;
                        }
                        Ok((_, Err(error))) => error,
                        Err(_) => "the core panicked".to_owned(),
                    };
                    failures.lock().expect("no panic").push((seed, error));
                }
            });
        }
    });
    let (done, total) = (done.into_inner(), total.into_inner().expect("no panic"));
    let seconds = began.elapsed().as_secs_f64();
    let early = if done < seeds { " (stopped early)" } else { "" };
    println!(
        "simulation: {done} of {seeds} seeds{early} in {seconds:.1} s, {:.1} a second",
        done as f64 / seconds
    );
    if let Some((seed, error)) = failures.into_inner().expect("no panic").into_iter().min() {
        panic!(
            "seed {seed}: {error}\nreplay it with\n  \
             WARDLINE_SEED={seed} cargo test -p wardline-core --test simulation histories -- --nocapture"
        );
    }
    println!("reached:\n{}", total.report());
    let missing = total.missing(done);
    assert!(missing.is_empty(), "no seed reached {missing:?}");
}

#[test]
fn one_seed_is_one_history() {
    for seed in [1, 2, 3] {
        let (first, _) = history(seed, false);
        let (second, _) = history(seed, false);
        assert_eq!(first.trace.hash, second.trace.hash, "seed {seed}");
        assert_ne!(first.trace.hash, history(seed + 100, false).0.trace.hash);
    }
}
