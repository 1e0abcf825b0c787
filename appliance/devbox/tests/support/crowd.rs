//! People who talk while something happens to the box, and the books that are kept of it: nothing acked may be lost,
//! nothing shown twice, order holds in every conversation.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wardline_client::{Calls as _, Client, ConversationId, Event, JoinLink, Pin, Sequence};
use wardline_devbox::devbox::Devbox;

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// A number from the environment.
pub(crate) fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// SplitMix64: moments from a seed that a failure prints.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// What was acked and what was shown, by place.
#[derive(Default)]
pub(crate) struct Books {
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

async fn join(devbox: &Devbox, person: u64, profile: &Path) -> Client {
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

/// Moments differ from run to run, and a failure can be run again.
pub(crate) fn seed() -> u64 {
    setting("WARDLINE_SEED", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

/// Pairs of a sender who never stops and a listener.
pub(crate) struct Crowd {
    pub(crate) books: Arc<Books>,
    stop: Arc<AtomicBool>,
    pairs: Vec<(Client, Client, ConversationId)>,
    talkers: Vec<JoinHandle<()>>,
    _profiles: TempDir,
}

impl Crowd {
    pub(crate) async fn gather(devbox: &Devbox, clients: u64) -> Self {
        let profiles = TempDir::new().unwrap();
        let (books, stop) = (Arc::new(Books::default()), Arc::new(AtomicBool::new(false)));
        let mut pairs = Vec::new();
        for pair in 0..clients / 2 {
            let mut ends = Vec::new();
            for end in ["sender", "listener"] {
                let name = format!("{end} {pair}");
                let person = devbox.console().unwrap().add_person(&name, "", false).unwrap();
                ends.push(join(devbox, person, &profiles.path().join(&name)).await);
            }
            let (listener, sender) = (ends.pop().unwrap(), ends.pop().unwrap());
            let conversation = sender.open_direct(listener.identity().person).await.unwrap().id;
            listen(&listener, &books);
            pairs.push((sender, listener, conversation));
        }
        let talkers = pairs
            .iter()
            .map(|(sender, _, conversation)| {
                tokio::spawn(talk(sender.clone(), *conversation, Arc::clone(&books), Arc::clone(&stop)))
            })
            .collect();
        Self { books, stop, pairs, talkers, _profiles: profiles }
    }

    /// Waits until half of the senders, or as many messages of a few, got through: only under load is a kill worth
    /// anything.
    pub(crate) async fn is_busy(&self, what: &str) {
        let enough = self.books.acks.load(Ordering::Relaxed) + self.pairs.len() as u64;
        let under_load = async {
            while self.books.acks.load(Ordering::Relaxed) < enough {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, under_load).await.unwrap_or_else(|_| panic!("nobody got through before {what}"));
    }

    /// Ends the talk and closes the books. How many messages were acked and shown.
    pub(crate) async fn disperse(self, seed: u64) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for talker in self.talkers {
            timeout(PATIENCE, talker).await.expect("a message was never answered").unwrap();
        }
        let books = self.books;
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
        for (sender, listener, _) in &self.pairs {
            sender.close().await;
            listener.close().await;
        }
        acked.len()
    }
}
