//! The task that keeps the index: follows the store by change number, takes out what is gone, begins anew when it must.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wardline_core::ids::{Change, ConversationId, Sequence};
use wardline_core::limits::DISK_RESERVE_BYTES;
use wardline_core::search::Term;

use super::index::{self, Entry, Index};
use super::{Place, Search, Shown};
use crate::catchup::Library;
use crate::disk::Disk;
use crate::metrics::Metrics;
use crate::store::{StoreError, StoredMessage};

/// Messages of one reading: 512 x 8 KiB = 4 MiB at the very most.
const READ: u32 = 512;
/// Messages of one batch. The more of one conversation come together, the fewer pages are written for each.
const BATCH: usize = 4_096;
/// Bytes of text of one batch. Half a megabyte of one-letter words is 262,144 terms x some 100 bytes = 26 MB; of English, 3 MB.
const BATCH_BYTES: usize = 512 * 1024;
/// Between batches when there is little to do: what is said is found after this.
const PACE: Duration = Duration::from_millis(200);
/// Free bytes under which the index does not grow: four times what new messages are refused at.
const FREE_MIN: u64 = 4 * DISK_RESERVE_BYTES;
/// Between looks whether there is room again, or the file can be made.
const REST: Duration = Duration::from_secs(10);
/// Between tries to empty the log after a purge, while somebody reads.
const SCRUB_AGAIN: Duration = Duration::from_millis(100);
/// Altered messages of one reading.
const ALTERED: u32 = 256;
/// Conversations that one statement asks for.
const PLACES: u32 = 1_000;

/// Keeps the index until the process ends.
pub struct Builder {
    library: Arc<Library>,
    metrics: Arc<Metrics>,
    place: Place,
    disk: Disk,
}

/// Why following the store ended.
enum Ended {
    /// The file is of no use.
    Broken(StoreError),
    /// The store could not be read.
    Store(StoreError),
}

impl Builder {
    /// Ready to run. `library.search` is told what becomes of it.
    pub fn new(library: Arc<Library>, metrics: Arc<Metrics>, place: Place) -> Self {
        let directory = place.path.parent().unwrap_or(std::path::Path::new("."));
        let disk = Disk::new(directory);
        Self { library, metrics, place, disk }
    }

    /// Builds, follows, begins anew; for ever.
    pub async fn run(self) {
        loop {
            let Some(mut index) = self.open().await else {
                tokio::time::sleep(REST).await;
                continue;
            };
            let ended = self.follow(&mut index).await;
            self.search().show(Shown::default());
            // Whatever it is, it is thrown away or opened again.
            let _ = index.close().await;
            match ended {
                Ended::Store(StoreError::Closed) => return,
                Ended::Store(error) => {
                    tracing::warn!(%error, "search: the store could not be read");
                    tokio::time::sleep(REST).await;
                }
                Ended::Broken(error @ (StoreError::Full { .. } | StoreError::Busy)) => {
                    tracing::warn!(%error, "search: the index waits");
                    tokio::time::sleep(REST).await;
                }
                Ended::Broken(error) => {
                    tracing::warn!(%error, "search: the index is thrown away and built anew");
                    self.discard();
                    tokio::time::sleep(PACE).await;
                }
            }
        }
    }

    fn search(&self) -> &Search {
        &self.library.search
    }

    fn discard(&self) {
        self.metrics.search_rebuilds_total.one();
        if let Err(error) = index::discard(&self.place.path) {
            tracing::error!(%error, "search: the old index could not be removed");
        }
    }

    /// The index, if it belongs to this store; else an empty one.
    async fn open(&self) -> Option<Index> {
        match Index::open(&self.place.path, &self.place.key()).await {
            Ok(index) => match self.belongs(&index).await {
                Ok(true) => return Some(index),
                Ok(false) => {
                    tracing::warn!("search: the index is another store's, and is built anew");
                    let _ = index.close().await;
                }
                Err(_) => return None,
            },
            Err(error) => tracing::warn!(%error, "search: the index cannot be opened, and is built anew"),
        }
        self.discard();
        match Index::open(&self.place.path, &self.place.key()).await {
            Ok(index) => Some(index),
            Err(error) => {
                tracing::error!(%error, "search: no index can be made");
                None
            }
        }
    }

    /// Whether the newest message in the index is the store's. One that has expired since proves nothing: then there is little
    /// to build.
    async fn belongs(&self, index: &Index) -> Result<bool, StoreError> {
        let head = index.head;
        let Some(name) = head.name else { return Ok(true) };
        Ok(self.library.readers.message_at(head.newest).await? == Some(name))
    }

    async fn follow(&self, index: &mut Index) -> Ended {
        if let Err(ended) = self.look_at_all(index).await {
            return ended;
        }
        loop {
            let began = Instant::now();
            let step = async {
                let news = self.search().take_news();
                if news.over {
                    return Err(Ended::Store(StoreError::Closed));
                }
                if news.broken {
                    return Err(Ended::Broken(StoreError::Damaged("a search found it so".to_owned())));
                }
                self.purge(index, news.purged).await?;
                if self.has_room() {
                    let full = self.take_in(index).await?;
                    self.let_alter(index).await?;
                    self.let_expire(index, news.expired).await?;
                    Ok(full)
                } else {
                    // What goes does not wait for room: it makes some.
                    self.let_alter(index).await?;
                    self.let_expire(index, news.expired).await?;
                    let _ = tokio::time::timeout(REST, self.search().woken.notified()).await;
                    Ok(true)
                }
            };
            let full = match step.await {
                Ok(full) => full,
                Err(ended) => return ended,
            };
            // As much rest as work: half a core at most, for as long as there is much to do.
            tokio::time::sleep(began.elapsed().min(REST).max(if full { Duration::ZERO } else { PACE })).await;
            if !full {
                self.search().rest();
                self.search().woken.notified().await;
            }
        }
    }

    fn has_room(&self) -> bool {
        let room = self.disk.free().is_ok_and(|free| free >= FREE_MIN);
        self.metrics.search_paused.set(u64::from(!room));
        room
    }

    /// At the start: what was purged, expired or altered while nobody looked.
    async fn look_at_all(&self, index: &mut Index) -> Result<(), Ended> {
        let mut after = 0;
        let (mut purged, mut expired) = (Vec::new(), Vec::new());
        loop {
            let places = index.places(after, PLACES).await.map_err(Ended::Broken)?;
            let Some((last, _)) = places.last() else { break };
            after = last.value();
            let standing = self.library.readers.standing(places.iter().map(|(place, _)| *place)).await;
            let standing = standing.map_err(Ended::Store)?;
            for (place, first) in places {
                match standing.get(&place) {
                    Some(now) if now.purged => purged.push(place),
                    Some(now) if now.first > first => expired.push((place, now.first)),
                    Some(_) => {}
                    None => {
                        return Err(Ended::Broken(StoreError::Damaged(
                            "a conversation is not there".to_owned(),
                        )));
                    }
                }
            }
        }
        self.purge(index, purged).await?;
        self.expire(index, expired).await?;
        if index.head.through == Change(0) {
            // Nothing is in: whatever was altered by now is taken in as it is.
            index.begin(self.library.readers.head().await.map_err(Ended::Store)?);
        }
        self.let_alter(index).await?;
        self.show(index);
        // The last run may have died before its log was emptied.
        self.scrub(index).await
    }

    fn show(&self, index: &Index) {
        let (through, at) = (index.head.through, index.head.at);
        self.search().show(Shown { looker: Some(Arc::clone(&index.looker)), through, at });
        self.metrics.search_index_bytes.set(index.size());
    }

    /// Takes purged conversations out, and leaves nothing of them in the log.
    async fn purge(
        &self,
        index: &mut Index,
        purged: impl IntoIterator<Item = ConversationId>,
    ) -> Result<(), Ended> {
        let mut any = false;
        for conversation in purged {
            any = true;
            index.erase(conversation).await.map_err(Ended::Broken)?;
        }
        if any { self.scrub(index).await } else { Ok(()) }
    }

    async fn scrub(&self, index: &mut Index) -> Result<(), Ended> {
        loop {
            match index.scrub().await {
                Ok(()) => return Ok(()),
                Err(StoreError::Busy) => tokio::time::sleep(SCRUB_AGAIN).await,
                Err(error) => return Err(Ended::Broken(error)),
            }
        }
    }

    async fn expire(
        &self,
        index: &mut Index,
        expired: impl IntoIterator<Item = (ConversationId, Sequence)>,
    ) -> Result<(), Ended> {
        for (conversation, first) in expired {
            index.expire(conversation, first).await.map_err(Ended::Broken)?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// One batch. True when there is more to do.
    async fn take_in(&self, index: &mut Index) -> Result<bool, Ended> {
        let (entries, through, full) = self.gather(index.head.through).await.map_err(Ended::Store)?;
        if through > index.head.through {
            let between = first_and_last(&entries);
            let between =
                between.into_iter().map(|(place, (first, last))| (place, Sequence(first.0 - 1), last));
            let starts = self.library.readers.starts(between).await.map_err(Ended::Store)?;
            index.add(&entries, &starts, through).await.map_err(Ended::Broken)?;
            self.metrics.search_indexed_total.add(entries.len() as u64);
            self.show(index);
        }
        Ok(full)
    }

    /// Takes out what has expired of these conversations.
    async fn let_expire(&self, index: &mut Index, expired: BTreeSet<ConversationId>) -> Result<(), Ended> {
        if expired.is_empty() {
            return Ok(());
        }
        let standing = self.library.readers.standing(expired.into_iter()).await.map_err(Ended::Store)?;
        self.expire(index, standing.into_iter().map(|(place, now)| (place, now.first))).await?;
        // If somebody reads, the log is emptied by another time, or overwritten.
        match index.scrub().await {
            Ok(()) | Err(StoreError::Busy) => Ok(()),
            Err(error) => Err(Ended::Broken(error)),
        }
    }

    /// Puts the words of what was edited in place of the earlier ones, and takes out those of what was recalled; what is not in yet is
    /// taken in as it is then. Nothing of what was is left in the log.
    async fn let_alter(&self, index: &mut Index) -> Result<(), Ended> {
        let mut any = false;
        loop {
            let before = index.head.altered;
            let (messages, through) =
                self.library.readers.altered(before, ALTERED).await.map_err(Ended::Store)?;
            let full = messages.len() >= ALTERED as usize;
            let mut words: BTreeMap<(ConversationId, Sequence), BTreeSet<Term>> = BTreeMap::new();
            for message in messages.into_iter().filter(|message| message.change <= index.head.through) {
                let place = (message.conversation, message.sequence);
                let entry = self.entry(message).await.map_err(Ended::Store)?;
                words.insert(place, entry.map(|(entry, _)| entry.terms).unwrap_or_default());
            }
            any |= !words.is_empty();
            index.alter(&words, through).await.map_err(Ended::Broken)?;
            if !full {
                break;
            }
            tokio::task::yield_now().await;
        }
        if any { self.scrub(index).await } else { Ok(()) }
    }

    /// The next messages, up to which change they are all there are, and whether there are more.
    async fn gather(&self, after: Change) -> Result<(Vec<Entry>, Change, bool), StoreError> {
        let (mut entries, mut through, mut bytes) = (Vec::new(), after, 0);
        loop {
            let (messages, read_through) = self.library.readers.written(through, READ).await?;
            let full = messages.len() >= READ as usize;
            for message in messages {
                let change = message.change;
                if let Some((entry, size)) = self.entry(message).await? {
                    entries.push(entry);
                    bytes += size;
                }
                if entries.len() >= BATCH || bytes >= BATCH_BYTES {
                    return Ok((entries, change, true));
                }
            }
            through = read_through;
            if !full {
                return Ok((entries, through, false));
            }
        }
    }

    /// A message's words, and the bytes of its text. None of what is purged or recalled, or does not open.
    async fn entry(&self, message: StoredMessage) -> Result<Option<(Entry, usize)>, StoreError> {
        if message.recalled {
            return Ok(None);
        }
        let Some(key) = self.library.key(message.conversation).await? else { return Ok(None) };
        let body = message.body.clone();
        let Ok(text) = self.library.keyring.open(&key, message.origin(), body) else { return Ok(None) };
        let text = zeroize::Zeroizing::new(text);
        Ok(Some((Entry::of(&message, &text), text.len())))
    }
}

fn first_and_last(entries: &[Entry]) -> BTreeMap<ConversationId, (Sequence, Sequence)> {
    let mut between: BTreeMap<ConversationId, (Sequence, Sequence)> = BTreeMap::new();
    for entry in entries {
        between.entry(entry.conversation).or_insert((entry.sequence, entry.sequence)).1 = entry.sequence;
    }
    between
}
