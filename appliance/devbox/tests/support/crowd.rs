//! People who talk while something happens to the box, and the books that are kept of it: nothing acked may be lost,
//! nothing shown twice, order holds in every conversation.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use wardline_client::error::End;
use wardline_client::{Calls as _, Client, ConversationId, DeviceId, Event, JoinLink, Pin, Sequence};
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
    readers: Mutex<BTreeMap<DeviceId, Reader>>,
}

/// What one device was shown.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reader {
    /// Connections that it signed in on.
    pub(crate) sign_ins: u64,
    /// When it was last shown a message.
    pub(crate) shown: Option<Instant>,
    /// When the newest message that it was shown was composed.
    pub(crate) composed: Option<Instant>,
}

impl Books {
    pub(crate) fn wrong(&self, what: String) {
        self.wrongs.lock().unwrap().push(what);
    }

    /// The box has it.
    pub(crate) fn accepted(&self, conversation: ConversationId, sequence: Sequence, text: String) {
        if self.acked.lock().unwrap().insert((conversation, sequence), text).is_some() {
            self.wrong(format!("{sequence:?} was given to two messages"));
        }
    }

    /// Of one device.
    pub(crate) fn reader(&self, of: &Client) -> Reader {
        self.readers.lock().unwrap().get(&of.identity().device).copied().unwrap_or_default()
    }

    /// Waits until everything acked has been shown, and sees that all is right. How many messages it was.
    pub(crate) async fn close(&self, seed: u64) -> usize {
        let acked = self.acked.lock().unwrap().clone();
        let all_shown = async {
            while self.shown.lock().unwrap().len() < acked.len() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let in_time = timeout(PATIENCE, all_shown).await;
        let shown = self.shown.lock().unwrap().clone();
        assert!(in_time.is_ok(), "{} acked, {} shown (seed {seed})", acked.len(), shown.len());
        assert_eq!(acked, shown, "what was acked is what was shown, place by place (seed {seed})");
        assert_eq!(*self.wrongs.lock().unwrap(), Vec::<String>::new(), "seed {seed}");
        acked.len()
    }
}

async fn join(devbox: &Devbox, person: u64, profile: &Path) -> Client {
    join_by(devbox, person, profile, devbox.reached_at().port()).await
}

/// Joins by a port of this machine behind which the box is.
pub(crate) async fn join_by(devbox: &Devbox, person: u64, profile: &Path, port: u16) -> Client {
    let pin = Pin::choose("739154".to_owned()).unwrap();
    loop {
        let mut link = devbox.join_link(person).unwrap().parse::<JoinLink>().unwrap();
        link.address.port = port;
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
pub(crate) fn listen(client: &Client, books: &Arc<Books>) {
    let (mut events, books) = (client.events().unwrap(), Arc::clone(books));
    let (me, device) = (client.identity().person, client.identity().device);
    tokio::spawn(async move {
        let mut last: BTreeMap<ConversationId, Sequence> = BTreeMap::new();
        while let Some(event) = events.next().await {
            let message = match event {
                // One's own may be delivered as well, after a reconnect: who wrote them knows them.
                Event::Message(message) if message.sender != me => message,
                Event::Connected(_) => {
                    books.readers.lock().unwrap().entry(device).or_default().sign_ins += 1;
                    continue;
                }
                Event::PinNeeded { .. } | Event::Locked { .. } => {
                    books.wrong(format!("{me:?} was asked for the PIN again"));
                    continue;
                }
                Event::Ended(end) if !matches!(end, End::Closed) => {
                    books.wrong(format!("{me:?} ended: {end}"));
                    continue;
                }
                _ => continue,
            };
            let composed = composed(&message.text);
            {
                let mut readers = books.readers.lock().unwrap();
                let reader = readers.entry(device).or_default();
                (reader.shown, reader.composed) = (Some(Instant::now()), reader.composed.max(composed));
            }
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

/// Times in messages count from here.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

fn composed(text: &str) -> Option<Instant> {
    let (_, micros) = text.rsplit_once(" at ")?;
    Some(epoch() + Duration::from_micros(micros.parse().ok()?))
}

/// Sends, one after the other and so far apart, until told to stop.
pub(crate) async fn talk(
    client: Client,
    conversation: ConversationId,
    books: Arc<Books>,
    stop: Arc<AtomicBool>,
    apart: Duration,
) {
    let mut count = 0u64;
    while !stop.load(Ordering::Relaxed) {
        count += 1;
        let text = format!("message {count} at {}", epoch().elapsed().as_micros());
        let mut tracked = client.send_tracked(conversation, &text).await.unwrap();
        let accepted = tracked.outcome().await.unwrap();
        books.accepted(conversation, accepted.sequence, text);
        books.acks.fetch_add(1, Ordering::Relaxed);
        if !apart.is_zero() {
            tokio::time::sleep(apart).await;
        }
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
                tokio::spawn(talk(
                    sender.clone(),
                    *conversation,
                    Arc::clone(&books),
                    Arc::clone(&stop),
                    Duration::ZERO,
                ))
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
        let messages = self.books.close(seed).await;
        for (sender, listener, _) in &self.pairs {
            sender.close().await;
            listener.close().await;
        }
        messages
    }
}
