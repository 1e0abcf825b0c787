//! The write-ahead log's size.
//!
//! A flush that overwrites costs less than half of one that grows the file (2.6 times was measured). So the log is laid
//! out at its working size once, as zeros, and from then on reset and overwritten, not truncated: SQLite starts it
//! over when everything in it is in the database file. Zeros are no frames: a log ends, for SQLite, at the first frame
//! whose checksum does not fit.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Executor, Row};

use super::open::BUSY_TIMEOUT;
use super::{Store, StoreError};

/// A page and its frame's header.
const FRAME: u64 = 4096 + 24;

/// Pages in the log after which they are moved into the database file.
pub(super) const CHECKPOINT_PAGES: u64 = 2_000;

/// The log as laid out: twice the pages of a checkpoint, since a batch is written whole before it is looked at.
pub(super) const BYTES: u64 = 2 * CHECKPOINT_PAGES * FRAME;

/// A log that a long reader made grow is cut back to this when it is next reset.
pub(super) const LIMIT_BYTES: u64 = 2 * BYTES;

fn file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Whether the log has its size already, so that opening needs no more space.
pub(super) fn is_laid_out(path: &Path) -> bool {
    std::fs::metadata(file(path)).is_ok_and(|log| log.len() >= BYTES)
}

/// Brings the log to its size. Only while nobody writes. What is in it stays: zeros go behind.
pub(super) fn lay_out(path: &Path) -> Result<(), StoreError> {
    // Closing this drops no lock of SQLite's: those are on the database file and the shared memory.
    let grow = |mut log: File| -> std::io::Result<()> {
        let zeros = vec![0; 1 << 20];
        let before = log.seek(SeekFrom::End(0))?;
        let mut length = before;
        while length < BYTES {
            let now = (BYTES - length).min(zeros.len() as u64);
            if let Err(error) = log.write_all(&zeros[..now as usize]) {
                // What little space there is has better uses.
                log.set_len(before)?;
                return Err(error);
            }
            length += now;
        }
        if length > before { log.sync_all() } else { Ok(()) }
    };
    match OpenOptions::new().write(true).open(file(path)).and_then(grow) {
        Ok(()) => Ok(()),
        // A convenience, not a need: without it the log grows as it is used.
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Ok(()),
        Err(error) => Err(StoreError::Disk(error)),
    }
}

impl Store {
    /// Leaves nothing of the past in the log: for after a purge. Everything moves into the database file, where
    /// deleted content is overwritten, and the log is emptied and laid out anew. Does not wait for a reader under way:
    /// commits would wait too. On [`StoreError::Busy`] nothing is lost, and it is to be called again.
    pub async fn scrub(&mut self) -> Result<(), StoreError> {
        if !self.sound {
            return Err(StoreError::Unsound);
        }
        self.writer.execute("PRAGMA busy_timeout = 0").await?;
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut self.writer).await;
        self.writer
            .execute(AssertSqlSafe(format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT.as_millis())))
            .await?;
        match row.map_err(StoreError::from)?.try_get::<i64, _>(0)? {
            0 => lay_out(&self.path),
            _ => Err(StoreError::Busy),
        }
    }
}
