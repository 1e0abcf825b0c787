//! The index's file: which terms stand where, for each conversation by itself.
//!
//! ```text
//! place    a conversation's small number here, and up to where its expired messages are taken out
//! block    runs of at most 1,024 messages of one conversation; a new one begins wherever somebody's history begins
//! posting  (place, block, term): which messages of that block have it, two bytes each
//! said     (place, first): who said what is behind it when, for 64 messages, 22 bytes each
//! ```
//!
//! Whoever searches walks the blocks of their own conversations and nothing else. No statistic goes over more than one
//! conversation, and a block lies wholly within what a member may read or wholly without.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Row as _};
use wardline_core::ids::{Change, ConversationId, MessageId, PersonId, Sequence};
use wardline_core::search::{Term, terms};
use wardline_core::time::Wall;

use super::look::Looker;
use crate::store::rows::{Many, Script, Statements};
use crate::store::{StoreError, StoreKey};

/// Counts up whenever the tables or [`terms`] change: a file of another number is thrown away and built anew.
const SCHEMA: i64 = 3;

const TABLES: &str = "
CREATE TABLE meta (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    through INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    newest  INTEGER NOT NULL,
    name    BLOB    NOT NULL,
    altered INTEGER NOT NULL
) STRICT;
INSERT INTO meta (id, through, at, newest, name, altered) VALUES (1, 0, 0, 0, x'', 0);
CREATE TABLE place (
    id           INTEGER NOT NULL PRIMARY KEY,
    conversation INTEGER NOT NULL UNIQUE,
    first        INTEGER NOT NULL
) STRICT;
CREATE TABLE block (
    place INTEGER NOT NULL,
    start INTEGER NOT NULL,
    last  INTEGER NOT NULL,
    PRIMARY KEY (place, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE posting (
    place INTEGER NOT NULL,
    block INTEGER NOT NULL,
    term  BLOB    NOT NULL,
    at    BLOB    NOT NULL,
    PRIMARY KEY (place, block, term)
) STRICT, WITHOUT ROWID;
CREATE TABLE said (
    place   INTEGER NOT NULL,
    first   INTEGER NOT NULL,
    entries BLOB    NOT NULL,
    PRIMARY KEY (place, first)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 3;
";

/// Messages of one block: those that one row of `posting` speaks of, at two bytes each.
pub(super) const BLOCK: u64 = 1_024;
/// Messages of one row of `said`: 64 x [`ENTRY`] = 1.4 kB, so a hit drags little along.
pub(super) const SAID: u64 = 64;
/// One message in `said`: its place behind the row's first (2), author (8), time (6), change (6), all big-endian.
pub(super) const ENTRY: usize = 22;

/// Rows of one transaction that takes something out: some 50 ms.
const ROWS_OUT: i64 = 2_000;

/// Cache in KiB, as a negative number. What is built touches each page once in a batch.
const WRITER_CACHE: &str = "-8192";
/// Pages of the log: a batch is up to 25,000, and what is moved at once is moved cheaply.
const CHECKPOINT_PAGES: &str = "4000";
/// How long a statement waits for a lock; only the last step of a purge meets readers.
const BUSY_TIMEOUT: Duration = Duration::from_millis(250);

const BLOCKS: Many = Many {
    head: "INSERT INTO block (place, start, last) VALUES ",
    columns: 3,
    tail: " ON CONFLICT (place, start) DO UPDATE SET last = excluded.last",
};
const POSTINGS: Many = Many {
    head: "INSERT INTO posting (place, block, term, at) VALUES ",
    columns: 4,
    tail: " ON CONFLICT (place, block, term) DO UPDATE SET at = CAST(at || excluded.at AS BLOB)",
};
const SAIDS: Many = Many {
    head: "INSERT INTO said (place, first, entries) VALUES ",
    columns: 3,
    tail: " ON CONFLICT (place, first) DO UPDATE SET entries = CAST(entries || excluded.entries AS BLOB)",
};
const KEPT: Many = Many {
    head: "INSERT INTO posting (place, block, term, at) VALUES ",
    columns: 4,
    tail: " ON CONFLICT (place, block, term) DO UPDATE SET at = excluded.at",
};

/// A message to take in.
pub(super) struct Entry {
    pub(super) change: Change,
    pub(super) conversation: ConversationId,
    pub(super) sequence: Sequence,
    pub(super) id: MessageId,
    pub(super) sender: PersonId,
    pub(super) at: Wall,
    pub(super) terms: BTreeSet<Term>,
}

impl Entry {
    /// Its words are those of this text.
    pub(super) fn of(stored: &crate::store::StoredMessage, text: &str) -> Self {
        let crate::store::StoredMessage { change, conversation, sequence, id, sender, at, .. } = *stored;
        Self { change, conversation, sequence, id, sender, at, terms: terms(text) }
    }
}

/// How far the index has followed the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Everything up to this change is in.
    pub(super) through: Change,
    /// The newest message in it, and when it was said.
    pub(super) newest: Change,
    pub(super) at: Wall,
    /// That message's name; none when there is none.
    pub(super) name: Option<MessageId>,
    /// Edits and recalls up to this change are in, as far as their messages are.
    pub(super) altered: Change,
}

/// The file, as its one writer has it.
pub(super) struct Index {
    writer: SqliteConnection,
    statements: Statements,
    path: PathBuf,
    pub(super) head: Head,
    pub(super) looker: Arc<Looker>,
}

impl Index {
    /// Opens the file, or makes it. What cannot be opened, has another schema or is no index is an error: the caller throws it
    /// away ([`discard`]) and comes again.
    pub(super) async fn open(path: &Path, key: &StoreKey) -> Result<Self, StoreError> {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(StoreError::Disk(error));
            }
            _ => {}
        }
        let options = options(path, key);
        let mut writer = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .pragma("cache_size", WRITER_CACHE)
            .connect()
            .await?;
        let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut writer).await?;
        if version == 0 {
            // All or nothing: a file that was begun and not finished has tables, and no number.
            writer.execute("BEGIN IMMEDIATE").await?;
            writer.execute(TABLES).await?;
            writer.execute("COMMIT").await?;
        } else if version != SCHEMA {
            return Err(StoreError::Damaged("the index is another release's".to_owned()));
        }
        let row = sqlx::query("SELECT through, newest, at, name, altered FROM meta WHERE id = 1");
        let row = row.fetch_one(&mut writer).await?;
        let count = |column| row.try_get::<i64, _>(column).map(i64::cast_unsigned).map(Change);
        let name: Vec<u8> = row.try_get(3)?;
        let head = Head {
            through: count(0)?,
            newest: count(1)?,
            at: Wall(row.try_get(2)?),
            name: name.try_into().ok().map(MessageId),
            altered: count(4)?,
        };
        let looker = Arc::new(Looker::open(&options).await?);
        Ok(Self { writer, statements: Statements::default(), path: path.to_owned(), head, looker })
    }

    /// Bytes on disk, the log's included.
    pub(super) fn size(&self) -> u64 {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        size(&self.path) + size(&beside(&self.path, "-wal"))
    }

    /// Takes messages in, which follow the last ones; `starts` are the places among them where somebody's history begins. One
    /// transaction.
    pub(super) async fn add(
        &mut self,
        entries: &[Entry],
        starts: &BTreeMap<ConversationId, BTreeSet<Sequence>>,
        through: Change,
    ) -> Result<(), StoreError> {
        self.writer.execute("BEGIN IMMEDIATE").await?;
        let added = self.add_within(entries, starts, through).await;
        self.settle(added.is_ok()).await?;
        self.head = added?;
        Ok(())
    }

    async fn settle(&mut self, good: bool) -> Result<(), StoreError> {
        self.writer.execute(if good { "COMMIT" } else { "ROLLBACK" }).await?;
        Ok(())
    }

    async fn add_within(
        &mut self,
        entries: &[Entry],
        starts: &BTreeMap<ConversationId, BTreeSet<Sequence>>,
        through: Change,
    ) -> Result<Head, StoreError> {
        let mut head = Head { through, ..self.head };
        if let Some(newest) = entries.last() {
            (head.newest, head.at, head.name) = (newest.change, newest.at, Some(newest.id));
        }
        let mut writing = self.open_blocks(entries).await?;
        let (mut postings, mut saids) = (BTreeMap::new(), BTreeMap::new());
        for entry in entries {
            let Some(open) = writing.get_mut(&entry.conversation) else { continue };
            let begins =
                starts.get(&entry.conversation).is_some_and(|starts| starts.contains(&entry.sequence));
            let block = open.take(entry.sequence, begins);
            let offset = entry.sequence.0 - block;
            for term in &entry.terms {
                let at: &mut Vec<u8> = postings.entry((open.place, block, term)).or_default();
                at.extend((offset as u16).to_be_bytes());
            }
            let first = block + offset / SAID * SAID;
            let said: &mut Vec<u8> = saids.entry((open.place, first)).or_default();
            said.extend(((entry.sequence.0 - first) as u16).to_be_bytes());
            said.extend(entry.sender.value().to_be_bytes());
            said.extend(&entry.at.0.to_be_bytes()[2..]);
            said.extend(&entry.change.0.to_be_bytes()[2..]);
        }
        let blocks: Vec<(i64, u64, u64)> = writing
            .values()
            .flat_map(|open| open.touched.iter().map(|(start, last)| (open.place, *start, *last)))
            .collect();
        let mut script = Script::new(&mut self.statements);
        script.many(&BLOCKS, &blocks, |(place, start, last), row| {
            row.int(*place).count(*start).count(*last);
        });
        let postings: Vec<_> = postings.into_iter().collect();
        script.many(&POSTINGS, &postings, |((place, block, term), at), row| {
            row.int(*place).count(*block).bytes(term.as_bytes()).bytes(at);
        });
        let saids: Vec<_> = saids.into_iter().collect();
        script.many(&SAIDS, &saids, |((place, first), entries), row| {
            row.int(*place).count(*first).bytes(entries);
        });
        script.one(
            "UPDATE meta SET through = ?, newest = ?, at = ?, name = ?, altered = ? WHERE id = 1",
            |row| {
                let name = head.name.map(|name| name.0);
                row.count(head.through.0).count(head.newest.0).int(head.at.0);
                row.bytes(name.as_ref().map_or(&[], |name| &name[..])).count(head.altered.0);
            },
        );
        script.run(&mut self.writer).await?;
        Ok(head)
    }

    /// The conversations of these messages, each with the block that is being filled.
    async fn open_blocks(&mut self, entries: &[Entry]) -> Result<BTreeMap<ConversationId, Open>, StoreError> {
        let mut first: BTreeMap<ConversationId, Sequence> = BTreeMap::new();
        for entry in entries {
            first.entry(entry.conversation).or_insert(entry.sequence);
        }
        let places: Vec<[u64; 2]> = first.iter().map(|(place, first)| [place.value(), first.0]).collect();
        let places = format!("{places:?}");
        sqlx::query(
            "INSERT INTO place (conversation, first) SELECT value ->> 0, value ->> 1 FROM json_each(?1) WHERE true \
             ON CONFLICT (conversation) DO NOTHING",
        )
        .bind(&places)
        .execute(&mut self.writer)
        .await?;
        let rows = sqlx::query(
            "SELECT place.conversation, place.id, coalesce(max(block.start), 0), coalesce(max(block.last), 0) \
             FROM json_each(?1) AS wanted CROSS JOIN place ON place.conversation = wanted.value ->> 0 \
             LEFT JOIN block ON block.place = place.id GROUP BY place.id",
        )
        .bind(&places)
        .fetch_all(&mut self.writer)
        .await?;
        let mut open = BTreeMap::new();
        for row in rows {
            let count = |column| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
            let conversation = ConversationId::new(count(0)?);
            let conversation = conversation.ok_or_else(|| StoreError::Damaged("a place".to_owned()))?;
            let (start, last) = (count(2)?, count(3)?);
            open.insert(conversation, Open { place: row.try_get(1)?, start, last, touched: BTreeMap::new() });
        }
        Ok(open)
    }

    /// Conversations that are in here, behind one: some at a time, each with where its expired messages end.
    pub(super) async fn places(
        &mut self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(ConversationId, Sequence)>, StoreError> {
        let rows = sqlx::query(
            "SELECT conversation, first FROM place WHERE conversation > (?1 + 0) ORDER BY conversation LIMIT (?2 + 0)",
        )
        .bind(after.cast_signed())
        .bind(i64::from(limit))
        .fetch_all(&mut self.writer)
        .await?;
        let mut places = Vec::new();
        for row in rows {
            let conversation = ConversationId::new(row.try_get::<i64, _>(0)?.cast_unsigned());
            let conversation = conversation.ok_or_else(|| StoreError::Damaged("a place".to_owned()))?;
            places.push((conversation, Sequence(row.try_get::<i64, _>(1)?.cast_unsigned())));
        }
        Ok(places)
    }

    async fn place(&mut self, conversation: ConversationId) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query_scalar("SELECT id FROM place WHERE conversation = (?1 + 0)");
        Ok(row.bind(conversation.value().cast_signed()).fetch_optional(&mut self.writer).await?)
    }

    /// Takes a whole conversation out, some rows at a time.
    pub(super) async fn erase(&mut self, conversation: ConversationId) -> Result<(), StoreError> {
        let Some(place) = self.place(conversation).await? else { return Ok(()) };
        self.take_out(place, i64::MAX).await?;
        sqlx::query("DELETE FROM place WHERE id = ?1").bind(place).execute(&mut self.writer).await?;
        Ok(())
    }

    /// Takes out the blocks that end before a place.
    async fn take_out(&mut self, place: i64, before: i64) -> Result<(), StoreError> {
        loop {
            let gone = sqlx::query(
                "DELETE FROM posting WHERE place = ?1 AND (block, term) IN (SELECT posting.block, posting.term FROM block \
                 CROSS JOIN posting ON posting.place = block.place AND posting.block = block.start \
                 WHERE block.place = ?1 AND block.last < ?2 LIMIT ?3)",
            );
            let gone = gone.bind(place).bind(before).bind(ROWS_OUT).execute(&mut self.writer).await?;
            if gone.rows_affected() == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        for table in [
            "DELETE FROM said WHERE place = ?1 AND first <= coalesce( \
             (SELECT max(last) FROM block WHERE place = ?1 AND last < ?2), -1)",
            "DELETE FROM block WHERE place = ?1 AND last < ?2",
        ] {
            sqlx::query(table).bind(place).bind(before).execute(&mut self.writer).await?;
        }
        Ok(())
    }

    /// Takes out what stands before a place: expired messages.
    pub(super) async fn expire(
        &mut self,
        conversation: ConversationId,
        first: Sequence,
    ) -> Result<(), StoreError> {
        let Some(place) = self.place(conversation).await? else { return Ok(()) };
        self.take_out(place, first.0.cast_signed()).await?;
        let block: Option<i64> =
            sqlx::query_scalar("SELECT start FROM block WHERE place = ?1 AND start < ?2 AND last >= ?2")
                .bind(place)
                .bind(first.0.cast_signed())
                .fetch_optional(&mut self.writer)
                .await?;
        if let Some(block) = block {
            let first = first.0 - block.cast_unsigned();
            self.keep_within(place, block, |offset| u64::from(offset) >= first).await?;
            let whole = first / SAID * SAID;
            sqlx::query("DELETE FROM said WHERE place = ?1 AND first >= ?2 AND first < ?3")
                .bind(place)
                .bind(block)
                .bind(block + whole.cast_signed())
                .execute(&mut self.writer)
                .await?;
        }
        sqlx::query("UPDATE place SET first = ?2 WHERE id = ?1")
            .bind(place)
            .bind(first.0.cast_signed())
            .execute(&mut self.writer)
            .await?;
        Ok(())
    }

    /// Within one block: rows are read some at a time, and written without the messages that are not to be kept, by their offset.
    async fn keep_within(
        &mut self,
        place: i64,
        block: i64,
        keep: impl Fn(u16) -> bool,
    ) -> Result<(), StoreError> {
        let mut behind: Vec<u8> = Vec::new();
        loop {
            let rows = sqlx::query(
                "SELECT term, at FROM posting WHERE place = ?1 AND block = ?2 AND term > ?3 ORDER BY term LIMIT ?4",
            );
            let rows =
                rows.bind(place).bind(block).bind(behind).bind(ROWS_OUT).fetch_all(&mut self.writer).await?;
            let (mut kept, mut gone) = (Vec::new(), Vec::new());
            behind = Vec::new();
            for row in &rows {
                let (term, at): (Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
                let left: Vec<u8> = at
                    .chunks_exact(2)
                    .filter(|at| keep(u16::from_be_bytes([at[0], at[1]])))
                    .flatten()
                    .copied()
                    .collect();
                behind.clone_from(&term);
                if left.is_empty() {
                    gone.push(term);
                } else if left.len() < at.len() {
                    kept.push((term, left));
                }
            }
            self.writer.execute("BEGIN IMMEDIATE").await?;
            let done = self.rewrite(place, block, &kept, &gone).await;
            self.settle(done.is_ok()).await?;
            done?;
            if rows.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Nothing is in yet: alterations up to this change are in what will be.
    pub(super) fn begin(&mut self, altered: Change) {
        self.head.altered = altered;
    }

    /// Puts these words in place of the earlier ones of messages that are in, of no message that is not; then alterations are in up to
    /// `through`. When it breaks off, it is done again from the same place on.
    pub(super) async fn alter(
        &mut self,
        words: &BTreeMap<(ConversationId, Sequence), BTreeSet<Term>>,
        through: Change,
    ) -> Result<(), StoreError> {
        // Written down with the next batch; what is looked at again after a restart is little.
        if words.is_empty() {
            self.head.altered = through;
            return Ok(());
        }
        let mut blocks: BTreeMap<(i64, i64), BTreeMap<u16, &BTreeSet<Term>>> = BTreeMap::new();
        for ((conversation, sequence), words) in words {
            let row = sqlx::query(
                "SELECT block.place, block.start FROM place CROSS JOIN block ON block.place = place.id \
                 WHERE place.conversation = (?1 + 0) AND block.start <= (?2 + 0) AND block.last >= (?2 + 0)",
            );
            let row = row.bind(conversation.value().cast_signed()).bind(sequence.0.cast_signed());
            let Some(row) = row.fetch_optional(&mut self.writer).await? else { continue };
            let (place, start): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let offset = u16::try_from(sequence.0.saturating_sub(start.cast_unsigned()));
            let offset = offset.map_err(|_| StoreError::Damaged("a block".to_owned()))?;
            blocks.entry((place, start)).or_default().insert(offset, words);
        }
        for ((place, block), altered) in &blocks {
            self.keep_within(*place, *block, |offset| !altered.contains_key(&offset)).await?;
        }
        self.writer.execute("BEGIN IMMEDIATE").await?;
        let done = self.alter_within(&blocks, through).await;
        self.settle(done.is_ok()).await?;
        done?;
        self.head.altered = through;
        Ok(())
    }

    async fn alter_within(
        &mut self,
        blocks: &BTreeMap<(i64, i64), BTreeMap<u16, &BTreeSet<Term>>>,
        through: Change,
    ) -> Result<(), StoreError> {
        let mut postings: BTreeMap<(i64, i64, &Term), Vec<u8>> = BTreeMap::new();
        for ((place, block), altered) in blocks {
            for (offset, words) in altered {
                for term in *words {
                    let at = postings.entry((*place, *block, term)).or_default();
                    at.extend(offset.to_be_bytes());
                }
            }
        }
        let postings: Vec<_> = postings.into_iter().collect();
        let mut script = Script::new(&mut self.statements);
        script.many(&POSTINGS, &postings, |((place, block, term), at), row| {
            row.int(*place).int(*block).bytes(term.as_bytes()).bytes(at);
        });
        script.one("UPDATE meta SET altered = ? WHERE id = 1", |row| {
            row.count(through.0);
        });
        Ok(script.run(&mut self.writer).await?)
    }

    async fn rewrite(
        &mut self,
        place: i64,
        block: i64,
        kept: &[(Vec<u8>, Vec<u8>)],
        gone: &[Vec<u8>],
    ) -> Result<(), StoreError> {
        let mut script = Script::new(&mut self.statements);
        script.many(&KEPT, kept, |(term, at), row| {
            row.int(place).int(block).bytes(term).bytes(at);
        });
        for term in gone {
            script.one("DELETE FROM posting WHERE place = ? AND block = ? AND term = ?", |row| {
                row.int(place).int(block).bytes(term);
            });
        }
        Ok(script.run(&mut self.writer).await?)
    }

    /// Leaves nothing of the past in the log. On [`StoreError::Busy`] to be called again: somebody reads.
    pub(super) async fn scrub(&mut self) -> Result<(), StoreError> {
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut self.writer).await?;
        if row.try_get::<i64, _>(0)? == 0 { Ok(()) } else { Err(StoreError::Busy) }
    }

    /// Ends all connections.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        self.looker.close().await?;
        Ok(self.writer.close().await?)
    }
}

/// The block of a conversation that is being filled.
struct Open {
    place: i64,
    /// 0: none yet.
    start: u64,
    last: u64,
    /// Blocks that this batch touched, with their last messages.
    touched: BTreeMap<u64, u64>,
}

impl Open {
    /// The block that this message goes into.
    fn take(&mut self, sequence: Sequence, begins: bool) -> u64 {
        if self.start == 0 || begins || sequence.0 >= self.start + BLOCK {
            self.start = sequence.0;
        }
        self.last = sequence.0;
        self.touched.insert(self.start, self.last);
        self.start
    }
}

/// What every connection has in common. Its `Debug` would show the key: never print it.
fn options(path: &Path, key: &StoreKey) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .pragma("key", key.pragma().to_string())
        .pragma("cipher_hmac_algorithm", "HMAC_SHA256")
        .filename(path)
        // What a power cut takes is built again; the file itself stays whole.
        .synchronous(SqliteSynchronous::Normal)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("mmap_size", "0")
        .pragma("trusted_schema", "OFF")
        .pragma("journal_size_limit", "16777216")
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Throws the file away. What is not there is gone already.
pub(super) fn discard(path: &Path) -> std::io::Result<()> {
    for end in ["", "-wal", "-shm"] {
        match std::fs::remove_file(beside(path, end)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
