//! Files of the facility: keys, written once and readable by their owner only, and what is replaced whole or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Why a file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is there already, and overwriting a key loses it.
    #[error(
        "{0} is already there: choose another directory, or move it away if you are sure that nothing uses it"
    )]
    Exists(PathBuf),
    /// Others can read it.
    #[error(
        "{0} can be read by other users, so its key may be known: run `chmod 600` on it, and consider a new key"
    )]
    Exposed(PathBuf),
    /// It does not hold what it should.
    #[error("{0} does not hold what it should ({1}): restore it from its backup")]
    Content(PathBuf, &'static str),
    /// The file system failed.
    #[error("{0} cannot be used")]
    Io(PathBuf, #[source] io::Error),
}

/// Writes a new file with this mode and syncs it.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let io = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists(path.into()),
        _ => FileError::Io(path.into(), error),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(io)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io)
}

/// Reads a private key file; at most 8 KiB, which no P-256 key reaches.
pub(crate) fn read_private(path: &Path) -> Result<Zeroizing<String>, FileError> {
    let io = |error| FileError::Io(path.into(), error);
    let metadata = fs::metadata(path).map_err(io)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(FileError::Exposed(path.into()));
    }
    if metadata.len() > 8 * 1024 {
        return Err(FileError::Content(path.into(), "too long for a key"));
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(io)
}

/// Reads a whole file of at most `max` bytes.
pub(crate) fn read_bounded(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    let io = |error| FileError::Io(path.into(), error);
    let mut bytes = Vec::new();
    // One byte more than allowed shows that there are more; a file that grows meanwhile does too.
    fs::File::open(path).map_err(io)?.take(max + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > max {
        return Err(FileError::Content(path.into(), "too long for what it should be"));
    }
    Ok(bytes)
}

/// Puts a file in another's place: the old one or the new one is there, also after a power cut.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let io = |error| FileError::Io(path.into(), error);
    let beside = beside(path);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(FileError::Io(beside, error)),
        _ => {}
    }
    write_new(&beside, bytes, mode)?;
    fs::rename(&beside, path).map_err(io)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(io)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    path.with_file_name(name)
}
