//! The directory that a box is kept in: whose it is, and whether a box runs in it.
//!
//! A marker file says that a box made the directory, and its lock that one runs there. Refuses: a directory that holds
//! anything and no marker, so that `--fresh` can never empty somebody's home, and a directory in use.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use thiserror::Error;

/// The marker's name.
pub const MARKER: &str = ".wardline-box";
/// What stays when a box begins anew: a TPM that cannot be thrown away trusts this vendor's key by name.
pub const VENDOR_KEY: &str = "vendor.pem";
/// What the box was made for.
const MADE: &str = "made-for";

/// Why a directory was not taken.
#[derive(Debug, Error)]
pub enum PlaceError {
    /// Somebody holds the marker's lock.
    #[error(
        "a box is already running in {0}: stop it first (Ctrl-C in its terminal), or give another one with --directory"
    )]
    Running(PathBuf),
    /// There are files and no marker.
    #[error(
        "{0} holds files and no mark of a Wardline box, so nothing in it is touched: give --directory one that is \
         new or empty (or remove it yourself, if an earlier version of the box made it)"
    )]
    Foreign(PathBuf),
    /// The file system failed.
    #[error("{0} cannot be used: {1}")]
    Io(PathBuf, #[source] io::Error),
}

/// A directory that is this process's until the value is dropped.
#[derive(Debug)]
pub struct Place {
    directory: PathBuf,
    _lock: Flock<File>,
}

impl Place {
    /// Takes a directory, making it when it is not there.
    pub fn take(directory: &Path) -> Result<Self, PlaceError> {
        let io = |error| PlaceError::Io(directory.to_owned(), error);
        fs::create_dir_all(directory).map_err(io)?;
        let marker = directory.join(MARKER);
        if !marker.exists() && fs::read_dir(directory).map_err(io)?.next().is_some() && !marker.exists() {
            return Err(PlaceError::Foreign(directory.to_owned()));
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&marker).map_err(io)?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
            Errno::EWOULDBLOCK => PlaceError::Running(directory.to_owned()),
            errno => io(errno.into()),
        })?;
        Ok(Self { directory: directory.to_owned(), _lock: lock })
    }

    /// Removes everything but the marker and the vendor's key.
    pub fn clear(&self) -> Result<(), PlaceError> {
        let io = |error| PlaceError::Io(self.directory.clone(), error);
        for entry in fs::read_dir(&self.directory).map_err(io)? {
            let entry = entry.map_err(io)?;
            if entry.file_name() == MARKER || entry.file_name() == VENDOR_KEY {
                continue;
            }
            let directory = entry.file_type().map_err(io)?.is_dir();
            let removed =
                if directory { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
            removed.map_err(io)?;
        }
        Ok(())
    }
}

/// Where devices reach the box, and under which root: for programs of this machine that let devices join by themselves, such
/// as `wardline demo`.
const REACHED_AT: &str = "reached-at";

/// Writes it down beside the box's local socket.
pub fn write_reached_at(directory: &Path, address: SocketAddr, root_sha256: &[u8; 32]) -> io::Result<()> {
    let root: String = root_sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let new = directory.join("reached-at.new");
    fs::write(&new, format!("{address}\n{root}\n"))?;
    fs::rename(new, directory.join(REACHED_AT))
}

/// What a box's keys and certificate were made for, and so cannot be changed without making others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeFor {
    /// Where devices reach it.
    pub listen: SocketAddr,
    /// Its TPM, as `--tpm` takes it; `None` for the software one.
    pub tpm: Option<String>,
}

impl MadeFor {
    /// What stands in this directory; `None` when no box was made there.
    pub fn read(directory: &Path) -> Option<Self> {
        let text = fs::read_to_string(directory.join(MADE)).ok()?;
        let mut lines = text.lines();
        let listen = lines.next()?.parse().ok()?;
        Some(Self { listen, tpm: lines.next().filter(|tpm| !tpm.is_empty()).map(str::to_owned) })
    }

    /// Writes it down, whole or not at all.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        let new = directory.join("made-for.new");
        fs::write(&new, format!("{}\n{}\n", self.listen, self.tpm.as_deref().unwrap_or_default()))?;
        fs::rename(new, directory.join(MADE))
    }
}
