//! The disk fills to the last byte while people talk: new messages are refused politely, what was said is there, and
//! service comes back by itself when there is room.
//!
//! Needs a small volume, so the right to mount a tmpfs; says so and passes where it has none.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use tempfile::TempDir;
use tokio::time::timeout;
use wardline_client::{Calls as _, Client, Event, JoinLink, Pin, Refusal, Sequence};
use wardline_devbox::devbox::{Devbox, Options};
use wardline_relay::disk::BALLAST_BYTES;

use crate::support::volume::{Volume, fill, leave_free};

/// A declined message is offered again after 30 s; twice that, and a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

async fn join(devbox: &Devbox, name: &str, profiles: &TempDir) -> Client {
    let person = devbox.console().unwrap().add_person(name, "", false).unwrap();
    let link: JoinLink = devbox.join_link(person).unwrap().parse().unwrap();
    let pin = Pin::choose("739154".to_owned()).unwrap();
    Client::join(&link, &pin, "phone", &profiles.path().join(name)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_recovers() {
    let Some(volume) = Volume::mount(320) else {
        support::not_run("a whole box on a full disk", "no right to mount a tmpfs here");
        return;
    };
    let profiles = TempDir::new().unwrap();
    let mut devbox = Devbox::start(Options::local(volume.path()).unwrap()).unwrap();
    let (ana, ben) = (join(&devbox, "Ana", &profiles).await, join(&devbox, "Ben", &profiles).await);
    let mut anas = ana.events().unwrap();
    let direct = ana.open_direct(ben.identity().person).await.unwrap().id;
    let mut before = ana.send_tracked(direct, "before").await.unwrap();
    timeout(PATIENCE, before.outcome()).await.unwrap().unwrap();

    let filler = volume.path().join("filler");
    fill(&filler);
    if !devbox.data().join("ballast").exists() {
        // Dropped while the volume was still filling, and gone into the filler too.
        leave_free(&filler, BALLAST_BYTES / 2);
    }
    let mut during = ana.send_tracked(direct, "during").await.unwrap();
    let declined = async {
        loop {
            match anas.next().await.expect("the client ended") {
                Event::Delayed { refused, .. } => return refused,
                // The relay may have met the full disk in the middle of a commit: it stops and is started again.
                _ => tokio::task::block_in_place(|| devbox.mend()).unwrap(),
            }
        }
    };
    let refused = timeout(PATIENCE, declined).await.expect("nobody was told that the disk is full");
    assert!(refused.code == Refusal::DiskLow.code(), "{}", refused.advice);
    // Reading goes on, and so does its record.
    let page = timeout(PATIENCE, ana.history(direct, Sequence(0), 10)).await.unwrap().unwrap();
    assert_eq!(page.messages.len(), 1);
    assert_eq!(page.messages[0].text, "before");

    std::fs::remove_file(&filler).unwrap();
    let accepted = timeout(PATIENCE, during.outcome()).await.expect("service did not come back").unwrap();
    assert_eq!(accepted.sequence, Sequence(2));
    devbox.stop();
}
