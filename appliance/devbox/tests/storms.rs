//! Plugs are pulled: relay and keeper are killed at moments nobody chose while people send. Nothing acked is lost,
//! nothing is shown twice, order holds in every conversation.
//!
//! `WARDLINE_KILLS` and `WARDLINE_CLIENTS` make it long: 200 and 200 before a release.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use tokio::time::timeout;
use wardline_client::{Calls as _, Client, ConversationId, Event, JoinLink, Pin, Sequence};
use wardline_devbox::devbox::{Devbox, Options};

const PATIENCE: Duration = Duration::from_secs(180);

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// SplitMix64: moments from a seed that a failure prints.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// What was acked and what was shown, by place.
#[derive(Default)]
struct Books {
    acked: Mutex<BTreeMap<(ConversationId, Sequence), String>>,
    shown: Mutex<BTreeMap<(ConversationId, Sequence), String>>,
    wrongs: Mutex<Vec<String>>,
    acks: AtomicU64,
}

impl Books {
    fn wrong(&self, what: String) {
        self.wrongs.lock().unwrap().push(what);
    }
}

async fn join(devbox: &Devbox, person: u64, profile: &std::path::Path) -> Client {
    let pin = Pin::choose("739154".to_owned()).unwrap();
    loop {
        let link = devbox.join_link(person).unwrap().parse::<JoinLink>().unwrap();
        match Client::join(&link, &pin, "storm phone", profile).await {
            Ok(client) => return client,
            // The keeper limits PINs a second: another code is tried after it.
            Err(error) => {
                eprintln!("joining again: {error}");
                let _ = std::fs::remove_dir_all(profile);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

/// Shows what comes; sees that each comes once and in order.
fn listen(client: &Client, books: &Arc<Books>) {
    let (mut events, books) = (client.events().unwrap(), Arc::clone(books));
    tokio::spawn(async move {
        let mut last: BTreeMap<ConversationId, Sequence> = BTreeMap::new();
        while let Some(event) = events.next().await {
            let Event::Message(message) = event else { continue };
            let newest = last.entry(message.conversation).or_default();
            if message.sequence <= *newest {
                books.wrong(format!("{:?} after {:?}", message.sequence, newest));
            }
            *newest = message.sequence;
            let place = (message.conversation, message.sequence);
            if books.shown.lock().unwrap().insert(place, message.text).is_some() {
                books.wrong(format!("{:?} was shown twice", message.sequence));
            }
        }
    });
}

/// Sends, one after the other, until told to stop.
async fn talk(client: Client, conversation: ConversationId, books: Arc<Books>, stop: Arc<AtomicBool>) {
    let mut count = 0u64;
    while !stop.load(Ordering::Relaxed) {
        count += 1;
        let text = format!("message {count}");
        let mut tracked = client.send_tracked(conversation, &text).await.unwrap();
        let accepted = tracked.outcome().await.unwrap();
        let place = (conversation, accepted.sequence);
        if books.acked.lock().unwrap().insert(place, text).is_some() {
            books.wrong(format!("{:?} was given to two messages", accepted.sequence));
        }
        books.acks.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acked_is_lost_when_plugs_are_pulled() {
    let (kills, clients) = (setting("WARDLINE_KILLS", 6), setting("WARDLINE_CLIENTS", 10).max(2));
    let seed = setting("WARDLINE_SEED", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    eprintln!("seed {seed}, {kills} kills, {clients} clients");
    let (home, profiles) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut options = Options::local(home.path()).unwrap();
    // The whole storm is one idle spell for who only listens.
    options.relay.extend(["--idle-lock".into(), "86400".into()]);
    let mut devbox = Devbox::start(options).unwrap();
    let (books, stop) = (Arc::new(Books::default()), Arc::new(AtomicBool::new(false)));

    let mut pairs = Vec::new();
    for pair in 0..clients / 2 {
        let mut ends = Vec::new();
        for end in ["sender", "listener"] {
            let name = format!("{end} {pair}");
            let person = devbox.console().unwrap().add_person(&name, "", false).unwrap();
            ends.push(join(&devbox, person, &profiles.path().join(&name)).await);
        }
        let (listener, sender) = (ends.pop().unwrap(), ends.pop().unwrap());
        let conversation = sender.open_direct(listener.identity().person).await.unwrap().id;
        listen(&listener, &books);
        pairs.push((sender, listener, conversation));
    }
    let talkers: Vec<_> = pairs
        .iter()
        .map(|(sender, _, conversation)| {
            tokio::spawn(talk(sender.clone(), *conversation, Arc::clone(&books), Arc::clone(&stop)))
        })
        .collect();

    let mut dice = Dice(seed);
    for kill in 0..kills {
        let before = books.acks.load(Ordering::Relaxed);
        // Only under load is a kill worth anything.
        let under_load = async {
            while books.acks.load(Ordering::Relaxed) < before + clients / 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, under_load)
            .await
            .unwrap_or_else(|_| panic!("nobody got through before kill {kill}"));
        tokio::time::sleep(Duration::from_millis(dice.below(300))).await;
        match dice.below(3) {
            0 => devbox.kill_relay(),
            1 => devbox.kill_keeper(),
            _ => {
                devbox.kill_relay();
                devbox.kill_keeper();
            }
        }
        tokio::task::block_in_place(|| devbox.mend()).unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for talker in talkers {
        timeout(PATIENCE, talker).await.expect("a message was never answered").unwrap();
    }
    let acked = books.acked.lock().unwrap().clone();
    let all_shown = async {
        while books.shown.lock().unwrap().len() < acked.len() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = timeout(PATIENCE, all_shown).await;
    let shown = books.shown.lock().unwrap().clone();
    assert!(in_time.is_ok(), "{} acked, {} shown (seed {seed})", acked.len(), shown.len());
    assert_eq!(acked, shown, "what was acked is what was shown, place by place (seed {seed})");
    assert_eq!(*books.wrongs.lock().unwrap(), Vec::<String>::new(), "seed {seed}");
    eprintln!("{} messages acked and shown over {kills} kills", acked.len());
    for (sender, listener, _) in &pairs {
        sender.close().await;
        listener.close().await;
    }
    devbox.stop();
}
