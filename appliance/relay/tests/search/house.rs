//! A store with people, conversations and truly sealed messages, and the index beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinHandle;
use wardline_core::alteration::{Kept, Standing};
use wardline_core::conversation::Kind;
use wardline_core::cursor::Cursors;
use wardline_core::directory::{Device, Person, PublicKey};
use wardline_core::escalation::{Priority, StatId};
use wardline_core::ids::{Change, ConversationId, DeviceId, EditId, MessageId, Number, PersonId, Sequence};
use wardline_core::pin::PinMac;
use wardline_core::search::{Filter, Query, Search};
use wardline_core::text::{Name, Title, WrappedKey};
use wardline_core::time::Wall;
use wardline_core::wire::proto;
use wardline_core::write::{Message, Numbered, Write};
use wardline_relay::attachments::Attachments;
use wardline_relay::catchup::Library;
use wardline_relay::keyring::{BoxKeys, Keyring, Origin};
use wardline_relay::metrics::Metrics;
use wardline_relay::search::{self, Answer, Builder, Place};
use wardline_relay::store::{Commit, Store, StoreKey};

use crate::grants;

const KEY: [u8; 32] = [7; 32];
pub(crate) const ANA: u64 = 1;
pub(crate) const BEN: u64 = 2;

pub(crate) fn person(value: u64) -> PersonId {
    PersonId::new(value).unwrap()
}

pub(crate) fn place(value: u64) -> ConversationId {
    ConversationId::new(value).unwrap()
}

/// The index's key, for whoever looks into its file.
pub(crate) fn search_key() -> [u8; 32] {
    *BoxKeys::derive(&KEY).unwrap().search
}

pub(crate) struct House {
    store: Store,
    pub(crate) library: Arc<Library>,
    pub(crate) metrics: Arc<Metrics>,
    keys: BTreeMap<u64, WrappedKey>,
    last: BTreeMap<u64, u64>,
    change: u64,
    said: u64,
    waiting: Vec<Numbered>,
    building: Option<JoinHandle<()>>,
    directory: PathBuf,
}

impl House {
    /// Ana and Ben.
    pub(crate) async fn open(directory: &Path) -> Self {
        let (store, restored) =
            Store::open(&directory.join("wardline.db"), &StoreKey::new(KEY)).await.unwrap();
        let keys = BoxKeys::derive(&KEY).unwrap();
        let library = Arc::new(Library {
            readers: store.readers(),
            keyring: Arc::new(Keyring::new(&keys).unwrap()),
            cursors: Cursors::new(&keys.cursor),
            search: search::Search::default(),
            files: Arc::new(Attachments::open(directory.join("attachments")).unwrap()),
        });
        let mut house = Self {
            store,
            library,
            metrics: Arc::default(),
            keys: BTreeMap::new(),
            last: restored.conversations.iter().map(|c| (c.id.value(), c.last.0)).collect(),
            change: restored.change.0,
            said: restored.devices.iter().map(|device| device.last_number.0).max().unwrap_or_default(),
            waiting: Vec::new(),
            building: None,
            directory: directory.to_owned(),
        };
        if restored.people.is_empty() {
            for id in [ANA, BEN] {
                house.enter(id);
            }
            house.commit().await;
        }
        for conversation in restored.conversations {
            if let Some(key) = house.library.readers.key(conversation.id).await.unwrap() {
                house.keys.insert(conversation.id.value(), key);
            }
        }
        house
    }

    fn write(&mut self, write: Write) {
        self.change += 1;
        self.waiting.push(Numbered { change: Change(self.change), write });
    }

    fn enter(&mut self, id: u64) {
        let name = Name::parse("Ana").unwrap();
        self.write(Write::PersonAdded(Person {
            id: person(id),
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
        }));
        let mut point = [id as u8; 65];
        point[0] = 4;
        self.write(Write::DeviceJoined(Device {
            id: DeviceId::new(id).unwrap(),
            person: person(id),
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
        }));
    }

    /// A group of Ben's.
    pub(crate) fn opens(&mut self, conversation: u64) {
        let (id, at) = (place(conversation), Wall(1));
        let title = Title::parse("4 West").unwrap();
        self.write(Write::ConversationOpened {
            conversation: id,
            kind: Kind::Group,
            title,
            owner: Some(person(BEN)),
            at,
            unit: None,
        });
        let key = self.library.keyring.fresh().unwrap();
        self.keys.insert(conversation, key.clone());
        self.write(Write::KeyGranted { conversation: id, key });
        self.joins(conversation, BEN);
    }

    /// Reads from here on.
    pub(crate) fn joins(&mut self, conversation: u64, who: u64) {
        let from = Sequence(self.last.get(&conversation).copied().unwrap_or_default() + 1);
        self.write(Write::MemberAdded {
            conversation: place(conversation),
            person: person(who),
            from,
            seen: None,
        });
    }

    pub(crate) fn leaves(&mut self, conversation: u64, who: u64) {
        self.write(Write::MemberLeft { conversation: place(conversation), person: person(who) });
    }

    /// Says something, at a moment that the message's number decides.
    pub(crate) fn says(&mut self, conversation: u64, who: u64, at: i64, text: &str) -> proto::Message {
        let sequence = self.last.entry(conversation).or_default();
        *sequence += 1;
        let sequence = Sequence(*sequence);
        self.said += 1;
        let mut id = [conversation as u8; 16];
        id[..8].copy_from_slice(&sequence.0.to_be_bytes());
        let (id, device) = (MessageId(id), DeviceId::new(who).unwrap());
        let key = self.library.keyring.unwrap(&self.keys[&conversation]).unwrap();
        let origin = Origin { conversation: place(conversation), message: id, device, version: 0 };
        let body = self.library.keyring.seal(&key, origin, text).unwrap();
        self.write(Write::MessageAccepted(Message {
            conversation: place(conversation),
            sequence,
            id,
            sender: person(who),
            device,
            number: Number(self.said),
            at: Wall(at),
            body,
            priority: Priority::Routine,
            reply_to: None,
            mentions: Default::default(),
        }));
        proto::Message {
            conversation,
            sequence: sequence.0,
            message: id.0.to_vec(),
            sender: who,
            at,
            text: text.to_owned(),
            priority: proto::Priority::Routine.into(),
            ..proto::Message::default()
        }
    }

    /// Another text for a message that is on disk.
    pub(crate) async fn edits(&mut self, conversation: u64, sequence: u64, text: &str) {
        let (conversation, sequence) = (place(conversation), Sequence(sequence));
        let found = self.library.readers.find(StatId { conversation, sequence }).await.unwrap();
        let Kept { change: message, id, device, standing, .. } = found.message.unwrap();
        let standing = Standing { edits: standing.edits + 1, edit: Some(EditId([1; 16])), ..standing };
        let key = self.library.keyring.unwrap(&self.keys[&conversation.value()]).unwrap();
        let origin = Origin { conversation, message: id, device, version: standing.edits };
        let body = self.library.keyring.seal(&key, origin, text).unwrap();
        self.write(Write::MessageEdited { conversation, sequence, message, standing, body });
    }

    pub(crate) async fn recalls(&mut self, conversation: u64, sequence: u64) {
        let (conversation, sequence) = (place(conversation), Sequence(sequence));
        let found = self.library.readers.find(StatId { conversation, sequence }).await.unwrap();
        let message = found.message.unwrap().change;
        self.write(Write::MessageRecalled { conversation, sequence, message, at: Wall(5) });
    }

    /// The newest place.
    pub(crate) fn last(&self, conversation: u64) -> u64 {
        self.last[&conversation]
    }

    pub(crate) fn purges(&mut self, conversation: u64) {
        self.write(Write::KeyDestroyed { conversation: place(conversation) });
    }

    pub(crate) fn expires(&mut self, conversation: u64, through: u64) {
        self.write(Write::MessagesExpired { conversation: place(conversation), through: Sequence(through) });
    }

    /// Puts it all on disk, as the driver does.
    pub(crate) async fn commit(&mut self) {
        let writes = std::mem::take(&mut self.waiting);
        assert!(matches!(self.store.commit(&writes).await, Commit::Committed));
        for numbered in &writes {
            if let Write::KeyDestroyed { conversation } = &numbered.write {
                self.library.keyring.forget(*conversation);
            }
        }
        self.library.search.committed(&writes);
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.directory.join("search.db")
    }

    /// Lets the index be built.
    pub(crate) fn builds(&mut self) {
        let place = Place::new(self.index(), BoxKeys::derive(&KEY).unwrap().search.clone());
        let builder = Builder::new(Arc::clone(&self.library), Arc::clone(&self.metrics), place);
        self.building = Some(tokio::spawn(builder.run()));
    }

    /// Waits until everything said can be found.
    pub(crate) async fn is_built(&self) {
        self.library.search.reaches(Change(self.change)).await;
    }

    pub(crate) async fn looks(&self, who: u64, search: Search) -> Answer {
        let grant = grants::search(person(who), search);
        search::answer(&self.library, &grant).await.unwrap().unwrap()
    }

    /// What Ana finds with these words.
    pub(crate) async fn finds(&self, words: &str) -> Answer {
        self.looks(ANA, wanted(words)).await
    }

    pub(crate) async fn close(mut self) {
        if let Some(building) = self.building.take() {
            self.library.search.stop();
            building.await.unwrap();
        }
        drop(self.library);
        self.store.close().await.unwrap();
    }
}

pub(crate) fn wanted(words: &str) -> Search {
    Search { query: Query::parse(words).unwrap(), filter: Filter::default(), behind: None, limit: 50 }
}

pub(crate) fn texts(answer: &Answer) -> Vec<&str> {
    answer.page.hits.iter().map(|hit| hit.text.as_str()).collect()
}
