//! What was said to be committed is there after the process is killed, whenever that happens.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use wardline_core::state::State;
use wardline_core::write::Numbered;
use wardline_relay::store::Commit;

use crate::world::{World, same};
use crate::{block_on, open};

/// Every run throws the same dice: what change `n` is, everybody can work out.
fn throw(world: &mut World) {
    let n = world.state.change.0.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    world.throw((n.rotate_left(9) as u8, n >> 3, n.rotate_left(40) >> 1));
    world.record(wardline_core::audit::Act::SignedIn);
}

/// The same world, written out up to at least this many changes.
fn world_of(changes: u64) -> World {
    let mut world = World::default();
    while world.state.change.0 < changes {
        throw(&mut world);
    }
    world
}

/// Commits batches of all sizes, says after each how far it is, until it is killed.
fn child(directory: &Path) {
    block_on(async {
        let (mut store, restored) = open(directory).await;
        let mut done = restored.change.0 as usize;
        let mut world = world_of(restored.change.0);
        for size in [1, 1, 2, 64, 1, 200, 7].into_iter().cycle() {
            while world.writes.len() < done + size {
                throw(&mut world);
            }
            match store.commit(&world.writes[done..done + size]).await {
                Commit::Committed => done += size,
                other => panic!("{other:?}"),
            }
            let mut out = std::io::stdout().lock();
            writeln!(out, "committed {done}").unwrap();
            out.flush().unwrap();
        }
    });
}

#[test]
fn fifty_kills_lose_nothing_that_was_committed() {
    if let Ok(directory) = std::env::var("WARDLINE_TEST_KILL_ME") {
        return child(Path::new(&directory));
    }
    // On a real disk: the log and the file take their usual way.
    let directory = tempfile::tempdir().unwrap();
    let (mut floor, mut beyond) = (0, 0);
    for round in 0..50_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::fifty_kills_lose_nothing_that_was_committed", "--nocapture"])
            .env("WARDLINE_TEST_KILL_ME", directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // From before the first batch, through the middle of any, to after many.
        let reads = if round % 10 == 0 { 0 } else { 1 + round * round % 37 };
        let mut said = floor;
        let mut heard = 0;
        let mut hear = |line: &str| {
            if let Some(count) = line.strip_prefix("committed ") {
                said = count.parse().unwrap();
            }
        };
        while heard < reads {
            let line = lines.next().unwrap().unwrap();
            heard += u64::from(line.starts_with("committed"));
            hear(&line);
        }
        std::thread::sleep(Duration::from_micros(round * 7_919 % 9_000));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            hear(&line);
        }
        block_on(async {
            let (store, restored) = open(directory.path()).await;
            let found = restored.change.0;
            assert!(found >= said, "round {round}: said {said}, found {found}");
            assert!(
                found <= said + 200,
                "round {round}: said {said}, found {found}: more than one batch ahead"
            );
            beyond += u64::from(found > said);
            floor = found;
            let state = State::restore(restored).unwrap();
            let world = world_of(found);
            let mut expected = State::default();
            for Numbered { change, write } in &world.writes[..found as usize] {
                expected.apply(*change, write);
            }
            assert!(same(&state, &expected), "round {round}");
            store.readers().check().await.unwrap();
            store.close().await.unwrap();
        });
    }
    assert!(floor > 2_000, "killed too early to mean anything: {floor}");
    println!("{floor} changes, killed between a commit and its word {beyond} times");
}
