//! The driver with a real core and a real store, and lanes that nobody empties but the test.
#![allow(missing_docs, reason = "tests are named after what they show")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::{Semaphore, mpsc};
use wardline_core::conversation::Kind;
use wardline_core::cursor::Cursors;
use wardline_core::directory::{Device, Person, PublicKey};
use wardline_core::escalation::Priority;
use wardline_core::ids::{
    Change, Conn, ConversationId, DeviceId, MessageId, Number, PersonId, RequestId, Sequence,
};
use wardline_core::input::{Ask, Call, Door, Input, Source, Submit, Zone};
use wardline_core::login::Login;
use wardline_core::pin::PinMac;
use wardline_core::policy::Policy;
use wardline_core::relay::Relay;
use wardline_core::session::Verifier;
use wardline_core::text::{Name, Sealed, Text, Title};
use wardline_core::time::Wall;
use wardline_core::write::{Numbered, Write};
use wardline_relay::attachments::Attachments;
use wardline_relay::catchup::Library;
use wardline_relay::clock::Clock;
use wardline_relay::disk::Disk;
use wardline_relay::driver::{Command, Driver, Ended};
use wardline_relay::intake::Intake;
use wardline_relay::keyring::{BoxKeys, Keyring};
use wardline_relay::lane::{Delivery, Generation, GoLive, Lane, Next, Out};
use wardline_relay::metrics::Metrics;
use wardline_relay::search::Search;
use wardline_relay::store::{Commit, Page, Readers, Store, StoreKey};
use wardline_relay::watchdog::Watchdog;

#[path = "store/grants.rs"]
#[allow(dead_code, reason = "the store's tests need the rest")]
mod grants;

const CANARY: &str = "heparin 5000 units, canary";

struct Anything;

impl Verifier for Anything {
    fn p256(&self, _: &PublicKey, _: &[u8], _: &[u8; 64]) -> bool {
        true
    }
}

/// A box with Ana and Ben in one conversation, both signed in and live.
struct Ward {
    commands: mpsc::Sender<Command>,
    ana: Arc<Lane>,
    ben: Arc<Lane>,
    console: Arc<Lane>,
    readers: Readers,
    place: ConversationId,
    running: tokio::task::JoinHandle<Ended>,
    _directory: tempfile::TempDir,
}

const ANA: (Conn, u64) = (Conn(1), 1);
const BEN: (Conn, u64) = (Conn(2), 2);
const CONSOLE: Conn = Conn(3);

impl Ward {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (mut store, restored) =
            Store::open(&directory.path().join("wardline.db"), &StoreKey::new([7; 32])).await.unwrap();
        assert!(restored.people.is_empty());
        let clock = Clock::start();
        let keys = BoxKeys::derive(&[7; 32]).unwrap();
        let keyring = Arc::new(Keyring::new(&keys).unwrap());
        let place = ConversationId::new(9).unwrap();
        let writes = people(clock.now().wall.after(3_600_000), place, &keyring);
        assert!(matches!(store.commit(&writes).await, Commit::Committed));
        let restored = store.close().await.map(|()| directory.path().join("wardline.db")).unwrap();
        let (store, restored) = Store::open(&restored, &StoreKey::new([7; 32])).await.unwrap();
        let relay = Relay::new(clock.now(), Policy::default(), &keys.cursor, restored).unwrap();
        let library = Arc::new(Library {
            readers: store.readers(),
            keyring,
            cursors: Cursors::new(&keys.cursor),
            search: Search::default(),
            files: Arc::new(Attachments::open(directory.path().join("attachments")).unwrap()),
        });
        let readers = store.readers();
        let (commands, inbox) = mpsc::channel(256);
        let driver = Driver {
            relay,
            store,
            library,
            disk: Disk::new(directory.path()),
            metrics: Arc::new(Metrics::default()),
            scrub_due: None,
            clock,
            intake: Intake::new(inbox),
            commands: commands.downgrade(),
            aged_looks: Arc::new(Semaphore::new(1)),
            leaves: Arc::default(),
            bell: None,
            watchdog: Watchdog::none(),
        };
        let running = tokio::spawn(driver.run());
        let ana = sign_in(&commands, ANA).await;
        let ben = sign_in(&commands, BEN).await;
        let console = Arc::new(Lane::new());
        let connected = Command::Connected(CONSOLE, Door::Local, Source(0), Arc::clone(&console));
        commands.send(connected).await.unwrap();
        Self { commands, ana, ben, console, readers, place, running, _directory: directory }
    }

    /// Puts it where the driver finds it next; it does not run before the test waits.
    fn put(&self, input: Input) {
        assert!(self.commands.try_send(Command::Input(input)).is_ok());
    }

    fn ben_submits(&self, number: u64) {
        let submit = Submit {
            number: Number(number),
            message: MessageId([number as u8; 16]),
            conversation: self.place,
            body: Some(Sealed(vec![1; 40])),
            priority: Priority::Routine,
            call: Call::default(),
            reply_to: None,
            mentions: Default::default(),
            attachments: vec![],
            order: None,
        };
        let input = Input::Request { conn: BEN.0, request: RequestId(10 + number), ask: Ask::Submit(submit) };
        let text = Some(Text::parse(CANARY.to_owned()).unwrap().into());
        assert!(self.commands.try_send(Command::Request(input, text, self.ben.begin())).is_ok());
    }

    async fn ben_is_answered(&self) {
        loop {
            if let Out::Accepted(..) = next(&self.ben).await {
                return;
            }
        }
    }

    fn purge(&self) {
        let ask = Ask::PurgeConversation { conversation: self.place };
        self.put(Input::Request { conn: CONSOLE, request: RequestId(1), ask });
    }

    fn ana_has_heard(&self) -> bool {
        let mut heard = false;
        while let Some(Next::Out(out, _)) = self.ana.try_next() {
            if let Out::Delivery(Delivery { event, .. }) = out {
                heard |= event.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
            }
        }
        heard
    }

    async fn end(self) {
        self.put(Input::Drain);
        assert!(matches!(self.running.await.unwrap(), Ended::Drained));
    }
}

fn people(until: Wall, place: ConversationId, keyring: &Keyring) -> Vec<Numbered> {
    let mut point = [0; 65];
    point[0] = 4;
    let mut writes = Vec::new();
    for (_, id) in [ANA, BEN] {
        let (person, device) = (PersonId::new(id).unwrap(), DeviceId::new(id).unwrap());
        let (name, title) = (Name::parse("Ana or Ben").unwrap(), Title::default());
        let changed = Change(0);
        writes.push(Write::PersonAdded(Person {
            id: person,
            name: name.clone(),
            title,
            administrator: false,
            suspended: false,
            changed,
            privacy_officer: false,
            posts: BTreeMap::new(),
            station: None,
            agency: None,
            barred: false,
            waits: None,
            visitor: None,
            the_box: false,
        }));
        writes.push(Write::DeviceJoined(Device {
            id: device,
            person,
            name,
            key: PublicKey::parse(&point).unwrap(),
            salt: [0; 16],
            pin: PinMac([0; 32]),
            pin_tries: 0,
            revoked: false,
            session_until: Some(until),
            last_number: Number(0),
            login: None,
            passkeys: Vec::new(),
            passkey_until: Some(until),
        }));
    }
    let owner = PersonId::new(ANA.1).unwrap();
    let title = Title::default();
    let (conversation, kind, at) = (place, Kind::Direct, Wall(0));
    writes.push(Write::ConversationOpened { conversation, kind, title, owner: Some(owner), at, unit: None });
    writes.push(Write::KeyGranted { conversation, key: keyring.fresh().unwrap() });
    for (_, id) in [ANA, BEN] {
        let person = PersonId::new(id).unwrap();
        writes.push(Write::MemberAdded { conversation, person, from: Sequence(1), seen: None });
    }
    (1..).zip(writes).map(|(change, write)| Numbered { change: Change(change), write }).collect()
}

/// Through hello, proof and sync, to a lane that is live.
async fn sign_in(commands: &mpsc::Sender<Command>, (conn, id): (Conn, u64)) -> Arc<Lane> {
    let lane = Arc::new(Lane::new());
    let door = Door::Network(Zone::Ward);
    let device = DeviceId::new(id).unwrap();
    commands.send(Command::Connected(conn, door, Source(id), Arc::clone(&lane))).await.unwrap();
    let tell = |input| commands.send(Command::Input(input));
    let request = RequestId(1);
    let challenge = [3; 32];
    tell(Input::Hello { conn, request, versions: (1, 1), device: Some(device), challenge }).await.unwrap();
    next(&lane).await;
    let proven = lane.take_expect().unwrap().verify_sign_in(&Anything, &[0; 32], device, &[0; 64]);
    tell(Input::Proof { conn, request, proven: proven.unwrap(), login: Login::default() }).await.unwrap();
    next(&lane).await;
    let ask = Ask::Sync { cursor: Vec::new() };
    tell(Input::Request { conn, request, ask }).await.unwrap();
    let (out, generation) = next_of(&lane).await;
    assert!(matches!(out, Out::Attach(_)));
    assert_eq!(lane.go_live(generation, Change(u64::MAX)), GoLive::Live);
    lane
}

async fn next(lane: &Lane) -> Out {
    next_of(lane).await.0
}

async fn next_of(lane: &Lane) -> (Out, Generation) {
    match lane.next().await {
        Next::Out(out, generation) => (out, generation),
        Next::Close(code) => panic!("closed with {code}"),
    }
}

#[tokio::test]
async fn what_a_purge_in_the_same_commit_destroys_is_delivered_to_nobody() {
    let ward = Ward::open().await;
    ward.ben_submits(1);
    ward.ben_is_answered().await;
    assert!(ward.ana_has_heard(), "without a purge it is");
    ward.ben_submits(2);
    ward.purge();
    ward.ben_is_answered().await;
    assert!(!ward.ana_has_heard());
    ward.end().await;
}

/// Ana's phone takes nothing for a while, as phones do in a lift.
#[tokio::test]
async fn what_waits_for_a_slow_reader_is_taken_back_when_it_is_purged() {
    let ward = Ward::open().await;
    ward.ben_submits(1);
    ward.ben_is_answered().await;
    ward.purge();
    assert!(matches!(next(&ward.console).await, Out::Frame(_)), "the purge is answered");
    // Of the message nothing is left; that its conversation was purged, she is told.
    let Out::Delivery(delivery) = next(&ward.ana).await else { panic!("nothing comes") };
    assert!(delivery.said_in.is_none());
    assert!(!ward.ana_has_heard());
    ward.end().await;
}

/// So that looking for old messages goes no faster than they are let go.
#[tokio::test]
async fn the_turn_of_old_messages_ends_when_they_are_gone_from_the_disk() {
    let ward = Ward::open().await;
    let ana = PersonId::new(ANA.1).unwrap();
    for number in 1..=20 {
        ward.ben_submits(number);
        ward.ben_is_answered().await;
        let turns = Arc::new(Semaphore::new(1));
        let turn = Arc::clone(&turns).try_acquire_owned().unwrap();
        let through = Sequence(number);
        let input = Input::Aged { conversation: ward.place, read_through: through, any_through: through };
        ward.commands.send(Command::Aged(input, turn)).await.unwrap();
        let _ended = turns.acquire().await.unwrap();
        let grant = grants::page(ana, ward.place, (Sequence(1), Sequence(number + 1)), 10);
        assert_eq!(ward.readers.page(&grant).await.unwrap(), Page::Of(Vec::new()), "{number}");
    }
    ward.end().await;
}

/// A request makes room when its answer is on the lane, and not before.
#[tokio::test]
async fn what_waits_for_an_answer_counts_until_the_answer_does() {
    let ward = Ward::open().await;
    let sixty_four: Vec<_> = (1..=64).collect();
    for number in &sixty_four {
        ward.ben_submits(*number);
    }
    assert!(ward.ben.room_for_a_request().now_or_never().is_none(), "all of them are with the driver");
    // The first is taken off the lane: one less, counted once.
    ward.ben_is_answered().await;
    ward.ben.room_for_a_request().await;
    drop(ward.ben.begin());
    ward.end().await;
}
