//! Files that only their owner may touch, written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::ProfileError;

/// More than any file of a profile but the outbox and the state may hold.
const SMALL_MAX: u64 = 64 * 1024;

pub(crate) fn io(path: &Path, source: io::Error) -> ProfileError {
    ProfileError::Io { path: path.to_owned(), source }
}

/// Makes the directory, parents included, or takes it as it is. An empty one is closed to others; one that holds
/// something and that others may enter is refused: whatever is in it may be theirs.
pub(crate) fn private_directory(path: &Path) -> Result<(), ProfileError> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|at| !at.as_os_str().is_empty() && !at.exists()).collect();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| io(path, e))?;
    // What is kept in it is only as durable as the names that lead to it.
    for made in missing {
        sync_parent(made)?;
    }
    if fs::read_dir(path).map_err(|e| io(path, e))?.next().is_none() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(|e| io(path, e))?;
    }
    check_private(path, "700")
}

/// Refuses what others may read, write or enter, and what is another user's.
pub(crate) fn check_private(path: &Path, wanted: &'static str) -> Result<(), ProfileError> {
    let meta = fs::metadata(path).map_err(|e| io(path, e))?;
    let owner = nix::unistd::geteuid().as_raw();
    if meta.mode() & 0o077 != 0 || meta.uid() != owner {
        return Err(ProfileError::Exposed { path: path.to_owned(), wanted });
    }
    Ok(())
}

/// Reads a file that must be private. `None`: there is none.
pub(crate) fn read_private(path: &Path, max: u64) -> Result<Option<Zeroizing<Vec<u8>>>, ProfileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(path, error)),
    };
    check_private(path, "600")?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(max + 1).read_to_end(&mut bytes).map_err(|e| io(path, e))?;
    if bytes.len() as u64 > max {
        return Err(ProfileError::Damaged { path: path.to_owned(), what: "it is too long" });
    }
    Ok(Some(bytes))
}

/// [`read_private`] for what is never long.
pub(crate) fn read_small(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, ProfileError> {
    read_private(path, SMALL_MAX)
}

/// A new private file beside `path`, to be put in its place by [`put_in_place`].
pub(crate) fn aside(path: &Path) -> Result<(File, std::path::PathBuf), ProfileError> {
    let aside = path.with_extension("new");
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(&aside, error)),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside);
    Ok((file.map_err(|e| io(&aside, e))?, aside))
}

/// Makes the file durable under its real name.
pub(crate) fn put_in_place(file: &File, aside: &Path, path: &Path) -> Result<(), ProfileError> {
    file.sync_all().map_err(|e| io(aside, e))?;
    fs::rename(aside, path).map_err(|e| io(path, e))?;
    sync_parent(path)
}

/// Makes a name durable: that it is there, or that it is gone.
pub(crate) fn sync_parent(path: &Path) -> Result<(), ProfileError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent).and_then(|directory| directory.sync_all()).map_err(|e| io(parent, e))
}

/// Replaces the file's content: after a crash it is the old or the new, never half.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), ProfileError> {
    let (mut file, aside) = aside(path)?;
    file.write_all(content).map_err(|e| io(&aside, e))?;
    put_in_place(&file, &aside, path)
}
