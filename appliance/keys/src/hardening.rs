//! What the keeper does to itself before it touches a key: no core dumps, no debugger, no swap, no new privileges.
//!
//! Refuses to go on when one of these cannot be had; only memory locking can be waived, and only by a flag that says
//! so in development.

use nix::errno::Errno;
use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};

/// Memory that the keeper asks to lock: 20 MB of code and libraries, 17 stacks of 256 KiB (4.3 MB), 16 connections'
/// buffers of two frames (2 MB), PIN buckets (2.5 MB), the rest small. A limit of 64 MB is twice that.
pub const LOCKED_BYTES_WANTED: u64 = 64 * 1024 * 1024;

/// Why the process could not be hardened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HardeningError {
    /// Memory could not be locked.
    #[error(
        "memory cannot be locked, so keys could reach the swap device: set LimitMEMLOCK=64M in the unit file \
         (or `ulimit -l 65536`); in development only, pass --allow-unlocked-memory"
    )]
    Lock(#[source] Errno),
    /// Another of the settings.
    #[error("the process cannot be protected ({0})")]
    Setting(&'static str, #[source] Errno),
}

/// Applies all of it to this process. Call before any other thread exists.
///
/// # Errors
/// See [`HardeningError`].
pub fn harden(lock_memory: bool) -> Result<(), HardeningError> {
    umask(Mode::from_bits_truncate(0o077));
    prctl::set_dumpable(false).map_err(|e| HardeningError::Setting("no core dumps", e))?;
    prctl::set_no_new_privs().map_err(|e| HardeningError::Setting("no new privileges", e))?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(|e| HardeningError::Setting("core size 0", e))?;
    if lock_memory {
        if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_MEMLOCK)
            && soft < hard
        {
            // Best effort: if it fails, mlockall says so.
            let _ = setrlimit(Resource::RLIMIT_MEMLOCK, hard, hard);
        }
        mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE).map_err(HardeningError::Lock)?;
    }
    Ok(())
}
