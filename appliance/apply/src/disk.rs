//! What is done to the state volume, in steps of which each is done or not done when the power goes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};
use std::path::Path;

/// A volume. Every call is on the disk when it returns.
pub trait Disk {
    /// Makes a directory.
    fn make(&mut self, path: &Path, mode: u32) -> io::Result<()>;
    /// Writes a file that is not there.
    fn write(&mut self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()>;
    /// Gives another name, in the same directory; what had it is replaced (rename(2)).
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes a link that is not there.
    fn link(&mut self, target: &Path, at: &Path) -> io::Result<()>;
    /// Removes a file, a link or a directory with all that is in it; what is not there is no error.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
}

/// The state volume.
#[derive(Debug, Default)]
pub struct Volume;

impl Disk for Volume {
    fn make(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        DirBuilder::new().mode(mode).create(path)?;
        sync_parent(path)
    }

    fn write(&mut self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        sync_parent(path)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        sync_parent(to)
    }

    fn link(&mut self, target: &Path, at: &Path) -> io::Result<()> {
        symlink(target, at)?;
        sync_parent(at)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        let removed = match fs::symlink_metadata(path) {
            Ok(about) if about.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.and_then(|()| sync_parent(path)),
        }
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}
