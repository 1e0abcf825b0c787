//! A disk that fills up: refused for certain, nothing lost, and good again when there is space.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use wardline_core::state::State;
use wardline_core::write::Numbered;
use wardline_relay::disk::Disk;
use wardline_relay::store::{Commit, Store, StoreError};

use crate::batches::busy_world;
use crate::world::same;
use crate::{block_on, commit, key, open};

const TEST: &str = "full_disk::a_full_disk_refuses_for_certain_and_loses_nothing";

fn fill(path: &Path) {
    let mut ballast = File::create(path).unwrap();
    let mut chunk = vec![1; 1 << 20];
    while !chunk.is_empty() {
        match ballast.write(&chunk) {
            Ok(written) if written > 0 => {}
            _ => chunk.truncate(chunk.len() / 2),
        }
    }
}

fn folded(writes: &[Numbered]) -> State {
    let mut state = State::default();
    for Numbered { change, write } in writes {
        state.apply(*change, write);
    }
    state
}

async fn on_a_small_disk(directory: &Path) {
    let world = busy_world(60_000);
    let (mut store, _) = open(directory).await;
    let mut done = 1_000;
    commit(&mut store, &world.writes[..done]).await;
    fill(&directory.join("ballast"));
    assert!(Disk::new(directory).free().unwrap() < 4096);
    let mut sizes = [1, 40, 400].into_iter().cycle();
    let error = loop {
        let size = sizes.next().unwrap();
        match store.commit(&world.writes[done..done + size]).await {
            Commit::Committed => done += size,
            Commit::Refused(error) => break error,
            Commit::Unknown(error) => panic!("a full disk leaves no doubt: {error:?}"),
        }
    };
    assert!(matches!(error, StoreError::Full { free } if free < 1 << 20), "{error:?}");
    assert!(error.to_string().contains("make space"));
    let outcome = store.commit(&world.writes[done..=done]).await;
    assert!(matches!(outcome, Commit::Refused(StoreError::Unsound)), "{outcome:?}");
    drop(store);

    // Still full: everything is there and can be read.
    let (mut store, restored) = open(directory).await;
    assert!(same(&State::restore(restored).unwrap(), &folded(&world.writes[..done])));
    store.readers().check().await.unwrap();
    let outcome = store.commit(&world.writes[done..done + 4_000]).await;
    assert!(matches!(outcome, Commit::Refused(StoreError::Full { .. })), "{outcome:?}");
    drop(store);

    std::fs::remove_file(directory.join("ballast")).unwrap();
    let (mut store, restored) = open(directory).await;
    assert_eq!(restored.change.0 as usize, done);
    commit(&mut store, &world.writes[done..done + 400]).await;
    store.close().await.unwrap();
    let (_, restored) = open(directory).await;
    assert!(same(&State::restore(restored).unwrap(), &folded(&world.writes[..done + 400])));

    // And no store is begun where there is no room for one.
    let fresh = directory.join("fresh");
    std::fs::create_dir(&fresh).unwrap();
    fill(&directory.join("ballast"));
    let begun = Store::open(&fresh.join("store.db"), &key()).await;
    assert!(matches!(begun, Err(StoreError::Full { .. })));
}

/// In a mount namespace of its own, where a small disk in memory is mounted that goes with the process.
#[test]
fn a_full_disk_refuses_for_certain_and_loses_nothing() {
    if let Ok(directory) = std::env::var("WARDLINE_TEST_SMALL_DISK") {
        return block_on(on_a_small_disk(Path::new(&directory)));
    }
    let directory = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=48m small \"$WARDLINE_TEST_SMALL_DISK\" || exit 77; exec \"$@\"";
    let own = ["unshare --mount", "unshare --user --map-root-user --mount"];
    for unshare in own {
        let mut words = unshare.split(' ');
        let output = Command::new(words.next().unwrap())
            .args(words)
            .args(["sh", "-c", script, "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", TEST, "--nocapture"])
            .env("WARDLINE_TEST_SMALL_DISK", directory.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        if text.contains("running 1 test") {
            assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
            return;
        }
    }
    println!("skipped: this machine lets nobody mount a small disk");
}

async fn under_a_limit(directory: &Path) {
    let world = crate::files::long_messages(2_400);
    let (mut store, _) = open(directory).await;
    let (setup, rest) = world.writes.split_at(100);
    commit(&mut store, setup).await;
    let outcome = store.commit(rest).await;
    assert!(matches!(outcome, Commit::Unknown(StoreError::Disk(_))), "{outcome:?}");
    let outcome = store.commit(rest).await;
    assert!(matches!(outcome, Commit::Refused(StoreError::Unsound)), "{outcome:?}");
}

/// A file that may not grow makes COMMIT itself fail, and not for want of space: nobody knows then. In a process whose
/// files may have 17 MiB, and which is not killed for trying more.
#[test]
fn a_commit_that_fails_at_the_very_end_is_unknown_and_whole_either_way() {
    if let Ok(directory) = std::env::var("WARDLINE_TEST_LIMITED") {
        return block_on(under_a_limit(Path::new(&directory)));
    }
    let directory = tempfile::tempdir().unwrap();
    // In blocks of 512 bytes, as POSIX has it.
    let script = "trap '' XFSZ; ulimit -f 34816; exec \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "full_disk::a_commit_that_fails_at_the_very_end_is_unknown_and_whole_either_way"])
        .arg("--nocapture")
        .env("WARDLINE_TEST_LIMITED", directory.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    block_on(async {
        let world = crate::files::long_messages(2_400);
        let (store, restored) = open(directory.path()).await;
        let done = restored.change.0 as usize;
        assert!(done == 100 || done == world.writes.len(), "{done}: half a batch");
        assert!(same(&State::restore(restored).unwrap(), &folded(&world.writes[..done])));
        store.readers().check().await.unwrap();
    });
}
