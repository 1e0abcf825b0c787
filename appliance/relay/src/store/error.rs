//! What can go wrong, by what the caller does next.

use std::io;

/// Why the store did not do it. No variant shows a key, a name or a body.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Stop: an operator matches key and file.
    #[error(
        "the key does not open this store: it is another box's or an older file, or no store at all. Check that the \
         database key and the state volume belong together, or restore a backup"
    )]
    Key,
    /// Stop: an operator installs a release.
    #[error(
        "the store has schema {found}, this release knows up to {known}: install the release that wrote it or a later \
         one, or restore a backup made before the update"
    )]
    Newer {
        /// The file's.
        found: i64,
        /// The highest this release knows.
        known: i64,
    },
    /// Stop: this program was built wrong.
    #[error("this program is linked against {found}, the store needs {needed}: install a proper build")]
    Build {
        /// What is linked.
        found: String,
        /// What must be.
        needed: &'static str,
    },
    /// Stop: its schema is one that no release had.
    #[error(
        "the store was made by a development version with another schema: begin anew, with --fresh on a development box"
    )]
    Unreleased,
    /// Stop: an operator restores a backup.
    #[error("the store is damaged ({0}): restore a backup; keep the file for examination")]
    Damaged(String),
    /// Stop, and start again when there is space.
    #[error("no space left on the store's volume ({free} bytes free): make space, then start again")]
    Full {
        /// Bytes free.
        free: u64,
    },
    /// Try again shortly; when it lasts, another process has the file open.
    #[error("the store is in use elsewhere: stop the other process that has it open")]
    Busy,
    /// Stop: a fault of ours. The batch does not follow the last one.
    #[error("change {found} does not follow change {last}")]
    Gap {
        /// The last change on disk.
        last: u64,
        /// What came.
        found: u64,
    },
    /// Stop: a fault of ours. The batch contradicts what is stored.
    #[error("a write contradicts what is stored")]
    Contradiction(#[source] sqlx::Error),
    /// Open the store again: an earlier batch failed.
    #[error("an earlier batch failed: the store must be opened again")]
    Unsound,
    /// Nothing: the store was closed.
    #[error("the store is closed")]
    Closed,
    /// Stop: the disk fails.
    #[error("the store's volume failed: check the disk")]
    Disk(#[source] io::Error),
    /// Stop: the database failed in a way that has no name here.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

/// SQLite's primary result codes, the low byte of an extended one (sqlite.org/rescode.html).
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const IOERR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CONSTRAINT: i32 = 19;
const NOTADB: i32 = 26;

fn primary(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match primary(&error) {
            Some(BUSY | LOCKED) => Self::Busy,
            Some(FULL) => Self::Full { free: 0 },
            // Past the opening the key is right: a page that does not decrypt is a damaged one.
            Some(CORRUPT | NOTADB) => Self::Damaged(error.to_string()),
            Some(IOERR) => Self::Disk(io::Error::other(error)),
            Some(CONSTRAINT) => Self::Contradiction(error),
            _ => Self::Database(error),
        }
    }
}

impl StoreError {
    /// As from a connection that has yet to read its first page: what does not decrypt has another key.
    pub(super) fn at_opening(error: sqlx::Error) -> Self {
        match primary(&error) {
            Some(NOTADB) => Self::Key,
            _ => error.into(),
        }
    }

    /// A value that no write puts there.
    pub(super) fn value(what: &'static str) -> Self {
        Self::Damaged(format!("{what} holds what was never written"))
    }
}
