//! The floor's store: one thread, one connection, whatever waits in one transaction.

use std::path::Path;

use anyhow::Result;
use bytes::Bytes;
use rusqlite::{Connection, params_from_iter, types::ValueRef};

/// Rows of one statement, from most to least: any count is cut into these.
const CUTS: [usize; 10] = [512, 256, 128, 64, 32, 16, 8, 4, 2, 1];

/// One message.
pub(super) struct Row {
    /// Its number.
    pub(super) change: u64,
    /// Where.
    pub(super) conversation: u32,
    /// By whom.
    pub(super) sender: u32,
    /// What.
    pub(super) body: Bytes,
}

/// The writer.
pub(super) struct Store(Connection);

fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; \
         PRAGMA journal_size_limit = 33554432;
         CREATE TABLE IF NOT EXISTS message (change INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, \
         sender INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
         CREATE INDEX IF NOT EXISTS by_conversation ON message (conversation, change);",
    )?;
    Ok(connection)
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self(open(path)?))
    }

    /// One transaction.
    pub(super) fn commit(&mut self, rows: &[Row]) -> Result<()> {
        let transaction = self.0.transaction()?;
        let mut rest = rows;
        for cut in CUTS {
            while rest.len() >= cut {
                let (now, later) = rest.split_at(cut);
                let text = format!("INSERT INTO message VALUES {}", vec!["(?,?,?,?)"; cut].join(","));
                let mut statement = transaction.prepare(&text)?;
                statement.execute(params_from_iter(now.iter().flat_map(|row| {
                    let int = |value: u64| rusqlite::types::Value::Integer(value.cast_signed());
                    let body = rusqlite::types::Value::Blob(row.body.to_vec());
                    [int(row.change), int(row.conversation.into()), int(row.sender.into()), body]
                })))?;
                rest = later;
            }
        }
        Ok(transaction.commit()?)
    }
}

/// A reader of what somebody missed.
pub(super) struct Reader(Connection);

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self(open(path)?))
    }

    /// Messages after `change` of these conversations that others wrote, in order of conversation, each given to `each`.
    pub(super) fn missed(
        &self,
        conversations: &[u32],
        person: u32,
        change: u64,
        mut each: impl FnMut(u64, u32, &[u8]),
    ) -> Result<()> {
        let mut statement = self.0.prepare(
            "SELECT change, conversation, body FROM message WHERE conversation = ? AND change > ? AND sender <> ? \
             ORDER BY change",
        )?;
        for conversation in conversations {
            let mut rows = statement.query((conversation, change.cast_signed(), person))?;
            while let Some(row) = rows.next()? {
                let ValueRef::Blob(body) = row.get_ref(2)? else { continue };
                each(row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?, body);
            }
        }
        Ok(())
    }
}
