//! Search on the box's side: how long an answer takes, how fast the index is built, how large it is.
//!
//! The core's own grants and the relay's own answers, without the network around them: a million messages in 2,000
//! conversations, 40 people in 50 each. Words are drawn as people use them, the second half as often as the first, the third a
//! third as often (Zipf), from 20,000; every fifth message has a record number.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use wardline_core::conversation::Kind;
use wardline_core::cursor::Cursors;
use wardline_core::directory::{Device, Person, PublicKey};
use wardline_core::escalation::Priority;
use wardline_core::grant::SearchGrant;
use wardline_core::ids::{
    Change, Conn, ConversationId, DeviceId, MessageId, Number, PersonId, RequestId, Sequence,
};
use wardline_core::input::{Ask, Door, Input, Source, Zone};
use wardline_core::login::Login;
use wardline_core::pin::PinMac;
use wardline_core::policy::Policy;
use wardline_core::relay::Relay;
use wardline_core::search::{Filter, Query, Search};
use wardline_core::session::Verifier;
use wardline_core::text::{Name, Title};
use wardline_core::time::{Mono, Now, Wall};
use wardline_core::turn::Send;
use wardline_core::write::{Message, Numbered, Write};
use wardline_relay::attachments::Attachments;
use wardline_relay::catchup::Library;
use wardline_relay::keyring::{BoxKeys, ConversationKey, Keyring, Origin};
use wardline_relay::metrics::Metrics;
use wardline_relay::search::{self, Builder, Place};
use wardline_relay::store::{Commit, Store, StoreKey};

use crate::meter;
use crate::stats::Latencies;

const PEOPLE: u64 = 40;
const CONVERSATIONS_EACH: u64 = 50;
const WORDS: u64 = 20_000;
/// Writes of one commit.
const BATCH: usize = 16_384;
const KEY: [u8; 32] = [9; 32];
/// When everybody's session ends; a moment before it, it is searched.
const SESSION_ENDS: Wall = Wall(i64::MAX / 4);
const BEGIN: Now = Now { mono: Mono(0), wall: Wall(SESSION_ENDS.0 - 1_000) };

/// What to look at.
#[derive(Args)]
pub(crate) struct Searching {
    /// Messages kept.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// Searches of each kind.
    #[arg(long, default_value_t = 1_000)]
    searches: usize,
    /// Where store and index lie, some 500 bytes a message; a temporary directory when none is given. What lies there of an
    /// earlier run is searched again, and not built.
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// Chance that is the same in each run (xorshift64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// The more seldom the higher.
    fn word(&mut self) -> u64 {
        let share = self.next() as f64 / (1_u64 << 53) as f64;
        ((((WORDS + 1) as f64).ln() * share).exp() - 1.0) as u64
    }
}

/// Two to eight letters; the commonest are short.
fn word(rank: u64) -> String {
    const SYLLABLES: [&str; 20] = [
        "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su", "ta",
        "ve", "wi", "xo", "zu",
    ];
    let (mut rest, mut word) = (rank * 7_919 % 160_000, String::new());
    for _ in 0..4 {
        word.push_str(SYLLABLES[(rest % 20) as usize]);
        rest /= 20;
        if rest == 0 {
            break;
        }
    }
    if rank < 60 {
        word.truncate(3);
    }
    word
}

fn text(dice: &mut Dice) -> String {
    let mut words: Vec<String> = (0..4 + dice.below(17)).map(|_| word(dice.word())).collect();
    if dice.below(5) == 0 {
        words.push(format!("MRN-{:05}", dice.below(100_000)));
    }
    words.join(" ")
}

/// Fills, builds, searches, and prints a table.
pub(crate) async fn search(arguments: &Searching) -> Result<()> {
    let temporary = tempfile::Builder::new().prefix("wardline-bench-").tempdir()?;
    let directory = arguments.directory.as_deref().unwrap_or(temporary.path());
    let mut dice = Dice(88_172_645_463_325_252);
    meter::tell(&format!("filling a store with {} messages", arguments.messages));
    let mut house = House::open(directory).await?;
    let is_new = house.change == 0;
    if is_new {
        house.fill(arguments.messages, &mut dice).await?;
    }
    meter::tell("building the index");
    let metrics = Arc::new(Metrics::default());
    let index = directory.join("search.db");
    let place = Place::new(index.clone(), BoxKeys::derive(&KEY)?.search.clone());
    let began = Instant::now();
    tokio::spawn(Builder::new(Arc::clone(&house.library), Arc::clone(&metrics), place).run());
    house.library.search.reaches(Change(house.change)).await;
    let built = began.elapsed();
    house.library.search.is_clean().await;
    let (size, store) =
        (std::fs::metadata(&index)?.len(), std::fs::metadata(directory.join("wardline.db"))?.len());
    let mut asker = Asker::new(directory, house).await?;
    let mut lines = vec![
        "| search for | hits, mean | rows of the index, mean | p50, ms | p99, ms |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    for (what, words) in KINDS {
        meter::tell(&format!("searching for {what}"));
        let mut times = Latencies::default();
        let (mut hits, mut rows) = (0, 0);
        for _ in 0..arguments.searches {
            let (took, found, read) = asker.search(&words(&mut dice), &mut dice).await?;
            times.add(took);
            (hits, rows) = (hits + found, rows + read as u64);
        }
        let mean = |sum: u64| sum as f64 / arguments.searches as f64;
        let (p50, p99) = (times.percentile_ms(0.5), times.percentile_ms(0.99));
        lines.push(format!("| {what} | {:.0} | {:.0} | {p50:.2} | {p99:.2} |", mean(hits), mean(rows)));
    }
    let rate = arguments.messages as f64 / built.as_secs_f64();
    if is_new {
        lines.push(format!(
            "\nIndex built in {:.0} s, {rate:.0} messages a second, rests included.",
            built.as_secs_f64()
        ));
    }
    lines.push(format!("\nIndex {:.0} MB, store {:.0} MB.", size as f64 / 1e6, store as f64 / 1e6));
    #[allow(clippy::print_stdout, reason = "what the command is for")]
    {
        println!("{}", lines.join("\n"));
    }
    Ok(())
}

type Words = fn(&mut Dice) -> String;

/// What people look for. Hits are counted up to a thousand.
const KINDS: [(&str, Words); 6] = [
    ("a rare word", |dice| word(10_000 + dice.below(10_000))),
    ("a word in use", |dice| word(100 + dice.below(900))),
    ("one of the ten commonest", |dice| word(dice.below(10))),
    ("two words", |dice| format!("{} {}", word(dice.below(100)), word(dice.below(300)))),
    ("a record number", |dice| format!("MRN-{:03}", dice.below(1_000))),
    ("two words in quotes", |dice| format!("\"{} {}\"", word(dice.below(60)), word(dice.below(60)))),
];

struct House {
    store: Store,
    library: Arc<Library>,
    waiting: Vec<Numbered>,
    change: u64,
}

impl House {
    async fn open(directory: &Path) -> Result<Self> {
        let (store, restored) = Store::open(&directory.join("wardline.db"), &StoreKey::new(KEY)).await?;
        let keys = BoxKeys::derive(&KEY)?;
        let library = Arc::new(Library {
            readers: store.readers(),
            keyring: Arc::new(Keyring::new(&keys)?),
            cursors: Cursors::new(&keys.cursor),
            search: search::Search::default(),
            files: Arc::new(Attachments::open(directory.join("attachments"))?),
        });
        Ok(Self { store, library, waiting: Vec::new(), change: restored.change.0 })
    }

    async fn write(&mut self, write: Write) -> Result<()> {
        self.change += 1;
        self.waiting.push(Numbered { change: Change(self.change), write });
        if self.waiting.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<()> {
        let writes = std::mem::take(&mut self.waiting);
        match self.store.commit(&writes).await {
            Commit::Committed => Ok(()),
            Commit::Refused(error) | Commit::Unknown(error) => Err(error.into()),
        }
    }

    async fn fill(&mut self, messages: u64, dice: &mut Dice) -> Result<()> {
        for number in 1..=PEOPLE {
            self.person(number).await?;
        }
        let mut places = Vec::new();
        for number in 0..PEOPLE * CONVERSATIONS_EACH {
            places.push(self.conversation(number).await?);
        }
        let mut numbers = BTreeMap::new();
        for at in 0..messages {
            let which = dice.below(places.len() as u64) as usize;
            let (conversation, key, last) = &mut places[which];
            *last += 1;
            let (sender, sequence) = (1 + which as u64 % PEOPLE, *last);
            let number: &mut u64 = numbers.entry(sender).or_default();
            *number += 1;
            let mut id = [0; 16];
            id[..8].copy_from_slice(&at.to_be_bytes());
            let (id, device) = (MessageId(id), device(sender)?);
            let origin = Origin { conversation: *conversation, message: id, device, version: 0 };
            let body = self.library.keyring.seal(key, origin, &text(dice))?;
            let message = Message {
                conversation: *conversation,
                sequence: Sequence(sequence),
                id,
                sender: person(sender)?,
                device,
                number: Number(*number),
                // One a second.
                at: Wall(1_700_000_000_000 + i64::try_from(at)? * 1_000),
                body,
                priority: Priority::Routine,
                reply_to: None,
                mentions: Default::default(),
            };
            self.write(Write::MessageAccepted(message)).await?;
        }
        self.flush().await
    }

    async fn person(&mut self, number: u64) -> Result<()> {
        let name = Name::parse(&format!("Person {number}")).ok().context("a name")?;
        self.write(Write::PersonAdded(Person {
            id: person(number)?,
            name: name.clone(),
            title: Title::default(),
            administrator: false,
            suspended: false,
            changed: Change(0),
            privacy_officer: false,
            posts: BTreeMap::new(),
            station: None,
            agency: None,
            barred: false,
            waits: None,
            visitor: None,
            the_box: false,
        }))
        .await?;
        let mut point = [number as u8; 65];
        point[0] = 4;
        self.write(Write::DeviceJoined(Device {
            id: device(number)?,
            person: person(number)?,
            name,
            key: PublicKey::parse(&point).context("a key")?,
            salt: [0; 16],
            pin: PinMac([0; 32]),
            pin_tries: 0,
            revoked: false,
            session_until: None,
            last_number: Number(0),
            login: None,
            passkeys: Vec::new(),
            passkey_until: None,
        }))
        .await?;
        self.write(Write::SessionOpened { device: device(number)?, until: SESSION_ENDS }).await
    }

    async fn conversation(&mut self, number: u64) -> Result<(ConversationId, Arc<ConversationKey>, u64)> {
        let id = ConversationId::from_random((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let owner = person(1 + number % PEOPLE)?;
        let title = Title::parse(&format!("Group {number}")).ok().context("a title")?;
        let (kind, at) = (Kind::Group, Wall(1));
        self.write(Write::ConversationOpened {
            conversation: id,
            kind,
            title,
            owner: Some(owner),
            at,
            unit: None,
        })
        .await?;
        let wrapped = self.library.keyring.fresh()?;
        let key = self.library.keyring.unwrap(&wrapped)?;
        self.write(Write::KeyGranted { conversation: id, key: wrapped }).await?;
        self.write(Write::MemberAdded { conversation: id, person: owner, from: Sequence(1), seen: None })
            .await?;
        Ok((id, key, 0))
    }
}

fn person(number: u64) -> Result<PersonId> {
    PersonId::new(number).context("no person")
}

fn device(number: u64) -> Result<DeviceId> {
    DeviceId::new(number).context("no device")
}

/// Signatures are not what is measured.
struct Anything;

impl Verifier for Anything {
    fn p256(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> bool {
        true
    }
}

/// Everybody, signed in to a core of their own, and the relay's way from a grant to an answer.
struct Asker {
    relay: Relay,
    now: Now,
    library: Arc<Library>,
    _house: House,
}

impl Asker {
    async fn new(directory: &Path, house: House) -> Result<Self> {
        // A second look at the same file, for what the core remembers.
        let copy = tempfile::Builder::new().prefix("wardline-bench-").tempdir()?;
        let path = copy.path().join("wardline.db");
        for end in ["", "-wal"] {
            std::fs::copy(
                directory.join(format!("wardline.db{end}")),
                copy.path().join(format!("wardline.db{end}")),
            )?;
        }
        let (store, restored) = Store::open(&path, &StoreKey::new(KEY)).await?;
        store.close().await?;
        let mut relay = Relay::new(BEGIN, Policy::default(), &[0; 32], restored)?;
        for number in 1..=PEOPLE {
            let (conn, request) = (Conn(number), RequestId(1));
            relay.handle(
                BEGIN,
                Input::Connected { conn, door: Door::Network(Zone::Ward), source: Source(number) },
            );
            let device = device(number)?;
            let hello =
                Input::Hello { conn, request, versions: (1, 1), device: Some(device), challenge: [0; 32] };
            let expect = relay.handle(BEGIN, hello).sends.into_iter().find_map(|send| match send {
                Send::Welcome { expect, .. } => Some(expect),
                _ => None,
            });
            let expect = expect.context("no welcome")?;
            let proven =
                expect.verify_sign_in(&Anything, &[0; 32], device, &[0; 64]).ok().context("no proof")?;
            relay.handle(BEGIN, Input::Proof { conn, request, proven, login: Login::default() });
        }
        Ok(Self { relay, now: BEGIN, library: Arc::clone(&house.library), _house: house })
    }

    /// By somebody whom chance chooses: how long, how many hits, how many rows.
    async fn search(&mut self, words: &str, dice: &mut Dice) -> Result<(Duration, u64, usize)> {
        // Nobody is told to slow down.
        self.now.mono = self.now.mono.after(100);
        let query = Query::parse(words).ok().context("no query")?;
        let ask = Ask::Search(Search { query, filter: Filter::default(), behind: None, limit: 20 });
        let conn = Conn(1 + dice.below(PEOPLE));
        let began = Instant::now();
        let grant = self.grant(conn, ask)?;
        let answer = match search::answer(&self.library, &grant).await? {
            Ok(answer) => answer,
            Err(refusal) => bail!("refused: {refusal}"),
        };
        ensure!(answer.page.complete, "the index is not complete");
        Ok((began.elapsed(), answer.page.at_least, answer.rows))
    }

    fn grant(&mut self, conn: Conn, ask: Ask) -> Result<SearchGrant> {
        let input = Input::Request { conn, request: RequestId(2), ask };
        let turn = self.relay.handle(self.now, input);
        let granted = turn.sends.into_iter().find_map(|send| match send {
            Send::Search { grant, .. } => Some(grant),
            _ => None,
        });
        granted.context("the core granted nothing")
    }
}
