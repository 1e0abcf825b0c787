//! Room on the store's volume, and a ballast to let go of when there is none.
//!
//! The ballast is a file of [`BALLAST_BYTES`] beside the database. When something outside the relay fills the volume,
//! dropping it gives the store room for acknowledgements, audit, revocations and its own recovery.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

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
}

impl Disk {
    /// Watches the volume of this directory.
    pub fn new(directory: &Path) -> Self {
        let ballast = directory.join("ballast");
        let has_ballast = fs::metadata(&ballast).is_ok_and(|meta| meta.len() > 0);
        Self { directory: directory.to_owned(), ballast, has_ballast }
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
