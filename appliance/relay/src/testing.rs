//! What the tests in this crate share: a doorway's belongings over a small store, with nobody behind them.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::mpsc;
use wardline_core::conversation::Kind;
use wardline_core::cursor::Cursors;
use wardline_core::directory::{Device, Person, PublicKey};
use wardline_core::escalation::Priority;
use wardline_core::grant::{PageGrant, SyncGrant};
use wardline_core::ids::{Change, ConversationId, DeviceId, MessageId, Number, PersonId, Sequence};
use wardline_core::pin::PinMac;
use wardline_core::text::{Name, Title};
use wardline_core::time::Wall;
use wardline_core::write::{Message, Numbered, Write};

use crate::attachments::Attachments;
use crate::catchup::Library;
use crate::driver::Command;
use crate::front::connection::Context;
use crate::keeper::Keeper;
use crate::keyring::{BoxKeys, Keyring, Origin};
use crate::metrics::Metrics;
use crate::search::Search;
use crate::store::{Commit, Store, StoreKey};

#[path = "../tests/store/grants.rs"]
#[allow(dead_code, reason = "other tests need the rest")]
mod grants;

/// Messages that lie there: several chunks.
pub(crate) const MESSAGES: u64 = 600;
/// What each of them says.
pub(crate) const CANARY: &str = "heparin 5000 units, canary";

/// Permission to read as Ana.
pub(crate) fn grant() -> SyncGrant {
    grants::sync(PersonId::new(1).unwrap())
}

/// The newest page of what was said.
pub(crate) fn page() -> PageGrant {
    grants::page(PersonId::new(1).unwrap(), place(), (Sequence(1), Sequence(MESSAGES + 1)), 10)
}

fn place() -> ConversationId {
    ConversationId::new(9).unwrap()
}

/// Ana, her device, and a conversation with herself.
pub(crate) struct Bench {
    pub(crate) context: Arc<Context>,
    /// What the driver would hear.
    pub(crate) inbox: mpsc::Receiver<Command>,
    store: Store,
    directory: TempDir,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("wardline.db");
        let keys = BoxKeys::derive(&[7; 32]).unwrap();
        let (mut store, _) = Store::open(&path, &StoreKey::new([7; 32])).await.unwrap();
        let keyring = Arc::new(Keyring::new(&keys).unwrap());
        assert!(matches!(store.commit(&writes(&keyring)).await, Commit::Committed));
        store.scrub().await.unwrap();
        let library = Arc::new(Library {
            readers: store.readers(),
            keyring,
            cursors: Cursors::new(&keys.cursor),
            search: Search::default(),
            files: Arc::new(Attachments::open(directory.path().join("attachments")).unwrap()),
        });
        let (commands, inbox) = mpsc::channel(4_096);
        let metrics = Arc::new(Metrics::default());
        let context = Arc::new(Context::of(commands, library, Keeper::nobody(), metrics, [9; 32]));
        Self { context, inbox, store, directory }
    }

    /// Ana leaves.
    pub(crate) async fn leave(&mut self) {
        let left = Write::MemberLeft { conversation: place(), person: PersonId::new(1).unwrap() };
        let change = Change(5 + MESSAGES + 1);
        assert!(matches!(self.store.commit(&[Numbered { change, write: left }]).await, Commit::Committed));
    }

    /// In the middle of the file, and back again.
    pub(crate) fn flip_a_bit(&self) {
        let path = self.directory.path().join("wardline.db");
        let file = std::fs::File::options().read(true).write(true).open(path).unwrap();
        let middle = file.metadata().unwrap().len() / 2;
        let mut byte = [0];
        file.read_exact_at(&mut byte, middle).unwrap();
        file.write_all_at(&[byte[0] ^ 1], middle).unwrap();
    }
}

fn writes(keyring: &Keyring) -> Vec<Numbered> {
    let (person, device, conversation) = (PersonId::new(1).unwrap(), DeviceId::new(7).unwrap(), place());
    let mut point = [0; 65];
    point[0] = 4;
    let name = Name::parse("Ana").unwrap();
    let wrapped = keyring.fresh().unwrap();
    let key = keyring.unwrap(&wrapped).unwrap();
    let mut writes = vec![
        Write::PersonAdded(Person {
            id: person,
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
        }),
        Write::DeviceJoined(Device {
            id: device,
            person,
            name,
            key: PublicKey::parse(&point).unwrap(),
            salt: [0; 16],
            pin: PinMac([0; 32]),
            pin_tries: 0,
            revoked: false,
            session_until: None,
            last_number: Number(0),
            login: None,
            passkeys: Vec::new(),
            passkey_until: None,
        }),
        Write::ConversationOpened {
            conversation,
            kind: Kind::Group,
            title: Title::parse("4 West").unwrap(),
            owner: Some(person),
            at: Wall(0),
            unit: None,
        },
        Write::KeyGranted { conversation, key: wrapped },
        Write::MemberAdded { conversation, person, from: Sequence(1), seen: None },
    ];
    for sequence in 1..=MESSAGES {
        let id = MessageId([sequence as u8; 16]);
        let body =
            keyring.seal(&key, Origin { conversation, message: id, device, version: 0 }, CANARY).unwrap();
        let (sequence, number) = (Sequence(sequence), Number(sequence));
        let (sender, at) = (person, Wall(0));
        writes.push(Write::MessageAccepted(Message {
            conversation,
            sequence,
            id,
            sender,
            device,
            number,
            at,
            body,
            priority: Priority::Routine,
            reply_to: None,
            mentions: Default::default(),
        }));
    }
    (1..).zip(writes).map(|(change, write)| Numbered { change: Change(change), write }).collect()
}
