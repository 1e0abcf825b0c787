//! Room on the store's volume, and a ballast to let go of when there is none.
//!
//! The ballast is a file of [`BALLAST_BYTES`] beside the database. When something outside the relay fills the volume,
//! dropping it gives the store room for acknowledgements, audit, revocations and its own recovery.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use thiserror::Error;
use wardline_core::limits::DISK_RESERVE_BYTES;

/// Three quarters of the reserve: with nothing else free, dropping it leaves the core below its reserve, so that it
/// refuses new bodies, with 48 MiB to go on with the rest.
pub const BALLAST_BYTES: u64 = DISK_RESERVE_BYTES / 4 * 3;
/// Free bytes under which the ballast goes.
const DROP_BELOW: u64 = DISK_RESERVE_BYTES / 4;
/// Free bytes above which it comes back: so that afterwards the core still sees more than its reserve and a half.
const RESTORE_ABOVE: u64 = BALLAST_BYTES + 2 * DISK_RESERVE_BYTES;
/// Free bytes without which opening the store is not tried: SQLite's shared memory and a checkpoint.
pub const OPEN_MIN: u64 = 4 << 20;

/// Watches one directory's volume.
pub struct Disk {
    directory: PathBuf,
    ballast: PathBuf,
    has_ballast: bool,
    /// The last look failed, and was logged.
    blind: bool,
}

impl Disk {
    /// Watches the volume of this directory.
    pub fn new(directory: &Path) -> Self {
        let ballast = directory.join("ballast");
        let has_ballast = fs::metadata(&ballast).is_ok_and(|meta| meta.len() > 0);
        Self { directory: directory.to_owned(), ballast, has_ballast, blind: false }
    }

    /// Bytes free for this process.
    pub fn free(&self) -> io::Result<u64> {
        let stat = nix::sys::statvfs::statvfs(&self.directory)?;
        Ok(stat.blocks_available() as u64 * stat.fragment_size() as u64)
    }

    /// Drops or restores the ballast as free space asks for, and says how much is free then.
    pub fn tend(&mut self) -> io::Result<u64> {
        let free = self.free()?;
        if self.has_ballast && free < DROP_BELOW {
            fs::remove_file(&self.ballast)?;
            self.has_ballast = false;
            tracing::warn!(free, "the disk is full: the ballast is dropped");
            return self.free();
        }
        if !self.has_ballast && free > RESTORE_ABOVE {
            self.restore()?;
            return self.free();
        }
        Ok(free)
    }

    /// As [`Disk::tend`]. A volume that does not say how full it is counts as full: then new messages are refused and IT
    /// is called, before a commit meets what is wrong with it.
    pub fn tend_or_full(&mut self) -> u64 {
        match self.tend() {
            Ok(free) => {
                self.blind = false;
                free
            }
            Err(error) => {
                if !std::mem::replace(&mut self.blind, true) {
                    tracing::error!(%error, "the store's volume cannot be looked at: it counts as full");
                }
                0
            }
        }
    }

    fn restore(&mut self) -> io::Result<()> {
        let file = File::create(&self.ballast)?;
        let length = i64::try_from(BALLAST_BYTES).map_err(io::Error::other)?;
        let allocated = nix::fcntl::posix_fallocate(&file, 0, length);
        if allocated.is_err() {
            fs::remove_file(&self.ballast)?;
            return Ok(());
        }
        self.has_ballast = true;
        Ok(())
    }
}

/// The right to work in a data directory, for as long as this is kept. Ends with the process, however that ends.
pub type Claim = Flock<File>;

/// Why a data directory cannot be had.
#[derive(Debug, Error)]
pub enum ClaimError {
    /// Started by hand beside a running box, perhaps.
    #[error("another relay works in {0}: stop it first (systemctl stop wardline-relay)")]
    Taken(PathBuf),
    /// Not there, or not this user's.
    #[error("{path} cannot be opened: {source}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Claims a directory (flock(2)) before anything in it is touched: a second relay would migrate the store under the
/// first, drop its ballast, and only then find the store busy.
pub fn claim(directory: &Path) -> Result<Claim, ClaimError> {
    let failed = |source| ClaimError::Directory { path: directory.to_owned(), source };
    let opened = File::open(directory).map_err(failed)?;
    match Flock::lock(opened, FlockArg::LockExclusiveNonblock) {
        Ok(claim) => Ok(claim),
        Err((_, Errno::EWOULDBLOCK)) => Err(ClaimError::Taken(directory.to_owned())),
        Err((_, errno)) => Err(failed(errno.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_that_cannot_be_looked_at_counts_as_full() {
        let directory = tempfile::tempdir().unwrap();
        let mut disk = Disk::new(directory.path());
        assert!(disk.tend_or_full() > 0);
        drop(directory);
        assert_eq!(disk.tend_or_full(), 0);
    }

    #[test]
    fn a_directory_is_one_relays() {
        let directory = tempfile::tempdir().unwrap();
        let first = claim(directory.path()).unwrap();
        assert!(matches!(claim(directory.path()), Err(ClaimError::Taken(_))));
        drop(first);
        claim(directory.path()).unwrap();
        let nowhere = directory.path().join("nowhere");
        assert!(matches!(claim(&nowhere), Err(ClaimError::Directory { .. })));
    }
}
