//! People walk through a hospital while they talk: networks change under their phones, translators forget them, radio is
//! bad and now and then gone. Nothing acked is lost, nothing is shown twice, order holds, nobody is asked for a PIN again.
//!
//! `WARDLINE_ROAMS` and `WARDLINE_GONE_MAX` make it a measurement; `docs/performance/roaming.md` says how, and what came out.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

#[path = "roaming/interfaces.rs"]
mod interfaces;
#[path = "roaming/measured.rs"]
mod measured;
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wardline_client::{Calls as _, Sequence};
use wardline_devbox::devbox::{Devbox, Options};

use crate::support::crowd::seed;
use crate::support::roamer::Roamer;
use crate::support::wifi::Quality;

/// A fifth of all datagrams lost, a tenth each doubled and overtaken, 200 ms there and back.
const BAD: Quality = Quality::of(200, 100, 30);
const OFFICE: Quality = Quality::of(5, 2, 2);

fn start(home: &TempDir) -> Devbox {
    let mut options = Options::local(&home.path().join("box")).unwrap();
    // The whole test is one idle spell for who only listens.
    options.relay.extend(["--idle-lock".into(), "86400".into()]);
    Devbox::start(options).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_on_the_way() {
    let seed = seed();
    eprintln!("seed {seed}");
    let (home, profiles) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let devbox = start(&home);
    let profiles = profiles.path();
    let named = |name: &'static str| {
        let devbox = &devbox;
        async move {
            let mut roamer = Roamer::join(devbox, name, profiles, seed).await;
            roamer.ap.quality(OFFICE).await;
            roamer.talks().await;
            roamer
        }
    };
    tokio::join!(
        async { moves_and_is_told(named("told").await, seed).await },
        async { moves_and_is_not_told(named("not told").await, seed).await },
        async { a_translator_forgets(named("translated").await, seed).await },
        async { moves_on_bad_radio(named("bad radio").await, seed).await },
        async { is_gone_for(named("gone for 1 s").await, Duration::from_secs(1), seed).await },
        async { is_gone_for(named("gone for 5 s").await, Duration::from_secs(5), seed).await },
        async { moves_into_a_narrow_network(named("narrow").await, seed).await },
        async { moves_while_it_connects(&devbox, profiles, seed).await },
    );
    devbox.stop();
}

/// The phone's system says that the network has changed; the old address is gone.
async fn moves_and_is_told(roamer: Roamer, seed: u64) {
    for _ in 0..5 {
        let moved = Instant::now();
        roamer.ap.switch().await;
        roamer.phone.network_changed().await.unwrap();
        roamer.both_hear(moved).await;
    }
    roamer.ends(seed).await;
}

/// The packets leave by another network and the program does not know: the box sees another address and follows it.
async fn moves_and_is_not_told(roamer: Roamer, seed: u64) {
    for _ in 0..5 {
        let moved = Instant::now();
        roamer.ap.switch_unnoticed().await;
        roamer.both_hear(moved).await;
    }
    assert_eq!(roamer.resumed(), 0, "the connection moves along");
    roamer.ends(seed).await;
}

async fn a_translator_forgets(roamer: Roamer, seed: u64) {
    for _ in 0..5 {
        let moved = Instant::now();
        roamer.ap.rebind_nat().await;
        roamer.both_hear(moved).await;
    }
    assert_eq!(roamer.resumed(), 0, "the connection moves along");
    roamer.ends(seed).await;
}

async fn moves_on_bad_radio(roamer: Roamer, seed: u64) {
    roamer.ap.quality(BAD).await;
    for _ in 0..4 {
        let moved = Instant::now();
        roamer.ap.switch().await;
        roamer.phone.network_changed().await.unwrap();
        roamer.both_hear(moved).await;
    }
    let counts = roamer.ap.counts().await;
    assert!(counts.lost > 0 && counts.doubled > 0 && counts.held > 0, "{counts:?}");
    roamer.ends(seed).await;
}

async fn is_gone_for(roamer: Roamer, time: Duration, seed: u64) {
    roamer.ap.away_for(time).await;
    let back = Instant::now() + time;
    roamer.both_hear(back).await;
    // Into a place without the box, and told so; then back into the other network.
    roamer.ap.away().await;
    roamer.phone.network_changed().await.unwrap();
    let kept = async { roamer.says(&roamer.phone, "kept on the way").await };
    let goes_on = async {
        roamer.ap.switch().await;
        roamer.ap.back().await;
        let back = Instant::now();
        roamer.phone.network_changed().await.unwrap();
        roamer.both_hear(back).await;
    };
    tokio::join!(kept, goes_on);
    roamer.ends(seed).await;
}

/// Datagrams as long as the old network passed do not pass the new one, either way.
async fn moves_into_a_narrow_network(roamer: Roamer, seed: u64) {
    let moved = Instant::now();
    roamer.ap.quality(Quality { longest: 1_280, ..OFFICE }).await;
    roamer.ap.switch().await;
    roamer.phone.network_changed().await.unwrap();
    roamer.both_hear(moved).await;
    let long = "long ".repeat(1_600);
    for client in [&roamer.phone, &roamer.desk] {
        roamer.says(client, &long).await;
    }
    let page = roamer.phone.history(roamer.conversation, Sequence(0), 100);
    let page = roamer.in_time("a long page comes", page).await.unwrap();
    assert!(page.messages.iter().filter(|message| message.text == long).count() == 2);
    roamer.ends(seed).await;
}

/// An attempt to connect is under way when the address that it goes out from is lost.
async fn moves_while_it_connects(devbox: &Devbox, profiles: &Path, seed: u64) {
    let mut roamer = Roamer::join(devbox, "connecting", profiles, seed).await;
    roamer.begins_out_of_reach(profiles).await;
    roamer.ap.switch().await;
    roamer.ap.back().await;
    roamer.phone.network_changed().await.unwrap();
    roamer.in_time("it connects", roamer.phone.ready()).await.unwrap();
    roamer.talks().await;
    roamer.ends(seed).await;
}
