//! Catching a connection up from the store: what changed behind its cursor, then the missed messages in order.

use std::sync::Arc;

use tokio::task::JoinHandle;
use wardline_core::alarm::Said;
use wardline_core::clinic;
use wardline_core::cursor::Cursors;
use wardline_core::escalation::StatId;
use wardline_core::grant::SyncGrant;
use wardline_core::ids::{Change, ConversationId, DeviceId, PersonId};
use wardline_core::mention;
use wardline_core::record::Known;
use wardline_core::text::Sealed;
use wardline_core::wire::proto::{self, event::Kind};

use crate::attachments::Attachments;
use crate::keyring::{ConversationKey, Keyring, Origin};
use crate::search::Search;
use crate::store::{Changes, Missed, Readers, StoreError, StoredMessage};

/// What reading needs: the store, the keys, the cursors. One for the process.
pub struct Library {
    /// The store's read side.
    pub readers: Readers,
    /// Conversation keys.
    pub keyring: Arc<Keyring>,
    /// For stamping deliveries.
    pub cursors: Cursors,
    /// The index of words.
    pub search: Search,
    /// The files of attachments.
    pub files: Arc<Attachments>,
}

impl Library {
    /// A conversation's key; `None` when it is destroyed or was never there.
    pub async fn key(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<Arc<ConversationKey>>, StoreError> {
        let read_at = match self.keyring.at_hand(conversation) {
            Ok(key) => return Ok(Some(key)),
            Err(read_at) => read_at,
        };
        let Some(wrapped) = self.readers.key(conversation).await? else { return Ok(None) };
        let Ok(key) = self.keyring.unwrap(&wrapped) else {
            tracing::error!("a conversation's key does not unwrap: the store was changed from outside");
            return Ok(None);
        };
        self.keyring.remember(conversation, &key, read_at);
        Ok(Some(key))
    }

    /// A stored message as the wire has it. A purged or recalled one keeps its place with no text.
    pub async fn message(&self, stored: StoredMessage) -> Result<proto::Message, StoreError> {
        let (origin, standing) = (stored.origin(), stored.standing());
        let StoredMessage {
            conversation,
            sequence,
            id,
            sender,
            at,
            body,
            priority,
            reply_to,
            mentions,
            reactions,
            files,
            ..
        } = stored;
        let said = Said::of_body(&body).filter(|_| !standing.recalled);
        let (text, attachments) = match self.key(conversation).await? {
            Some(key) if !standing.recalled => {
                let attachments = match files {
                    0 => Vec::new(),
                    _ => self.attachments(&key, StatId { conversation, sequence }).await?,
                };
                (self.text(&key, origin, body), attachments)
            }
            _ => (String::new(), Vec::new()),
        };
        let mut message = proto::Message {
            conversation: conversation.value(),
            sequence: sequence.0,
            message: id.0.to_vec(),
            sender: sender.value(),
            at: at.0,
            text,
            priority: priority.to_wire().into(),
            reply_to: reply_to.0,
            mentions: mention::to_wire(&mentions),
            reactions: reactions.to_wire(),
            attachments,
            alarm: said.map(Said::to_wire),
            ..proto::Message::default()
        };
        standing.dress(&mut message);
        Ok(message)
    }

    fn text(&self, key: &ConversationKey, origin: Origin, body: Sealed) -> String {
        self.keyring.open(key, origin, body).unwrap_or_else(|_| {
            tracing::error!("a body does not open: the store was changed from outside");
            String::new()
        })
    }

    /// A message's files as the wire has them.
    pub async fn attachments(
        &self,
        key: &ConversationKey,
        message: StatId,
    ) -> Result<Vec<proto::Attachment>, StoreError> {
        let files = self.readers.files_of(message).await?;
        let files = files.into_iter().map(|file| proto::Attachment {
            media: file.media.to_wire().into(),
            length: file.length,
            sha256: file.sha256.to_vec(),
            name: self.keyring.open_title(key, file.origin, file.title).unwrap_or_else(|_| {
                tracing::error!("a file's name does not open: the store was changed from outside");
                String::new()
            }),
            thumbnail: !file.thumbnail.0.is_empty(),
        });
        Ok(files.collect())
    }

    /// A page of messages.
    pub async fn messages(&self, stored: Vec<StoredMessage>) -> Result<Vec<proto::Message>, StoreError> {
        let mut messages = Vec::with_capacity(stored.len());
        for message in stored {
            messages.push(self.message(message).await?);
        }
        Ok(messages)
    }

    /// What changed, without the messages themselves.
    pub async fn changes(&self, grant: &SyncGrant, after: Option<Change>) -> Result<Changes, StoreError> {
        self.readers.changes(grant, after).await
    }

    /// The cursor of a device at a change.
    pub fn cursor(&self, device: DeviceId, change: Change) -> Vec<u8> {
        self.cursors.seal(device, change).0.to_vec()
    }
}

/// Missed messages, read by the chunk, each while the one before is being sent. A task reads, so that its connection to
/// the store is free again as soon as it has read, however slow whoever it reads for.
pub struct Reading {
    library: Arc<Library>,
    grant: Arc<SyncGrant>,
    rest: Vec<Missed>,
    next: Option<JoinHandle<Result<Chunk, StoreError>>>,
}

type Chunk = (Vec<StoredMessage>, Vec<Missed>);

impl Reading {
    /// Begins to read.
    pub fn start(library: &Arc<Library>, grant: &Arc<SyncGrant>, missed: Vec<Missed>) -> Self {
        let mut reading =
            Self { library: Arc::clone(library), grant: Arc::clone(grant), rest: missed, next: None };
        reading.read_on();
        reading
    }

    /// The next messages, by change; some chunks have none. `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<StoredMessage>>, StoreError> {
        let Some(next) = self.next.take() else { return Ok(None) };
        // A task that panics takes nothing but this connection with it, which tries again.
        let (chunk, rest) = next.await.map_err(|_| StoreError::Closed)??;
        self.rest = rest;
        self.read_on();
        Ok(Some(chunk))
    }

    fn read_on(&mut self) {
        let mut missed = std::mem::take(&mut self.rest);
        if missed.is_empty() {
            return;
        }
        let (library, grant) = (Arc::clone(&self.library), Arc::clone(&self.grant));
        self.next = Some(tokio::spawn(async move {
            let (messages, count) = library.readers.messages(&grant, &missed).await?;
            missed.drain(..count);
            Ok((messages, missed))
        }));
    }
}

impl Drop for Reading {
    /// Whoever does not want the rest does not wait for the next either.
    fn drop(&mut self) {
        if let Some(next) = &self.next {
            next.abort();
        }
    }
}

/// Everything small that changed, as events, made one by one: a snapshot of 2,000 conversations is not held twice. Their
/// deliveries carry no cursor: the messages behind them do.
pub fn small_events(changes: &Changes, person: PersonId) -> impl Iterator<Item = Kind> + Send {
    let units = changes.units.iter().map(|unit| Kind::Unit(unit.to_wire()));
    let people = changes.people.iter().map(|person| Kind::Person(person.to_wire()));
    let conversations = changes.conversations.iter().map(move |conversation| {
        let mut wire = conversation.to_wire(person);
        if let Some((encounter, records)) = changes.bedsides.get(&conversation.id)
            && let Some(patient) = Known::of(records.iter().collect())
        {
            clinic::dress(&mut wire, &patient, encounter);
        }
        if let Some(kin) = changes.kin.get(&conversation.id) {
            kin.dress(&mut wire, conversation);
        }
        Kind::Conversation(wire)
    });
    let gone = changes.gone.iter().map(|id| Kind::Gone(proto::ConversationGone { conversation: id.value() }));
    let watermarks = changes.watermarks.iter().map(|(conversation, person, delivered, read, _)| {
        Kind::Watermark(proto::Watermark {
            conversation: conversation.value(),
            person: person.value(),
            delivered: delivered.0,
            read: read.0,
        })
    });
    let stats = changes.stats.iter().map(|stat| Kind::Escalation(stat.to_wire()));
    let tasks = changes.tasks.iter().map(|task| Kind::Task(task.to_wire()));
    let orders = changes.orders.iter().map(|order| Kind::Order(order.to_wire()));
    let told = units.chain(people).chain(conversations).chain(gone).chain(watermarks);
    told.chain(stats).chain(tasks).chain(orders)
}
