//! The bytes of attachments: files beside the database, never in a transaction's way.
//!
//! A file is named by the change that began it and holds nothing but sealed pieces, each of [`ATTACHMENT_PIECE`] bytes but the last
//! (nonce 12, ciphertext, tag 16), bound to their place. So how far an upload has come is how many whole pieces are there, whatever cut it
//! short; what the database says of it is only what it is to be, and the key. Every 16 pieces, and the last, are flushed to the disk.
//!
//! What should not be there any more is found by looking: a file without a row in the store has lost its key with that row, and goes. A
//! row comes before its file, so whoever lists the files first and the rows behind takes nothing that is wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};
use tokio::sync::{Notify, Semaphore};
use wardline_core::attachment::{Media, Received};
use wardline_core::ids::Change;
use wardline_core::limits::{
    ATTACHMENT_PIECE, DISK_RESERVE_BYTES, SEAL_OVERHEAD, SNIFFED_BYTES, UPLOADS_MAX,
};

use crate::catchup::Library;
use crate::keyring::{FileKey, Keyring};

/// A whole piece on the disk.
const RECORD: usize = ATTACHMENT_PIECE + SEAL_OVERHEAD;
/// Pieces between flushes: a megabyte, which a disk takes in some milliseconds, so that a message's own flush waits no longer.
const FLUSHED: u32 = 16;
/// Between looks for files that nobody wants, when there was reason for one; and when there was none.
const SWEEPS_APART: Duration = Duration::from_secs(5);
const SWEEPS_AT_LEAST: Duration = Duration::from_secs(3_600);

/// The directory, and what is going on in it.
pub struct Attachments {
    directory: PathBuf,
    inner: Mutex<Inner>,
    wake: Notify,
    /// One file is opened and hashed at a time: whoever resumes again and again keeps one core busy, and no more.
    looking: Semaphore,
}

#[derive(Default)]
struct Inner {
    /// Files that are being written.
    busy: BTreeSet<Change>,
    /// What became of the uploads that came to an end since the start; forgotten by the thousand, and then looked at again.
    judged: BTreeMap<Change, Received>,
}

/// The right to write one file, until it is dropped.
pub struct Claim {
    of: Arc<Attachments>,
    file: Change,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.of.inner().busy.remove(&self.file);
    }
}

impl Attachments {
    /// Makes the directory if there is none. It is its user's alone.
    pub fn open(directory: PathBuf) -> io::Result<Self> {
        match DirBuilder::new().mode(0o700).create(&directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        Ok(Self { directory, inner: Mutex::default(), wake: Notify::new(), looking: Semaphore::new(1) })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic while holding it left plain data: still usable.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, file: Change) -> PathBuf {
        self.directory.join(format!("{:016x}", file.0))
    }

    /// To write a file; `None` while somebody else does: an older connection of the same device that has not ended yet.
    pub fn claim(self: &Arc<Self>, file: Change) -> Option<Claim> {
        let free = self.inner().busy.insert(file);
        free.then(|| Claim { of: Arc::clone(self), file })
    }

    /// What is known of a file that was to come in.
    pub fn received(&self, file: Change) -> Received {
        self.inner().judged.get(&file).copied().unwrap_or(Received::Part)
    }

    fn judge(&self, file: Change, received: Received) {
        let judged = &mut self.inner().judged;
        if judged.len() >= 2 * UPLOADS_MAX {
            judged.clear();
        }
        judged.insert(file, received);
    }

    /// Something may be there that nobody wants.
    pub fn look_soon(&self) {
        self.wake.notify_one();
    }

    /// Removes what nobody wants, for as long as the process lives.
    pub async fn sweep(library: Arc<Library>) {
        loop {
            match library.files.sweep_once(&library).await {
                Ok(0) => {}
                Ok(gone) => tracing::info!(gone, "files whose keys are destroyed are removed"),
                Err(error) => tracing::error!(%error, "files whose keys are destroyed could not be removed"),
            }
            tokio::time::sleep(SWEEPS_APART).await;
            let _ = tokio::time::timeout(SWEEPS_AT_LEAST, library.files.wake.notified()).await;
        }
    }

    /// One look; how many went.
    pub async fn sweep_once(&self, library: &Library) -> io::Result<usize> {
        // First what is there, then what is wanted: see above.
        let directory = self.directory.clone();
        let there = blocking(move || listed(&directory)).await?;
        let wanted = library.readers.files().await.map_err(io::Error::other)?;
        let paths: Vec<PathBuf> = there.difference(&wanted).map(|file| self.path(*file)).collect();
        let gone = paths.len();
        blocking(move || paths.iter().try_for_each(fs::remove_file)).await?;
        Ok(gone)
    }

    /// A file's bytes from one on, to be read piece by piece.
    pub async fn read(
        &self,
        file: Change,
        length: u64,
        from: u64,
        key: Arc<FileKey>,
    ) -> io::Result<Outgoing> {
        let path = self.path(file);
        blocking(move || {
            let mut file = File::open(path)?;
            let piece = from / ATTACHMENT_PIECE as u64;
            file.seek(SeekFrom::Start(piece * RECORD as u64))?;
            let skip = usize::try_from(from % ATTACHMENT_PIECE as u64).unwrap_or(0);
            Ok(Outgoing { file, key, length, piece, skip })
        })
        .await
    }
}

/// Runs what waits for the disk where that holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Whatever is named as ours are.
fn listed(directory: &Path) -> io::Result<BTreeSet<Change>> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name.to_str().filter(|name| name.len() == 16).map(|name| u64::from_str_radix(name, 16));
        files.extend(number.and_then(Result::ok).map(Change));
    }
    Ok(files)
}

/// A file on its way in.
pub struct Incoming {
    claim: Claim,
    file: File,
    key: FileKey,
    said: Said,
    /// Bytes in whole pieces.
    have: u64,
    hash: digest::Context,
    /// Less than a piece.
    rest: Vec<u8>,
    unflushed: u32,
}

/// What a file was announced as.
#[derive(Clone, Copy)]
pub struct Said {
    /// Bytes.
    pub length: u64,
    /// Of all of it.
    pub sha256: [u8; 32],
    /// What it begins like.
    pub media: Media,
}

/// Why no more of a file is taken.
#[derive(Debug)]
pub enum Stop {
    /// It is judged: whole, or not what was announced.
    Judged(Received),
    /// The disk is nearly full.
    Full,
    /// The disk fails.
    Disk(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Disk(error),
        }
    }
}

impl Incoming {
    /// Goes on with a file: everything that is there is opened and hashed, and what does not open, with what is behind it, is
    /// cut off.
    pub async fn resume(claim: Claim, key: FileKey, said: Said) -> Result<Self, Stop> {
        let path = claim.of.path(claim.file);
        let files = Arc::clone(&claim.of);
        let _turn = files.looking.acquire().await.map_err(io::Error::other)?;
        let opened = blocking(move || {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path)?;
            let hash = digest::Context::new(&SHA256);
            let (rest, unflushed) = (Vec::new(), 0);
            let mut incoming = Self { claim, file, key, said, have: 0, hash, rest, unflushed };
            incoming.catch_up()?;
            Ok(incoming)
        });
        Ok(opened.await?)
    }

    fn catch_up(&mut self) -> io::Result<()> {
        let mut record = Vec::with_capacity(RECORD);
        loop {
            let piece = self.next_piece();
            if piece == 0 {
                break;
            }
            record.clear();
            let wanted = (piece + SEAL_OVERHEAD) as u64;
            let read = (&mut self.file).take(wanted).read_to_end(&mut record)?;
            if read as u64 != wanted || Keyring::open_piece(&self.key, self.pieces(), &mut record).is_err() {
                break;
            }
            self.hash.update(&record);
            self.have += piece as u64;
        }
        let end = self.have + self.pieces() * SEAL_OVERHEAD as u64;
        self.file.set_len(end)?;
        self.file.seek(SeekFrom::Start(end))?;
        Ok(())
    }

    /// How far it has come.
    pub fn have(&self) -> u64 {
        self.have
    }

    fn pieces(&self) -> u64 {
        self.have.div_ceil(ATTACHMENT_PIECE as u64)
    }

    /// Bytes of the next piece; 0: there is none.
    fn next_piece(&self) -> usize {
        usize::try_from(self.said.length - self.have).unwrap_or(usize::MAX).min(ATTACHMENT_PIECE)
    }

    /// Takes more of it. Ends with [`Stop::Judged`] when it is all there, and that was flushed.
    pub async fn push(mut self, keyring: &Arc<Keyring>, mut bytes: &[u8]) -> Result<Self, Stop> {
        while !bytes.is_empty() {
            let piece = self.next_piece();
            if piece == 0 {
                return Err(self.refuse(Received::Damaged).await);
            }
            let (now, later) = bytes.split_at(bytes.len().min(piece - self.rest.len()));
            self.rest.extend_from_slice(now);
            bytes = later;
            if self.rest.len() == piece {
                if self.have == 0 && !self.said.media.fits(&self.rest[..piece.min(SNIFFED_BYTES)]) {
                    return Err(self.refuse(Received::Mistyped).await);
                }
                let keyring = Arc::clone(keyring);
                self = blocking(move || self.write_piece(&keyring)).await?;
            }
        }
        Ok(self)
    }

    fn write_piece(mut self, keyring: &Keyring) -> io::Result<Self> {
        let record = keyring.seal_piece(&self.key, self.pieces(), &self.rest).map_err(io::Error::other)?;
        self.file.write_all(&record)?;
        self.hash.update(&self.rest);
        self.have += self.rest.len() as u64;
        self.rest.clear();
        self.unflushed += 1;
        if self.unflushed >= FLUSHED || self.have == self.said.length {
            self.file.sync_data()?;
            self.unflushed = 0;
            let stat = nix::sys::statvfs::fstatvfs(&self.file)?;
            if stat.blocks_available() as u64 * (stat.fragment_size() as u64) < DISK_RESERVE_BYTES {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        Ok(self)
    }

    /// Once no more bytes come: whether it is what was announced, if it is all there.
    pub async fn end(self) -> Stop {
        if self.have < self.said.length {
            return Stop::Judged(Received::Part);
        }
        if self.hash.clone().finish().as_ref() != self.said.sha256 {
            return self.refuse(Received::Damaged).await;
        }
        // Its name is to be there as well after a power cut, and the one piece of a file that came whole before.
        let (of, file) = (Arc::clone(&self.claim.of), self.claim.file);
        let directory = of.directory.clone();
        let flushed = blocking(move || {
            self.file.sync_data()?;
            File::open(directory)?.sync_all()
        });
        if let Err(error) = flushed.await {
            return error.into();
        }
        of.judge(file, Received::Whole);
        Stop::Judged(Received::Whole)
    }

    /// What came is of no use: it begins anew.
    async fn refuse(self, why: Received) -> Stop {
        let (of, file) = (Arc::clone(&self.claim.of), self.claim.file);
        match blocking(move || self.file.set_len(0)).await {
            Ok(()) => {
                of.judge(file, why);
                Stop::Judged(why)
            }
            Err(error) => error.into(),
        }
    }
}

/// A file on its way out.
pub struct Outgoing {
    file: File,
    key: Arc<FileKey>,
    length: u64,
    piece: u64,
    skip: usize,
}

impl Outgoing {
    /// The next bytes; none: that was all. An error when the file is shorter than it should be, or a piece does not open.
    pub async fn next(mut self) -> io::Result<(Self, Vec<u8>)> {
        let begins = self.piece * ATTACHMENT_PIECE as u64;
        let left = usize::try_from(self.length.saturating_sub(begins)).unwrap_or(usize::MAX);
        let wanted = left.min(ATTACHMENT_PIECE);
        if wanted == 0 {
            return Ok((self, Vec::new()));
        }
        blocking(move || {
            let mut record = vec![0; wanted + SEAL_OVERHEAD];
            self.file.read_exact(&mut record)?;
            Keyring::open_piece(&self.key, self.piece, &mut record).map_err(io::Error::other)?;
            record.drain(..self.skip.min(record.len()));
            (self.piece, self.skip) = (self.piece + 1, 0);
            Ok((self, record))
        })
        .await
    }
}

#[cfg(test)]
#[path = "attachments_tests.rs"]
mod tests;
