//! Plugs are pulled: relay and keeper are killed at moments nobody chose while people send, with room on the disk and
//! without. Nothing acked is lost, nothing is shown twice, order holds in every conversation.
//!
//! `WARDLINE_KILLS` and `WARDLINE_CLIENTS` make it long: 200 and 200 before a release, with `WARDLINE_FILLS`
//! of 20.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod support;

use std::time::Duration;

use tempfile::TempDir;
use wardline_devbox::devbox::{Devbox, Options};
use wardline_relay::disk::BALLAST_BYTES;

use crate::support::crowd::{Crowd, Dice, seed, setting};
use crate::support::volume::{Volume, fill, leave_free};

fn options(home: &std::path::Path) -> Options {
    let mut options = Options::local(home).unwrap();
    // The whole storm is one idle spell for who only listens.
    options.relay.extend(["--idle-lock".into(), "86400".into()]);
    options
}

fn pull_a_plug(devbox: &mut Devbox, dice: &mut Dice) {
    match dice.below(3) {
        0 => devbox.kill_relay(),
        1 => devbox.kill_keeper(),
        _ => {
            devbox.kill_relay();
            devbox.kill_keeper();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acked_is_lost_when_plugs_are_pulled() {
    let (kills, clients) = (setting("WARDLINE_KILLS", 6), setting("WARDLINE_CLIENTS", 10).max(2));
    let seed = seed();
    eprintln!("seed {seed}, {kills} kills, {clients} clients");
    let home = TempDir::new().unwrap();
    let mut devbox = Devbox::start(options(home.path())).unwrap();
    let crowd = Crowd::gather(&devbox, clients).await;
    let mut dice = Dice(seed);
    for kill in 0..kills {
        crowd.is_busy(&format!("kill {kill}")).await;
        tokio::time::sleep(Duration::from_millis(dice.below(300))).await;
        pull_a_plug(&mut devbox, &mut dice);
        tokio::task::block_in_place(|| devbox.mend()).unwrap();
    }
    let messages = crowd.disperse(seed).await;
    eprintln!("{messages} messages acked and shown over {kills} kills");
    devbox.stop();
}

/// The volume fills to the last byte in the middle of the talk, the plug is pulled on the full box, and once more while
/// it recovers. With nothing free at all the box waits; when space returns, so does service, by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acked_is_lost_when_plugs_are_pulled_on_a_full_disk() {
    let Some(volume) = Volume::mount(320) else {
        support::not_run("plugs pulled on a full disk", "no right to mount a tmpfs here");
        return;
    };
    let (times, clients) = (setting("WARDLINE_FILLS", 1), setting("WARDLINE_CLIENTS", 10).max(2));
    let seed = seed();
    eprintln!("seed {seed}, filled {times} times, {clients} clients");
    let mut devbox = Devbox::start(options(volume.path())).unwrap();
    let crowd = Crowd::gather(&devbox, clients).await;
    let mut dice = Dice(seed);
    let (filler, more) = (volume.path().join("filler"), volume.path().join("more"));
    for time in 0..times {
        crowd.is_busy(&format!("filling {time}")).await;
        tokio::time::sleep(Duration::from_millis(dice.below(300))).await;
        fill(&filler);
        // A ballast that was dropped while the volume was still filling went into the filler as well: then there is no
        // room to start on, and the box rightly waits for some.
        if !devbox.data().join("ballast").exists() {
            leave_free(&filler, BALLAST_BYTES / 2);
        }
        tokio::time::sleep(Duration::from_millis(dice.below(1_500))).await;
        pull_a_plug(&mut devbox, &mut dice);
        // Up again on what the ballast gave back, which then goes too.
        tokio::task::block_in_place(|| devbox.mend()).unwrap();
        tokio::time::sleep(Duration::from_millis(dice.below(500))).await;
        fill(&more);
        tokio::time::sleep(Duration::from_millis(dice.below(500))).await;
        pull_a_plug(&mut devbox, &mut dice);
        std::fs::remove_file(&filler).unwrap();
        std::fs::remove_file(&more).unwrap();
        tokio::task::block_in_place(|| devbox.mend()).unwrap();
    }
    crowd.is_busy("the end").await;
    let messages = crowd.disperse(seed).await;
    eprintln!(
        "{messages} messages acked and shown over {times} times a full disk, and {} kills on it",
        2 * times
    );
    devbox.stop();
}
