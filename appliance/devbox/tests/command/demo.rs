//! `wardline demo`: played to its end, again on what it made before with the relay killed in the midst of it, and not among
//! patients of anybody else.
//!
//! `WARDLINE_DEMO_KILLS` makes it long: 50 before a release.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{Done, PATIENCE, Running, Ward};
use crate::support::crowd::{Dice, seed, setting};

/// About as long as one STAT takes, half of it a shift: a kill may come at any moment of it.
const RUN_MS: u64 = 50_000;

#[test]
#[allow(clippy::print_stderr, reason = "the seed, by which a failure is played again")]
fn a_shift_and_then_a_stat_with_the_relay_killed_in_the_midst_of_it() {
    let mut ward = Ward::start(&[]);
    shift(&played(&mut ward, "shift", None));
    stopped(&ward);
    let (kills, seed) = (setting("WARDLINE_DEMO_KILLS", 1), seed());
    eprintln!("seed {seed}, {kills} kills");
    let mut dice = Dice(seed);
    for round in 0..kills {
        let at = dice.below(RUN_MS);
        eprintln!("kill {round} at {at} ms");
        let at = Duration::from_millis(at);
        let lines = played(&mut ward, "stat", Some(at));
        stat(&lines);
        // Its own, and at first that of the run which was stopped.
        assert_eq!(of(&lines, "stat_closed").count(), if round == 0 { 2 } else { 1 }, "{lines:#?}");
        if round % 4 == 3 {
            shift(&played(&mut ward, "shift", Some(at / 2)));
        }
    }
    ward.devbox.stop();
}

/// Stopped while a STAT rings, it leaves no phone's key behind; the next run closes that STAT.
fn stopped(ward: &Ward) {
    let socket = ward.devbox.local_socket().display().to_string();
    let scratch = ward.path("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let mut command = ward
        .command("nobody", &["demo", "--scenario", "stat", "--json", "--speed", "100", "--socket", &socket]);
    command.env("TMPDIR", &scratch);
    let mut demo = Running::start(command);
    demo.until("\"what\":\"stat_step\"");
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 1);
    kill(Pid::from_raw(demo.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(demo.child.wait().unwrap().code(), Some(1));
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
}

fn shift(lines: &[Value]) {
    for (what, times) in [
        ("joined", 8),
        ("shift_taken", 3),
        ("role", 2),
        ("message", 3),
        ("urgent", 1),
        ("care_team", 1),
        ("stat_answered", 2),
        ("stat_handed_back", 1),
        ("silent", 2),
        ("transferred", 1),
        ("discharged", 1),
        ("end", 1),
    ] {
        assert_eq!(of(lines, what).count(), times, "{what}: {lines:#?}");
    }
    let hits: Vec<u64> = of(lines, "search").map(|line| line["hits"].as_u64().unwrap()).collect();
    assert_eq!(hits, [2, 0], "{lines:#?}");
}

/// Each step once, in order, to the screens; then it is answered, and nothing comes behind that.
fn stat(lines: &[Value]) {
    let text = of(lines, "unit").next().unwrap()["text"].as_str().unwrap();
    assert!(text.contains("38 patients, is there from a run before"), "{text}");
    let steps: Vec<u64> = of(lines, "stat_step").map(|line| line["step"].as_u64().unwrap()).collect();
    assert!(steps.first() == Some(&0) && steps.is_sorted_by(|one, next| one < next), "{steps:?}");
    assert_eq!(steps.last(), Some(&4), "{lines:#?}");
    let order: Vec<&str> = lines.iter().filter_map(|line| line["what"].as_str()).collect();
    let ended = ["screen_rings", "stat_read", "stat_answered", "silent", "stat_closed", "end"];
    assert!(order.ends_with(&ended), "{order:?}");
}

/// Plays it to its end, the relay killed at this moment of it.
#[allow(clippy::print_stderr, reason = "whether it was killed before the end")]
fn played(ward: &mut Ward, scenario: &str, kill_at: Option<Duration>) -> Vec<Value> {
    let socket = ward.devbox.local_socket().display().to_string();
    let args = ["demo", "--scenario", scenario, "--json", "--speed", "100", "--socket", &socket];
    let mut demo = Running::start(ward.command("nobody", &args));
    let first = demo.lines.recv_timeout(PATIENCE).unwrap();
    let (began, mut kill_at, mut lines) =
        (Instant::now(), kill_at, vec![serde_json::from_str(&first).unwrap()]);
    loop {
        let waits = kill_at.map_or(3 * PATIENCE, |at| at.saturating_sub(began.elapsed()));
        match demo.lines.recv_timeout(waits) {
            Ok(line) => lines.push(serde_json::from_str(&line).unwrap()),
            Err(RecvTimeoutError::Timeout) => {
                assert!(kill_at.take().is_some(), "it does not go on: {lines:#?}");
                eprintln!("killed behind {} lines", lines.len());
                ward.devbox.kill_relay();
                ward.devbox.start_relay().unwrap();
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    assert_eq!(demo.child.wait().unwrap().code(), Some(0), "{lines:#?}");
    lines
}

fn of<'l>(lines: &'l [Value], what: &'l str) -> impl Iterator<Item = &'l Value> {
    lines.iter().filter(move |line| line["what"] == what)
}

#[test]
fn it_does_not_play_among_patients_of_anybody_else() {
    let ward = Ward::start(&[]);
    let socket = ward.devbox.local_socket().display().to_string();
    let rosa = ["--name", "Rosa Diaz", "--born", "1947-03-09", "--sex", "F"];
    let admit = ["patient", "--socket", &socket, "admit", "7", "Hall A", "A-1"];
    ward.ok("nobody", &[&admit[..], &rosa].concat());
    let demo: Done = ward.run("nobody", &["demo", "--socket", &socket]);
    demo.ended(2, "1 patient whom the demo did not make");
    assert!(demo.err.contains("make run ARGS="), "{}", demo.err);
    let units = ward.run("nobody", &["patient", "--socket", &socket, "list", "Demo 4 West"]);
    units.ended(2, "there is no unit of this name");
    let elsewhere = ward.path("elsewhere.sock").display().to_string();
    ward.run("nobody", &["demo", "--socket", &elsewhere]).ended(2, "--address HOST:PORT --root SHA256");
    ward.run("nobody", &["demo", "--speed", "0"]).ended(2, "0.1 to 100");
    ward.devbox.stop();
}
