//! The relay and the bell together, over TLS to a push service of this machine: a STAT rings a phone that is away at once, and one
//! that is put away while it rings there then; and what comes is the constant text and nothing else.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[allow(dead_code, missing_docs, unreachable_pub, reason = "the bell's own tests use all of it")]
#[path = "../../bell/tests/rings/push_service.rs"]
mod push_service;
mod support;

use std::time::Duration;

use push_service::{Answers, Browser, Came, PushService};
use support::raw::{PATIENCE, Raw, Way, submit};
use support::until;
use tempfile::TempDir;
use wardline_core::wire::proto::client_frame::Body as Ask;
use wardline_core::wire::proto::server_frame::Body as Answer;
use wardline_core::wire::proto::{self, Priority};
use wardline_devbox::devbox::{Devbox, Options};
use wardline_devbox::facility;

const PIN: &str = "739154";
/// Between looks at the box, and how many are enough.
const OFTEN: Duration = Duration::from_millis(100);
const LOOKS: u32 = 300;
/// What the service worker is woken with (`docs/protocol/README.md`, section 25).
const TEXT: &[u8] = b"Wardline";

/// A box whose bell calls this push service.
struct House {
    devbox: Devbox,
    people: Vec<(u64, String)>,
    _directory: TempDir,
}

impl House {
    fn start(service: &PushService) -> Self {
        let directory = TempDir::new().unwrap();
        let roots = directory.path().join("roots.pem");
        std::fs::write(&roots, &service.root_pem).unwrap();
        let mut options = Options::local(&directory.path().join("box")).unwrap();
        let said =
            ["--contact", "mailto:it@example.org", "--allow", &service.allow(), "--roots"].map(str::to_owned);
        options.bell = said.into_iter().chain([roots.display().to_string()]).collect();
        let devbox = Devbox::start(options).unwrap();
        let mut console = devbox.console().unwrap();
        let people = facility::seed(&mut console).unwrap();
        let on = console.ask(Ask::SetBellPolicy(proto::SetBellPolicy { on: true })).unwrap();
        assert!(matches!(on, Answer::Done(_)), "the facility has it on");
        Self { devbox, people, _directory: directory }
    }

    fn person(&self, first: &str) -> u64 {
        self.people.iter().find(|(_, name)| name.starts_with(first)).unwrap().0
    }

    async fn joins(&self, first: &str) -> Raw {
        let code = self.devbox.console().unwrap().join_code(self.person(first)).unwrap();
        let (mut raw, _) = Way::new(&self.devbox).join(&code, PIN).await.unwrap();
        raw.ask(Ask::Sync(proto::Sync { cursor: Vec::new() })).await.unwrap();
        raw
    }
}

/// Once the box and its bell have found each other: the key.
async fn has_a_bell(phone: &mut Raw) -> Vec<u8> {
    let mut look = tokio::time::interval(OFTEN);
    for _ in 0..LOOKS {
        look.tick().await;
        let Answer::Bell(told) = phone.ask(Ask::AskBell(proto::AskBell {})).await.unwrap() else {
            panic!("not told of the bell")
        };
        assert!(told.on && !told.set);
        if !told.key.is_empty() {
            return told.key;
        }
    }
    panic!("the box and its bell do not find each other");
}

async fn sets(phone: &mut Raw, browser: &Browser, endpoint: String) {
    let of = browser.subscription(endpoint);
    let set = proto::SetBell { endpoint: of.endpoint, p256dh: of.p256dh.to_vec(), auth: of.auth.to_vec() };
    let Answer::Bell(told) = phone.ask(Ask::SetBell(set)).await.unwrap() else { panic!("it is not set") };
    assert!(told.set);
}

async fn direct(from: &mut Raw, person: u64) -> u64 {
    let opened = from.ask(Ask::OpenDirect(proto::OpenDirect { person })).await.unwrap();
    let Answer::Opened(opened) = opened else { panic!("it is not opened") };
    opened.conversation.unwrap().conversation
}

async fn send(from: &mut Raw, number: u64, place: u64, priority: Priority) {
    let Ask::Submit(words) = submit(number, number as u8, place, "made up") else { panic!("a message") };
    let accepted = from.ask(Ask::Submit(proto::Submit { priority: priority.into(), ..words })).await.unwrap();
    assert!(matches!(accepted, Answer::Accepted(_)), "it is accepted");
}

async fn came(service: &PushService, count: usize) -> Came {
    until(PATIENCE, "a push", || Ok(service.came().len() >= count)).await.unwrap();
    let came = service.came();
    assert_eq!(came.len(), count);
    came.last().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stat_rings_the_phone_of_whoever_is_away_or_puts_it_away() {
    let service = PushService::start([Answers { status: 201, retry_after: None }]).await;
    let house = tokio::task::block_in_place(|| House::start(&service));
    let at = |path: &str| format!("https://{}/push/{path}", service.allow());
    let mut ana = house.joins("Ana").await;
    let (mut ben, mut chidi) = (house.joins("Ben").await, house.joins("Chidi").await);
    let key = has_a_bell(&mut ben).await;
    let (bens, chidis) = (Browser::new(), Browser::new());
    sets(&mut ben, &bens, at("ben")).await;
    sets(&mut chidi, &chidis, at("chidi")).await;

    // Away: rung as it is sent, and for nothing less.
    let to_chidi = direct(&mut ana, house.person("Chidi")).await;
    chidi.quic.close(0_u32.into(), b"");
    is_away(&mut ana, to_chidi).await;
    send(&mut ana, 1, to_chidi, Priority::Routine).await;
    send(&mut ana, 2, to_chidi, Priority::Stat).await;
    let first = came(&service, 1).await;
    assert_eq!((first.path.as_str(), chidis.open(&first.body)), ("/push/chidi", TEXT.to_vec()));
    assert_eq!(first.claims().1, key);

    // In front of him: it rings there, and his phone is woken once he has put it away.
    let to_ben = direct(&mut ana, house.person("Ben")).await;
    ben.ask(Ask::AskBell(proto::AskBell {})).await.unwrap();
    send(&mut ana, 3, to_ben, Priority::Stat).await;
    assert_eq!(service.came().len(), 1, "he has the app open");
    ben.quic.close(0_u32.into(), b"");
    let second = came(&service, 2).await;
    assert_eq!((second.path.as_str(), bens.open(&second.body)), ("/push/ben", TEXT.to_vec()));
    assert_eq!(second.body.len(), first.body.len(), "whoever carries it sees no difference");
    tokio::task::block_in_place(|| house.devbox.stop());
}

/// The box has noticed that no app of theirs is open.
async fn is_away(ana: &mut Raw, conversation: u64) {
    let mut look = tokio::time::interval(OFTEN);
    for _ in 0..LOOKS {
        look.tick().await;
        let ask = proto::AskProspect { conversation, call: Some(proto::Call::default()) };
        let Answer::Prospect(told) = ana.ask(Ask::AskProspect(ask)).await.unwrap() else {
            panic!("not told whom it would reach")
        };
        if told.called[0].reach() == proto::Reach::BellOnly {
            return;
        }
    }
    panic!("the box does not notice that a phone is gone");
}
